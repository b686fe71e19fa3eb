"""One field of several, as of the tiles of a picture."""

from __future__ import annotations

import numpy as np

from gaussian_core.field import GaussianField
from gaussian_core.row_layout import ROW_PADDING


def joined(parts: list[GaussianField]) -> GaussianField:
    """One field of all parts' Gaussians, in the order of their indices, and of what is drawn with them.
    The list is emptied on the way: memory is not held twice."""
    companions: dict[str, list[GaussianField]] = {}
    for part in parts:
        for name, field in part.companions:
            companions.setdefault(name, []).append(field)
    whole = _joined(parts)
    while companions:
        name, fields = companions.popitem()
        setattr(whole, name, _joined(fields))
    return whole


def _joined(parts: list[GaussianField]) -> GaussianField:
    """One field of all parts' Gaussians, in their order. The list is emptied on the way: memory is not held twice."""
    count = sum(len(part) for part in parts)
    channels, extent, metadata = parts[0].channels, parts[0].extent, parts[0].metadata
    rows = np.zeros((5 + channels, count + ROW_PADDING), np.float32)
    # All parts are of one method: all tell their drifts, or none.
    drifts = [part.drifts for part in parts if part.drifts is not None]
    # From one origin on single precision holds all places, else only the double.
    origins = {(part.origin, part.offsets.dtype) for part in parts}
    origin, dtype = origins.pop()
    means = np.empty((count, 2)) if origins or dtype != np.float32 else None
    place = 0
    while parts:
        part = parts.pop(0)
        rows[:, place : place + len(part)] = part.index.rows[:, : len(part)]
        if means is not None:
            means[place : place + len(part)] = part.means
        place += len(part)
    if means is None:
        whole = GaussianField.from_rows(rows, extent, metadata, origin)
    else:
        whole = GaussianField(means, rows[2:5, :count].T, rows[5:, :count].T, extent, metadata)
    whole.drifts = np.concatenate(drifts) if drifts else None
    return whole
