"""TIFFs that hold measurements (heights, temperatures, counts) instead of brightness: shown from black to white."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_GREY, _RGB = 1, 2
_GDAL_NODATA = 42113
_NOT_MEASURED = -9999.0  # by convention, where no tag says which value it is
_BEYOND = 1e30
_MOST = 0.9
"""Share of floats outside of 0 to 1 from which they are no brightness. Photographs with highlights have fewer."""


def as_brightness(values: NDArray[Any], page: Any) -> tuple[NDArray[Any], str]:
    """values (h, w, samples) of a page as stored. Signed integers and floats that are no brightness come as float32
    from 0 to 1 with a note; others as they are, with "". What was not measured is black."""
    kind, samples = int(page.photometric), values.shape[2]
    if values.dtype.kind not in "if" or (kind, samples) not in ((_GREY, 1), (_RGB, 3)):
        return values, ""
    there = _measured(values, page)
    known = values[there] if not there.all() else values
    if not known.size or (values.dtype.kind == "f" and _outside(known) < _MOST):
        return values, ""
    low, high = float(known.min()), float(known.max())
    black = 0.0 if samples == 3 and low >= 0 else low
    shown = (values.astype(np.float32) - np.float32(black)) / np.float32((high - black) or 1)
    shown[~there] = 0
    gaps = "" if there.all() else "; black, too, where nothing was measured"
    return shown, f"its values are shown from {black:.6g} (black) to {high:.6g} (white){gaps}"


def _measured(values: NDArray[Any], page: Any) -> NDArray[np.bool_]:
    nothing = [_NOT_MEASURED]
    if _GDAL_NODATA in page.tags:
        nothing.append(float(page.nodata))
    if values.dtype.kind == "i":
        nothing.append(float(np.iinfo(values.dtype).min))
        return ~np.isin(values, nothing)
    return (
        np.isfinite(values)
        & (np.abs(values, dtype=np.float64) < _BEYOND)
        & ~np.isin(values, nothing)
    )


def _outside(values: NDArray[Any]) -> float:
    return float(np.mean((values < 0) | (values > 1)))
