"""Paints numbers into the source's pixels, where these are large enough to hold them."""

from __future__ import annotations

import math
from functools import lru_cache

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter

from viewer.model.pixel_values import PixelValues, pixels_in_view
from viewer.model.view.view_state import ViewState
from viewer.ui.canvas.canvas_geometry import device_font

INK, RIM = QColor(255, 255, 255), QColor(0, 0, 0, 90)
"""White with a dark rim: to be read on any picture."""
LETTERS = 0.85
"""Of the height of a line of the window's font."""
FRAME = 3.0
"""Logical pixels between the numbers and the edges of their pixel."""


def values_from(font: QFont, channels: int, ratio: float) -> float:
    """Device pixels a source pixel from which the numbers of so many channels, one below another, have room in it.

    font: for logical pixels, of which one has `ratio` device pixels.
    """
    metrics = QFontMetricsF(device_font(font, LETTERS, ratio))
    needed = max(metrics.horizontalAdvance("255"), channels * math.ceil(metrics.height()))
    return needed + 2 * FRAME * ratio


def paint_values(
    painter: QPainter, view: ViewState, known: PixelValues, font: QFont, ratio: float
) -> None:
    """The numbers of every pixel in view, or as much of one as holds them; the painter's unit is the device pixel.

    They stand in the middle of their pixel, or as near to it as they are in view whole. font, ratio: see values_from.
    """
    channels = known.values.shape[2]
    if view.scale < values_from(font, channels, ratio):
        return
    scaled = device_font(font, LETTERS, ratio)
    key = scaled.key()
    line = math.ceil(QFontMetricsF(scaled).height())
    x0, y0, x1, y1 = pixels_in_view(view)
    left, top, right, bottom = known.rect
    columns = [(x, _visible(view, x, 0)) for x in range(max(x0, left), min(x1, right))]
    rows = [(y, _visible(view, y, 1)) for y in range(max(y0, top), min(y1, bottom))]
    for y, down in rows:
        v = _place(down, channels * line)
        if v is None:
            continue
        for x, across in columns:
            for channel, value in enumerate(known.values[y - top, x - left].tolist()):
                number = _number(key, value)
                u = _place(across, number.width())
                if u is not None:
                    painter.drawImage(u, v + channel * line, number)


Span = tuple[int, int, float]
"""The first device pixel of a source pixel that is in view and the one after the last, along an axis; its middle."""


def _visible(view: ViewState, index: int, axis: int) -> Span:
    first = (index - view.origin[axis]) * view.scale
    last = first + view.scale
    return max(round(first), 0), min(round(last), view.size[axis]), (first + last) / 2


def _place(span: Span, length: int) -> int | None:
    """Where something of a length begins in a span; None where it has no room."""
    first, last, middle = span
    if last - first < length:
        return None
    return min(max(round(middle - length / 2), first), last - length)


@lru_cache(1024)
def _number(key: str, value: int) -> QImage:
    """The image of a number in a font, which its key describes: drawn once, laid down thousands of times a frame."""
    font = QFont()
    font.fromString(key)
    metrics = QFontMetricsF(font)
    rim = max(1, round(font.pixelSize() / 12))
    text = str(value)
    width = math.ceil(metrics.horizontalAdvance(text)) + 2 * rim
    height = math.ceil(metrics.height())
    image = QImage(width, height, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setFont(font)
    baseline = math.ceil(metrics.ascent())
    painter.setPen(RIM)
    for dx in (-rim, 0, rim):
        for dy in (-rim, 0, rim):
            painter.drawText(rim + dx, baseline + dy, text)
    painter.setPen(INK)
    painter.drawText(rim, baseline, text)
    painter.end()
    return image
