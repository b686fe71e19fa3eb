"""Kernel interpolation: one Gaussian a source pixel, through the pixels' values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gaussian_core.methods.interface import Drawing, Method, Options

if TYPE_CHECKING:
    from gaussian_core.images import PictureSource


def _open(picture: PictureSource, options: Options) -> Drawing:
    from gaussian_core.methods.fields import TiledFieldDrawing

    return TiledFieldDrawing(picture, "kernel", options)


METHODS = (
    Method(
        "kernel",
        "Kernel interpolation",
        "One Gaussian a pixel, through the pixels' values: nothing is learned",
        _open,
        rank=10,
        makes_field=True,
    ),
)
