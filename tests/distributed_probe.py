"""Run by torchrun in test_training_distributed: several processes train as one with all their batches would."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gaussian_core.models.config import ModelConfig
from gaussian_core.training.dataset import Sampler
from gaussian_core.training.distributed import Group, joined
from gaussian_core.training.learners import ContinuousSRLearner
from gaussian_core.training.loop import Schedule, Trainer
from gaussian_core.training.synthetic import page

STEPS = 3
CPU = torch.device("cpu")


def trainer(group: Group) -> Trainer:
    sampler = Sampler([page(3, 96)], np.ones(1), batch=1, patch=18, page_share=0, far_share=0)
    config = ModelConfig(channels=8, blocks=1, hidden=8)
    folder = Path(tempfile.gettempdir())
    made = Trainer(ContinuousSRLearner(config), Schedule(STEPS), sampler, folder, CPU, 0, group)
    made.bfloat16 = False
    return made


def exchanging() -> list[str]:
    """Threads of a group that are still there; one of them may abort a process that leaves (known on Linux only)."""
    names = [p.read_text() for p in Path("/proc/self/task").glob("*/comm")]
    return [name for name in names if "gloo" in name]


def main() -> None:
    torch.set_num_threads(1)
    with joined(CPU) as (group, _):
        assert group.size == 2
        shared = trainer(group)
        list(shared.run(1, lambda: False))
        # One process that takes the mean of both losses.
        alone = trainer(Group())
        loss = alone.loss
        for number in range(STEPS):
            both = [alone.batches.draw(2 * number + rank) for rank in range(2)]
            alone.loss = lambda _, both=both: (loss(both[0]) + loss(both[1])) / 2
            alone.update(both[0])
        for mine, theirs in zip(shared.model.parameters(), alone.model.parameters(), strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-6)
        # Who is asked to stop stops everyone.
        assert group.any(group.rank == 1, CPU)
        assert not group.any(False, CPU)
        tensor = torch.full((2,), float(group.rank + 5))
        group.share([tensor])
        assert tensor.tolist() == [5.0, 5.0]
    assert not exchanging()
    # In one piece: printed, the line and its end of two processes may interleave.
    sys.stdout.write("agreed\n")


if __name__ == "__main__":
    main()
