"""Arrays in the place of picture files: what numbers they may hold, and what is said of others."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gaussian_core.errors import ImageError
from gaussian_core.field import MAX_CHANNELS
from gaussian_core.imaging.picture import Picture, Rect

FARTHEST = 16.0
"""A value that no picture in [0, 1] comes near, however bright its lights: it was meant to be divided first."""


AS_THEY_ARE = ("L", "LA", "RGB", "RGBA", "I;16", "I;16L", "I;16B", "I;16N", "I", "F")
"""Modes of Pillow images whose numbers are grey or RGB, with straight alpha or without."""


class ArrayPicture:
    """Floats (H, W, C), kept as float32; (H, W) is one channel.

    Raises ImageError for other shapes, for more than MAX_CHANNELS channels and for values that are not finite.
    """

    def __init__(self, values: NDArray[np.floating]) -> None:
        if values.ndim == 2:
            values = values[..., None]
        if values.ndim != 3 or 0 in values.shape or values.shape[2] > MAX_CHANNELS:
            raise ImageError(
                f"A picture is an array (H, W) or (H, W, C) of at least 1x1 pixels and at most {MAX_CHANNELS} "
                f"channels, which come last; got {values.shape}."
            )
        # The least and the largest value are NaN where any is, and take no memory.
        low, high = float(values.min()), float(values.max())
        with np.errstate(over="ignore"):
            self.pixels = values.astype(np.float32, copy=False)
            finite = np.isfinite(np.array([low, high], np.float32)).all()
        if not finite:
            raise ImageError(
                "The picture holds NaN or infinite values, which would spread around them: put numbers in their place "
                "first (numpy.nan_to_num)."
            )
        self.farthest = max(high, -low)
        self.extent = (values.shape[0], values.shape[1])

    def as_float(self, rect: Rect | None = None) -> NDArray[np.float32]:
        if rect is None:
            return self.pixels
        x0, y0, x1, y1 = rect
        return self.pixels[y0:y1, x0:x1]


def _with_channels(array: Any) -> Any:
    """A Pillow image whose numbers are channels of grey or RGB; anything else as it is."""
    if "PIL.Image" not in sys.modules:
        return array
    from PIL import Image

    if not isinstance(array, Image.Image):
        return array
    if array.mode in ("1", "L", "P", "PA", "RGB") and array.has_transparency_data:
        return array.convert("RGBA")
    if array.mode in ("1", "P"):
        return array.convert("L" if array.mode == "1" else "RGB")
    if array.mode in AS_THEY_ARE:
        return array
    raise ImageError(
        f'The numbers of a Pillow image of mode {array.mode} are not grey or RGB: give image.convert("RGB").'
    )


def picture_of_array(array: Any) -> Picture | ArrayPicture:
    """A picture of an array, or of what NumPy makes one of: a tensor on the CPU, a Pillow image, nested lists.

    Integers are uint8 or uint16 and taken as files hold them, from 0 to the type's maximum (Picture.from_array); floats
    as they are. Raises ImageError for values of other types and for shapes that make no picture.
    """
    try:
        values = np.asarray(_with_channels(array))
    # As of a tensor that a gradient is wanted of, or an image whose file is cut short.
    except (TypeError, ValueError, RuntimeError, OSError) as error:
        raise ImageError(
            f"A {type(array).__name__} makes no array of numbers: {' '.join(str(error).split())}"
        ) from error
    if not values.dtype.isnative:
        values = values.astype(values.dtype.newbyteorder("="))
    if values.dtype.kind == "f":
        return ArrayPicture(values)
    if values.dtype not in (np.uint8, np.uint16):
        if values.dtype.kind in "iub":
            raise ImageError(
                f"An array of {values.dtype} does not say how large full brightness is: give floats in [0, 1], uint8 or "
                "uint16."
            )
        kind = type(array).__name__
        raise ImageError(
            f"A picture is a path, a Picture or an array of numbers, not a {kind} of {values.dtype}."
        )
    try:
        return Picture.from_array(values)
    except ValueError as error:
        raise ImageError(f"The array makes no picture: {error}.") from error
