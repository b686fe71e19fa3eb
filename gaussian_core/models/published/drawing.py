"""A picture drawn by LIIF, part by part: what the file renderer and the evaluation make of its weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from gaussian_core.errors import Cancelled
from gaussian_core.models.faults import explained
from gaussian_core.models.liif import LIIF, Codes
from gaussian_core.models.published.picture_features import WHOLE, PictureFeatures
from gaussian_core.parallel import Stop
from gaussian_core.viewport import Viewport

if TYPE_CHECKING:
    from gaussian_core.builder import PictureLike, Rect

# Source pixels beyond what is seen whose codes answer for it: the ensemble's, and the unfolding's around it.
MARGIN = 2


class LIIFDrawing:
    """Draws any viewport of one opaque picture: (h, w, 3) float32, not clipped.

    The codes of a picture of up to `whole` pixels are kept; of a larger one those of the part in view are made anew.
    """

    channels = 3

    def __init__(self, picture: PictureLike, model: LIIF, whole: int = WHOLE) -> None:
        self.extent = picture.extent
        self.model = model
        weight = next(model.parameters())
        self._features = PictureFeatures(
            picture, model.encoder, model.prepare, weight.device, weight.dtype, whole
        )
        self.notes = tuple(filter(None, [self._features.note]))
        self._keep = self.extent[0] * self.extent[1] <= whole
        self._codes: Codes | None = None

    def encode(self, stop: Stop | None = None) -> None:
        """Make what is kept now and not with the first part that is drawn. Raises as draw."""
        if self._keep and self._codes is None:
            with torch.inference_mode(), explained(self._features.device.type):
                self._codes = self._encode((0, 0, self.extent[1], self.extent[0]), stop)

    def draw(self, viewport: Viewport, stop: Stop | None = None) -> NDArray[np.float32]:
        """Raises Cancelled when stopped, DeviceError where the device fails. One thread at a time."""
        self.encode(stop)
        with torch.inference_mode(), explained(self._features.device.type):
            codes = self._codes or self._encode(self._seen(viewport), stop)
            return self.model.render(codes, viewport, stop)

    def _seen(self, viewport: Viewport) -> Rect:
        """Whole source pixels of the picture that cover the viewport: at least one, where it looks past the picture."""
        height, width = self.extent
        x0, y0, x1, y1 = viewport.source_rect
        left, top = min(max(int(x0), 0), width - 1), min(max(int(y0), 0), height - 1)
        right, bottom = max(int(np.ceil(x1)), left + 1), max(int(np.ceil(y1)), top + 1)
        return (left, top, min(right, width), min(bottom, height))

    def _encode(self, rect: Rect, stop: Stop | None) -> Codes:
        def check() -> None:
            if stop is not None and stop():
                raise Cancelled("stopped while encoding")

        encoder = self.model.encoder
        deep, (x, y) = self._features.around(rect, MARGIN + encoder.tail_reach, check)
        _, _, right, bottom = self._features.bounds
        features = encoder.enlarge(deep)[..., : bottom - y, : right - x]
        return self.model.codes(features, (x, y), self.extent, encoder.margin)
