"""The canvas: shows a scene under a view. What moves the view is in ViewWidget, what is shown of two scenes in Panes.

For the window around it:

    canvas = Canvas(parent)
    canvas.set_overview(qimage, (width, height))   a new picture is being opened: a first look at it
    canvas.set_scene(scene)                        the picture is there; again for every built tile
    canvas.set_scene(None)                         nothing to show
    canvas.keep_view_next(bool)                    whether the next picture of the same size keeps the view
    canvas.set_beside(scene, names)                another scene of it left of a line, None: none; names of the sides
    canvas.set_two_as(TwoAs, gain)                 two scenes by a line, in two panes, or gain times their difference
    canvas.view                                    the ViewState (scale, origin, size; read-only), of each pane
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
marking_changed(), sides_changed(), overlay_counts(shown, in_view, chosen), failed(message), remarked(message).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from viewer.model.difference import TwoAs
from viewer.model.frames.frame import Frame
from viewer.model.frames.scene import Scene
from viewer.model.overlays.inspector import Inspected
from viewer.model.overlays.overlay_options import OverlayOptions
from viewer.ui.canvas.box_painter import paint_box
from viewer.ui.canvas.canvas_geometry import paint_in_device_pixels
from viewer.ui.canvas.canvas_painter import Layer, frame_layer
from viewer.ui.canvas.frame_worker import RenderFrame, warm_up
from viewer.ui.canvas.grid_painter import paint_grid
from viewer.ui.canvas.mark_painter import paint_mark
from viewer.ui.canvas.overlay_painter import OverlayPainter, OverlayRequest
from viewer.ui.canvas.pane_painter import cross_rect, paint_cross, paint_parting
from viewer.ui.canvas.panes import Panes, Side
from viewer.ui.canvas.pixel_values import PixelValuesLayer
from viewer.ui.canvas.scene_pane import ScenePane
from viewer.ui.canvas.split_painter import paint_name, paint_split
from viewer.ui.canvas.value_painter import values_from
from viewer.ui.canvas.view_widget import ViewWidget


class Canvas(ViewWidget):
    """See the module's docstring. `render`, `prepare` and `clock` are there to be replaced in tests."""

    frame_shown = Signal(object)
    beside_shown = Signal(object)
    """As frame_shown, of the scene beside."""
    painted = Signal(float)
    """At the end of a paint event: the seconds it took, for measurements."""
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
        super().__init__(parent, lambda: self.line_shown, clock)
        self._clock = clock
        self._overview: Layer | None = None
        self._keep_view = False
        self._overlays = OverlayOptions()
        self._kernels_of: tuple[object, object] = (None, None)  # the drawing and its field
        self._background = QColor(32, 32, 34)
        self._pixel_grid = self._pixel_values = False
        self._mark: Inspected | None = None
        self._cross: QRectF | None = None  # in the pane that the mouse is not in
        self._closed = False

        self._panes = Panes(self, self._moving, self._hand, render, prepare, clock)
        self._panes.sides_changed.connect(partial(self._request_overlay, True))
        self._panes.sides_changed.connect(self.sides_changed)
        self._panes.failed.connect(self.failed)
        self._panes.remarked.connect(self.remarked)
        self._pane = self._panes.right
        self._pane.frame_taken.connect(self._show_frame)
        self._panes.left.frame_taken.connect(self._show_beside)
        for pane in (self._pane, self._panes.left):
            pane.rows_taken.connect(partial(self._show_rows, pane))
        self._overlay_painter = OverlayPainter(self, clock)
        self._overlay_painter.counted.connect(self.overlay_counts)
        self._overlay_painter.counted.connect(lambda *_: self.update())
        self._overlay_painter.failed.connect(self.failed)
        self._values = PixelValuesLayer(self)
        self._values.ready.connect(self.update)
        self._moving.rescaled.connect(partial(self._request_overlay, False))
        self.cursor_moved.connect(self._follow_cursor)
        self.cursor_left.connect(self._follow_cursor)

        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(64, 64)
        self.setAccessibleName("Picture")

    # ---- what is shown ------------------------------------------------------------------------

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
            self._panes.left.drop_scene()
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
            self._panes.request(moving=False, panes=(self._pane,))
        self._request_overlay(moving=False)
        self.update()

    def set_beside(
        self, scene: Scene | None, names: tuple[str, str] = ("", ""), figure: str = ""
    ) -> None:
        """Show another scene of the picture left of a line, which can be drawn to and fro; None: no longer. figure: how
        near the right one comes to it, to be told with its name."""
        self._panes.set_beside(scene, names, figure)
        self.update()

    def set_two_as(self, way: TwoAs, gain: int) -> None:
        """How two scenes are shown, where there are two. gain: of their difference, see amplified_difference."""
        self._panes.set_two_as(way, gain)
        self.update()

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

    def set_coarse_first(self, allowed: bool) -> None:
        """Whether a coarser frame may go first where a full one takes longer than the budget."""
        for pane in (self._pane, self._panes.left):
            pane.worker.pacing.coarse_first = allowed

    # ---- two scenes: see Panes ----------------------------------------------------------------

    @property
    def scene_beside(self) -> Scene | None:
        return self._panes.left.scene

    @property
    def split(self) -> bool:
        return self._panes.split

    @property
    def line_shown(self) -> bool:
        return self._panes.line_shown

    @property
    def two_panes(self) -> bool:
        return self._panes.two_panes

    @property
    def differs(self) -> bool:
        return self._panes.differs

    @property
    def difference_text(self) -> str:
        return self._panes.difference_text

    def difference_at(self, x: float, y: float) -> tuple[float, ...] | None:
        return self._panes.difference_at(x, y)

    def both_frames(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]] | None:
        return self._panes.both_frames() if self.is_idle() else None

    @property
    def plates(self) -> tuple[str, str]:
        return self._panes.plates

    @property
    def seen_rect(self) -> tuple[float, float, float, float]:
        return self._panes.seen_rect

    @property
    def scene_at_cursor(self) -> Scene | None:
        return self._panes.at_cursor

    @property
    def sides(self) -> list[Side]:
        return self._panes.sides

    # ---- state --------------------------------------------------------------------------------

    def is_idle(self) -> bool:
        """Whether everything asked for is on screen: no glide, no frame or overlay under way."""
        idle = self._panes.idle and self._overlay_painter.idle and self._values.idle
        return idle and not self._moving.gliding

    @property
    def rests(self) -> bool:
        """Whether what is on screen is exact and stays as it is: a method that goes on with its work is not there."""
        return self._panes.rests and not self._moving.gliding

    def grab_frame(self) -> QImage:
        """The visible part of the picture as shown, in device pixels, without overlays (a copy). Of two panes both, the
        right one at the right end."""
        left, top, right, bottom = self.view.picture_rect
        if not self.has_picture or right <= left or bottom <= top:
            return QImage()
        grid = self._moving.grid
        step = right - left + grid.step - grid.size[0] if self.two_panes else 0
        image = QImage(right - left + step, bottom - top, QImage.Format.Format_RGB32)
        image.fill(self._background)
        painter = QPainter(image)
        painter.translate(-left, -top)
        self._panes.paint(painter, self._background, self._overview, None, step)
        painter.end()
        return image

    def shutdown(self) -> None:
        """End the threads (within a second). Nothing is rendered after that."""
        if self._closed:
            return
        self._closed = True
        self._moving.stop()
        self._panes.stop()
        # All are told first, so that they end side by side.
        frames = self._pane.worker, self._panes.left.worker
        workers = (*frames, self._overlay_painter, self._values)
        for worker in workers:
            worker.end()
        for worker in workers:
            worker.close()

    # ---- Qt events ----------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        began = time.perf_counter()
        self._moving.sync()
        grid = self._moving.grid
        painter = QPainter(self)
        paint_in_device_pixels(painter)
        if self.has_picture:
            marks = self._overlay_painter.layer
            self._panes.paint(painter, self._background, self._overview, marks)
            if self.two_panes:
                for at, mark, name in zip(grid.panes, (None, self._mark), self.plates, strict=True):
                    self._paint_over(painter, at, mark, name if self.split else "")
                if self._hand.cursor is not None:
                    paint_cross(painter, grid, self._hand.cursor)
                paint_parting(painter, grid)
            else:
                self._paint_over(
                    painter, 0, self._mark, self.difference_text if self.differs else ""
                )
            if self.line_shown:
                names, column = self.plates, self._panes.column
                paint_split(painter, grid.size, column, names, self.font(), grid.ratio)
        else:
            painter.fillRect(0, 0, grid.width, grid.size[1], self._background)
        painter.end()
        self.painted.emit(time.perf_counter() - began)

    def _paint_over(self, painter: QPainter, at: int, mark: Inspected | None, name: str) -> None:
        """What lies on the frames of a pane that begins with column `at`. name: of what is seen there."""
        view, ratio, box = self.view, self._moving.grid.ratio, self._hand.box
        painter.save()
        painter.translate(at, 0)
        painter.setClipRect(0, 0, *view.size)
        if self._pixel_grid:
            paint_grid(painter, view, ratio)
        if self._pixel_values and self.scene is not None and not self.differs:
            self._values.paint(painter, view, self.scene, self.font(), ratio)
        if mark is not None:
            paint_mark(painter, view, mark, self._overlays.sigma, ratio)
        if name:
            paint_name(painter, view.size[0], name, self.font(), ratio)
        if box is not None:
            paint_box(painter, view.size, box, ratio)
        painter.restore()

    def _follow_cursor(self) -> None:
        """The cross in the other pane is where the mouse was."""
        cursor, before = self._hand.cursor, self._cross
        shown = self.two_panes and cursor is not None
        self._cross = cross_rect(self._moving.grid, cursor) if shown and cursor else None
        if self._cross != before:
            for rect in filter(None, (before, self._cross)):
                self.update(rect.toAlignedRect())

    def closeEvent(self, event: QEvent) -> None:
        self.shutdown()
        super().closeEvent(event)  # type: ignore[arg-type]

    # ---- moving the view ----------------------------------------------------------------------

    def _open(self, extent: tuple[int, int]) -> None:
        self._moving.open(extent, self._keep_view)
        self._panes.request(moving=False)
        self._show_view()

    def _view_moved(self) -> None:
        if self.has_picture:
            self._panes.request(moving=True)
            self._request_overlay(moving=True)
        super()._view_moved()

    # ---- frames and marks ---------------------------------------------------------------------

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
                self._panes.columns(self._pane),
            )
        )

    def _show_frame(self, frame: Frame) -> None:
        self._keep_as_overview(frame)
        self._follow_kernels(frame)
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
        self.update()
        self.beside_shown.emit(frame)

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
        self._panes.drop_scenes()
        self._mark = None
        self._overlay_painter.clear()
        self._kernels_of = (None, None)
