"""Renders a panned view by shifting the last frame and rendering only what came into view, more of the same view, or
one that new tiles belong to, by rendering only that; a view that a slow method has drawn before is not drawn again."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from gaussian_core.parallel import Stop
from gaussian_core.viewport import Viewport
from viewer.model.frames.frame import Columns, Frame, seen_rect
from viewer.model.frames.frame_renderer import (
    Allocate,
    ShowRows,
    picture_viewport,
    render_frame,
    split,
)
from viewer.model.frames.scene import Scene
from viewer.model.pixel_rects import (
    PixelRect,
    area,
    around,
    common,
    grown,
    is_empty,
    joined,
    moved,
    without,
)
from viewer.model.view.view_state import ViewState

WHOLE_PIXEL = 1e-4
"""Device pixels: a pan by less than this from whole pixels counts as whole ones."""
LEAST_SHARE = 0.25
"""Below this share of known pixels rendering everything is simpler and hardly slower."""
MOST_PIECES = 16
"""Where more pieces of a view have changed, rendering everything is simpler and hardly slower."""


class _Drawn(NamedTuple):
    """The last full frame, and what it is a frame of."""

    frame: Frame
    scene: Scene


class _Reuse(NamedTuple):
    """What of a view is known from the last frame.

    shift: whole device pixels that the picture moved by since. known: of the view's pixels. changed: of these the ones
    that show something else now.
    """

    shift: tuple[int, int]
    known: PixelRect
    changed: list[PixelRect]

    @property
    def area(self) -> int:
        return area(self.known) - sum(map(area, self.changed))


class PanningRenderer:
    """`render_frame` with a memory of its last full frame. For one thread.

    Frames are the same, pixel for pixel, as those of render_frame: the rasterizer and the resampler
    give the same pixels whole or in parts, and dragging moves the view by whole device pixels.
    """

    def __init__(self, render: Callable[..., Frame | None] = render_frame) -> None:
        self._render = render
        self._last: _Drawn | None = None
        self._found: tuple[tuple[object, ...], _Reuse | None] | None = None

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
        reuse = self._reuse(scene, view, columns) if level == 1 else None
        self._found = None  # it holds on to tiles that may have been dropped
        if reuse is not None:
            frame = self._patched(scene, view, reuse, stop, allocate, columns)
        else:
            last, self._last = self._last, None  # its buffer may be the one written now
            frame = self._render(scene, view, level, stop, allocate, columns=columns)
            if level > 1 and frame is not None and last is not None:
                overwritten = np.may_share_memory(last.frame.bgrx, frame.bgrx)
                self._last = None if overwritten else last
        if level == 1:
            # What a method has not finished changes everywhere: nothing of it is kept.
            unfinished = getattr(scene.drawing, "unfinished", False)
            self._last = None if unfinished or frame is None else _Drawn(frame, scene)
            keeps = hasattr(scene.drawing, "kept") and not unfinished
            if keeps and frame is not None and frame.field_share > 0:
                # On to what shows the method next: the other side of a split view, or this one, in a while.
                scene.drawing.kept = replace(frame, bgrx=frame.bgrx.copy())
        return frame

    def _copied(self, kept: Frame, scene: Scene, allocate: Allocate | None) -> Frame:
        began = time.perf_counter()
        height, width = kept.bgrx.shape[:2]
        out = allocate(width, height) if allocate else np.empty_like(kept.bgrx)
        out[...] = kept.bgrx
        frame = replace(
            kept,
            bgrx=out,
            generation=scene.generation,
            revision=scene.revision,
            ms=(time.perf_counter() - began) * 1e3,
        )
        self._last = _Drawn(frame, scene)
        return frame

    def forget(self) -> None:
        """Keep nothing of the last frame, nor of its scene. Not while one is rendered."""
        self._last = self._found = None

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
        frame = render_frame(scene, view, 1, stop, allocate, bands, show, columns=columns)
        self._last = None if frame is None else _Drawn(frame, scene)
        return frame

    def shifts(self, scene: Scene, view: ViewState, columns: Columns | None = None) -> bool:
        """Whether most of this view is known from the last frame, or all of it from before: it is cheap, and no
        measure of what others cost."""
        if _kept(scene, view, columns) is not None:
            return True
        reuse = self._reuse(scene, view, columns)
        return reuse is not None and reuse.area > 0.75 * area(seen_rect(view, columns))

    def _reuse(self, scene: Scene, view: ViewState, columns: Columns | None) -> _Reuse | None:
        """What is known of a view of which enough is; None if the picture did anything but move by whole device
        pixels, or shows something else altogether. Who has asked `shifts` gets the same answer again."""
        asked = (self._last, scene, view, columns)
        if self._found is None or self._found[0] != asked:
            self._found = asked, self._find(scene, view, columns)
        return self._found[1]

    def _find(self, scene: Scene, view: ViewState, columns: Columns | None) -> _Reuse | None:
        if self._last is None:
            return None
        last, before = self._last
        if last.generation != scene.generation or last.plain not in (None, scene.plain):
            return None
        if (last.view.scale, last.view.size) != (view.scale, view.size):
            return None
        if last.revision == scene.revision and last.shows(view, columns):
            return None
        du, dv = view.to_device(*last.view.origin)
        shift = round(du), round(dv)
        if max(abs(du - shift[0]), abs(dv - shift[1])) > WHOLE_PIXEL:
            return None
        rect = seen_rect(view, columns)
        known = common(rect, moved(last.rect, shift))
        if is_empty(known):
            return None
        changed = changed_pixels(before, scene, view, known)
        if changed is None:
            return None
        reuse = _Reuse(shift, known, changed)
        return reuse if reuse.area >= LEAST_SHARE * area(rect) else None

    def _patched(
        self,
        scene: Scene,
        view: ViewState,
        reuse: _Reuse,
        stop: Stop | None,
        allocate: Allocate | None,
        columns: Columns | None,
    ) -> Frame | None:
        began = time.perf_counter()
        assert self._last is not None
        last = self._last.frame
        rect, known = seen_rect(view, columns), reuse.known
        width, height = rect[2] - rect[0], rect[3] - rect[1]
        out = allocate(width, height) if allocate else np.empty((height, width, 4), np.uint8)
        if np.may_share_memory(out, last.bgrx):
            self._last = None
            return self._render(scene, view, 1, stop, lambda *_: out, columns=columns)
        source = last.bgrx[_window(known, moved(last.rect, reuse.shift))]
        out[_window(known, rect)] = source
        backend = last.backend
        for strip in [*around(rect, known), *reuse.changed]:
            part = self._part(scene, view, strip, stop)
            if part is None:
                return self._render(scene, view, 1, stop, lambda *_: out, columns=columns)
            out[_window(strip, rect)] = part.bgrx
            backend = part.backend if part.backend != "picture" else backend
        viewport = picture_viewport(view, 1, columns)
        assert viewport is not None
        drawn = [area(piece) for piece, is_field in split(scene, view, viewport) if is_field]
        return replace(
            last,
            bgrx=out,
            view=view,
            rect=rect,
            backend=backend,
            revision=scene.revision,
            ms=(time.perf_counter() - began) * 1e3,
            field_share=sum(drawn) / area(rect),
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


def changed_pixels(
    before: Scene, after: Scene, view: ViewState, known: PixelRect
) -> list[PixelRect] | None:
    """Which of the view's pixels within `known` show something else in the one scene than in the other since tiles came
    or went, and some beside them. None where it is more than that, or cannot be told."""
    if before.revision == after.revision:
        return []
    if not after.differs_by_tiles(before):
        return None
    whole = _viewport(view, known).source_rect
    old, new = (set(scene.keys_reaching(whole)) for scene in (before, after))
    if any(before.tiles[key] is not after.tiles[key] for key in old & new):
        return None
    if old == new:
        return []
    if after.grid is None:
        return None
    # Only those tiles and their neighbours can show something else; a pixel more on every side, for an edge of a tile
    # on the centres of pixels.
    touched = [after.grid.rect(near) for key in old ^ new for near in after.grid.neighbours(key)]
    u0, v0 = view.to_device(min(r[0] for r in touched), min(r[1] for r in touched))
    u1, v1 = view.to_device(max(r[2] for r in touched), max(r[3] for r in touched))
    box = grown((math.floor(u0), math.floor(v0), math.ceil(u1), math.ceil(v1)), 1)
    box = common(box, known)
    if is_empty(box):
        return []
    was, is_ = (
        [piece for piece, is_field in split(scene, view, _viewport(view, box)) if is_field]
        for scene in (before, after)
    )
    different = joined([*without(is_, was), *without(was, is_)])
    if len(different) > MOST_PIECES:
        return None
    return [common(moved(grown(piece, 1), box[:2]), known) for piece in different]


def _viewport(view: ViewState, rect: PixelRect) -> Viewport:
    """Of those pixels of the view."""
    left, top, right, bottom = rect
    return Viewport(
        view.to_source(left, top), (view.scale, view.scale), (right - left, bottom - top)
    )


def _kept(scene: Scene, view: ViewState, columns: Columns | None) -> Frame | None:
    """What a slow method made of this very view, if that is what it drew last. Below 100 % it is the picture that is
    shown, of which nothing is kept: more of it may be read since."""
    kept: Frame | None = getattr(scene.drawing, "kept", None)
    if kept is None or kept.plain not in (None, scene.plain):
        return None
    return kept if kept.shows(view, columns) else None


def _window(rect: PixelRect, inside: PixelRect) -> tuple[slice, slice]:
    """The rows and columns of `rect` in an array that covers `inside`."""
    return (
        slice(rect[1] - inside[1], rect[3] - inside[1]),
        slice(rect[0] - inside[0], rect[2] - inside[0]),
    )
