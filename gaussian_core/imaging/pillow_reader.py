"""Reading with Pillow: every format of 8 bits a channel, and the odd grey one of 16."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from PIL.PngImagePlugin import PngImageFile

from gaussian_core.errors import DamagedError
from gaussian_core.imaging import colour, orientation
from gaussian_core.imaging.files import FORMATS, check_size, damaged, unknown_format
from gaussian_core.imaging.losses import losses_of
from gaussian_core.imaging.named_colours import name_colours
from gaussian_core.imaging.picture import Picture, grey_as_rgb
from gaussian_core.parallel import run_strips

BAND_PIXELS = 1 << 20
DECODER_FAULTS = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    TypeError,
    KeyError,
    IndexError,
    OverflowError,
    RuntimeError,  # of AVIF
)
_STEPS = {"L;2": 85, "L;4": 17}  # between the greys of 8 bits, by Pillow's raw mode
_TRANSPARENT = ("RGBA", "LA", "PA", "RGBa", "La")
JPEG_2000 = (b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  ")
"""How its files begin: with the markers SOC and SIZ of a codestream, or with a box (ITU-T T.800, annexes A and I)."""
_JPEG_2000_END = b"\xff\xd9"
_COUNTED = {"GIF": "frames", "PNG": "frames", "WEBP": "frames", "AVIF": "frames", "TIFF": "pages"}


def identify(path: Path, file: BinaryIO, whole: bool = True) -> Image.Image:
    """The header read, nothing decoded. whole: the picture will be, and its size is checked for that.

    Its `info` has the profile of its colours also where the file only names them, and a "colour_note", "" for none.
    """
    file.seek(0)
    Image.init()  # does nothing the second time
    known = [name for name in FORMATS if name in Image.OPEN]  # a Pillow may be built without some
    try:
        image = Image.open(file, formats=known)
    except UnidentifiedImageError:
        raise unknown_format(path, file) from None
    except DECODER_FAULTS as error:
        raise fault(path, file, error) from error
    image.info["colour_note"] = name_colours(image, file)
    _widen_clear_grey(image)
    if whole:
        check_size(path, *image.size, pixel_bytes=8 if _is_deep(image) else 7)
    return image


def _widen_clear_grey(image: Image.Image) -> None:
    """Pillow brings a PNG's greys of 2 and 4 bits to 8, but not the one of them that stands for transparent."""
    if isinstance(image, PngImageFile) and isinstance(image.info.get("transparency"), int):
        for tile in image.tile:  # none of a file without pixels
            image.info["transparency"] *= _STEPS.get(str(tile.args), 1)


def fault(path: Path, file: BinaryIO, error: Exception) -> DamagedError:
    """The decoders of WebP and JPEG 2000 do not say that a file is cut short, but its own header or end does."""
    size = file.seek(0, 2)
    file.seek(0)
    head = file.read(12)
    file.seek(max(0, size - 2))
    cut = head[:4] == b"RIFF" and 8 + int.from_bytes(head[4:8], "little") > size
    if cut or (head.startswith(JPEG_2000) and file.read() != _JPEG_2000_END):
        error = EOFError()
    return damaged(path, error)


def frames_note(image: Image.Image) -> str:
    """Says that there are more frames or pages than the first. An MPO's second picture is but a preview."""
    kind = _COUNTED.get(image.format or "")
    count = getattr(image, "n_frames", 1) if kind else 1
    return f"first of {count} {kind}" if count > 1 else ""


def read(path: Path, file: BinaryIO) -> Picture:
    """Decode with Pillow. Raises ImageError."""
    image = identify(path, file)
    try:
        notes = [frames_note(image), image.info["colour_note"]]
        image.load()
        # After loading: TIFF is turned by its decoder, which then takes the tag away.
        turn = orientation.exif_turn(image)
        if _is_deep(image):
            pixels, alpha = _deep(image, notes), None
            pixels = grey_as_rgb(orientation.turned_upright(pixels, turn))
        else:
            pixels, alpha = _bytes(image, turn, notes)
    except DECODER_FAULTS as error:
        raise fault(path, file, error) from error
    note = "; ".join(note for note in notes if note)
    return Picture(pixels, alpha, path.name, str(path), note, losses=losses_of(image, file))


def colour_mode(image: Image.Image) -> tuple[str, bool]:
    """(mode, transparent): the mode in which the colours are converted: L, RGB, CMYK or LAB."""
    transparent = image.mode in _TRANSPARENT or "transparency" in image.info
    if image.mode in ("CMYK", "LAB"):
        return image.mode, False
    return ("L" if image.mode in ("1", "L", "LA", "La") else "RGB"), transparent


def to_rgb(
    image: Image.Image, mode: str, transparent: bool, convert: colour.Conversion | None
) -> Image.Image:
    """A decoded image, or a band of one, as sRGB in mode RGB or, when transparent, RGBA."""
    alpha = None
    if transparent:
        if image.mode == "La":  # premultiplied grey: Pillow takes it nowhere else
            image = image.convert("LA")
        # By way of RGBA also for grey: Pillow knows there how to read the colour that stands for transparent.
        image = image.convert("RGBA")
        alpha = image.getchannel("A")
        image = image.getchannel("R") if mode == "L" else image.convert("RGB")
    if convert is not None:
        image = convert.bytes_to_rgb(image if image.mode == mode else image.convert(mode))
    elif mode == "LAB":
        image = colour.lab_to_rgb(image)
    else:
        image = image.convert("RGB")
    if alpha is not None:
        image.putalpha(alpha)
    return image


def _bytes(
    image: Image.Image, turn: int, notes: list[str]
) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """8-bit pixels and alpha, band by band: Pillow's own copy is the only other one. Grey stays one channel."""
    mode, transparent = colour_mode(image)
    convert, note = colour.conversion(image.info.get("icc_profile"), mode)
    notes.append(note)
    width, height = image.size
    channels = 1 if mode == "L" and convert is None else 3
    pixels, stored = orientation.empty_upright((height, width, channels), np.uint8, turn)
    alpha, stored_alpha = None, None
    if transparent:
        alpha, stored_alpha = orientation.empty_upright((height, width), np.uint8, turn)
    rows = max(1, BAND_PIXELS // width)

    def band(number: int) -> None:
        top = number * rows
        bottom = min(top + rows, height)
        part = to_rgb(image.crop((0, top, width, bottom)), mode, transparent, convert)
        values = np.asarray(part)
        stored[top:bottom] = values[..., :channels]
        if stored_alpha is not None:
            stored_alpha[top:bottom] = values[..., 3]

    run_strips(band, -(-height // rows))
    # An alpha that hides nothing would cost a channel in everything that follows.
    if alpha is not None and alpha.min() == 255:
        alpha = None
    return grey_as_rgb(pixels), alpha


def _is_deep(image: Image.Image) -> bool:
    return image.mode.startswith("I")


def _deep(image: Image.Image, notes: list[str]) -> NDArray[Any]:
    """Grey of 16 bits, which an icon may be: uint16 (H, W, 1), or (H, W, 3) where its profile gives it colours."""
    grey = np.asarray(image).astype(np.uint16)
    convert, note = colour.conversion(image.info.get("icc_profile"), "L")
    notes.append(note)
    if convert is not None:
        return convert.deep_to_rgb(grey[..., None])
    return grey[..., None]
