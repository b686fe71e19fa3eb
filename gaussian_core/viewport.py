"""Viewport geometry: which part of the source plane a grid of device pixels looks at."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Viewport:
    """An axis-aligned window onto the source plane, sampled by device pixels.

    origin: (x, y) of the top-left corner, in source pixels (pixel (j, i) covers [j, j+1) x [i, i+1)).
    scale: (sx, sy), device pixels per source pixel; a single number means both axes. Positive.
    size: (width, height) in device pixels, both at least 1.

    Device pixel (k, l) has its centre at origin + ((k + 0.5) / sx, (l + 0.5) / sy).
    Raises ValueError for a non-finite origin, a scale that is not positive, or an empty size.
    """

    origin: tuple[float, float]
    scale: tuple[float, float]
    size: tuple[int, int]

    def __init__(
        self,
        origin: tuple[float, float],
        scale: tuple[float, float] | float,
        size: tuple[int, int],
    ) -> None:
        sx, sy = (scale, scale) if isinstance(scale, int | float) else scale
        x, y = (float(v) for v in origin)
        width, height = (int(v) for v in size)
        sx, sy = float(sx), float(sy)
        if not (math.isfinite(x) and math.isfinite(y)):
            raise ValueError(f"viewport origin must be finite, got {origin}")
        if not (math.isfinite(sx) and math.isfinite(sy) and sx > 0 and sy > 0):
            raise ValueError(f"viewport scale must be positive and finite, got {scale}")
        if width < 1 or height < 1:
            raise ValueError(f"viewport size must be at least 1x1, got {size}")
        object.__setattr__(self, "origin", (x, y))
        object.__setattr__(self, "scale", (sx, sy))
        object.__setattr__(self, "size", (width, height))

    @classmethod
    def whole(cls, extent: tuple[int, int], scale: tuple[float, float] | float) -> Viewport:
        """The whole picture of extent (height, width) at a scale; the size is rounded up to whole pixels."""
        sx, sy = (scale, scale) if isinstance(scale, int | float) else scale
        height, width = extent
        # The tiny slack keeps 100 * 2.2 = 220.00000000000003 from growing a pixel of its own.
        size = (
            max(1, math.ceil(width * float(sx) - 1e-6)),
            max(1, math.ceil(height * float(sy) - 1e-6)),
        )
        return cls((0.0, 0.0), (float(sx), float(sy)), size)

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
