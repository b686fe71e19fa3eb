"""From what a network's heads say to the table of Gaussians that training draws, and the gradients back, compiled.

The same sums as ContinuousSR.gaussians and grid_rasterizer.sample_cells, for the design that is shipped: a dictionary
of matrix logarithms, Gaussians that start round. In one pass over 64 pixels at a time, whose numbers stay in the
first-level cache; as tensor operations these sums took as long as the convolutions.
"""

# mypy: disable-error-code="no-untyped-def, call-arg, operator"

from __future__ import annotations

import math

import numpy as np

from gaussian_core.compiled import compiled
from gaussian_core.exponential import LOG2E, exp2

AT_ONCE = 64  # pixels: rows of the scratch are so long, a constant, or the compiler would not see them apart
HALF_LOG2E = np.float32(0.5 / math.log(2.0))
WIDEST, UPPER, LOWER = (
    np.float32(1.5),
    np.float32(1.8),
    np.float32(3.0),
)  # see continuoussr._exponential
ZERO, ONE, TWO, HALF = (np.float32(v) for v in (0, 1, 2, 0.5))
TINY, NEAR = np.float32(1e-8), np.float32(1e-4)
FARTHEST = np.float32(15.0)  # where tanh is 1

# Rows of the scratch: what a Gaussian is,
(
    TOP, SUM, LOG_XX, LOG_XY, LOG_YY, SHRINK, LENGTH, RADIUS, DIFFERENCE, CROSS, COSH, SINH, SLOPE,
    XX, XY, YY, WX, WY, INVERSE, ROOT, AWAY_X, AWAY_Y,
) = range(22)  # fmt: skip
# the gradients of the table's eight rows, and those of what they are made of;
G_TABLE = 22
(
    G_XX, G_XY, G_YY, G_LOG_XX, G_LOG_XY, G_LOG_YY, MEAN, ALONG, ACROSS, ELONGATION, COLOUR,
) = range(30, 41)  # fmt: skip
WEIGHTS = 41  # then the entries of the dictionary


@compiled(fastmath=True, error_model="numpy")
def _gaussians(raw, cell, first, count, prior, rate, variance, blur, drift, s):
    """The Gaussians of cell number `cell` of each of `count` pixels, from number `first` on, to the rows of s.

    raw (O, n, P): outputs, cells of a pixel, pixels. blur: variance of the pixel that sees them.
    """
    entries = len(prior)
    n = AT_ONCE
    for x in range(n):
        s[TOP * n + x] = np.float32(-1e30)
    for k in range(entries):
        row = (WEIGHTS + k) * n
        for x in range(count):
            s[row + x] = raw[3 + k, cell, first + x] * rate
        for x in range(count, n):
            s[row + x] = ZERO
        for x in range(n):
            s[TOP * n + x] = max(s[TOP * n + x], s[row + x])
    for x in range(n):
        s[SUM * n + x] = ZERO
        s[LOG_XX * n + x] = ZERO
        s[LOG_XY * n + x] = ZERO
        s[LOG_YY * n + x] = ZERO
    for k in range(entries):
        row = (WEIGHTS + k) * n
        for x in range(n):
            s[row + x] = exp2((s[row + x] - s[TOP * n + x]) * LOG2E)
        for x in range(n):
            s[SUM * n + x] += s[row + x]
    for k in range(entries):
        row = (WEIGHTS + k) * n
        a, b, c = prior[k, 0], prior[k, 1], prior[k, 2]
        for x in range(n):
            s[row + x] /= s[SUM * n + x]
        for x in range(n):
            s[LOG_XX * n + x] += a * s[row + x]
        for x in range(n):
            s[LOG_XY * n + x] += b * s[row + x]
        for x in range(n):
            s[LOG_YY * n + x] += c * s[row + x]
    for x in range(n):
        d = (s[LOG_XX * n + x] - s[LOG_YY * n + x]) * HALF
        b = s[LOG_XY * n + x]
        length = math.sqrt(d * d + b * b + TINY)
        radius = min(length, WIDEST)
        shrink = radius / length
        middle = (s[LOG_XX * n + x] + s[LOG_YY * n + x]) * HALF
        middle = max(min(middle, UPPER - radius), radius - LOWER)
        size = exp2(middle * LOG2E) * variance
        grown = exp2(radius * LOG2E)
        cosh, sinh = (grown + ONE / grown) * HALF, (grown - ONE / grown) * HALF
        slope = size * sinh / radius
        s[LENGTH * n + x] = length
        s[RADIUS * n + x] = radius
        s[SHRINK * n + x] = shrink
        s[DIFFERENCE * n + x] = d * shrink
        s[CROSS * n + x] = b * shrink
        s[COSH * n + x] = size * cosh
        s[SINH * n + x] = size * sinh
        s[SLOPE * n + x] = slope
        s[XX * n + x] = size * cosh + slope * d * shrink
        s[XY * n + x] = slope * b * shrink
        s[YY * n + x] = size * cosh - slope * d * shrink
    for x in range(n):
        wx, wy, xy = s[XX * n + x] + blur, s[YY * n + x] + blur, s[XY * n + x]
        after = wx * wy - xy * xy
        s[WX * n + x] = wx
        s[WY * n + x] = wy
        s[INVERSE * n + x] = ONE / after
        s[ROOT * n + x] = ONE / math.sqrt(after)
    if raw.shape[0] > 3 + entries:
        for axis in range(2):
            row = (AWAY_X + axis) * n
            for x in range(count):
                s[row + x] = raw[3 + entries + axis, cell, first + x] * rate
            for x in range(count, n):
                s[row + x] = ZERO
            for x in range(n):
                z = max(min(s[row + x], FARTHEST), -FARTHEST)
                s[row + x] = drift * (ONE - TWO / (exp2(TWO * LOG2E * z) + ONE))
    else:
        for x in range(n):
            s[AWAY_X * n + x] = ZERO
            s[AWAY_Y * n + x] = ZERO


