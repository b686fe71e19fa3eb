"""Keeps the status bar in step with the canvas: cursor, values, counts, frame."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer

from gaussian_core.rasterizer import cuda
from viewer.model import status_text
from viewer.model.frames.frame import Frame
from viewer.model.probe import Probe
from viewer.ui.canvas.canvas import Canvas
from viewer.ui.status.status_bar import StatusBar
from viewer.ui.workers.probe_worker import ProbeWorker

PERIOD_MS = 33


class Readout(QObject):
    """Takes at most 30 looks a second, however often the mouse or the view moves."""

    def __init__(self, canvas: Canvas, status: StatusBar, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self._status = status
        self._point: tuple[float, float] | None = None
        self._counted = (0, 0, 0)
        self._worker = ProbeWorker(self)
        self._worker.answered.connect(self._show_values)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PERIOD_MS)
        self._timer.timeout.connect(self._look)
        canvas.cursor_moved.connect(self._cursor_moved)
        canvas.cursor_left.connect(self._cursor_left)
        canvas.view_changed.connect(self._later)
        canvas.frame_shown.connect(self._show_frame)
        canvas.beside_shown.connect(self._show_beside)
        canvas.overlay_counts.connect(self._show_counts)

    def is_idle(self) -> bool:
        return not self._timer.isActive() and self._worker.idle

    def shutdown(self) -> None:
        self._timer.stop()
        self._worker.close()

    def refresh(self) -> None:
        """The scene or the overlays have changed."""
        if self._canvas.scene is None:
            self._status.clear_picture()
            self._counted = (0, 0, 0)
        self._show_counts(*self._counted)
        self._later()

    def _later(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _cursor_moved(self, x: float, y: float) -> None:
        self._point = (x, y)
        self._later()

    def _cursor_left(self) -> None:
        self._point = None
        self._later()

    def _look(self) -> None:
        view = self._canvas.view
        self._status.zoom.show_zoom(view.scale if self._canvas.has_picture else None)
        scene, point = self._canvas.scene_at_cursor, self._point
        self._status.expect_difference(self._canvas.differs)
        self._status.show_position(point if self._canvas.has_picture else None, view.scale)
        if scene is None or point is None:
            self._status.show_values(None, None, over=False)
        else:
            self._worker.request((scene, view.scale, point))

    def _show_values(self, probe: Probe) -> None:
        scene = self._canvas.scene
        if scene is not None and scene.generation == probe.generation and self._point is not None:
            differs = self._canvas.differs
            shown = self._canvas.difference_at(*self._point) if differs else probe.field
            self._status.show_values(probe.source, shown)

    def _show_frame(self, frame: Frame) -> None:
        scene = self._canvas.scene
        state = str(getattr(scene.drawing, "state", "")) if scene is not None else ""
        waiting = status_text.GPU_LATER if cuda.held_back() else cuda.remark()
        self._status.show_frame(frame.ms, frame.level, frame.backend, state, waiting)
        if self._point is not None:
            self._later()

    def _show_beside(self) -> None:
        if self._point is not None and self._canvas.differs:
            self._later()

    def _show_counts(self, shown: int, in_view: int, chosen: int) -> None:
        self._counted = (shown, in_view, chosen)
        scene, overlays = self._canvas.scene, self._canvas.overlays
        right = self._canvas.line_shown or self._canvas.two_panes
        where = status_text.RIGHT if right else ""
        widest = status_text.widest_count(
            overlays.kind if overlays.any else "", bool(overlays.only)
        )
        self._status.expect_counts(widest + where, right)
        if scene is None or not (scene.tiles or in_view):
            self._status.show_counts("")
        elif not overlays.any or (shown == 0 and chosen > 0):
            # Nothing is drawn yet while the view moves far or the kernels are being prepared.
            self._status.show_counts(status_text.count_text(in_view) + where)
        else:
            some = chosen if overlays.only else None
            text = status_text.count_text(in_view, shown, overlays.kind, some)
            self._status.show_counts(text + where, capped=shown < chosen)
