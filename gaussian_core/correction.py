"""Seen at 100 % a field is the file: a second, faint field that makes it so and fades out where it would do harm.

A learned field is the scene behind the picture. Seen through the pixels of 100 % it comes close to the file but not to
its last bit, since the file was made by another filter than the pixel footprint. Amplitudes that make up for it cost
sharpness at every other zoom (0.1 to 0.3 dB at 110 to 400 %), so they are a field of their own: in full up to scale 1,
gone at scale 1.5.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gaussian_core.parallel import run_strips
from gaussian_core.rasterizer import PIXEL_SIGMA
from gaussian_core.row_layout import ROW_PADDING

if TYPE_CHECKING:
    from gaussian_core.field import GaussianField

FULL, GONE = 1.0, 1.5  # scales
SIGMA = 0.25  # source pixels: a neighbour is hardly touched, so the system below is solved in a few steps
STEPS = 5
# Source pixels around a rectangle that its correction depends on. A step reaches one pixel further and is fainter by
# 1/27, so what is 4 pixels away counts for less than a millionth.
HALO = 3
STRIP = 32  # rows that a worker takes at once


def weight(scale: tuple[float, float]) -> float:
    """What part of a correction is shown: 1 up to scale 1, 0 from scale 1.5, smooth in between."""
    t = (GONE - math.sqrt(scale[0] * scale[1])) / (GONE - FULL)
    t = min(1.0, max(0.0, t))
    return t * t * (3 - 2 * t)


def with_gains(
    fields: Sequence[GaussianField], scale: tuple[float, float]
) -> tuple[tuple[GaussianField, ...], tuple[float, ...]]:
    """The fields, their even alphas and the corrections that show at that scale, and the factor of each one's
    amplitudes."""
    part = weight(scale)
    full = (*fields, *(f.even_alpha for f in fields if f.even_alpha is not None))
    corrections = tuple(f.correction for f in fields if f.correction is not None) if part else ()
    return (*full, *corrections), (1.0,) * len(full) + (part,) * len(corrections)


def scaled(field: GaussianField, gain: float) -> GaussianField:
    """The field with its amplitudes multiplied, for rasterizers that take no factor."""
    from gaussian_core.field import GaussianField

    if gain == 1.0:
        return field
    return GaussianField(field.means, field.covariances, field.amplitudes * gain, field.extent)


def response(pixel_sigma: float) -> tuple[float, float, float]:
    """Of a Gaussian of amplitude 1 seen at scale 1 through that footprint: 1 over what its own pixel shows, what the
    next one does as a part of that, and how much of what is lacking a step may make up for, less than all of it where
    the footprint is so wide that steps would overshoot."""
    variance = SIGMA**2 + pixel_sigma**2
    near = math.exp(-0.5 / variance)
    return variance / SIGMA**2, near, min(1.0, 1.5 / (1 + 2 * near) ** 2)


def solve(residual: NDArray[np.float32], pixel_sigma: float = PIXEL_SIGMA) -> NDArray[np.float32]:
    """Amplitudes (H, W, C), one Gaussian at each pixel's centre, that show the residual (H, W, C) at scale 1 through
    that footprint.

    Outside the array there are no Gaussians: at the borders of a picture that is so, elsewhere leave HALO pixels.
    """
    height = len(residual)
    out = np.empty(residual.shape, np.float32)

    def strip(number: int) -> None:
        first, last = number * STRIP, min((number + 1) * STRIP, height)
        # A step looks one row further: with so many more on both sides, these are as from the whole.
        top = max(first - STEPS, 0)
        solved = _solve(residual[top : last + STEPS], pixel_sigma)
        out[first:last] = solved[first - top : last - top]

    run_strips(strip, -(-height // STRIP))
    return out


def _solve(residual: NDArray[np.float32], pixel_sigma: float) -> NDArray[np.float32]:
    full, near, step = map(np.float32, response(pixel_sigma))
    target = residual * full
    out = target.copy()
    beside = np.empty_like(out)
    for _ in range(STEPS):
        shown = out.copy()
        for axis in (0, 1):
            seen, around = (np.moveaxis(a, axis, 0) for a in (shown, beside))
            np.multiply(seen, near, out=around)
            seen[1:] += around[:-1]
            seen[:-1] += around[1:]
        np.subtract(target, shown, out=shown)
        if step < 1:
            shown *= step
        out += shown
    return out


def make_rows(
    amplitudes: NDArray[np.float32], left: int, top: int, sigma: float = SIGMA
) -> NDArray[np.float32]:
    """Rows (5 + C, N + padding) for GaussianField.from_rows, of one round Gaussian in the middle of each pixel; the
    first pixel is at (left, top), from its origin on."""
    height, width, channels = amplitudes.shape
    rows = np.zeros((5 + channels, height * width + ROW_PADDING), np.float32)
    inside = rows[:, : height * width].reshape(5 + channels, height, width)
    inside[0] = np.arange(width) + (left + 0.5)
    inside[1] = (np.arange(height) + (top + 0.5))[:, None]
    inside[2] = inside[4] = sigma**2
    inside[5:] = amplitudes.transpose(2, 0, 1)
    return rows
