"""The tool bar's icons, drawn in the palette's colours so that both themes have them sharp at any pixel ratio."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QIconEngine, QPainter, QPainterPath, QPen, QPixmap

from viewer.ui.theme import Colours

Draw = Callable[[QPainter], None]
GRID = 20.0
"""Icons are drawn on a square of this side."""


class _Engine(QIconEngine):
    """Draws itself at whatever size is asked for."""

    def __init__(self, draw: Draw, colours: Colours) -> None:
        super().__init__()
        self._draw = draw
        self._colours = colours

    def paint(self, painter: QPainter, rect: object, mode: QIcon.Mode, state: QIcon.State) -> None:
        box = QRectF(rect)  # type: ignore[call-overload]
        colour = QColor(self._colours.text)
        if mode == QIcon.Mode.Disabled:
            colour = QColor(self._colours.soft)
            colour.setAlpha(140)
        elif state == QIcon.State.On:
            colour = QColor(self._colours.on_accent)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(box.topLeft())
        painter.scale(box.width() / GRID, box.height() / GRID)
        pen = QPen(colour, 1.5)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        self._draw(painter)
        painter.restore()

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, pixmap.rect(), mode, state)
        painter.end()
        return pixmap

    def clone(self) -> QIconEngine:
        return _Engine(self._draw, self._colours)


def _open(p: QPainter) -> None:
    path = QPainterPath(QPointF(2.5, 16))
    for x, y in ((2.5, 4.5), (7.5, 4.5), (9.5, 6.5), (16, 6.5), (16, 9)):
        path.lineTo(x, y)
    p.drawPath(path)
    flap = QPainterPath(QPointF(2.5, 16))
    for x, y in ((5.5, 9), (18, 9), (15.5, 16), (2.5, 16)):
        flap.lineTo(x, y)
    p.drawPath(flap)


def _glass(p: QPainter) -> None:
    p.drawEllipse(QPointF(8.5, 8.5), 5.8, 5.8)
    p.drawLine(QPointF(12.8, 12.8), QPointF(17.2, 17.2))


def _zoom_in(p: QPainter) -> None:
    _glass(p)
    p.drawLine(QPointF(8.5, 6), QPointF(8.5, 11))
    p.drawLine(QPointF(6, 8.5), QPointF(11, 8.5))


def _zoom_out(p: QPainter) -> None:
    _glass(p)
    p.drawLine(QPointF(6, 8.5), QPointF(11, 8.5))


def _fit(p: QPainter) -> None:
    p.drawRect(QRectF(6.5, 7, 7, 6))
    for x, dx in ((2.5, 3.0), (17.5, -3.0)):
        for y, dy in ((3.5, 3.0), (16.5, -3.0)):
            p.drawLine(QPointF(x, y), QPointF(x + dx, y))
            p.drawLine(QPointF(x, y), QPointF(x, y + dy))


def _one(p: QPainter) -> None:
    for x in (5.5, 15.5):
        p.drawLine(QPointF(x, 4.5), QPointF(x, 15.5))
        p.drawLine(QPointF(x, 4.5), QPointF(x - 2, 6))
    for y in (8, 12.5):
        p.drawPoint(QPointF(10, y))


def _split(p: QPainter) -> None:
    p.drawRect(QRectF(2.5, 4.5, 15, 11))
    p.drawLine(QPointF(10, 2), QPointF(10, 18))
    for y in (7.5, 10, 12.5):
        p.drawLine(QPointF(12.5, y), QPointF(15, y))


def _centres(p: QPainter) -> None:
    p.setBrush(p.pen().color())
    p.setPen(Qt.PenStyle.NoPen)
    for x, y in ((5, 5), (13, 4), (9, 10), (16, 11), (4, 14.5), (12, 16)):
        p.drawEllipse(QPointF(x, y), 1.7, 1.7)


def _ellipses(p: QPainter) -> None:
    p.save()
    p.translate(8, 11.5)
    p.rotate(-40)
    p.drawEllipse(QPointF(0, 0), 7.5, 3.8)
    p.restore()
    p.drawEllipse(QPointF(14.5, 5), 3, 3)


def _drifts(p: QPainter) -> None:
    for x, y, dx, dy in ((3, 7, 4.5, -3), (10, 8, 5.5, 3), (5, 17, 5, -3)):
        p.drawLine(QPointF(x, y), QPointF(x + dx, y + dy))
        p.setBrush(p.pen().color())
        p.drawEllipse(QPointF(x + dx, y + dy), 1.4, 1.4)


def _colour(p: QPainter) -> None:
    drop = QPainterPath(QPointF(10, 2.5))
    drop.cubicTo(QPointF(14, 7.5), QPointF(15.5, 9.5), QPointF(15.5, 12))
    drop.cubicTo(QPointF(15.5, 19.2), QPointF(4.5, 19.2), QPointF(4.5, 12))
    drop.cubicTo(QPointF(4.5, 9.5), QPointF(6, 7.5), QPointF(10, 2.5))
    p.drawPath(drop)


def _help(p: QPainter) -> None:
    p.drawEllipse(QPointF(10, 10), 7.3, 7.3)
    path = QPainterPath(QPointF(7.8, 8.2))
    path.cubicTo(QPointF(7.8, 5), QPointF(12.4, 5), QPointF(12.4, 8))
    path.cubicTo(QPointF(12.4, 9.8), QPointF(10, 9.8), QPointF(10, 11.6))
    p.drawPath(path)
    p.drawPoint(QPointF(10, 14))


def _more(p: QPainter) -> None:
    for x in (4.0, 10.0):
        p.drawPolyline([QPointF(x, 5), QPointF(x + 5, 10), QPointF(x, 15)])


MORE = "more"
"""What does not fit on the tool bar."""

_DRAWINGS: dict[str, Draw] = {
    "file.open": _open,
    "zoom.in": _zoom_in,
    "zoom.out": _zoom_out,
    "zoom.fit": _fit,
    "zoom.to_100": _one,
    "field.split": _split,
    "overlay.centres": _centres,
    "overlay.ellipses": _ellipses,
    "overlay.drifts": _drifts,
    "overlay.choose_colour": _colour,
    "help.shortcuts": _help,
}

NAMES = tuple(_DRAWINGS)
_DRAWINGS[MORE] = _more


def icon(name: str, colours: Colours) -> QIcon:
    """The icon of an action, or MORE. Raises KeyError for one that has none."""
    return QIcon(_Engine(_DRAWINGS[name], colours))
