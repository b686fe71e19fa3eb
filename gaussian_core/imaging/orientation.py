"""The eight orientations of EXIF 2.32, section 4.6.4 (tag 274)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL import Image

TAG = 274
_EXIF_FAULTS = (SyntaxError, struct.error, ValueError, TypeError, KeyError, IndexError, OSError)


def exif_turn(image: Image.Image) -> int:
    """The orientation that the file of a Pillow image gives, 1 to 8. 1, upright, also where its EXIF is damaged: that
    is no fault of the picture.

    image: a PNG has to be decoded already, which looking for EXIF behind its pixels does otherwise.
    """
    try:
        turn = image.getexif().get(TAG, 1)
    except _EXIF_FAULTS:
        return 1
    return int(turn) if turn in range(1, 9) else 1


def swaps_sides(orientation: int) -> bool:
    return orientation in (5, 6, 7, 8)


def stored_view(upright: NDArray[Any], orientation: int) -> NDArray[Any]:
    """An upright array (H, W, ...) as the file stores it: what is put into the view's rows lands upright."""
    if swaps_sides(orientation):
        upright = upright.swapaxes(0, 1)
    if orientation in (3, 4, 6, 7):  # the first row stored is the bottom, or the right side
        upright = upright[::-1]
    if orientation in (2, 3, 7, 8):  # the first column stored is the right side, or the bottom
        upright = upright[:, ::-1]
    return upright


def empty_upright(
    stored_shape: tuple[int, ...], dtype: Any, orientation: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """(array, view): a new upright array for a picture of that stored shape, and its `stored_view`."""
    height, width, *rest = stored_shape
    if swaps_sides(orientation):
        height, width = width, height
    array = np.empty((height, width, *rest), dtype)
    return array, stored_view(array, orientation)


def turned_upright(stored: NDArray[Any], orientation: int) -> NDArray[Any]:
    """A contiguous upright array; the one given, where nothing is to be turned and it is contiguous."""
    if orientation not in range(2, 9):
        return np.ascontiguousarray(stored)
    array, view = empty_upright(stored.shape, stored.dtype, orientation)
    view[...] = stored
    return array


def stored_rect(
    rect: tuple[int, int, int, int], extent: tuple[int, int], orientation: int
) -> tuple[int, int, int, int]:
    """Where the file stores a rectangle (x0, y0, x1, y1) of an upright picture of extent (height, width): what
    `turned_upright` makes of that part is the rectangle."""
    x0, y0, x1, y1 = rect
    height, width = extent
    if swaps_sides(orientation):
        x0, y0, x1, y1, height, width = y0, x0, y1, x1, width, height
    if orientation in (3, 4, 6, 7):
        y0, y1 = height - y1, height - y0
    if orientation in (2, 3, 7, 8):
        x0, x1 = width - x1, width - x0
    return x0, y0, x1, y1
