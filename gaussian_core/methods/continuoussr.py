"""ContinuousSR (arXiv 2503.06617): a network predicts a field of Gaussians, which is then only drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gaussian_core.methods.interface import Drawing, Method, Options
from gaussian_core.resource_files import RESOURCES

if TYPE_CHECKING:
    from gaussian_core.images import PictureSource


def _open(picture: PictureSource, options: Options) -> Drawing:
    from gaussian_core.methods.fields import TiledFieldDrawing

    return TiledFieldDrawing(picture, "continuoussr", options)


METHODS = (
    Method(
        "continuoussr",
        "ContinuousSR",
        "A network predicts the Gaussians of a sharper scene",
        _open,
        rank=20,
        makes_field=True,
        needs_torch=True,
        shipped=RESOURCES / "continuoussr-light.safetensors",
    ),
)
