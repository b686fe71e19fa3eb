"""What mouse, pen, fingers and touchpads do on the canvas: to its view, to the line that splits it, to a rectangle that
is dragged, and by clicks."""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import (
    QGuiApplication,
    QInputDevice,
    QMouseEvent,
    QNativeGestureEvent,
    QTouchEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from viewer.model.view.split_line import REACH, SplitLine
from viewer.model.view.view_state import ViewState
from viewer.model.view.wheel import Pan, Zoom, interpret, pinch_factor
from viewer.model.view.zoom_box import ZoomBox, view_of
from viewer.ui.canvas.canvas_input import Fingers, Wheel
from viewer.ui.canvas.moving_view import MovingView
from viewer.ui.latin_keys import HELD

CLOSER = (1.0, 4.0)
"""Where a double-click leads from fit."""

HOLDING = Qt.MouseButton.LeftButton | Qt.MouseButton.MiddleButton
"""The buttons that take hold of the picture."""

CHOOSING = Qt.KeyboardModifier.ShiftModifier
"""With it a drag chooses what is to be seen."""

STEPS = {Qt.MouseButton.BackButton: -1, Qt.MouseButton.ForwardButton: 1}

FINGER = 16.0
"""Logical pixels from a finger's middle within which it touches something small."""

CLICK_REACH, PEN_REACH = 3.0, 10.0
"""Logical pixels that the mouse, or the tip of a pen, may move between press and release of a click."""


class Hand(QObject):
    """Is given a widget's events, and says of each whether it is done with.

    moving: the widget's view. split: whether a line splits it; where, is in `line`. touchpad_pans: two fingers on a
    touchpad pan (Ctrl: zoom), or the other way round.
    """

    cursor_moved = Signal(float, float)
    """In source coordinates; also where the view moved under a cursor that rests."""
    cursor_left = Signal()
    clicked = Signal(float, float)
    """The left button, pressed and let go in the same place: in source coordinates."""
    line_moved = Signal()
    box_changed = Signal()
    stepped = Signal(int)
    """The buttons beside the thumb: -1 back, 1 forward."""

    def __init__(
        self,
        widget: QWidget,
        moving: MovingView,
        split: Callable[[], bool],
        clock: Callable[[], float],
    ) -> None:
        super().__init__(widget)
        self._widget, self._moving, self._split, self._clock = widget, moving, split, clock
        self.line = SplitLine()
        self.cursor: QPointF | None = None
        self.touchpad_pans = True
        self._line_held = False
        self._box: ZoomBox | None = None
        self._box_pane = 0  # where it was begun: it stays there
        self._choosing = False  # the key is down
        self._drag: QPointF | None = None
        self._pressed: QPointF | None = None  # where, as long as it may be a click
        self._pressed_on = (0.0, 0.0)  # source coordinates
        self._wheel = Wheel()
        self._fingers = Fingers()
        self._tapped: tuple[float, QPointF] | None = None  # when and where last
        self._pan_rest = (0.0, 0.0)  # less than a device pixel
        moving.asked.connect(self._wheel.drop_momentum)
        moving.jumps.connect(self._jumps)

    # ---- the mouse ----------------------------------------------------------------------------

    def press(self, event: QMouseEvent) -> bool:
        if self._box is not None:
            if event.button() == Qt.MouseButton.RightButton:
                self.drop_box()
            return True
        if self._line_held or self._drag is not None:
            # A second button changes nothing of what the first one holds, but both together are no click.
            self._pressed = None
            return True
        if event.button() in STEPS:
            self.stepped.emit(STEPS[event.button()])
            return True
        left = event.button() == Qt.MouseButton.LeftButton
        touched = _is_of(event, QInputDevice.DeviceType.TouchScreen)
        if left and _chooses(event) and self._moving.opened:
            grid = self._moving.grid
            self._box_pane = grid.pane_at(event.position())
            at = grid.in_pane(event.position(), self._box_pane).toTuple()
            self._box = ZoomBox(at, at)
            self._show_cursor(event.position())
            return True
        if left and self._is_at_line(event.position(), FINGER if touched else REACH):
            self._line_held = True
            return True
        if left or event.button() == Qt.MouseButton.MiddleButton:
            self._drag = event.position()
            self._pressed = event.position() if left else None
            self._pressed_on = self._source(self._moving.grid.to_device(event.position()))
            self._widget.setCursor(Qt.CursorShape.ClosedHandCursor)
            return True
        return False

    def move(self, event: QMouseEvent) -> None:
        position = event.position()
        if not event.buttons() & HOLDING:
            self._let_go()  # what a dialog that came up under the button has kept from here
        self._choosing = _chooses(event)
        if self._box is not None:
            grid = self._moving.grid
            at = grid.in_pane(position, self._box_pane).toTuple()
            width = grid.size[0] / grid.ratio if grid.step else self._widget.width()
            self._box = self._box.to(*at, (width, self._widget.height()))
            self.box_changed.emit()
        elif self._line_held:
            self._put_line(self.line.moved_to(position.x(), self._widget.width()))
        elif self._drag is None:
            self._show_cursor(position)
        elif not self._may_be_tap(event):
            # Whole device pixels, the rest kept for the next move: the picture then only shifts,
            # and every pixel of a frame stays valid.
            ratio = self._moving.grid.ratio
            du = round((position.x() - self._drag.x()) * ratio)
            dv = round((position.y() - self._drag.y()) * ratio)
            if du or dv:
                self._drag += QPointF(du / ratio, dv / ratio)
                self._moving.jump_to(self._moving.view.pan_by(du, dv))
        self._point_at(position)

    def release(self, event: QMouseEvent) -> bool:
        if self._box is not None:
            if event.button() == Qt.MouseButton.LeftButton:
                self._see_box(event.position())
            return True
        if self._line_held and event.button() == Qt.MouseButton.LeftButton:
            self._line_held = False
            self._show_cursor(event.position())
            return True
        if self._drag is None or event.buttons() & HOLDING:
            return False
        pressed = self._pressed
        self._let_go()
        if pressed is not None and self._moving.opened:
            self.clicked.emit(*self._pressed_on)
        return True

    def double_click(self, event: QMouseEvent) -> bool:
        """To 100 % at the point, closer where that is not closer than fit; back to fit from there."""
        if event.button() in STEPS or (
            event.button() == Qt.MouseButton.LeftButton and _chooses(event)
        ):
            return self.press(event)  # one step, or one rectangle, soon after another
        if event.button() != Qt.MouseButton.LeftButton:
            return False
        self._let_go()
        self._go_closer(event.position())
        return True

    def enter(self, position: QPointF) -> None:
        self._point_at(position)

    def leave(self) -> None:
        self.cursor = None
        self.cursor_left.emit()

    def point_again(self) -> None:
        """What is under the cursor has changed, though it rests."""
        if self.cursor is not None:
            self._point_at(self.cursor)

    def _may_be_tap(self, event: QMouseEvent) -> bool:
        """Whether this is a pen that was put down and not moved: its tip never rests, and the picture is not to tremble
        under it. Of a mouse as of a pen, what moves far enough is no click any more."""
        if self._pressed is None:
            return False
        pen = _is_of(event, QInputDevice.DeviceType.Stylus)
        if _apart(self._pressed, event.position()) > (PEN_REACH if pen else CLICK_REACH):
            self._pressed = None
            if pen:
                self._drag = event.position()
        return pen and self._pressed is not None

    def _go_closer(self, position: QPointF) -> None:
        if self._is_at_line(position):
            self.recentre_line()
            self.point_again()
            return
        view = self._moving.target
        if view.follow == "fit" or view.scale < 1.0:
            scale = next((s for s in CLOSER if s > view.scale + 1e-9), 4.0 * view.scale)
            self._moving.leave_for(view.at_scale(scale, self._moving.grid.pixel_centre(position)))
        else:
            self._moving.leave_for(view.fit())

    def _let_go(self) -> None:
        """Nothing is held with the mouse."""
        self.drop_box()
        self._line_held = False
        self._pressed = None
        if self._drag is not None:
            self._drag = None
            self._widget.unsetCursor()

    def _jumps(self, view: ViewState) -> None:
        if self._drag is None or view.scale != self._moving.view.scale:
            self._pressed = None  # what is under the mouse is not what was pressed on

    def _point_at(self, position: QPointF) -> None:
        self.cursor = position
        if self._moving.opened:
            self.cursor_moved.emit(*self._source(self._moving.grid.pixel_centre(position)))

    def _source(self, at: tuple[float, float]) -> tuple[float, float]:
        return self._moving.view.to_source(*at)

    # ---- the rectangle that is to be seen -----------------------------------------------------

    @property
    def box(self) -> tuple[int, int, int, int] | None:
        """(left, top, right, bottom) of it, between device pixels, while one is dragged that is large enough."""
        grid = self._moving.grid
        if self._box is None or not self._box.counts:
            return None
        return self._box.edges(grid.ratio, grid.shift)

    def drop_box(self) -> bool:
        """The rectangle that is being dragged is not wanted. Whether there was one."""
        if self._box is None:
            return False
        self._box = None
        self._show_cursor(self.cursor)
        self.box_changed.emit()
        return True

    def choose(self, choosing: bool) -> None:
        """The key with which a drag chooses a rectangle is down, or up again."""
        self._choosing = choosing
        if self._drag is None and not self._line_held:
            self._show_cursor(self.cursor)

    def _see_box(self, position: QPointF) -> None:
        edges = self.box
        self.drop_box()
        self._show_cursor(position)
        target = None if edges is None else view_of(self._moving.view, edges)
        if target is not None:
            self._moving.leave_for(target)

    # ---- the line that splits the view --------------------------------------------------------

    def recentre_line(self) -> None:
        self._put_line(SplitLine())

    def move_line(self, step: float) -> None:
        """To the right by so much of the width."""
        width = self._widget.width()
        self._put_line(self.line.moved_to(self.line.x(width) + step * width, width))
        self._show_cursor(self.cursor)
        self.point_again()

    @property
    def is_left_of_line(self) -> bool:
        """Whether the mouse is on the widget, left of where the line is or would be."""
        return self.cursor is not None and self.cursor.x() < self.line.x(self._widget.width())

    @property
    def is_in_left_pane(self) -> bool:
        """Whether the mouse is in the left one of two panes."""
        return self.cursor is not None and self._moving.grid.pane_at(self.cursor) == 0

    def let_go_of_line(self) -> None:
        """It is not there any more."""
        self._line_held = False
        self._show_cursor(None)

    def _put_line(self, line: SplitLine) -> None:
        self.line = line
        self.line_moved.emit()

    def _is_at_line(self, position: QPointF, reach: float = REACH) -> bool:
        return self._split() and self.line.is_at(position.x(), self._widget.width(), reach)

    def _show_cursor(self, position: QPointF | None) -> None:
        """The cursor shows what a press takes hold of, where nothing is held of the picture."""
        if self._box is not None or (self._choosing and self._moving.opened):
            shape = Qt.CursorShape.CrossCursor
        elif position is not None and self._is_at_line(position):
            shape = Qt.CursorShape.SplitHCursor
        else:
            shape = Qt.CursorShape.ArrowCursor
        if shape != self._widget.cursor().shape():
            if shape == Qt.CursorShape.ArrowCursor:
                self._widget.unsetCursor()
            else:
                self._widget.setCursor(shape)

    # ---- wheels, touchpads and fingers --------------------------------------------------------

    def turn(self, event: QWheelEvent) -> None:
        turned = self._wheel.read(event)
        if self._box is not None:
            return  # it lies on the view that it was begun on
        action = None if turned is None else interpret(turned, self.touchpad_pans)
        if isinstance(action, Zoom):
            self._zoom(action.factor, self._moving.grid.pixel_centre(event.position()))
        elif isinstance(action, Pan):
            self._pan(action.dx, action.dy)

    def gesture(self, event: QNativeGestureEvent) -> bool:
        # The local position of these events is wrong on some platforms (QTBUG-59595).
        at = self._widget.mapFromGlobal(event.globalPosition())
        kind = event.gestureType()
        if kind == Qt.NativeGestureType.ZoomNativeGesture:
            self._zoom(pinch_factor(event.value()), self._moving.grid.pixel_centre(at))
        elif kind == Qt.NativeGestureType.PanNativeGesture:
            self._pan(event.delta().x(), event.delta().y())
        else:
            return False
        event.accept()
        return True

    def touch(self, event: QTouchEvent) -> bool:
        device = event.device()
        if device is None or device.type() != QInputDevice.DeviceType.TouchScreen:
            return False
        if event.type() == QEvent.Type.TouchBegin and self._is_for_a_mouse(event):
            event.ignore()  # Qt then makes a mouse of the finger
            return True
        step = self._fingers.follow(event)
        if step is not None:
            if step.factor == 1.0:
                self._pan(step.shift.x(), step.shift.y())
            else:
                grid = self._moving.grid
                shift = step.shift.x() * grid.ratio, step.shift.y() * grid.ratio
                moved = self._moving.view.pan_by(*shift)
                self._moving.jump_to(moved.zoom_at(step.factor, grid.to_device(step.centre)))
        if self._fingers.tapped is not None:
            self._tap(self._fingers.tapped)
        event.accept()
        return True

    def _is_for_a_mouse(self, event: QTouchEvent) -> bool:
        """Whether a touch begins where a mouse would take hold of something else than the picture."""
        position = event.points()[0].position()
        at_line = self._is_at_line(position, FINGER)
        return at_line or self._widget.childAt(position.toPoint()) is not None

    def _tap(self, position: QPointF) -> None:
        """A tap is a click; the second of two is a double-click."""
        before, self._tapped = self._tapped, (self._clock(), position)
        interval = QGuiApplication.styleHints().mouseDoubleClickInterval() / 1000
        twice = before is not None and self._clock() - before[0] < interval
        if before is not None and twice and _apart(before[1], position) < 2 * FINGER:
            self._tapped = None
            self._go_closer(position)
        elif self._moving.opened:
            self.clicked.emit(*self._source(self._moving.grid.to_device(position)))

    def _zoom(self, factor: float, at: tuple[float, float]) -> None:
        """About a device point. Who comes back to 100 % has the file's own pixels again."""
        view = self._moving.view.zoom_at(factor, at)
        self._moving.jump_to(view.at_scale(1.0, at) if abs(view.scale - 1.0) < 1e-9 else view)

    def _pan(self, dx: float, dy: float) -> None:
        """By logical pixels: whole device pixels of it now, as a drag does, the rest with the next step."""
        ratio = self._moving.grid.ratio
        u, v = dx * ratio + self._pan_rest[0], dy * ratio + self._pan_rest[1]
        whole = round(u), round(v)
        self._pan_rest = u - whole[0], v - whole[1]
        if whole != (0, 0):
            self._moving.jump_to(self._moving.view.pan_by(*whole))


def _apart(a: QPointF, b: QPointF) -> float:
    return math.hypot(a.x() - b.x(), a.y() - b.y())


def _chooses(event: QMouseEvent) -> bool:
    """Whether a drag that begins with this, or would, is over a rectangle. A finger has no keys."""
    return event.modifiers() & HELD == CHOOSING and not _is_of(
        event, QInputDevice.DeviceType.TouchScreen
    )


def _is_of(event: QMouseEvent, kind: QInputDevice.DeviceType) -> bool:
    """Whether Qt made a mouse event of what another device did."""
    device = event.device()
    return device is not None and device.type() == kind
