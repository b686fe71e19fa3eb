"""Files that hold measurements (heights, temperatures, counts) instead of brightness: shown from black to white."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_GREY, _RGB = 1, 2
_GDAL_NODATA = 42113
_NOT_MEASURED = -9999.0  # by convention, where no tag says which value it is
_BEYOND = 1e30
_SEEN = 8  # bits of brightness that a screen shows
_MOST = 0.9
"""Share of floats outside of 0 to 1 from which they are no brightness. Photographs with highlights have fewer."""


@dataclass(frozen=True)
class Range:
    """What measurements are shown from and to. black, white: the values shown so. nothing: those that stand for "not
    measured". gaps: whether there were such."""

    black: float
    white: float
    nothing: tuple[float, ...]
    gaps: bool

    def shown(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """values as stored, of any shape, as float32 from 0 to 1. What was not measured is black."""
        extent = np.float32((self.white - self.black) or 1)
        with np.errstate(over="ignore"):  # of what stands for "not measured" in doubles
            shown = (values.astype(np.float32) - np.float32(self.black)) / extent
        np.clip(shown, 0, 1, out=shown)
        shown[~_measured(values, self.nothing)] = 0
        return shown

    def note(self, of: str = "") -> str:
        """of: what it is the range of, where that is not the whole picture."""
        gaps = "; black, too, where nothing was measured" if self.gaps else ""
        return f"its values are shown from {self.black:.6g} (black) to {self.white:.6g} (white){of}{gaps}"


def may_be_measured(page: Any) -> bool:
    """Whether the values of a page have to be looked at for that. Unsigned integers of up to 16 bits are brightness."""
    kind = int(page.photometric), int(page.samplesperpixel)
    wide = page.dtype.kind == "u" and page.dtype.itemsize > 2
    return (wide or page.dtype.kind in "if") and kind in ((_GREY, 1), (_RGB, 3))


def range_of(values: NDArray[Any], page: Any) -> Range | None:
    """values (..., samples) of a page as stored, or a sample of them. None where they are brightness: signed integers
    never are, floats as a rule, wide unsigned integers unless all of them were black: they count or name things."""
    if not may_be_measured(page):
        return None
    if page.dtype.kind == "u" and values.max(initial=0) >> (page.bitspersample - _SEEN):
        return None
    return range_within(values, _nothing(page))


def range_within(
    values: NDArray[Any], nothing: tuple[float, ...] = (_NOT_MEASURED,)
) -> Range | None:
    """values (..., samples), integers or floats. nothing: those that stand for "not measured". None: see range_of."""
    there = _measured(values, nothing)
    known = values[there] if not there.all() else values
    if not known.size or (values.dtype.kind == "f" and _outside(known) < _MOST):
        return None
    low, high = float(known.min()), float(known.max())
    black = 0.0 if values.shape[-1] == 3 and low >= 0 else low
    return Range(black, high, nothing, not there.all())


def as_brightness(values: NDArray[Any], page: Any) -> tuple[NDArray[Any], str]:
    """values (h, w, samples) of all of a page as stored. Integers and floats that are no brightness come as
    float32 from 0 to 1 with a note; others as they are, with ""."""
    found = range_of(values, page)
    return (values, "") if found is None else (found.shown(values), found.note())


def _nothing(page: Any) -> tuple[float, ...]:
    nothing = [_NOT_MEASURED]
    if _GDAL_NODATA in page.tags:
        nothing.append(float(page.nodata))
    if page.dtype.kind == "i":
        nothing.append(float(np.iinfo(page.dtype).min))
    return tuple(nothing)


def _measured(values: NDArray[Any], nothing: tuple[float, ...]) -> NDArray[np.bool_]:
    there: NDArray[np.bool_] = ~np.isin(values, nothing)
    if values.dtype.kind == "f":
        there &= np.isfinite(values) & (np.abs(values, dtype=np.float64) < _BEYOND)
    return there


def _outside(values: NDArray[Any]) -> float:
    return float(np.mean((values < 0) | (values > 1)))
