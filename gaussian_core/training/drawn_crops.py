"""Batches of which a share of the crops is drawn, not cut out of pictures."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from gaussian_core.training.dataset import Batch
from gaussian_core.training.feeding import Batches


class Drawing(Protocol):
    """Draws batches of one crop; each depends on (seed, number) alone.

    stream: a number of its own for each kind, so that the chances of two are independent."""

    seed: int
    stream: int

    def draw(self, number: int) -> Batch: ...


class WithDrawn:
    """Batches of which a share of the crops is replaced by drawn ones."""

    def __init__(self, batches: Batches, drawing: Drawing, share: float) -> None:
        self.batches, self.drawing, self.share = batches, drawing, share

    def draw(self, number: int) -> Batch:
        batch = self.batches.draw(number)
        size = len(batch.cell)
        rng = np.random.default_rng([self.drawing.seed, number, self.drawing.stream])
        crops = [
            self.drawing.draw(number * size + i) if chosen else batch.crop(i)
            for i, chosen in enumerate(rng.random(size) < self.share)
        ]
        return Batch.together(crops)
