"""Pictures as a camera gives them: a little soft, with noise, and sharpened.

Noise is of light (its variance grows with the light that falls on a pixel) or of the same strength everywhere (scans,
what a camera's own smoothing leaves), stronger in brightness or in colour, and reaches over a pixel or two where the
camera made it up from a mosaic of colours or a scan shows the grain of film.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skimage.filters import gaussian

SOFT, NOISY, SHARPENED = 0.35, 0.7, 0.35
"""The shares of the pictures that each is done to."""
SOFTNESS = (0.2, 0.65)  # pixels: standard deviation of the lens' blur, along each axis
STRENGTHS = (1.0, 18.0)
"""Levels of 255: standard deviation of the noise, small ones as often as large."""
GRAIN = (0.3, 0.9)  # pixels: standard deviation over which noise is spread, of half the pictures
SHARPENINGS = (0.2, 1.2)  # of what a blurred copy lacks, that is added again
RADII = (0.5, 1.5)  # pixels: how far that copy is blurred
GAMMA = 2.2  # about what light becomes a level by


def through_camera(pixels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """(H, W, 3) bytes, softened, with noise and sharpened, each by chance."""
    picture = pixels.astype(np.float32) / np.float32(255)
    if rng.random() < SOFT:
        picture = _blurred(picture, *rng.uniform(*SOFTNESS, 2))
    if rng.random() < NOISY:
        picture = _with_noise(picture, rng)
    if rng.random() < SHARPENED:
        soft = _blurred(picture, rng.uniform(*RADII))
        picture = picture + np.float32(rng.uniform(*SHARPENINGS)) * (picture - soft)
    return np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def _blurred(picture: NDArray[np.float32], *deviations: float) -> NDArray[np.float32]:
    """(H, W, 3) under a Gaussian of this standard deviation in pixels, or of these, down and across."""
    both = deviations if len(deviations) == 2 else deviations * 2
    wide: NDArray[np.float32] = gaussian(picture, both, mode="reflect", channel_axis=-1)
    return wide


def _with_noise(picture: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    low, high = STRENGTHS
    strength = np.float32(low * (high / low) ** rng.random() / 255)
    noise = _spread(rng.standard_normal(picture.shape, np.float32), rng)
    if rng.random() < 0.5:
        return picture + strength * noise
    # Of light: a level's variance is that of its light, which grows with it, by the square of the slope at it. The
    # floor is what the sensor adds in the dark.
    light = np.clip(picture, 0, 1) ** GAMMA
    slope = 1 / GAMMA * np.maximum(light, 1e-2) ** (1 / GAMMA - 1)
    deviation = slope * np.sqrt(light + 0.02)
    return picture + strength * noise * deviation / np.float32(deviation.mean())


def _spread(noise: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Of standard deviation 1 as it was: over a pixel or more by chance, and between brightness and colour."""
    if rng.random() < 0.5:
        noise = _blurred(noise, rng.uniform(*GRAIN))
    grey = noise.mean(-1, keepdims=True)
    noise = noise * rng.uniform(0.3, 1) + grey * rng.uniform(0, 2)
    return (noise / max(float(noise.std()), 1e-6)).astype(np.float32)
