"""The eight orientations of a picture: four quarter turns, each as it is or mirrored."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

ORIENTATIONS = 8
HALF_TURN, QUARTER_TURN, MIRROR = 2, 1, 4


def oriented(x: NDArray[Any], k: int) -> NDArray[Any]:
    """x (.., H, W) in orientation k: turned by k % 4 quarters, counter-clockwise, then mirrored for k >= 4."""
    turned = np.rot90(x, k % 4, axes=(-2, -1))
    return turned[..., ::-1] if k >= MIRROR else turned


def matrix(k: int) -> NDArray[np.float64]:
    """(2, 2): where orientation k takes a direction (x, y)."""
    columns = []
    for row, column in ((1, 2), (2, 1)):  # a pixel to the right of the middle, one below it
        marked = np.zeros((3, 3))
        marked[row, column] = 1
        (i, j), *_ = np.argwhere(oriented(marked, k))
        columns.append((j - 1.0, i - 1.0))
    return np.array(columns).T
