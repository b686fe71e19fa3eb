"""What a network makes of patterns of single pixels at full contrast in flat ground, as dithered pictures have them.

    python -m tests.single_pixels [WEIGHTS ...]

prints it for files of weights, or for those that ship.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from gaussian_core.builder import build_field
from gaussian_core.footprint import footprint_of
from gaussian_core.models.config import named_weights, shipped_weights
from gaussian_core.rasterizer import rasterize
from gaussian_core.viewport import Viewport

PATTERNS = {
    "checkerboard": lambda x, y: (x + y) % 2,
    "stripes": lambda x, y: x % 2,
    "dots": lambda x, y: x % 2 * (y % 2),
}
GROUNDS = (0.07, 0.5, 0.95)
SIDE, SCALE, FIRST, LAST, NEAR = 64, 4, 20, 44, 2  # source pixels, but for the scale


def errors(weights, pattern, ground):
    """Of the field at 4x, in parts of full scale: (of each of the pattern's pixels as a mean of what is drawn for it,
    of every screen pixel in the ground NEAR source pixels and more away)."""
    pixels = np.full((SIDE, SIDE, 3), ground, np.float32)
    ys, xs = np.mgrid[FIRST:LAST, FIRST:LAST]
    pixels[FIRST:LAST, FIRST:LAST] = PATTERNS[pattern](xs, ys)[..., None]
    field = build_field(pixels, device="cpu", weights=named_weights(weights))
    view = Viewport.whole((SIDE, SIDE), SCALE)
    frame = rasterize(field, view, pixel_sigma=footprint_of(field))
    cells = frame.reshape(SIDE, SCALE, SIDE, SCALE, 3)
    within = np.abs(cells.mean((1, 3)) - pixels)[FIRST:LAST, FIRST:LAST]
    beside = np.ones((SIDE, SIDE), bool)
    beside[FIRST - NEAR : LAST + NEAR, FIRST - NEAR : LAST + NEAR] = False
    return within, np.abs(cells - ground).max((1, 3, 4))[beside]


def main():
    for weights in sys.argv[1:] or shipped_weights():
        for pattern in PATTERNS:
            pairs = [errors(weights, pattern, ground) for ground in GROUNDS]
            within = np.mean([a for a, _ in pairs])
            beside = np.max([b for _, b in pairs])
            print(f"{Path(weights).name:32} {pattern:14} within {within:.2f}  beside {beside:.3f}")


if __name__ == "__main__":
    main()
