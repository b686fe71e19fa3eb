"""Fields whose cells are a little larger than the pixels: from 100 % to where one by one is as quick.

As in cells_kernel the Gaussians of neighbouring cells are the lanes of a vector, each beginning at its cell's own
pixel. Here own pixels are not next to each other, so what is added to the column n pixels from each cell's own is
summed up cell by cell, in a plane of its own for each n. A row of pixels to which nothing more is added takes what is
its: pixel x from plane n what the cell has there whose own pixel is x - n. Of the rows only as many are held as cells
reach, in a ring, so that all of it stays in a second-level cache.

What bounds it: what bounds cells_kernel, and a permutation for each pixel, channel and plane.
"""

# mypy: disable-error-code="call-arg,no-untyped-def"

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gaussian_core.compiled import compiled
from gaussian_core.machine.cache_lines import lines
from gaussian_core.rasterizer.cells_ir import LANES, add_spread
from gaussian_core.rasterizer.cells_kernel import BLOCKS

if TYPE_CHECKING:
    from gaussian_core.spatial_index import GridLevel

SPAN = 6  # pixels from a cell's own, each way: Gaussians that reach further are drawn one by one
RING = 16  # rows of pixels: a power of two, and more than a row of cells reaches
PLANES = 2 * SPAN + 1
LEAST = 1.0 + 1e-9
"""Device pixels a cell, at least: then no two cells have the same pixel, however their places are rounded."""
MOST = 2.25 if LANES == 16 else 1.7
"""Device pixels a cell, at most: from there on one by one is as quick, with narrow vectors earlier."""
LEAST_FULL = 2.0
"""Gaussians a cell, at least: all that cells have room for take their time, whether they are there or not."""


def spreads(level: GridLevel, scale: tuple[float, float], footprint: float, reach: float) -> bool:
    """Whether a grid level is drawn so.

    scale: device pixels per source pixel. footprint: variance of a pixel, device pixels squared. reach: standard
    deviations at which a Gaussian is cut.
    """
    side = level.cell * scale[0]
    if scale[0] != scale[1] or level.regular or not LEAST <= side <= MOST:
        return False
    if level.count < LEAST_FULL * level.columns * level.rows:
        return False
    # A Gaussian's centre is in its cell, whose own pixel's is at most half a cell and half a pixel away.
    away = (side + 1) / 2
    return reach * math.sqrt(level.widest * scale[0] ** 2 + footprint) + away <= SPAN


@compiled(inline="always")
def _line(cells):
    """Floats of a line of cells, and of what is loaded beyond it."""
    return cells + LANES


@compiled()
def zero_room(cells, channels):
    """Zeros for the sums of tiles that so many cells of a row reach: ring_of takes what it needs, and take_rows leaves
    zeros again."""
    room = lines(PLANES * RING * channels * _line(cells + 2 * BLOCKS * LANES))
    room[:] = 0
    return room


@compiled()
def ring_of(room, channels, cells):
    """(PLANES, RING, C, line) of that memory."""
    line = _line(cells)
    return room[: PLANES * RING * channels * line].reshape((PLANES, RING, channels, line))


@compiled(inline="always")
def own_pixel(number, side, phase):
    """The pixel, on the absolute lattice, that the centre of a cell lies in, and where its centre is from the cell's
    edge on. side: of a cell, device pixels."""
    pixel = math.floor((number + 0.5) * side - phase)
    return int(pixel), np.float32(pixel + 0.5 - (number * side - phase))


@compiled()
def own_pixels(first, cells, side, phase):
    """own_pixel of so many cells."""
    pixels, shifts = np.empty(cells, np.int64), np.empty(cells, np.float32)
    for k in range(cells):
        pixels[k], shifts[k] = own_pixel(first + k, side, phase)
    return pixels, shifts


@compiled()
def cells_of_pixels(pixels, left, width):
    """(columns, cells, after): the columns, first and one past the last, of a tile from pixel `left` on that cells with
    these own pixels can reach; from SPAN before the first of them to SPAN after the last, and a vector more, the cell
    that each pixel is the own one of, or -1; and the first cell whose own pixel is that one or a later one."""
    first = min(max(pixels[0] - SPAN - left, 0), width)
    end = max(min(pixels[-1] + SPAN + 1 - left, width), first)
    length = end - first + 2 * SPAN + LANES
    cells, after = np.full(length, -1, np.int32), np.empty(length, np.int32)
    k = 0
    for x in range(length):
        place = left + first - SPAN + x
        while k < len(pixels) and pixels[k] < place:
            k += 1
        after[x] = k
        if k < len(pixels) and pixels[k] == place:
            cells[x] = k
    return (first, end), cells, after


@compiled()
def take_rows(sums, used, first, end, columns, cells, after, planes, pad, top, height):
    """Add rows first .. end - 1 to the tile, those in it, and clear them in the ring.

    used: the columns about the cells' own, first and last, that hold something. columns, cells, after: of
    cells_of_pixels. planes (H, C, pad + W + pad): the tile, whose row 0 is row `top`.
    """
    begin, width = pad + columns[0], columns[1] - columns[0]
    for y in range(first, end):
        row = y % RING
        if top <= y < top + height:
            for c in range(sums.shape[2]):
                source = sums[SPAN + used[0], row, c].ctypes.data
                target = planes[y - top, c].ctypes.data + begin * 4
                # What stands behind the last column is no pixel of the tile.
                for x in range(0, width, LANES):
                    add_spread(
                        source, sums.strides[0], used[1] - used[0] + 1,
                        cells.ctypes.data + (x + SPAN - used[0]) * 4,
                        after.ctypes.data + (x + SPAN - used[0]) * 4, target + x * 4,
                    )  # fmt: skip
        for n in range(used[0], used[1] + 1):
            sums[SPAN + n, row] = 0
