"""The original of a reduced copy, drawn in the copy's coordinates: what a method should have made of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gaussian_core.imaging.picture import PictureSource
from gaussian_core.pyramid import levels_of
from gaussian_core.viewport import Viewport


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
