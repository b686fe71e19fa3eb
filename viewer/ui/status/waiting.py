"""What is waited for until a picture is shown as asked: kernels that are compiled, a network that reads it first."""

from __future__ import annotations

import weakref

from PySide6.QtCore import QObject, Signal

from viewer.model.frames.frame import Frame
from viewer.model.frames.frame_renderer import FIELD_FROM
from viewer.model.methods import method_title
from viewer.ui.canvas.canvas import Canvas
from viewer.ui.workers.warm_up_worker import WarmUpWorker


class Waiting(QObject):
    """Of the newest picture in a canvas. warm_up: what prepares the kernels."""

    changed = Signal(str)
    """What is waited for, in a few words; empty: nothing. Also where it is the same as before."""

    def __init__(
        self, canvas: Canvas, warm_up: WarmUpWorker, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self._preparing = False  # the kernels
        self._marks_ready = False  # their kernels
        # The drawing that the newest frame is of: it holds a picture, which may be closed.
        self._drawn: weakref.ref[object] | None = None
        warm_up.ready.connect(self._kernels_prepared)
        warm_up.failed.connect(self._give_up)
        warm_up.marks_ready.connect(self._marks_prepared)
        canvas.overlay_counts.connect(self._marks_drawn)
        canvas.frame_shown.connect(self._frame_shown)
        canvas.view_changed.connect(self.look)
        canvas.failed.connect(self._give_up)

    def begin(self) -> None:
        """A picture is being opened."""
        from gaussian_core import rasterizer

        self._preparing = not rasterizer.is_warm()
        self.look()

    def look(self) -> None:
        """Something else may be waited for, or nothing any more."""
        text = ""
        if self._preparing:
            text = "Preparing to draw (longer at the first start)…"
        elif title := self.undrawn:
            text = f"{title} reads the picture…"
        elif self._canvas.overlays.any and self._canvas.has_picture and not self._marks_ready:
            text = "Preparing the marks…"
        self.changed.emit(text)

    @property
    def preparing(self) -> bool:
        """Whether the kernels are, before which no method is drawn by."""
        return self._preparing

    @property
    def undrawn(self) -> str:
        """The title of a method that is asked for every pixel and has not shown any of this picture yet, else empty."""
        scene = self._canvas.scene
        drawn = None if self._drawn is None else self._drawn()
        if scene is None or scene.drawing is None or scene.drawing is drawn:
            return ""
        seen = self._canvas.view.scale >= FIELD_FROM
        marked = self._canvas.overlays.any and getattr(scene.drawing, "unknown", False)
        return (
            method_title(scene.method) if seen or (marked and scene.drawing.marked_unseen) else ""
        )

    def _kernels_prepared(self) -> None:
        self._preparing = False
        self.look()

    def _marks_prepared(self) -> None:
        self._marks_ready = True
        self.look()

    def _marks_drawn(self, shown: int, in_view: int) -> None:
        if shown and not self._marks_ready:
            self._marks_prepared()
        self.look()

    def _give_up(self) -> None:
        """What is waited for does not come, and it was said why."""
        self._preparing = False
        self._wait_no_longer()
        self.look()

    def _frame_shown(self, frame: Frame) -> None:
        scene = self._canvas.scene
        if scene is not None and frame.revision == scene.revision and frame.field_share > 0:
            self._wait_no_longer()
        self.look()

    def _wait_no_longer(self) -> None:
        """For what the scene is drawn by."""
        scene = self._canvas.scene
        drawing = None if scene is None else scene.drawing
        self._drawn = None if drawing is None else weakref.ref(drawing)
