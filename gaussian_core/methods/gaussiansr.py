"""GaussianSR (arXiv 2407.18046): features splatted by Gaussians of learned shapes, then decoded pixel by pixel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gaussian_core.methods.interface import Drawing, Method, Options
from gaussian_core.resource_files import RESOURCES

if TYPE_CHECKING:
    from gaussian_core.images import PictureSource

SHIPPED = RESOURCES / "gaussiansr-light.safetensors"


def _open(picture: PictureSource, options: Options) -> Drawing:
    from gaussian_core.methods.weights import load_network
    from gaussian_core.models.cut_out import drawing_with_alpha
    from gaussian_core.models.gaussiansr import GaussianSR
    from gaussian_core.models.gaussiansr_drawing import GaussianSRDrawing

    path = Path(options.weights or SHIPPED)
    network = load_network(path, GaussianSR, options.device, options.precision)
    return drawing_with_alpha(picture, lambda part: GaussianSRDrawing(part, network))


METHODS = (
    Method(
        "gaussiansr",
        "GaussianSR",
        "Features are splatted and decoded for every pixel of every view: slow, drawn coarse first",
        _open,
        rank=40,
        has_kernels=True,
        needs_torch=True,
        shipped=SHIPPED,
    ),
)
