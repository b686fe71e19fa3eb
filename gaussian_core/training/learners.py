"""What the training loop asks of an architecture: a network, its loss, a file for its weights. One class each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gaussian_core.errors import WeightsError
from gaussian_core.models.card import read_card
from gaussian_core.models.config import FOLLOW, ModelConfig
from gaussian_core.models.continuoussr import ContinuousSR
from gaussian_core.models.gaussiansr import GaussianSR
from gaussian_core.models.networks import make_network
from gaussian_core.models.weights import save_model
from gaussian_core.training import cell_loss
from gaussian_core.training.colour_loss import colour_loss
from gaussian_core.training.dataset import Batch
from gaussian_core.training.geometry_prior import geometry_prior
from gaussian_core.training.grid_rasterizer import sample_cells
from gaussian_core.training.growing import begin_with
from gaussian_core.training.symmetry import Symmetry


class Learner(ABC):
    """One architecture with its settings. description: what a checkpoint keeps of them."""

    cells: int = 1  # positions a source pixel and axis that a batch asks for
    margin: int = 2  # source pixels at the border of a crop where nothing is asked for
    window: int = (
        0  # not 0: a batch asks for that many neighbouring pixels of the original each way
    )

    luminance: float = 0.0  # of the loss, see colour_loss
    squares: bool = False  # the same
    start: Path | None = None  # weights to begin with
    start_encoder: Path | None = None  # or weights whose encoder alone to begin with

    def __init__(self, config: ModelConfig) -> None:
        self.config = config

    @property
    def description(self) -> str:
        return self.config.to_json()

    def make(self) -> nn.Module:
        """A network with the weights it starts from. Raises WeightsError for a start without a tensor that fits."""
        model = make_network(self.config)
        symmetry = self.symmetry(model)
        if symmetry is not None:
            symmetry.begin(model)
        if self.start is not None:
            begin_with(model, self.start)
        if self.start_encoder is not None:
            begin_with(model.encoder, self.start_encoder)
        if symmetry is not None and not symmetry.holds(model.parameters()):
            raise WeightsError("The weights to begin with are not symmetric: leave out --symmetry.")
        return model

    def symmetry(self, model: nn.Module) -> Symmetry | None:
        """What keeps the network symmetric in training, if anything. Raises WeightsError for one that cannot be."""
        return None

    def steps_before(self) -> int:
        """Those that the whole network it starts from had already been trained for."""
        if self.start is None:
            return 0
        earlier = read_card(self.start).config
        return earlier.steps if earlier.architecture == self.config.architecture else 0

    @abstractmethod
    def loss(self, model: nn.Module, batch: Batch, bfloat16: bool) -> Tensor: ...

    def save(self, path: Path, model: nn.Module, **card: Any) -> None:
        """Write the weights with their card (fields of ModelConfig). Raises OutputError."""
        save_model(path, model, replace(self.config, **card))

    def matrices(self, model: nn.Module) -> list[nn.Parameter]:
        """Hidden weights, which Muon trains; Adam has the first and last layers, and all vectors."""
        return [p for n, p in model.named_parameters() if ".blocks." in n and p.ndim == 4]


class ContinuousSRLearner(Learner):
    """How far the field is from the colours of the original. follow: weight of the geometry's prior, 0 for none."""

    def __init__(self, config: ModelConfig, follow: float = FOLLOW) -> None:
        super().__init__(config)
        self.cells, self.margin, self.follow = config.cells, config.margin, follow

    def symmetry(self, model: nn.Module) -> Symmetry | None:
        assert isinstance(model, ContinuousSR)
        return Symmetry(model) if self.config.symmetric else None

    def loss(self, model: nn.Module, batch: Batch, bfloat16: bool) -> Tensor:
        assert isinstance(model, ContinuousSR)
        low = batch.low.contiguous(memory_format=torch.channels_last)
        reach = self.margin * self.cells
        halved = torch.autocast(low.device.type, torch.bfloat16, enabled=bfloat16)
        if cell_loss.suits(self.config, batch):
            with halved:
                raw = model.planes(low)
            return cell_loss.loss(
                model, raw, batch, reach, self.follow, self.luminance, self.squares
            )
        with halved:
            colour, geometry = model.heads(low)
        cells = model.gaussians(batch.low, colour.float(), geometry.float())
        seen = sample_cells(cells, batch.positions, batch.cell * self.config.footprint, reach)
        loss = colour_loss(seen, batch.colours, self.luminance, self.squares)
        if self.follow > 0:
            loss = loss + self.follow * geometry_prior(cells, batch.low)
        return loss


class _Queried(Learner):
    """How far the colours are that a network answers with from those of the original, at a place a source pixel.

    As many as LIIF and GaussianSR were published with: 48 x 48 places for a crop of 48 x 48.
    """

    def loss(self, model: nn.Module, batch: Batch, bfloat16: bool) -> Tensor:
        low = batch.low.contiguous(memory_format=torch.channels_last)
        with torch.autocast(low.device.type, torch.bfloat16, enabled=bfloat16):
            seen = self.sample(model, low, batch.positions, batch.cell)
        lost = (batch.colours.shape[-1] - seen.shape[-1]) // 2
        wanted = batch.colours[..., lost:-lost, lost:-lost] if lost else batch.colours
        return colour_loss(seen.float(), wanted, self.luminance, self.squares)

    @abstractmethod
    def sample(self, model: nn.Module, image: Tensor, positions: Tensor, cell: Tensor) -> Tensor:
        """image (B, 3, H, W), positions (B, 2, h, w) in source pixels, cell (B,) -> colours there (B, 3, h, w), or
        without as many of the outermost on each side."""

    def matrices(self, model: nn.Module) -> list[nn.Parameter]:
        hidden = [
            p
            for n, p in model.named_parameters()
            if n.startswith(("imnet.", "fc.")) and p.ndim == 2 and p.shape[0] == p.shape[1]
        ]
        return [*super().matrices(model), *hidden]


class LIIFLearner(_Queried):
    """LIIF (arXiv 2012.09161) on the encoder of ContinuousSR's light weights."""

    def sample(self, model: nn.Module, image: Tensor, positions: Tensor, cell: Tensor) -> Tensor:
        from gaussian_core.training.liif_samples import sample_liif

        return sample_liif(model, image, positions, cell)  # type: ignore[arg-type]


class GaussianSRLearner(_Queried):
    """GaussianSR (arXiv 2407.18046) on the encoder of ContinuousSR's light weights.

    Its decoder sees neighbouring output pixels at once: 28 x 28 of them take about as long as what LIIF is asked for.
    """

    window = 30

    def sample(self, model: nn.Module, image: Tensor, positions: Tensor, cell: Tensor) -> Tensor:
        assert isinstance(model, GaussianSR)
        return model.sample(model.encode(image), positions, cell)


def learner_of(config: ModelConfig, follow: float = FOLLOW) -> Learner:
    """The learner of an architecture. follow: for ContinuousSR."""
    if config.architecture == "continuoussr":
        return ContinuousSRLearner(config, follow)
    kinds = {"liif": LIIFLearner, "gaussiansr": GaussianSRLearner}
    return kinds[config.architecture](config)
