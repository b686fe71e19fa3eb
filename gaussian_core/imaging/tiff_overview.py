"""The first look at a multi-resolution TIFF: one of the smaller pictures that the file holds beside the large one."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gaussian_core.errors import ImageError
from gaussian_core.imaging import colour, orientation, pillow_reader
from gaussian_core.imaging.files import check_size
from gaussian_core.imaging.tiff_files import opened_tiff, profile_of, smaller_pages, turn_of
from gaussian_core.imaging.tiff_samples import GREY, JPEG, RGB, YCBCR

log = logging.getLogger(__name__)

LIKE = 0.02  # by which the sides of a smaller picture may differ from the large one's in proportion


def tiff_overview(
    path: Path, file: BinaryIO, max_side: int
) -> tuple[NDArray[np.uint8], tuple[int, int]] | None:
    """(pixels (h, w, 3), (width, height) of the whole picture), as open_overview gives them, or None for a file without
    a smaller picture that would do: 8 bits, grey or RGB, no alpha, and not much larger than what is asked for.

    What is wrong with a file is for the reading of the whole to say.
    """
    try:
        with opened_tiff(path, file) as tiff:
            page: Any = tiff.pages.first
            if not _plain(page):
                return None
            small = _fitting(page, tiff, max_side)
            if small is None:
                return None
            check_size(path, page.imagewidth, page.imagelength, 3)
            return _upright(page, np.asarray(small.asarray()), max_side)
    except ImageError as error:
        log.info("no first look at a smaller picture: %s", error)
        return None


def _plain(page: Any) -> bool:
    photometric, samples = int(page.photometric), page.samplesperpixel
    known = (photometric, samples) in ((GREY, 1), (RGB, 3))
    known = known or (photometric, samples, int(page.compression)) == (YCBCR, 3, JPEG)
    return known and page.dtype == np.uint8 and page.imagedepth == 1


def _fitting(page: Any, tiff: Any, max_side: int) -> Any | None:
    """The smallest one that is large enough; two thirds are enough for a first look. One much larger takes too long."""
    wide, high = page.imagewidth, page.imagelength
    best = None
    for other in smaller_pages(tiff):
        side = max(other.imagewidth, other.imagelength)
        alike = abs(other.imagewidth * high / (other.imagelength * wide) - 1) <= LIKE
        if not (_plain(other) and alike and 2 * max_side // 3 <= side <= 4 * max_side):
            continue
        if side < max(wide, high) and (best is None or other.imagewidth < best.imagewidth):
            best = other
    return best


def _upright(
    page: Any, pixels: NDArray[np.uint8], max_side: int
) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    mode = "L" if int(page.photometric) == GREY else "RGB"
    if pixels.ndim != (3 if mode == "RGB" else 2) or (mode == "RGB" and pixels.shape[2] != 3):
        raise ValueError(f"its pixels come as {pixels.shape}")
    image = Image.fromarray(pixels)
    image.thumbnail((max_side, max_side), Image.Resampling.BOX, reducing_gap=None)
    convert, _ = colour.conversion(profile_of(page), mode)
    rgb = np.asarray(pillow_reader.to_rgb(image, mode, False, convert))
    turn = turn_of(page)
    size = (page.imagewidth, page.imagelength)
    if orientation.swaps_sides(turn):
        size = (size[1], size[0])
    return orientation.turned_upright(rgb, turn), size
