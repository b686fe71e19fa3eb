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
from viewer.model.frame import Frame
from viewer.model.overview import overview_of
from viewer.model.scene import Scene
from viewer.ui.background import Worker

if TYPE_CHECKING:
    from gaussian_core.lazy_levels import LazyLevels

log = logging.getLogger(__name__)

REPORT_SECONDS = 0.3
"""What was read is reported at most this often: each report may cost a frame."""
YIELD_SECONDS = 0.02


class LevelsWorker(Worker):
    """One picture's levels at a time; `start` with others drops the work on the last."""

    read = Signal(object, int, int, object)
    """The levels, of which more is there; blocks read, blocks in all; a Frame of the whole as far as it is read."""
    finished = Signal(object, object)
    """The levels, and a Frame of the whole."""
    failed = Signal(object, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__("levels", parent)
        self._stopped = threading.Event()
        self._reported = 0.0

    def start(self, levels: LazyLevels, yields: Callable[[], bool]) -> None:
        """yields: asked on the thread that reads; while it is true nothing is read: others need the processor."""
        self.stop()
        self._stopped = threading.Event()
        self._run(self._read, levels, yields, self._stopped)

    def stop(self) -> None:
        """Stop after the block that is being read. What is read stays."""
        self._stopped.set()

    def close(self, timeout: float = 0.4) -> bool:
        self.stop()
        return super().close(timeout)

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
                self._emit(self.read, levels, done, total, _overview(levels))

        try:
            levels.fill(stopped.is_set, report, rest)
        except Cancelled:
            return
        except Exception as error:  # the window goes on with what is read, and says so
            log.exception("reading the levels of a picture failed")
            self._emit(self.failed, levels, f"The picture could not be read: {error}")
        else:
            self._emit(self.finished, levels, _overview(levels))


def _overview(levels: LazyLevels) -> Frame | None:
    return overview_of(Scene(levels.extent, pyramid=levels.as_far_as_read()))
