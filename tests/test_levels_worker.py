"""Reading the coarse levels of a large picture beside the window: what was stopped is heard of no more."""

from __future__ import annotations

import threading

import pytest

from gaussian_core.errors import Cancelled
from viewer.ui.workers import levels_worker
from viewer.ui.workers.levels_worker import LevelsWorker


class Levels:
    """Of three blocks, each read once the gate is open."""

    def __init__(self, error: Exception | None = None) -> None:
        self.read, self.error = 0, error
        self.gate = threading.Event()

    def fill(self, stop, report, rest):
        while self.read < 3:
            self.gate.wait(60)
            if stop():
                raise Cancelled
            rest()
            self.read += 1
            report(self.read, 3)
        if self.error is not None:
            raise self.error


@pytest.fixture
def worker(qapp, monkeypatch):
    monkeypatch.setattr(levels_worker, "REPORT_SECONDS", 0.0)
    monkeypatch.setattr(levels_worker, "_overview", lambda levels: levels.read)
    worker = LevelsWorker()
    yield worker
    assert worker.close(60)


@pytest.fixture
def told(worker):
    told = []
    worker.read.connect(lambda small: told.append(("read", small)))
    worker.progress.connect(lambda done, total: told.append((done, total)))
    worker.ended.connect(lambda: told.append(("ended", worker.running)))
    worker.failed.connect(lambda text: told.append(("failed", text)))
    return told


def test_all_is_read_and_told(worker, told, qtbot):
    levels = Levels()
    levels.gate.set()
    worker.start(levels, lambda: False)
    qtbot.waitUntil(lambda: not worker.running)
    assert told[-2:] == [("read", 3), ("ended", False)]
    assert [entry for entry in told if entry[1] == 3 and entry[0] != "read"] == [
        (1, 3),
        (2, 3),
        (3, 3),
    ]


def test_what_is_under_way_when_it_is_stopped_is_not_told_and_it_goes_on(worker, told, qtbot):
    levels = Levels()
    levels.gate.set()
    worker.start(levels, lambda: False)
    for thread in worker._threads:  # it has told all, and the GUI thread has not heard of it yet
        thread.join()
    worker.stop()
    qtbot.wait(50)
    assert told == [("ended", False)]
    worker.start(levels, lambda: False)
    qtbot.waitUntil(lambda: not worker.running)
    assert told[1:] == [("read", 3), ("ended", False)]


def test_a_failure_ends_it(worker, told, qtbot):
    levels = Levels(ValueError("no luck"))
    levels.gate.set()
    worker.start(levels, lambda: False)
    qtbot.waitUntil(lambda: len(told) > 1 and told[-1][0] == "failed")
    assert told[-2] == ("ended", False) and "no luck" in told[-1][1]
