"""Pictures as a JPEG or WebP file gives them back.

Most are saved so, and who takes blocks and ringing for detail makes them plainer in an enlargement. What a coder does
to a crop differs with where its blocks begin, how fine its steps are, and, of JPEG, how much colour it drops: all are
drawn at random.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gaussian_core.imaging.losses import through_file

QUALITIES = (30, 97)
"""Of libjpeg's scale: from the least that is met with to where a file can hardly be told from its picture."""
COLOURS = (0, 1, 2)  # Pillow's numbers of 4:4:4, 4:2:2, 4:2:0
SHARES = (0.25, 0.15, 0.6)  # most programs write the last
WEBP_QUALITIES = (30, 95)  # of libwebp's scale; most programs write 75 to 85
UNIT = 16  # pixels: the coders' largest block


def through_jpeg(pixels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """(H, W, 3) bytes as they come back from a JPEG file of random quality, its blocks anywhere."""
    around, inner = _moved(pixels, rng)
    quality = int(rng.integers(QUALITIES[0], QUALITIES[1] + 1))
    colours = int(rng.choice(COLOURS, p=SHARES))
    return through_file(around, format="JPEG", quality=quality, subsampling=colours)[0][inner]


def through_webp(pixels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """The same of a lossy WebP file."""
    around, inner = _moved(pixels, rng)
    quality = int(rng.integers(WEBP_QUALITIES[0], WEBP_QUALITIES[1] + 1))
    return through_file(around, format="WEBP", quality=quality, method=2)[0][inner]


def _moved(
    pixels: NDArray[np.uint8], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], tuple[slice, slice]]:
    """With mirrored sides, so that blocks begin anywhere in what was given, and where that is."""
    h, w = pixels.shape[:2]
    top, left = (int(n) for n in rng.integers(UNIT, size=2))
    around = np.pad(pixels, ((top, UNIT), (left, UNIT), (0, 0)), "symmetric")
    return around, (slice(top, top + h), slice(left, left + w))
