"""An image as a continuous field of 2D Gaussians, drawn at any scale.

    from gaussian_core import GaussianField, Viewport, build_field, footprint_of, load_image, rasterize

    image = load_image("photo.jpg")                       # float32 (H, W, 3), sRGB-encoded, [0, 1]
    field = build_field(image)
    view = Viewport(origin=(x, y), scale=8.0, size=(1920, 1080))
    frame = rasterize(field, view, pixel_sigma=footprint_of(field, 8.0))

Names are loaded on first use (PEP 562): `import gaussian_core` brings in neither torch, Numba, Pillow nor Qt, so a
window can be on screen before any of them is.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

# Between two of its parallel loops OpenMP's threads would spin, on cores that our kernels then do not get. It reads
# this once, when torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

if TYPE_CHECKING:
    from gaussian_core.builder import FIELD_METHODS, FieldBuilder, TileGrid, build_field
    from gaussian_core.errors import (
        Cancelled,
        DeviceError,
        FieldError,
        ImageError,
        OutputError,
        UserError,
        WeightsError,
    )
    from gaussian_core.field import GaussianField
    from gaussian_core.footprint import footprint_of
    from gaussian_core.images import Picture, PictureSource, load_image, open_picture
    from gaussian_core.pyramid import Pyramid, levels_of
    from gaussian_core.rasterizer import rasterize
    from gaussian_core.resampling import resample
    from gaussian_core.viewport import Viewport
    from gaussian_core.writing.file_renderer import render_file
    from gaussian_core.writing.image_writer import ImageWriter, write_image

__version__ = "0.1.0"

__all__ = [
    "FIELD_METHODS",
    "Cancelled",
    "DeviceError",
    "FieldBuilder",
    "FieldError",
    "GaussianField",
    "ImageError",
    "ImageWriter",
    "OutputError",
    "Picture",
    "PictureSource",
    "Pyramid",
    "TileGrid",
    "UserError",
    "Viewport",
    "WeightsError",
    "build_field",
    "footprint_of",
    "levels_of",
    "load_image",
    "open_picture",
    "rasterize",
    "render_file",
    "resample",
    "write_image",
]

# No name here may be its own module's name too: importing the module would put it in the name's place.
_HOMES = {
    "FIELD_METHODS": "builder",
    "Cancelled": "errors",
    "DeviceError": "errors",
    "FieldBuilder": "builder",
    "FieldError": "errors",
    "GaussianField": "field",
    "ImageError": "errors",
    "ImageWriter": "writing.image_writer",
    "OutputError": "errors",
    "Picture": "images",
    "PictureSource": "images",
    "Pyramid": "pyramid",
    "TileGrid": "builder",
    "UserError": "errors",
    "Viewport": "viewport",
    "WeightsError": "errors",
    "build_field": "builder",
    "footprint_of": "footprint",
    "levels_of": "pyramid",
    "load_image": "images",
    "open_picture": "images",
    "rasterize": "rasterizer",
    "render_file": "writing.file_renderer",
    "resample": "resampling",
    "write_image": "writing.image_writer",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
