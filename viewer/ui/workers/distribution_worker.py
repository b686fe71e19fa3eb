"""Counts how the Gaussians in view are distributed, on a thread of its own."""

from __future__ import annotations

import logging

from PySide6.QtCore import QObject, Signal

from gaussian_core.errors import Cancelled
from viewer.model.frames.scene import Rect, Scene
from viewer.model.overlays.distribution import distribution
from viewer.model.overlays.overlay_options import ValueRange
from viewer.ui.workers.background import Worker

log = logging.getLogger(__name__)

Asked = tuple[Scene, Rect, tuple[ValueRange, ...]]


class DistributionWorker(Worker):
    """One view after another: what was asked for last counts, and stops what is under way."""

    found = Signal(object)
    """The Distribution of the view that was asked for last."""
    _ended = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__("distribution", parent)
        self._wanted: Asked | None = None
        self._running: Asked | None = None
        self._ended.connect(self._go_on)

    @property
    def running(self) -> bool:
        return self._running is not None

    def ask(self, scene: Scene, rect: Rect, only: tuple[ValueRange, ...]) -> None:
        self._wanted = (scene, rect, only)
        if self._running is None:
            self._go_on()

    def drop(self) -> None:
        """What was asked for is not wanted any more."""
        self._wanted = None

    def _go_on(self) -> None:
        done, self._running = self._running, None
        if self._wanted is not None and self._wanted is not done:
            self._running = self._wanted
            self._run(self._count, self._running)

    # ---- its thread ---------------------------------------------------------------------------

    def _count(self, asked: Asked) -> None:
        scene, rect, only = asked

        def stop() -> bool:
            wanted = self._wanted
            # While a range is being drawn to and fro each count that is begun is told.
            return self.closing or wanted is None or wanted[:2] != (scene, rect)

        try:
            found = distribution(scene, rect, stop, only)
        except Cancelled:
            pass
        except Exception:  # the window goes on with what it shows
            log.exception("the Gaussians in view could not be counted")
        else:
            if not stop():
                self._emit(self.found, found)
        self._emit(self._ended)
