"""A float array in the place of a picture file, with nothing else that one has."""

from __future__ import annotations

import numpy as np


class ArrayPicture:
    def __init__(self, pixels: np.ndarray) -> None:
        self.pixels = pixels
        self.extent = pixels.shape[:2]

    def as_float(self, rect: tuple[int, int, int, int] | None = None) -> np.ndarray:
        x0, y0, x1, y1 = rect or (0, 0, self.extent[1], self.extent[0])
        return self.pixels[y0:y1, x0:x1]
