"""The convolution and its gradients, chunk by chunk of tiles, without the GIL.

A chunk is as many tiles as stay in the second-level cache with what is made of them: transformed, multiplied by the 36
matrices of the filters, transformed back, and written with the bias, the activation and what is to be added.
"""

# mypy: disable-error-code="call-arg,no-untyped-def"

from __future__ import annotations

import numpy as np

from gaussian_core.compiled import compiled
from gaussian_core.convolution.multiply_ir import multiply
from gaussian_core.convolution.steps_ir import LANES, add_lanes, copy_lanes, finish_lanes
from gaussian_core.convolution.transforms import (
    POINTS,
    transform_in,
    transform_in_adjoint,
    transform_out,
    transform_out_adjoint,
)
from gaussian_core.machine.cache_lines import lines

CHUNK = 24  # tiles
PIXELS = 48  # of `heads` at once
STEP = LANES  # channels come in multiples of this


@compiled()
def _take(x, channels, top, left, side, patch):
    """patch (side, side C) = pixels top .. top + side - 1, left .. left + side - 1 of x (H, W C), zeros beyond it."""
    size, width = channels * 4, x.shape[1] // channels
    target = patch.ctypes.data
    for y in range(top, top + side):
        for column in range(left, left + side):
            inside = 0 <= y < x.shape[0] and 0 <= column < width
            source = x.ctypes.data + (y * width + column) * size
            for c in range(0, size, 64):
                copy_lanes(source + c if inside else 0, target + c)
            target += size


@compiled()
def _tile(x, channels, top, left, side, patch):
    """(address, bytes of a row) of such pixels: in x itself where all are inside, else in patch, where they are put."""
    if (
        top >= 0
        and left >= 0
        and top + side <= x.shape[0]
        and (left + side) * channels <= x.shape[1]
    ):
        return x.ctypes.data + (top * x.shape[1] + left * channels) * 4, x.shape[1] * 4
    _take(x, channels, top, left, side, patch)
    return patch.ctypes.data, side * channels * 4


@compiled()
def _add(patch, x, channels, top, left):
    """The pixels top .. top + 5, left .. left + 5 of x (H, W C) += patch (6, 6 C), those inside x."""
    size, width = channels * 4, x.shape[1] // channels
    start, end = max(0, -left), min(6, width - left)
    for i in range(max(0, -top), min(6, x.shape[0] - top)):
        source = patch.ctypes.data + (6 * i + start) * size
        target = x.ctypes.data + ((top + i) * width + left + start) * size
        for q in range(0, (end - start) * size, 64):
            add_lanes(source + q, target + q)


@compiled()
def _put(out, y, top, left, bias, slope, plus, shift):
    """The pixels from top, left on of y (H, W K) = act(out + bias) + plus for out (4, 4 K), those inside y.

    act: negative values times slope. plus: (H + 2 shift, (W + 2 shift) K), from pixel (shift, shift) on, or empty.
    """
    size, width = len(bias) * 4, y.shape[1] // len(bias)
    for i in range(min(4, y.shape[0] - top)):
        for j in range(min(4, width - left)):
            source = out.ctypes.data + (4 * i + j) * size
            target = y.ctypes.data + ((top + i) * width + left + j) * size
            for c in range(0, size, 64):
                finish_lanes(source + c, bias.ctypes.data + c, slope, target + c)
            if plus.shape[0] > 0:
                more = plus.ctypes.data + (top + i + shift) * plus.shape[1] * 4
                more += (left + j + shift) * size
                for c in range(0, size, 64):
                    add_lanes(more + c, target + c)


@compiled()
def _transform_tiles(x, padding, columns, first, count, patch, t, v):
    """v[:, k] (36, CHUNK, C): the transformed tile first + k of x (H, W C), k < count; tiles are counted row by row,
    `columns` in each. patch, t: scratch (6, 6 C)."""
    channels = v.shape[2]
    c4 = channels * 4
    for k in range(count):
        row, column = (first + k) // columns, (first + k) % columns
        d, step = _tile(x, channels, 4 * row - padding, 4 * column - padding, 6, patch)
        transform_in(d, step, t.ctypes.data, v.ctypes.data + k * c4, CHUNK * c4, channels)


