"""The values that are stored in the source's pixels, as bytes, for the part of a picture that is in view."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gaussian_core.imaging.picture import Rect, in_bytes
from viewer.model.frames.scene import Scene
from viewer.model.pixel_rects import grown, source_pixels
from viewer.model.view.view_state import ViewState

AROUND = 8
"""Source pixels that are read beyond those in view, so that a pan finds them there."""


@dataclass(frozen=True, eq=False)
class PixelValues:
    """Values (h, w, C), uint8, of the source pixels in rect = (x0, y0, x1, y1) of a picture, in 0 .. 255 whatever
    its depth, as the status bar tells them. C: 1 grey, 2 with alpha, 3 RGB, 4 with alpha; colours are straight.

    generation: of the scene whose picture it is.
    """

    generation: int
    rect: Rect
    values: NDArray[np.uint8]

    def holds(self, rect: Rect) -> bool:
        """Whether all pixels of a part are among these."""
        x0, y0, x1, y1 = self.rect
        return x0 <= rect[0] and y0 <= rect[1] and rect[2] <= x1 and rect[3] <= y1


def pixels_in_view(view: ViewState, around: int = 0) -> Rect:
    """The source pixels that a view shows, and as many as `around` beyond on each side; x1 <= x0 or y1 <= y0 where it
    shows none."""
    return source_pixels(grown(view.source_rect, around), view.extent)


def read_values(scene: Scene, rect: Rect) -> PixelValues:
    """The values of a part of the scene's picture. Not for the GUI thread: a large file is read for it.

    Raises ImageError where its file cannot be read.
    """
    pixels, alpha = scene.picture.stored(rect)
    grey = pixels.strides[2] == 0  # three equal channels in the memory of one
    channels = [in_bytes(pixels[..., :1] if grey else pixels, scene.picture.full)]
    if alpha is not None:
        channels.append(in_bytes(alpha, scene.picture.full)[..., None])
    return PixelValues(scene.generation, rect, np.concatenate(channels, axis=2))
