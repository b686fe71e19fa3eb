"""Random fields for the tests."""

from __future__ import annotations

import numpy as np

from gaussian_core.field import GaussianField


def random_field(
    count: int = 60,
    channels: int = 3,
    extent: tuple[int, int] = (20, 30),
    sigma: tuple[float, float] = (0.1, 2.0),
    correlation: float = 0.6,
    seed: int = 0,
) -> GaussianField:
    """Gaussians strewn over the extent and a little beyond, standard deviations log-uniform in `sigma`."""
    rng = np.random.default_rng(seed)
    means = rng.uniform(-2, 2, (count, 2)) + rng.uniform(0, 1, (count, 2)) * extent[::-1]
    sx, sy = np.exp(rng.uniform(*np.log(sigma), (2, count)))
    rho = rng.uniform(-correlation, correlation, count)
    covariances = np.stack([sx * sx, rho * sx * sy, sy * sy], axis=1)
    return GaussianField(means, covariances, rng.uniform(-1, 1, (count, channels)), extent)


def bright_field(
    count: int = 4000,
    extent: tuple[int, int] = (40, 60),
    seed: int = 0,
    sigma: tuple[float, float] = (0.25, 0.6),
    channels: int = 3,
) -> GaussianField:
    """As random_field, but within the extent, standard deviations uniform in `sigma`, and nothing that darkens."""
    rng = np.random.default_rng(seed)
    means = rng.uniform(0, 1, (count, 2)) * (extent[1], extent[0])
    sx, sy = rng.uniform(*sigma, (2, count))
    rho = rng.uniform(-0.6, 0.6, count)
    covariances = np.stack([sx * sx, rho * sx * sy, sy * sy], axis=1)
    return GaussianField(means, covariances, rng.uniform(0, 0.4, (count, channels)), extent)


def dense_field(height: int, width: int, seed: int = 0) -> GaussianField:
    """Four Gaussians a source pixel that add up to a picture-like field of values in 0 .. 1, about."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0 : 2 * height, 0 : 2 * width] / 2 + 0.25
    count = x.size
    means = np.stack([x.ravel(), y.ravel()], axis=1) + rng.uniform(-0.2, 0.2, (count, 2))
    sx, sy = rng.uniform(0.25, 0.6, (2, count))
    rho = rng.uniform(-0.6, 0.6, count)
    covariances = np.stack([sx * sx, rho * sx * sy, sy * sy], axis=1)
    weight = 0.25 / (2 * np.pi * sx * sy * np.sqrt(1 - rho * rho))
    amplitudes = rng.uniform(0, 1, (count, 3)) * weight[:, None]
    return GaussianField(means, covariances, amplitudes, (height, width))


def slanted(angle: float, long: float, thin: float) -> list[float]:
    """Covariance of a Gaussian of these two standard deviations, the longer one `angle` from the x axis on."""
    c, s = np.cos(angle), np.sin(angle)
    a, b = long * long, thin * thin
    return [a * c * c + b * s * s, (a - b) * c * s, a * s * s + b * c * c]
