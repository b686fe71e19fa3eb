"""The chunks that a PNG file is made of (W3C, Portable Network Graphics, third edition, section 5)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and body of each of a file as far as there are any; the last may be cut, sums are not looked at."""
    place = len(SIGNATURE)
    while place + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, place)
        yield name, data[place + 8 : place + 8 + length]
        place += 12 + length


def write_chunk(file: BinaryIO, name: bytes, body: bytes) -> None:
    checksum = zlib.crc32(body, zlib.crc32(name))
    file.write(struct.pack(">I", len(body)) + name + body + struct.pack(">I", checksum))