@compiled()
def forward(x, u, bias, padding, slope, plus, shift, first, last, y):
    """y (H', W' K) of the tiles first .. last - 1, row by row, H' = H - 2 + 2 padding.

    x (H, W C); u (36, C, K): transformed filters; bias (K); slope: of the activation below zero, 1 for none; plus,
    shift: see _put. All float32 and contiguous. C and K: multiples of 16.
    """
    channels, outputs = u.shape[1], u.shape[2]
    v = lines(POINTS * CHUNK * channels).reshape(POINTS, CHUNK, channels)
    m = lines(POINTS * CHUNK * outputs).reshape(POINTS, CHUNK, outputs)
    patch, t = lines(36 * channels), lines(36 * channels)
    s, out = lines(24 * outputs), lines(16 * outputs)
    c4, k4 = channels * 4, outputs * 4
    columns = (y.shape[1] // outputs + 3) // 4
    while first < last:
        count = min(CHUNK, last - first)
        _transform_tiles(x, padding, columns, first, count, patch, t, v)
        for p in range(POINTS):
            multiply(
                v[p].ctypes.data, c4, 4, u[p].ctypes.data, k4, m[p].ctypes.data, k4,
                count, outputs, channels, 0,
            )  # fmt: skip
        for k in range(count):
            row, column = (first + k) // columns, (first + k) % columns
            transform_out(
                m.ctypes.data + k * k4, CHUNK * k4, s.ctypes.data, out.ctypes.data, outputs
            )
            _put(out, y, 4 * row, 4 * column, bias, slope, plus, shift)
        first += count


@compiled()
def backward(x, back, u_back, padding, du, dx):
    """Gradients of one picture: adds to du (36, C, K) and to dx (H, W C).

    x (H, W C); back (H', W' K): gradient of what forward gives without activation; u_back (36, K, C): the transformed
    filters, transposed. dx empty: not wanted. All float32 and contiguous.
    """
    channels, outputs = du.shape[1], du.shape[2]
    v = lines(POINTS * CHUNK * channels).reshape(POINTS, CHUNK, channels)
    m = lines(POINTS * CHUNK * outputs).reshape(POINTS, CHUNK, outputs)
    patch, t = lines(36 * channels), lines(36 * channels)
    out, s = lines(16 * outputs), lines(24 * outputs)
    c4, k4 = channels * 4, outputs * 4
    columns = (back.shape[1] // outputs + 3) // 4
    first, last = 0, columns * ((back.shape[0] + 3) // 4)
    while first < last:
        count = min(CHUNK, last - first)
        _transform_tiles(x, padding, columns, first, count, patch, t, v)
        for k in range(count):
            row, column = (first + k) // columns, (first + k) % columns
            d, step = _tile(back, outputs, 4 * row, 4 * column, 4, out)
            transform_out_adjoint(
                d, step, s.ctypes.data, m.ctypes.data + k * k4, CHUNK * k4, outputs
            )
        for p in range(POINTS):
            multiply(
                v[p].ctypes.data, 4, c4, m[p].ctypes.data, k4, du[p].ctypes.data, k4,
                channels, outputs, count, 1,
            )  # fmt: skip
        if dx.shape[0] > 0:
            for p in range(POINTS):
                multiply(
                    m[p].ctypes.data, k4, 4, u_back[p].ctypes.data, c4, v[p].ctypes.data, c4,
                    count, channels, outputs, 0,
                )  # fmt: skip
            for k in range(count):
                row, column = (first + k) // columns, (first + k) % columns
                transform_in_adjoint(
                    v.ctypes.data + k * c4, CHUNK * c4, t.ctypes.data, patch.ctypes.data, channels
                )
                _add(patch, dx, channels, 4 * row - padding, 4 * column - padding)
        first += count


@compiled()
def heads(x, hidden, out, first, last, planes):
    """planes[:, first : last] = out relu(hidden [x, 1]), pixel by pixel.

    x (N, C); hidden (H, C + 1), whose last column is what is added; out (O, H); planes (O, N). All float32 and
    contiguous.
    """
    channels, middle, outputs = x.shape[1], hidden.shape[0], out.shape[0]
    # Pixels are columns here: the products then write planes, and what is turned round is x, the smallest of all.
    seen = lines((channels + 1) * PIXELS).reshape(channels + 1, PIXELS)
    inner = lines(middle * PIXELS).reshape(middle, PIXELS)
    rest = lines(outputs * PIXELS).reshape(outputs, PIXELS)
    row = PIXELS * 4
    seen[:channels] = 0
    seen[channels] = 1
    while first < last:
        count = min(PIXELS, last - first)
        for k in range(count):
            for c in range(channels):
                seen[c, k] = x[first + k, c]
        multiply(
            hidden.ctypes.data, hidden.shape[1] * 4, 4, seen.ctypes.data, row,
            inner.ctypes.data, row, middle, PIXELS, channels + 1, 0,
        )  # fmt: skip
        for h in range(middle):
            for k in range(PIXELS):
                inner[h, k] = max(inner[h, k], np.float32(0))
        target = planes.ctypes.data + first * 4 if count == PIXELS else rest.ctypes.data
        step = planes.shape[1] * 4 if count == PIXELS else row
        multiply(
            out.ctypes.data, middle * 4, 4, inner.ctypes.data, row,
            target, step, outputs, PIXELS, middle, 0,
        )  # fmt: skip
        if count < PIXELS:
            planes[:, first:last] = rest[:, :count]
        first += count


def warm() -> None:
    """Compile what building needs. Training compiles `backward` when it begins."""
    x, y = np.zeros((3, 3 * STEP), np.float32), np.zeros((1, STEP), np.float32)
    u, bias = np.zeros((POINTS, STEP, STEP), np.float32), np.zeros(STEP, np.float32)
    none = np.empty((0, 0), np.float32)
    forward(x, u, bias, 0, np.float32(1), none, 0, 0, 1, y)
    square = np.zeros((STEP + 1, STEP + 1), np.float32)
    heads(y, square, square, 0, 1, np.zeros((STEP + 1, 1), np.float32))
