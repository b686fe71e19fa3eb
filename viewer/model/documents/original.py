"""Another picture of the same scene that the open one is held against: the original of a reduced copy, or a file that
was chosen, and how near a method comes to it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gaussian_core.errors import ImageError
from gaussian_core.evaluation.metrics import LEAST, luma
from gaussian_core.imaging.picture import PictureSource
from gaussian_core.original import Original
from gaussian_core.pyramid import levels_of
from viewer.model.view.view_state import ViewState


class OriginalDrawing(Original):
    """A scene's drawing, see LazyDrawing. extent: (height, width) of the picture. title: what to call it, "" for what
    it is. Raises ImageError where the original is of another shape."""

    marks_nothing = True
    at_every_scale = True
    """Below 100 %, too, it is another picture than the one that is open."""

    def __init__(self, original: PictureSource, extent: tuple[int, int], title: str = "") -> None:
        super().__init__(original, extent)
        self.title = title


def open_original(path: Path) -> PictureSource:
    """A picture to hold others against, of a damaged one what there is. Raises ImageError."""
    from gaussian_core.images import open_picture
    from gaussian_core.pyramid.lazy_levels import LazyLevels

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
    total = 0.0
    for first in range(0, len(a), 64):  # rows at a time: whole frames in float64 would take 100 MB
        ya, yb = (luma(frame[first : first + 64, :, 2::-1] / 255.0) for frame in (a, b))
        total += float(np.square(ya - yb).sum())
    error = total / (a.shape[0] * a.shape[1])
    return float("inf") if error == 0 else float(10 * np.log10(255.0**2 / error))
