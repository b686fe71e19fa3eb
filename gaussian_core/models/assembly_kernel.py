"""Compiled ContinuousSR.gaussians: from the raw outputs of the heads to rows of Gaussians (see assembly)."""

# mypy: disable-error-code="no-untyped-def, call-arg"

from __future__ import annotations

import math

import numpy as np

from gaussian_core.compiled import compiled
from gaussian_core.exponential import LOG2E, as_float, exp2

HALF, ONE, TWO = np.float32(0.5), np.float32(1.0), np.float32(2.0)
INVERSE_TWO_PI = np.float32(1 / (2 * math.pi))
MOST_STRETCH, LARGEST, SMALLEST = np.float32(1.5), np.float32(1.8), np.float32(3.0)


@compiled(inline="always", fastmath=True)
def _largest(total, part, width):
    for x in range(width):
        total[x] = max(total[x], as_float(part[x]))


@compiled(inline="always", fastmath=True)
def _weights(weight, part, largest, rate, width):
    for x in range(width):
        weight[x] = exp2((as_float(part[x]) - largest[x]) * rate)


@compiled(inline="always", fastmath=True)
def _add(total, weight, factor, width):
    for x in range(width):
        total[x] += weight[x] * factor


@compiled(inline="always", fastmath=True)
def _add_raw(total, part, factor, width):
    for x in range(width):
        total[x] += as_float(part[x]) * factor


@compiled(inline="always", fastmath=True)
def _tanh(x):
    limited = max(np.float32(-15.0), min(np.float32(15.0), x))
    return ONE - TWO / (exp2(limited * (TWO * LOG2E)) + ONE)


