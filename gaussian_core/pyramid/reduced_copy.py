"""A smaller copy of a picture that knows its original: what methods make of it can be held against what was there."""

from __future__ import annotations

import numpy as np

from gaussian_core.errors import ImageError
from gaussian_core.evaluation.pairs import reduced
from gaussian_core.imaging.picture import Picture, PictureSource, in_bytes

MOST = 64_000_000
"""Pixels of an original: it is held twice beside the copy while this is made."""
LEAST_SIDE = 8
"""Pixels of the copy's sides."""


def reduced_copy(picture: PictureSource, factor: int) -> Picture:
    """1 / factor of a picture by antialiased bicubic interpolation, in 8 bits as in the literature's test sets.

    Its `original` is the picture in 8 bits, without transparency and without the last pixels that fill none of the
    copy; `unreduced` is the picture. Raises ImageError for a picture that is too small or too large.
    """
    height, width = picture.extent
    if min(height, width) < LEAST_SIDE * factor:
        raise ImageError(
            f"A copy of 1/{factor} of {width} x {height} pixels is too small to tell anything: take a larger picture."
        )
    if height * width > MOST:
        raise ImageError(
            f"A picture of {height * width / 1e6:.0f} megapixels is too large for a reduced copy of it: "
            f"cut out a part of at most {MOST / 1e6:.0f}."
        )
    pixels, _ = picture.stored((0, 0, width, height))
    low, high = reduced(np.ascontiguousarray(in_bytes(pixels, picture.full)), factor)
    original = Picture(np.ascontiguousarray(high), name=picture.name, path=picture.path)
    lost = ["in 8 bits a channel"] if picture.bits > 8 else []
    lost += ["without transparency"] if picture.has_alpha else []
    return Picture(
        np.ascontiguousarray(low),
        name=picture.name,
        note=" and ".join(lost),
        unreduced=picture,
        original=original,
    )
