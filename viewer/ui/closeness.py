"""How near one side of a split view comes to the other, once both are there: for an original and what is made of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal

from viewer.model.view.view_state import ViewState
from viewer.ui.canvas.canvas import Canvas
from viewer.ui.workers.background import Worker

REST_MS = 150
"""After the last frame: nobody reads a figure while the view moves."""


class Closeness(Worker):
    """Measures on a thread of its own, while it watches."""

    measured = Signal(object)
    """PSNR of the luminance in dB over what is in view (see measured_part); None as soon as the view is another one."""
    _found = Signal(int, object, float)

    def __init__(self, canvas: Canvas, parent: QObject | None = None) -> None:
        super().__init__("closeness", parent)
        self._canvas = canvas
        self._told: ViewState | None = None
        self._watching = False
        self._watched = 0  # how often it was begun: what is measured may be of other sides by the time it is told
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(REST_MS)
        self._timer.timeout.connect(self._look)
        self._found.connect(self._tell)
        canvas.frame_shown.connect(self._changed)
        canvas.beside_shown.connect(self._changed)
        canvas.view_changed.connect(self._changed)

    def watch(self) -> None:
        if not self._watching:
            self._watching = True
            self._watched += 1
        self._timer.start()

    def stop(self) -> None:
        self._watching = False
        self._told = None
        self._timer.stop()

    def _changed(self, *_: object) -> None:
        if not self._watching:
            return
        if self._told is not None and self._told != self._canvas.view:
            self._told = None
            self.measured.emit(None)
        self._timer.start()

    def _look(self) -> None:
        frames = self._canvas.both_frames()
        if frames is not None:
            self._run(self._measure, self._watched, self._canvas.view, *frames)
        elif not self._canvas.is_idle():
            self._timer.start()

    def _tell(self, watched: int, view: ViewState, decibels: float) -> None:
        if self._watching and watched == self._watched and view == self._canvas.view:
            self._told = view
            self.measured.emit(decibels)

    # ---- its thread ---------------------------------------------------------------------------

    def _measure(
        self, watched: int, view: ViewState, a: NDArray[np.uint8], b: NDArray[np.uint8]
    ) -> None:
        from viewer.model.documents.original import measured_part, psnr_of_frames

        part = measured_part(view)
        self._emit(self._found, watched, view, psnr_of_frames(a[part], b[part]))
