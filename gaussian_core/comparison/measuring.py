"""How near a region by a method comes to the original: at the original's own scale, against its stored pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gaussian_core.evaluation.metrics import LEAST, Scores, score_all
from gaussian_core.original import Original
from gaussian_core.viewport import Region, Viewport


@dataclass(frozen=True)
class Measuring:
    """view: the original's pixels in the region, in the coordinates of the picture. part: rows and columns of it that
    are measured: not the picture's outermost ones, as `evaluate` has it, unless too little else is there. border: how
    many of these are left out, 0 where the region has none of them."""

    view: Viewport
    part: tuple[slice, slice]
    border: int

    @classmethod
    def of(cls, original: Original, extent: tuple[int, int], region: Region) -> Measuring | None:
        """region: (x, y, width, height) in pixels of the picture of that extent, (height, width). None where the
        original has fewer pixels than the picture, which is no enlargement then."""
        if min(original.factor) < 1:
            return None
        border = math.ceil(max(original.factor))
        x, y, width, height = region
        columns = _pixels(x, width, extent[1], original.factor[0])
        rows = _pixels(y, height, extent[0], original.factor[1])
        inner = (
            _inner(rows, extent[0], original.factor[1], border),
            _inner(columns, extent[1], original.factor[0], border),
        )
        if min(s.stop - s.start for s in inner) < LEAST:
            inner = slice(0, len(rows)), slice(0, len(columns))
        whole = inner == (slice(0, len(rows)), slice(0, len(columns)))
        fx, fy = original.factor
        view = Viewport((columns[0] / fx, rows[0] / fy), (fx, fy), (len(columns), len(rows)))
        return cls(view, inner, 0 if whole else border)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of what is measured, pixels."""
        rows, columns = self.part
        return columns.stop - columns.start, rows.stop - rows.start

    def scores(self, crop: NDArray[np.uint8], truth: NDArray[np.uint8]) -> Scores:
        """Of `view` as a method draws it and as the original has it, both (h, w, 3)."""
        return score_all(crop[self.part] / 255, truth[self.part] / 255)


def _pixels(first: float, length: float, extent: int, factor: float) -> range:
    """The original's pixels along one axis of a region."""
    end = round(extent * factor)
    start = min(round(first * factor), end - 1)
    return range(start, min(max(round((first + length) * factor), start + 1), end))


def _inner(pixels: range, extent: int, factor: float, border: int) -> slice:
    """Those of them that are not among the outermost of the picture, counted from the first of them."""
    end = round(extent * factor) - border
    return slice(max(border - pixels.start, 0), min(pixels.stop, end) - pixels.start)
