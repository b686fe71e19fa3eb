"""The encoder of our own weights in the shape that LIIF and GaussianSR take theirs: only the heads differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from gaussian_core.models.config import ModelConfig
from gaussian_core.models.encoders import ResidualEncoder
from gaussian_core.models.published.arguments import Arguments
from gaussian_core.models.published.encoder import Check, Encoder, no_check


class ResidualFeatures(Encoder):
    """`blocks` residual blocks of `channels` channels: encoders.ResidualEncoder. slope: of their activations.

    In training nothing is asked for in the outermost pixels of a crop: what is answered there is of no use.
    """

    margin = ModelConfig.margin

    def __init__(self, channels: int, blocks: int, slope: float = 0.0) -> None:
        super().__init__()
        self.encoder = ResidualEncoder(channels, blocks, slope)
        self.out_dim, self.reach = channels, self.encoder.reach

    def deep(self, image: Tensor, check: Check = no_check) -> Tensor:
        """(B, 3, H, W) about 0 -> (B, channels, H, W)."""
        return self.encoder(image, check)


def make_residual(args: Mapping[str, Any]) -> ResidualFeatures:
    """Raises WeightsError for arguments that are not known."""
    arguments = Arguments("the residual encoder", dict(args))
    made = ResidualFeatures(
        arguments.integer("channels", 48, most=1024),
        arguments.integer("blocks", 6, most=1024),
        arguments.number("slope", 0.0) or 0.0,
    )
    arguments.done()
    return made
