"""JPEG 2000 and AVIF of more than 8 bits a channel, which Pillow reduces to 8, wrongly where JPEG 2000 is bright."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gaussian_core.errors import ImageError
from gaussian_core.imaging import orientation, pillow_reader
from gaussian_core.imaging.deep_picture import of_samples, widened
from gaussian_core.imaging.files import check_size, damaged
from gaussian_core.imaging.losses import losses_of
from gaussian_core.imaging.picture import Picture

_BEGINNING = 12  # bytes that tell the format
_HEAD = 1 << 20  # bytes in which a header is looked for
_CODESTREAM = pillow_reader.JPEG_2000[0]
_PIXEL_BYTES = 16  # of the picture and its decoder
_SRGB, _GREY = 16, 17  # enumerated colours of a JP2 file (ITU-T T.800, table I.10)


def read(path: Path, file: BinaryIO) -> Picture | None:
    """A picture of 9 to 16 bits a channel; None for another, and for what only Pillow can read. Raises ImageError."""
    file.seek(0)
    head = file.read(_BEGINNING)  # all there is to read of most files, which are of other formats
    if head.startswith(pillow_reader.JPEG_2000):
        return _jpeg2000(path, file, head + file.read(_HEAD))
    if head[4:8] == b"ftyp" and head[8:12] in (b"avif", b"avis", b"mif1"):
        return _avif(path, file, head + file.read(_HEAD))
    return None


def _jpeg2000(path: Path, file: BinaryIO, head: bytes) -> Picture | None:
    place = head.find(_CODESTREAM)
    if place < 0 or len(head) < place + 42:
        return None
    right, bottom, left, top, _, _, _, _, count = struct.unpack_from(">8IH", head, place + 8)
    channels = head[place + 42 : place + 42 + 3 * count]  # bits less one, steps across and down
    if max(channels[::3], default=0) & 0x7F < 8:
        return None
    image = pillow_reader.identify(path, file)
    box = head.find(b"colr", 0, place)
    known = box < 0 or head[box + 4] != 1 or head[box + 10] in (_SRGB, _GREY)
    alike = channels == (channels[:1] + b"\1\1") * count and count <= 4
    if not known or not alike or channels[0] > 15:  # a sign is the highest bit
        raise ImageError(
            f"{path} is a JPEG 2000 picture of more than 8 bits in channels that cannot be read: save it as TIFF or PNG"
            " first."
        )
    check_size(path, right - left, bottom - top, _PIXEL_BYTES)
    import imagecodecs  # here: it takes a tenth of a second, and most pictures have 8 bits

    file.seek(place)
    try:
        # Without its boxes: the decoder would turn their colours into sRGB as if every number had 16 bits.
        values = np.asarray(imagecodecs.jpeg2k_decode(file.read()))
    except (RuntimeError, ValueError) as error:
        raise pillow_reader.fault(path, file, error) from error
    return _picture(path, file, image, values, channels[0] + 1)


def _avif(path: Path, file: BinaryIO, head: bytes) -> Picture | None:
    bits = _bits_of_avif(head)
    if bits == 8:
        return None
    image = pillow_reader.identify(path, file)
    if getattr(image, "n_frames", 1) > 1:  # all of them would be decoded
        return None
    check_size(path, *image.size, _PIXEL_BYTES)
    import imagecodecs  # here: it takes a tenth of a second, and most pictures have 8 bits

    file.seek(0)
    try:
        values = np.asarray(imagecodecs.avif_decode(file.read()))
    except (RuntimeError, ValueError) as error:
        raise damaged(path, error) from error
    if values.dtype != np.uint16:  # a picture beside the first has more bits
        return None
    values = np.atleast_3d(values)
    if image.mode.startswith("RGB") and values.shape[2] < 3:  # grey with a profile for colours
        values = values[..., [0, 0, 0, 1][: 2 + values.shape[2]]]
    return _picture(path, file, image, values, bits)


def _bits_of_avif(head: bytes) -> int:
    """The most of any picture in the file, by what describes their coding (AV1 in ISOBMFF, section 2.3.3)."""
    bits, place = 8, head.find(b"av1C")
    while 0 <= place < len(head) - 6:
        flags = head[place + 6]
        bits = max(bits, 12 if flags & 0x20 else 10 if flags & 0x40 else 8)
        place = head.find(b"av1C", place + 4)
    return bits


def _picture(
    path: Path, file: BinaryIO, image: Image.Image, values: NDArray[np.uint16], bits: int
) -> Picture:
    """image: what Pillow knows by the header. values: (H, W) or (H, W, 1 to 4) of so many bits."""
    notes = [pillow_reader.frames_note(image), image.info["colour_note"]]
    values = widened(values, (1 << bits) - 1)
    profile, turn = image.info.get("icc_profile"), orientation.exif_turn(image)
    picture = of_samples(path, values, profile, turn, notes)
    return replace(picture, losses=losses_of(image, file))
