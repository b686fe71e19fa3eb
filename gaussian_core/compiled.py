"""The decorator of all Numba kernels: compiled once, kept on disk, never stale.

Numba decides whether a cached kernel is still good by its own source file alone. A kernel here also depends on
constants and vector steps of other files, so its cache lives in a folder named after a digest of the whole package.
"""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
import platformdirs

config: Any = numba.config  # a module that makes its attributes at run time

Function = TypeVar("Function", bound=Callable[..., Any])


@functools.cache
def cache_folder() -> Path | None:
    """Where compiled kernels are kept; None where no such folder can be made (then Numba chooses).

    NUMBA_CACHE_DIR is respected.
    """
    digest = hashlib.sha256()
    package = Path(__file__).parent
    for source in sorted(package.rglob("*.py")):
        digest.update(source.relative_to(package).as_posix().encode())
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
        # The folder is read when the cache is made, here: the setting is put back for everybody else's kernels.
        folder, before = cache_folder(), config.CACHE_DIR
        if folder is not None:
            config.CACHE_DIR = str(folder)
        try:
            kernel: Function = numba.njit(nogil=True, cache=True, **options)(function)
        finally:
            config.CACHE_DIR = before
        return kernel

    return decorate
