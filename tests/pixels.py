"""Pictures of noise in the shape that a pyramid reads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass
class Pixels:
    pixels: np.ndarray
    alpha: np.ndarray | None = None


def noise(height, width, kind=np.uint8, alpha=False, seed=0):
    rng = np.random.default_rng(seed)
    if kind is np.float32:
        values = rng.random((height, width, 4), dtype=np.float32)
    else:
        values = rng.integers(0, np.iinfo(kind).max, (height, width, 4), kind, endpoint=True)
    return Pixels(values[..., :3], values[..., 3] if alpha else None)
