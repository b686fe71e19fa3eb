"""The decorator of all Numba kernels: compiled once, kept on disk, never stale.

Numba decides whether a cached kernel is still good by its own source file alone. A kernel here also depends on
constants and vector steps of other files, so its cache lives in a folder named after a digest of the whole package.
"""

from __future__ import annotations

import functools
import hashlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
import platformdirs

config: Any = numba.config  # a module that makes its attributes at run time

_deciding = threading.Lock()

Function = TypeVar("Function", bound=Callable[..., Any])


@functools.cache
def cache_folder() -> Path | None:
    """Where compiled kernels are kept; None where no such folder can be made (then Numba chooses).

    NUMBA_CACHE_DIR is respected.
    """
    package = Path(__file__).resolve().parent
    # Numba keeps kernels apart by the place and the time of their source file: both are part of the name, so that a
    # folder is either good as a whole or new.
    digest = hashlib.sha256(str(package).encode())
    for source in sorted(package.rglob("*.py")):
        digest.update(f"{source.relative_to(package)} {source.stat().st_mtime_ns} ".encode())
        digest.update(source.read_bytes())
    base = os.environ.get("NUMBA_CACHE_DIR") or platformdirs.user_cache_path("gaussian-zoom")
    folder = Path(base) / f"kernels-{digest.hexdigest()[:16]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder


def compiled(**options: Any) -> Callable[[Function], Function]:
    """numba.njit that releases the GIL and is cached; options are passed on (inline, fastmath ...)."""

    def decorate(function: Function) -> Function:
        folder = cache_folder()
        # The setting is read when the cache is made, here, and put back for everybody else's kernels. Threads import
        # modules side by side: one at a time, or one would find the setting of the other half changed.
        with _deciding:
            before = config.CACHE_DIR
            if folder is not None:
                config.CACHE_DIR = str(folder)
            try:
                kernel: Function = numba.njit(nogil=True, cache=True, **options)(function)
            finally:
                config.CACHE_DIR = before
        return kernel

    return decorate
