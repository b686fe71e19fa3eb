"""The antialiased levels of a picture: each has half the resolution of the one before."""

from __future__ import annotations

import threading
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

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
        from gaussian_core.pyramid_kernels import premultiply

        out = np.empty((*pixels.shape[:2], 4), pixels.dtype)
        strips = -(-len(pixels) // STRIP)
        rounding = 0.5 if pixels.dtype.kind == "u" else 0.0

        def work(strip: int) -> None:
            rows = slice(strip * STRIP, (strip + 1) * STRIP)
            premultiply(pixels[rows], alpha[rows], out[rows], 1.0 / self.peak, rounding)

        run_strips(work, strips)
        return out


def _halved(fine: NDArray[np.generic]) -> NDArray[np.generic]:
    # Numba is imported with the kernels, not with this class: a window that opens a picture does not wait for it.
    from gaussian_core.pyramid_kernels import halve

    height, width, channels = fine.shape
    coarse = np.empty(((height + 1) // 2, (width + 1) // 2, channels), fine.dtype)
    rows = STRIP // 2
    rounding = 0.5 if fine.dtype.kind == "u" else 0.0

    def work(strip: int) -> None:
        first = strip * rows
        halve(fine, coarse, first, min(first + rows, len(coarse)), rounding)

    run_strips(work, -(-len(coarse) // rows))
    return coarse
