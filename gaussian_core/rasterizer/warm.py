"""Make the kernels ready before the first frame needs them."""

from __future__ import annotations

import numpy as np

from gaussian_core.field import GaussianField
from gaussian_core.rasterizer import rasterize
from gaussian_core.viewport import Viewport


def warm_kernels() -> None:
    """Render one tiny frame of every kind that the viewer shows."""
    for channels in (1, 3, 4):
        field = GaussianField(
            [[1.0, 1.0]], [[0.2, 0.0, 0.2]], np.full((1, channels), 0.5), extent=(2, 2)
        )
        rasterize(field, Viewport((0, 0), 2.0, (4, 4)), format="bgrx8")
        rasterize(field, Viewport((0, 0), 2.0, (4, 4)))
        field.in_rect((0, 0, 2, 2))
