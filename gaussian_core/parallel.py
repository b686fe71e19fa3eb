"""One thread pool for all kernels.

The kernels are single-threaded and release the GIL; parallelism is strips of the output on this pool. Numba's own
parallel loops are not used: its default threading layer aborts the process when two Python threads run parallel
kernels at once, and a strip is also the grain at which a stale frame can be stopped.
"""

from __future__ import annotations

import itertools
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from gaussian_core.errors import Cancelled

Stop = Callable[[], bool]

_lock = threading.Lock()
_pool: ThreadPoolExecutor | None = None


def worker_count() -> int:
    """How many kernel threads there are: the CPUs this process may use, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return max(1, os.cpu_count() or 1)


FRAMES, BUILDING = 10, 17
"""Priorities as `nice` counts them. On a busy core building has a sixth of the time while a frame is rendered, and all
of it as soon as the frame is there; the window itself comes before both."""


def lower_priority(to: int = FRAMES) -> None:
    """Let the calling thread, and those it starts, give way to others of the process where all cores are busy.

    Linux gives threads priorities of their own; elsewhere this does nothing and the system's scheduler decides.
    """
    if sys.platform.startswith("linux"):
        thread = threading.get_native_id()
        # Never upwards: a process that was started with a lower priority may not raise it.
        lower = max(to, os.getpriority(os.PRIO_PROCESS, thread))
        os.setpriority(os.PRIO_PROCESS, thread, lower)


def pool() -> ThreadPoolExecutor:
    """The shared pool, made on first use."""
    global _pool
    with _lock:
        if _pool is None:
            _pool = ThreadPoolExecutor(
                worker_count(), thread_name_prefix="kernel", initializer=lower_priority
            )
        return _pool


def run_strips(work: Callable[[int], object], count: int, stop: Stop | None = None) -> None:
    """Run work(i) for i in range(count) on the pool, the caller's thread included.

    Each worker takes the next strip when it is done with one, so uneven strips balance. `stop` is polled before every
    strip; once it is true no further strip starts and, when the running ones have ended, Cancelled is raised. An
    exception in a strip is raised here after the others have ended. A strip may call this again: since the caller works
    too and waits for nobody who has not started, a full pool cannot block it.
    """
    strips = iter(range(count))
    taking = threading.Lock()
    halted = threading.Event()

    def drain() -> None:
        while not halted.is_set():
            if stop is not None and stop():
                halted.set()
                return
            with taking:
                index = next(strips, None)
            if index is None:
                return
            try:
                work(index)
            except BaseException:
                halted.set()
                raise

    helpers: list[Future[None]] = []
    for _ in itertools.repeat(None, min(worker_count(), count) - 1):
        helpers.append(pool().submit(drain))
    try:
        drain()
    finally:
        # Wait even when this thread failed: no strip may still write into the caller's array.
        for helper in helpers:
            if not helper.cancel():
                helper.exception()
    for helper in helpers:
        if not helper.cancelled():
            helper.result()
    if halted.is_set():
        raise Cancelled("stopped between tiles")
