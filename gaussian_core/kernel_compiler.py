"""Compiling kernels in a process of their own, into the cache on disk.

Compiling takes seconds, on the first start only, and holds the GIL for long stretches: in the process of a window that
would make it stutter. A module that has kernels runs as `python -m module`, calls `serve(use_every_kernel)` there, and
`compile_apart(module)` in the process that wants them. However many programs start at once, one compiles and the
others wait; a compiling process ends with the program that asked for it.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from gaussian_core.compiled import ROOT, cache_folder
from gaussian_core.errors import Cancelled
from gaussian_core.parallel import Stop

log = logging.getLogger(__name__)

POLL = 0.05  # seconds


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
        process = subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=ROOT,
            stdin=subprocess.PIPE,  # held open: its end tells the process that this one is gone
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
    except OSError as error:  # no interpreter to call, as in a frozen program
        log.warning("The kernels of %s are compiled in this process: %s", module, error)
        return
    with process:
        while True:
            try:
                code = process.wait(POLL)
                break
            except subprocess.TimeoutExpired:
                if stop is not None and stop():
                    process.kill()
                    raise Cancelled("compiling was stopped") from None
        if code != 0:
            said = process.stderr.read().strip() if process.stderr is not None else ""
            log.warning("The kernels of %s are compiled in this process: %s", module, said[-500:])


def serve(module: str, use_every_kernel: Callable[[], None]) -> None:
    """What the compiling process does: call every kernel once, unless another process has just done so."""
    from filelock import FileLock

    marker = _marker(module)
    if marker is None:
        return
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    with FileLock(marker.with_suffix(".lock")):
        if not marker.exists():
            use_every_kernel()
            marker.touch()


def _end_with_the_parent() -> None:
    sys.stdin.read()
    os._exit(1)
