"""The thread that renders frames for the canvas."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, Signal

from gaussian_core.errors import Cancelled
from gaussian_core.parallel import Stop, building_held
from viewer.model.frames.frame import Frame, FrameBuffers
from viewer.model.frames.frame_renderer import bands_about, render_frame
from viewer.model.frames.frame_slot import FrameRequest
from viewer.model.frames.pacing import Pacing
from viewer.ui.workers.background import SlotWorker

log = logging.getLogger(__name__)

RenderFrame = Callable[..., Frame | None]

FIRST_PIXELS = 1 << 14
"""Pixels that a network is asked for in the first frame of a view: some tenths of a second at most."""
COARSEST = 16
HELD = 0.25
"""Seconds that building stands still for a full frame, at most."""
UNSEEN = 0.15
"""Seconds after a request until what is not seen of a split view is rendered, for the line to be drawn over it."""


def warm_up() -> None:
    """Load or compile the CPU's kernels (seconds the first time, then from the cache). Those of a CUDA device, which
    take seconds every time, are WarmUpWorker's: frames do not wait for them."""
    from gaussian_core import rasterizer

    rasterizer.warm_up()


class FrameWorker(SlotWorker[FrameRequest]):
    """Takes the newest request, renders it, keeps the newest finished frame for the canvas.

    A plain thread: it needs no event loop. `frame_ready` is emitted from it and so arrives queued
    in the GUI thread, which then calls `take_frame`. Nothing is rendered before `prepare` has
    returned; it runs on this thread at the first request, so that opening a window waits for no
    kernel.
    """

    frame_ready = Signal()
    rows_ready = Signal()
    """A full frame is under way, and some of its rows can be shown: `take_rows`."""
    ready = Signal()
    """The kernels are warm: frames follow."""
    failed = Signal(str)
    remarked = Signal(str)
    """Why frames are made by something slower than before: the CPU in the place of a GPU that failed."""

    def __init__(
        self,
        parent: QObject | None = None,
        render: RenderFrame = render_frame,
        prepare: Callable[[], None] = warm_up,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        super().__init__("frames", parent)
        self.pacing = Pacing()
        self.buffers = FrameBuffers()
        self._render = render
        self._prepare = prepare
        self._clock = clock
        self._lock = threading.Lock()
        self._newest: Frame | None = None
        self._newest_rows: tuple[FrameRequest, Frame] | None = None
        self._last_posted = float("-inf")
        self._prepared = False
        self._remark = ""
        self._serving = threading.Lock()
        self._forgets = False

    # ---- GUI thread ---------------------------------------------------------------------------

    def take_frame(self) -> Frame | None:
        """The newest finished frame, once. Give it back with `release` when it is replaced."""
        with self._lock:
            frame, self._newest = self._newest, None
        return frame

    def take_rows(self, asked: FrameRequest | None) -> Frame | None:
        """The rows that are ready of the full frame that was asked for, once; None when it was another that they are
        of. They are good until the full frame is there or another one is asked for, whichever comes first."""
        with self._lock:
            rows, self._newest_rows = self._newest_rows, None
        return rows[1] if rows is not None and rows[0] is asked else None

    def release(self, frame: Frame) -> None:
        self.buffers.give_back(frame.bgrx)

    def forget(self) -> None:
        """Keep nothing of what was rendered last, which may hold a picture of a gigabyte."""
        self._forgets = True
        self._forget_when_free()

    @property
    def idle(self) -> bool:
        """Nothing waits, nothing is being rendered, and no finished frame was left untaken."""
        with self._lock:
            taken = self._newest is None
        return taken and super().idle

    # ---- worker thread ------------------------------------------------------------------------

    def _serve(self, request: FrameRequest) -> None:
        try:
            if not self._prepared:
                self._prepare()
                self._prepared = True
                self._emit(self.ready)
                if self.slot.peek() is not None:
                    return
            with self._serving:
                self._render_all(request)
        finally:
            self._forget_when_free()

    def _fail(self, error: Exception) -> None:
        log.error("rendering a frame failed", exc_info=error)
        self._emit(self.failed, f"This view could not be rendered: {error}")

    def _forget_when_free(self) -> None:
        """On either thread: whichever finds that nothing is being rendered."""
        if not self._forgets or not self._serving.acquire(blocking=False):
            return
        try:
            self._forgets = False
            forget = getattr(self._render, "forget", None)
            if forget is not None:
                forget()
        finally:
            self._serving.release()

    def _render_all(self, request: FrameRequest) -> None:
        """The frames of a request, from the first, which may be coarse, to all that there is to show."""
        level = 1 if self._shifts(request) else self._first_level(request)
        try:
            made = self._frame(request, level)
            self._post(made)
        except Cancelled:
            if level > 1 or self.slot.given_up or self.slot.peek() is not None:
                raise
            level = max(2, self.pacing.level(request))
            made = self._frame(request, level)
            self._post(made)
        if level > 1:
            if self.slot.wait(request.at + self.pacing.pause(request) - self._clock()):
                return
            for finer in _steps(request, level):
                self._post(self._frame(request, finer, refining=True))
        # It goes on where it is seen: neither out of view, nor below 100 %.
        seen = made is not None and made.field_share > 0
        while seen and getattr(request.scene.drawing, "unfinished", False):
            self._post(self._frame(request, 1, refining=True))
        if request.rect == request.view.picture_rect or (made and made.shows(request.view)):
            return
        if not self.slot.wait(request.at + UNSEEN - self._clock()):
            self._post(self._frame(replace(request, columns=None), 1, True, completing=True))

    def _frame(
        self, request: FrameRequest, level: int, refining: bool = False, completing: bool = False
    ) -> Frame | None:
        """completing: more of a view of which some is there."""
        stop = self.pacing.stopper(
            request, level, self.slot, self._last_posted, self._clock, refining
        )
        shifted = completing or (level == 1 and self._shifts(request))
        held = []

        def allocate(width: int, height: int):  # type: ignore[no-untyped-def]
            held.append(self.buffers.take(width, height))
            return held[-1]

        began = self._clock()
        count = 1
        full = level == 1 and not shifted and request.scene.drawing is None
        if refining and full:
            count = self.pacing.bands(request)
        try:
            with building_held(HELD) if full else nullcontext():
                frame = self._rendered(request, level, count, stop, allocate)
        except BaseException:
            with self._lock:
                self._newest_rows = None  # before their memory is used for something else
            for pixels in held:
                self.buffers.give_back(pixels)
            if not shifted and request.scene.drawing is None:
                self.pacing.learn(request.view, self._clock() - began, level, False, request.pixels)
            raise
        with self._lock:
            self._newest_rows = None
        # A preview by the picture tells nothing of what the field costs.
        other_kind = level > 1 and frame is not None and frame.backend == "picture"
        # Nor does a network that is asked for every pixel: it has steps of its own.
        other_kind = other_kind or request.scene.drawing is not None
        if not shifted and not (other_kind and request.view.scale >= 1.0):
            seconds = self._clock() - began
            self.pacing.learn(request.view, seconds, level, pixels=request.pixels)
        return frame

    def _rendered(
        self,
        request: FrameRequest,
        level: int,
        bands: int,
        stop: Stop,
        allocate: Callable[..., Any],
    ) -> Frame | None:
        """bands: in how many it is shown, where the renderer can do that."""
        render: Any = self._render
        columns = request.columns
        if bands == 1 or not getattr(render, "in_bands", False):
            frame: Frame | None = render(
                request.scene, request.view, level, stop, allocate, columns=columns
            )
            return frame
        _, top, _, bottom = request.view.picture_rect
        row = (bottom - top) / 2 if request.row is None else request.row - top
        rows: Frame | None = render.rows(
            request.scene,
            request.view,
            bands_about(row, bottom - top, bands),
            partial(self._show_rows, request),
            stop,
            allocate,
            columns=columns,
        )
        return rows

    def _first_level(self, request: FrameRequest) -> int:
        """How coarse the first frame is. A network that is asked for every pixel begins with few of them, also where
        the view rests."""
        if request.level is not None:
            return request.level
        view = request.view
        if request.scene.drawing is None or view.scale < 1.0 or not self.pacing.coarse_first:
            return self.pacing.level(request, self._clock() - request.at)
        level, pixels = 1, request.pixels
        while level < COARSEST and pixels > FIRST_PIXELS * level * level:
            level *= 2
        return level

    def _shifts(self, request: FrameRequest) -> bool:
        """Whether the renderer has most of this view from its last frame (see PanningRenderer)."""
        shifts = getattr(self._render, "shifts", None)
        return shifts is not None and bool(shifts(request.scene, request.view, request.columns))

    def _tell_remark(self) -> None:
        from gaussian_core.rasterizer import cuda

        before, self._remark = self._remark, cuda.remark()
        if self._remark and self._remark != before:
            self._emit(self.remarked, self._remark)

    def _show_rows(self, request: FrameRequest, frame: Frame) -> None:
        with self._lock:
            self._newest_rows = request, frame
        self._emit(self.rows_ready)

    def _post(self, frame: Frame | None) -> None:
        self._last_posted = self._clock()
        if frame is None:
            return
        with self._lock:
            unseen, self._newest = self._newest, frame
        if unseen is not None:
            self.release(unseen)
        self._emit(self.frame_ready)
        self._tell_remark()


def _steps(request: FrameRequest, level: int) -> list[int]:
    """The levels that follow a coarse frame. Where a network is asked for every pixel the exact frame may take a
    minute: one half as fine comes before each, for a third more time in all."""
    if request.scene.drawing is None:
        return [1]
    return [1 << k for k in range((level - 1).bit_length() - 1, -1, -1)]
