"""The canvas: shows a scene under a view, and lets wheel, drag, pinch and commands move the view.

For the window around it:

    canvas = Canvas(parent)
    canvas.set_overview(qimage, (width, height))   a new picture is being opened: a first look at it
    canvas.set_scene(scene)                        the picture is there; again for every built tile
    canvas.set_scene(None)                         nothing to show
    canvas.keep_view_next(bool)                    whether the next picture of the same size keeps the view
    canvas.set_beside(scene, names)                another scene of it left of a line, None: none; names of the sides
    canvas.set_two_as(TwoAs, gain)                 two scenes beside each other, or gain times their difference
    canvas.view                                    the ViewState (scale, origin, size; read-only)
    canvas.target_view                             where a running glide will end (else the view)
    canvas.zoom_in() zoom_out() zoom_to(scale) fit() fill() pan(dx, dy)   glide
    canvas.go_to(view)                             likewise, to any
    canvas.set_view(view)                          at once (restoring, tests)
    canvas.set_overlays(OverlayOptions(...))
    canvas.set_background(QColor)                  around the picture
    canvas.set_pixel_grid(bool)                    the edges of the source's pixels
    canvas.set_pixel_values(bool)                  the values that are stored in them
    canvas.set_mark(Inspected)                     around one Gaussian; None: none
    canvas.set_touchpad_pans(bool)  set_coarse_first(bool)  set_glide(seconds)         settings
    canvas.grab_frame() -> QImage                  the picture as shown, without overlays
    canvas.rests, canvas.sides                     whether that is exact; the scenes in it and their columns
    canvas.is_idle() -> bool                       everything asked for is on screen
    canvas.shutdown()                              ends the threads; call it when the window closes

Signals: view_changed(), view_left(ViewState), began_anew(), stepped(by), frame_shown(Frame), beside_shown(Frame),
painted(seconds), cursor_moved(x, y) and clicked(x, y) in source coordinates, cursor_left(),
sides_changed(), overlay_counts(shown, in_view, chosen), failed(message), remarked(message).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QImage,
    QKeyEvent,
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

from viewer.model.difference import TwoAs, difference_text
from viewer.model.frames.frame import Columns, Frame, seen_source
from viewer.model.frames.frame_renderer import FIELD_FROM
from viewer.model.frames.scene import Scene
from viewer.model.overlays.inspector import Inspected
from viewer.model.overlays.overlay_options import OverlayOptions
from viewer.model.view.view_state import ViewState
from viewer.ui.canvas.box_painter import paint_box
from viewer.ui.canvas.canvas_geometry import paint_in_device_pixels
from viewer.ui.canvas.canvas_painter import Layer, compose, frame_layer
from viewer.ui.canvas.difference import Difference
from viewer.ui.canvas.frame_worker import RenderFrame, warm_up
from viewer.ui.canvas.grid_painter import paint_grid
from viewer.ui.canvas.hand import Hand
from viewer.ui.canvas.mark_painter import paint_mark
from viewer.ui.canvas.moving_view import MovingView
from viewer.ui.canvas.overlay_painter import OverlayPainter, OverlayRequest
from viewer.ui.canvas.pixel_values import PixelValuesLayer
from viewer.ui.canvas.scene_pane import ScenePane
from viewer.ui.canvas.split_painter import paint_name, paint_split
from viewer.ui.canvas.value_painter import values_from

KEY_STEP = 2.0**0.5
"""Two presses of a zoom key are a factor of two."""
BLACK = QColor(0, 0, 0)


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
    began_anew = Signal()
    """With another picture, from where such pictures are seen at first."""
    view_left = Signal(object)
    """The ViewState that a command is about to lead away from, to another place."""
    stepped = Signal(int)
    """Back (-1) or forward (1) is asked for by the mouse's own buttons."""
    clicked = Signal(float, float)
    """The left button, pressed and let go in the same place."""
    marking_changed = Signal()
    """Marks are wanted now, or none any more."""
    sides_changed = Signal()
    """The line that splits the view is elsewhere, or has come or gone."""
    overlay_counts = Signal(int, int, int)
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
        self._keep_view = False
        self._overlays = OverlayOptions()
        self._kernels_of: tuple[object, object] = (None, None)  # the drawing and its field
        self._background = QColor(32, 32, 34)
        self._pixel_grid = self._pixel_values = False
        self._mark: Inspected | None = None
        self._names = ("", "")
        self._figure = ""
        self._two_as = TwoAs.SIDES
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
        self._difference = Difference(self._beside, self._pane, self)
        self._difference.next_due.connect(partial(self._request, True))
        self._overlay_painter = OverlayPainter(self, clock)
        self._overlay_painter.counted.connect(self.overlay_counts)
        self._overlay_painter.counted.connect(lambda *_: self.update())
        self._overlay_painter.failed.connect(self.failed)
        self._values = PixelValuesLayer(self)
        self._values.ready.connect(self.update)
        self._moving = MovingView(self, clock)
        self._moving.moved.connect(self._view_moved)
        self._moving.rescaled.connect(self._rescaled)
        self._moving.anew.connect(self.began_anew)
        self._moving.left.connect(self.view_left)
        self._hand = Hand(self, self._moving, lambda: self.line_shown, clock)
        self._hand.cursor_moved.connect(self.cursor_moved)
        self._hand.cursor_left.connect(self.cursor_left)
        self._hand.clicked.connect(self.clicked)
        self._hand.stepped.connect(self.stepped)
        self._hand.line_moved.connect(self._line_moved)
        self._hand.box_changed.connect(self.update)

        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(64, 64)
        self.setAccessibleName("Picture")
        self.setAttribute(Qt.WidgetAttribute.WA_AcceptTouchEvents)

    # ---- what is shown ------------------------------------------------------------------------

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

    def set_scene(self, scene: Scene | None) -> None:
        """Show a scene. The view starts anew when it is another picture than before, unless it was announced by
        set_overview, or is of the same size and keep_view_next asked for that."""
        if scene is None:
            self._drop_scene()
            self._overview = None
            self._moving.opened = False
            self.update()
            return
        before = self._pane.scene
        same = before is not None and before.generation == scene.generation
        if not same:
            announced = before is None and self.has_picture
            if not announced:
                small = scene.overview
                self._overview = None if small is None else frame_layer(small)
            self._pane.drop_frame()
            self._overlay_painter.clear()
            self._kernels_of = (None, None)
            self._beside.drop_scene()
            self._pane.scene = scene
            if not (announced and self.view.extent == scene.extent):
                self._open(scene.extent)
        elif scene.overview is not None and before and scene.overview is not before.overview:
            self._overview = frame_layer(scene.overview)  # more of the picture is read
        if before is None or not same or before.method != scene.method:
            self._mark = None  # it was one of another field
        affected = not same or self._pane.affects_view(self.view, scene)
        self._pane.scene = scene
        if affected:
            self._request(moving=False, panes=(self._pane,))
        self._request_overlay(moving=False)
        self.update()

    def recentre_line(self) -> None:
        """Where a view is split from now on, the line is in its middle."""
        self._hand.recentre_line()

    def move_line(self, step: float) -> None:
        """Move the line to the right by so much of the canvas's width; negative: to the left."""
        self._hand.move_line(step)

    def set_beside(
        self, scene: Scene | None, names: tuple[str, str] = ("", ""), figure: str = ""
    ) -> None:
        """Show another scene of the picture left of a line, which can be drawn to and fro; None: no longer. figure: how
        near the right one comes to it, to be told with its name."""
        self._names, self._figure = names, figure
        pane, split = self._beside, self.split
        if scene is None:
            self._beside.drop_scene()
            self._hand.let_go_of_line()
        else:
            affected = pane.affects_view(self.view, scene)
            pane.scene = scene
            if affected:
                self._request(moving=False, panes=(pane,))
        if split != self.split:
            self._see_sides()
        self.update()

    @property
    def scene_beside(self) -> Scene | None:
        return self._beside.scene

    def set_two_as(self, way: TwoAs, gain: int) -> None:
        """How two scenes are shown, where there are two. gain: of their difference, see amplified_difference."""
        before, self._two_as = self._two_as, way
        self._difference.set_gain(gain)
        if way is not before:
            if way is TwoAs.DIFFERENCE:
                self._difference.take()
            elif way is TwoAs.SIDES:
                self._difference.clear()
            self._difference.let_go()
            self._hand.let_go_of_line()
            self._see_sides()
        self.update()

    @property
    def split(self) -> bool:
        """Whether two scenes are shown: beside each other, or one less the other."""
        return self._beside.scene is not None

    @property
    def line_shown(self) -> bool:
        return self.split and self._two_as is TwoAs.SIDES

    @property
    def differs(self) -> bool:
        """Whether the difference of two scenes is shown, or will be when it is there."""
        return self.split and self._two_as is TwoAs.DIFFERENCE

    @property
    def difference_text(self) -> str:
        """What is said of the difference."""
        states = self._beside.state(self.view), self._pane.state(self.view)
        far = self.view.scale < FIELD_FROM
        afar = far and self._beside.from_afar, far and self._pane.from_afar
        text = difference_text(self._names, states, afar, self._difference.gain)
        return f"{text}  {self._figure}" if self._figure else text

    def difference_at(self, x: float, y: float) -> tuple[float, ...] | None:
        """By how much the two scenes differ at a source point, RGB in [0, 1], not amplified; None where that is not
        shown, or not yet."""
        return self._difference.value_at(self.view, x, y) if self.differs else None

    def both_frames(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]] | None:
        """Copies of the exact frames (h, w, 4), BGRX, of this view on the left and on the right of the line, each as if
        it were there alone; None where they are not there yet, and below 100 %, where a method shows the picture."""
        left, right = self._beside.frame, self._pane.frame
        if left is None or right is None or not self.is_idle() or self.view.scale < FIELD_FROM:
            return None
        current = all(f.shows(self.view) for f in (left, right))
        if not current or left.bgrx.shape != right.bgrx.shape:
            return None
        return left.bgrx.copy(), right.bgrx.copy()

    @property
    def plates(self) -> tuple[str, str]:
        """What is said of the sides of the line: what is seen there, and what is lacking of it in this view."""
        left, right = self._names
        if self._figure:
            right = f"{right}  {self._figure}"
        return self._beside.plate(left, self.view), self._pane.plate(right, self.view)

    @property
    def line_share(self) -> float:
        """How much of the canvas's width lies left of the line."""
        return self._hand.line.share

    @property
    def seen_rect(self) -> tuple[float, float, float, float]:
        """(x0, y0, x1, y1) of what is seen of the scene, in source coordinates: what is right of the line."""
        return seen_source(self.view, self._columns(self._pane))

    @property
    def scene_at_cursor(self) -> Scene | None:
        """The scene on the side of the line that the mouse is on."""
        cursor = self._hand.cursor if self.line_shown else None
        left = cursor is not None and cursor.x() < self._hand.line.x(self.width())
        return self._beside.scene if left else self.scene

    def set_background(self, colour: QColor) -> None:
        self._background = QColor(colour)
        self.update()

    def set_overlays(self, options: OverlayOptions) -> None:
        if options != self._overlays:
            before, self._overlays = self._overlays, options
            self._request_overlay(moving=False)
            self.update()
            if options.any != before.any:
                self.marking_changed.emit()

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

    def set_pixel_values(self, shown: bool) -> None:
        """Whether the stored values of the source's pixels are written into them, where these have the room."""
        self._pixel_values = shown
        self.update()

    @property
    def values_from(self) -> float | None:
        """The scale from which values are written into the pixels; None where there is no picture that has any."""
        if self.scene is None or self.scene.picture is None:
            return None
        channels = self.scene.picture.channels
        return values_from(self.font(), channels, self._moving.grid.ratio)

    def set_touchpad_pans(self, pans: bool) -> None:
        """Whether two fingers on a touchpad pan (Ctrl: zoom) or the other way round."""
        self._hand.touchpad_pans = pans

    def set_coarse_first(self, allowed: bool) -> None:
        """Whether a coarser frame may go first where a full one takes longer than the budget."""
        for pane in (self._pane, self._beside):
            pane.worker.pacing.coarse_first = allowed

    def set_glide(self, seconds: float) -> None:
        """Duration of the glide of discrete commands; 0 switches it off."""
        self._moving.glide_seconds = max(0.0, seconds)

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

    def drop_box(self) -> bool:
        """Let go of the rectangle that is being dragged. Whether there was one."""
        return self._hand.drop_box()

    def advance(self) -> None:
        """One step of a running glide, by the clock."""
        self._moving.advance()

    # ---- state --------------------------------------------------------------------------------

    def is_idle(self) -> bool:
        """Whether everything asked for is on screen: no glide, no frame or overlay under way."""
        panes = self._pane.idle and self._beside.idle
        idle = panes and self._overlay_painter.idle and not self._difference.held_back
        return idle and self._values.idle and not self._moving.gliding

    @property
    def rests(self) -> bool:
        """Whether what is on screen is exact and stays as it is: a method that goes on with its work is not there."""
        panes = [pane for pane in (self._pane, self._beside) if pane.scene is not None]
        return (
            bool(panes)
            and not self._moving.gliding
            and not self._difference.held_back
            and all(p.rests_at(self.view, self._columns(p)) for p in panes)
        )

    @property
    def sides(self) -> list[tuple[Scene, int, int]]:
        """The scenes that are shown, each with its first column and one past its last, device pixels of the canvas."""
        width = self.view.size[0]
        column = self._hand.line.column(width) if self.line_shown else 0
        left = width if self.differs else column
        sides = ((self._beside.scene, 0, left), (self._pane.scene, column, width))
        return [(scene, a, b) for scene, a, b in sides if scene is not None and a < b]

    def grab_frame(self) -> QImage:
        """The visible part of the picture as shown, in device pixels, without overlays (a copy)."""
        left, top, right, bottom = self.view.picture_rect
        if not self.has_picture or right <= left or bottom <= top:
            return QImage()
        image = QImage(right - left, bottom - top, QImage.Format.Format_RGB32)
        painter = QPainter(image)
        painter.translate(-left, -top)
        self._compose(painter, None)
        painter.end()
        return image

    def _compose(self, painter: QPainter, overlay: Layer | None) -> None:
        width, height = self.view.size
        difference = self._difference_layer()
        if difference is not None:
            # What no difference is known of is black.
            compose(painter, self.view, self._background, None, difference, overlay, empty=BLACK)
            return
        column = self._hand.line.column(width) if self.line_shown else 0
        for pane, marks, left, right in (
            (self._beside, None, 0, column),
            (self._pane, overlay, column, width),
        ):
            if left < right:
                painter.setClipRect(left, 0, right - left, height)
                compose(
                    painter,
                    self.view,
                    self._background,
                    self._overview,
                    pane.layer,
                    marks,
                    pane.rows,
                )
        painter.setClipping(False)

    def _difference_layer(self) -> Layer | None:
        """What is seen in the place of the scenes. Until there is a first difference the right scene is."""
        if not self.split or self._two_as is TwoAs.SIDES:
            return None
        if self._two_as is TwoAs.RIGHT_ALONE and self._pane.frame_is_current:
            return None
        return self._difference.shown()

    def shutdown(self) -> None:
        """End the threads (within a second). Nothing is rendered after that."""
        if self._closed:
            return
        self._closed = True
        self._moving.stop()
        self._difference.let_go()
        # All are told first, so that they end side by side.
        workers = (self._pane.worker, self._beside.worker, self._overlay_painter, self._values)
        for worker in workers:
            worker.end()
        for worker in workers:
            worker.close()

    # ---- Qt events ----------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        began = time.perf_counter()
        self._moving.sync()
        ratio = self._moving.grid.ratio
        painter = QPainter(self)
        paint_in_device_pixels(painter)
        if self.has_picture:
            self._compose(painter, self._overlay_painter.layer)
            if self._pixel_grid:
                paint_grid(painter, self.view, ratio)
            if self._pixel_values and self.scene is not None and not self.differs:
                self._values.paint(painter, self.view, self.scene, self.font(), ratio)
            if self._mark is not None:
                paint_mark(painter, self.view, self._mark, self._overlays.sigma, ratio)
            size = self.view.size
            if self.line_shown:
                column = self._hand.line.column(size[0])
                paint_split(painter, size, column, self.plates, self.font(), ratio)
            elif self.differs:
                paint_name(painter, size[0], self.difference_text, self.font(), ratio)
            if self._hand.box is not None:
                paint_box(painter, size, self._hand.box, ratio)
        else:
            painter.fillRect(0, 0, *self.view.size, self._background)
        painter.end()
        self.painted.emit(time.perf_counter() - began)

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

    def closeEvent(self, event: QEvent) -> None:
        self.shutdown()
        super().closeEvent(event)  # type: ignore[arg-type]

    # ---- moving the view ----------------------------------------------------------------------

    def _open(self, extent: tuple[int, int]) -> None:
        self._moving.open(extent, self._keep_view)
        self._request(moving=False)
        self._show_view()

    def _view_moved(self) -> None:
        if self.has_picture:
            self._request(moving=True)
            self._request_overlay(moving=True)
        self._show_view()

    def _rescaled(self) -> None:
        self._request_overlay(moving=False)

    def _show_view(self) -> None:
        self.update()
        self.view_changed.emit()
        self._hand.point_again()

    def _line_moved(self) -> None:
        self._see_sides()
        self.update()

    # ---- frames -------------------------------------------------------------------------------

    def _request(self, moving: bool, panes: tuple[ScenePane, ...] = ()) -> None:
        """Ask for frames, of all panes or of some."""
        if self._closed:
            return
        self._choose_ground()
        level = None
        if self.differs:
            if moving and self._difference.holds_back():
                return
            moving = moving and not self._difference.in_full(self.view)
            level = self._difference.level(self.view) if moving else None
            if not panes:
                self._difference.let_go()
        cursor = self._hand.cursor
        row = None if cursor is None else self._moving.grid.to_device(cursor)[1]
        for pane in panes or (self._pane, self._beside):
            pane.request(self.view, moving, row, self._columns(pane), level)

    def _choose_ground(self) -> None:
        """What transparent parts stand on: what is subtracted, on no squares."""
        self._pane.plain = self.differs
        self._beside.plain = self.split and self._two_as is not TwoAs.SIDES

    def _columns(self, pane: ScenePane) -> Columns | None:
        """Those that are seen of a scene; None: all."""
        if not self.line_shown:
            return None
        width = self.view.size[0]
        column = self._hand.line.column(width)
        return (0, column) if pane is self._beside else (column, width)

    def _see_sides(self) -> None:
        """The line is elsewhere, or there is none any more: what is not there of a side is asked for."""
        self._choose_ground()
        for pane in (self._pane, self._beside):
            if self.has_picture and pane.lacks(self.view, self._columns(pane)):
                self._request(moving=False, panes=(pane,))
        self._request_overlay(moving=True)
        self.sides_changed.emit()

    def _request_overlay(self, moving: bool) -> None:
        scene = self.scene
        if scene is None or self._closed:
            return
        self._overlay_painter.request(
            OverlayRequest(
                scene,
                self.view,
                self._overlays,
                self._moving.grid.ratio,
                moving,
                self._clock(),
                self._columns(self._pane),
            )
        )

    def _show_frame(self, frame: Frame) -> None:
        self._keep_as_overview(frame)
        self._follow_kernels(frame)
        self._subtract()
        self.update()
        self.frame_shown.emit(frame)

    def _follow_kernels(self, frame: Frame) -> None:
        """A method that draws every view has kernels once it has drawn one, and one that is fitted others with every
        frame: the marks are of those."""
        scene = self.scene
        if scene is None or frame.field_share == 0:
            return
        field = getattr(scene.drawing, "field", None)
        before, self._kernels_of = self._kernels_of, (scene.drawing, field)
        changed = any(a is not b for a, b in zip(before, self._kernels_of, strict=True))
        if changed and scene.drawing is not None:
            self._request_overlay(moving=False)

    def _show_beside(self, frame: Frame) -> None:
        self._subtract()
        self.update()
        self.beside_shown.emit(frame)

    def _subtract(self) -> None:
        if self.differs:
            self._difference.take()

    def _show_rows(self, pane: ScenePane) -> None:
        if pane.rows is None:
            return
        # No more is painted than what is new: in a large window the rest takes as long as a band.
        rect = pane.rows.rect
        top, bottom = (
            (v - self._moving.grid.shift[1]) / self._moving.grid.ratio
            for v in (self.view.to_device(0.0, rect[1])[1], self.view.to_device(0.0, rect[3])[1])
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

    def _drop_scene(self) -> None:
        self._pane.drop_scene()
        self._beside.drop_scene()
        self._difference.clear()
        self._mark = None
        self._overlay_painter.clear()
        self._kernels_of = (None, None)
