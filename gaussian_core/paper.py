"""Pictures on white paper: how those with transparency are measured, learned from and printed side by side."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gaussian_core.display import over
from gaussian_core.writing.file_renderer import PAPER_WHITE
from gaussian_core.writing.image_writer import quantized


def on_paper(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(H, W, C) values in [0, 1] as a file without transparency holds them: (H, W, 3). C: 1 grey, 3 RGB, 4
    premultiplied RGB and alpha."""
    opaque = over(values, PAPER_WHITE) if values.shape[2] == 4 else values
    return np.ascontiguousarray(
        np.broadcast_to(quantized(opaque, np.dtype(np.uint8)), (*values.shape[:2], 3))
    )
