"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gaussian_core.errors import OutputError
from gaussian_core.presence import unreachable

LONGEST = 200
"""Bytes of a name that is kept whole in that of the temporary file."""
_unfinished: set[Path] = set()
"""The temporary files that are there now."""
HELD_BY_OTHERS = (5, 32)  # Windows: ERROR_ACCESS_DENIED, ERROR_SHARING_VIOLATION
PATIENCE, PAUSE = 5.0, 0.1
"""Seconds for which a file that is so held is tried again, and between two tries."""


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path in the same folder; it takes the place of `path` when the block ends well.

    Whatever ends the block otherwise, the temporary file goes and an older file stays as it was. OSError becomes an
    OutputError that names the file. One that is marked read-only is not replaced, nor a pipe or a device; of a link
    what it leads to is.
    """
    target = led_to(path)
    _check_replaceable(target)
    temporary = target.with_name(f".{_short(target.name)}.{os.getpid()}.part")
    _unfinished.add(temporary)
    try:
        temporary.touch()
        # What the user's umask grants; some writers grant less.
        mode = temporary.stat().st_mode & 0o777
        yield temporary
        # Only what differs: on a drive whose files are all somebody else's the user may write, but not this.
        if temporary.stat().st_mode & 0o777 != mode:
            temporary.chmod(mode)
        _take_place(temporary, target)
    except OSError as error:
        raise OutputError(f"Cannot write {target}: {error.strerror or error}.") from error
    finally:
        # A folder that does not exist, or is a file, has no temporary file to remove either.
        if os.path.lexists(temporary):
            temporary.unlink(missing_ok=True)
        _unfinished.discard(temporary)


def drop_unfinished() -> None:
    """For a program that leaves at once: the temporary files of threads that end with it, and not by themselves."""
    for temporary in list(_unfinished):
        with suppress(OSError):  # nobody is there any more to be told
            temporary.unlink(missing_ok=True)


def _take_place(temporary: Path, target: Path) -> None:
    """os.replace. Windows refuses it while another program reads one of the two files, which what scans for viruses,
    indexes or synchronises does for a moment after each writing: what took hours is not thrown away for that."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            os.replace(temporary, target)
            return
        except PermissionError as error:
            if getattr(error, "winerror", None) not in HELD_BY_OTHERS or time.monotonic() > end:
                raise
        time.sleep(PAUSE)


def led_to(path: str | os.PathLike[str]) -> Path:
    """Where a link leads to; anything else as it is named."""
    return Path(os.path.realpath(path) if os.path.islink(path) else path)


def _short(name: str) -> str:
    """A name for a file system that allows 255 bytes, with room for what is put around it, and no other's."""
    if len(os.fsencode(name)) <= LONGEST:
        return name
    return f"{name[: LONGEST // 4]}.{zlib.crc32(os.fsencode(name)):08x}"


def atomic_write(path: str | os.PathLike[str], text: str) -> None:
    """Write a text file, whole or not at all. Raises OutputError."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def make_folder(path: str | os.PathLike[str]) -> None:
    """Make a folder, and those that it lies in, where there is none yet. Raises OutputError."""
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise OutputError(f"Cannot make the folder {folder}: it is a file.") from error
    except OSError as error:
        raise OutputError(f"Cannot make the folder {folder}: {error.strerror or error}.") from error
    if not os.access(folder, os.W_OK):
        raise OutputError(f"Cannot write into {folder}: the folder is not writable.")


def check_target(path: str | os.PathLike[str]) -> None:
    """Raise OutputError now if no file can be written at `path`, before hours go into what is to be written there."""
    target = led_to(path)
    folder = target.parent
    if reason := unreachable(folder):
        raise OutputError(f"Cannot write {target}: {reason}.")
    if not folder.exists():
        raise OutputError(f"Cannot write {target}: there is no folder {folder}.")
    if not folder.is_dir():
        raise OutputError(f"Cannot write {target}: {folder} is not a folder.")
    if os.path.isdir(target):
        raise OutputError(f"Cannot write {target}: it is a folder.")
    if not os.access(folder, os.W_OK):
        raise OutputError(f"Cannot write {target}: the folder {folder} is not writable.")
    _check_replaceable(target)


def check_not_source(target: str | os.PathLike[str], source: object) -> None:
    """Raise OutputError where a file would be written over the one that it is made of. source: its path, a picture that
    knows its own (see PictureSource), or anything else, which is no file."""
    pictures = (source, getattr(source, "unreduced", None))
    paths = [source, *(getattr(picture, "path", None) for picture in pictures)]
    files = [path for path in paths if isinstance(path, str | os.PathLike)]
    if not files or unreachable(Path(target).parent):
        return
    if any(_is_same(target, file) for file in files):
        raise OutputError(
            f"Cannot write {target}: it is the file that is read. Choose another name."
        )


def _is_same(one: str | os.PathLike[str], other: str | os.PathLike[str]) -> bool:
    """Whether both are the same file; one that is not there is said elsewhere."""
    try:
        return os.path.samefile(one, other)
    except (OSError, ValueError):
        return False


def _check_replaceable(target: Path) -> None:
    """A file that is marked read-only is to stay as it is, though its folder would let it be replaced; and a pipe or a
    device is none."""
    # By os.path: it also answers for names that no file can have.
    if os.path.exists(target) and not os.path.isfile(target) and not os.path.isdir(target):
        raise OutputError(f"Cannot write {target}: it is a pipe or a device, not a file.")
    if os.path.isfile(target) and not target.stat().st_mode & 0o222:
        raise OutputError(
            f"Cannot write {target}: there is a file of that name that is marked read-only."
        )
