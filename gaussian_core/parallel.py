"""One thread pool a priority for all kernels.

The kernels are single-threaded and release the GIL; parallelism is strips of the output on this pool. Numba's own
parallel loops are not used: its default threading layer aborts the process when two Python threads run parallel
kernels at once, and a strip is also the grain at which a stale frame can be stopped.
"""

from __future__ import annotations

import itertools
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from gaussian_core.errors import Cancelled

Stop = Callable[[], bool]

_lock = threading.Lock()
_pools: dict[int, ThreadPoolExecutor] = {}
_mine = threading.local()
_unheld = threading.Event()
_unheld.set()
_holding = 0  # how many frames hold them
_held_until = 0.0  # time.monotonic


def worker_count() -> int:
    """How many kernel threads there are: the CPUs this process may use, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return max(1, os.cpu_count() or 1)


FRAMES, BUILDING = 10, 17
"""Priorities as `nice` counts them. On a busy core building has a sixth of the time while a frame is rendered, and all
of it as soon as the frame is there; the window itself comes before both."""


def lower_priority(to: int = FRAMES) -> None:
    """Let the calling thread, those it starts, and those that help it with its strips give way to others of the process
    where all cores are busy.

    Linux gives threads priorities of their own; elsewhere this does nothing and the system's scheduler decides.
    """
    _mine.priority = to
    if sys.platform.startswith("linux"):
        thread = threading.get_native_id()
        # Never upwards: a process that was started with a lower priority may not raise it.
        lower = max(to, os.getpriority(os.PRIO_PROCESS, thread))
        os.setpriority(os.PRIO_PROCESS, thread, lower)


@contextmanager
def building_held(seconds: float) -> Iterator[None]:
    """Meanwhile, but no longer than that, threads of a lower priority than a frame's begin no strip.

    A frame beside a network that is busy takes up to twice its time, since they share caches and memory also where the
    network has hardly any of the time. For a bounded time: who is held may hold a lock that the frame waits for.
    """
    global _held_until, _holding
    with _lock:
        until = time.monotonic() + seconds
        _held_until = max(_held_until, until) if _holding else until
        _holding += 1
        _unheld.clear()
    try:
        yield
    finally:
        with _lock:
            _holding -= 1
            if not _holding:
                _unheld.set()


def _priority() -> int:
    return getattr(_mine, "priority", FRAMES)


def _let_frames_pass() -> None:
    if not _unheld.is_set() and (left := _held_until - time.monotonic()) > 0:
        _unheld.wait(left)


def _pool() -> ThreadPoolExecutor:
    """The pool that the calling thread's strips run on, made on first use.

    A thread may not raise its priority again, so those that help with building are others than those of the frames: at
    the priority of a frame they would take every frame beside a network twice its time.
    """
    priority = _priority()
    with _lock:
        if priority not in _pools:
            _pools[priority] = ThreadPoolExecutor(
                worker_count(),
                thread_name_prefix="kernel",
                initializer=lower_priority,
                initargs=(priority,),
            )
        return _pools[priority]


def run_alone(work: Callable[[int], object], count: int) -> None:
    """Run work(i) for i in range(count) on the calling thread: within a strip of others, say."""
    for number in range(count):
        work(number)


def run_strips(work: Callable[[int], object], count: int, stop: Stop | None = None) -> None:
    """Run work(i) for i in range(count) on the pool of the caller's priority, the caller's thread included.

    Each worker takes the next strip when it is done with one, so uneven strips balance. `stop` is polled before every
    strip; once it is true no further strip starts and, when the running ones have ended, Cancelled is raised. An
    exception in a strip is raised here after the others have ended. A strip may call this again: since the caller works
    too and waits for nobody who has not started, a full pool cannot block it.
    """
    strips = iter(range(count))
    taking = threading.Lock()
    halted = threading.Event()

    def drain() -> None:
        gives_way = _priority() > FRAMES
        while not halted.is_set():
            if gives_way:
                _let_frames_pass()
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
    pool = _pool()
    for _ in itertools.repeat(None, min(worker_count(), count) - 1):
        helpers.append(pool.submit(drain))
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
