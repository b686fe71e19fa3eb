"""Gaussians fitted to this one picture by gradient descent: nothing is learned from others."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gaussian_core.errors import Cancelled, ImageError
from gaussian_core.methods.interface import Drawing, Method, Options
from gaussian_core.parallel import Stop
from gaussian_core.viewport import Viewport

if TYPE_CHECKING:
    from gaussian_core.field import GaussianField
    from gaussian_core.fitting import Progress
    from gaussian_core.images import PictureSource

MOST_PIXELS = 4_000_000


def check_size(extent: tuple[int, int]) -> None:
    """Raises ImageError for a picture, (height, width), beyond MOST_PIXELS."""
    pixels = extent[0] * extent[1]
    if pixels > MOST_PIXELS:
        raise ImageError(
            f"A fit takes pictures of up to {MOST_PIXELS / 1e6:g} megapixels, this one has "
            f"{pixels / 1e6:.1f}: crop it, or choose another method."
        )


class FitDrawing:
    """Fits when it is first drawn, and draws the field so far: `patience` seconds of fitting before each frame, all of
    it as a rule. What is stopped goes on with the next frame. Raises ImageError for a picture beyond MOST_PIXELS."""

    has_footprint = True
    notes: tuple[str, ...] = ()

    def __init__(self, picture: PictureSource, options: Options) -> None:
        from gaussian_core.fitting import Fit

        check_size(picture.extent)
        height, width = self.extent = picture.extent
        self.channels = picture.channels
        self._picture = picture
        self.patience = math.inf
        self._fit = Fit(picture.as_float((0, 0, width, height)))
        self._options = options
        self._steps: Iterator[Progress | None] | None = self._fit.steps(report=1)
        self._latest: Progress | None = None
        self._told: Progress | None = None  # of `field`, which fitting goes beyond meanwhile
        self._made = False  # whether `field` is the newest there is
        self.field: GaussianField | None = None
        """The Gaussians as they were drawn last; None before that."""

    @property
    def unfinished(self) -> bool:
        """Whether the next frame will be closer to the picture."""
        return self._steps is not None

    @property
    def state(self) -> str:
        """How far it was with what was drawn last, for the status bar."""
        told = self._told
        if told is None:
            return "starting"
        done = f", {100 * told.done:.0f}%" if self.unfinished else ""
        return f"{told.psnr:.1f} dB{done}"

    def encode(self, stop: Stop | None = None) -> None:
        self._advance(math.inf, stop)

    def draw(self, viewport: Viewport, stop: Stop | None = None) -> NDArray[np.float32]:
        from gaussian_core.depth import note_depth
        from gaussian_core.methods.fields import draw_fields

        self._advance(self.patience, stop)
        if self.field is None or not self._made:
            field = self._fit.field()
            note_depth(field, self._picture)
            self.field, self._told, self._made = field, self._latest, True
        return draw_fields([self.field], viewport, self._options, stop)

    def kernels(
        self, rect: tuple[int, int, int, int], stop: Stop | None = None
    ) -> GaussianField | None:
        """The Gaussians as they were drawn last, all of them: for other threads, too."""
        return self.field

    def _advance(self, seconds: float, stop: Stop | None) -> None:
        end = time.perf_counter() + seconds
        while self._steps is not None:
            if stop is not None and stop():
                raise Cancelled("stopped while fitting")
            try:
                self._latest = next(self._steps) or self._latest
            except BaseException:  # as from lack of memory: from here on next time
                self._steps = self._fit.steps(report=1)
                raise
            if self._latest is not None and self._latest.done >= 1:
                self._steps.close()  # type: ignore[attr-defined]
                self._steps = None
            self._made = False
            if time.perf_counter() > end:
                break


def _open(picture: PictureSource, options: Options) -> Drawing:
    return FitDrawing(picture, options)


METHODS = (
    Method(
        "fit",
        "Fit to this picture",
        "Gaussians optimised for this picture alone, while you watch; up to 4 megapixels",
        _open,
        rank=15,
        has_kernels=True,
    ),
)
