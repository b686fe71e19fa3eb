"""Learning from what another network makes of the crops, instead of from the originals.

What no low resolution picture tells, an original still asks for: most of the gradient of a crop is noise. A teacher has
averaged it away, and its answers do again when they are averaged over the orientations that a crop can be given in
(R. Timofte et al., arXiv 1511.02228, section 3.6, for the ensemble; G. Hinton et al., arXiv 1503.02531, for learning
from one). They take many times the teacher's time for a crop, so they are made once, kept in a file, and shown in all
orientations.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gaussian_core.errors import OutputError, WeightsError
from gaussian_core.models.continuoussr import ContinuousSR
from gaussian_core.models.weights import load_model
from gaussian_core.parallel import Stop
from gaussian_core.training.dataset import Batch, Sampler
from gaussian_core.training.grid_rasterizer import sample_cells
from gaussian_core.training.orientations import MIRROR, ORIENTATIONS, matrix, oriented
from gaussian_core.writing.atomic import atomic_write

LESSONS = "lessons.bin"
PLAN = "lessons.json"  # what the lessons beside it are
AT_ONCE = 4  # crops that the teacher sees at a time, each in its orientations

log = logging.getLogger(__name__)


def inverse(k: int) -> int:
    """The orientation that undoes k: a mirroring undoes itself, wherever it stands, a turn is turned back."""
    return k if k >= MIRROR else -k % MIRROR


def in_orientation(batch: Batch, k: int) -> Batch:
    """The same crops, places and colours with the picture in orientation k."""
    side = batch.low.shape[-1] / 2
    turn = torch.from_numpy(matrix(k)).to(batch.positions)
    places = torch.einsum("ij,bjhw->bihw", turn, batch.positions - side) + side
    return Batch(
        _oriented(batch.low, k), _oriented(places, k), _oriented(batch.colours, k), batch.cell
    )


def _oriented(x: Tensor, k: int) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(oriented(x.numpy(), k)))


class Teacher:
    """A trained ContinuousSR network. Raises WeightsError for a file that is none, or whose cells are others."""

    def __init__(self, path: Path, cells: int, margin: int, device: torch.device) -> None:
        model = load_model(path)
        if not isinstance(model, ContinuousSR) or model.config.cells != cells:
            raise WeightsError(
                f"{path.name} cannot teach this network: a teacher is a ContinuousSR network with {cells} x {cells} "
                "Gaussians a source pixel."
            )
        self.model = model.eval().to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.device, self.reach = device, margin * cells

    @torch.no_grad()
    def colours(self, batch: Batch, orientations: tuple[int, ...], bfloat16: bool) -> Tensor:
        """(B, 3, h, w): what it sees at the places of a batch, the mean over the crops' orientations."""
        total = torch.zeros_like(batch.colours)
        for k in orientations:
            seen = self._seen(in_orientation(batch, k).to(self.device), bfloat16)
            total += _oriented(seen.cpu(), inverse(k))
        return total / len(orientations)

    def _seen(self, batch: Batch, bfloat16: bool) -> Tensor:
        low = batch.low.contiguous(memory_format=torch.channels_last)
        with torch.autocast(low.device.type, torch.bfloat16, enabled=bfloat16):
            colour, geometry = self.model.heads(low)
        cells = self.model.gaussians(batch.low, colour.float(), geometry.float())
        blur = batch.cell * self.model.config.footprint
        return sample_cells(cells, batch.positions, blur, self.reach)


def _reserve(descriptor: int, size: int) -> None:
    """Make a file as large as that, and have the disk for it: where it is full, writing to the file's pages later would
    end the program by a signal. Raises OSError, and leaves what there was."""
    if not hasattr(os, "posix_fallocate"):
        os.truncate(descriptor, size)
        return
    before = os.fstat(descriptor).st_size
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError:
        os.truncate(descriptor, before)  # what was had of it would keep the disk full
        raise


class Lessons:
    """`count` crops with a teacher's answers, in a file of the training's folder; draws batches of them.

    A record is whole when its cell is not 0, so that an interrupted making of lessons goes on where it stood. Several
    processes share the work: each makes those of its own rank.
    """

    def __init__(self, folder: Path, sampler: Sampler, plan: str, count: int, batch: int) -> None:
        """sampler: draws the crops, one at a time. plan: says whose lessons these are and of what crops; others are
        made anew. With a larger count those that are there stay. Raises OutputError."""
        self.sampler, self.batch, self.seed = sampler, batch, sampler.seed
        first = sampler.draw(0)
        fields: list[Any] = [
            ("low", "u1", first.low.shape[1:]),
            ("positions", "f4", first.positions.shape[1:]),
            ("taught", "f2", first.colours.shape[1:]),
            ("cell", "f4"),
        ]
        self.path = folder / LESSONS
        kind = np.dtype(fields)
        size = kind.itemsize * count
        kept = folder / PLAN
        try:
            if not (kept.exists() and kept.read_text() == plan):
                if self.path.exists():
                    said = "%s: answers of another teacher or to other crops, made anew"
                    log.warning(said, self.path)
                self.path.unlink(missing_ok=True)
                atomic_write(kept, plan)
            with self.path.open("ab") as file:
                if file.tell() < size:
                    _reserve(file.fileno(), size)
        except OSError as error:
            raise OutputError(
                f"Cannot keep {size / 2**30:.1f} GB of lessons in {self.path}: {error.strerror or error}."
            ) from error
        self.records: NDArray[Any] = np.memmap(self.path, kind, "r+", shape=(count,))

    def make(
        self,
        teacher: Teacher,
        bfloat16: bool,
        rank: int = 0,
        size: int = 1,
        say: Callable[[int, int], None] | None = None,
        stop: Stop | None = None,
    ) -> bool:
        """Make what is missing of this rank's lessons; whether they are complete. say(made, of)."""
        mine = np.arange(rank, len(self.records), size)
        missing = [int(i) for i in mine if self.records[i]["cell"] == 0]
        for start in range(0, len(missing), AT_ONCE):
            if stop is not None and stop():
                return False
            numbers = missing[start : start + AT_ONCE]
            batch = Batch.together([self.sampler.draw(i) for i in numbers])
            rng = np.random.default_rng([self.seed, numbers[0], 2])
            chosen = tuple(int(k) for k in rng.choice(ORIENTATIONS, ORIENTATIONS // 2, False))
            taught = teacher.colours(batch, chosen, bfloat16)
            for row, i in enumerate(numbers):
                record = self.records[i]
                # Pixels of a file, as they were before they became floats.
                record["low"] = (batch.low[row] * 255).round().to(torch.uint8).numpy()
                record["positions"] = batch.positions[row].numpy()
                record["taught"] = taught[row].numpy()
                record["cell"] = float(batch.cell[row])
            if say is not None:
                say(len(mine) - len(missing) + start + len(numbers), len(mine))
        return True

    def draw(self, number: int) -> Batch:
        """The batch of a step: a function of the seed and the number."""
        rng = np.random.default_rng([self.seed, number, 1])
        drawn = [self._one(int(rng.integers(len(self.records)))) for _ in range(self.batch)]
        return Batch.together(
            [in_orientation(one, int(rng.integers(ORIENTATIONS))) for one in drawn]
        )

    def _one(self, i: int) -> Batch:
        record = self.records[i]
        return Batch(
            torch.from_numpy(record["low"].astype(np.float32) / 255)[None],
            torch.from_numpy(np.array(record["positions"]))[None],
            torch.from_numpy(record["taught"].astype(np.float32))[None],
            torch.tensor([float(record["cell"])]),
        )
