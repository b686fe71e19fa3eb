"""A PNG file written row by row (W3C, Portable Network Graphics, third edition), which Pillow cannot do."""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import struct
import zlib
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from gaussian_core.compiled import compiled
from gaussian_core.imaging.png_chunks import SIGNATURE, write_chunk

# On photographs level 3 takes less than half the time of 6, and its files are no larger.
COMPRESSION = 3
CHUNK = 1 << 20  # bytes of compressed data in one IDAT
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
_SRGB_PERCEPTUAL = b"\x00"


class PngEncoder:
    """Rows (n, width, channels) uint8 or uint16 into `file`; each row takes the filter of least absolute sum."""

    def __init__(self, file: BinaryIO, shape: tuple[int, int, int], dtype: np.dtype[Any]) -> None:
        height, width, channels = shape
        self._file = file
        self._step = channels * dtype.itemsize  # bytes of a pixel
        self._above = np.zeros(width * self._step, np.uint8)
        self._deflate = zlib.compressobj(COMPRESSION, zlib.DEFLATED, 15, 9, zlib.Z_FILTERED)
        self._pending = bytearray()
        file.write(SIGNATURE)
        write_chunk(
            file,
            b"IHDR",
            struct.pack(
                ">IIBBBBB", width, height, 8 * dtype.itemsize, _COLOUR_TYPES[channels], 0, 0, 0
            ),
        )
        write_chunk(file, b"sRGB", _SRGB_PERCEPTUAL)

    def write(self, rows: NDArray[Any]) -> None:
        if not len(rows):
            return
        big_endian = np.ascontiguousarray(rows, rows.dtype.newbyteorder(">"))
        raw = big_endian.view(np.uint8).reshape(len(rows), -1)
        filtered = np.empty((len(raw), raw.shape[1] + 1), np.uint8)
        _filter_rows(raw, self._above, self._step, filtered)
        self._above = raw[-1].copy()
        self._pending += self._deflate.compress(filtered.data)
        while len(self._pending) >= CHUNK:
            write_chunk(self._file, b"IDAT", bytes(self._pending[:CHUNK]))
            del self._pending[:CHUNK]

    def finish(self) -> None:
        self._pending += self._deflate.flush()
        if self._pending:
            write_chunk(self._file, b"IDAT", bytes(self._pending))
        write_chunk(self._file, b"IEND", b"")


@compiled()
def _filter_rows(raw, above, step, out):
    """The five filters of the PNG specification, section 9; a row's own is the one with the least sum of |bytes|."""
    size = raw.shape[1]
    tried = np.empty((5, size), np.uint8)
    for y in range(raw.shape[0]):
        row = raw[y]
        up = above if y == 0 else raw[y - 1]
        for x in range(size):
            a = np.int32(row[x - step]) if x >= step else np.int32(0)
            b = np.int32(up[x])
            c = np.int32(up[x - step]) if x >= step else np.int32(0)
            value = np.int32(row[x])
            pa, pb, pc = abs(b - c), abs(a - c), abs(a + b - 2 * c)
            paeth = a if pa <= pb and pa <= pc else (b if pb <= pc else c)
            tried[0, x] = value
            tried[1, x] = (value - a) & 255
            tried[2, x] = (value - b) & 255
            tried[3, x] = (value - ((a + b) >> 1)) & 255
            tried[4, x] = (value - paeth) & 255
        best, least = 0, np.int64(1) << 62
        for kind in range(5):
            total = np.int64(0)
            for x in range(size):
                byte = np.int32(tried[kind, x])
                total += min(byte, 256 - byte)
            if total < least:
                best, least = kind, total
        out[y, 0] = best
        out[y, 1:] = tried[best]
