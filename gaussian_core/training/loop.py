"""The training loop: resumable at any step, every random choice a function of the seed and the step."""

from __future__ import annotations

import io
import logging
import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gaussian_core.errors import UserError, WeightsError
from gaussian_core.models.config import ModelConfig
from gaussian_core.models.devices import fast_dtype
from gaussian_core.models.networks import make_network
from gaussian_core.parallel import Stop
from gaussian_core.training.dataset import Batch
from gaussian_core.training.distributed import Group
from gaussian_core.training.feeding import Batches, drawn_ahead
from gaussian_core.training.learners import Learner
from gaussian_core.training.muon import Muon
from gaussian_core.training.resuming import other_network
from gaussian_core.writing.atomic import whole_file

CHECKPOINT = "checkpoint.pt"

STRAYED, LEAST_STRAY = 10.0, 0.2
"""A loss so many times the usual one, and of so much at least, is of a network that has lost its way: without
normalisation a few steps that are too large can blow up all that follow, and the steps after them do not bring it back.
The averaged weights do. Less than that is a hard crop: one drawn pixel by pixel has twenty times the loss of what a
teacher says of photographs."""
EARLY_STRAY = 10.0
"""The same of the first steps, whose losses differ more: no difference of pictures is that large."""
LOST = 20
"""Steps in a row that have strayed, though each began with the averaged weights: these are as bad by then."""
TIED_EVERY = 50
"""Steps after which symmetric weights are made so again: equal steps keep them so but for rounding."""
USUAL = 0.99
"""The usual loss is a running mean that keeps so much of itself a step."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Schedule:
    """Rates are constant after `warm_up` steps, so that training may go on from anywhere; `decay` steps, asked for when
    weights are to ship, take them linearly to zero. A long decay is worth more than many steps ahead of it: 1,500 steps
    with a decay over half of them came within 0.1 dB of 45,000 at a constant rate that ended in 3,000."""

    steps: int = 100_000
    rate: float = 1e-3  # Adam: entry, heads, biases
    matrix_rate: float = 1e-2  # Muon: hidden convolutions
    warm_up: int = 100
    decay: int = 0
    average: float = 0.998  # EMA; 0.99 while decaying


class Trainer:
    """One model in training. `run` yields (step, mean loss, ms a step) every `report` steps."""

    def __init__(
        self,
        learner: Learner,
        schedule: Schedule,
        batches: Batches,
        folder: Path,
        device: torch.device,
        seed: int = 0,
        group: Group | None = None,
        workers: int = 0,
    ) -> None:
        """workers: processes that draw batches, see feeding.drawn_ahead."""
        torch.manual_seed(seed)
        self.learner, self.schedule, self.batches = learner, schedule, batches
        self.folder, self.device = folder, device
        self.group, self.workers = group or Group(), workers
        self.model = learner.make().to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.symmetry = learner.symmetry(self.model)
        # Seeds agree, but two versions of torch need not draw the same numbers from one.
        self.group.share(p.data for p in self.model.parameters())
        self.average = [p.detach().clone() for p in self.model.parameters()]
        matrices = learner.matrices(self.model)
        own = {id(p) for p in matrices}
        self.vectors = [p for p in self.model.parameters() if id(p) not in own]
        self.adam = torch.optim.Adam(
            self.vectors, lr=schedule.rate, betas=(0.9, 0.99), foreach=True
        )
        self.muon = Muon(matrices or [torch.zeros(1, 1)], lr=schedule.matrix_rate)
        self.step = 0
        self.usual = 0.0  # loss; 0 before the first step
        self.any_finite = False  # whether some loss was a number
        self.astray = 0  # steps in a row that have strayed
        self.bfloat16 = fast_dtype(device) == torch.bfloat16

    # What a checkpoint holds is tensors and numbers: it is read with weights_only.
    def save(self) -> None:
        """Write the checkpoint: whole or not at all. Raises OutputError."""
        state = {
            "config": self.learner.description,
            "model": self.model.state_dict(),
            "average": self.average,
            "adam": self.adam.state_dict(),
            "muon": self.muon.state_dict(),
            "step": self.step,
            "usual": self.usual,
        }
        # By way of memory: torch's own writer does not say why a file could not be written.
        buffer = io.BytesIO()
        torch.save(state, buffer)
        with whole_file(self.folder / CHECKPOINT) as temporary:
            temporary.write_bytes(buffer.getbuffer())

    def resume(self) -> bool:
        """Go on from the folder's checkpoint if there is one. Raises WeightsError when it is damaged or of another
        network, and says which option made that."""
        target = self.folder / CHECKPOINT
        if not target.exists():
            return False
        try:
            state: dict[str, Any] = torch.load(target, map_location=self.device, weights_only=True)
            kept = ModelConfig.from_json(state["config"])
        except (MemoryError, OSError):
            raise
        except Exception as error:  # damaged bytes make the reader fail in any way there is
            raise WeightsError(
                f"{target} is damaged or of another version: delete it, or use another --out."
            ) from error
        if other := other_network(kept, self.learner.config):
            raise WeightsError(
                f"{target} is of a training {other}: ask for that again, or use another --out."
            )
        try:
            self.model.load_state_dict(state["model"])
            for mine, average in zip(self.average, state["average"], strict=True):
                mine.copy_(average)
            self.adam.load_state_dict(state["adam"])
            self.muon.load_state_dict(state["muon"])
            self.step = int(state["step"])
            self.usual = float(state.get("usual", 0.0))
        except (RuntimeError, KeyError, ValueError) as error:
            raise WeightsError(f"{target} is of another model: use another --out.") from error
        return True

    def averaged(self) -> nn.Module:
        """The model with averaged weights, for use."""
        model = make_network(self.learner.config)
        with torch.no_grad():
            for p, mean in zip(model.parameters(), self.average, strict=True):
                p.copy_(mean.cpu())
        return model.eval()

    def export(self, path: Path, **card: Any) -> None:
        """Write the averaged weights with their card (fields of its config)."""
        steps = self.learner.steps_before() + self.step
        self.learner.save(path, self.averaged(), steps=steps, **card)

    def loss(self, batch: Batch) -> Tensor:
        return self.learner.loss(self.model, batch, self.bfloat16)

    def update(self, batch: Batch) -> float:
        """One step; the loss before it. After one that has strayed it is a step back to the averaged weights."""
        loss = self.loss(batch)
        self.adam.zero_grad(set_to_none=True)
        self.muon.zero_grad(set_to_none=True)
        loss.backward()
        self.group.average_gradients(self.model.parameters())
        if self.symmetry is not None:
            self.symmetry.apply([p.grad for p in self.model.parameters() if p.grad is not None])
        # Not sooner: a GPU would idle until the gradients are asked for.
        value = float(loss.detach())
        self.any_finite = self.any_finite or math.isfinite(value)
        slope = self._slope()
        if self.group.any(self._strayed(value) or not math.isfinite(slope), self.device):
            said = "step %d: a loss of %.3g with a gradient of %.3g; back to the averaged weights"
            log.warning(said, self.step, value, slope)
            self._return_to_average()
            self.step += 1
            self.astray += 1
            return value
        self.astray = 0
        self.usual = USUAL * self.usual + (1 - USUAL) * value if self.usual else value
        torch.nn.utils.clip_grad_norm_(self.vectors, 0.5)
        s = self.schedule
        factor = min(1.0, (self.step + 1) / s.warm_up)
        if s.decay:
            factor *= min(1.0, max(0.0, (s.steps - self.step) / s.decay))
        for optimizer, rate in ((self.adam, s.rate), (self.muon, s.matrix_rate)):
            for group in optimizer.param_groups:
                group["lr"] = rate * factor
            optimizer.step()
        self.step += 1
        if self.symmetry is not None and self.step % TIED_EVERY == 0:
            self.symmetry.apply([p.data for p in self.model.parameters()])
        decaying = bool(s.decay) and self.step > s.steps - s.decay
        keep = min(0.99 if decaying else s.average, self.step / (self.step + 10))
        with torch.no_grad():
            torch._foreach_lerp_(self.average, list(self.model.parameters()), 1 - keep)
        return value

    def _slope(self) -> float:
        """The largest norm of a gradient; NaN where one has such: a step by that would leave no number in the weights,
        nor, soon, in their average."""
        gradients = [p.grad for p in self.model.parameters() if p.grad is not None]
        return float(torch.stack(torch._foreach_norm(gradients)).max()) if gradients else 0.0

    def _strayed(self, loss: float) -> bool:
        # Single crops differ more than that: before the running mean is of many, it is not the usual loss.
        least = LEAST_STRAY if self.step >= self.schedule.warm_up else EARLY_STRAY
        known = self.usual > 0
        return not math.isfinite(loss) or (known and loss > max(STRAYED * self.usual, least))

    @property
    def is_lost(self) -> bool:
        """Whether the averaged weights have strayed, too: they are not to take the place of those kept before."""
        return self.astray > 1

    def _return_to_average(self) -> None:
        with torch.no_grad():
            for mean, p in zip(self.average, self.model.parameters(), strict=True):
                p.copy_(mean)
        for optimizer in (self.adam, self.muon):
            optimizer.state.clear()  # momentum leads to where the weights come from

    def run(
        self, report: int = 100, stop: Stop | None = None
    ) -> Iterator[tuple[int, float, float]]:
        """Train up to schedule.steps, or until stop() is true; the caller saves, but not while the training is lost.

        Raises UserError where it stays lost, and where no loss was a number until the first report: nothing was learnt,
        and nothing will be.
        """
        # Everyone has numbers of its own: no two of the group draw the same batch.
        first, size = self.step * self.group.size + self.group.rank, self.group.size
        numbers = range(first, self.schedule.steps * size, size)
        with drawn_ahead(self.batches, numbers, self.workers) as batches:
            yield from self._learn(batches, report, stop)
        if self.is_lost:
            raise self._lost()

    def _learn(
        self, batches: Iterable[Batch], report: int, stop: Stop | None
    ) -> Iterator[tuple[int, float, float]]:
        total, count, start = 0.0, 0, time.perf_counter()
        for batch in batches:
            if self.group.any(stop is not None and stop(), self.device):
                return
            total += self.update(batch.to(self.device))
            count += 1
            if count == report or self.step >= self.schedule.steps:
                if not self.group.any(self.any_finite, self.device):
                    raise UserError(
                        f"No loss in {count} steps was a number: nothing can be learnt so. Set smaller rates, or what "
                        "was set of the network nearer to its defaults."
                    )
                yield self.step, total / count, 1e3 * (time.perf_counter() - start) / count
                total, count, start = 0.0, 0, time.perf_counter()
            if self.astray >= LOST:
                raise self._lost()

    def _lost(self) -> UserError:
        return UserError(
            f"The training has lost its way: the last {self.astray} losses were far above the usual one, or no numbers. "
            "Ask for smaller rates: what was kept before is as it was, and goes on from there."
        )
