"""The compiled loops of the pyramid."""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numpy as np

from gaussian_core.compiled import compiled


@compiled()
def premultiply(pixels, alpha, out, scale, whole):
    """Straight RGB and alpha to premultiplied RGBA. scale: 1 / full alpha. whole: round to whole numbers."""
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            a = alpha[y, x]
            share = np.float32(a) * np.float32(scale)
            for c in range(3):
                value = np.float32(pixels[y, x, c]) * share
                out[y, x, c] = np.rint(value) if whole else value
            out[y, x, 3] = a


@compiled()
def halve(fine, coarse, last_row, last_column, whole):
    """The next level: means of 2x2 pixels.

    last_row, last_column: the share of the first pixel in the last pair of an axis, where the second may cover less
    (or nothing: 1). Whole numbers are rounded half to even: always upwards would brighten every level a little more.
    """
    height, width, channels = fine.shape
    columns = coarse.shape[1]
    flat = fine.reshape(height, width * channels)
    line = np.empty((width + 1) * channels, np.float32)
    half = np.float32(0.5)
    for y in range(len(coarse)):
        upper = np.float32(last_row) if y == len(coarse) - 1 else half
        lower = np.float32(1) - upper
        above = flat[2 * y]
        below = flat[min(2 * y + 1, height - 1)]
        for k in range(width * channels):
            line[k] = upper * np.float32(above[k]) + lower * np.float32(below[k])
        # In case of an odd width: a partner of no weight.
        for c in range(channels):
            line[width * channels + c] = line[(width - 1) * channels + c]
        if channels == 3:
            for x in range(columns - 1):
                for c in range(3):
                    value = half * (line[6 * x + c] + line[6 * x + 3 + c])
                    coarse[y, x, c] = np.rint(value) if whole else value
        else:
            for x in range(columns - 1):
                for c in range(4):
                    value = half * (line[8 * x + c] + line[8 * x + 4 + c])
                    coarse[y, x, c] = np.rint(value) if whole else value
        left = np.float32(last_column)
        right = np.float32(1) - left
        k = 2 * (columns - 1) * channels
        for c in range(channels):
            value = left * line[k + c] + right * line[k + channels + c]
            coarse[y, columns - 1, c] = np.rint(value) if whole else value
