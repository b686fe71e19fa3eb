"""Folders of pictures, as training and measuring take them."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from gaussian_core.errors import ImageError
from gaussian_core.presence import unreachable

SUFFIXES = (
    *(".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp", ".gif", ".apng", ".avif"),
    *(".ppm", ".pgm", ".pbm", ".pnm", ".pam", ".pfm", ".tga", ".ico", ".jp2", ".qoi"),
)
"""Of the pictures that are taken from a folder, and offered for opening."""


def check_folder(folder: Path) -> None:
    """Raise ImageError, which says what is there instead, for what is no folder."""
    if os.path.isdir(folder):
        return
    if reason := unreachable(folder):
        raise ImageError(f"The folder {folder} cannot be read: {reason}.")
    if folder.exists():
        raise ImageError(f"{folder} is a file: a folder of pictures is wanted.")
    raise ImageError(f"There is no folder {folder}.")


def pictures(folder: Path) -> list[Path]:
    """The pictures of a folder by name, but for hidden ones. Raises ImageError when there are none."""
    check_folder(folder)
    found = sorted(p for p in folder.iterdir() if _is_picture(p, folder))
    if not found:
        raise ImageError(f"The folder {folder} holds no pictures.")
    return found


def pictures_below(*folders: Path) -> list[Path]:
    """Those of all the folders and of the folders in them, but for hidden ones. Raises ImageError when there are
    none."""
    for folder in folders:
        check_folder(folder)
    found = sorted(p for f in folders for p in f.rglob("*") if _is_picture(p, f))
    if not found:
        raise ImageError(f"No pictures in {', '.join(map(str, folders))}: name other folders.")
    return found


def _is_picture(path: Path, folder: Path) -> bool:
    """Whether what lies in or below a folder is named as a picture. What macOS lays beside each file of an archive
    (._baby.png) and what editors keep in hidden folders are none, nor is a folder."""
    if path.suffix.lower() not in SUFFIXES or os.path.isdir(path):
        return False
    return not any(part.startswith(".") for part in path.relative_to(folder).parts)


def set_names(folders: Sequence[Path]) -> list[str]:
    """What to call the sets in these folders: by the folder's own name ("Set5", also of "." in it), with that of the
    folder around it where two have one name ("Set5/HR", "Set14/HR"), by the whole path where these are alike, too."""
    places = [Path(os.path.abspath(folder)) for folder in folders]
    shorter = {place: (place.name, f"{place.parent.name}/{place.name}") for place in places}
    counts = Counter(name for names in shorter.values() for name in names)
    return [
        next((name for name in shorter[place] if place.name and counts[name] == 1), str(place))
        for place in places
    ]


def picture_names(paths: Sequence[Path]) -> list[str]:
    """What to call the pictures of one folder: by their names without the ending ("baby"), with it where two have one
    name ("baby.png", "baby.jpg")."""
    counts = Counter(path.stem for path in paths)
    return [path.stem if counts[path.stem] == 1 else path.name for path in paths]


def fingerprint(files: Sequence[Path]) -> str:
    """Of these files as they are: another one where a file is at another place, or was written to since."""
    stats = [(str(file.resolve()), file.stat()) for file in files]
    stamps = [[place, stat.st_mtime_ns, stat.st_size] for place, stat in stats]
    return hashlib.sha256(json.dumps(stamps).encode()).hexdigest()
