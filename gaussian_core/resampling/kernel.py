"""The loop of resampling: one call makes one strip of the output, without the GIL."""

# mypy: disable-error-code="call-arg,no-untyped-def"

from __future__ import annotations

import numpy as np

from gaussian_core.compiled import compiled
from gaussian_core.display import CHECKER_DARK, CHECKER_LIGHT, CHECKER_SIZE
from gaussian_core.resampling.steps_ir import (
    blend_many,
    blend_one,
    blend_some,
    mix_pixels,
    pack_opaque,
    pack_over_greys,
)


@compiled()
def resample_strip(
    kind, size, pixels, row_bytes, channels, first_x, weights_x, left, first_y, weights_y, above,
    top, bottom, lx, ly, as_bytes, floats, packed,
):  # fmt: skip
    """Rows [top, bottom) of the output: first across the source's rows, over contiguous memory, then along them.

    kind: any value of the pixels' type, of `size` bytes. pixels: address of the level, its rows `row_bytes` long.
    first_x (n,), weights_x (n, taps): the taps of the output columns left .. left + n - 1, the only ones inside the
    picture; the same for rows from `above` on. (lx, ly): the viewport's corner on the device lattice. Results go to
    `floats` (H, W, C) or, as_bytes, to `packed` (H, W, 4); the array that is not asked for may be empty.
    """
    width = packed.shape[1] if as_bytes else floats.shape[1]
    count, taps_x = weights_x.shape
    low = first_x[0] if count > 0 else 0
    used = (first_x[-1] + taps_x - low) * channels if count > 0 else 0
    # One vector beyond the end: with three channels a pixel is loaded together with a value of the next.
    line = np.zeros(used + 16, np.float32)
    row = np.zeros((width + 4, 4), np.float32)
    greys = np.zeros((2, width + 4, 4), np.float32)
    for x in range(width + 4):
        odd = ((lx + x) // CHECKER_SIZE) & 1
        for c in range(3):
            greys[odd, x, c] = CHECKER_DARK
            greys[1 - odd, x, c] = CHECKER_LIGHT
    # greys[p] is for rows whose own square number has parity 1 - p.
    last = np.empty((4, 4), np.uint8)
    for y in range(top, bottom):
        number = y - above
        inside = 0 <= number < first_y.size and count > 0
        if inside:
            source = pixels + first_y[number] * row_bytes + low * channels * size
            _blend_rows(kind, size, source, row_bytes, weights_y[number], line, used)
            for x in range(count):
                mix_pixels(
                    line.ctypes.data + (first_x[x] - low) * channels * 4,
                    channels * 4,
                    weights_x[x].ctypes.data,
                    taps_x,
                    row[left + x].ctypes.data,
                )
        else:
            row[:] = 0
        if as_bytes:
            parity = ((ly + y) // CHECKER_SIZE) & 1
            _write_bytes(row, channels, greys[1 - parity], packed[y], last)
        else:
            for x in range(width):
                for c in range(channels):
                    floats[y, x, c] = row[x, c]


@compiled()
def _blend_rows(kind, size, source, row_bytes, weights, line, used):
    """Mix as many rows as there are weights into the first `used` values of the line."""
    taps = weights.size
    k = 0
    while k + 64 <= used:
        blend_many(
            kind, source + k * size, row_bytes, weights.ctypes.data, taps, line[k:].ctypes.data
        )
        k += 64
    while k + 16 <= used:
        blend_some(
            kind, source + k * size, row_bytes, weights.ctypes.data, taps, line[k:].ctypes.data
        )
        k += 16
    while k < used:
        blend_one(
            kind, source + k * size, row_bytes, weights.ctypes.data, taps, line[k:].ctypes.data
        )
        k += 1


@compiled()
def _write_bytes(row, channels, greys, out, last):
    """One row of pixels, padded by four, to BGRX bytes. last: room for four pixels."""
    width = out.shape[0]
    x = 0
    while x < width:
        whole = x + 4 <= width
        target = out[x:].ctypes.data if whole else last.ctypes.data
        if channels == 4:
            pack_over_greys(row[x].ctypes.data, greys[x].ctypes.data, target)
        else:
            pack_opaque(row[x].ctypes.data, greys[x].ctypes.data, target)
        if not whole:
            out[x:] = last[: width - x]
        x += 4
