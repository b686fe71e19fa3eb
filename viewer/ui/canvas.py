"""The canvas: shows a scene under a view, and lets wheel, drag, pinch and commands move the view.

For the window around it:

    canvas = Canvas(parent)
    canvas.set_overview(qimage, (width, height))   a new picture is being opened: a first look at it
    canvas.set_scene(scene)                        the picture is there; again for every built tile
    canvas.set_scene(None)                         nothing to show
    canvas.keep_view_next(bool)                    whether the next picture of the same size keeps the view
    canvas.set_beside(scene, names)                another scene of it left of a line, None: none; names of the sides
    canvas.view                                    the ViewState (scale, origin, size; read-only)
    canvas.target_view                             where a running glide will end (else the view)
    canvas.zoom_in() zoom_out() zoom_to(scale) fit() fill() one_to_one() pan(dx, dy)   glide
    canvas.set_view(view)                          at once (restoring, tests)
    canvas.set_overlays(OverlayOptions(...))
    canvas.set_background(QColor)                  around the picture
    canvas.set_pixel_grid(bool)                    the edges of the source's pixels
    canvas.set_mark(Inspected)                     around one Gaussian; None: none
    canvas.set_touchpad_pans(bool)  set_coarse_first(bool)  set_glide(seconds)         settings
    canvas.grab_frame() -> QImage                  the picture as shown, without overlays
    canvas.rests, canvas.sides                     whether that is exact; the scenes in it and their columns
    canvas.is_idle() -> bool                       everything asked for is on screen
    canvas.shutdown()                              ends the threads; call it when the window closes

Signals: view_changed(), frame_shown(Frame), beside_shown(Frame), painted(seconds), cursor_moved(x, y) and clicked(x, y)
in source coordinates, cursor_left(), overlay_counts(shown, in_view), failed(message), remarked(message).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QGuiApplication,
    QImage,
    QInputDevice,
    QMouseEvent,
    QMoveEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTouchEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from viewer.model.frame import Columns, Frame
from viewer.model.inspector import Inspected
from viewer.model.motion import GLIDE_SECONDS, Glide
from viewer.model.overlay_options import OverlayOptions
from viewer.model.scene import Scene
from viewer.model.split_line import REACH, SplitLine
from viewer.model.view_state import ViewState
from viewer.model.wheel import Pan, Zoom, interpret, pinch_factor
from viewer.ui.canvas_geometry import DeviceGrid, paint_in_device_pixels
from viewer.ui.canvas_input import Fingers, Wheel
from viewer.ui.canvas_painter import Layer, compose, frame_layer
from viewer.ui.frame_worker import RenderFrame, warm_up
from viewer.ui.grid_painter import paint_grid
from viewer.ui.mark_painter import paint_mark
from viewer.ui.overlay_painter import OverlayPainter, OverlayRequest
from viewer.ui.scene_pane import ScenePane
from viewer.ui.split_painter import paint_split

KEY_STEP = 2.0**0.5
"""Two presses of a zoom key are a factor of two."""

TICK_MS = 8

CLOSER = (1.0, 4.0)
"""Where a double-click leads from fit."""

HOLDING = Qt.MouseButton.LeftButton | Qt.MouseButton.MiddleButton
"""The buttons that take hold of the picture."""

FINGER = 16.0
"""Logical pixels from a finger's middle within which it touches something small."""

CLICK_REACH, PEN_REACH = 3.0, 10.0
"""Logical pixels that the mouse, or the tip of a pen, may move between press and release of a click."""


