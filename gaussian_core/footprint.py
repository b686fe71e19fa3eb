"""The pixel footprint that a field is to be seen by."""

from __future__ import annotations

import math

from gaussian_core.errors import FieldError
from gaussian_core.field import GaussianField
from gaussian_core.rasterizer import PIXEL_SIGMA
from gaussian_core.viewport import Scale, both_axes

ENTRY = "pixel_sigma"  # of a field's metadata: what its network learned with (0: points), absent for the usual one
FINEST = "finest"
"""Of a field's metadata: the standard deviation, source pixels, of the footprint that it is seen by from very near;
absent where that has no end.

Our networks' Gaussians stand on a lattice, and across an edge their standard deviation is less than half of its step:
from eight times up the lattice itself can be seen, as stripes of one or two levels of 255 along the edges.
"""
OF_A_CELL = 0.2
"""Of the lattice's step: halves them, and no detail goes with them, Set5 at 8 and 12 times is as near by PSNR."""
FROM_SCALE = 4.0
"""Up to which it changes nothing, at the usual footprint: what the networks learned to be seen at."""


def footprint_of(field: GaussianField, scale: Scale | None = None) -> float:
    """The standard deviation, device pixels, of the footprint that the field was made for. scale: of the view, device
    pixels per source pixel, a number or (sx, sy), of which the smaller one counts; without one, at up to FROM_SCALE.
    Raises FieldError, and ValueError for what is no field or no scale."""
    if not isinstance(field, GaussianField):
        raise ValueError(
            f"a footprint is that of a field (build_field makes one), not of {type(field).__name__}"
        )
    nearest = FROM_SCALE if scale is None else min(both_axes(scale))
    if not 0 < nearest < math.inf:
        raise ValueError(f"a scale must be positive and finite, got {scale}")
    sigma, finest = _entry(field, ENTRY, PIXEL_SIGMA, 10.0), _entry(field, FINEST, 0.0, 1.0)
    # From there on it grows to `finest` source pixels, without a jump.
    return sigma + finest * max(0.0, nearest - FROM_SCALE)


def _entry(field: GaussianField, name: str, default: float, most: float) -> float:
    text = field.metadata.get(name)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= most:
        raise FieldError(f"The field names an impossible pixel footprint ({text[:20]!r}).")
    return value
