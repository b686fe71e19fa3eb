"""Pictures of 16 bits and floats at their full depth, which Pillow would reduce to 8 bits: PNG and TIFF."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from gaussian_core.errors import ImageError
from gaussian_core.imaging import colour, orientation, pillow_reader
from gaussian_core.imaging.files import check_size, damaged
from gaussian_core.imaging.picture import Picture
from gaussian_core.imaging.tiff_files import opened_tiff, profile_of, turn_of

_PHOTOMETRIC_WHITE_IS_ZERO, _GREY, _RGB, _PALETTE, _CMYK = 0, 1, 2, 3, 5
_ASSOCIATED, _STRAIGHT = 1, 2


def is_deep_png(head: bytes) -> bool:
    """head: the first 32 bytes of the file."""
    return head[:8] == b"\x89PNG\r\n\x1a\n" and head[12:16] == b"IHDR" and head[24] == 16


def read_png(path: Path, file: BinaryIO) -> Picture:
    """A PNG of 16 bits a channel."""
    import imagecodecs

    image = pillow_reader.identify(path, file)
    notes = [pillow_reader.frames_note(image)]
    turn = _png_orientation(image)
    profile = image.info.get("icc_profile")
    file.seek(0)
    try:
        values = np.asarray(imagecodecs.png_decode(file.read()))
    except (RuntimeError, ValueError) as error:
        raise damaged(path, error) from error
    values = values.reshape(*values.shape[:2], -1)
    channels = values.shape[2]
    alpha = values[..., -1] if channels in (2, 4) else None
    colours = values[..., : 3 if channels >= 3 else 1]
    return _finished(path, colours, alpha, "RGB" if channels >= 3 else "L", profile, turn, notes)


def _png_orientation(image: Any) -> int:
    # Not image.getexif(): for PNG it decodes the picture to find chunks behind it.
    from PIL import Image

    data = image.info.get("exif")
    if not data:
        return 1
    exif = Image.Exif()
    exif.load(data)
    return int(exif.get(orientation.TAG, 1))


def read_tiff(path: Path, file: BinaryIO) -> Picture | None:
    """A TIFF of more than 8 bits a channel; None for others, and for kinds that Pillow reads better."""
    with opened_tiff(path, file) as tiff:
        page: Any = tiff.pages.first
        if not _wants_depth(page):
            return None
        check_size(path, page.imagewidth, page.imagelength, 3 * max(page.dtype.itemsize, 2) * 2)
        count = len(tiff.pages)
        notes = [f"first of {count} pages" if count > 1 else ""]
        return _tiff_picture(path, page, notes)


def _wants_depth(page: Any) -> bool:
    return page.dtype is not None and page.dtype.kind in "uif" and page.dtype != np.uint8


def _tiff_picture(path: Path, page: Any, notes: list[str]) -> Picture:
    photometric = int(page.photometric)
    if photometric not in (_PHOTOMETRIC_WHITE_IS_ZERO, _GREY, _RGB, _PALETTE, _CMYK):
        raise ImageError(
            f"{path} holds its colours as {page.photometric!s} in {page.bitspersample} bits, which cannot be read:"
            " save it as RGB first."
        )
    data = np.asarray(page.asarray(squeeze=False))  # (planes, depth, H, W, samples)
    if data.shape[1] > 1:
        notes.append(f"first of {data.shape[1]} slices")
    data = data[:, 0]
    values = data[0] if data.shape[0] == 1 else np.moveaxis(data[..., 0], 0, -1)
    values = _scaled(values, page.bitspersample)
    if photometric == _PALETTE:
        table = np.asarray(page.colormap, np.uint16).T
        values = table[np.asarray(data[0, ..., 0], np.intp).clip(0, len(table) - 1)]
    channels = {_RGB: 3, _PALETTE: 3, _CMYK: 4}.get(photometric, 1)
    if values.shape[2] < channels:
        raise ImageError(f"{path} is damaged: it has {values.shape[2]} of {channels} channels.")
    alpha = _tiff_alpha(page, values, channels)
    colours = values[..., :channels]
    if alpha is not None and _ASSOCIATED in [int(kind) for kind in page.extrasamples]:
        colours = _unpremultiplied(colours, alpha)
    if photometric == _PHOTOMETRIC_WHITE_IS_ZERO:
        colours = colours.dtype.type(_full(colours.dtype)) - colours
    mode = {1: "L", 3: "RGB", 4: "CMYK"}[channels]
    return _finished(path, colours, alpha, mode, profile_of(page), turn_of(page), notes)


def _tiff_alpha(page: Any, values: NDArray[Any], channels: int) -> NDArray[Any] | None:
    """The first extra sample that is alpha. An unspecified one is not: depth maps and masks are stored so too."""
    for number, kind in enumerate(page.extrasamples):
        if int(kind) in (_ASSOCIATED, _STRAIGHT) and channels + number < values.shape[2]:
            return values[..., channels + number]
    return None


def _full(dtype: np.dtype[Any]) -> float:
    return 1.0 if dtype.kind == "f" else float(np.iinfo(dtype).max)


def _scaled(values: NDArray[Any], bits: int) -> NDArray[Any]:
    """uint16 over its whole range, or float32: floats as they are, wide and signed integers from 0 to 1."""
    if values.dtype == np.uint16:
        if bits < 16:  # 10, 12 or 14 bits, unpacked
            top = (1 << bits) - 1
            return ((values.astype(np.uint32) * 65535 + top // 2) // top).astype(np.uint16)
        return values
    if values.dtype.kind == "f":
        return values.astype(np.float32, copy=False)
    top = (1 << bits) - 1 if values.dtype.kind == "u" else (1 << (bits - 1)) - 1
    return (values * (1 / top)).astype(np.float32)


def _unpremultiplied(colours: NDArray[Any], alpha: NDArray[Any]) -> NDArray[Any]:
    full = _full(colours.dtype)
    share = np.maximum(alpha, full * 1e-6)[..., None].astype(np.float32) / np.float32(full)
    straight = colours / share
    if colours.dtype.kind == "f":
        return straight.astype(np.float32)
    return np.clip(straight + 0.5, 0, full).astype(colours.dtype)


def range_note(colours: NDArray[Any]) -> str:
    """Says that floats reach well beyond what a screen shows; they are kept as they are."""
    if colours.dtype.kind != "f":
        return ""
    low, high = float(np.nanmin(colours)), float(np.nanmax(colours))
    if low >= -0.01 and high <= 1.01:
        return ""
    return f"its values reach from {low:.3g} to {high:.3g}: below 0 is shown black, above 1 white"


def _finished(
    path: Path,
    colours: NDArray[Any],
    alpha: NDArray[Any] | None,
    mode: str,
    profile: bytes | None,
    turn: int,
    notes: list[str],
) -> Picture:
    """To sRGB, upright. colours: (H, W, 1, 3 or 4), uint16 or float32, native byte order."""
    native = colours.dtype.newbyteorder("=")
    colours = np.ascontiguousarray(colours, native)
    convert, note = colour.conversion(profile, mode)
    notes.append(note)
    if convert is not None:
        colours = convert.deep_to_rgb(colours)
    elif mode == "CMYK":
        notes.append("converted from CMYK without a colour profile: colours are approximate")
        full = np.float32(_full(native))
        light = 1 - colours.astype(np.float32) / full
        mixed = light[..., :3] * light[..., 3:] * full
        colours = (mixed + (0.5 if native.kind == "u" else 0)).astype(native)
    elif mode == "L":
        colours = colours.repeat(3, axis=2)
    notes.append(range_note(colours))
    pixels = orientation.turned_upright(colours, turn)
    if alpha is not None:
        alpha = orientation.turned_upright(alpha.astype(native, copy=False), turn)
        if alpha.min() >= _full(
            native
        ):  # it hides nothing, and would cost a channel in everything that follows
            alpha = None
    return Picture(pixels, alpha, path.name, str(path), "; ".join(n for n in notes if n))
