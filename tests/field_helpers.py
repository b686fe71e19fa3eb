"""Fields made up for tests."""

from __future__ import annotations

import numpy as np

from gaussian_core.field import GaussianField


def random_field(
    count: int = 4000,
    extent: tuple[int, int] = (40, 60),
    seed: int = 0,
    sigma: tuple[float, float] = (0.25, 0.6),
    channels: int = 3,
) -> GaussianField:
    """Gaussians strewn evenly over the extent, |rho| < 0.6."""
    random = np.random.default_rng(seed)
    means = random.uniform(0, 1, (count, 2)) * (extent[1], extent[0])
    sx, sy = random.uniform(*sigma, (2, count))
    rho = random.uniform(-0.6, 0.6, count)
    covariances = np.stack([sx * sx, rho * sx * sy, sy * sy], axis=1)
    return GaussianField(means, covariances, random.uniform(0, 0.4, (count, channels)), extent)
