"""The whole picture, small, in a corner of the canvas, with a frame around what is in view; drag it to go elsewhere."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QEnterEvent, QMouseEvent, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QWidget

from viewer.ui.canvas.canvas import Canvas
from viewer.ui.canvas.hand import STEPS

MOST = QSize(190, 150)
SHARE = 0.4
"""Of the canvas's sides at most: in a small window it leaves the picture to be seen."""
LEAST = 12
"""Logical pixels of a side, so that there is something to see of a picture that is a mere strip."""
MARGIN = 12
RIM = 2
FRAME, SHADE = QColor(255, 255, 255), QColor(0, 0, 0, 110)
BORDER = QColor(0, 0, 0, 160)


class Minimap(QWidget):
    """Shown while it is wanted and not all of the picture is in view."""

    def __init__(self, canvas: Canvas) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._wanted = False
        self._small: QPixmap | None = None
        self._of: tuple[object, ...] = ()  # what the small picture was made of
        self.setAccessibleName("Overview")
        self.setToolTip("The whole picture; drag to go elsewhere")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hide()
        canvas.view_changed.connect(self.refresh)
        canvas.frame_shown.connect(lambda _: self.refresh())

    def set_wanted(self, wanted: bool) -> None:
        self._wanted = wanted
        self.refresh()

    def refresh(self) -> None:
        """The view or the picture has changed."""
        canvas = self._canvas
        overview = canvas.overview
        x0, y0, x1, y1 = canvas.view.source_rect
        height, width = canvas.view.extent
        whole = x0 <= 0 and y0 <= 0 and x1 >= width and y1 >= height
        if not self._wanted or not canvas.has_picture or overview is None or whole:
            self.hide()
            return
        most = MOST.boundedTo(canvas.size() * SHARE)
        side = QSize(width, height).scaled(most, Qt.AspectRatioMode.KeepAspectRatio)
        side = side.expandedTo(QSize(LEAST, LEAST)) + QSize(2 * RIM, 2 * RIM)
        self.setGeometry(
            canvas.width() - side.width() - MARGIN,
            canvas.height() - side.height() - MARGIN,
            side.width(),
            side.height(),
        )
        self.show()
        self.update()

    def _inner(self) -> QRectF:
        return QRectF(self.rect()).adjusted(RIM, RIM, -RIM, -RIM)

    def _picture(self) -> QPixmap:
        overview, ratio = self._canvas.overview, self.devicePixelRatioF()
        assert overview is not None
        made_of = (overview, self.size(), ratio)
        if self._small is None or self._of != made_of:
            size = (self._inner().size() * ratio).toSize().expandedTo(QSize(1, 1))
            image = overview.image.scaled(
                size,
                Qt.AspectRatioMode.IgnoreAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
            self._small, self._of = QPixmap.fromImage(image), made_of
        return self._small

    def in_view(self) -> QRectF:
        """What is in view, on this widget."""
        height, width = self._canvas.view.extent
        inner = self._inner()
        x0, y0, x1, y1 = self._canvas.view.source_rect
        sx, sy = inner.width() / width, inner.height() / height
        seen = QRectF(inner.x() + x0 * sx, inner.y() + y0 * sy, (x1 - x0) * sx, (y1 - y0) * sy)
        return seen.intersected(inner)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._canvas.overview is None:
            return
        painter = QPainter(self)
        painter.fillRect(self.rect(), BORDER)
        inner = self._inner()
        picture = self._picture()
        painter.drawPixmap(inner, picture, QRectF(picture.rect()))
        seen = self.in_view()
        # A view of some pixels only is marked by a frame that can be seen.
        grow_x, grow_y = (max(0.0, 6.0 - side) / 2 for side in (seen.width(), seen.height()))
        seen.adjust(-grow_x, -grow_y, grow_x, grow_y)
        for part in (
            QRectF(inner.left(), inner.top(), inner.width(), seen.top() - inner.top()),
            QRectF(inner.left(), seen.bottom(), inner.width(), inner.bottom() - seen.bottom()),
            QRectF(inner.left(), seen.top(), seen.left() - inner.left(), seen.height()),
            QRectF(seen.right(), seen.top(), inner.right() - seen.right(), seen.height()),
        ):
            if part.width() > 0 and part.height() > 0:
                painter.fillRect(part, SHADE)
        painter.setPen(FRAME)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(seen)
        painter.end()

    def enterEvent(self, event: QEnterEvent) -> None:
        self._canvas.lose_cursor()
        super().enterEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() in STEPS:
            event.ignore()  # the canvas behind knows what they are for
            return
        if event.button() == Qt.MouseButton.LeftButton:
            self._canvas.leave_view()
        self._go(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._go(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        event.accept()  # the canvas behind is not dragged

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        event.setAccepted(event.button() not in STEPS)

    def _go(self, event: QMouseEvent) -> None:
        event.accept()
        if (
            event.button() == Qt.MouseButton.LeftButton
            or event.buttons() & Qt.MouseButton.LeftButton
        ):
            height, width = self._canvas.view.extent
            inner, at = self._inner(), event.position()
            x = min(max((at.x() - inner.x()) / inner.width(), 0.0), 1.0) * width
            y = min(max((at.y() - inner.y()) / inner.height(), 0.0), 1.0) * height
            view = self._canvas.view
            there = view.centred_on(x, y)
            self._canvas.set_view(there.aligned() if view.is_aligned else there)
