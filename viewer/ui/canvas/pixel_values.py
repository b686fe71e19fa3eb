"""Keeps the values of the source's pixels that are in view at hand for the canvas, read beside the GUI thread."""

from __future__ import annotations

import logging

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QFont, QPainter

from gaussian_core.imaging.picture import Rect
from viewer.model.frames.scene import Scene
from viewer.model.pixel_values import AROUND, PixelValues, pixels_in_view, read_values
from viewer.model.view.view_state import ViewState
from viewer.ui.canvas.value_painter import paint_values, values_from
from viewer.ui.workers.background import SlotWorker

log = logging.getLogger(__name__)


class PixelValuesLayer(SlotWorker[tuple[Scene, Rect]]):
    """Paints the values of a scene's picture once they are read, and says when there are others to be painted."""

    ready = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__("pixel values", parent, priority=None)
        self._known: PixelValues | None = None
        self._asked: tuple[int, Rect] | None = None

    def paint(
        self, painter: QPainter, view: ViewState, scene: Scene, font: QFont, ratio: float
    ) -> None:
        """What is known of the pixels in view; the rest is asked for. See value_painter.paint_values."""
        if scene.picture is None or view.scale < values_from(font, 1, ratio):
            return
        known = self._known
        if known is not None and known.generation == scene.generation:
            paint_values(painter, view, known, font, ratio)
            if known.holds(pixels_in_view(view)):
                return
        asked = scene.generation, pixels_in_view(view, AROUND)
        if asked != self._asked:  # or a file that cannot be read would be tried again and again
            self._asked = asked
            self.request((scene, asked[1]))

    def _serve(self, request: tuple[Scene, Rect]) -> None:
        self._known = read_values(*request)
        self._emit(self.ready)

    def _fail(self, error: Exception) -> None:
        # What cannot be read is said by what draws the picture.
        log.error("the values of the pixels in view could not be read", exc_info=error)
