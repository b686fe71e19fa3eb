"""A picture 100,000 pixels wide whose right end is its left one again."""

from __future__ import annotations

import numpy as np

from gaussian_core.field import SPAN

PERIOD, TILE = 64, 64
LEFT = 2 * TILE
RIGHT = 12 * SPAN + LEFT  # as far along as 96 % of a panorama, and the same pixels
EXTENT = (PERIOD, RIGHT + 4 * TILE)


class Repeated:
    """A picture of the same 64 columns over and over, which takes no memory."""

    extent = EXTENT

    def __init__(self, channels=3):
        self.pixels = np.random.default_rng(3).random((PERIOD, PERIOD, channels), np.float32)

    def as_float(self, rect=None):
        x0, y0, x1, y1 = rect
        return np.ascontiguousarray(self.pixels[y0:y1, np.arange(x0, x1) % PERIOD])
