"""Paints the mark around a Gaussian that is looked at."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from viewer.model.overlays.inspector import Inspected
from viewer.model.view.view_state import ViewState

LINE, RIM = QColor(255, 255, 255), QColor(0, 0, 0, 170)
LEAST = 6.0
"""Logical pixels of a half-axis, so that the mark is seen where the Gaussian is small."""


def paint_mark(
    painter: QPainter, view: ViewState, found: Inspected, sigma: float, ratio: float
) -> None:
    """An outline at `sigma` standard deviations; the painter's unit is the device pixel, a logical one has `ratio`."""
    u, v = view.to_device(*found.mean)
    across = [max(s * sigma * view.scale, LEAST * ratio) for s in found.sigmas]
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    # Only near the canvas: a Gaussian far out of view is millions of pixels away at the closest zooms.
    if max(abs(u), abs(v)) < 2 * max(view.size) + math.hypot(*across):
        painter.translate(u, v)
        painter.rotate(found.angle)
        for colour, width in ((RIM, 4.0), (LINE, 2.0)):
            painter.setPen(QPen(colour, width * ratio))
            painter.drawEllipse(QPointF(0, 0), *across)
    painter.restore()
