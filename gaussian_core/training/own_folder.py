"""The folder of a training is its own while it is at work there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gaussian_core.errors import OutputError

LOCK = "training.lock"


@contextmanager
def own_folder(folder: Path) -> Iterator[None]:
    """Keep other trainings out of a folder, which would write over what this one keeps, and take away the temporary
    files (see atomic.whole_file) of one that was killed: those of its decoded pictures are large. Raises OutputError
    where another one is at work there."""
    from filelock import FileLock, Timeout

    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise OutputError(
            f"Another training is at work in {folder}: wait for its end, or use another --out."
        ) from error
    try:
        for part in folder.glob(".*.part"):
            if not part.name.endswith(f".{os.getpid()}.part"):
                part.unlink(missing_ok=True)
        yield
    finally:
        lock.release()
