"""The antialiased levels of a picture: each has half the resolution of the one before."""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import threading
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gaussian_core.compiled import compiled
from gaussian_core.parallel import run_strips

STRIP = 256  # rows of the finer level that one strip reads


class PixelSource(Protocol):
    """What a pyramid needs of a picture (images.Picture has it)."""

    @property
    def pixels(self) -> NDArray[np.generic]: ...

    @property
    def alpha(self) -> NDArray[np.generic] | None: ...


class Pyramid:
    """Levels 0, 1, 2 ... of a picture, made when first asked for; safe from several threads.

    A pixel of level l covers 2**l x 2**l source pixels (at the right and lower edge, those that exist) and is their
    mean, in the picture's own type: 8 bits stay 8 bits. With alpha, pixels are premultiplied RGB and alpha.
    """

    def __init__(self, picture: PixelSource) -> None:
        self._picture = picture
        self.extent = (picture.pixels.shape[0], picture.pixels.shape[1])
        self.channels = 3 if picture.alpha is None else 4
        self._levels: list[NDArray[np.generic]] = []
        self._lock = threading.Lock()

    @property
    def peak(self) -> float:
        """The stored value of full brightness."""
        kind = self._picture.pixels.dtype
        return float(2 ** (8 * kind.itemsize) - 1) if kind.kind == "u" else 1.0

    def level(self, number: int) -> NDArray[np.generic]:
        """(h, w, C) pixels of a level; beyond the level of a single pixel, that pixel."""
        with self._lock:
            if not self._levels:
                self._levels.append(self._base())
            while len(self._levels) <= number:
                finest = self._levels[-1]
                if finest.shape[:2] == (1, 1):
                    return finest
                self._levels.append(_halved(finest))
            return self._levels[number]

    def _base(self) -> NDArray[np.generic]:
        pixels, alpha = self._picture.pixels, self._picture.alpha
        if alpha is None:
            return np.ascontiguousarray(pixels)
        out = np.empty((*pixels.shape[:2], 4), pixels.dtype)
        strips = -(-len(pixels) // STRIP)
        rounding = 0.5 if pixels.dtype.kind == "u" else 0.0

        def premultiply(strip: int) -> None:
            rows = slice(strip * STRIP, (strip + 1) * STRIP)
            _premultiply(pixels[rows], alpha[rows], out[rows], 1.0 / self.peak, rounding)

        run_strips(premultiply, strips)
        return out


def _halved(fine: NDArray[np.generic]) -> NDArray[np.generic]:
    height, width, channels = fine.shape
    coarse = np.empty(((height + 1) // 2, (width + 1) // 2, channels), fine.dtype)
    rows = STRIP // 2
    rounding = 0.5 if fine.dtype.kind == "u" else 0.0

    def halve(strip: int) -> None:
        first = strip * rows
        _halve(fine, coarse, first, min(first + rows, len(coarse)), rounding)

    run_strips(halve, -(-len(coarse) // rows))
    return coarse


@compiled()
def _premultiply(pixels, alpha, out, scale, rounding):
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            a = alpha[y, x]
            for c in range(3):
                out[y, x, c] = pixels[y, x, c] * (a * scale) + rounding
            out[y, x, 3] = a


@compiled()
def _halve(fine, coarse, first, last, rounding):
    height, width, channels = fine.shape
    for y in range(first, last):
        y0 = 2 * y
        y1 = min(y0 + 1, height - 1)  # the last row of an odd height is averaged with itself
        for x in range(coarse.shape[1]):
            x0 = 2 * x
            x1 = min(x0 + 1, width - 1)
            for c in range(channels):
                total = (
                    np.float32(fine[y0, x0, c])
                    + np.float32(fine[y0, x1, c])
                    + np.float32(fine[y1, x0, c])
                    + np.float32(fine[y1, x1, c])
                )
                coarse[y, x, c] = total * np.float32(0.25) + np.float32(rounding)
