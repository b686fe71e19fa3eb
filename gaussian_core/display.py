"""From field values to bytes on a display: rounding, and the checkerboard behind transparent pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

CHECKER_SIZE = 8  # device pixels
CHECKER_LIGHT = 0.8  # sRGB-encoded
CHECKER_DARK = 0.6


def checkerboard(
    first: tuple[int, int], size: tuple[int, int], square: int = CHECKER_SIZE
) -> NDArray[np.float32]:
    """(height, width) greys of the checkerboard; `first` is the (column, row) on the absolute device lattice. square:
    side of its squares."""
    columns = (first[0] + np.arange(size[0], dtype=np.int64)) // square
    rows = (first[1] + np.arange(size[1], dtype=np.int64)) // square
    odd = (columns[None, :] + rows[:, None]) & 1
    return np.where(odd == 1, np.float32(CHECKER_DARK), np.float32(CHECKER_LIGHT))


def to_bgrx(
    values: NDArray[np.floating], first: tuple[int, int] = (0, 0), square: int = CHECKER_SIZE
) -> NDArray[np.uint8]:
    """(H, W, C) values in [0, 1] to (H, W, 4) uint8 in the byte order of QImage.Format_RGB32, X = 255.

    C = 1 is grey, 3 RGB, 4 premultiplied RGB + alpha over the checkerboard whose lattice position is `first`, of
    squares of side `square`.
    Values are clipped, premultiplied ones to 0 .. alpha, and rounded to nearest. Raises ValueError for another number
    of channels.
    """
    height, width, channels = values.shape
    if channels not in (1, 3, 4):
        raise ValueError(f"a display needs 1, 3 or 4 channels, got {channels}")
    rgb = values[..., :3]
    if channels == 4:
        rgb = over(values, checkerboard(first, (width, height), square)[..., None])
    out = np.empty((height, width, 4), np.uint8)
    levels = np.clip(np.nan_to_num(rgb), 0, 1) * np.float32(255) + np.float32(0.5)
    out[..., :3] = levels.astype(np.uint8)[..., ::-1]
    out[..., 3] = 255
    return out


def over(values: NDArray[np.floating], backdrop: NDArray[np.floating] | float) -> NDArray[Any]:
    """(H, W, 4) premultiplied RGB + alpha laid on a backdrop, a number or (H, W, 1 or 3).

    No colour is beyond 0 .. alpha: what a kernel undershoots beside a cut-out would be taken off the backdrop.
    """
    alpha = np.clip(values[..., 3:], 0, 1)
    return np.clip(values[..., :3], 0, alpha) + (1 - alpha) * backdrop


def frame_array(
    size: tuple[int, int], channels: int, as_bytes: bool, out: NDArray[Any] | None
) -> NDArray[Any]:
    """The array that a frame of size (width, height) is written to: `out`, or a new one.

    as_bytes: (H, W, 4) uint8, else (H, W, channels) float32. Raises ValueError when `out` is not such an array, in C
    order and free to be written to.
    """
    width, height = size
    kind = np.dtype(np.uint8 if as_bytes else np.float32)
    shape = (height, width, 4 if as_bytes else channels)
    if out is None:
        return np.empty(shape, kind)
    fits = isinstance(out, np.ndarray) and out.shape == shape and out.dtype == kind
    if not (fits and out.flags.c_contiguous and out.flags.writeable):
        raise ValueError(f"out must be a contiguous, writeable {kind.name} array of shape {shape}")
    return out
