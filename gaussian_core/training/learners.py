"""What the training loop asks of an architecture: a network, its loss, a file for its weights. One class each."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gaussian_core.models.config import ModelConfig
from gaussian_core.models.continuoussr import ContinuousSR
from gaussian_core.models.weights import save_model
from gaussian_core.training.dataset import Batch
from gaussian_core.training.geometry_prior import geometry_prior
from gaussian_core.training.grid_rasterizer import sample_cells


class Learner(ABC):
    """One architecture with its settings. description: what a checkpoint keeps of them."""

    method: str
    cells: int = 1  # positions a source pixel and axis that a batch asks for
    margin: int = 2  # source pixels at the border of a crop where nothing is asked for

    @property
    @abstractmethod
    def description(self) -> str: ...

    @abstractmethod
    def make(self) -> nn.Module:
        """A network with the weights it starts from."""

    @abstractmethod
    def loss(self, model: nn.Module, batch: Batch, bfloat16: bool) -> Tensor: ...

    @abstractmethod
    def save(self, path: Path, model: nn.Module, **card: Any) -> None: ...

    def matrices(self, model: nn.Module) -> list[nn.Parameter]:
        """Hidden weights, which Muon trains; Adam has the first and last layers, and all vectors."""
        return [p for n, p in model.named_parameters() if ".blocks." in n and p.ndim == 4]


@dataclass(frozen=True)
class ContinuousSRLearner(Learner):
    """L1 between the field and the colours of the original. follow: weight of the geometry's prior, 0 for none."""

    config: ModelConfig
    follow: float = 1e-3
    method = "continuoussr"

    @property
    def cells(self) -> int:  # type: ignore[override]
        return self.config.cells

    @property
    def margin(self) -> int:  # type: ignore[override]
        return self.config.margin

    @property
    def description(self) -> str:
        return self.config.to_json()

    def make(self) -> ContinuousSR:
        return ContinuousSR(self.config)

    def loss(self, model: nn.Module, batch: Batch, bfloat16: bool) -> Tensor:
        assert isinstance(model, ContinuousSR)
        low = batch.low.contiguous(memory_format=torch.channels_last)
        with torch.autocast(low.device.type, torch.bfloat16, enabled=bfloat16):
            colour, geometry = model.heads(low)
        cells = model.gaussians(batch.low, colour.float(), geometry.float())
        reach = self.margin * self.cells
        seen = sample_cells(cells, batch.positions, batch.cell * self.config.footprint, reach)
        loss = (seen - batch.colours).abs().mean()
        if self.follow > 0:
            loss = loss + self.follow * geometry_prior(cells, batch.low)
        return loss

    def save(self, path: Path, model: nn.Module, **card: Any) -> None:
        assert isinstance(model, ContinuousSR)
        save_model(path, model, replace(self.config, **card))


class _Queried(Learner):
    """L1 between the colours that a network answers with and those of the original, at a place a source pixel.

    As many as LIIF and GaussianSR were published with: 48 x 48 places for a crop of 48 x 48.
    """

    def __init__(self, channels: int, blocks: int) -> None:
        self.encoder = {"channels": channels, "blocks": blocks}

    @property
    def description(self) -> str:
        return json.dumps({"architecture": self.method, **self.encoder}, sort_keys=True)

    def loss(self, model: nn.Module, batch: Batch, bfloat16: bool) -> Tensor:
        low = batch.low.contiguous(memory_format=torch.channels_last)
        with torch.autocast(low.device.type, torch.bfloat16, enabled=bfloat16):
            seen = self.sample(model, low, batch.positions, batch.cell)
        return (seen.float() - batch.colours).abs().mean()

    @abstractmethod
    def sample(self, model: nn.Module, image: Tensor, positions: Tensor, cell: Tensor) -> Tensor:
        """image (B, 3, H, W), positions (B, 2, h, w) in source pixels, cell (B,) -> (B, 3, h, w)."""

    def matrices(self, model: nn.Module) -> list[nn.Parameter]:
        hidden = [
            p
            for n, p in model.named_parameters()
            if n.startswith("imnet.") and p.ndim == 2 and p.shape[0] == p.shape[1]
        ]
        return [*super().matrices(model), *hidden]

    def save(self, path: Path, model: nn.Module, **card: Any) -> None:
        from gaussian_core.models.trained import save_trained

        save_trained(path, model, card)


class LIIFLearner(_Queried):
    """LIIF (arXiv 2012.09161) on the encoder of ContinuousSR's light weights."""

    method = "liif"

    def make(self) -> nn.Module:
        from gaussian_core.models.liif import LIIF, LIIFConfig

        return LIIF(LIIFConfig("residual", self.encoder, offset=0.5, spread=1.0))

    def sample(self, model: nn.Module, image: Tensor, positions: Tensor, cell: Tensor) -> Tensor:
        from gaussian_core.training.liif_samples import sample_liif

        return sample_liif(model, image, positions, cell)  # type: ignore[arg-type]


class GaussianSRLearner(_Queried):
    """GaussianSR (arXiv 2407.18046) on the encoder of ContinuousSR's light weights."""

    method = "gaussiansr"

    def make(self) -> nn.Module:
        from gaussian_core.models.gaussiansr import GaussianSR, GaussianSRConfig

        return GaussianSR(GaussianSRConfig("residual", self.encoder))

    def sample(self, model: nn.Module, image: Tensor, positions: Tensor, cell: Tensor) -> Tensor:
        colours: Tensor = model.sample(image, positions, cell)  # type: ignore[operator]
        return colours
