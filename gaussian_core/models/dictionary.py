"""Prior covariances for DDCW (arXiv 2503.06617, section 3.3)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

L11 = (0.0, 0.41, 0.62, 0.98, 1.13, 1.29, 1.64, 1.85, 2.36)
L21 = (-0.86, -0.36, -0.16, 0.19, 0.34, 0.49, 0.84, 1.04, 1.54)
L22 = (0.0, 0.33, 0.53, 0.88, 1.03, 1.18, 1.53, 1.73, 2.23)
UNIT = 0.25  # the published entries are in quarters of a source pixel


def compact(size: int, span: float) -> NDArray[np.float32]:
    """(K, 3): matrix logarithms (log_xx, log_xy, log_yy) of covariances relative to that of the start.

    The first quarter are circles from small to large, the rest ellipses of two sizes in evenly spread directions.
    span multiplies all logarithms. Their mean is the zero matrix, so equal weights give the start.
    """
    circles = max(1, size // 4)
    sizes = np.linspace(-1.2, 2.4, circles) if circles > 1 else np.zeros(1)
    entries = [(m, 0.0, m) for m in sizes]
    pairs = size - circles
    for k in range(pairs):
        angle = 2 * math.pi * (k // 2) / max(1, (pairs + 1) // 2)  # twice the angle of the axis
        size_log, stretch = ((-0.9, 1.2), (0.7, 2.0))[k % 2]
        c, s = stretch * math.cos(angle), stretch * math.sin(angle)
        entries.append((size_log + c, s, size_log - c))
    table = np.array(entries, np.float64) * span
    return (table - table.mean(0)).astype(np.float32)


def published() -> NDArray[np.float32]:
    """(730, 3): (xx, xy, yy) in source pixels squared: all combinations of the Cholesky entries, and zero."""
    a, b, c = (v.ravel() for v in np.meshgrid(L11, L21, L22, indexing="ij"))
    table = np.stack([a * a, a * b, b * b + c * c], 1) * UNIT**2
    return np.concatenate([table, np.zeros((1, 3))]).astype(np.float32)
