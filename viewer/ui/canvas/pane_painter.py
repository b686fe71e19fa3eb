"""Paints what two panes have that show the same view: what parts them, and in each the mouse that is in the other."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter, QPen

from viewer.ui.canvas.canvas_geometry import DeviceGrid
from viewer.ui.canvas.split_painter import LINE, RIM

DARK = QColor(0, 0, 0, 170)
ARM, HOLE = 9.0, 3.0
"""Logical pixels from the middle of the cross to the ends of its arms, and to where they begin: what it points at is
to be seen."""
WIDE = 3.0
"""Logical pixels across an arm and its rim."""


def paint_parting(painter: QPainter, grid: DeviceGrid) -> None:
    """A line between the panes of a canvas; the painter's unit is the device pixel."""
    first, end = grid.size[0], grid.step
    thick = max(1, round(grid.ratio))
    painter.fillRect(first, 0, end - first, grid.size[1], QColor(RIM.rgb()))
    painter.fillRect((first + end - thick) // 2, 0, thick, grid.size[1], LINE)


def paint_cross(painter: QPainter, grid: DeviceGrid, cursor: QPointF) -> None:
    """In the pane that the cursor (logical pixels) is not in, at the same place of the view."""
    u, v = grid.pixel_centre(cursor)
    other = 1 - grid.pane_at(cursor)
    painter.save()
    painter.translate(u + grid.panes[other], v)
    for colour, width in ((DARK, WIDE), (LINE, 1.0)):
        painter.setPen(QPen(colour, width * grid.ratio))
        rim = (width - 1.0) / 2 * grid.ratio
        near, far = HOLE * grid.ratio - rim, ARM * grid.ratio + rim
        for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            painter.drawLine(QPointF(x * near, y * near), QPointF(x * far, y * far))
    painter.restore()


def cross_rect(grid: DeviceGrid, cursor: QPointF) -> QRectF:
    """What `paint_cross` paints on, in logical pixels of the canvas."""
    reach = ARM + WIDE + 1
    step = grid.step / grid.ratio * (1 - 2 * grid.pane_at(cursor))
    return QRectF(cursor.x() + step - reach, cursor.y() - reach, 2 * reach, 2 * reach)
