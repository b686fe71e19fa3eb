"""The original of a reduced copy, drawn in the copy's coordinates: what a method should have made of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gaussian_core.imaging.picture import PictureSource
from gaussian_core.pyramid import levels_of
from gaussian_core.viewport import Viewport
from viewer.model.view_state import ViewState

LEAST = 11
"""Pixels of a side that is measured without a border (the window of SSIM, as in evaluation.metrics)."""


class OriginalDrawing:
    """A scene's drawing, see LazyDrawing. extent: (height, width) of the copy."""

    marks_nothing = True

    def __init__(self, original: PictureSource, extent: tuple[int, int]) -> None:
        self._levels = levels_of(original)
        self._factor = original.width / extent[1], original.height / extent[0]

    def draw(
        self, viewport: Viewport, stop: Callable[[], bool] | None = None
    ) -> NDArray[np.float32]:
        from gaussian_core.resampling import resample

        (fx, fy), (x, y), (sx, sy) = self._factor, viewport.origin, viewport.scale
        there = Viewport((x * fx, y * fy), (sx / fx, sy / fy), viewport.size)
        frame: NDArray[np.float32] = resample(self._levels, there, stop=stop)
        return frame


def measured_part(view: ViewState) -> tuple[slice, slice]:
    """Rows and columns of a frame of what is in view of a copy that are measured: not the copy's outermost pixels,
    which the field's tables leave out, unless little else is in view."""
    left, top, right, bottom = view.picture_rect
    height, width = view.extent
    (u0, v0), (u1, v1) = view.to_device(1.0, 1.0), view.to_device(width - 1.0, height - 1.0)
    first = max(0, _pixel(u0) - left), max(0, _pixel(v0) - top)
    end = min(right, _pixel(u1)) - left, min(bottom, _pixel(v1)) - top
    if min(end[0] - first[0], end[1] - first[1]) < LEAST:
        return slice(None), slice(None)
    return slice(first[1], end[1]), slice(first[0], end[0])


def _pixel(u: float) -> int:
    """The first whose centre is not before u."""
    return math.ceil(u - 0.5 - 1e-6)


def psnr_of_frames(a: NDArray[Any], b: NDArray[Any]) -> float:
    """PSNR in dB of the luminance (BT.601, as the field's tables have it) of two frames (h, w, 4), BGRX bytes;
    infinite where they are equal."""
    from gaussian_core.evaluation.metrics import luma

    total = 0.0
    for first in range(0, len(a), 64):  # rows at a time: whole frames in float64 would take 100 MB
        ya, yb = (luma(frame[first : first + 64, :, 2::-1] / 255.0) for frame in (a, b))
        total += float(np.square(ya - yb).sum())
    error = total / (a.shape[0] * a.shape[1])
    return float("inf") if error == 0 else float(10 * np.log10(255.0**2 / error))
