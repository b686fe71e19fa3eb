"""Batches of which a share of the crops is drawn, not cut out of pictures."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import torch
from numpy.typing import NDArray

from gaussian_core.training.dataset import Batch, Layout, floats
from gaussian_core.training.feeding import Batches


class DrawnCrops(ABC):
    """Draws batches of one crop; each depends on (seed, number) alone.

    streams: of random numbers, one for what is drawn and one for which crops are. Each kind has its own two, so that
    the chances of two kinds are independent.
    """

    streams: tuple[int, int]

    def __init__(self, layout: Layout, seed: int = 0) -> None:
        self.layout, self.seed = layout, seed

    @abstractmethod
    def crop(self, rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """An original (side, side, 3) and what the network sees of it (patch, patch, 3)."""

    def draw(self, number: int) -> Batch:
        rng = np.random.default_rng([self.seed, number, self.streams[0]])
        original, low = self.crop(rng)
        scale = len(original) / self.layout.patch
        positions, columns, rows = self.layout.choose(rng, scale, len(original))
        colours = floats(original[rows, columns])
        return Batch(floats(low)[None], positions[None], colours[None], torch.tensor([1 / scale]))


class WithDrawn:
    """Batches of which a share of the crops is replaced by drawn ones."""

    def __init__(self, batches: Batches, drawn: DrawnCrops, share: float) -> None:
        self.batches, self.drawn, self.share = batches, drawn, share

    def draw(self, number: int) -> Batch:
        batch = self.batches.draw(number)
        size = len(batch.cell)
        rng = np.random.default_rng([self.drawn.seed, number, self.drawn.streams[1]])
        crops = [
            self.drawn.draw(number * size + i) if chosen else batch.crop(i)
            for i, chosen in enumerate(rng.random(size) < self.share)
        ]
        return Batch.together(crops)
