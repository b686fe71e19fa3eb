"""What tells one version of a file from another, without reading it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO


@dataclass(frozen=True)
class FileState:
    """changed: when it was written last, in nanoseconds. size: bytes. Not its inode, which some network drives make
    up anew every time."""

    changed: int
    size: int

    @classmethod
    def of(cls, path: str | os.PathLike[str]) -> FileState | None:
        """Of the file of that name; None where there is none, or its drive does not answer."""
        try:
            status = Path(path).stat()
        except (OSError, ValueError):
            return None
        return cls(status.st_mtime_ns, status.st_size)

    @classmethod
    def of_open(cls, file: BinaryIO) -> FileState:
        """Of an open file, whatever has its name by now. Raises OSError."""
        status = os.fstat(file.fileno())
        return cls(status.st_mtime_ns, status.st_size)
