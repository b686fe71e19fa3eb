"""Paints the grid of the source's pixels over the picture, where these are large enough to be told apart."""

from __future__ import annotations

import math

from PySide6.QtCore import QRect
from PySide6.QtGui import QBrush, QImage, QPainter, QPixmap

from viewer.model.view.view_state import ViewState

GRID_FROM = 8.0
"""Device pixels a source pixel from which the grid is seen."""
FADE = (6.0, 10.0)
"""Between these it fades in."""
DARK, LIGHT = 0x60000000, 0x60606060  # premultiplied ARGB: black and white, three eighths opaque


def grid_opacity(scale: float) -> float:
    """How much of the grid shows at a scale, 0 to 1."""
    return min(max((scale - FADE[0]) / (FADE[1] - FADE[0]), 0.0), 1.0)


def paint_grid(painter: QPainter, view: ViewState, ratio: float) -> None:
    """Lines between the pixels of the source that are in view; the painter's unit is the device pixel.

    ratio: device pixels per logical pixel, of which a line is one wide.
    """
    opacity = grid_opacity(view.scale)
    left, top, right, bottom = view.picture_rect
    if opacity <= 0 or right <= left or bottom <= top:
        return
    thick = max(1, round(ratio))
    painter.save()
    painter.setOpacity(opacity)
    brush = _dotted(thick)
    x0, y0 = view.to_source(left, top)
    x1, y1 = view.to_source(right, bottom)
    # The dots begin where a line does, or a thick one would be cut out of between them.
    for x in range(math.ceil(x0), math.floor(x1) + 1):
        u = round(view.to_device(x, 0.0)[0]) - thick // 2
        painter.setBrushOrigin(u, 0)
        painter.fillRect(QRect(u, top, thick, bottom - top), brush)
    for y in range(math.ceil(y0), math.floor(y1) + 1):
        v = round(view.to_device(0.0, y)[1]) - thick // 2
        painter.setBrushOrigin(0, v)
        painter.fillRect(QRect(left, v, right - left, thick), brush)
    painter.restore()


def _dotted(size: int) -> QBrush:
    """Dark and light dots in turn, to be seen on any picture."""
    image = QImage(2 * size, 2 * size, QImage.Format.Format_ARGB32_Premultiplied)
    for i in range(2 * size):
        for j in range(2 * size):
            image.setPixel(i, j, DARK if (i // size + j // size) % 2 else LIGHT)
    return QBrush(QPixmap.fromImage(image))
