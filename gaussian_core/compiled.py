"""The decorator of all Numba kernels: compiled once, kept on disk, never stale.

Numba decides whether a cached kernel is still good by its own source file alone. A kernel here also depends on
constants and vector steps of other files, so its cache lives in a folder named after a digest of its file and of every
file of the program that it imports, directly or not, and of what Numba compiles for. In a folder that says it is ready
everything then is, also after an update of Numba and where machines share one home.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import os
import re
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import platformdirs
from numba.core.caching import FunctionCache
from numba.core.registry import cpu_target

from gaussian_core.resource_files import ROOT

config: Any = numba.config  # a module that makes its attributes at run time

log = logging.getLogger(__name__)

_deciding = threading.Lock()
_not_kept = ""

Function = TypeVar("Function", bound=Callable[..., Any])


IMPORT = re.compile(
    r"^[ \t]*from (gaussian_core|viewer)([\w.]*) import ([\w, \t]+|\([^)]*\))", re.MULTILINE
)


@functools.cache
def _imports(source: Path) -> frozenset[Path]:
    """Files of the program that a file names in its imports."""
    out = set()
    for package, rest, names in IMPORT.findall(source.read_text(encoding="utf-8")):
        place = ROOT.joinpath(package, *rest.split(".")[1:])
        if place.with_suffix(".py").exists():
            out.add(place.with_suffix(".py"))
            continue
        for name in re.findall(r"\w+", re.sub(r"\bas \w+", "", names)):
            module = place / f"{name}.py"
            out.add(module if module.exists() else place / "__init__.py")
    return frozenset(p for p in out if p.exists())


@functools.cache
def sources(source: Path) -> tuple[Path, ...]:
    """The file and all files of the program that it imports, directly or not."""
    seen, new = {source}, {source}
    while new:
        new = {p for s in new for p in _imports(s)} - seen
        seen |= new
    return tuple(sorted(seen))


@functools.cache
def _compiler() -> str:
    """What Numba keeps kernels of one source apart by: the interpreter, itself, the processor and its settings."""
    target = cpu_target.target_context.codegen().magic_tuple()
    return f"{sys.version_info[:2]} {numba.__version__} {target}"


@functools.cache
def cache_folder(source: Path) -> Path | None:
    """Where the compiled kernels of a file are kept; None where no such folder can be made and written to.

    NUMBA_CACHE_DIR is respected.
    """
    # Numba keeps kernels apart by the place and the time of their source file: both are part of the name, so that a
    # folder is either good as a whole or new.
    digest = hashlib.sha256(f"{ROOT} {_compiler()}".encode())
    for file in sources(source):
        digest.update(f"{file.relative_to(ROOT)} {file.stat().st_mtime_ns} ".encode())
        digest.update(file.read_bytes())
    base = os.environ.get("NUMBA_CACHE_DIR") or platformdirs.user_cache_path("gaussian-zoom")
    folder = Path(base) / f"kernels-{digest.hexdigest()[:16]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()  # it may be another user's
    except OSError:
        return None
    return folder


def why_not_kept() -> str:
    """Why a kernel that was compiled could not be kept on disk; empty where all could."""
    return _not_kept


class _KernelCache(FunctionCache):
    """A kernel is drawn with whatever becomes of its file: one that cannot be written, as on a full disk, is compiled
    again next time, and one that was damaged, as by a power cut, now."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)
        except Exception as error:  # Numba unpickles, which raises whatever it stumbles over
            log.warning("A damaged kernel is compiled anew: %s: %s", self.cache_path, error)
        try:
            self.flush()
        except OSError as error:
            _say_not_kept(error)
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
        except OSError as error:
            _say_not_kept(error)


def _say_not_kept(error: OSError) -> None:
    global _not_kept
    if not _not_kept:
        log.warning("Compiled kernels cannot be kept, they are compiled at every start: %s", error)
    _not_kept = str(error)


def compiled(**options: Any) -> Callable[[Function], Function]:
    """numba.njit that releases the GIL and is cached; options are passed on (inline, fastmath ...)."""

    def decorate(function: Function) -> Function:
        kernel: Any = numba.njit(nogil=True, **options)(function)
        folder = cache_folder(Path(function.__code__.co_filename).resolve())
        if folder is None:
            return cast(Function, kernel)
        # The setting is read when the cache is made, here, and put back for everybody else's kernels. Threads import
        # modules side by side: one at a time, or one would find the setting of the other half changed.
        with _deciding:
            before = config.CACHE_DIR
            config.CACHE_DIR = str(folder)
            try:
                kernel._cache = _KernelCache(function)
            finally:
                config.CACHE_DIR = before
        return cast(Function, kernel)

    return decorate
