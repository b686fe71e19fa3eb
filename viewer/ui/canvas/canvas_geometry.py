"""Between Qt's logical coordinates and the physical pixels of the screen."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QPointF
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QTransform
from PySide6.QtWidgets import QWidget

GAP = 3
"""Logical pixels between two panes, at least: a line and its rims."""


@dataclass(frozen=True)
class DeviceGrid:
    """How a widget lies on the grid of physical pixels.

    ratio: physical pixels per logical one. shift: where the widget's top-left corner lies within
    the physical pixel that holds it; not zero only under fractional ratios. size: the physical
    pixels that the widget touches, or those of each of its two panes. step: columns from the first one of the left
    pane to that of the right one; 0: the widget is one pane.
    """

    ratio: float
    shift: tuple[float, float]
    size: tuple[int, int]
    step: int = 0

    @classmethod
    def of(cls, widget: QWidget, two_panes: bool = False) -> DeviceGrid:
        ratio = widget.devicePixelRatioF()
        corner = widget.mapTo(widget.window(), QPoint(0, 0))
        x, y = _fraction(corner.x() * ratio), _fraction(corner.y() * ratio)
        size = (
            max(1, math.ceil(x + widget.width() * ratio - 1e-6)),
            max(1, math.ceil(y + widget.height() * ratio - 1e-6)),
        )
        if not two_panes:
            return cls(ratio, (x, y), size)
        pane = max(1, (size[0] - GAP * max(1, round(ratio))) // 2)
        return cls(ratio, (x, y), (pane, size[1]), max(1, size[0] - pane))

    @property
    def width(self) -> int:
        """Of the whole widget."""
        return self.size[0] + self.step

    @property
    def panes(self) -> tuple[int, ...]:
        """The first column of each."""
        return (0, self.step) if self.step else (0,)

    def pane_at(self, point: QPointF) -> int:
        """Which pane a point is in, 0 or 1; between them, the nearer one."""
        u = point.x() * self.ratio + self.shift[0]
        return int(self.step > 0 and u >= self.width / 2)

    def in_pane(self, point: QPointF, pane: int) -> QPointF:
        """A point in logical pixels of that pane, whose first column is the left one's."""
        return QPointF(point.x() - pane * self.step / self.ratio, point.y())

    def to_device(self, point: QPointF) -> tuple[float, float]:
        """Continuous device coordinates, from the corner of the first physical pixel of the pane that the point is
        in: both panes show the same view."""
        return (
            point.x() * self.ratio + self.shift[0] - self.pane_at(point) * self.step,
            point.y() * self.ratio + self.shift[1],
        )

    def pixel_centre(self, point: QPointF) -> tuple[float, float]:
        """Continuous device coordinates of the middle of the physical pixel that a point lies in: Qt's whole numbers
        are corners, and what the screen shows at a point is a pixel."""
        x, y = self.to_device(point)
        return math.floor(x + 1e-6) + 0.5, math.floor(y + 1e-6) + 0.5


def paint_in_device_pixels(painter: QPainter) -> None:
    """Make the painter's unit the physical pixel, its origin on a pixel's corner.

    An image drawn at whole coordinates is then copied pixel to pixel, whatever the ratio: Qt would
    otherwise place it at ratio * offset, between pixels under fractional ratios.
    """
    device = painter.deviceTransform()
    inverse, _ = device.inverted()
    corner = QTransform.fromTranslate(
        math.floor(device.dx() + 1e-6), math.floor(device.dy() + 1e-6)
    )
    painter.setTransform(corner * inverse)


def device_font(font: QFont, share: float, ratio: float) -> QFont:
    """A font for physical pixels, of which a logical one has `ratio`: as high as this share of a line of the given one.

    One of a size in points would be scaled by the screen's resolution a second time.
    """
    scaled = QFont(font)
    scaled.setPixelSize(max(1, round(QFontMetricsF(font).height() * share * ratio)))
    return scaled


def _fraction(value: float) -> float:
    part = value - math.floor(value + 1e-6)
    return max(0.0, part)
