"""Paints the line that splits the view, its handle, and what is on each side of it."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from viewer.ui.canvas.canvas_geometry import device_font

LINE, RIM = QColor(255, 255, 255), QColor(0, 0, 0, 150)
"""White with a dark rim: to be seen on any picture, in both themes."""
PLATE = QColor(20, 20, 22, 200)
HANDLE = 11.0
"""Radius of the handle in logical pixels, and, of what follows, distances."""
GAP = 10.0
PADDING = 7.0


def paint_split(
    painter: QPainter,
    size: tuple[int, int],
    column: int,
    names: tuple[str, str],
    font: QFont,
    ratio: float,
) -> None:
    """Over what is composed; the painter's unit is the device pixel. size: of the canvas. column: the first pixel right
    of the line. names: of the two sides. font: for logical pixels, of which one has `ratio` device pixels."""
    width, height = size
    painter.save()
    thick = max(1, round(ratio))
    left = column - thick // 2 - thick % 2
    painter.fillRect(left - thick, 0, 3 * thick, height, RIM)
    painter.fillRect(left, 0, thick, height, LINE)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    _paint_handle(painter, QPointF(left + thick / 2, height / 2), ratio)
    for name, right_side in zip(names, (False, True), strict=True):
        room = (width - column if right_side else column) - 2 * GAP * ratio
        edge = column + GAP * ratio if right_side else column - GAP * ratio
        _paint_plate(painter, name, edge, 0.0 if right_side else 1.0, room, font, ratio)
    painter.restore()


def paint_name(painter: QPainter, width: int, name: str, font: QFont, ratio: float) -> None:
    """Of all of a view that is `width` wide, where those of the sides of a line are. See paint_split."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    _paint_plate(painter, name, width / 2, 0.5, width - 2 * GAP * ratio, font, ratio)
    painter.restore()


def _paint_plate(
    painter: QPainter, name: str, at: float, share: float, room: float, font: QFont, ratio: float
) -> None:
    """share: of the plate that lies left of `at`. room: how wide it may be; too little of it, and there is none."""
    scaled = device_font(font, 0.8, ratio)
    painter.setFont(scaled)
    metrics = QFontMetricsF(scaled)
    room -= 2 * PADDING * ratio
    # Its end tells as much as its begin: an ending of a file, by how much two methods differ.
    text = metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, room)
    if room < metrics.averageCharWidth() * 4 or not text:
        return
    across = metrics.horizontalAdvance(text) + 2 * PADDING * ratio
    plate = QRectF(at - share * across, GAP * ratio, across, metrics.height() + PADDING * ratio)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(PLATE)
    painter.drawRoundedRect(plate, 4 * ratio, 4 * ratio)
    painter.setPen(LINE)
    painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, text)


def _paint_handle(painter: QPainter, middle: QPointF, ratio: float) -> None:
    """A disc with an arrow to each side."""
    painter.setPen(QPen(LINE, 1.5 * ratio))
    painter.setBrush(PLATE)
    painter.drawEllipse(middle, HANDLE * ratio, HANDLE * ratio)
    for side in (-1, 1):
        tip = middle + QPointF(side * 6.5 * ratio, 0)
        back = QPointF(-side * 3.0 * ratio, 3.0 * ratio)
        painter.drawPolyline([tip + back, tip, tip + QPointF(back.x(), -back.y())])
