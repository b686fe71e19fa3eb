"""Files that are cut short or damaged, made into whole ones of what there is, as browsers show them: JPEG, PNG, GIF and
WebP.

What comes out is another file in memory, which the ordinary readers then read. The rest of the picture is an even grey.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gaussian_core.imaging.files import is_jpeg, is_webp
from gaussian_core.imaging.gif_mending import SIGNATURES, mended_gif
from gaussian_core.imaging.losses import Losses, losses_of_webp
from gaussian_core.imaging.png_chunks import SIGNATURE, chunks, write_chunk
from gaussian_core.imaging.webp_mending import mended_webp

_END_OF_IMAGE = b"\xff\xd9"
_ANYTHING = bytes(range(1, 255)) * 4
_REDUCED = 8  # by how much a JPEG's decoder can reduce a picture while it decodes
_PIECE = 1 << 12  # bytes inflated at a time: what precedes a fault by more is kept
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by the colour type
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))  # fmt: skip
_FILTERS = 5


@dataclass(frozen=True)
class Mended:
    """file: a whole one. lacks: what is wrong with the picture in it, in words that could follow "is"; "" where
    nothing of the picture is missing. losses: of the file as it was, where that made of it does not tell."""

    file: BinaryIO
    lacks: str
    losses: Losses | None = None


def mended(file: BinaryIO) -> Mended | None:
    """Of a file that its decoder gave up; None where there is nothing to be shown of it."""
    file.seek(0)
    data = file.read()
    if is_jpeg(data):
        return _jpeg(data)
    if data.startswith(SIGNATURE):
        return _png(data)
    if data.startswith(SIGNATURES) and (found := mended_gif(data)) is not None:
        whole, missing = found
        percent = min(max(1, round(100 * missing)), 99)
        lacks = f"cut short: {percent} % of the picture is missing and shown in one colour"
        return Mended(io.BytesIO(whole), lacks if missing else "")
    if is_webp(data) and (cut := mended_webp(data)) is not None:
        whole, rows, height = cut
        lacks = _share_missing(rows, height) if rows < height else ""
        return Mended(io.BytesIO(whole), lacks, losses_of_webp(file))
    return None


# ---- JPEG ---------------------------------------------------------------------------------------


def _jpeg(data: bytes) -> Mended | None:
    """With an end, the decoder fills up what it has not got."""
    whole = data + _END_OF_IMAGE
    try:
        grey, in_scans = _coarse(whole)
        other, _ = _coarse(data + _ANYTHING + _END_OF_IMAGE)
    except (OSError, SyntaxError, ValueError):
        return None
    # What follows the end of a complete picture changes nothing; in one that is not it is taken for more of it.
    differ = (grey != other).reshape(len(grey), -1).any(axis=1)
    if not differ.any():
        lacks = ""
    elif in_scans:
        lacks = "cut short: of the picture only a coarse version is there"
    else:
        lacks = _share_missing(int(differ.argmax()), len(grey))
    return Mended(io.BytesIO(whole), lacks)


def _coarse(data: bytes) -> tuple[NDArray[np.uint8], bool]:
    """An eighth of the size, and whether it comes in scans, from coarse to fine."""
    with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
        image.draft(None, (max(1, image.width // _REDUCED), max(1, image.height // _REDUCED)))
        return np.array(image), bool(image.info.get("progressive"))


def _share_missing(rows: int, of: int) -> str:
    percent = max(1, round(100 * (1 - rows / of)))
    if percent >= 100:
        return "cut short: next to nothing of the picture is there, what is missing is shown grey"
    return f"cut short: the last {percent} % of the picture is missing and shown grey"


# ---- PNG ----------------------------------------------------------------------------------------


def _png(data: bytes) -> Mended | None:
    found = list(chunks(data))
    if not found or found[0][0] != b"IHDR" or len(found[0][1]) != 13:
        return None
    width, height, bits, kind, _, _, interlaced = struct.unpack(">IIBBBBB", found[0][1])
    if kind not in _CHANNELS or interlaced > 1 or not width or not height:
        return None
    rows = list(_rows(width, height, bits * _CHANNELS[kind], bool(interlaced)))
    size = sum(1 + length for length in rows)
    raw = _inflated([body for name, body in found if name == b"IDAT"], size)
    good, end = _good_rows(raw, rows)
    if not good:
        return None
    damaged = data.endswith(b"IEND\xaeB`\x82")
    out = io.BytesIO()
    out.write(SIGNATURE)
    for name, body in found:
        if name == b"IDAT":
            break
        write_chunk(out, name, body)
    deflate = zlib.compressobj(1)
    packed = deflate.compress(raw[:end])
    pixel = _grey(bits, kind)
    for length in rows[good:]:
        packed += deflate.compress(b"\0" + (pixel * (length // len(pixel) + 1))[:length])
    write_chunk(out, b"IDAT", packed + deflate.flush())
    write_chunk(out, b"IEND", b"")
    lacks = ""
    if good < len(rows):
        lacks = _share_missing(end, size)
        if damaged:
            lacks = lacks.replace("cut short: ", "damaged: ").replace("missing", "lost")
    elif damaged:
        lacks = "damaged: parts of the picture may be wrong"
    return Mended(out, lacks)


def _rows(width: int, height: int, pixel_bits: int, interlaced: bool) -> Iterator[int]:
    """The bytes of every row as it is stored, without that of its filter (PNG, section 8)."""
    for left, top, across, down in _ADAM7 if interlaced else ((0, 0, 1, 1),):
        wide, high = -(-(width - left) // across), -(-(height - top) // down)
        if wide > 0 and high > 0:
            yield from [(wide * pixel_bits + 7) // 8] * high


def _inflated(bodies: list[bytes], size: int) -> bytearray:
    """As far as it goes, `size` bytes at most."""
    inflate, out = zlib.decompressobj(), bytearray()
    try:
        for body in bodies:
            for start in range(0, len(body), _PIECE):
                out += inflate.decompress(body[start : start + _PIECE])
                if len(out) >= size:
                    return out[:size]
        out += inflate.flush()
    except zlib.error:
        pass  # what there is up to here is what was wanted
    return out[:size]


def _good_rows(raw: bytearray, rows: list[int]) -> tuple[int, int]:
    """How many rows are there, and where they end."""
    place = 0
    for number, length in enumerate(rows):
        if place + 1 + length > len(raw) or raw[place] >= _FILTERS:
            return number, place
        place += 1 + length
    return len(rows), place


def _grey(bits: int, kind: int) -> bytes:
    """One opaque grey pixel, or a byte of them."""
    if kind == 3:
        return b"\0"  # the first of the palette
    if bits < 8:
        return bytes([{1: 0x55, 2: 0x55, 4: 0x77}.get(bits, 0)])
    grey, full = (b"\x80", b"\xff") if bits == 8 else (b"\x80\0", b"\xff\xff")
    colours = grey * (1 if kind in (0, 4) else 3)
    return colours + (full if kind in (4, 6) else b"")
