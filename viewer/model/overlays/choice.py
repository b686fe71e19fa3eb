"""Which Gaussians are chosen: those whose values lie within ranges."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from gaussian_core.field import GaussianField
from viewer.model.overlays import overlay_kernels
from viewer.model.overlays.distribution import LONG
from viewer.model.overlays.overlay_options import ValueRange

SHAPES = ("xx", "yy", "xy", "ratio", "angle")
"""The quantities of a covariance, in the order of the kernel."""


def chosen(
    field: GaussianField, index: NDArray[np.int64], only: Iterable[ValueRange]
) -> NDArray[np.int64]:
    """The places of index whose Gaussians have a value within every range; distribution.within says the same, slowly.
    Of a field that does not know its drifts, none lie within a range of these."""
    asked = np.zeros(len(SHAPES), np.bool_)
    low, high = np.zeros(len(SHAPES)), np.zeros(len(SHAPES))
    drifted = None
    for each in only:
        if each.key == "drift":
            drifted = each
        else:
            at = SHAPES.index(each.key)
            asked[at], low[at], high[at] = True, each.low, each.high
    if asked.any():
        index = overlay_kernels.select(field.covariances, index, asked, low, high, LONG)
    if drifted is None:
        return index
    if field.drifts is None:
        return index[:0]
    away = np.take(field.drifts, index, axis=0).astype(np.float64)
    lengths = np.hypot(away[:, 0], away[:, 1])
    return index[(lengths >= drifted.low) & (lengths <= drifted.high)]
