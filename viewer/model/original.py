"""Another picture of the same scene, drawn in the coordinates of the one that is open: the original of a reduced copy,
or a file that was chosen, and how near a method comes to it."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gaussian_core.errors import ImageError
from gaussian_core.imaging.picture import PictureSource
from gaussian_core.pyramid import levels_of
from gaussian_core.viewport import Viewport
from viewer.model.view_state import ViewState

LEAST = 11
"""Pixels of a side that is measured without a border (the window of SSIM, as in evaluation.metrics)."""


SAME_SHAPE = 0.01
"""How far the factors of width and height may be apart: enlargements to odd scales are rounded to whole pixels."""


def factors(original: tuple[int, int], extent: tuple[int, int]) -> tuple[float, float] | None:
    """How many pixels of an original are one of the picture, along x and y; None where the shapes, (height, width),
    are not those of one scene.

    What is left at the right and below where the original is not a multiple of the picture belongs to none of its
    pixels, as in the literature's test sets.
    """
    (high, wide), (height, width) = original, extent
    whole = wide // width
    if 0 <= wide - whole * width < whole and 0 <= high - whole * height < whole:
        return float(whole), float(whole)
    fx, fy = wide / width, high / height
    rounding = max(0.5 / wide, 0.5 / width) + max(0.5 / high, 0.5 / height)
    if abs(fx / fy - 1) > max(SAME_SHAPE, rounding):
        return None
    return fx, fy


class OriginalDrawing:
    """A scene's drawing, see LazyDrawing. extent: (height, width) of the picture. title: what to call it, "" for what
    it is. Raises ImageError where the original is of another shape."""

    marks_nothing = True
    at_every_scale = True
    """Below 100 %, too, it is another picture than the one that is open."""

    def __init__(self, original: PictureSource, extent: tuple[int, int], title: str = "") -> None:
        self.title = title
        found = factors(original.extent, extent)
        if found is None:
            raise ImageError(
                f"{original.width:,} x {original.height:,} pixels are not of the shape of the open picture, "
                f"{extent[1]:,} x {extent[0]:,}: choose a picture of the same scene, of any size."
            )
        self._levels = levels_of(original)
        self._factor = found

    def draw(
        self, viewport: Viewport, stop: Callable[[], bool] | None = None
    ) -> NDArray[np.float32]:
        from gaussian_core.resampling import resample

        (fx, fy), (x, y), (sx, sy) = self._factor, viewport.origin, viewport.scale
        there = Viewport((x * fx, y * fy), (sx / fx, sy / fy), viewport.size)
        frame: NDArray[np.float32] = resample(self._levels, there, stop=stop)
        return frame


def open_original(path: Path) -> PictureSource:
    """A picture to hold others against, of a damaged one what there is. Raises ImageError."""
    from gaussian_core.images import open_picture
    from gaussian_core.lazy_levels import LazyLevels

    picture = open_picture(path, forgiving=True)
    picture.show_damage()
    levels = levels_of(picture)
    if isinstance(levels, LazyLevels) and levels.slow:
        raise ImageError(
            f"{path.name} is too large to be compared with: cut out the part that the open picture shows."
        )
    return picture


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
