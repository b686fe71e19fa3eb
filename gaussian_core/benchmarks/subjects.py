"""What is measured on: a picture in the place of a photograph, and the part of its field that a view needs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gaussian_core.benchmarks.pictures import extent_of, synthetic_picture
from gaussian_core.builder import FieldBuilder, Key, Rect
from gaussian_core.field import GaussianField
from gaussian_core.parallel import run_strips
from gaussian_core.viewport import Viewport


class Photo:
    """A synthetic picture of 4:3, as a builder wants it."""

    alpha = None
    full = 255.0

    def __init__(self, megapixels: float) -> None:
        self.extent = extent_of(megapixels)
        self.pixels = synthetic_picture(*self.extent)

    def as_float(self, rect: Rect | None = None) -> NDArray[np.float32]:
        x0, y0, x1, y1 = rect or (0, 0, self.extent[1], self.extent[0])
        return np.multiply(self.pixels[y0:y1, x0:x1], np.float32(1 / 255), dtype=np.float32)

    def stored(self, rect: Rect) -> tuple[NDArray[np.uint8], None]:
        x0, y0, x1, y1 = rect
        return self.pixels[y0:y1, x0:x1], None

    def view(self, zoom: float, size: tuple[int, int]) -> Viewport:
        """In the picture's middle, on no whole pixel."""
        height, width = self.extent
        return Viewport(
            ((width - size[0] / zoom) / 2 + 0.13, (height - size[1] / zoom) / 2 + 0.37), zoom, size
        )


def all_tiles(photo: Photo, method: str = "kernel") -> dict[Key, GaussianField]:
    """The whole field."""
    builder = FieldBuilder(photo, method)
    return _built(builder, list(builder.grid.keys()))


def tiles_in_view(photo: Photo, view: Viewport, builder: FieldBuilder) -> list[GaussianField]:
    """The tiles that a view asks for, and those around them: what the window builds before it shows the field."""
    keys: dict[Key, None] = {}
    for key in builder.grid.keys_in(view.source_rect):
        keys.update(dict.fromkeys(builder.grid.neighbours(key)))
    return list(_built(builder, list(keys)).values())


def _built(builder: FieldBuilder, keys: list[Key]) -> dict[Key, GaussianField]:
    tiles: dict[Key, GaussianField] = {}

    def build(number: int) -> None:
        tiles[keys[number]] = builder.build_tile(keys[number])

    run_strips(build, len(keys))
    return tiles
