"""The pictures beside a picture: which files of a folder can be opened, in which order, and which comes next."""

from __future__ import annotations

import os
import re
import sys
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from pathlib import Path

from gaussian_core.field import FIELD_SUFFIX, is_field_file
from gaussian_core.picture_folders import SUFFIXES
from viewer.model.documents.document import is_weights_file

Key = tuple[list[str | int], str, str]

_DIGITS = re.compile(r"(\d+)")


def natural_key(path: Path) -> Key:
    """Sorts img before img2 before img10, whatever the case; then by the ending, and at last by the full path."""
    parts = _DIGITS.split(unicodedata.normalize("NFC", path.stem).casefold())
    # The parts between numbers stand at even places: like is compared with like.
    numbered = [int(part) if place % 2 else part for place, part in enumerate(parts)]
    return numbered, path.suffix.casefold(), _told_apart(path)


def _told_apart(path: Path) -> str:
    """A name as the system tells it from others: on Windows and a Mac it may be typed in another case than it has in
    its folder, and a Mac's dialogs give letters and their accents as one where the folder may have them as two."""
    name = os.path.normcase(path)
    return unicodedata.normalize("NFC", name).casefold() if sys.platform == "darwin" else name


def pictures_in(folder: Path) -> list[Path]:
    """The files of a folder that can be opened as pictures or fields, in their natural order; not what is hidden, nor
    networks' weights. Raises OSError."""
    with os.scandir(folder) as entries:
        named = [
            entry for entry in entries if _may_be_offered(entry.name) and not _is_folder(entry)
        ]
    return _offered(folder / entry.name for entry in named)


def pictures_among(paths: Iterable[Path]) -> list[Path]:
    """Of some files and folders, the pictures and those in the folders, each once, in their natural order. Raises
    OSError where there are none but in folders that cannot be read."""
    found: set[Path] = set()
    unread: OSError | None = None
    for path in paths:
        if os.path.isdir(path):
            try:
                found.update(pictures_in(path))
            except OSError as error:
                unread = error
        elif _may_be_offered(path.name):
            found.add(path)
    if unread is not None and not found:
        raise unread
    return _offered(found)


def _offered(paths: Iterable[Path]) -> list[Path]:
    """Those that hold no network's weights, in their natural order."""
    return sorted((p for p in paths if not _holds_weights(p)), key=natural_key)


def place_after(paths: Sequence[Path], here: Path, steps: int) -> int:
    """The place among `paths`, which are in their natural order, so many steps after `here` (before it where they are
    negative): outside of them where there are fewer. `here` may have gone: its place is where it would be."""
    key = natural_key(here)
    place = bisect_left(paths, key, key=natural_key)
    gone = place == len(paths) or natural_key(paths[place]) != key
    return place + steps - (gone and steps > 0)


def _may_be_offered(name: str) -> bool:
    """Whether a file is one to be opened, as far as its name tells."""
    suffix = os.path.splitext(name)[1].lower()
    return not name.startswith(".") and suffix in (*SUFFIXES, FIELD_SUFFIX)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads in circles: opening it says what is wrong
        return False


def _holds_weights(path: Path) -> bool:
    return is_field_file(path) and is_weights_file(path)
