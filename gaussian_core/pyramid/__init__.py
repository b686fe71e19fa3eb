"""The antialiased levels of a picture: each has half the resolution of the one before."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gaussian_core.parallel import Stop, run_strips

if TYPE_CHECKING:
    from gaussian_core.imaging.picture import PictureSource

Rect = tuple[int, int, int, int]  # x0, y0, x1, y1 in pixels of a level, upper edges excluded

STRIP = 256  # rows of the finer level that one strip reads
KEPT_BASE = 128 << 20
"""Bytes up to which level 0 is kept where it is not the picture's own memory. A larger one is made part by part."""


class PixelSource(Protocol):
    """What a pyramid needs of a decoded picture (images.Picture has it)."""

    @property
    def pixels(self) -> NDArray[np.generic]: ...

    @property
    def alpha(self) -> NDArray[np.generic] | None: ...


class Levels(Protocol):
    """The levels 0, 1, 2 ... of a picture, made when first asked for; safe from several threads.

    A pixel of level l covers 2**l x 2**l source pixels (at the right and lower edge, those that exist: `last_cover`)
    and is their mean, in the picture's own type: 8 bits stay 8 bits. With alpha, pixels are premultiplied RGB and
    alpha. extent: (height, width) of level 0. channels: 3 or 4. peak: the stored value of full brightness.
    """

    @property
    def extent(self) -> tuple[int, int]: ...

    @property
    def channels(self) -> int: ...

    @property
    def peak(self) -> float: ...

    def part(self, number: int, rect: Rect, stop: Stop | None = None) -> NDArray[Any]:
        """(h, w, C) pixels of a level within rect, a row's in one piece; not to be written to. Beyond the level of a
        single pixel, that pixel. Raises Cancelled when stopped, ImageError where the picture cannot be read."""
        ...


def levels_of(picture: PictureSource) -> Levels:
    """The levels of a picture, decoded or read as it is asked for. Raises ValueError for what is no picture."""
    from gaussian_core.imaging.picture import Picture, PictureSource

    if isinstance(picture, Picture):
        return Pyramid(picture)
    if not isinstance(picture, PictureSource):
        raise ValueError(
            f"levels are made of a picture (open_picture, or Picture.from_array), not of {type(picture).__name__}"
        )
    levels: Levels = picture.levels  # type: ignore[attr-defined]
    return levels


