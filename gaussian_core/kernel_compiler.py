"""Compiling kernels in a process of their own, into the cache on disk.

Compiling takes seconds, on the first start only, and holds the GIL for long stretches: in the process of a window that
would make it stutter. A module that has kernels runs as `python -m module`, calls `serve(module, parts)` there, and
`compile_apart(module)` in the process that wants them. However many programs start at once, one compiles and the
others wait; it compiles its parts side by side, each in a process, for Numba compiles one thing at a time. Compiling
processes end with the program that asked for them.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from gaussian_core.compiled import cache_folder, why_not_kept
from gaussian_core.errors import Cancelled
from gaussian_core.parallel import Stop, worker_count
from gaussian_core.resource_files import ROOT

if TYPE_CHECKING:
    from filelock import BaseFileLock

log = logging.getLogger(__name__)

POLL = 0.05  # seconds
BESIDE_A_WINDOW = 5  # priority, as `nice` counts: they may take every core, and the window is to be drawn meanwhile


def _marker(module: str) -> Path | None:
    folder = cache_folder(ROOT.joinpath(*module.split(".")).with_suffix(".py"))
    return None if folder is None else folder / f"{module}.ready"


def is_ready(module: str) -> bool:
    """Whether every kernel of a module is in the cache on disk."""
    marker = _marker(module)
    return marker is not None and marker.exists()


def compile_apart(module: str, stop: Stop | None = None) -> None:
    """Have every kernel of a module in the cache when this returns. Blocking; not for a GUI thread.

    stop: polled; when true, the compiling process is ended and Cancelled is raised. Where no process can be started,
    or there is no cache to share, it says so in the log and returns: the kernels compile at their first call.
    """
    if is_ready(module):
        return
    if _marker(module) is None:
        log.warning("There is no folder for compiled kernels: they are compiled at every start.")
        return
    try:
        why = _failure(module, stop)
    except OSError as error:  # no interpreter to call, as in a frozen program
        why = str(error)
    if why is not None:
        log.warning("The kernels of %s are compiled in this process: %s", module, why)


def _failure(module: str, stop: Stop | None) -> str | None:
    """What a process that compiles says last where it fails. Raises Cancelled and OSError."""
    # Into a file: a pipe that nobody reads is full after some kilobytes, 4 on Windows, and its writer waits for ever.
    with tempfile.TemporaryFile() as said, _started(module, errors=said) as process:
        while True:
            try:
                code = process.wait(POLL)
                break
            except subprocess.TimeoutExpired:
                if stop is not None and stop():
                    process.kill()
                    raise Cancelled("compiling was stopped") from None
        said.seek(0)
        return said.read().decode(errors="replace").strip()[-500:] if code != 0 else None


def _started(
    module: str, *arguments: str, errors: IO[bytes] | int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,  # held open: its end tells the process that this one is gone
        stdout=subprocess.DEVNULL,
        stderr=errors,
        creationflags=getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0),
    )


def serve(module: str, parts: Sequence[Callable[[], None]]) -> None:
    """What the compiling process does, unless another process has just done so: have each of the parts, which together
    call every kernel once, called in a process of its own, as many at a time as there are processors, the first ones
    first. Called there, with the part's number as the program's argument, it calls that one."""
    from filelock import FileLock

    marker = _marker(module)
    if marker is None:
        return
    # A terminal sends Ctrl-C to all processes. Whether this one ends is for the program to say, which goes ahead.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_parent, args=(_taken_from_stdin(),), daemon=True).start()
    saving = marker.with_suffix(".saving")
    if sys.argv[1:]:
        if hasattr(os, "nice"):  # Windows has begun it so
            os.nice(BESIDE_A_WINDOW)
        _save_in_turn(FileLock(saving))
        parts[int(sys.argv[1])]()
        return
    with FileLock(marker.with_suffix(".lock")):
        if marker.exists():
            return
        if len(parts) > 1 and worker_count() > 1:
            with ThreadPoolExecutor(worker_count()) as threads:
                list(threads.map(lambda part: _compile_part(module, part), range(len(parts))))
        # They are loaded by now. What a process could not compile is compiled here, or fails here and is said.
        for use in parts:
            use()
        if reason := why_not_kept():
            raise SystemExit(reason)
        marker.touch()


def _compile_part(module: str, part: int) -> None:
    with _started(module, str(part)) as process:
        process.wait()


def _save_in_turn(lock: BaseFileLock) -> None:
    """Numba reads, changes and writes the list of a kernel's versions in steps: of two processes that save versions of
    one kernel, one could lose its own or find the other's under its name."""
    from numba.core.caching import IndexDataCacheFile

    save = IndexDataCacheFile.save

    def in_turn(self: IndexDataCacheFile, key: Any, data: Any) -> None:
        with lock:
            save(self, key, data)

    IndexDataCacheFile.save = in_turn  # type: ignore[method-assign]


def _taken_from_stdin() -> int:
    """The pipe that this process was given as its standard input, which is empty from now on. Windows lets nobody ask
    anything about a pipe that another thread waits for, and libraries ask about the standard input while they are
    loaded: OpenBLAS does, which compiling loads by way of SciPy, and would wait until the program ends."""
    pipe = os.dup(0)
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    return pipe


def _end_with_the_parent(pipe: int) -> None:
    os.read(pipe, 1)  # nothing is ever written: this is its end
    os._exit(1)
