"""How coarsely a JPEG file was quantised, which decides what can be made of its pixels."""

from __future__ import annotations

import numpy as np
from PIL import Image, JpegImagePlugin

STANDARD = 3688
"""Sum of the luminance table of the standard (ITU-T T.81, table K.1), that of quality 50."""


def quality_of(image: Image.Image) -> int | None:
    """The quality, 1 to 100 on libjpeg's scale, at which its tables would come nearest to those of an opened file; None
    for a picture that is no JPEG. Programs name their settings as they like, but the tables tell what was done."""
    if not isinstance(image, JpegImagePlugin.JpegImageFile):
        return None
    tables = image.quantization
    if 0 not in tables:
        return None
    # libjpeg multiplies the standard table by this many percent.
    percent = max(1.0, 100 * float(np.sum(tables[0])) / STANDARD)
    quality = (200 - percent) / 2 if percent <= 100 else 5000 / percent
    return int(min(100, max(1, round(quality))))
