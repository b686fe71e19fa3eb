"""LIIF (arXiv 2012.09161): a network encodes the picture and is then asked for the colour of every pixel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gaussian_core.methods.interface import Drawing, Method, Options
from gaussian_core.resource_files import RESOURCES

if TYPE_CHECKING:
    from gaussian_core.images import PictureSource

SHIPPED = RESOURCES / "liif-light.safetensors"


def _open(picture: PictureSource, options: Options) -> Drawing:
    from gaussian_core.methods.weights import load_network
    from gaussian_core.models.cut_out import drawing_with_alpha
    from gaussian_core.models.liif import LIIF
    from gaussian_core.models.published.drawing import LIIFDrawing

    path = Path(options.weights or SHIPPED)
    network = load_network(path, LIIF, options.device, options.precision)
    return drawing_with_alpha(picture, lambda part: LIIFDrawing(part, network))


METHODS = (
    Method(
        "liif",
        "LIIF",
        "A network is asked for the colour of every pixel of every view: slow, drawn coarse first",
        _open,
        rank=30,
        needs_torch=True,
        shipped=SHIPPED,
    ),
)
