"""A widget with a view that wheel, drag, pinch, keys and commands move, and a line that may split it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import (
    QEnterEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QMoveEvent,
    QNativeGestureEvent,
    QResizeEvent,
    QTouchEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from viewer.model.view.view_state import ViewState
from viewer.ui.canvas.hand import Hand
from viewer.ui.canvas.moving_view import MovingView

KEY_STEP = 2.0**0.5
"""Two presses of a zoom key are a factor of two."""


class ViewWidget(QWidget):
    """Knows nothing of what is seen: who extends it paints that, and asks for it in _view_moved.

    line_shown: whether a line splits the view.
    """

    view_changed = Signal()
    cursor_moved = Signal(float, float)
    """In source coordinates, as clicked."""
    cursor_left = Signal()
    began_anew = Signal()
    """With another picture, from where such pictures are seen at first."""
    view_left = Signal(object)
    """The ViewState that a command is about to lead away from, to another place."""
    stepped = Signal(int)
    """Back (-1) or forward (1) is asked for by the mouse's own buttons."""
    clicked = Signal(float, float)
    """The left button, pressed and let go in the same place."""

    def __init__(
        self, parent: QWidget | None, line_shown: Callable[[], bool], clock: Callable[[], float]
    ) -> None:
        super().__init__(parent)
        self._moving = MovingView(self, clock)
        self._moving.moved.connect(self._view_moved)
        self._moving.anew.connect(self.began_anew)
        self._moving.left.connect(self.view_left)
        self._hand = Hand(self, self._moving, line_shown, clock)
        self._hand.cursor_moved.connect(self.cursor_moved)
        self._hand.cursor_left.connect(self.cursor_left)
        self._hand.clicked.connect(self.clicked)
        self._hand.stepped.connect(self.stepped)
        self._hand.line_moved.connect(self.update)
        self._hand.box_changed.connect(self.update)

        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_AcceptTouchEvents)

    @property
    def view(self) -> ViewState:
        return self._moving.view

    @property
    def target_view(self) -> ViewState:
        return self._moving.target

    @property
    def has_picture(self) -> bool:
        """Whether a picture is shown, or a first look at one."""
        return self._moving.opened

    @property
    def pane_width(self) -> float:
        """Logical pixels in which all of the view is: those of the widget, or of each of its two panes."""
        return self._moving.grid.size[0] / self._moving.grid.ratio

    def _view_moved(self) -> None:
        """The view is another. To be extended by who has to ask for what is seen there."""
        self._show_view()

    def _show_view(self) -> None:
        self.update()
        self.view_changed.emit()
        self._hand.point_again()

    # ---- commands -----------------------------------------------------------------------------

    def zoom_in(self) -> None:
        self._moving.glide_to(self.target_view.zoom_at(KEY_STEP, self.view.centre))

    def zoom_out(self) -> None:
        self._moving.glide_to(self.target_view.zoom_at(1 / KEY_STEP, self.view.centre))

    def zoom_to(self, scale: float) -> None:
        """Go to a scale (device pixels per source pixel) about the middle of the canvas."""
        self._moving.leave_for(self.target_view.at_scale(scale))

    def fit(self) -> None:
        self._moving.leave_for(self.target_view.fit())

    def fill(self) -> None:
        self._moving.leave_for(self.target_view.fill())

    def pan(self, dx: float, dy: float) -> None:
        """Move the picture by logical pixels."""
        ratio = self._moving.grid.ratio
        self._moving.glide_to(self.target_view.pan_by(round(dx * ratio), round(dy * ratio)))

    def set_view(self, view: ViewState) -> None:
        """Go to a view at once (its canvas size is made to match)."""
        self._moving.set_view(view)

    def go_to(self, view: ViewState) -> None:
        """Go to a view, as a command does (its canvas size is made to match)."""
        self._moving.glide_to(view.resized(self._moving.grid.size))

    def leave_view(self) -> None:
        """Say that somebody is about to go to another place by `set_view`."""
        self.view_left.emit(self.target_view)

    def lose_cursor(self) -> None:
        """It is over something that lies on the canvas, which to Qt is still within it."""
        self._hand.leave()

    def drop_box(self) -> bool:
        """Let go of the rectangle that is being dragged. Whether there was one."""
        return self._hand.drop_box()

    def advance(self) -> None:
        """One step of a running glide, by the clock."""
        self._moving.advance()

    def set_touchpad_pans(self, pans: bool) -> None:
        """Whether two fingers on a touchpad pan (Ctrl: zoom) or the other way round."""
        self._hand.touchpad_pans = pans

    def set_glide(self, seconds: float) -> None:
        """Duration of the glide of discrete commands; 0 switches it off."""
        self._moving.glide_seconds = max(0.0, seconds)

    # ---- the line that splits the view --------------------------------------------------------

    @property
    def line_share(self) -> float:
        """How much of the canvas's width lies left of the line."""
        return self._hand.line.share

    def recentre_line(self) -> None:
        """Where a view is split from now on, the line is in its middle."""
        self._hand.recentre_line()

    def move_line(self, step: float) -> None:
        """Move the line to the right by so much of the canvas's width; negative: to the left."""
        self._hand.move_line(step)

    # ---- Qt events ----------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._moving.sync()

    def moveEvent(self, event: QMoveEvent) -> None:
        super().moveEvent(event)
        self._moving.sync()

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.accept()
        self._hand.turn(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._hand.press(event):
            event.accept()
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hand.move(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._hand.release(event):
            event.accept()
        else:
            super().mouseReleaseEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._hand.double_click(event):
            event.accept()
        else:
            super().mouseDoubleClickEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self._hand.drop_box():
            return  # with Shift still down it is no shortcut
        if event.key() == Qt.Key.Key_Shift:
            self._hand.choose(True)
        super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Shift:
            self._hand.choose(False)
        super().keyReleaseEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._hand.drop_box()  # the button may be let go elsewhere
        self._hand.choose(False)
        super().focusOutEvent(event)

    def enterEvent(self, event: QEnterEvent) -> None:
        self._hand.enter(event.position())  # also from a menu or a dialog that lay over it
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._hand.leave()
        super().leaveEvent(event)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QNativeGestureEvent):
            return self._hand.gesture(event)
        if isinstance(event, QTouchEvent):
            return self._hand.touch(event)
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._moving.sync()
        return super().event(event)
