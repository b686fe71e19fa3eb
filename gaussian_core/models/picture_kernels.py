"""What is read from the picture itself: the first convolution, the bicubic enlargement and the structure tensor."""

# mypy: disable-error-code="call-arg,no-untyped-def"

from __future__ import annotations

import math

import numpy as np

from gaussian_core.compiled import compiled
from gaussian_core.convolution.multiply_ir import multiply
from gaussian_core.convolution.steps_ir import LANES, copy_lanes

TAPS = (np.float32(0.4), np.float32(0.24), np.float32(0.06))  # of the smoothing, from its middle
NEAR = 64  # pixels of the first convolution at once
LEAST = np.float32(2e-4)  # where there is less structure than this, there is no direction


def bicubic_taps(times: int):
    """For each of `times` places in a pixel its first tap, relative to the pixel, and four weights (Keys 1981)."""
    a = -0.75  # as torch enlarges

    def near(d: float) -> float:
        return ((a + 2) * d - (a + 3)) * d * d + 1

    def far(d: float) -> float:
        return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a

    firsts, weights = np.empty(times, np.int64), np.empty((times, 4), np.float32)
    for phase in range(times):
        place = (phase + 0.5) / times - 0.5
        whole = math.floor(place)
        t = place - whole
        firsts[phase] = whole - 1
        weights[phase] = far(1 + t), near(t), near(1 - t), far(2 - t)
    return firsts, weights


@compiled()
def entry_rows(x, weight, bias, begin, end, out):
    """Rows begin .. end - 1 of out (h, w, K): convolution of x (h + 2, w + 2, 3) with weight (3, 3, 3, K), rows and
    columns first. All float32 and contiguous, K a multiple of LANES."""
    width, channels = out.shape[1:]
    pixel, features = 3 * 4, channels * 4
    for row in range(begin, end):
        # As many pixels at once as stay in the first-level cache.
        for first in range(0, width, NEAR):
            count = min(NEAR, width - first)
            target = out[row, first:]
            for place in range(target.ctypes.data, target.ctypes.data + count * features, features):
                for c in range(0, features, 64):
                    copy_lanes(bias.ctypes.data + c, place + c)
            # What a pixel sees of one row are 9 values in a piece, of the next pixel the same ones three further on.
            for i in range(3):
                multiply(
                    x[row + i].ctypes.data + first * pixel, pixel, 4, weight[i].ctypes.data, features,
                    target.ctypes.data, features, count, channels, 9, 1,
                )  # fmt: skip


@compiled()
def enlarge_rows(image, firsts, weights, begin, end, out):
    """Rows begin .. end - 1 of out (C, G H, G W), the enlargement of image (C, H, W) with repeated edges."""
    channels, height, width = image.shape
    times = len(firsts)
    line = np.empty(width + 4, np.float32)  # two more pixels at both ends
    for row in range(begin, end):
        first, w = row // times + firsts[row % times], weights[row % times]
        y0, y1, y2, y3 = [min(max(first + k, 0), height - 1) for k in range(4)]
        for c in range(channels):
            above, upper, lower, below = image[c, y0], image[c, y1], image[c, y2], image[c, y3]
            for x in range(width):
                line[x + 2] = w[0] * above[x] + w[1] * upper[x] + w[2] * lower[x] + w[3] * below[x]
            line[:2] = line[2]
            line[width + 2 :] = line[width + 1]
            target = out[c, row]
            for phase in range(times):
                v, start = weights[phase], firsts[phase] + 2
                for x in range(width):
                    i = x + start
                    target[x * times + phase] = (
                        v[0] * line[i]
                        + v[1] * line[i + 1]
                        + v[2] * line[i + 2]
                        + v[3] * line[i + 3]
                    )


@compiled()
def structure_rows(colours, elongation, begin, end, out):
    """Rows begin .. end - 1 of out (2, H, W): elongation along the edges of colours (H, W, 3), see
    continuoussr.structure_tensor. Edges are repeated, those of the gradients once more for the smoothing."""
    height, width = colours.shape[:2]
    third = np.float32(1 / 3)
    half = np.float32(0.5)
    luma = np.empty((end - begin + 6, width + 2), np.float32)  # from row begin - 3, column -1 on
    for i in range(len(luma)):
        source = colours[min(max(begin - 3 + i, 0), height - 1)]
        for x in range(width):
            luma[i, x + 1] = (source[x, 0] + source[x, 1] + source[x, 2]) * third
        luma[i, 0], luma[i, width + 1] = luma[i, 1], luma[i, width]
    # Products of the gradients, and their sums down the columns, with two more pixels at both ends.
    products = np.empty((3, end - begin + 4, width), np.float32)  # from row begin - 2 on
    for i in range(products.shape[1]):
        y = min(max(begin - 2 + i, 0), height - 1)  # a row beyond the edge repeats the last one
        j = y - begin + 3
        for x in range(width):
            gx = (luma[j, x + 2] - luma[j, x]) * half
            gy = (luma[j + 1, x + 1] - luma[j - 1, x + 1]) * half
            products[0, i, x] = gx * gx
            products[1, i, x] = gx * gy
            products[2, i, x] = gy * gy
    down = np.empty((3, width + 4), np.float32)
    for row in range(begin, end):
        i = row - begin + 2
        for c in range(3):
            p = products[c]
            for x in range(width):
                down[c, x + 2] = (
                    TAPS[0] * p[i, x]
                    + TAPS[1] * (p[i - 1, x] + p[i + 1, x])
                    + TAPS[2] * (p[i - 2, x] + p[i + 2, x])
                )
            down[c, :2] = down[c, 2]
            down[c, width + 2 :] = down[c, width + 1]
        for x in range(width):
            xx = _across(down[0], x)
            xy = _across(down[1], x)
            yy = _across(down[2], x)
            scale = elongation / (xx + yy + LEAST)
            out[0, row, x] = (yy - xx) * scale
            out[1, row, x] = -(xy + xy) * scale


@compiled()
def _across(line, x):
    return (
        TAPS[0] * line[x + 2]
        + TAPS[1] * (line[x + 1] + line[x + 3])
        + TAPS[2] * (line[x] + line[x + 4])
    )


def warm() -> None:
    """Compile the kernels, or load them from the cache."""
    image = np.zeros((3, 4, 4), np.float32)
    enlarge_rows(image, *bicubic_taps(2), 0, 8, np.empty((3, 8, 8), np.float32))
    colours = np.zeros((4, 4, 3), np.float32)
    entry_rows(
        colours,
        np.zeros((3, 3, 3, LANES), np.float32),
        np.zeros(LANES, np.float32),
        0,
        2,
        np.empty((2, 2, LANES), np.float32),
    )
    structure_rows(colours, np.float32(0.4), 0, 4, np.empty((2, 4, 4), np.float32))
