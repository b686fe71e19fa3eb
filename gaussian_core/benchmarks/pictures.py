"""Pictures of any size to measure with: structure at every scale, nothing that compresses away.

`python -m gaussian_core.benchmarks.pictures OUT MEGAPIXELS` writes one, in a process of its own where the memory of the
caller is what is measured.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gaussian_core.machine.own_process import printed_by

MODULE = "gaussian_core.benchmarks.pictures"
PATCH = 2048


def extent_of(megapixels: float) -> tuple[int, int]:
    """(height, width) of a picture of 4:3."""
    width = max(1, round((megapixels * 1e6 * 4 / 3) ** 0.5))
    return max(1, round(width * 3 / 4)), width


def synthetic_picture(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """uint8 (height, width, 3): one patch of noise with the spectrum of photographs, repeated and mirrored."""
    patch = _patch(min(PATCH, max(height, width)), seed)
    side = len(patch)
    out = np.empty((height, width, 3), np.uint8)
    for j, top in enumerate(range(0, height, side)):
        for i, left in enumerate(range(0, width, side)):
            piece = patch[:: 1 - 2 * (j % 2), :: 1 - 2 * (i % 2)]
            target = out[top : top + side, left : left + side]
            target[...] = piece[: target.shape[0], : target.shape[1]]
    return out


def _patch(side: int, seed: int) -> NDArray[np.uint8]:
    """Octaves of noise, each half as strong as the one of twice its wavelength: amplitudes fall as 1 / frequency."""
    rng = np.random.default_rng(seed)
    total = np.zeros((side, side, 3), np.float32)
    cells = 4
    strength = 1.0
    while cells <= side:
        coarse = rng.uniform(-1, 1, (cells + 1, cells + 1, 3)).astype(np.float32)
        total += strength * _enlarged(coarse, side)
        cells, strength = 2 * cells, strength / 1.7
    total -= total.min()
    return np.rint(255 * total / max(float(total.max()), 1e-6)).astype(np.uint8)


def _enlarged(coarse: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Bilinear, to side x side."""
    places = np.linspace(0, len(coarse) - 1, side, dtype=np.float32)
    low = np.minimum(places.astype(np.intp), len(coarse) - 2)
    share = (places - low)[:, None, None]
    rows = coarse[low] * (1 - share) + coarse[low + 1] * share
    share = share.transpose(1, 0, 2)
    enlarged: NDArray[np.float32] = rows[:, low] * (1 - share) + rows[:, low + 1] * share
    return enlarged


def write_picture(path: Path, megapixels: float) -> None:
    """In the format that the path's ending says; JPEG with quality 92."""
    from PIL import Image

    image = Image.fromarray(synthetic_picture(*extent_of(megapixels)))
    image.save(path, quality=92)


def write_picture_apart(path: Path, megapixels: float) -> None:
    """The same by another process. Raises UserError with what that had to say."""
    printed_by(MODULE, str(path), str(megapixels), failure=f"{path.name} could not be made")


if __name__ == "__main__":
    write_picture(Path(sys.argv[1]), float(sys.argv[2]))