@compiled(fastmath=True, error_model="numpy")
def table_of(raw, cells, width, enlarged, prior, rate, variance, blur, drift, table):
    """table (8, G H, G W) of one crop: x, y, conic (3), colour (3), as grid_rasterizer.sample_cells makes it.

    raw (O, G^2, H W): 3 colours, the dictionary's entries, 2 drifts; enlarged (3, G H, G W): the bicubic enlargement.
    rate: GEOMETRY_RATE. variance: that of a Gaussian at the start, blur: of a pixel's footprint, source pixels squared.
    """
    s = np.empty((WEIGHTS + len(prior)) * AT_ONCE, np.float32)
    n, pixels = AT_ONCE, raw.shape[2]
    share = np.float32(1 / (2 * math.pi * cells * cells))
    for cell in range(cells * cells):
        i, j = cell // cells, cell % cells
        for first in range(0, pixels, n):
            count = min(n, pixels - first)
            _gaussians(raw, cell, first, count, prior, rate, variance, blur, drift, s)
            for x in range(count):
                p = first + x
                row, column = p // width * cells + i, p % width * cells + j
                k = -HALF_LOG2E * s[INVERSE * n + x]
                table[0, row, column] = (np.float32(column) + HALF) / cells + s[AWAY_X * n + x]
                table[1, row, column] = (np.float32(row) + HALF) / cells + s[AWAY_Y * n + x]
                table[2, row, column] = k * s[WY * n + x]
                table[3, row, column] = -TWO * k * s[XY * n + x]
                table[4, row, column] = k * s[WX * n + x]
                for c in range(3):
                    colour = enlarged[c, row, column] + raw[c, cell, p]
                    table[5 + c, row, column] = colour * share * s[ROOT * n + x]


