"""A GIF that is cut short, made into a whole one: its first frame as far as it goes, the rest a grey of its palette."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIGNATURES = (b"GIF87a", b"GIF89a")
_HEAD = 13  # bytes of the signature and the screen's description
_TRAILER = b"\0;"
_MOST_CODES = 1 << 12
_MOST_PIXELS = 1 << 26  # a header can claim 64 times as many


def mended_gif(data: bytes) -> tuple[bytes, float] | None:
    """(the file, the share of the frame that is missing); None where there is nothing of a frame."""
    place = _first_frame(data)
    if place is None:
        return None
    left, colours, table = place
    width, height = (int.from_bytes(data[left + k : left + k + 2], "little") for k in (5, 7))
    start = table + 3 * colours if data[left + 9] & 0x80 else left + 10
    palette = data[table : table + 3 * colours]
    if start >= len(data) or not 2 <= data[start] <= 8 or not palette:
        return None
    if not 0 < width * height <= _MOST_PIXELS:
        return None
    bits = data[start]
    packed = _joined(data, start + 1)
    there, end, size = _pixels(packed, bits, width * height)
    if not there:
        return None
    missing = width * height - there
    grey = np.abs(np.frombuffer(palette, np.uint8).reshape(-1, 3).astype(int) - 128).sum(1)
    fill = int(grey[: 1 << bits].argmin())
    stream = np.unpackbits(np.frombuffer(packed, np.uint8), bitorder="little")[:end]
    rest = _even(missing, fill, bits, size)
    whole = np.packbits(np.concatenate([stream, rest]), bitorder="little").tobytes()
    blocks = (whole[k : k + 255] for k in range(0, len(whole), 255))
    body = b"".join(bytes([len(block)]) + block for block in blocks)
    return data[: start + 1] + body + _TRAILER, missing / (width * height)


def _first_frame(data: bytes) -> tuple[int, int, int] | None:
    """Where the first frame's description is, and the number of colours and the place of its palette."""
    if len(data) < _HEAD or not data.startswith(SIGNATURES):
        return None
    flags = data[10]
    colours = 2 << (flags & 7) if flags & 0x80 else 0
    place = _HEAD + 3 * colours
    while place + 10 < len(data):
        if data[place] == 0x2C:
            own = data[place + 9]
            if own & 0x80:
                return place, 2 << (own & 7), place + 10
            return place, colours, _HEAD
        if data[place] != 0x21:
            return None
        place += 2
        while place < len(data) and data[place]:
            place += data[place] + 1
        place += 1
    return None


def _joined(data: bytes, place: int) -> bytes:
    """The content of the blocks from there on, as far as there are any."""
    out = bytearray()
    while place < len(data) and data[place]:
        out += data[place + 1 : place + 1 + data[place]]
        place += data[place] + 1
    return bytes(out)


def _pixels(packed: bytes, bits: int, most: int) -> tuple[int, int, int]:
    """How many pixels the codes of a frame hold, how many bits these take, and how many the code after them has."""
    clear = 1 << bits
    lengths = [1] * clear + [0, 0]  # pixels that each code stands for
    size, before, pixels, place, held, buffer = bits + 1, 0, 0, 0, 0, 0
    for byte in packed:
        buffer |= byte << held
        held += 8
        while held >= size:
            code, width = buffer & ((1 << size) - 1), size
            if code == clear:
                lengths, size, before = lengths[: clear + 2], bits + 1, 0
            else:
                if code > len(lengths) - (not before) or code == clear + 1:
                    return pixels, place, size
                own = lengths[code] if code < len(lengths) else before + 1
                if pixels + own > most:
                    return pixels, place, size
                if before and len(lengths) < _MOST_CODES:
                    lengths.append(before + 1)
                    if len(lengths) == 1 << size and size < 12:
                        size += 1
                pixels, before = pixels + own, own
            buffer >>= width
            held -= width
            place += width
    return pixels, place, size


def _even(count: int, value: int, bits: int, size: int) -> NDArray[np.uint8]:
    """The bits of so many pixels of one value: each its own code, all codes forgotten before they would grow longer.
    size: bits of the first code."""
    clear, group = 1 << bits, (1 << bits) - 2
    codes = np.full(-(-count // group) * (group + 1), value, np.uint16)
    codes[:: group + 1] = clear
    codes = np.append(codes[: count + -(-count // group)], np.uint16(clear + 1))
    width = bits + 1
    first = np.full(1, clear, np.uint16)  # still as long as those before it
    parts = ((first, size), (codes[1:] if count else codes, width))
    return np.concatenate(
        [((c[:, None] >> np.arange(w)) & 1).astype(np.uint8).ravel() for c, w in parts]
    )
