"""WebP files that are cut short, made into whole ones of what there is (WebP container specification, RFC 9649)."""

from __future__ import annotations

import io
import struct

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_PIXELS = (b"VP8 ", b"VP8L")
_FILLERS = (b"\0", b"\x80", b" ", b"\0\0\0\1")
"""What both decoders take for more of a picture, as a rule, each for another."""
_SPARE = 1 << 12
_TOUCHED = 8
"""Rows above the first that differs: what smooths a lossy picture, and its halved colours, reach so far."""
_GREY = 128
_MOST_PIXELS = 1 << 26  # it is decoded for every filler


def mended_webp(data: bytes) -> tuple[bytes, int, int] | None:
    """(a whole file, rows that are there, of how many), of a picture or an animation's first frame: what is missing of
    it is grey. None where nothing of it is there, or nothing is missing of the file."""
    whole, place = b"", 12
    while place + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, place)
        end = place + 8 + size + size % 2
        if end > len(data):
            return (
                _filled(whole, name, data[place + 8 :], size) if name in _PIXELS else _shown(whole)
            )
        whole += data[place:end]
        place = end
    return _shown(whole) if place > len(data) - 8 and _declared(data) > len(data) else None


def _declared(data: bytes) -> int:
    return 8 + int.from_bytes(data[4:8], "little")


def _file(chunks: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


def _shown(chunks: bytes) -> tuple[bytes, int, int] | None:
    """Of an animation whose first frame is there, or a picture without what would follow it."""
    try:
        with Image.open(io.BytesIO(_file(chunks)), formats=["WEBP"]) as image:
            image.load()
            return _file(chunks), image.height, image.height
    except (OSError, ValueError, SyntaxError):
        return None


def _filled(before: bytes, name: bytes, part: bytes, size: int) -> tuple[bytes, int, int] | None:
    """As a PNG, where anything of it is there. name, part, size: of the pixels' chunk; what there is of it."""
    # More than is missing: fillers may say less in a byte than the picture would.
    size += size % 2 + len(part) // 8 * 4 + _SPARE
    before += name + struct.pack("<I", size)
    missing = size - len(part)
    pixels: NDArray[np.uint8] | None = None
    there = None
    for filler in _FILLERS:
        more = (filler * (missing // len(filler) + 1))[:missing]
        try:
            with Image.open(io.BytesIO(_file(before + part + more)), formats=["WEBP"]) as image:
                if image.width * image.height > _MOST_PIXELS:
                    return None
                other, known = np.array(image), image.info
        except (OSError, ValueError, SyntaxError):
            continue  # this one makes no picture
        if pixels is None:
            pixels, info = other, known
            continue
        differ = (other != pixels).reshape(len(pixels), -1).any(axis=1)
        rows = int(differ.argmax()) if differ.any() else len(pixels)
        there = rows if there is None else min(there, rows)
    if pixels is None or there is None or there <= _TOUCHED:
        return None
    height = len(pixels)
    rows = there - _TOUCHED if there < height else height
    pixels[rows:] = _GREY
    if pixels.shape[2] == 4:
        pixels[rows:, :, 3] = 255
    options = {key: info[key] for key in ("icc_profile", "exif") if key in info}
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", compress_level=1, **options)
    return out.getvalue(), rows, height
