"""A TIFF file written strip by strip (TIFF 6.0, Adobe 1992; BigTIFF above 4 GB).

The libraries want the whole picture, or pull it from an iterator; here rows are pushed as they are drawn.
"""

from __future__ import annotations

import struct
import zlib
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

COMPRESSION = 3
STRIP_BYTES = 1 << 20
CLASSIC_LIMIT = 0xFFFF_0000  # bytes that 32-bit offsets reach, less a margin for the directory

_SHORT, _LONG, _RATIONAL, _UNDEFINED, _LONG8 = 3, 4, 5, 7, 16
_CODES = {_SHORT: "H", _LONG: "I", _UNDEFINED: "B", _LONG8: "Q"}
_ONE = struct.pack("<II", 1, 1)


class TiffEncoder:
    """Rows (n, width, channels) uint8 or uint16 into `file`: deflate with the horizontal predictor, little-endian."""

    def __init__(self, file: BinaryIO, shape: tuple[int, int, int], dtype: np.dtype[Any]) -> None:
        self._file = file
        self._shape = shape
        self._dtype = dtype
        row_bytes = shape[1] * shape[2] * dtype.itemsize
        self._rows_per_strip = min(shape[0], max(1, STRIP_BYTES // row_bytes))
        strips = -(-shape[0] // self._rows_per_strip)
        # Deflate can add a little to what does not compress: decided on the worst case, before the first byte.
        worst = row_bytes * shape[0] + row_bytes * shape[0] // 1000 + strips * 64
        self._big = worst > CLASSIC_LIMIT
        self._pending: list[NDArray[Any]] = []
        self._rows_pending = 0
        self._offsets: list[int] = []
        self._sizes: list[int] = []
        if self._big:
            file.write(struct.pack("<2sHHHQ", b"II", 43, 8, 0, 0))
        else:
            file.write(struct.pack("<2sHI", b"II", 42, 0))
        self._position = 16 if self._big else 8

    def write(self, rows: NDArray[Any]) -> None:
        while len(rows):
            taken = rows[: self._rows_per_strip - self._rows_pending]
            rows = rows[len(taken) :]
            self._pending.append(taken)
            self._rows_pending += len(taken)
            if self._rows_pending == self._rows_per_strip:
                self._write_strip()
            elif not len(rows):
                self._pending[-1] = taken.copy()  # the caller may reuse its array

    def finish(self) -> None:
        if self._rows_pending:
            self._write_strip()
        self._align()
        directory = self._position
        self._file.write(self._directory(directory))
        self._file.seek(8 if self._big else 4)
        self._file.write(struct.pack("<Q" if self._big else "<I", directory))

    def _write_strip(self) -> None:
        strip = np.concatenate(self._pending) if len(self._pending) > 1 else self._pending[0]
        self._pending, self._rows_pending = [], 0
        # The predictor: differences of neighbouring pixels, modulo the type.
        differences = strip.astype(self._dtype.newbyteorder("<"))
        differences[:, 1:] -= strip[:, :-1]
        data = zlib.compress(differences.tobytes(), COMPRESSION)
        self._align()
        self._offsets.append(self._position)
        self._sizes.append(len(data))
        self._file.write(data)
        self._position += len(data)

    def _align(self) -> None:
        if self._position % 2:
            self._file.write(b"\0")
            self._position += 1

    def _directory(self, start: int) -> bytes:
        """The image file directory and the values that do not fit into its entries."""
        height, width, channels = self._shape
        address = _LONG8 if self._big else _LONG
        bits = 8 * self._dtype.itemsize
        entries: list[tuple[int, int, list[int] | bytes]] = [
            (256, _LONG, [width]),
            (257, _LONG, [height]),
            (258, _SHORT, [bits] * channels),
            (259, _SHORT, [8]),  # deflate
            (262, _SHORT, [2 if channels >= 3 else 1]),  # RGB, or grey with black at zero
            (273, address, self._offsets),
            (277, _SHORT, [channels]),
            (278, _LONG, [self._rows_per_strip]),
            (279, address, self._sizes),
            (282, _RATIONAL, _ONE),  # square pixels of no size: baseline readers may insist on it
            (283, _RATIONAL, _ONE),
            (284, _SHORT, [1]),  # a pixel's channels side by side
            (296, _SHORT, [1]),  # the unit of those two: none
            (317, _SHORT, [2]),  # horizontal predictor
            *([(338, _SHORT, [2])] if channels in (2, 4) else []),  # straight alpha
            (339, _SHORT, [1] * channels),
            *([(34675, _UNDEFINED, _srgb_profile())] if channels >= 3 else []),
        ]
        count, head, field = ("<Q", "<HHQ", 8) if self._big else ("<H", "<HHI", 4)
        size = struct.calcsize(count) + len(entries) * (struct.calcsize(head) + field) + field
        body, beyond = struct.pack(count, len(entries)), b""
        for tag, kind, values in entries:
            data = (
                values
                if isinstance(values, bytes)
                else struct.pack(f"<{len(values)}{_CODES[kind]}", *values)
            )
            body += struct.pack(head, tag, kind, 1 if kind == _RATIONAL else len(values))
            if len(data) <= field:
                body += data.ljust(field, b"\0")
            else:
                body += (start + size + len(beyond)).to_bytes(field, "little")
                beyond += data + b"\0" * (len(data) % 2)
        return body + bytes(field) + beyond


def _srgb_profile() -> bytes:
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
