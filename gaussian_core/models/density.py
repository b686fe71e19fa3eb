"""The amplitude at which a Gaussian shows the colour 1, where the Gaussians of a pixel share its area among them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

LEAST_AREA = 1e-8
"""Determinant of a covariance, source pixels to the fourth: none is taken to be less."""


def density(covariances: NDArray[np.float32], cells: int) -> NDArray[np.float32]:
    """What a Gaussian has at its centre, of covariances (3, ...), as xx, xy, yy in square source pixels, and a share of
    1 / cells^2 pixels: its weight is that of its share."""
    xx, xy, yy = covariances
    share = np.float32(_share(cells))
    return share / np.sqrt(np.maximum(xx * yy - xy * xy, np.float32(LEAST_AREA)))


def tensor_density(covariances: Iterable[Tensor], cells: int) -> Tensor:
    """`density` of three tensors, or a tensor (3, ...); it can be differentiated."""
    xx, xy, yy = covariances
    return _share(cells) * (xx * yy - xy * xy).clamp_min(LEAST_AREA).rsqrt()


def _share(cells: int) -> float:
    return 1 / (2 * math.pi * cells**2)
