"""Floats that are no numbers: one of them would spread over everything that is computed from its neighbourhood."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

NOTE = "some of its values are no finite numbers: shown black, or white where they are infinitely large"


def finite(values: NDArray[Any], notes: list[str] | None = None) -> NDArray[Any]:
    """values, where they are floats with 0 for what is no number, and 0 and 1 for the infinities. notes: gets NOTE,
    once, where there were such."""
    if values.dtype.kind != "f" or np.isfinite(values).all():
        return values
    if notes is not None and NOTE not in notes:
        notes.append(NOTE)
    return np.nan_to_num(values, nan=0.0, posinf=1.0, neginf=0.0)
