"""Pictures that are soft and fine at once, as photographs are."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter


def scenery(height, width, dtype=np.uint8, seed=4):
    """Soft noise (H, W, 3) that uses all values of its type; floats are from 0 to 1."""
    noise = np.random.default_rng(seed).random((height, width, 3))
    soft = gaussian_filter(noise, (1.2, 1.2, 0))
    soft = (soft - soft.min()) / np.ptp(soft)
    if np.dtype(dtype).kind == "f":
        return soft.astype(dtype)
    return np.round(soft * np.iinfo(dtype).max).astype(dtype)
