"""The axes of a Gaussian's ellipse, from its covariance."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def principal_axes(
    covariances: ArrayLike,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Of covariances (N, 3), xx, xy, yy: the variances (N,) along the longer and the shorter axis, in their unit, and
    the direction of the longer one, radians from the x axis towards y (down), over -pi/2 and up to pi/2. By rounding
    the shorter one may come out a little below 0."""
    xx, xy, yy = np.asarray(covariances, np.float64).T
    middle, radius = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    return middle + radius, middle - radius, np.arctan2(2 * xy, xx - yy) / 2
