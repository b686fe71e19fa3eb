"""Renders a panned view by shifting the last frame and rendering only what came into view, and more of the same view
by rendering only that; a view that a slow method has drawn before is not drawn again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from viewer.model.frame import Columns, Frame, area, seen_rect
from viewer.model.frame_renderer import (
    Allocate,
    PixelRect,
    ShowRows,
    Stop,
    around,
    render_frame,
)
from viewer.model.scene import Scene
from viewer.model.view_state import ViewState

WHOLE_PIXEL = 1e-4
"""Device pixels: a pan by less than this from whole pixels counts as whole ones."""
LEAST_SHARE = 0.25
"""Below this share of known pixels rendering everything is simpler and hardly slower."""


class PanningRenderer:
    """`render_frame` with a memory of its last full frame. For one thread.

    Frames are the same, pixel for pixel, as those of render_frame: the rasterizer and the resampler
    give the same pixels whole or in parts, and dragging moves the view by whole device pixels.
    """

    def __init__(self, render: Callable[..., Frame | None] = render_frame) -> None:
        self._render = render
        self._last: Frame | None = None

    def __call__(
        self,
        scene: Scene,
        view: ViewState,
        level: int = 1,
        stop: Stop | None = None,
        allocate: Allocate | None = None,
        columns: Columns | None = None,
    ) -> Frame | None:
        """columns: see render_frame."""
        kept = _kept(scene, view, columns) if level == 1 else None
        if kept is not None:
            return self._copied(kept, scene, allocate)
        shift = self._shift(scene, view, columns) if level == 1 else None
        if shift is not None:
            frame = self._shifted(scene, view, shift, stop, allocate, columns)
        else:
            last, self._last = self._last, None  # its buffer may be the one written now
            frame = self._render(scene, view, level, stop, allocate, columns=columns)
            if level > 1 and frame is not None and last is not None:
                self._last = last if not np.may_share_memory(last.bgrx, frame.bgrx) else None
        if level == 1:
            # What a method has not finished changes everywhere: nothing of it is kept.
            unfinished = getattr(scene.drawing, "unfinished", False)
            self._last = None if unfinished else frame
            if frame is not None and hasattr(scene.drawing, "kept") and not unfinished:
                # On to what shows the method next: the other side of a split view, or this one, in a while.
                scene.drawing.kept = replace(frame, bgrx=frame.bgrx.copy())
        return frame

    def _copied(self, kept: Frame, scene: Scene, allocate: Allocate | None) -> Frame:
        began = time.perf_counter()
        height, width = kept.bgrx.shape[:2]
        out = allocate(width, height) if allocate else np.empty_like(kept.bgrx)
        out[...] = kept.bgrx
        self._last = replace(
            kept,
            bgrx=out,
            generation=scene.generation,
            revision=scene.revision,
            ms=(time.perf_counter() - began) * 1e3,
        )
        return self._last

    @property
    def in_bands(self) -> bool:
        """Whether `rows` can be used."""
        return self._render is render_frame

    def rows(
        self,
        scene: Scene,
        view: ViewState,
        bands: Sequence[tuple[int, int]],
        show: ShowRows,
        stop: Stop | None = None,
        allocate: Allocate | None = None,
        columns: Columns | None = None,
    ) -> Frame | None:
        """A full frame in bands of rows, see render_frame."""
        self._last = None
        self._last = frame = render_frame(
            scene, view, 1, stop, allocate, bands, show, columns=columns
        )
        return frame

    def shifts(self, scene: Scene, view: ViewState, columns: Columns | None = None) -> bool:
        """Whether most of this view is known from the last frame, or all of it from before: it is cheap, and no
        measure of what others cost."""
        if _kept(scene, view, columns) is not None:
            return True
        shift = self._shift(scene, view, columns)
        if shift is None or self._last is None:
            return False
        rect = seen_rect(view, columns)
        known = _common(rect, _moved(self._last.rect, shift))
        return area(known) > 0.75 * area(rect)

    def _shift(
        self, scene: Scene, view: ViewState, columns: Columns | None
    ) -> tuple[int, int] | None:
        """By how many whole device pixels the picture moved since the last frame; None if it did
        anything else."""
        last = self._last
        if last is None or (last.generation, last.revision) != (scene.generation, scene.revision):
            return None
        if (last.view.scale, last.view.size) != (view.scale, view.size) or last.shows(
            view, columns
        ):
            return None
        du, dv = view.to_device(*last.view.origin)
        if max(abs(du - round(du)), abs(dv - round(dv))) > WHOLE_PIXEL:
            return None
        return round(du), round(dv)

    def _shifted(
        self,
        scene: Scene,
        view: ViewState,
        shift: tuple[int, int],
        stop: Stop | None,
        allocate: Allocate | None,
        columns: Columns | None,
    ) -> Frame | None:
        began = time.perf_counter()
        last = self._last
        assert last is not None
        rect = seen_rect(view, columns)
        known = _common(rect, _moved(last.rect, shift))
        if area(known) < LEAST_SHARE * area(rect) or area(rect) == 0:
            return self._render(scene, view, 1, stop, allocate, columns=columns)
        width, height = rect[2] - rect[0], rect[3] - rect[1]
        out = allocate(width, height) if allocate else np.empty((height, width, 4), np.uint8)
        if np.may_share_memory(out, last.bgrx):
            self._last = None
            return self._render(scene, view, 1, stop, allocate, columns=columns)
        source = last.bgrx[_window(known, _moved(last.rect, shift))]
        out[_window(known, rect)] = source
        backend, field_pixels = last.backend, last.field_share * area(known)
        for strip in around(rect, known):
            part = self._part(scene, view, strip, stop)
            if part is None:
                return self._render(scene, view, 1, stop, lambda *_: out, columns=columns)
            out[_window(strip, rect)] = part.bgrx
            field_pixels += part.field_share * area(strip)
            backend = part.backend if part.backend != "picture" else backend
        return replace(
            last,
            bgrx=out,
            view=view,
            rect=rect,
            backend=backend,
            ms=(time.perf_counter() - began) * 1e3,
            field_share=min(1.0, field_pixels / area(rect)),
        )

    def _part(
        self, scene: Scene, view: ViewState, strip: PixelRect, stop: Stop | None
    ) -> Frame | None:
        """A strip of the view, as a view of its own; None where rounding gives it another size (a
        picture's edge that lies on the centres of pixels)."""
        left, top, right, bottom = strip
        narrow = replace(
            view, origin=view.to_source(left, top), size=(right - left, bottom - top), follow=None
        )
        frame = self._render(scene, narrow, 1, stop, None)
        whole = frame is not None and frame.rect == (0, 0, *narrow.size)
        return frame if whole else None


def _kept(scene: Scene, view: ViewState, columns: Columns | None) -> Frame | None:
    """What a slow method made of this very view, if that is what it drew last. Below 100 % it is the picture that is
    shown, of which nothing is kept."""
    kept: Frame | None = getattr(scene.drawing, "kept", None)
    return kept if kept is not None and kept.shows(view, columns) else None


def _moved(rect: PixelRect, shift: tuple[int, int]) -> PixelRect:
    return rect[0] + shift[0], rect[1] + shift[1], rect[2] + shift[0], rect[3] + shift[1]


def _common(a: PixelRect, b: PixelRect) -> PixelRect:
    return max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])


def _window(rect: PixelRect, inside: PixelRect) -> tuple[slice, slice]:
    """The rows and columns of `rect` in an array that covers `inside`."""
    return (
        slice(rect[1] - inside[1], rect[3] - inside[1]),
        slice(rect[0] - inside[0], rect[2] - inside[0]),
    )
