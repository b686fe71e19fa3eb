"""Pictures of 16 bits and floats at their full depth, which Pillow would reduce to 8 bits: PNG and TIFF."""

from __future__ import annotations

import io
import logging
import struct
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from gaussian_core.imaging import orientation, pillow_reader
from gaussian_core.imaging.deep_picture import finished, of_samples
from gaussian_core.imaging.files import check_size, damaged
from gaussian_core.imaging.measurements import as_brightness
from gaussian_core.imaging.picture import Picture
from gaussian_core.imaging.png_chunks import SIGNATURE, chunks, write_chunk
from gaussian_core.imaging.tiff_files import (
    check_kind,
    check_whole,
    opened_tiff,
    pages_note,
    turn_of,
)
from gaussian_core.imaging.tiff_samples import beyond_bytes, beyond_pillow, samples_of

_WITH_ORIENTATION = (b"eXIf", b"iTXt", b"tEXt", b"zTXt")


def is_deep_png(head: bytes) -> bool:
    """head: the first 32 bytes of the file."""
    return head.startswith(SIGNATURE) and head[12:16] == b"IHDR" and head[24:25] == b"\x10"


def read_png(path: Path, file: BinaryIO) -> Picture:
    """A PNG of 16 bits a channel."""
    import imagecodecs

    image = pillow_reader.identify(path, file)
    notes = [pillow_reader.frames_note(image), image.info["colour_note"]]
    profile = image.info.get("icc_profile")
    file.seek(0)
    data = file.read()
    turn = _png_orientation(data)
    # It logs that it takes no care of interlacing, and then does.
    logging.getLogger("imagecodecs").setLevel(logging.CRITICAL)
    try:
        values = np.asarray(imagecodecs.png_decode(data))
    except (RuntimeError, ValueError) as error:
        raise damaged(path, error) from error
    return of_samples(path, values, profile, turn, notes)


def _png_orientation(data: bytes) -> int:
    """From wherever Pillow finds it in PNGs of 8 bits: EXIF, before the pixels or behind them, EXIF in a text, and XMP.

    data: the file. Pillow is given its chunks around one black pixel, as it decodes all of a PNG to read those behind.
    """
    from PIL import Image

    file = io.BytesIO()
    file.write(SIGNATURE)
    write_chunk(file, b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    write_chunk(file, b"IDAT", zlib.compress(bytes(2)))
    for name, body in chunks(data):
        if name in _WITH_ORIENTATION:
            write_chunk(file, name, body)
    write_chunk(file, b"IEND", b"")
    try:
        with Image.open(file, formats=["PNG"]) as image:
            image.load()
            return orientation.exif_turn(image)
    except pillow_reader.DECODER_FAULTS:  # of texts: they are no part of the picture
        return 1


def read_tiff(path: Path, file: BinaryIO) -> Picture | None:
    """A TIFF of more than 8 bits a channel, or in channels or a compression that Pillow lacks, and None for another;
    for what no reader of TIFF can show an ImageError."""
    with opened_tiff(path, file) as tiff:
        page: Any = tiff.pages.first
        check_kind(path, file, tiff)
        check_whole(path, file, page)
        if not beyond_bytes(page) and not beyond_pillow(page):
            return None
        check_size(path, page.imagewidth, page.imagelength, 3 * max(page.dtype.itemsize, 2) * 2)
        samples = samples_of(path, file, page)
        data = np.asarray(page.asarray(squeeze=False))  # (planes, depth, H, W, samples)
        slices = f"first of {data.shape[1]} slices" if data.shape[1] > 1 else ""
        data = data[:, 0]
        values = data[0] if data.shape[0] == 1 else np.moveaxis(data[..., 0], 0, -1)
        values, measured = as_brightness(values, page)
        colours, alpha = samples.convert(values)
        notes = [pages_note(tiff), slices, measured, *samples.notes]
        return finished(path, colours, alpha, turn_of(page), notes)
