"""The overlays, drawn on a thread into an image of their own, for the canvas to lay on top."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from viewer.model.frames.frame import Columns
from viewer.model.frames.scene import Scene
from viewer.model.overlays.overlay_options import OverlayOptions
from viewer.model.view.view_state import ViewState
from viewer.ui.canvas.canvas_painter import Layer, wrap_image
from viewer.ui.workers.background import SlotWorker

log = logging.getLogger(__name__)

BUDGET = 0.015
"""Seconds: an overlay that takes longer is not drawn for every step of a moving view."""
REST = 0.1
PATIENCE = 0.2
"""Seconds: a dear overlay is still drawn anew this often while the view moves."""


@dataclass(frozen=True)
class OverlayRequest:
    """Marks over a view of a scene. ratio: device pixels per logical. at: seconds, see Overlay. columns: see
    overlay_geometry."""

    scene: Scene
    view: ViewState
    options: OverlayOptions
    ratio: float
    moving: bool
    at: float
    columns: Columns | None = None


@dataclass(frozen=True, eq=False)
class Overlay:
    """A finished overlay (layer None: no marks asked for) and its counts."""

    layer: Layer | None
    request: OverlayRequest
    shown: int
    in_view: int
    chosen: int
    seconds: float


class OverlayPainter(SlotWorker[OverlayRequest]):
    """Newest request wins, as for frames. Until a new overlay is there the canvas shows the last
    one under the relative transform, so that marks stay on their Gaussians while the view moves.

    Where no marks are asked for it still counts the Gaussians in view.

    layer: the newest overlay, as it is to be painted; None where there is none.
    """

    counted = Signal(int, int, int)
    """Of the overlay that `layer` is from now on: how many are shown, are in view, and are chosen to be shown."""
    failed = Signal(str)
    _drawn = Signal()

    def __init__(
        self, parent: QObject | None = None, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        super().__init__("overlays", parent)
        self.layer: Layer | None = None
        self._asked: OverlayRequest | None = None
        self._drawn.connect(self._take)
        self._clock = clock
        self._lock = threading.Lock()
        self._newest: Overlay | None = None
        self._seconds = 0.0
        self._last_posted = float("-inf")

    # ---- GUI thread ---------------------------------------------------------------------------

    def request(self, request: OverlayRequest) -> None:
        self._asked = request
        if not request.options.any:
            self.layer = None
        super().request(request)

    def clear(self) -> None:
        """Nothing is to be marked or counted any more."""
        self.slot.clear()
        self.layer = self._asked = None

    @property
    def idle(self) -> bool:
        with self._lock:
            taken = self._newest is None
        return taken and super().idle

    def _take(self) -> None:
        with self._lock:
            overlay, self._newest = self._newest, None
        asked = self._asked
        if overlay is None or asked is None:
            return
        same = overlay.request.scene.generation == asked.scene.generation
        if same and overlay.request.options.draws_as(asked.options):
            self.layer = overlay.layer
            self.counted.emit(overlay.shown, overlay.in_view, overlay.chosen)

    # ---- worker thread ------------------------------------------------------------------------

    def _serve(self, request: OverlayRequest) -> None:
        if self._too_dear(request):
            due = min(request.at + REST, max(self._last_posted, 0.0) + PATIENCE)
            if self.slot.wait(due - self._clock()) and self._clock() < due:
                return
        self._post(self._draw(request))

    def _fail(self, error: Exception) -> None:
        log.error("drawing the overlay failed", exc_info=error)
        self._emit(self.failed, f"The overlay could not be drawn: {error}")

    def _too_dear(self, request: OverlayRequest) -> bool:
        return request.moving and (self._seconds > BUDGET or not request.options.any)

    def _draw(self, request: OverlayRequest) -> Overlay:
        from viewer.model.overlays import overlay_kernels
        from viewer.model.overlays.overlay_geometry import overlay_geometry

        began = self._clock()
        generation = request.scene.generation

        def stop() -> bool:
            newer = self.slot.peek()
            return self.slot.given_up or (
                newer is not None
                and (
                    newer.scene.generation != generation
                    # While a choice is being drawn to and fro each one that is begun is seen.
                    or not newer.options.draws_as(request.options)
                )
            )

        if request.options.any:
            overlay_kernels.warm_up(lambda: self.slot.closed)
        geometry = overlay_geometry(
            request.scene, request.view, request.options, stop, request.ratio, request.columns
        )
        layer = None
        if request.options.any:
            from viewer.model.overlays.overlay_raster import draw_overlay

            pixels = draw_overlay(geometry, request.view.size, request.ratio, stop)
            image = wrap_image(pixels, QImage.Format.Format_ARGB32_Premultiplied)
            layer = Layer(image, request.view.source_rect)
        seconds = self._clock() - began
        counts = geometry.shown, geometry.in_view, geometry.chosen
        return Overlay(layer, request, *counts, seconds)

    def _post(self, overlay: Overlay) -> None:
        self._seconds = overlay.seconds
        self._last_posted = self._clock()
        with self._lock:
            self._newest = overlay
        self._emit(self._drawn)
