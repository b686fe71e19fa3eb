"""One scene under the canvas's view: its frames, from asking for them to what is to be painted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from viewer.model.frames.frame import Columns, Frame
from viewer.model.frames.frame_renderer import FIELD_FROM
from viewer.model.frames.frame_slot import FrameRequest
from viewer.model.frames.pan_reuse import PanningRenderer
from viewer.model.frames.scene import Scene
from viewer.model.status_text import preview_text
from viewer.model.view.view_state import ViewState
from viewer.ui.canvas.canvas_painter import Layer, frame_layer
from viewer.ui.canvas.frame_worker import FrameWorker, RenderFrame

ALL_BUILT = 0.995
"""Of a frame's pixels: from here on it reads 100 %."""


class ScenePane(QObject):
    """Has a thread of its own for its frames, which starts with the first one that is asked for.

    plain: its frames are to be subtracted, see Scene.plain.
    layer: the newest finished frame; rows: those of the next full frame that are there already. Both as they are to be
    painted, None where there is nothing yet.
    """

    frame_taken = Signal(object)
    """The Frame that `layer` is from now on."""
    rows_taken = Signal()
    failed = Signal(str)
    remarked = Signal(str)

    def __init__(
        self,
        parent: QObject,
        render: RenderFrame | None,
        prepare: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        super().__init__(parent)
        self._scene: Scene | None = None
        self.plain = False
        self._since = 0  # the revision from which the scene is shown as it is now
        self.frame: Frame | None = None
        self.layer: Layer | None = None
        self.rows: Layer | None = None
        self._asked: FrameRequest | None = None
        self._view: ViewState | None = None
        self._clock = clock
        self.worker = FrameWorker(self, render or PanningRenderer(), prepare, clock)
        self.worker.frame_ready.connect(self._take_frame)
        self.worker.rows_ready.connect(self._take_rows)
        self.worker.failed.connect(self.failed)
        self.worker.remarked.connect(self.remarked)

    @property
    def scene(self) -> Scene | None:
        return self._scene

    @scene.setter
    def scene(self, scene: Scene | None) -> None:
        before, self._scene = self._scene, scene
        if scene is not None and (before is None or _shown_otherwise(before, scene)):
            self._since = scene.revision

    def plate(self, name: str, view: ViewState) -> str:
        """What is seen of a view: the scene's method by its name, and what is lacking. Below 100 % it is the
        antialiased picture, by whatever method, unless that is an interpolation."""
        if self.from_afar and view.scale < FIELD_FROM:
            return f"The picture; {name} from 100 %"
        state = self.state(view)
        return f"{name}  {state}" if state else name

    def state(self, view: ViewState) -> str:
        """What is lacking of what a view is to show, for a few words after the method's name; empty where nothing is,
        and below 100 %, where the picture is shown."""
        scene, frame = self._scene, self.frame
        if scene is None or view.scale < FIELD_FROM:
            return ""
        if frame is None or not self.frame_is_current:
            return "…"  # what is seen is of the method before
        if self.from_afar and frame.view.scale < FIELD_FROM:
            return "…"  # what is seen is the picture, enlarged
        if scene.drawing is None:
            built = frame.field_share
            building = not scene.interpolated and frame.exact and built < ALL_BUILT
            return f"built: {100 * built:.0f} %" if building else ""
        if frame.level > 1:
            return preview_text(frame.level)
        return str(scene.drawing.state) if getattr(scene.drawing, "unfinished", False) else ""

    @property
    def frame_is_current(self) -> bool:
        """Whether the newest frame is of the scene as it is to be shown now, and not by the method before."""
        scene, frame = self._scene, self.frame
        if scene is None or frame is None or frame.generation != scene.generation:
            return False
        return frame.revision >= self._since

    @property
    def from_afar(self) -> bool:
        """Whether below 100 % the antialiased picture is seen in the place of the scene's method."""
        return self._scene is not None and self._scene.replaced_from_afar

    @property
    def answered(self) -> bool:
        """Whether there is a frame, maybe a coarse one, of the view that was asked for last, or none to come."""
        asked, frame = self._asked, self.frame
        there = asked is not None and frame is not None and frame.view == asked.view
        return there or self.idle

    @property
    def idle(self) -> bool:
        return self.worker.idle

    def rests_at(self, view: ViewState, columns: Columns | None) -> bool:
        """Whether the newest frame is the exact one of what is seen of that view, and no other of it is under way."""
        asked, frame = self._asked, self.frame
        if asked is None or frame is None or getattr(asked.scene.drawing, "unfinished", False):
            return False
        return frame.revision == asked.scene.revision and not self.lacks(view, columns)

    def lacks(self, view: ViewState, columns: Columns | None) -> bool:
        """Whether it shows a scene, but not exactly what is seen of that view."""
        if self._scene is None:
            return False
        if self.frame is None or self.frame.plain not in (None, self.plain):
            return True
        return not self.frame.shows(view, columns)

    def level(self, view: ViewState) -> int:
        """How coarse the first frame of a moving view is by the pacing; 1: in full, as where there is no scene."""
        if self.scene is None:
            return 1
        return self.worker.pacing.level(FrameRequest(self.scene, view, moving=True))

    def request(
        self,
        view: ViewState,
        moving: bool,
        row: float | None,
        columns: Columns | None = None,
        level: int | None = None,
    ) -> None:
        """Ask for a frame of the scene. row, columns, level: see FrameRequest."""
        if self.scene is None:
            return
        self.rows = None  # its memory may be used for the next frame
        self._view = view
        scene = self.scene
        if scene.plain is not self.plain:
            scene = replace(scene, plain=self.plain)
        self._asked = FrameRequest(scene, view, moving, self._clock(), row, columns, level)
        self.worker.request(self._asked)

    def drop_frame(self) -> None:
        if self.frame is not None:
            self.worker.release(self.frame)
        self.frame = None
        self.layer = None
        self.rows = None
        self._asked = None

    def drop_scene(self) -> None:
        self.scene = None
        self.worker.slot.clear()
        self.drop_frame()
        self.worker.forget()

    def affects_view(self, view: ViewState, after: Scene) -> bool:
        """Whether `after` shows something else of this picture in that view: a frame is not rendered for tiles out of
        it."""
        before = self.scene
        if before is None or before.pyramid is not after.pyramid:
            return True
        if _shown_otherwise(before, after):
            return True
        if after.grid is None or after.pyramid is None:
            return True
        if view.scale < FIELD_FROM:
            return False
        return any(
            before.tiles.get(key) is not after.tiles.get(key)
            for near in after.grid.keys_in(view.source_rect)
            for key in (near, *after.grid.neighbours(near))
        )

    def _take_frame(self) -> None:
        frame = self.worker.take_frame()
        if frame is None:
            return
        if self.scene is None or frame.generation != self.scene.generation:
            self.worker.release(frame)
            return
        if frame.exact or frame.view != self._view:
            self.rows = None
        before, self.frame = self.frame, frame
        self.layer = frame_layer(frame)
        if before is not None:
            self.worker.release(before)
        self.frame_taken.emit(frame)

    def _take_rows(self) -> None:
        rows = self.worker.take_rows(self._asked)
        if rows is not None and self.scene is not None:
            self.rows = frame_layer(rows)
            self.rows_taken.emit()


def _shown_otherwise(before: Scene, after: Scene) -> bool:
    """Whether a picture, or part of it, is shown by something else."""
    names = ("generation", "method", "resampling", "drawing", "pixel_sigma", "interpolated")
    return any(getattr(before, name) != getattr(after, name) for name in names)
