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

    A pixel of level l covers 2**l x 2**l source pixels (at the right and lower edge, those that exist: `last_cover`)
    and is their mean, in the picture's own type: 8 bits stay 8 bits. With alpha, pixels are premultiplied RGB and
    alpha.
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
        # Only ever grows: what is there needs no lock, even while coarser ones are made.
        levels = self._levels
        if number < len(levels):
            return levels[number]
        with self._lock:
            if not levels:
                levels.append(self._base())
            while len(levels) <= number:
                finest = levels[-1]
                if finest.shape[:2] == (1, 1):
                    return finest
                levels.append(_halved(finest, self.extent, len(levels) - 1))
            return levels[number]

    def _base(self) -> NDArray[np.generic]:
        pixels, alpha = self._picture.pixels, self._picture.alpha
        if alpha is None:
            return np.ascontiguousarray(pixels)
        from gaussian_core.pyramid_kernels import premultiply

        out = np.empty((*pixels.shape[:2], 4), pixels.dtype)
        strips = -(-len(pixels) // STRIP)
        whole = pixels.dtype.kind == "u"

        def work(strip: int) -> None:
            rows = slice(strip * STRIP, (strip + 1) * STRIP)
            premultiply(pixels[rows], alpha[rows], out[rows], 1.0 / self.peak, whole)

        run_strips(work, strips)
        return out


def last_cover(extent: int, number: int) -> int:
    """How many source pixels the last pixel of level `number` covers along an axis of `extent` source pixels."""
    return ((extent - 1) & ((1 << number) - 1)) + 1


def _halved(fine: NDArray[np.generic], extent: tuple[int, int], number: int) -> NDArray[np.generic]:
    """The level above `fine`, which is level `number` of a picture of that extent."""
    # Numba is imported with the kernels, not with this class: a window that opens a picture does not wait for it.
    from gaussian_core.pyramid_kernels import halve

    height, width, channels = fine.shape
    coarse = np.empty(((height + 1) // 2, (width + 1) // 2, channels), fine.dtype)
    rows = STRIP // 2
    whole = fine.dtype.kind == "u"
    last_row = _share_of_first(height, extent[0], number)
    last_column = _share_of_first(width, extent[1], number)

    def work(strip: int) -> None:
        first = strip * rows
        last = min(first + rows, len(coarse))
        halve(fine, coarse, first, last, last_row, last_column, whole)

    run_strips(work, -(-len(coarse) // rows))
    return coarse


def _share_of_first(count: int, extent: int, number: int) -> float:
    """The weight of the first pixel of the last pair, by the source pixels that each of the two covers."""
    if count % 2:
        return 1.0
    full = 1 << number
    return full / (full + last_cover(extent, number))
