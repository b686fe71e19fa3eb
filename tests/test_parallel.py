"""The strips that every kernel runs in."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from gaussian_core.errors import Cancelled
from gaussian_core.parallel import BUILDING, FRAMES, lower_priority, run_strips, worker_count


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
def test_a_thread_gives_way_but_never_asks_for_more(before, to, after):
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
