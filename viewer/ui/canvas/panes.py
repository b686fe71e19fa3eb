"""The scene that the canvas shows and, where there are two, the one beside it: their frames, what is said of them, and
how they are laid out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QRect, Signal
from PySide6.QtGui import QColor, QPainter

from viewer.model.difference import TwoAs, difference_text
from viewer.model.frames.frame import Columns, seen_source
from viewer.model.frames.frame_renderer import FIELD_FROM
from viewer.model.frames.scene import Scene
from viewer.model.view.view_state import ViewState
from viewer.ui.canvas.canvas_painter import Layer, compose
from viewer.ui.canvas.difference import Difference
from viewer.ui.canvas.frame_worker import RenderFrame
from viewer.ui.canvas.hand import Hand
from viewer.ui.canvas.moving_view import MovingView
from viewer.ui.canvas.scene_pane import ScenePane

BLACK = QColor(0, 0, 0)
SUBTRACTED = (TwoAs.DIFFERENCE, TwoAs.RIGHT_ALONE)


class Side(NamedTuple):
    """Where a scene is shown: from its first column to one past its last, device pixels of the view; of two panes in
    the left one (0) or the right one (1)."""

    scene: Scene
    first: int
    end: int
    pane: int = 0


class Panes(QObject):
    """Under one view, which `moving` has, and the line in it, which `hand` holds.

    right: the scene that is shown. left: the one beside it, left of the line; without one it has no scene. names: of
    the left and the right one.
    """

    sides_changed = Signal()
    """The line that splits the view is elsewhere, or has come or gone."""
    failed = Signal(str)
    remarked = Signal(str)

    def __init__(
        self,
        parent: QObject,
        moving: MovingView,
        hand: Hand,
        render: RenderFrame | None,
        prepare: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        super().__init__(parent)
        self._moving, self._hand = moving, hand
        self.names = ("", "")
        self._figure = ""
        self._two_as = TwoAs.SIDES
        self._closed = False
        self.right = ScenePane(self, render, prepare, clock)
        self.left = ScenePane(self, None, prepare, clock)
        for pane in (self.right, self.left):
            pane.frame_taken.connect(self._subtract)
            pane.failed.connect(self.failed)
            pane.remarked.connect(self.remarked)
        self.difference = Difference(self.left, self.right, self)
        self.difference.next_due.connect(partial(self.request, True))
        hand.line_moved.connect(self._see_sides)

    # ---- two scenes ---------------------------------------------------------------------------

    @property
    def split(self) -> bool:
        """Whether two scenes are shown: beside each other, or one less the other."""
        return self.left.scene is not None

    @property
    def line_shown(self) -> bool:
        return self.split and self._two_as is TwoAs.SIDES

    @property
    def two_panes(self) -> bool:
        """Whether each of two scenes has a pane of its own, in which all of the view is; also until both are there."""
        return self._two_as is TwoAs.PANES

    @property
    def differs(self) -> bool:
        """Whether the difference of two scenes is shown, or will be when it is there."""
        return self.split and self._two_as is TwoAs.DIFFERENCE

    @property
    def column(self) -> int:
        """The first device pixel right of the line; 0 where there is none."""
        return self._hand.line.column(self._view.size[0]) if self.line_shown else 0

    def set_beside(self, scene: Scene | None, names: tuple[str, str], figure: str) -> None:
        """See Canvas."""
        self.names, self._figure = names, figure
        split = self.split
        if scene is None:
            self.left.drop_scene()
            self._hand.let_go_of_line()
        else:
            affected = self.left.affects_view(self._view, scene)
            self.left.scene = scene
            if affected:
                self.request(moving=False, panes=(self.left,))
        if split != self.split:
            self._see_sides()

    def set_two_as(self, way: TwoAs, gain: int) -> None:
        """See Canvas."""
        before, self._two_as = self._two_as, way
        self.difference.set_gain(gain)
        if way is not before:
            if way is TwoAs.DIFFERENCE:
                self.difference.take()
            elif way is not TwoAs.RIGHT_ALONE:
                self.difference.clear()
            self.difference.let_go()
            self._hand.let_go_of_line()
            self._moving.set_two_panes(self.two_panes)
            self._see_sides()

    def drop_scenes(self) -> None:
        self.right.drop_scene()
        self.left.drop_scene()
        self.difference.clear()

    # ---- what is said of them -----------------------------------------------------------------

    @property
    def plates(self) -> tuple[str, str]:
        """What is said of the sides of the line: what is seen there, and what is lacking of it in this view."""
        left, right = self.names
        if self._figure:
            right = f"{right}  {self._figure}"
        return self.left.plate(left, self._view), self.right.plate(right, self._view)

    @property
    def difference_text(self) -> str:
        """What is said of the difference."""
        states = self.left.state(self._view), self.right.state(self._view)
        far = self._view.scale < FIELD_FROM
        afar = far and self.left.from_afar, far and self.right.from_afar
        text = difference_text(self.names, states, afar, self.difference.gain)
        return f"{text}  {self._figure}" if self._figure else text

    # ---- what is seen of them -----------------------------------------------------------------

    @property
    def sides(self) -> list[Side]:
        """The scenes that are shown, and where."""
        width, column = self._view.size[0], self.column
        end = width if self.differs or self.two_panes else column
        pane = int(self.two_panes)
        sides = ((self.left.scene, 0, end, 0), (self.right.scene, column, width, pane))
        return [Side(scene, a, b, k) for scene, a, b, k in sides if scene is not None and a < b]

    @property
    def seen_rect(self) -> tuple[float, float, float, float]:
        """(x0, y0, x1, y1) of what is seen of the right scene, in source coordinates: what is right of the line."""
        return seen_source(self._view, self.columns(self.right))

    @property
    def at_cursor(self) -> Scene | None:
        """The scene on the side of the line, or in the pane, that the mouse is on."""
        if self.two_panes:
            on_left = self._hand.is_in_left_pane
        else:
            on_left = self.line_shown and self._hand.is_left_of_line
        return (self.left if on_left else self.right).scene

    def difference_at(self, x: float, y: float) -> tuple[float, ...] | None:
        """By how much the two scenes differ at a source point, RGB in [0, 1], not amplified; None where that is not
        shown, or not yet."""
        return self.difference.value_at(self._view, x, y) if self.differs else None

    def both_frames(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]] | None:
        """Copies of the exact frames (h, w, 4), BGRX, of this view on the left and on the right of the line, each as if
        it were there alone; None where they are not there yet, and below 100 %, where a method shows the picture."""
        left, right = self.left.frame, self.right.frame
        if left is None or right is None or self._view.scale < FIELD_FROM:
            return None
        current = all(f.shows(self._view) for f in (left, right))
        if not current or left.bgrx.shape != right.bgrx.shape:
            return None
        return left.bgrx.copy(), right.bgrx.copy()

    def columns(self, pane: ScenePane) -> Columns | None:
        """Those that are seen of a scene; None: all."""
        if not self.line_shown:
            return None
        return (0, self.column) if pane is self.left else (self.column, self._view.size[0])

    # ---- frames -------------------------------------------------------------------------------

    def request(self, moving: bool, panes: tuple[ScenePane, ...] = ()) -> None:
        """Ask for frames, of all panes or of some."""
        if self._closed:
            return
        self._choose_ground()
        level = None
        if self.differs:
            if moving and self.difference.holds_back():
                return
            moving = moving and not self.difference.in_full(self._view)
            level = self.difference.level(self._view) if moving else None
            if not panes:
                self.difference.let_go()
        cursor = self._hand.cursor
        row = None if cursor is None else self._moving.grid.to_device(cursor)[1]
        for pane in panes or (self.right, self.left):
            pane.request(self._view, moving, row, self.columns(pane), level)

    @property
    def idle(self) -> bool:
        """Whether every frame that was asked for is there."""
        return self.right.idle and self.left.idle and not self.difference.held_back

    @property
    def rests(self) -> bool:
        """Whether the frames are exact and stay as they are: a method that goes on with its work is not there."""
        panes = [pane for pane in (self.right, self.left) if pane.scene is not None]
        at_rest = all(p.rests_at(self._view, self.columns(p)) for p in panes)
        return bool(panes) and not self.difference.held_back and at_rest

    def stop(self) -> None:
        """No more frames are asked for."""
        self._closed = True
        self.difference.let_go()

    @property
    def _view(self) -> ViewState:
        return self._moving.view

    def _choose_ground(self) -> None:
        """What transparent parts stand on: what is subtracted, on no squares."""
        self.right.plain = self.differs
        self.left.plain = self.split and self._two_as in SUBTRACTED

    def _see_sides(self) -> None:
        """The line is elsewhere, or there is none any more: what is not there of a side is asked for."""
        self._choose_ground()
        for pane in (self.right, self.left):
            if self._moving.opened and pane.lacks(self._view, self.columns(pane)):
                self.request(moving=False, panes=(pane,))
        self.sides_changed.emit()

    def _subtract(self) -> None:
        if self.differs:
            self.difference.take()

    # ---- painting -----------------------------------------------------------------------------

    def paint(
        self,
        painter: QPainter,
        background: QColor,
        overview: Layer | None,
        overlay: Layer | None,
        step: int | None = None,
    ) -> None:
        """Both of them, or their difference; see canvas_painter.compose. overlay: of the right scene. step: columns
        from the picture in one of two panes to that in the other, without what is around it; None: as on the canvas."""
        view = self._view
        width, height = view.size
        difference = self._difference_layer()
        if difference is not None:
            # What no difference is known of is black.
            compose(painter, view, background, None, difference, overlay, empty=BLACK)
            return
        if not self.two_panes:
            parts = (
                QRect(0, 0, self.column, height),
                QRect(self.column, 0, width - self.column, height),
            )
            shift = 0
        elif step is None:
            parts = (QRect(0, 0, width, height),) * 2
            shift = self._moving.grid.step
        else:
            left, top, right, bottom = view.picture_rect
            parts = (QRect(left, top, right - left, bottom - top),) * 2
            shift = step
        for pane, marks, at, part in (
            (self.left, None, 0, parts[0]),
            (self.right, overlay, shift, parts[1]),
        ):
            if not part.isEmpty():
                painter.save()
                painter.translate(at, 0)
                painter.setClipRect(part)
                compose(painter, view, background, overview, pane.layer, marks, pane.rows)
                painter.restore()

    def _difference_layer(self) -> Layer | None:
        """What is seen in the place of the scenes. Until there is a first difference the right scene is."""
        if not self.split or self._two_as not in SUBTRACTED:
            return None
        if self._two_as is TwoAs.RIGHT_ALONE and self.right.frame_is_current:
            return None
        return self.difference.shown()
