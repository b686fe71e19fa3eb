"""Between Qt's logical coordinates and the physical pixels of the screen."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QPointF
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QTransform
from PySide6.QtWidgets import QWidget


@dataclass(frozen=True)
class DeviceGrid:
    """How a widget lies on the grid of physical pixels.

    ratio: physical pixels per logical one. shift: where the widget's top-left corner lies within
    the physical pixel that holds it; not zero only under fractional ratios. size: the physical
    pixels that the widget touches.
    """

    ratio: float
    shift: tuple[float, float]
    size: tuple[int, int]

    @classmethod
    def of(cls, widget: QWidget) -> DeviceGrid:
        ratio = widget.devicePixelRatioF()
        corner = widget.mapTo(widget.window(), QPoint(0, 0))
        x, y = _fraction(corner.x() * ratio), _fraction(corner.y() * ratio)
        size = (
            max(1, math.ceil(x + widget.width() * ratio - 1e-6)),
            max(1, math.ceil(y + widget.height() * ratio - 1e-6)),
        )
        return cls(ratio, (x, y), size)

    def to_device(self, point: QPointF) -> tuple[float, float]:
        """Continuous device coordinates, from the corner of the widget's first physical pixel."""
        return (
            point.x() * self.ratio + self.shift[0],
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
