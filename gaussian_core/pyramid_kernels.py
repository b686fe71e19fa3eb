"""The compiled loops of the pyramid."""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numpy as np

from gaussian_core.compiled import compiled


@compiled()
def premultiply(pixels, alpha, out, scale, rounding):
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            a = alpha[y, x]
            for c in range(3):
                out[y, x, c] = pixels[y, x, c] * (a * scale) + rounding
            out[y, x, 3] = a


@compiled()
def halve(fine, coarse, first, last, rounding):
    height, width, channels = fine.shape
    for y in range(first, last):
        y0 = 2 * y
        y1 = min(y0 + 1, height - 1)  # the last row of an odd height is averaged with itself
        for x in range(coarse.shape[1]):
            x0 = 2 * x
            x1 = min(x0 + 1, width - 1)
            for c in range(channels):
                total = (
                    np.float32(fine[y0, x0, c])
                    + np.float32(fine[y0, x1, c])
                    + np.float32(fine[y1, x0, c])
                    + np.float32(fine[y1, x1, c])
                )
                coarse[y, x, c] = total * np.float32(0.25) + np.float32(rounding)
