"""Interpolation of the stored pixels: nothing is learned, nothing is added."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from gaussian_core.methods.interface import Drawing, Method, Open, Options
from gaussian_core.parallel import Stop
from gaussian_core.viewport import Viewport

if TYPE_CHECKING:
    from gaussian_core.images import PictureSource
    from gaussian_core.resampling import Kernel

FINER = 2  # levels: what goes into a file may take its time


class ResampledDrawing:
    """The picture itself, interpolated; antialiased where it shrinks."""

    notes: tuple[str, ...] = ()

    def __init__(self, picture: PictureSource, kernel: str) -> None:
        from gaussian_core.pyramid import levels_of

        self.extent = picture.extent
        self.channels = picture.channels
        self._kernel = cast("Kernel", kernel)
        self._levels = levels_of(picture)

    def encode(self, stop: Stop | None = None) -> None:
        """Levels are made when a view asks for them: there is nothing to do before."""

    def draw(self, viewport: Viewport, stop: Stop | None = None) -> NDArray[np.float32]:
        from gaussian_core.resampling import resample

        return resample(self._levels, viewport, method=self._kernel, finer=FINER, stop=stop)


def _by(kernel: str) -> Open:
    def open(picture: PictureSource, options: Options) -> Drawing:
        return ResampledDrawing(picture, kernel)

    return open


METHODS = tuple(
    Method(name, title, tip, _by(name), rank, interpolates=True)
    for rank, (name, title, tip) in enumerate(
        (
            ("nearest", "Nearest neighbour", "Every source pixel as a square, as it is stored"),
            ("bilinear", "Bilinear", "Straight lines between the centres of the pixels"),
            ("bicubic", "Bicubic", "Cubic curves through the pixels (Keys, a = -1/2)"),
            ("lanczos", "Lanczos", "A windowed sinc through the pixels, three lobes to each side"),
        )
    )
)
