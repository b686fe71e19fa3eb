"""What can be wrong with a picture's file before and while it is decoded, each in one clear line."""

from __future__ import annotations

import os
import stat
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from gaussian_core.errors import DamagedError, ImageError
from gaussian_core.imaging.png_chunks import SIGNATURE
from gaussian_core.machine.memory import physical_memory

MAX_PIXELS = 1 << 30
"""A gigapixel: five times a 200-megapixel scan. A file of a few kilobytes can claim more than any memory holds."""
LAZY_MAX_PIXELS = 1 << 32
"""Of a picture that is read as it is asked for: what there is of it for every tile must still be little."""

# The formats that are read. Pillow knows more, some of which call other programs (EPS) or are no pictures.
FORMATS = (
    *("AVIF", "BMP", "DDS", "DIB", "GIF", "ICO", "JPEG", "JPEG2000", "PCX"),
    *("PNG", "PPM", "QOI", "TGA", "TIFF", "WEBP"),
)
_OFFER = "save it as PNG, JPEG or TIFF first"
_RAW = "a camera's raw file"  # those that are TIFF files are known by their pages
_STRANGERS = (
    (b"%PDF", "a PDF document"),
    (b"%!PS", "a PostScript document"),
    (b"8BPS", "a Photoshop document"),
    (b"FUJIFILMCCD-RAW", _RAW),
    (b"IIRO", _RAW),
    (b"IIRS", _RAW),
    (b"MMOR", _RAW),
    (b"IIU\0", _RAW),
    (b"gimp xcf", "a GIMP document"),
    (b"v/1\x01", "an OpenEXR picture"),
    (b"#?RADIANCE", "a Radiance HDR picture"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL picture"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1a\x45\xdf\xa3", "a video"),
)
_BRANDS = {
    b"crx ": _RAW,
    **dict.fromkeys(
        (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"), "a HEIC picture"
    ),
    b"mif1": "a HEIF picture",
    b"msf1": "a HEIF picture",
}
_OWN = ((SIGNATURE, "PNG"), (b"GIF8", "GIF"))
_CUT_SHORT = (
    "truncat",
    "too small",
    "too short",
    "unexpected end",
    "premature",
    "end of file",
    "not enough",
    "only got",
    "failed to read",
)


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The open file of a picture; whatever goes wrong with the file itself is an ImageError."""
    try:
        if stat.S_ISFIFO(path.stat().st_mode):  # opening one would wait for a writer
            raise ImageError(f"{path} is a pipe, not a picture.")
        file = open(path, "rb")  # noqa: SIM115 - closed below, where its own errors are told apart
    except FileNotFoundError:
        raise ImageError(f"There is no file {path}.") from None
    except IsADirectoryError:
        raise ImageError(f"{path} is a folder, not a picture.") from None
    except PermissionError:
        if os.path.isdir(path):  # what Windows says of a folder
            raise ImageError(f"{path} is a folder, not a picture.") from None
        raise ImageError(f"{path} may not be read: you have no permission to.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ImageError(f"{path} cannot be read: {reason}.") from error
    with file:
        if not path.is_file():
            raise ImageError(f"{path} is a device, not a picture.")
        if not os.fstat(file.fileno()).st_size:
            raise ImageError(f"{path} is empty (0 bytes).")
        yield file


def is_tiff(head: bytes) -> bool:
    """head: the first bytes of the file, four at least."""
    return head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def is_jpeg(head: bytes) -> bool:
    """head: the first bytes of the file, three at least."""
    return head[:3] == b"\xff\xd8\xff"


def is_webp(head: bytes) -> bool:
    """head: the first bytes of the file, twelve at least."""
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


def unknown_format(path: Path, file: BinaryIO) -> ImageError:
    """For a file that no decoder takes."""
    file.seek(0)
    head = file.read(1024)
    for start, kind in _STRANGERS:
        if head.startswith(start):
            return ImageError(f"{path} is {kind}, which cannot be read: {_OFFER}.")
    if is_jpeg(head):
        return ImageError(
            f"{path} is a damaged JPEG picture, or of a kind that cannot be read (lossless, or of more than 8 bits): {_OFFER}."
        )
    own = next((kind for start, kind in _OWN if head.startswith(start)), None)
    if is_webp(head):
        own = "WebP"
    elif head[4:8] == b"ftyp" and head[8:12] in (b"avif", b"avis"):
        own = "AVIF"
    if own is not None:
        return DamagedError(f"{path} is a damaged {own} picture, or one cut short.")
    if head[4:8] == b"ftyp":
        kind = _BRANDS.get(head[8:12], "a video")
        return ImageError(f"{path} is {kind}, which cannot be read: {_OFFER}.")
    if is_tiff(head):
        return ImageError(
            f"{path} is a TIFF whose channels or numbers make no picture that can be read: save it as RGB or grey first."
        )
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(b"<svg") or (text.startswith((b"<?xml", b"<!")) and b"<svg" in text):
        return ImageError(f"{path} is an SVG drawing, which has no pixels: export it as PNG first.")
    known = "JPEG, PNG, TIFF, WebP, AVIF, GIF, BMP"
    return ImageError(f"{path} is not a picture in a format that can be read ({known} ...).")


def damaged(path: Path, error: BaseException) -> DamagedError:
    """For a file whose decoder gave up."""
    reason = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, EOFError) or any(word in reason.lower() for word in _CUT_SHORT):
        return DamagedError(f"{path} is cut short: the file ends before the picture does.")
    if isinstance(error, KeyError | IndexError) or not any(map(str.isalpha, reason)):
        return DamagedError(f"{path} is damaged and cannot be decoded.")
    return DamagedError(f"{path} is damaged and cannot be decoded: {reason.rstrip('.')}.")


def check_size(
    path: Path, width: int, height: int, pixel_bytes: int, most: int | None = None
) -> None:
    """Refuse what no memory will hold, from the header alone. pixel_bytes: of the decoded picture and its decoder.
    most: pixels, None: MAX_PIXELS."""
    most = MAX_PIXELS if most is None else most
    pixels = width * height
    if width < 1 or height < 1:
        raise ImageError(f"{path} is damaged: it claims {width} x {height} pixels.")
    if pixels > most:
        raise ImageError(
            f"{path} claims {width} x {height} pixels, more than the {most / 1e6:.0f} megapixels that can be"
            " opened: cut or reduce it first."
        )
    check_memory(path, width, height, pixel_bytes)


def check_memory(path: Path, width: int, height: int, pixel_bytes: int) -> None:
    """Refuse so many pixels at once where no memory will hold them."""
    memory, pixels = physical_memory(), width * height
    if pixels * pixel_bytes > memory:
        raise ImageError(
            f"{path}: a picture of {width} x {height} pixels needs {pixels * pixel_bytes / 1e9:.1f} GB, but this"
            f" machine has {memory / 1e9:.1f} GB: cut or reduce it first."
        )


_guard_lock = threading.Lock()
_guard_depth = 0
_guard_before: tuple[warnings.catch_warnings[Any], int | None, int] | None = None


@contextmanager
def pillow_guard() -> Iterator[None]:
    """Pillow with our limits of size in the place of its own, and without its warnings.

    These are settings of the process: they are put back when the last picture being read is done, so that nobody
    else's use of Pillow changes. Its warnings are about oddities in files, for whoever made the file.
    """
    global _guard_depth, _guard_before
    from PIL import Image, PngImagePlugin

    with _guard_lock:
        if _guard_depth == 0:
            quiet = warnings.catch_warnings()
            quiet.__enter__()
            warnings.filterwarnings("ignore", module=r"PIL\b")
            _guard_before = quiet, Image.MAX_IMAGE_PIXELS, PngImagePlugin.MAX_TEXT_CHUNK
            Image.MAX_IMAGE_PIXELS = None  # check_size decides
            # A printer's profile or a compressed text of more than a megabyte is no reason to refuse the picture.
            PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY
        _guard_depth += 1
    try:
        yield
    finally:
        with _guard_lock:
            _guard_depth -= 1
            if _guard_depth == 0:
                assert _guard_before is not None
                quiet, Image.MAX_IMAGE_PIXELS, PngImagePlugin.MAX_TEXT_CHUNK = _guard_before
                quiet.__exit__(None, None, None)
