"""Netpbm's files (pgm(5), ppm(5), pam(5)) and PFM wherever Pillow reduces them to 8 bits, or does not know them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from gaussian_core.errors import ImageError
from gaussian_core.imaging.deep_picture import of_samples, widened
from gaussian_core.imaging.files import check_size, damaged
from gaussian_core.imaging.finite import finite
from gaussian_core.imaging.measurements import range_within
from gaussian_core.imaging.picture import Picture

_CHANNELS = {b"P2": 1, b"P3": 3, b"P5": 1, b"P6": 3, b"Pf": 1, b"PF": 3}
_IN_TEXT = (b"P2", b"P3")
_FLOATS = (b"Pf", b"PF")
_OF_PILLOW = (b"P2", b"P3", b"P5", b"P6")  # where full brightness is 255
_KINDS = (*_CHANNELS, b"P7")
_LONGEST = 1 << 16  # of a header, with its comments
_COMMENT = rb"#[^\r\n]*"
_BLANKS = rb"(?:\s|" + _COMMENT + rb"[\r\n])+"
# Three numbers, of which one blank parts the pixels.
_HEADER = re.compile(
    rb"(P[2356fF])" + 3 * (_BLANKS + rb"([^\s#]+)") + rb"(?:" + _COMMENT + rb")?\s"
)
_BEGUN = re.compile(rb"P[2356fF](?:[\d.+-]|" + _BLANKS + rb")*(?:" + _COMMENT + rb")?")
_PAM = re.compile(rb"P7\n.*?^ENDHDR[ \t\r]*\n", re.DOTALL | re.MULTILINE)
_PAM_LINE = re.compile(rb"^([A-Z]+)[ \t]+(.*?)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class _Header:
    """top: the value of full brightness; of floats its sign tells their order. start: of the pixels in the file."""

    kind: bytes
    width: int
    height: int
    channels: int
    top: float
    start: int


def read(path: Path, file: BinaryIO) -> Picture | None:
    """A picture of any depth; None for another format, and for what Pillow reads as it is: bits, and bytes whose full
    brightness is 255. Raises ImageError."""
    file.seek(0)
    head = file.read(2)
    if head not in _KINDS:
        return None
    try:
        header = _header(path, head + file.read(_LONGEST))
        if header is None or (header.top == 255 and header.kind in _OF_PILLOW):
            return None
        check_size(path, header.width, header.height, 24 if header.kind in _IN_TEXT else 12)
        values, notes = _values(file, header)
    except (ValueError, EOFError) as error:
        raise damaged(path, error) from error
    return of_samples(path, values, None, 1, notes)


def _header(path: Path, head: bytes) -> _Header | None:
    """Raises ValueError for numbers that are none, EOFError and ImageError."""
    if head.startswith(b"P7\n"):
        return _of_pam(path, head)
    found = _HEADER.match(head)
    if found is None:
        if _BEGUN.fullmatch(head):
            raise EOFError
        return None
    kind, width, height, top = found.groups()
    start = found.end()
    return _Header(kind, int(width), int(height), _CHANNELS[kind], float(top), start)


def _of_pam(path: Path, head: bytes) -> _Header:
    found = _PAM.match(head)
    if found is None:
        raise EOFError
    said = dict(_PAM_LINE.findall(found[0]))
    width, height, depth, top = (
        int(said.get(name, b"0")) for name in (b"WIDTH", b"HEIGHT", b"DEPTH", b"MAXVAL")
    )
    colours = said.get(b"TUPLTYPE", b"").decode("ascii", "replace")
    if depth not in (1, 2, 3, 4) or colours.startswith("CMYK"):
        raise ImageError(
            f"{path} is a PAM picture of {depth} channels {colours}".rstrip()
            + ", which cannot be read: save it as RGB or grey first."
        )
    return _Header(b"P7", width, height, depth, top, found.end())


def _values(file: BinaryIO, header: _Header) -> tuple[NDArray[Any], list[str]]:
    """(h, w, channels) uint8, uint16 or float32, and notes. Raises ValueError and EOFError."""
    notes: list[str] = []
    floats = header.kind in _FLOATS
    if not math.isfinite(header.top) or not (header.top if floats else 1 <= header.top < 1 << 16):
        raise ValueError(f"{header.top:g} cannot be its full brightness")
    shape = (header.height, header.width, header.channels)
    count = math.prod(shape)
    file.seek(header.start)
    if header.kind in _IN_TEXT:
        numbers = re.sub(_COMMENT, b"", file.read()).split(maxsplit=count)[:count]
        if len(numbers) < count:
            raise EOFError
        return widened(np.array(numbers).astype(np.uint32).reshape(shape), int(header.top)), notes
    wide = "f4" if floats else "u1" if header.top < 256 else "u2"
    order = np.dtype(("<" if floats and header.top < 0 else ">") + wide)
    data = file.read(count * order.itemsize)
    if len(data) < count * order.itemsize:
        raise EOFError
    values = np.frombuffer(data, order).reshape(shape)
    if not floats:
        return widened(values, int(header.top)), notes
    values = values[::-1].astype(np.float32)  # from the bottom up
    measured = range_within(values)
    if measured is None:
        return finite(values, notes), notes
    return measured.shown(values), [measured.note()]