class Canvas(QWidget):
    """See the module's docstring. `render`, `prepare` and `clock` are there to be replaced in tests."""

    view_changed = Signal()
    frame_shown = Signal(object)
    beside_shown = Signal(object)
    """As frame_shown, of the scene beside."""
    painted = Signal(float)
    """At the end of a paint event: the seconds it took, for measurements."""
    cursor_moved = Signal(float, float)
    cursor_left = Signal()
    clicked = Signal(float, float)
    """The left button, pressed and let go in the same place."""
    overlay_counts = Signal(int, int)
    failed = Signal(str)
    remarked = Signal(str)
    """Why frames are made by something slower than before."""

    def __init__(
        self,
        parent: QWidget | None = None,
        render: RenderFrame | None = None,
        prepare: Callable[[], None] = warm_up,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        super().__init__(parent)
        self._clock = clock
        self._overview: Layer | None = None
        self._opened = False
        self._keep_view = False
        self._view = ViewState((1, 1), (1, 1))
        self._grid = DeviceGrid(1.0, (0.0, 0.0), (1, 1))
        self._overlays = OverlayOptions()
        self._overlay_layer: Layer | None = None
        self._background = QColor(32, 32, 34)
        self._pixel_grid = False
        self._touchpad_pans = True
        self._glide: Glide | None = None
        self._glide_seconds = GLIDE_SECONDS
        self._drag: QPointF | None = None
        self._pressed: QPointF | None = None  # where, as long as it may be a click
        self._pressed_on = (0.0, 0.0)  # source coordinates
        self._mark: Inspected | None = None
        self._wheel = Wheel()
        self._fingers = Fingers()
        self._tapped: tuple[float, QPointF] | None = None  # when and where last
        self._pan_rest = (0.0, 0.0)  # less than a device pixel
        self._resized: tuple[ViewState, ViewState] | None = None
        self._cursor: QPointF | None = None
        self._line = SplitLine()
        self._line_held = False
        self._names = ("", "")
        self._closed = False

        self._pane = ScenePane(self, render, prepare, clock)
        self._pane.frame_taken.connect(self._show_frame)
        self._pane.failed.connect(self.failed)
        # What is left of the line that splits the view; without one it has no scene.
        self._beside = ScenePane(self, None, prepare, clock)
        self._beside.frame_taken.connect(self._show_beside)
        self._beside.failed.connect(self.failed)
        for pane in (self._pane, self._beside):
            pane.rows_taken.connect(partial(self._show_rows, pane))
            pane.remarked.connect(self.remarked)
        self._overlay_painter = OverlayPainter(self, clock)
        self._overlay_painter.overlay_ready.connect(self._take_overlay)
        self._overlay_painter.failed.connect(self.failed)
        self._ticks = QTimer(self)
        self._ticks.setTimerType(Qt.TimerType.PreciseTimer)
        self._ticks.setInterval(TICK_MS)
        self._ticks.timeout.connect(self.advance)

        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(64, 64)
        self.setAccessibleName("Picture")
        self.setAttribute(Qt.WidgetAttribute.WA_AcceptTouchEvents)

    # ---- what is shown ------------------------------------------------------------------------

    @property
    def view(self) -> ViewState:
        return self._view

    @property
    def target_view(self) -> ViewState:
        return self._glide.target if self._glide is not None else self._view

    @property
    def has_picture(self) -> bool:
        """Whether a picture is shown, or a first look at one."""
        return self._opened

    @property
    def scene(self) -> Scene | None:
        return self._pane.scene

    @property
    def overview(self) -> Layer | None:
        """A small image of the whole picture, as soon as there is one."""
        return self._overview

    @property
    def overlays(self) -> OverlayOptions:
        return self._overlays

    def keep_view_next(self, keep: bool) -> None:
        """Whether the pictures that are shown from now on keep the view of the one before, where they are of its
        size."""
        self._keep_view = keep

    def set_overview(self, image: QImage, size: tuple[int, int]) -> None:
        """A new picture of (width, height) source pixels begins with this small image of it.

        Whatever was shown before is gone. The following set_scene with a picture of the same size
        keeps the view, which may have been moved meanwhile.
        """
        self._drop_scene()
        width, height = size
        if image.format() != QImage.Format.Format_RGB32:
            image = image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
        self._overview = Layer(image, (0.0, 0.0, float(width), float(height)))
        self._open((height, width))

    def set_scene(self, scene: Scene | None, keep_view: bool = False) -> None:
        """Show a scene. The view starts anew when it is another picture than before, unless it was
        announced by set_overview or `keep_view` is asked for and the size is the same."""
        if scene is None:
            self._drop_scene()
            self._overview = None
            self._opened = False
            self.update()
            return
        before = self._pane.scene
        same = before is not None and before.generation == scene.generation
        if not same:
            announced = before is None and self._opened
            if not announced:
                small = scene.overview
                self._overview = None if small is None else frame_layer(small)
            self._drop_frame()
            self._beside.drop_scene()
            self._pane.scene = scene
            if not ((announced or keep_view) and self._view.extent == scene.extent):
                self._open(scene.extent)
        if before is None or not same or before.method != scene.method:
            self._mark = None  # it was one of another field
        affected = not same or self._pane.affects_view(self._view, scene)
        self._pane.scene = scene
        if affected:
            self._request(moving=False, panes=(self._pane,))
        self._request_overlay(moving=False)
        self.update()

    def recentre_line(self) -> None:
        """Where a view is split from now on, the line is in its middle."""
        self._line = SplitLine()
        self._see_sides()

    def set_beside(self, scene: Scene | None, names: tuple[str, str] = ("", "")) -> None:
        """Show another scene of the picture left of a line, which can be drawn to and fro; None: no longer."""
        self._names = names
        pane, split = self._beside, self.split
        if scene is None:
            self._beside.drop_scene()
            self._line_held = False
            self._point_at_line(None)
        else:
            affected = pane.affects_view(self._view, scene)
            pane.scene = scene
            if affected:
                self._request(moving=False, panes=(pane,))
        if split != self.split:
            self._see_sides()
        self.update()

    @property
    def scene_beside(self) -> Scene | None:
        return self._beside.scene

    @property
    def split(self) -> bool:
        """Whether two scenes are shown, side by side."""
        return self._beside.scene is not None

    def both_frames(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]] | None:
        """Copies of the exact frames (h, w, 4), BGRX, of this view on the left and on the right of the line, each as if
        it were there alone; None where they are not there yet, and below 100 %, where both show the picture."""
        left, right = self._beside.frame, self._pane.frame
        if left is None or right is None or not self.is_idle() or self._view.scale < 1.0 - 1e-9:
            return None
        current = all(f.shows(self._view) for f in (left, right))
        if not current or left.bgrx.shape != right.bgrx.shape:
            return None
        return left.bgrx.copy(), right.bgrx.copy()

    @property
    def plates(self) -> tuple[str, str]:
        """What is said of the sides of the line: what is seen there, and what is lacking of it in this view."""
        left, right = self._names
        return self._beside.plate(left, self._view), self._pane.plate(right, self._view)

    @property
    def scene_at_cursor(self) -> Scene | None:
        """The scene on the side of the line that the mouse is on."""
        left = self.split and self._cursor is not None
        if left and self._cursor.x() < self._line.x(self.width()):  # type: ignore[union-attr]
            return self._beside.scene
        return self.scene

    def set_background(self, colour: QColor) -> None:
        self._background = QColor(colour)
        self.update()

    def set_overlays(self, options: OverlayOptions) -> None:
        if options != self._overlays:
            self._overlays = options
            self._request_overlay(moving=False)
            self.update()

    @property
    def mark(self) -> Inspected | None:
        """The Gaussian that is marked."""
        return self._mark

    def set_mark(self, mark: Inspected | None) -> None:
        """Mark one Gaussian of the scene; with another picture the mark goes."""
        self._mark = mark
        self.update()

    def set_pixel_grid(self, shown: bool) -> None:
        """Whether the edges of the source's pixels are drawn, from GRID_FROM up."""
        self._pixel_grid = shown
        self.update()

    def set_touchpad_pans(self, pans: bool) -> None:
        """Whether two fingers on a touchpad pan (Ctrl: zoom) or the other way round."""
        self._touchpad_pans = pans

    def set_coarse_first(self, allowed: bool) -> None:
        """Whether a coarser frame may go first where a full one takes longer than the budget."""
        for pane in (self._pane, self._beside):
            pane.worker.pacing.coarse_first = allowed

    def set_glide(self, seconds: float) -> None:
        """Duration of the glide of discrete commands; 0 switches it off."""
        self._glide_seconds = max(0.0, seconds)

    # ---- commands -----------------------------------------------------------------------------

    def zoom_in(self) -> None:
        self._glide_to(self.target_view.zoom_at(KEY_STEP, self._view.centre))

    def zoom_out(self) -> None:
        self._glide_to(self.target_view.zoom_at(1 / KEY_STEP, self._view.centre))

    def zoom_to(self, scale: float) -> None:
        """Go to a scale (device pixels per source pixel) about the middle of the canvas."""
        self._glide_to(self.target_view.at_scale(scale))

    def one_to_one(self) -> None:
        self.zoom_to(1.0)

    def fit(self) -> None:
        self._glide_to(self.target_view.fit())

    def fill(self) -> None:
        self._glide_to(self.target_view.fill())

    def pan(self, dx: float, dy: float) -> None:
        """Move the picture by logical pixels."""
        ratio = self._grid.ratio
        self._glide_to(self.target_view.pan_by(round(dx * ratio), round(dy * ratio)))

    def set_view(self, view: ViewState) -> None:
        """Go to a view at once (its canvas size is made to match)."""
        self._stop_glide()
        self._move_to(view.resized(self._grid.size))

    def advance(self) -> None:
        """One step of a running glide, by the clock."""
        if self._glide is None:
            self._ticks.stop()
            return
        glide = self._glide
        if glide.finished:
            self._stop_glide()
            self._move_to(glide.target)
        else:
            self._move_to(glide.view())

    # ---- state --------------------------------------------------------------------------------

    def is_idle(self) -> bool:
        """Whether everything asked for is on screen: no glide, no frame or overlay under way."""
        panes = self._pane.idle and self._beside.idle
        return self._glide is None and panes and self._overlay_painter.idle

    @property
    def rests(self) -> bool:
        """Whether what is on screen is exact and stays as it is: a method that goes on with its work is not there."""
        panes = [pane for pane in (self._pane, self._beside) if pane.scene is not None]
        return (
            bool(panes)
            and self._glide is None
            and all(p.rests_at(self._view, self._columns(p)) for p in panes)
        )

    @property
    def sides(self) -> list[tuple[Scene, int, int]]:
        """The scenes that are shown, each with its first column and one past its last, device pixels of the canvas."""
        width = self._view.size[0]
        column = self._line.column(width) if self.split else 0
        sides = ((self._beside.scene, 0, column), (self._pane.scene, column, width))
        return [(scene, a, b) for scene, a, b in sides if scene is not None and a < b]

    def grab_frame(self) -> QImage:
        """The visible part of the picture as shown, in device pixels, without overlays (a copy)."""
        left, top, right, bottom = self._view.picture_rect
        if not self._opened or right <= left or bottom <= top:
            return QImage()
        image = QImage(right - left, bottom - top, QImage.Format.Format_RGB32)
        painter = QPainter(image)
        painter.translate(-left, -top)
        self._compose(painter, None)
        painter.end()
        return image

    def _compose(self, painter: QPainter, overlay: Layer | None) -> None:
        width, height = self._view.size
        column = self._line.column(width) if self.split else 0
        for pane, marks, left, right in (
            (self._beside, None, 0, column),
            (self._pane, overlay, column, width),
        ):
            if left < right:
                painter.setClipRect(left, 0, right - left, height)
                compose(
                    painter,
                    self._view,
                    self._background,
                    self._overview,
                    pane.layer,
                    marks,
                    pane.rows,
                )
        painter.setClipping(False)

    def shutdown(self) -> None:
        """End the threads (within a second). Nothing is rendered after that."""
        if self._closed:
            return
        self._closed = True
        self._stop_glide()
        # All are told first, so that they end side by side.
        self._overlay_painter.slot.close()
        for pane in (self._pane, self._beside):
            pane.worker.slot.close()
        for pane in (self._pane, self._beside):
            pane.worker.close()
        self._overlay_painter.close()

    # ---- Qt events ----------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        began = time.perf_counter()
        self._sync_grid()
        painter = QPainter(self)
        paint_in_device_pixels(painter)
        if self._opened:
            self._compose(painter, self._overlay_layer)
            if self._pixel_grid:
                paint_grid(painter, self._view, self._grid.ratio)
            if self._mark is not None:
                sigma = self._overlays.sigma
                paint_mark(painter, self._view, self._mark, sigma, self._grid.ratio)
            if self.split:
                size = self._view.size
                column = self._line.column(size[0])
                paint_split(painter, size, column, self.plates, self.font(), self._grid.ratio)
        else:
            painter.fillRect(0, 0, *self._view.size, self._background)
        painter.end()
        self.painted.emit(time.perf_counter() - began)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._sync_grid()

    def moveEvent(self, event: QMoveEvent) -> None:
        super().moveEvent(event)
        self._sync_grid()

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.accept()
        turned = self._wheel.read(event)
        action = None if turned is None else interpret(turned, self._touchpad_pans)
        if isinstance(action, Zoom):
            self._zoom_now(action.factor, self._grid.pixel_centre(event.position()))
        elif isinstance(action, Pan):
            self._pan_now(action.dx, action.dy)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._line_held or self._drag is not None:
            # A second button changes nothing of what the first one holds, but both together are no click.
            self._pressed = None
            event.accept()
        elif event.button() == Qt.MouseButton.LeftButton and self._is_at_line(
            event.position(),
            FINGER if _is_of(event, QInputDevice.DeviceType.TouchScreen) else REACH,
        ):
            self._line_held = True
            event.accept()
        elif event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            self._drag = event.position()
            left = event.button() == Qt.MouseButton.LeftButton
            self._pressed = event.position() if left else None
            self._pressed_on = self._view.to_source(*self._grid.to_device(event.position()))
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
            event.accept()
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        position = event.position()
        if not event.buttons() & HOLDING:
            self._let_go()  # what a dialog that came up under the button has kept from here
        if self._line_held:
            self._line = self._line.moved_to(position.x(), self.width())
            self._see_sides()
            self.update()
        elif self._drag is None:
            self._point_at_line(position)
        elif not self._may_be_tap(event):
            # Whole device pixels, the rest kept for the next move: the picture then only shifts,
            # and every pixel of a frame stays valid.
            ratio = self._grid.ratio
            du = round((position.x() - self._drag.x()) * ratio)
            dv = round((position.y() - self._drag.y()) * ratio)
            if du or dv:
                self._drag += QPointF(du / ratio, dv / ratio)
                self._take_over(self._view.pan_by(du, dv))
        self._point_at(position)

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

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._line_held and event.button() == Qt.MouseButton.LeftButton:
            self._line_held = False
            self._point_at_line(event.position())
            event.accept()
            return
        if self._drag is not None and not event.buttons() & HOLDING:
            pressed = self._pressed
            self._let_go()
            event.accept()
            if pressed is not None and self._opened:
                self.clicked.emit(*self._pressed_on)
        else:
            super().mouseReleaseEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """To 100 % at the point, closer where that is not closer than fit; back to fit from there."""
        if event.button() != Qt.MouseButton.LeftButton:
            super().mouseDoubleClickEvent(event)
            return
        self._let_go()
        self._go_closer(event.position())
        event.accept()

    def _go_closer(self, position: QPointF) -> None:
        if self._is_at_line(position):
            self._line = SplitLine()
            self._see_sides()
            self.update()
            self._point_again()
            return
        view = self.target_view
        if view.follow == "fit" or view.scale < 1.0:
            scale = next((s for s in CLOSER if s > view.scale + 1e-9), 4.0 * view.scale)
            self._glide_to(view.at_scale(scale, self._grid.pixel_centre(position)))
        else:
            self._glide_to(view.fit())

    def _let_go(self) -> None:
        """Nothing is held with the mouse."""
        self._line_held = False
        self._pressed = None
        if self._drag is not None:
            self._drag = None
            self.unsetCursor()

    def leaveEvent(self, event: QEvent) -> None:
        self._cursor = None
        self.cursor_left.emit()
        super().leaveEvent(event)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QNativeGestureEvent):
            return self._native_gesture(event)
        if isinstance(event, QTouchEvent):
            return self._touch(event)
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._sync_grid()
        return super().event(event)

    def closeEvent(self, event: QEvent) -> None:
        self.shutdown()
        super().closeEvent(event)  # type: ignore[arg-type]

    # ---- gestures -----------------------------------------------------------------------------

    def _native_gesture(self, event: QNativeGestureEvent) -> bool:
        # The local position of these events is wrong on some platforms (QTBUG-59595).
        at = self.mapFromGlobal(event.globalPosition())
        kind = event.gestureType()
        if kind == Qt.NativeGestureType.ZoomNativeGesture:
            self._zoom_now(pinch_factor(event.value()), self._grid.pixel_centre(at))
        elif kind == Qt.NativeGestureType.PanNativeGesture:
            self._pan_now(event.delta().x(), event.delta().y())
        else:
            return False
        event.accept()
        return True

    def _touch(self, event: QTouchEvent) -> bool:
        device = event.device()
        if device is None or device.type() != QInputDevice.DeviceType.TouchScreen:
            return False
        if event.type() == QEvent.Type.TouchBegin and self._is_for_a_mouse(event):
            event.ignore()  # Qt then makes a mouse of the finger
            return True
        step = self._fingers.follow(event)
        if step is not None:
            if step.factor == 1.0:
                self._pan_now(step.shift.x(), step.shift.y())
            else:
                ratio = self._grid.ratio
                moved = self._view.pan_by(step.shift.x() * ratio, step.shift.y() * ratio)
                at = self._grid.to_device(step.centre)
                self._take_over(moved.zoom_at(step.factor, at))
        if self._fingers.tapped is not None:
            self._tap(self._fingers.tapped)
        event.accept()
        return True

    def _is_for_a_mouse(self, event: QTouchEvent) -> bool:
        """Whether a touch begins where a mouse would take hold of something else than the picture."""
        position = event.points()[0].position()
        at_line = self.split and self._line.is_at(position.x(), self.width(), FINGER)
        return at_line or self.childAt(position.toPoint()) is not None

    def _tap(self, position: QPointF) -> None:
        """A tap is a click; the second of two is a double-click."""
        before, self._tapped = self._tapped, (self._clock(), position)
        interval = QGuiApplication.styleHints().mouseDoubleClickInterval() / 1000
        twice = before is not None and self._clock() - before[0] < interval
        if before is not None and twice and _apart(before[1], position) < 2 * FINGER:
            self._tapped = None
            self._go_closer(position)
        elif self._opened:
            self.clicked.emit(*self._view.to_source(*self._grid.to_device(position)))

    def _zoom_now(self, factor: float, at: tuple[float, float]) -> None:
        """About a device point. Who comes back to 100 % has the file's own pixels again."""
        view = self._view.zoom_at(factor, at)
        self._take_over(view.at_scale(1.0, at) if abs(view.scale - 1.0) < 1e-9 else view)

    def _pan_now(self, dx: float, dy: float) -> None:
        """By logical pixels: whole device pixels of it now, as a drag does, the rest with the next step."""
        ratio = self._grid.ratio
        u, v = dx * ratio + self._pan_rest[0], dy * ratio + self._pan_rest[1]
        whole = round(u), round(v)
        self._pan_rest = u - whole[0], v - whole[1]
        if whole != (0, 0):
            self._take_over(self._view.pan_by(*whole))

    # ---- the line that splits the view --------------------------------------------------------

    def _is_at_line(self, position: QPointF, reach: float = REACH) -> bool:
        return self.split and self._line.is_at(position.x(), self.width(), reach)

    def _point_at_line(self, position: QPointF | None) -> None:
        """The cursor shows where the line can be taken hold of."""
        at_line = position is not None and self._is_at_line(position)
        if at_line != (self.cursor().shape() == Qt.CursorShape.SplitHCursor):
            if at_line:
                self.setCursor(Qt.CursorShape.SplitHCursor)
            else:
                self.unsetCursor()

    # ---- moving the view ----------------------------------------------------------------------

    def _take_over(self, view: ViewState) -> None:
        """A direct movement: it goes on from wherever a glide is, without delay."""
        if self._drag is None or view.scale != self._view.scale:
            self._pressed = None  # what is under the mouse is not what was pressed on
        self._stop_glide()
        self._move_to(view)

    def _glide_to(self, target: ViewState) -> None:
        if not self._opened:
            return
        self._wheel.drop_momentum()
        if self._glide_seconds <= 0.0 or not self.isVisible():
            self._take_over(target)
            return
        self._glide = Glide(self._view, target, self._clock, self._glide_seconds)
        self._ticks.start()

    def _stop_glide(self) -> None:
        self._glide = None
        self._ticks.stop()

    def _move_to(self, view: ViewState, moving: bool = True) -> None:
        if view == self._view:
            return
        self._view = view
        if self._opened:
            self._request(moving)
            self._request_overlay(moving)
        self.update()
        self.view_changed.emit()
        self._point_again()

    def _open(self, extent: tuple[int, int]) -> None:
        kept = self._keep_view and self._opened and self._view.extent == extent
        self._stop_glide()
        self._wheel.drop_momentum()
        self._opened = True
        self._sync_grid()
        if not kept:
            self._view = ViewState.opening(extent, self._grid.size)
        self._request(moving=False)
        self.update()
        self.view_changed.emit()
        self._point_again()

    def _sync_grid(self) -> None:
        """Take note of the widget's physical pixels: size, ratio or position have changed."""
        grid = DeviceGrid.of(self)
        if grid == self._grid:
            return
        ratio, self._grid = self._grid.ratio, grid
        if self._glide is not None:
            glide = self._glide
            self._stop_glide()
            self._view = glide.target
        # All sizes in a row from the view before the first: each is rounded to whole pixels, and half of one lost with
        # every step of a dragged corner would be the whole middle.
        begun = self._view
        if self._resized is not None and self._resized[0] == self._view:
            begun = self._resized[1]
        view = begun.resized(grid.size)
        if view == self._view and ratio != grid.ratio and self._opened:
            self._request_overlay(moving=False)  # the same pixels, but lines of another width
        self._move_to(view, moving=True)
        self._resized = self._view, begun

    def _point_at(self, position: QPointF) -> None:
        self._cursor = position
        if self._opened:
            self.cursor_moved.emit(*self._view.to_source(*self._grid.pixel_centre(position)))

    def _point_again(self) -> None:
        """What is under the cursor has changed, though it rests."""
        if self._cursor is not None:
            self._point_at(self._cursor)

    # ---- frames -------------------------------------------------------------------------------

    def _request(self, moving: bool, panes: tuple[ScenePane, ...] = ()) -> None:
        """Ask for frames, of all panes or of some."""
        if self._closed:
            return
        row = None if self._cursor is None else self._grid.to_device(self._cursor)[1]
        for pane in panes or (self._pane, self._beside):
            pane.request(self._view, moving, row, self._columns(pane))

    def _columns(self, pane: ScenePane) -> Columns | None:
        """Those that are seen of a scene; None: all."""
        if not self.split:
            return None
        width = self._view.size[0]
        column = self._line.column(width)
        return (0, column) if pane is self._beside else (column, width)

    def _see_sides(self) -> None:
        """The line is elsewhere, or there is none any more: what is not there of a side is asked for."""
        for pane in (self._pane, self._beside):
            if self._opened and pane.lacks(self._view, self._columns(pane)):
                self._request(moving=False, panes=(pane,))

    def _request_overlay(self, moving: bool) -> None:
        scene = self.scene
        if scene is None or self._closed:
            return
        if not self._overlays.any:
            self._overlay_layer = None
        self._overlay_painter.request(
            OverlayRequest(
                scene, self._view, self._overlays, self._grid.ratio, moving, self._clock()
            )
        )

    def _take_overlay(self) -> None:
        overlay = self._overlay_painter.take_overlay()
        if overlay is None or self.scene is None:
            return
        request = overlay.request
        if request.scene.generation != self.scene.generation or request.options != self._overlays:
            return
        self._overlay_layer = overlay.layer
        self.overlay_counts.emit(overlay.shown, overlay.in_view)
        self.update()

    def _show_frame(self, frame: Frame) -> None:
        self._keep_as_overview(frame)
        self.update()
        self.frame_shown.emit(frame)

    def _show_beside(self, frame: Frame) -> None:
        self.update()
        self.beside_shown.emit(frame)

    def _show_rows(self, pane: ScenePane) -> None:
        if pane.rows is None:
            return
        # No more is painted than what is new: in a large window the rest takes as long as a band.
        rect = pane.rows.rect
        top, bottom = (
            (v - self._grid.shift[1]) / self._grid.ratio
            for v in (self._view.to_device(0.0, rect[1])[1], self._view.to_device(0.0, rect[3])[1])
        )
        self.update(0, math.floor(top) - 1, self.width(), math.ceil(bottom - top) + 3)

    def _keep_as_overview(self, frame: Frame) -> None:
        """Without an overview from the window, the first frame of the whole picture is one."""
        x0, y0, x1, y1 = frame.view.source_rect
        height, width = frame.view.extent
        whole = x0 <= 0 and y0 <= 0 and x1 >= width and y1 >= height
        layer = self._pane.layer
        whole = whole and frame.rect == frame.view.picture_rect
        if self._overview is None and layer is not None and whole:
            self._overview = Layer(layer.image.copy(), layer.rect)

    def _drop_frame(self) -> None:
        self._pane.drop_frame()
        self._overlay_layer = None

    def _drop_scene(self) -> None:
        self._pane.drop_scene()
        self._beside.drop_scene()
        self._mark = None
        self._overlay_painter.slot.clear()
        self._overlay_layer = None


def _apart(a: QPointF, b: QPointF) -> float:
    return math.hypot(a.x() - b.x(), a.y() - b.y())


def _is_of(event: QMouseEvent, kind: QInputDevice.DeviceType) -> bool:
    """Whether Qt made a mouse event of what another device did."""
    device = event.device()
    return device is not None and device.type() == kind
