"""What a file's coder left out of its picture, which decides what can be made of the pixels."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin

STANDARD = 3688
"""Sum of the luminance table of the JPEG standard (ITU-T T.81, table K.1), that of quality 50."""


@dataclass(frozen=True)
class Losses:
    """format: what such files are called. quality: 1 to 100 on libjpeg's scale, None where a file does not tell."""

    format: str
    quality: int | None = None

    def __str__(self) -> str:
        tells = "" if self.quality is None else f" of about quality {self.quality}"
        return f"{self.format} file{tells}"


def through_file(
    pixels: NDArray[np.uint8], **options: Any
) -> tuple[NDArray[np.uint8], Losses | None]:
    """(H, W, 3) bytes as they come back from a file, and what it lost of them. options: of Pillow's `save`, the format
    among them."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, **options)
    with Image.open(file) as image:
        losses = losses_of(image, io.BytesIO(file.getvalue()))
        return np.asarray(image.convert("RGB")), losses


def losses_of(image: Image.Image, file: BinaryIO) -> Losses | None:
    """Those of a picture that Pillow opened from a file; None where the pixels are as they were made."""
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        return Losses("JPEG", _jpeg_quality(image))
    if image.format == "WEBP":
        return losses_of_webp(file)
    # One without losses is possible, but hardly any program writes it.
    return Losses("AVIF") if image.format == "AVIF" else None


def _jpeg_quality(image: JpegImagePlugin.JpegImageFile) -> int | None:
    """The quality at which libjpeg's tables would come nearest to the file's: programs name their settings as they
    like, but the tables tell what was done."""
    tables = image.quantization
    if 0 not in tables:
        return None
    # libjpeg multiplies the standard table by this many percent.
    percent = max(1.0, 100 * float(np.sum(tables[0])) / STANDARD)
    quality = (200 - percent) / 2 if percent <= 100 else 5000 / percent
    return int(min(100, max(1, round(quality))))


def losses_of_webp(file: BinaryIO) -> Losses | None:
    """By the name of its first picture's chunk: "VP8 " is lossy, "VP8L" is not (WebP container specification)."""
    place = 12  # behind "RIFF", the size and "WEBP"
    while True:
        file.seek(place)
        header = file.read(8)
        if len(header) < 8:
            return None
        name, size = struct.unpack("<4sI", header)
        if name in (b"VP8 ", b"VP8L"):
            return Losses("lossy WebP") if name == b"VP8 " else None
        # A frame of an animation has chunks of its own behind 16 bytes of place, size and duration.
        place += 8 + (16 if name == b"ANMF" else size + size % 2)
