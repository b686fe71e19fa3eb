"""What the readers of TIFF files share: opening one, its faults, and the tags that both need."""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from gaussian_core.errors import ImageError
from gaussian_core.imaging import orientation
from gaussian_core.imaging.files import damaged

log = logging.getLogger(__name__)

_PROFILE, _DNG_VERSION = 34675, 50706
_SENSOR = (32803, 34892)  # photometric: a colour filter's mosaic, and linear raw values
_UNCOMPRESSED = 1


@contextmanager
def opened_tiff(path: Path, file: BinaryIO) -> Iterator[Any]:
    """The tifffile.TiffFile of an open file. What its parsers meet in a damaged one is an ImageError."""
    import tifffile

    # It logs what is odd in a file, also where it then reads it: what matters comes as an exception.
    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    file.seek(0)
    with tiff_faults(path), tifffile.TiffFile(file, name=path.name) as tiff:
        yield tiff


@contextmanager
def tiff_faults(path: Path) -> Iterator[None]:
    """What the library and its decoders meet in a damaged file is an ImageError."""
    import tifffile

    try:
        yield
    # struct.error, IndexError, ValueError and others: whatever a parser stumbles over.
    except (
        *(tifffile.TiffFileError, RuntimeError, ValueError, TypeError, struct.error, OSError),
        *(KeyError, IndexError, AttributeError, ZeroDivisionError, OverflowError, EOFError),
    ) as error:
        raise damaged(path, error) from error


def check_kind(path: Path, file: BinaryIO, tiff: Any) -> None:
    """Raise ImageError for a camera's raw file: its first page is a thumbnail, and its picture is not developed."""
    file.seek(8)
    canon = file.read(2) == b"CR"
    first = tiff.pages.first
    if canon or _DNG_VERSION in first.tags or any(map(_of_a_sensor, (first, *_nested(first)))):
        raise ImageError(
            f"{path} is a camera's raw file, which cannot be read: develop it into a TIFF or JPEG first."
        )


def _of_a_sensor(page: Any) -> bool:
    return int(page.photometric) in _SENSOR


def _nested(page: Any) -> list[Any]:
    import tifffile

    try:
        return list(page.pages or ())
    except (tifffile.TiffFileError, ValueError, struct.error, IndexError, OSError) as error:
        log.info("pages within a page are left alone: %s", error)
        return []


def check_whole(path: Path, file: BinaryIO, page: Any) -> None:
    """Raise ImageError where compressed parts of a page lie beyond the end of the file: decoders print what they think
    of that, or say nothing that helps."""
    if int(page.compression) == _UNCOMPRESSED:
        return
    size = file.seek(0, 2)
    if any(o + c > size for o, c in zip(page.dataoffsets, page.databytecounts, strict=False)):
        raise damaged(path, EOFError())


def profile_of(page: Any) -> bytes | None:
    """The ICC profile of a page."""
    tag = page.tags.get(_PROFILE)
    return None if tag is None else bytes(tag.value)


def turn_of(page: Any) -> int:
    """The orientation of a page, 1 to 8."""
    tag = page.tags.get(orientation.TAG)
    return 1 if tag is None else int(tag.value)


def pages_note(tiff: Any) -> str:
    """Says that there are more pages than the first that is read."""
    count = len(tiff.pages)
    return f"first of {count} pages" if count > 1 else ""


MOST_PAGES = 64  # looked at for smaller ones; a scan of a thousand pages is no pyramid


def smaller_pages(tiff: Any) -> Iterator[Any]:
    """Pages that may hold the first one smaller: its sub-directories, and those that say so of themselves. Those of
    Aperio's slides do not say so."""
    yield from tiff.pages.first.pages or ()
    for number in range(1, min(len(tiff.pages), MOST_PAGES)):
        page = tiff.pages[number]
        if page.is_reduced or (tiff.is_svs and page.is_tiled):
            yield page
