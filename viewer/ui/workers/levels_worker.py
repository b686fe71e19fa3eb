"""Reads the coarse levels of a large picture from its file on a thread, while it is looked at."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from gaussian_core.errors import Cancelled
from gaussian_core.parallel import BUILDING, lower_priority
from viewer.model.documents.overview import overview_of
from viewer.model.frames.frame import Frame
from viewer.model.frames.scene import Scene
from viewer.ui.workers.background import Worker

if TYPE_CHECKING:
    from gaussian_core.pyramid.lazy_levels import LazyLevels

log = logging.getLogger(__name__)

REPORT_SECONDS = 0.3
"""What was read is reported at most this often: each report may cost a frame."""
YIELD_SECONDS = 0.02


class LevelsWorker(Worker):
    """One picture's levels at a time."""

    read = Signal(object)
    """More of them is there: a Frame of the whole as far as it is read."""
    progress = Signal(int, int)
    """Blocks read, blocks in all."""
    ended = Signal()
    """All is read, or as much as there will be."""
    failed = Signal(str)
    _told = Signal(object, int, int, object)
    _finished = Signal(object, object)
    _given_up = Signal(object, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__("levels", parent)
        self._stopped: threading.Event | None = None
        self._reported = 0.0
        # What a thread tells may be under way while it is stopped.
        self._told.connect(self._take)
        self._finished.connect(self._finish)
        self._given_up.connect(self._give_up)

    # ---- GUI thread ---------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        return self._stopped is not None

    def start(self, levels: LazyLevels, yields: Callable[[], bool]) -> None:
        """Read them, unless something is being read. yields: asked on the thread that reads; while it is true nothing
        is read: others need the processor."""
        if self._stopped is None:
            self._stopped = threading.Event()
            self._run(self._read, levels, yields, self._stopped)

    def stop(self) -> None:
        """Stop after the block that is being read. What is read stays."""
        if self._stopped is not None:
            self._stopped.set()
            self._stopped = None
            self.ended.emit()

    def close(self, timeout: float = 0.4) -> bool:
        self.stop()
        return super().close(timeout)

    def _take(self, by: threading.Event, done: int, total: int, small: Frame | None) -> None:
        if by is self._stopped:
            self.read.emit(small)
            self.progress.emit(done, total)

    def _finish(self, by: threading.Event, small: Frame | None) -> None:
        if by is self._stopped:
            self.read.emit(small)
            self.stop()

    def _give_up(self, by: threading.Event, message: str) -> None:
        if by is self._stopped:
            self.stop()
            self.failed.emit(message)

    # ---- its thread ---------------------------------------------------------------------------

    def _read(
        self, levels: LazyLevels, yields: Callable[[], bool], stopped: threading.Event
    ) -> None:
        lower_priority(BUILDING)

        def rest() -> None:
            while yields() and not stopped.wait(YIELD_SECONDS):
                pass

        def report(done: int, total: int) -> None:
            now = time.monotonic()
            if now - self._reported >= REPORT_SECONDS and not stopped.is_set():
                self._reported = now
                self._emit(self._told, stopped, done, total, _overview(levels))

        try:
            levels.fill(stopped.is_set, report, rest)
        except Cancelled:
            return
        except Exception as error:  # the window goes on with what is read, and says so
            log.exception("reading the levels of a picture failed")
            self._emit(self._given_up, stopped, f"The picture could not be read: {error}")
        else:
            self._emit(self._finished, stopped, _overview(levels))


def _overview(levels: LazyLevels) -> Frame | None:
    return overview_of(Scene(levels.extent, pyramid=levels.as_far_as_read()))
