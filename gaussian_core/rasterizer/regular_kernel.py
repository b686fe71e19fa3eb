"""Gaussians that all are alike and stand on a grid, one in each cell: what corrections and kernel fields consist of.

Where the axes of the Gaussians are those of the grid, the sum over them is a sum along y of sums along x. A pixel then
takes a few taps along each axis instead of one visit by every Gaussian around it. What bounds it: reading the
amplitudes, where a cell is a pixel or less; the taps along x, where cells are wider.
"""

# mypy: disable-error-code="call-arg,no-untyped-def"

from __future__ import annotations

import math

import numpy as np
from numba import carray  # type: ignore[attr-defined]

from gaussian_core.compiled import compiled
from gaussian_core.rasterizer.vector_ir import f32_pointer


@compiled()
def _taps(
    first, weights, start, origin, scale, centre, cell, variance, footprint, radius, factor
):  # fmt: skip
    """Which cells the pixels along one axis see, and how strongly.

    first: (n,) the first cell of each pixel; weights: (taps, n), of that cell and the next ones, times `factor`.
    start: number of the first pixel. origin: of the pixels, device pixels. centre: of cell 0, source pixels. radius:
    where a Gaussian is cut, device pixels.
    """
    seen = variance * scale * scale + footprint
    height = factor * math.sqrt(variance * scale * scale / seen)
    for k in range(first.size):
        # Counted from cell 0, as every tile and every viewport on the same lattice counts.
        pixel = start + k + 0.5
        low = math.ceil(((pixel - radius + origin) / scale - centre) / cell)
        first[k] = low
        for t in range(weights.shape[0]):
            away = pixel - ((centre + (low + t) * cell) * scale - origin)
            inside = abs(away) <= radius
            value = height * math.exp(-0.5 * away * away / seen) if inside else 0.0
            weights[t, k] = np.float32(value)


@compiled(inline="always")
def _reached(start, count, first, last, radius):
    """Which of `count` pixels from number `start` on are within `radius` of centres first .. last, device pixels; one
    more on either side covers the rounding."""
    low = min(max(math.floor(first - radius - start - 0.5), 0.0), float(count))
    high = min(max(math.ceil(last + radius - start + 0.5), 0.0), float(count))
    return int(low), int(high)


@compiled()
def add_regular(
    tile, pad, left, top, width, height, rows, row_bytes, columns, lines, cell, x0, y0,
    variance_x, variance_y, gain, sx, sy, ox, oy, footprint, reach,
):  # fmt: skip
    """Add a regular grid of Gaussians to a tile (height, C, pad + width + pad).

    left, top: of the tile in the viewport, whose corner is at (ox, oy) in device pixels. rows: address of the index's
    rows, the amplitudes of cell (i, j) at number j * columns + i. (x0, y0): centre of the first cell, source pixels.
    """
    radius_x = reach * math.sqrt(variance_x * sx * sx + footprint)
    radius_y = reach * math.sqrt(variance_y * sy * sy + footprint)
    # Of a grid that ends within the tile only the pixels that see it: where tiles of a large picture meet in the view,
    # every one of them would otherwise take the time of all.
    k0, k1 = _reached(left, width, x0 * sx - ox, (x0 + (columns - 1) * cell) * sx - ox, radius_x)
    l0, l1 = _reached(top, height, y0 * sy - oy, (y0 + (lines - 1) * cell) * sy - oy, radius_y)
    if k0 >= k1 or l0 >= l1:
        return
    tile = tile[l0:l1]
    left, pad, width, top, height = left + k0, pad + k0, k1 - k0, top + l0, l1 - l0
    count_x = int(2 * radius_x / (sx * cell)) + 1
    count_y = int(2 * radius_y / (sy * cell)) + 1
    first_x = np.empty(width, np.int64)
    first_y = np.empty(height, np.int64)
    across = np.empty((count_x, width), np.float32)
    down = np.empty((count_y, height), np.float32)
    _taps(first_x, across, left, ox, sx, x0, cell, variance_x, footprint, radius_x, 1.0)
    _taps(first_y, down, top, oy, sy, y0, cell, variance_y, footprint, radius_y, gain)
    begin, end = first_x[0], first_x[width - 1] + count_x
    a, b = max(begin, 0), min(end, columns)
    if a >= b:
        return
    # One cell is one pixel: neighbours read neighbours.
    contiguous = sx * cell == 1.0
    for x in range(width):
        first_x[x] -= begin
    channels = tile.shape[1]
    line = np.zeros(end - begin, np.float32)
    inner = line[a - begin : b - begin]
    # The sums along x of the last count_y rows of cells, row j in place j % count_y.
    summed = np.empty((count_y, channels, width), np.float32)
    ready = 0
    for y in range(height):
        low = max(first_y[y], 0)
        high = min(first_y[y] + count_y, lines)
        for j in range(max(low, ready), high):
            for c in range(channels):
                source = rows + (5 + c) * row_bytes + (j * columns + a) * 4
                inner[:] = carray(f32_pointer(source), b - a)
                out = summed[j % count_y, c]
                if contiguous:
                    _sum_neighbours(line, across, out)
                else:
                    _sum_chosen(line, first_x, across, out)
        ready = max(ready, high)
        for j in range(low, high):
            weight = down[j - first_y[y], y]
            for c in range(channels):
                out = tile[y, c, pad : pad + width]
                across_x = summed[j % count_y, c]
                for x in range(width):
                    out[x] += weight * across_x[x]


@compiled()
def _sum_neighbours(line, weights, out):
    """out[x] = sum over t of weights[t, x] * line[x + t]."""
    for x in range(out.size):
        out[x] = weights[0, x] * line[x]
    for t in range(1, weights.shape[0]):
        factors = weights[t]
        shifted = line[t:]
        for x in range(out.size):
            out[x] += factors[x] * shifted[x]


@compiled()
def _sum_chosen(line, first, weights, out):
    """out[x] = sum over t of weights[t, x] * line[first[x] + t]."""
    for x in range(out.size):
        out[x] = weights[0, x] * line[first[x]]
    for t in range(1, weights.shape[0]):
        factors = weights[t]
        shifted = line[t:]
        for x in range(out.size):
            out[x] += factors[x] * shifted[first[x]]
