"""Paints the outline of the part of the view that is being chosen."""

from __future__ import annotations

from PySide6.QtGui import QColor, QPainter

LINE, RIM = QColor(255, 255, 255), QColor(0, 0, 0, 190)
"""White between dark rims: to be seen on any picture, in both themes."""
SHADE = QColor(0, 0, 0, 60)
"""Over what is not framed: among thousands of marks a line alone is lost."""


def paint_box(
    painter: QPainter, size: tuple[int, int], edges: tuple[int, int, int, int], ratio: float
) -> None:
    """Around what lies between (left, top, right, bottom), and within a canvas of (width, height). The painter's unit
    is the device pixel, a logical one has `ratio`. Of whole pixels: no line is smeared over two of them."""
    x, y = max(edges[0], 0), max(edges[1], 0)
    x_end, y_end = min(edges[2], size[0]), min(edges[3], size[1])
    painter.fillRect(0, 0, size[0], y, SHADE)
    painter.fillRect(0, y_end, size[0], size[1] - y_end, SHADE)
    painter.fillRect(0, y, x, y_end - y, SHADE)
    painter.fillRect(x_end, y, size[0] - x_end, y_end - y, SHADE)
    thick = max(1, round(ratio))
    reach = 3 * thick
    left, top = max(edges[0], reach), max(edges[1], reach)
    right, bottom = min(edges[2], size[0] - reach), min(edges[3], size[1] - reach)
    for away, colour in ((1, RIM), (2, LINE), (3, RIM)):
        x, y = left - away * thick, top - away * thick
        width, height = right - left + 2 * away * thick, bottom - top + 2 * away * thick
        painter.fillRect(x, y, width, thick, colour)
        painter.fillRect(x, y + height - thick, width, thick, colour)
        painter.fillRect(x, y + thick, thick, height - 2 * thick, colour)
        painter.fillRect(x + width - thick, y + thick, thick, height - 2 * thick, colour)
