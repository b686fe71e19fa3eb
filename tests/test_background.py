"""The thread that serves the newest of what it is asked for."""

from __future__ import annotations

import threading

from PySide6.QtCore import Signal

from viewer.ui.workers.background import SlotWorker


class Halving(SlotWorker[int]):
    """Halves even numbers, once the gate is open."""

    answered = Signal(int)
    failed = Signal(str)

    def __init__(self):
        super().__init__("halving")
        self.begun, self.gate = threading.Event(), threading.Event()

    def _serve(self, request: int) -> None:
        self.begun.set()
        self.gate.wait(60)
        if request % 2:
            raise ValueError(f"{request} is odd")
        self._emit(self.answered, request // 2)

    def _fail(self, error: Exception) -> None:
        self._emit(self.failed, str(error))


def test_what_waits_gives_way_to_what_is_newer_and_a_failure_ends_nothing(qtbot):
    worker, told = Halving(), []
    worker.answered.connect(told.append)
    worker.failed.connect(told.append)
    worker.request(7)
    assert worker.begun.wait(60) and not worker.idle
    for number in (10, 12, 14):
        worker.request(number)
    worker.gate.set()
    qtbot.waitUntil(lambda: len(told) == 2 and worker.idle)
    assert told == ["7 is odd", 7]
    assert worker.close(60)


def test_nothing_is_told_after_the_end(qtbot):
    worker, told = Halving(), []
    worker.answered.connect(told.append)
    worker.request(8)
    assert worker.begun.wait(60)
    worker.end()
    worker.gate.set()
    assert worker.close(60)
    worker.request(6)
    qtbot.wait(50)
    assert not told and worker.idle
