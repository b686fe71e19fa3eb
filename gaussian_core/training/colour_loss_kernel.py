"""The loss of what is seen of the Gaussians, and its gradient, compiled: twins of colour_loss."""

# mypy: disable-error-code="no-untyped-def, call-arg, operator"

from __future__ import annotations

import math

import numpy as np

from gaussian_core.compiled import compiled
from gaussian_core.training.colour_loss import LEAST_SQUARE, LUMA

ZERO, ONE, THREE = (np.float32(v) for v in (0, 1, 3))
RED, GREEN, BLUE = (np.float32(v) for v in LUMA)
FLAT = np.float32(LEAST_SQUARE)


@compiled(inline="always")
def _sign(x):
    return ONE if x > ZERO else (-ONE if x < ZERO else ZERO)


@compiled(inline="always")
def _subtract(seen, wanted, difference):
    """difference = seen - wanted, (3, h, w) each."""
    for channel in range(3):
        for y in range(seen.shape[1]):
            a, b, out = seen[channel, y], wanted[channel, y], difference[channel, y]
            for x in range(len(out)):
                out[x] = a[x] - b[x]


@compiled(fastmath=True)
def absolute_loss(seen, wanted, luminance, weight, gradient):
    """colour_loss.colour_loss of one crop (3, h, w), times the number of its values; gradient = that of this, times
    weight."""
    _subtract(seen, wanted, gradient)
    of_each, of_y = ONE - luminance, THREE * luminance
    total = np.float32(0)
    for y in range(gradient.shape[1]):
        r, g, b = gradient[0, y], gradient[1, y], gradient[2, y]
        for x in range(len(r)):
            luma = RED * r[x] + GREEN * g[x] + BLUE * b[x]
            total += of_each * (abs(r[x]) + abs(g[x]) + abs(b[x])) + of_y * abs(luma)
            each, slope = of_each * weight, of_y * weight * _sign(luma)
            r[x] = each * _sign(r[x]) + RED * slope
            g[x] = each * _sign(g[x]) + GREEN * slope
            b[x] = each * _sign(b[x]) + BLUE * slope
    return total


@compiled(fastmath=True)
def square_loss(seen, wanted, luminance, weight, gradient):
    """`absolute_loss`, by squares."""
    _subtract(seen, wanted, gradient)
    count = np.float32(seen.size)
    squares, luma_squares = ZERO, ZERO
    for y in range(gradient.shape[1]):
        r, g, b = gradient[0, y], gradient[1, y], gradient[2, y]
        of_row, luma_of_row = ZERO, ZERO  # summed by rows: fewer digits are lost
        for x in range(len(r)):
            luma = RED * r[x] + GREEN * g[x] + BLUE * b[x]
            of_row += r[x] * r[x] + g[x] * g[x] + b[x] * b[x]
            luma_of_row += luma * luma
        squares += of_row
        luma_squares += luma_of_row
    root = np.float32(math.sqrt(squares / count + FLAT))
    luma_root = np.float32(math.sqrt(luma_squares * THREE / count + FLAT))
    each = (ONE - luminance) * weight / root
    slope = THREE * luminance * weight / luma_root
    for y in range(gradient.shape[1]):
        r, g, b = gradient[0, y], gradient[1, y], gradient[2, y]
        for x in range(len(r)):
            luma = slope * (RED * r[x] + GREEN * g[x] + BLUE * b[x])
            r[x] = each * r[x] + RED * luma
            g[x] = each * g[x] + GREEN * luma
            b[x] = each * b[x] + BLUE * luma
    return count * ((ONE - luminance) * root + luminance * luma_root)