class Pyramid:
    """The Levels of a decoded picture, each in one array. Raises ValueError for what is none."""

    def __init__(self, picture: PixelSource) -> None:
        if not hasattr(picture, "pixels"):
            raise ValueError(
                "a pyramid is made of a decoded picture (Picture.from_array; levels_of takes others, too), not of "
                f"{type(picture).__name__}"
            )
        self._picture = picture
        self.extent = (picture.pixels.shape[0], picture.pixels.shape[1])
        self.channels = 3 if picture.alpha is None else 4
        self._levels: list[NDArray[np.generic]] = []  # from level 1 on
        self._base: NDArray[np.generic] | None = None
        pixels = picture.pixels
        in_one = pixels.strides[1:] == (3 * pixels.itemsize, pixels.itemsize)
        self._is_base = in_one and picture.alpha is None
        self._lock = threading.Lock()

    @property
    def peak(self) -> float:
        kind = self._picture.pixels.dtype
        return float(2 ** (8 * kind.itemsize) - 1) if kind.kind == "u" else 1.0

    def level(self, number: int) -> NDArray[np.generic]:
        """(h, w, C) pixels of a level; beyond the level of a single pixel, that pixel."""
        height, width = size_of_level(self.extent, number)
        return self.part(number, (0, 0, width, height))

    def part(self, number: int, rect: Rect, stop: Stop | None = None) -> NDArray[Any]:
        x0, y0, x1, y1 = rect
        if number > 0 and self.extent != (1, 1):
            return self._halved(number, stop)[y0:y1, x0:x1]
        base = self._base
        if base is None and not self._is_base:
            height, width = self.extent
            if height * width * self.channels * self._picture.pixels.itemsize > KEPT_BASE:
                return self._interleaved(rect)
            with self._lock:
                if self._base is None:
                    self._base = self._interleaved((0, 0, width, height))
                base = self._base
        return (self._picture.pixels if base is None else base)[y0:y1, x0:x1]

    def _halved(self, number: int, stop: Stop | None) -> NDArray[Any]:
        # Only ever grows: what is there needs no lock, even while coarser ones are made.
        levels = self._levels
        if number <= len(levels):
            return levels[number - 1]
        with self._lock:
            while len(levels) < number:
                if levels and levels[-1].shape[:2] == (1, 1):
                    return levels[-1]
                levels.append(self._next_level(len(levels), stop))
            return levels[number - 1]

    def _next_level(self, number: int, stop: Stop | None) -> NDArray[Any]:
        """The level above level `number`."""
        height, width = size_of_level(self.extent, number)
        coarse = np.empty(
            (*size_of_level(self.extent, number + 1), self.channels), self._picture.pixels.dtype
        )

        def work(strip: int) -> None:
            rect = (0, strip * STRIP, width, min((strip + 1) * STRIP, height))
            if number > 0:
                fine = self._levels[number - 1][rect[1] : rect[3]]
            elif self._base is not None or self._is_base:
                fine = self._picture.pixels if self._base is None else self._base
                fine = fine[rect[1] : rect[3]]
            else:
                fine = self._interleaved(rect)
            first = strip * STRIP // 2
            halve_into(coarse[first : first + STRIP // 2], fine, rect, self.extent, number)

        run_strips(work, -(-height // STRIP), stop)
        return coarse

    def _interleaved(self, rect: Rect) -> NDArray[Any]:
        x0, y0, x1, y1 = rect
        part = slice(y0, y1), slice(x0, x1)
        alpha = self._picture.alpha
        return interleaved(
            self._picture.pixels[part], None if alpha is None else alpha[part], self.peak
        )


def size_of_level(extent: tuple[int, int], number: int) -> tuple[int, int]:
    """(height, width) of level `number` of a picture of that extent."""
    return tuple(-(-side // (1 << number)) for side in extent)  # type: ignore[return-value]


def top_level(extent: tuple[int, int]) -> int:
    """The number of the level of a single pixel."""
    return (max(extent) - 1).bit_length()


def interleaved(
    pixels: NDArray[Any], alpha: NDArray[Any] | None, peak: float, stop: Stop | None = None
) -> NDArray[Any]:
    """Pixels (h, w, 3) as level 0 has them: a new contiguous array, with alpha (h, w) premultiplied RGB and alpha."""
    if alpha is None:
        return np.array(pixels, order="C")
    from gaussian_core.pyramid.kernels import premultiply

    out = np.empty((*pixels.shape[:2], 4), pixels.dtype)
    whole = pixels.dtype.kind == "u"

    def work(strip: int) -> None:
        rows = slice(strip * STRIP, (strip + 1) * STRIP)
        premultiply(pixels[rows], alpha[rows], out[rows], 1.0 / peak, whole)

    run_strips(work, -(-len(pixels) // STRIP), stop)
    return out


def halve_into(
    coarse: NDArray[Any], fine: NDArray[Any], rect: Rect, extent: tuple[int, int], number: int
) -> None:
    """The part of level number + 1 that `fine` makes, which is level `number` within rect of a picture of that extent.

    rect begins at even places, and ends there too where it does not end with the level.
    """
    # Numba is imported with the kernels, not with this class: a window that opens a picture does not wait for it.
    from gaussian_core.pyramid.kernels import halve

    height, width = size_of_level(extent, number)
    last_row = _share_of_first(height, extent[0], number) if rect[3] == height else 0.5
    last_column = _share_of_first(width, extent[1], number) if rect[2] == width else 0.5
    whole = fine.dtype.kind == "u"
    fine = np.ascontiguousarray(fine)
    if coarse.flags.c_contiguous:
        halve(fine, coarse, last_row, last_column, whole)
    else:
        out = np.empty_like(coarse, order="C")
        halve(fine, out, last_row, last_column, whole)
        coarse[...] = out


def halved(
    read: Callable[[Rect], NDArray[Any]], rect: Rect, extent: tuple[int, int], number: int
) -> NDArray[Any]:
    """(h, w, C): level `number` + 1 within rect. read: gives level `number` within a rectangle."""
    height, width = size_of_level(extent, number)
    x0, y0, x1, y1 = rect
    below = (2 * x0, 2 * y0, min(2 * x1, width), min(2 * y1, height))
    fine = read(below)
    coarse = np.empty((y1 - y0, x1 - x0, fine.shape[2]), fine.dtype)
    halve_into(coarse, fine, below, extent, number)
    return coarse


def last_cover(extent: int, number: int) -> int:
    """How many source pixels the last pixel of level `number` covers along an axis of `extent` source pixels."""
    return ((extent - 1) & ((1 << number) - 1)) + 1


def _share_of_first(count: int, extent: int, number: int) -> float:
    """The weight of the first pixel of the last pair, by the source pixels that each of the two covers."""
    if count % 2:
        return 1.0
    full = 1 << number
    return full / (full + last_cover(extent, number))
