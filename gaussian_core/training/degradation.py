"""Crops that the network sees worse than they are, to be shown as they were before.

Who has only seen pictures that were made smaller and nothing else takes the noise of a camera, its sharpening and the
blocks of a file for detail. What spoils a picture comes in steps, each with a share of the crops that go through it and
strengths drawn at random (K. Zhang et al., arXiv 2103.14006, section 3; X. Wang et al., arXiv 2107.10833, section 3).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from gaussian_core.training.dataset import Batch, floats
from gaussian_core.training.feeding import Batches

Degrade = Callable[[NDArray[np.uint8], np.random.Generator], NDArray[np.uint8]]
"""What makes (H, W, 3) bytes worse, by chance: they come back in the same shape."""


class Degraded:
    """Batches whose low resolution crops, a share of them, went through one step. What is to be seen there stays: the
    original's colours, or what a teacher made of the crop before."""

    def __init__(
        self, batches: Batches, share: float, degrade: Degrade, stream: int, seed: int = 0
    ) -> None:
        """stream: a number of its own for each step, so that their chances are independent."""
        self.batches, self.share, self.degrade = batches, share, degrade
        self.stream, self.seed = stream, seed

    def draw(self, number: int) -> Batch:
        batch = self.batches.draw(number)
        rng = np.random.default_rng([self.seed, number, self.stream])
        chosen = rng.random(len(batch.low)) < self.share
        pixels = (batch.low * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
        low = [
            floats(self.degrade(crop, rng)) if worse else kept
            for crop, kept, worse in zip(pixels, batch.low, chosen, strict=True)
        ]
        return Batch(torch.stack(low), batch.positions, batch.colours, batch.cell)
