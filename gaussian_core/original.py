"""Another picture of the same scene, drawn in the coordinates of the one that is enlarged: its original, as a rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gaussian_core.errors import ImageError
from gaussian_core.parallel import Stop
from gaussian_core.pyramid import levels_of
from gaussian_core.viewport import Viewport

if TYPE_CHECKING:
    from gaussian_core.imaging.picture import PictureSource

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


class Original:
    """picture: the other picture. extent: (height, width) of the one that is enlarged. factor: how many of its pixels
    are one of that, (fx, fy). Raises ImageError where it is of another shape."""

    def __init__(self, picture: PictureSource, extent: tuple[int, int]) -> None:
        found = factors(picture.extent, extent)
        if found is None:
            raise ImageError(
                f"{picture.width:,} x {picture.height:,} pixels are not of the shape of the picture, "
                f"{extent[1]:,} x {extent[0]:,}: choose a picture of the same scene, of any size."
            )
        self.picture = picture
        self.factor = found
        self._levels = levels_of(picture)

    def draw(
        self, viewport: Viewport, stop: Stop | None = None, finer: int = 0
    ) -> NDArray[np.float32]:
        """(h, w, 3 or 4) float32 of a viewport in the coordinates of the one that is enlarged: its stored pixels where
        they are the viewport's, else interpolated (bicubic). finer: see `resample`. Raises Cancelled, ImageError."""
        from gaussian_core.resampling import resample

        (fx, fy), (x, y), (sx, sy) = self.factor, viewport.origin, viewport.scale
        there = Viewport((x * fx, y * fy), (sx / fx, sy / fy), viewport.size)
        frame: NDArray[np.float32] = resample(self._levels, there, finer=finer, stop=stop)
        return frame
