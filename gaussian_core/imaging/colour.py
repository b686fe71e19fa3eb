"""From a picture's own colour profile (ICC) to sRGB."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from gaussian_core.imaging.named_colours import NAME
from gaussian_core.parallel import run_strips

# What picture editors use: matches colours and lets black be black.
_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC
_BLACK_POINT = ImageCms.Flags.BLACKPOINTCOMPENSATION
_SPACES = {"RGB": "RGB ", "L": "GRAY", "CMYK": "CMYK"}
# Otherwise 16-bit values, and inks of any depth, go through a table of a few dozen steps, which is wrong by up to 20 of
# 255 beside the borders of the gamut, as Lab of 8 bits does by 36; this takes four to five times as long, on all cores.
_EXACT = ImageCms.Flags.NOOPTIMIZE
_INK = 100  # full, as lcms2 has it in floats
_STRIP_PIXELS = 1 << 18
_SAME = 2  # levels of 255 within which a profile is sRGB by another name


@dataclass(frozen=True)
class Conversion:
    """To sRGB of one picture. profile: bytes of its ICC profile. mode: Pillow's of its colours: RGB, L or CMYK."""

    profile: bytes
    mode: str

    @functools.cached_property
    def _transform(self) -> Any:
        source = ImageCms.ImageCmsProfile(io.BytesIO(self.profile))
        return _transform(source, self.mode)

    def bytes_to_rgb(self, image: Image.Image) -> Image.Image:
        """8 bits a channel; the image's mode is the conversion's."""
        if self.mode == "L":
            return Image.fromarray(self._greys[np.asarray(image)])
        converted = ImageCms.applyTransform(image, self._transform)
        assert converted is not None
        return converted

    @functools.cached_property
    def _greys(self) -> NDArray[np.uint8]:
        """The colours of the 256 greys, worked out in 16 bits."""
        ramp = np.arange(256, dtype=np.uint16)[None, :, None] * np.uint16(257)
        return ((self.deep_to_rgb(ramp)[0].astype(np.uint32) + 128) // 257).astype(np.uint8)

    def deep_to_rgb(self, values: NDArray[Any]) -> NDArray[Any]:
        """uint8, uint16 or float32 (h, w, 1, 3 or 4) to (h, w, 3) in the same type: the whole way at that depth. What
        sRGB lacks is cut off at 0; lights above 1 stay."""
        import imagecodecs

        space = {"RGB": "rgb", "L": "gray", "CMYK": "cmyk"}[self.mode]
        source = values[..., 0] if values.shape[2] == 1 else values
        if self.mode == "CMYK" and values.dtype.kind == "f":
            source = source * np.float32(_INK)
        out = np.empty((*values.shape[:2], 3), values.dtype)
        rows = max(1, _STRIP_PIXELS // values.shape[1])

        def convert(strip: int) -> None:
            part = slice(strip * rows, (strip + 1) * rows)
            out[part] = imagecodecs.cms_transform(
                np.ascontiguousarray(source[part]),
                self.profile,
                imagecodecs.cms_profile("srgb"),
                colorspace=space,
                outcolorspace="rgb",
                outdtype=values.dtype,
                intent=int(_INTENT),
                flags=int(_BLACK_POINT | _EXACT),
            )

        run_strips(convert, -(-len(values) // rows))
        # Colours that sRGB lacks: near black its curve is so steep that a little below it would be far below.
        return np.maximum(out, 0, out=out) if out.dtype.kind == "f" else out


def conversion(profile: bytes | None, mode: str) -> tuple[Conversion | None, str]:
    """What takes colours of a Pillow mode with that profile to sRGB, and a note ("" for none).

    mode: RGB, L or CMYK; for LAB there is `lab_to_rgb`. None where there is nothing to do: no profile, one that is sRGB
    already, or one that cannot be used (noted).
    """
    convert, note = _by_profile(profile, mode)
    if mode == "CMYK" and convert is None:  # nobody has defined its colours
        rough = "converted from CMYK without a colour profile: colours are approximate"
        note = "; ".join(n for n in (note, rough) if n)
    return convert, note


def _by_profile(profile: bytes | None, mode: str) -> tuple[Conversion | None, str]:
    if mode == "LAB":
        return None, "converted from Lab"
    if not profile:
        return None, ""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        name = " ".join(ImageCms.getProfileDescription(source).split()) or "an unnamed profile"
        if name.endswith("built-in"):  # what the library calls those that are made of named colours
            name = NAME
        if source.profile.xcolor_space != _SPACES[mode]:
            return (
                None,
                f"its colour profile ({name}) is for another kind of picture and was left out",
            )
        transform = _transform(source, mode)
        if mode == "RGB" and _changes_nothing(
            lambda cube: ImageCms.applyTransform(cube, transform)
        ):
            return None, ""
    except (OSError, ImageCms.PyCMSError, ValueError):
        return None, "its colour profile is damaged and was left out"
    if mode == "L" and _changes_nothing_grey(transform):
        return None, ""
    return Conversion(profile, mode), f"converted from {name}"


def deep_to_srgb(colours: NDArray[Any], mode: str, convert: Conversion | None) -> NDArray[Any]:
    """uint8, uint16 or float32 (h, w, 1, 3 or 4) of a Pillow mode to sRGB (h, w, 3), or to grey (h, w, 1), in the same
    type.

    CMYK without a profile is mixed as ink on paper would be, roughly: the note of `conversion` says so.
    """
    native = colours.dtype.newbyteorder("=")
    colours = np.ascontiguousarray(colours, native)
    if convert is not None:
        return convert.deep_to_rgb(colours)
    if mode != "CMYK":
        return colours
    full = np.float32(1 if native.kind == "f" else np.iinfo(native).max)
    light = 1 - colours.astype(np.float32) / full
    mixed = light[..., :3] * light[..., 3:] * full
    return (mixed + (0.5 if native.kind == "u" else 0)).astype(native)


def lab_to_rgb(image: Image.Image) -> Image.Image:
    converted = ImageCms.applyTransform(image, _transform(ImageCms.createProfile("LAB"), "LAB"))
    assert converted is not None
    return converted


def _transform(source: Any, mode: str) -> Any:
    flags = _BLACK_POINT | _EXACT if mode in ("CMYK", "LAB") else _BLACK_POINT
    return ImageCms.buildTransform(
        source, ImageCms.createProfile("sRGB"), mode, "RGB", _INTENT, flags
    )


def _changes_nothing(convert: Callable[[Image.Image], Image.Image | None]) -> bool:
    """Judged by what the profile does to a cube of colours, not by its name, of which there are dozens."""
    steps = np.linspace(0, 255, 8).round().astype(np.uint8)
    cube = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(8, 64, 3)
    got = np.asarray(convert(Image.fromarray(cube)), np.int16)
    return int(np.abs(got - cube).max()) <= _SAME


def _changes_nothing_grey(transform: Any) -> bool:
    ramp = np.arange(256, dtype=np.uint8)[None, :]
    got = np.asarray(ImageCms.applyTransform(Image.fromarray(ramp), transform), np.int16)
    return int(np.abs(got - ramp[..., None]).max()) <= _SAME
