"""The pixel footprint that a field is to be seen by."""

from __future__ import annotations

import math

from gaussian_core.errors import FieldError
from gaussian_core.field import GaussianField
from gaussian_core.rasterizer import PIXEL_SIGMA

ENTRY = "pixel_sigma"  # of a field's metadata: points (0) for the authors' weights, absent where it is the usual one


def footprint_of(field: GaussianField) -> float:
    """The standard deviation, device pixels, of the footprint that the field was made for. Raises FieldError."""
    text = field.metadata.get(ENTRY)
    if text is None:
        return PIXEL_SIGMA
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 10:
        raise FieldError(f"The field names an impossible pixel footprint ({text[:20]!r}).")
    return value
