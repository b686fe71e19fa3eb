"""Kernel interpolation: the field that needs no weights.

One isotropic Gaussian per source pixel, its amplitude solved so that the field, seen through the pixel footprint at
scale 1, gives back the source pixels exactly. The system is separable, the same at every pixel and mirrored at the
borders, so its inverse is a short symmetric filter along each axis.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from gaussian_core.kernel_interpolation.kernels import filter_columns, filter_rows
from gaussian_core.rasterizer import PIXEL_SIGMA
from gaussian_core.row_layout import ROW_PADDING

# Standard deviation of each Gaussian, source pixels. A unit grid of them ripples by 2 exp(-2 pi^2 sigma^2) along an
# axis: 1.4 % at 0.5, which shows as a dot in every pixel of a flat sky at high zoom; 0.16 % at 0.6, which does not.
# Wider ones ring more at edges.
SIGMA = 0.6
RADIUS = 16  # taps on either side of the inverse filter: the rest is under 1e-6
GHOSTS = 2  # rings of mirrored Gaussians around the picture, so that the field does not fade at the border


@functools.cache
def inverse_filter() -> NDArray[np.float32]:
    """(RADIUS + 1,) taps h[0], h[1] = h[-1] ...: samples of one axis to amplitudes of that axis.

    The response of pixel 0 to a unit Gaussian at distance d is SIGMA/sigma' exp(-d^2 / 2 sigma'^2) with
    sigma'^2 = SIGMA^2 + PIXEL_SIGMA^2; the taps invert the convolution with it.
    """
    variance = SIGMA**2 + PIXEL_SIGMA**2
    n = 129
    distance = np.arange(n)
    distance = np.minimum(distance, n - distance)
    response = SIGMA / np.sqrt(variance) * np.exp(-0.5 * distance**2 / variance)
    taps = np.fft.ifft(1.0 / np.fft.fft(response)).real
    return taps[: RADIUS + 1].astype(np.float32)


def mirrored(first: int, last: int, size: int) -> NDArray[np.int64]:
    """Indices first .. last - 1 folded into 0 .. size - 1, mirrored at the outer edges of the border pixels."""
    index = np.arange(first, last) % (2 * size)
    return np.where(index < size, index, 2 * size - 1 - index)


def interpolate_rect(
    pixels: NDArray[np.float32], origin: tuple[int, int], rect: tuple[int, int, int, int]
) -> NDArray[np.float32]:
    """Rows (5 + C, N + padding) of the Gaussians of the source pixels in rect = (x0, y0, x1, y1).

    pixels: (h, w, C), the source with RADIUS pixels or more around the rect, mirrored where the picture ends; origin:
    source coordinates (x, y) of its first pixel.
    """
    x0, y0, x1, y1 = rect
    left, top = x0 - RADIUS - origin[0], y0 - RADIUS - origin[1]
    part = pixels[top : top + (y1 - y0) + 2 * RADIUS, left : left + (x1 - x0) + 2 * RADIUS]
    planes = np.ascontiguousarray(part.transpose(2, 0, 1))
    taps = inverse_filter()
    across = np.empty((planes.shape[0], planes.shape[1], x1 - x0), np.float32)
    filter_rows(planes, taps, across)
    count = (x1 - x0) * (y1 - y0)
    rows = np.zeros((5 + planes.shape[0], count + ROW_PADDING), np.float32)
    filter_columns(across, taps, rows, np.float32(SIGMA), np.float32(x0), np.float32(y0))
    return rows
