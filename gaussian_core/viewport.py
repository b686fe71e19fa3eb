"""Viewport geometry: which part of the source plane a grid of device pixels looks at."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Scale = float | np.floating[Any] | np.integer[Any] | tuple[float, float]
"""Device pixels per source pixel: one number, or (sx, sy)."""
Region = tuple[float, float, float, float]
"""(x, y, width, height), source pixels: a part of a picture as it is asked for. A Rect is x0, y0, x1, y1."""


def both_axes(scale: Scale) -> tuple[float, float]:
    """(sx, sy) of a scale, numbers of any kind. Raises ValueError for anything but one or two of them."""
    pair = np.asarray(scale, np.float64)
    if pair.shape not in ((), (2,)):
        raise ValueError(f"a viewport's scale is a number or (sx, sy), got {scale}")
    return float(pair.flat[0]), float(pair.flat[-1])


@dataclass(frozen=True)
class Viewport:
    """An axis-aligned window onto the source plane, sampled by device pixels.

    origin: (x, y) of the top-left corner, in source pixels (pixel (j, i) covers [j, j+1) x [i, i+1)).
    scale: (sx, sy), device pixels per source pixel; a single number means both axes. Positive.
    size: (width, height) in device pixels, whole numbers of at least 1.

    Device pixel (k, l) has its centre at origin + ((k + 0.5) / sx, (l + 0.5) / sy).
    Raises ValueError for a non-finite origin, a scale that is not positive, or a size that is empty or not whole.
    """

    origin: tuple[float, float]
    scale: tuple[float, float]
    size: tuple[int, int]

    def __init__(
        self,
        origin: tuple[float, float],
        scale: Scale,
        size: tuple[int, int],
    ) -> None:
        sx, sy = both_axes(scale)
        x, y = _two(origin, "origin is (x, y)")
        across, down = _two(size, "size is (width, height)")
        if not (math.isfinite(x) and math.isfinite(y)):
            raise ValueError(f"viewport origin must be finite, got {origin}")
        if not (math.isfinite(sx) and math.isfinite(sy) and sx > 0 and sy > 0):
            raise ValueError(f"viewport scale must be positive and finite, got {scale}")
        if not (1 <= across < math.inf and 1 <= down < math.inf):
            raise ValueError(f"viewport size must be at least 1x1, got {size}")
        width, height = int(across), int(down)
        if (width, height) != (across, down):
            raise ValueError(f"viewport size must be whole pixels, got {size}")
        object.__setattr__(self, "origin", (x, y))
        object.__setattr__(self, "scale", (sx, sy))
        object.__setattr__(self, "size", (width, height))

    @classmethod
    def whole(cls, extent: tuple[int, int], scale: Scale) -> Viewport:
        """The whole picture of extent (height, width) at a scale; the size is rounded up to whole pixels.

        Raises ValueError as Viewport does.
        """
        sx, sy = both_axes(scale)
        height, width = _two(extent, "extent is (height, width)")
        if not (math.isfinite(sx * width) and math.isfinite(sy * height)):
            raise ValueError(f"viewport scale must be positive and finite, got {scale}")
        # The tiny slack keeps 100 * 2.2 = 220.00000000000003 from growing a pixel of its own.
        size = (max(1, math.ceil(width * sx - 1e-6)), max(1, math.ceil(height * sy - 1e-6)))
        return cls((0.0, 0.0), (sx, sy), size)

    def to_source(self, u: Any, v: Any) -> tuple[Any, Any]:
        """Source coordinates of the continuous device coordinates (u, v); pixel k spans [k, k+1)."""
        return self.origin[0] + u / self.scale[0], self.origin[1] + v / self.scale[1]

    def to_device(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Continuous device coordinates of the source coordinates (x, y)."""
        return (x - self.origin[0]) * self.scale[0], (y - self.origin[1]) * self.scale[1]

    def pixel_centres(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Source x of each column's centre (width,) and source y of each row's centre (height,)."""
        k = np.arange(self.size[0], dtype=np.float64) + 0.5
        l = np.arange(self.size[1], dtype=np.float64) + 0.5  # noqa: E741
        return self.origin[0] + k / self.scale[0], self.origin[1] + l / self.scale[1]

    def part(self, left: int, top: int, width: int, height: int) -> Viewport:
        """The sub-window of device pixels [left, left + width) x [top, top + height)."""
        return Viewport(self.to_source(left, top), self.scale, (width, height))

    @property
    def source_rect(self) -> tuple[float, float, float, float]:
        """(x0, y0, x1, y1) of what is in view, in source pixels."""
        x1, y1 = self.to_source(*self.size)
        return (self.origin[0], self.origin[1], x1, y1)


def _two(numbers: Any, what: str) -> tuple[float, float]:
    try:
        first, second = numbers
        return float(first), float(second)
    except (TypeError, ValueError):
        raise ValueError(f"a viewport's {what}, got {numbers}") from None
