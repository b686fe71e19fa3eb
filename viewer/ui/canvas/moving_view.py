"""The view of a widget, or of each of its two panes, and how it gets to another: at once, in a glide, or with the size
of the widget."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QWidget

from viewer.model.view.motion import GLIDE_SECONDS, Glide
from viewer.model.view.view_state import ViewState
from viewer.ui.canvas.canvas_geometry import DeviceGrid

TICK_MS = 8


class MovingView(QObject):
    """view: the ViewState. grid: the physical pixels of the widget. opened: whether there is a picture to be seen.
    glide_seconds: how long a glide takes; 0: there are none. clock: seconds."""

    moved = Signal()
    """`view` is another."""
    rescaled = Signal()
    """The same view, on physical pixels of another size."""
    anew = Signal()
    """Another picture is there, and is seen from where such pictures are at first."""
    asked = Signal()
    """Somebody who wants to be elsewhere has said so by a command, or by opening another picture."""
    left = Signal(object)
    """This view, by a command that leads to another place; told before."""
    jumps = Signal(object)
    """To this view, at once; told before."""

    def __init__(self, widget: QWidget, clock: Callable[[], float]) -> None:
        super().__init__(widget)
        self._widget, self._clock = widget, clock
        self.view = ViewState((1, 1), (1, 1))
        self.grid = DeviceGrid(1.0, (0.0, 0.0), (1, 1))
        self.opened = False
        self._two_panes = False
        self.glide_seconds = GLIDE_SECONDS
        self._glide: Glide | None = None
        self._follows: str | None = None  # ViewState.follow, where somebody has asked for that
        self._resized: tuple[ViewState, ViewState] | None = None
        self._ticks = QTimer(self)
        self._ticks.setTimerType(Qt.TimerType.PreciseTimer)
        self._ticks.setInterval(TICK_MS)
        self._ticks.timeout.connect(self.advance)

    @property
    def gliding(self) -> bool:
        return self._glide is not None

    @property
    def target(self) -> ViewState:
        """Where a running glide will end, else the view."""
        return self._glide.target if self._glide is not None else self.view

    def open(self, extent: tuple[int, int], keep: bool = False) -> None:
        """Another picture, of (height, width), which is seen anew. keep: from where the one before was, if it is of its
        size; fitted as that was, where it was so by a command."""
        kept = keep and self.opened and self.view.extent == extent
        if not (keep and self.opened):
            self._follows = None
        self.stop()
        self.asked.emit()
        self.opened = True
        self.sync()
        if not kept:
            view = ViewState.opening(extent, self.grid.size)
            fitted = {"fit": view.fit, "fill": view.fill}
            self.view = fitted[self._follows]() if self._follows else view
            self.anew.emit()

    def jump_to(self, view: ViewState) -> None:
        """A direct movement: it goes on from wherever a glide is, without delay."""
        self.jumps.emit(view)
        self.stop()
        self._follows = view.follow
        self._move_to(view)

    def glide_to(self, target: ViewState) -> None:
        if not self.opened:
            return
        self.asked.emit()
        if self.glide_seconds <= 0.0 or not self._widget.isVisible():
            self.jump_to(target)
            return
        self._follows = target.follow
        self._glide = Glide(self.view, target, self._clock, self.glide_seconds)
        self._ticks.start()

    def leave_for(self, target: ViewState) -> None:
        """A glide to another place."""
        if self.opened:
            self.left.emit(self.target)
            self.glide_to(target)

    def set_view(self, view: ViewState) -> None:
        """At once, by no movement of anybody (its canvas size is made to match)."""
        self.stop()
        self._follows = self._follows if view.follow == self._follows else None
        self._move_to(view.resized(self.grid.size))

    def advance(self) -> None:
        """One step of a running glide, by the clock."""
        if self._glide is None:
            self._ticks.stop()
            return
        glide = self._glide
        if glide.finished:
            self.stop()
            self._move_to(glide.target)
        else:
            self._move_to(glide.view())

    def stop(self) -> None:
        """A glide ends where it is."""
        self._glide = None
        self._ticks.stop()

    def set_two_panes(self, two: bool) -> None:
        """Whether the widget shows the view twice, side by side; the middle of it stays where it is."""
        self._two_panes = two
        self.sync()

    def sync(self) -> None:
        """Take note of the widget's physical pixels: size, ratio or position have changed."""
        grid = DeviceGrid.of(self._widget, self._two_panes)
        if grid == self.grid:
            return
        ratio, self.grid = self.grid.ratio, grid
        if self._glide is not None:
            glide = self._glide
            self.stop()
            self.view = glide.target
        # All sizes in a row from the view before the first: each is rounded to whole pixels, and half of one lost with
        # every step of a dragged corner would be the whole middle.
        begun = self.view
        if self._resized is not None and self._resized[0] == self.view:
            begun = self._resized[1]
        view = begun.resized(grid.size)
        if view == self.view and ratio != grid.ratio:
            self.rescaled.emit()  # the same pixels, but lines of another width
        self._move_to(view)
        self._resized = self.view, begun

    def _move_to(self, view: ViewState) -> None:
        if view != self.view:
            self.view = view
            self.moved.emit()
