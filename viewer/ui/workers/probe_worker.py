"""Looks up what is under the cursor, beside the GUI thread."""

from __future__ import annotations

import logging

from PySide6.QtCore import QObject, Signal

from viewer.model.frames.scene import Scene
from viewer.model.probe import probe
from viewer.ui.workers.background import SlotWorker

log = logging.getLogger(__name__)

Question = tuple[Scene, float, tuple[float, float]]
"""The scene, the view's scale, the source point."""


class ProbeWorker(SlotWorker[Question]):
    """Answers the newest question; the ones in between are never looked at."""

    answered = Signal(object)
    """A Probe."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__("probe", parent, priority=None)

    def _serve(self, request: Question) -> None:
        self._emit(self.answered, probe(*request))

    def _fail(self, error: Exception) -> None:
        # A readout is not worth a dialog for every movement of the mouse.
        log.error("the values under the cursor could not be computed", exc_info=error)