@compiled(fastmath=True, error_model="numpy")
def assemble_row(
    y,
    scratch,
    stretch,
    raw,
    lost,
    prior,
    enlarged,
    rect,
    origin,
    cells,
    rate,
    variance,
    drift,
    rows,
):
    """Write the Gaussians of source row y, within rect, to rows.

    scratch (9, W') float32. stretch (2, H', W') of the picture: elongation, as coherence times (cos, sin).
    raw (3 n + (K + D) n, H, W): colour, shape and drift (D = 2, or 0 where drift is 0) of the n = cells^2 cells,
    float32 or the bits of bfloat16 as int16. prior (K, 3): matrix logarithms that shape mixes by softmax;
    with K = 0 shape is the logarithm itself (3). lost: how many columns and rows of the picture are ahead of raw's.
    enlarged (C, cells H', cells W'): the picture's bicubic enlargement. rect: x0, y0, x1, y1 in its pixels. origin:
    source coordinates of its first one.
    rows (5 + C, N): pixel by pixel of rect, the cells of a pixel next to each other.
    """
    x0, y0, x1, y1 = rect
    width = x1 - x0
    row, left, right = y - lost[1], x0 - lost[0], x1 - lost[0]
    n = cells * cells
    entries = prior.shape[0]
    shapes = entries if entries else 3
    first_shape = 3 * n
    first_drift = first_shape + shapes * n
    channels = enlarged.shape[0]
    top, total, weight = scratch[0, :width], scratch[1, :width], scratch[2, :width]
    lxx, lxy, lyy = scratch[3, :width], scratch[4, :width], scratch[5, :width]
    sxx, sxy, syy = scratch[6, :width], scratch[7, :width], scratch[8, :width]
    sc, ss = stretch[0, y, x0:x1], stretch[1, y, x0:x1]
    step = ONE / np.float32(cells)
    share = INVERSE_TWO_PI / np.float32(n)
    for cell in range(n):
        ci, cj = cell // cells, cell % cells
        lxx[:] = 0
        lxy[:] = 0
        lyy[:] = 0
        if entries:
            top[:] = -np.float32(1e30)
            total[:] = 0
            for k in range(entries):
                _largest(top, raw[first_shape + k * n + cell, row, left:right], width)
            for k in range(entries):
                part = raw[first_shape + k * n + cell, row, left:right]
                _weights(weight, part, top, rate * LOG2E, width)
                _add(total, weight, ONE, width)
                _add(lxx, weight, prior[k, 0], width)
                _add(lxy, weight, prior[k, 1], width)
                _add(lyy, weight, prior[k, 2], width)
            for x in range(width):
                weight[x] = ONE / total[x]
        else:
            weight[:] = rate
            for x in range(width):
                lxx[x] = as_float(raw[first_shape + cell, row, left + x])
                lxy[x] = as_float(raw[first_shape + n + cell, row, left + x])
                lyy[x] = as_float(raw[first_shape + 2 * n + cell, row, left + x])
        # The exponential of the matrix, bounded as in continuoussr._exponential.
        for x in range(width):
            c, s = sc[x], ss[x]
            longer = HALF * np.sqrt(c * c + s * s + np.float32(1e-12))
            a = lxx[x] * weight[x] + longer + c
            b = lxy[x] * weight[x] + s
            d = lyy[x] * weight[x] + longer - c
            m, d = (a + d) * HALF, (a - d) * HALF
            r = np.sqrt(d * d + b * b + np.float32(1e-8))
            q = min(r, MOST_STRETCH)
            shrink = q / r
            m = max(min(m, LARGEST - q), q - SMALLEST)
            size = exp2(m * LOG2E) * variance
            up = exp2(q * LOG2E)
            down = ONE / up
            cosh = size * HALF * (up + down)
            slope = size * HALF * (up - down) / q * shrink
            sxx[x] = cosh + slope * d
            sxy[x] = slope * b
            syy[x] = cosh - slope * d
        for x in range(width):
            total[x] = share / np.sqrt(max(sxx[x] * syy[x] - sxy[x] * sxy[x], np.float32(1e-8)))
        base = (y - y0) * width * n + cell
        px = np.float32(origin[0] + x0) + (np.float32(cj) + HALF) * step
        py = np.float32(origin[1] + y) + (np.float32(ci) + HALF) * step
        if drift > 0:
            ox, oy = (
                raw[first_drift + cell, row, left:right],
                raw[first_drift + n + cell, row, left:right],
            )
            for x in range(width):
                lxx[x] = drift * _tanh(rate * as_float(ox[x]))
            for x in range(width):
                lyy[x] = drift * _tanh(rate * as_float(oy[x]))
        else:
            lxx[:] = 0
            lyy[:] = 0
        for x in range(width):
            place = base + x * n
            rows[0, place] = px + np.float32(x) + lxx[x]
            rows[1, place] = py + lyy[x]
            rows[2, place] = sxx[x]
            rows[3, place] = sxy[x]
            rows[4, place] = syy[x]
        for channel in range(channels):
            lxx[:] = 0
            if channels >= 3:
                if channel < 3:
                    _add_raw(lxx, raw[channel * n + cell, row, left:right], ONE, width)
            else:
                for colour in range(3):
                    _add_raw(lxx, raw[colour * n + cell, row, left:right], np.float32(1 / 3), width)
            line = enlarged[channel, cells * y + ci]
            for x in range(width):
                value = line[cells * (x0 + x) + cj] + lxx[x]
                rows[5 + channel, base + x * n] = value * total[x]


@compiled(error_model="numpy")
def assemble_rows(first, last, stretch, *arguments):
    """assemble_row for rows first .. last - 1 of the picture. arguments: its others, in their order."""
    scratch = np.empty((9, stretch.shape[2]), np.float32)
    for y in range(first, last):
        assemble_row(y, scratch, stretch, *arguments)


def warm():
    """Compile or load the kernel for both kinds of outputs."""
    for kind in (np.int16, np.float32):
        assemble_rows(
            0,
            1,
            np.zeros((2, 1, 1), np.float32),
            np.zeros((3 + 3 + 2, 1, 1), kind),
            (0, 0),
            np.zeros((3, 3), np.float32),
            np.zeros((3, 1, 1), np.float32),
            (0, 0, 1, 1),
            (0, 0),
            1,
            np.float32(1),
            np.float32(1),
            np.float32(0),
            np.empty((8, 1), np.float32),
        )
