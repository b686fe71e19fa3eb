"""The strips that every kernel runs in."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from gaussian_core import parallel
from gaussian_core.errors import Cancelled
from gaussian_core.parallel import (
    BUILDING,
    FRAMES,
    building_held,
    lower_priority,
    run_strips,
    worker_count,
)

set_priority = getattr(os, "setpriority", None)


@pytest.fixture
def priorities(monkeypatch):
    """Threads have them, as in the program: see conftest."""
    monkeypatch.setattr(os, "setpriority", set_priority)
    monkeypatch.setattr(parallel, "_pools", {})


def test_every_strip_runs_once():
    done = []
    run_strips(done.append, 100)
    assert sorted(done) == list(range(100))
    run_strips(done.append, 0)
    assert len(done) == 100


def test_an_error_in_a_strip_is_raised_after_the_others_ended():
    running = threading.Semaphore(0)
    finished = []

    def work(number):
        if number == 3:
            raise ZeroDivisionError
        running.release()
        finished.append(number)

    with pytest.raises(ZeroDivisionError):
        run_strips(work, 50)
    count = len(finished)
    assert 3 not in finished
    threading.Event().wait(0.05)
    assert len(finished) == count


def test_stop_ends_between_strips():
    done = []
    with pytest.raises(Cancelled):
        run_strips(done.append, 1000, stop=lambda: len(done) >= 5)
    assert 5 <= len(done) <= 5 + worker_count()


def test_callers_from_several_threads_do_not_block_one_another():
    """The caller works too, so that a pool filled by others cannot starve it."""
    totals = []

    def call():
        done = []
        run_strips(done.append, 200)
        totals.append(len(done))

    threads = [threading.Thread(target=call) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert totals == [200] * 12


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="threads have no priorities here")
@pytest.mark.parametrize(
    ("before", "to", "after"), [(0, FRAMES, 10), (15, FRAMES, 15), (0, BUILDING, 17)]
)
def test_a_thread_gives_way_but_never_asks_for_more(priorities, before, to, after):
    seen = []

    def work():
        me = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, me, max(before, os.getpriority(os.PRIO_PROCESS, me)))
        lower_priority(to)
        seen.append(os.getpriority(os.PRIO_PROCESS, me))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen[0] >= after


def in_a_thread(work, priority):
    """Run it in a thread of that priority; returns the thread, which is started."""

    def run():
        lower_priority(priority)
        work()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="threads have no priorities here")
@pytest.mark.parametrize("priority", [FRAMES, BUILDING])
def test_those_who_help_have_the_priority_of_whom_they_help(priorities, priority):
    seen = []
    everybody = threading.Barrier(worker_count())

    def strip(number):
        everybody.wait(timeout=20)
        seen.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    in_a_thread(lambda: run_strips(strip, worker_count()), priority).join()
    own = max(priority, os.getpriority(os.PRIO_PROCESS, 0))
    assert seen == [own] * worker_count()


def test_building_begins_no_strip_while_a_frame_is_rendered_but_not_for_ever():
    done = []
    with building_held(20.0):
        builder = in_a_thread(lambda: run_strips(done.append, 50), BUILDING)
        in_a_thread(lambda: run_strips(lambda _: None, 50), FRAMES).join(timeout=10)
        builder.join(timeout=0.2)
        assert done == []
    builder.join(timeout=10)
    assert sorted(done) == list(range(50))
    with building_held(20.0):
        with building_held(20.0):
            pass
        builder = in_a_thread(lambda: run_strips(done.append, 50), BUILDING)
        builder.join(timeout=0.2)
        assert len(done) == 50, "another frame is still being rendered"
    builder.join(timeout=10)
    del done[50:]
    with building_held(0.05):
        builder = in_a_thread(lambda: run_strips(done.append, 50), BUILDING)
        builder.join(timeout=10)
        assert len(done) == 100
