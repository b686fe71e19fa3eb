"""Colours that a file names where Pillow sees no ICC profile: PNG's gAMA, cHRM and cICP, AVIF's nclx (ITU-T H.273), and
the profile of a JPEG 2000 file."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import BinaryIO

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from gaussian_core.imaging.png_chunks import chunks

HDR = "its colours are for HDR screens, which are not supported: they are shown too dull"
NAME = "the colours that it names"
LEFT_OUT = f"{NAME} are damaged and were left out"

_HEAD = 1 << 16  # bytes in which the names are looked for
_D65 = (0.3127, 0.3290)
_SRGB = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
_PRIMARIES = {
    1: _SRGB,
    9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046),  # BT.2020
    12: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060),  # Display P3
}
_SRGB_CURVE = (1, 6, 13, 14, 15)  # of the cameras' curves a screen shows the same
_GAMMAS = {4: 2.2, 5: 2.8, 8: 1.0}
_HDR_CURVES = (16, 18)  # PQ and HLG
_NEAR = 0.05  # of a gamma, as libpng has it
_NEAR_PLACE = 0.01  # of a primary


def name_colours(image: Image.Image, file: BinaryIO) -> str:
    """Give an opened image the `icc_profile` of the colours that its file names, if it has none and they are not those
    of sRGB; a note where they cannot be shown, else ""."""
    if image.info.get("icc_profile") or image.format not in ("PNG", "AVIF", "JPEG2000"):
        return ""
    place = file.tell()
    file.seek(0)
    if image.format == "JPEG2000":
        profile, code = _profile_of_jpeg2000(file), None
    else:
        profile, code = None, _code(file.read(_HEAD), image.format)
    file.seek(place)
    if profile is not None:
        image.info["icc_profile"] = profile
        return ""
    if code is not None:
        primaries, curve = code
        if curve in _HDR_CURVES:
            return HDR
        known = curve in _SRGB_CURVE or curve in _GAMMAS
        if primaries not in _PRIMARIES or not known:
            return ""
        profile = _profile(image, _D65, _PRIMARIES[primaries], _GAMMAS.get(curve))
    elif "gamma" in image.info and "srgb" not in image.info:
        # Colours without a gamma say nothing of how dark a value is.
        given = image.info.get("chromaticity", (*_D65, *_SRGB))
        gamma = image.info["gamma"]
        try:
            profile = _profile(image, given[:2], given[2:], 1 / gamma) if gamma > 0 else None
        except (RuntimeError, ValueError):  # imagecodecs' CmsError: no colours are at such places
            return LEFT_OUT
    else:
        return ""
    if profile is not None:
        image.info["icc_profile"] = profile
    return ""


def _profile_of_jpeg2000(file: BinaryIO) -> bytes | None:
    """What its box of colours holds (ITU-T T.800, section I.5.3.3), which Pillow leaves there."""
    head = file.read(_HEAD)
    place = head.find(b"colr") if head[4:8] == b"jP  " else -1
    if place < 4 or head[place + 4 : place + 5] not in (b"\2", b"\3"):
        return None
    file.seek(place + 7)
    return file.read(max(0, int.from_bytes(head[place - 4 : place], "big") - 11)) or None


def _code(head: bytes, kind: str) -> tuple[int, int] | None:
    """The numbers of the primaries and of the curve."""
    if kind == "AVIF":
        place = head.find(b"colrnclx")
        return None if place < 0 else struct.unpack_from(">HH", head.ljust(place + 12), place + 8)
    for name, body in chunks(head):
        if name == b"IDAT":
            break
        if name == b"cICP" and len(body) == 4:
            return body[0], body[1]
    return None


def _profile(
    image: Image.Image, white: Sequence[float], primaries: Sequence[float], gamma: float | None
) -> bytes | None:
    """The ICC profile; None for sRGB. gamma: None is the curve of sRGB."""
    import imagecodecs

    plain = gamma is None or abs(gamma / 2.2 - 1) <= _NEAR
    grey = image.mode in ("1", "L", "LA", "I", "I;16", "I;16B")
    # What Pillow opens grey of 16 bits with transparency as, which is read in its own depth.
    if isinstance(image, PngImageFile) and any(tile.args == "LA;16B" for tile in image.tile):
        grey = True
    near = np.abs(np.subtract((*white, *primaries), (*_D65, *_SRGB))).max() <= _NEAR_PLACE
    if plain and (grey or near):
        return None
    if grey:
        made = imagecodecs.cms_profile("gray", whitepoint=[*_D65, 1.0], gamma=gamma)
        return bytes(made)
    corners = [c for x, y in zip(primaries[::2], primaries[1::2], strict=True) for c in (x, y, 1.0)]
    curve = {"gamma": gamma} if gamma is not None else {"transferfunction": _srgb_curve()}
    return bytes(
        imagecodecs.cms_profile("rgb", whitepoint=[*white, 1.0], primaries=corners, **curve)
    )


def _srgb_curve() -> np.ndarray:
    encoded = np.linspace(0, 1, 4096)
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    return (linear * 65535 + 0.5).astype(np.uint16)
