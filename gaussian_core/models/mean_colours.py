"""What a few neighbouring pixels show in the mean is what they are in the file, at every scale.

A network makes what it has seen no likes of darker or brighter: a chequer of single pixels, and the dither of an old
game, by up to seven levels of 255. What neighbours are in the mean hardly depends on the scene that is behind them,
nor on the filter that made them of it, so it is the file's. What the field lacks of it is smooth, is added to the
colours of its Gaussians, and costs no sharpness, unlike what a single pixel lacks (see gaussian_core.correction). Not
so where the network has learned that files and cameras change colours (ModelConfig.restores), of JPEG files of
quality 50 those of sixteen pixels, too: it is nearer to the scene than the file.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gaussian_core.models.density import density
from gaussian_core.parallel import run_strips
from gaussian_core.row_layout import ROW_PADDING

if TYPE_CHECKING:
    from gaussian_core.builder import Rect

Floats = NDArray[np.float32]

SEEN = 0.5
"""Standard deviation, source pixels, of the footprint that field and file are compared by: nothing that is between the
pixels shows in samples that are one pixel apart."""
BLUR = 2
"""Source pixels to each side that make up a pixel of the file seen so."""
_TAPS = [math.exp(-0.5 * (k / SEEN) ** 2) for k in range(BLUR + 1)]
SEEN_BY = tuple(tap / (2 * sum(_TAPS) - 1) for tap in _TAPS)
"""Weights of a pixel, of each of the two beside it and of each of those beside them, along one axis."""
SMOOTHED_BY = (20 / 64, 15 / 64, 6 / 64, 1 / 64)
"""Weights of what a pixel lacks, and of what those up to three pixels beside it do, along one axis: with SEEN the
neighbourhood has a standard deviation of 1.3 source pixels. About smaller ones a file is less to be believed, and
larger ones miss more."""
HALO = len(SMOOTHED_BY) - 1
STRIP = 64  # rows that a worker takes at once


def lacking(pixels: Floats, shown: Floats) -> Floats:
    """(H, W, C): what the colours of the Gaussians of each pixel lack.

    pixels: (H + 2 (HALO + BLUR), W + 2 (HALO + BLUR), C), of the file, with the H x W ones in the middle. shown: (H + 2
    HALO, W + 2 HALO, C), what the field shows there at scale 1 through a footprint of SEEN.
    """
    height, width = (side - 2 * HALO for side in shown.shape[:2])
    out = np.empty((height, width, shown.shape[2]), np.float32)

    def strip(number: int) -> None:
        first, last = number * STRIP, min((number + 1) * STRIP, height)
        around = pixels[first : last + 2 * (HALO + BLUR)]
        out[first:last] = _lacking(around, shown[first : last + 2 * HALO])

    run_strips(strip, -(-height // STRIP))
    return out


def _lacking(pixels: Floats, shown: Floats) -> Floats:
    out = pixels
    for axis in (0, 1):
        out = _weighed(out, SEEN_BY, axis)
    out = out - shown
    for axis in (0, 1):
        out = _weighed(out, SMOOTHED_BY, axis)
    return out


def _weighed(values: Floats, taps: tuple[float, ...], axis: int) -> Floats:
    """Sums of neighbours along an axis, of those that have as many as there are taps."""
    values = np.moveaxis(values, axis, 0)
    reach = len(taps) - 1
    count = len(values) - 2 * reach
    out = values[reach : reach + count] * np.float32(taps[0])
    for k in range(1, reach + 1):
        beside = values[reach - k : reach - k + count] + values[reach + k : reach + k + count]
        beside *= np.float32(taps[k])
        out += beside
    return np.moveaxis(out, 0, axis)


def nearest(rect: Rect, within: Rect) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of the rows and of the columns of rect the nearest ones of `within`, counted from its first."""
    lines, columns = (
        np.clip(np.arange(rect[k], rect[k + 2]), within[k], within[k + 2] - 1) - within[k]
        for k in (1, 0)
    )
    return lines, columns


def add(rows: Floats, rect: Rect, colours: Floats, within: Rect, cells: int) -> None:
    """Give the Gaussians of rows, cells^2 for each pixel of rect, the colours (H, W, C) of the pixels of `within`
    besides; those outside of it that of the nearest one."""
    lines, columns = nearest(rect, within)
    shape = (len(rows), len(lines), len(columns), cells * cells)
    grid = rows[:, : rows.shape[1] - ROW_PADDING].reshape(shape)

    def strip(number: int) -> None:
        part = slice(number * STRIP, (number + 1) * STRIP)
        each = density(grid[2:5, part], cells)
        more = colours[lines[part]][:, columns]
        for amplitudes, channel in zip(grid[5:, part], more.transpose(2, 0, 1), strict=True):
            amplitudes += channel[..., None] * each

    run_strips(strip, -(-len(lines) // STRIP))
