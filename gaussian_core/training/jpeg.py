"""Crops as a JPEG file gives them back, to be shown as they were before it.

Most pictures are saved so, and who takes blocks and ringing for detail makes them plainer in an enlargement. What the
coder does to a crop differs with where its blocks begin, how fine its steps are, and how much colour it drops: all
three are drawn at random (K. Zhang et al., arXiv 2103.14006, section 3.3, for learning from pictures spoilt so).
"""

from __future__ import annotations

import io

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from gaussian_core.training.dataset import Batch, floats
from gaussian_core.training.loop import Batches

QUALITIES = (30, 97)
"""Of libjpeg's scale: from the least that is met with to where a file can hardly be told from its picture."""
COLOURS = (0, 1, 2)  # Pillow's numbers of 4:4:4, 4:2:2, 4:2:0
SHARES = (0.25, 0.15, 0.6)  # most programs write the last
UNIT = 16  # pixels: the coder's largest block, of 4:2:0


def through_jpeg(pixels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """(H, W, 3) bytes as they come back from a JPEG file of random quality, its blocks anywhere."""
    h, w = pixels.shape[:2]
    top, left = (int(n) for n in rng.integers(UNIT, size=2))
    around = np.pad(pixels, ((top, UNIT), (left, UNIT), (0, 0)), "symmetric")
    file = io.BytesIO()
    Image.fromarray(around).save(
        file,
        "JPEG",
        quality=int(rng.integers(QUALITIES[0], QUALITIES[1] + 1)),
        subsampling=int(rng.choice(COLOURS, p=SHARES)),
    )
    with Image.open(file) as image:
        return np.asarray(image)[top : top + h, left : left + w]


def _through(low: Tensor, rng: np.random.Generator) -> Tensor:
    """The same of (3, H, W) float32."""
    pixels = (low * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    return floats(through_jpeg(pixels, rng))


class WithJpeg:
    """Batches whose low resolution crops are, a share of them, as a JPEG file gives them back. What is to be seen there
    stays: the original's colours, or what a teacher made of the crop before."""

    def __init__(self, batches: Batches, share: float, seed: int = 0) -> None:
        self.batches, self.share, self.seed = batches, share, seed

    def draw(self, number: int) -> Batch:
        batch = self.batches.draw(number)
        rng = np.random.default_rng([self.seed, number, 5])
        low = [
            _through(one, rng) if chosen else one
            for one, chosen in zip(batch.low, rng.random(len(batch.low)) < self.share, strict=True)
        ]
        return Batch(torch.stack(low), batch.positions, batch.colours, batch.cell)