@compiled(fastmath=True, error_model="numpy")
def raw_gradient(
    raw, cells, width, table, edges, back, prior, rate, variance, blur, drift, follow, out
):
    """out, like raw: the gradient that `back`, of the table, and the prior on the geometry stand for. -> that prior's
    sum over the cells (see geometry_prior).

    edges (2, H, W): structure_tensor of the crop. follow: the prior's weight, for each cell.
    """
    entries, n, pixels = len(prior), AT_ONCE, raw.shape[2]
    s = np.empty((WEIGHTS + entries) * n, np.float32)
    share = np.float32(1 / (2 * math.pi * cells * cells))
    flat = edges.reshape(2, pixels)
    drifts = raw.shape[0] > 3 + entries
    total = 0.0
    for cell in range(cells * cells):
        i, j = cell // cells, cell % cells
        for first in range(0, pixels, n):
            count = min(n, pixels - first)
            _gaussians(raw, cell, first, count, prior, rate, variance, blur, drift, s)
            for x in range(n):
                s[COLOUR * n + x] = ZERO
                s[ALONG * n + x] = ZERO
                s[ACROSS * n + x] = ZERO
            for r in range(8):
                for x in range(count, n):
                    s[(G_TABLE + r) * n + x] = ZERO
            for x in range(count):
                p = first + x
                row, column = p // width * cells + i, p % width * cells + j
                s[ALONG * n + x] = flat[0, p]
                s[ACROSS * n + x] = flat[1, p]
                for r in range(8):
                    s[(G_TABLE + r) * n + x] = back[r, row, column]
                for c in range(3):
                    s[COLOUR * n + x] += back[5 + c, row, column] * table[5 + c, row, column]
                    out[c, cell, p] = back[5 + c, row, column] * share * s[ROOT * n + x]
            # Of the conic and the colours to the covariance that the pixel sees, of that to the Gaussian's own.
            for x in range(n):
                inverse, wx, wy, xy = (
                    s[INVERSE * n + x], s[WX * n + x], s[WY * n + x], s[XY * n + x],
                )  # fmt: skip
                ga, gb, gc = (
                    s[(G_TABLE + 2) * n + x], s[(G_TABLE + 3) * n + x], s[(G_TABLE + 4) * n + x],
                )  # fmt: skip
                h = HALF_LOG2E * inverse
                after = -HALF * s[COLOUR * n + x] * inverse
                after += h * inverse * (wy * ga - TWO * xy * gb + wx * gc)
                s[G_XX * n + x] = wy * after - h * gc
                s[G_YY * n + x] = wx * after - h * ga
                s[G_XY * n + x] = TWO * h * gb - TWO * xy * after
            for x in range(n):
                xx, xy, yy = s[XX * n + x], s[XY * n + x], s[YY * n + x]
                inverse = ONE / (xx + yy)
                along, across = s[ALONG * n + x], s[ACROSS * n + x]
                elongation = ((xx - yy) * along + TWO * xy * across) * inverse
                s[ELONGATION * n + x] = elongation
                s[G_XX * n + x] -= follow * (along - elongation) * inverse
                s[G_YY * n + x] += follow * (along + elongation) * inverse
                s[G_XY * n + x] -= follow * TWO * across * inverse
            # Through the matrix exponential: see continuoussr._exponential.
            for x in range(n):
                gxx, gxy, gyy = s[G_XX * n + x], s[G_XY * n + x], s[G_YY * n + x]
                d, b, radius = s[DIFFERENCE * n + x], s[CROSS * n + x], s[RADIUS * n + x]
                cosh, sinh, slope = s[COSH * n + x], s[SINH * n + x], s[SLOPE * n + x]
                g_cosh = gxx + gyy
                g_slope = (gxx - gyy) * d + gxy * b
                g_middle = cosh * g_cosh + slope * g_slope
                g_radius = sinh * g_cosh + (cosh - slope) / radius * g_slope
                middle = (s[LOG_XX * n + x] + s[LOG_YY * n + x]) * HALF
                low, high = middle < radius - LOWER, middle > UPPER - radius
                g_radius += g_middle if low else (-g_middle if high else ZERO)
                g_middle = ZERO if low or high else g_middle
                g_d, g_b = slope * (gxx - gyy), slope * gxy
                length, shrink = s[LENGTH * n + x], s[SHRINK * n + x]
                own_d, own_b = d / shrink, b / shrink
                # Where the radius is cut only the direction counts.
                cut = -(g_d * own_d + g_b * own_b) * WIDEST / (length * length)
                g_length = (cut if length > WIDEST else g_radius) / length
                g_d = g_d * shrink + g_length * own_d
                g_b = g_b * shrink + g_length * own_b
                s[G_LOG_XX * n + x] = (g_middle + g_d) * HALF
                s[G_LOG_YY * n + x] = (g_middle - g_d) * HALF
                s[G_LOG_XY * n + x] = g_b
            for x in range(n):
                s[MEAN * n + x] = (
                    s[G_LOG_XX * n + x] * s[LOG_XX * n + x]
                    + s[G_LOG_XY * n + x] * s[LOG_XY * n + x]
                    + s[G_LOG_YY * n + x] * s[LOG_YY * n + x]
                )
            for k in range(entries):
                row = (WEIGHTS + k) * n
                a, b, c = prior[k, 0], prior[k, 1], prior[k, 2]
                target = out[3 + k, cell, first:]
                for x in range(count):
                    own = (
                        a * s[G_LOG_XX * n + x] + b * s[G_LOG_XY * n + x] + c * s[G_LOG_YY * n + x]
                    )
                    target[x] = rate * s[row + x] * (own - s[MEAN * n + x])
            for x in range(count):
                dx, dy = s[AWAY_X * n + x], s[AWAY_Y * n + x]
                away = math.sqrt(dx * dx + dy * dy + NEAR)
                total += away - s[ELONGATION * n + x]
                if drifts:
                    for axis in range(2):
                        d = s[(AWAY_X + axis) * n + x]
                        g = s[(G_TABLE + axis) * n + x] + follow * d / away
                        t = d / drift
                        out[3 + entries + axis, cell, first + x] = g * drift * rate * (ONE - t * t)
    return total
