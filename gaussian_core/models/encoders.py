"""Encoders: from a picture to features, one vector a source pixel. Convolutions only, so that tiles fit together."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gaussian_core.errors import WeightsError


class ResidualBlock(nn.Module):
    """x + conv(relu(conv(x))), the block of EDSR (arXiv 1707.02921, section 3.1): no normalisation."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        with torch.no_grad():
            self.second.weight.mul_(0.3)  # near the identity, so that a deep stack starts stable

    def forward(self, x: Tensor) -> Tensor:
        # In place where nothing else reads it: a pass over memory less each.
        return self.second(self.first(x).relu_()).add_(x)

    def inner(self, x: Tensor) -> Tensor:
        """What forward gives, without the two outermost pixels on each side, which depend on what is beyond."""
        y = _unpadded(self.second, _unpadded(self.first, x).relu_())
        return y.add_(x[..., 2:-2, 2:-2])


def _unpadded(layer: nn.Conv2d, x: Tensor) -> Tensor:
    return F.conv2d(x, layer.weight, layer.bias)


class ResidualEncoder(nn.Module):
    """`blocks` residual blocks of `channels` channels at the resolution of the picture."""

    def __init__(self, channels: int, blocks: int) -> None:
        super().__init__()
        self.channels = channels
        self.reach = 1 + 2 * blocks  # source pixels that a feature sees to each side
        self.entry = nn.Conv2d(3, channels, 3, padding=1)
        self.blocks = nn.ModuleList(ResidualBlock(channels) for _ in range(blocks))

    def forward(self, x: Tensor, check: Callable[[], None] | None = None) -> Tensor:
        """x (B, 3, H, W) about 0 -> (B, channels, H, W). check: called between blocks."""
        entry = self.entry(x)
        features = entry
        for block in self.blocks:
            features = block(features)
            if check is not None:
                check()
        return features + entry

    def inner(self, x: Tensor, check: Callable[[], None] | None = None) -> Tensor:
        """What forward gives, without the `reach` outermost pixels on each side: a tile's work shrinks layer by layer
        to the pixels that count, and nothing is padded."""
        entry = _unpadded(self.entry, x)
        features = entry
        for block in self.blocks:
            features = block.inner(features)  # type: ignore[operator]
            if check is not None:
                check()
        lost = self.reach - 1
        return features.add_(entry[..., lost:-lost, lost:-lost] if lost else entry)


def make_encoder(name: str, channels: int, blocks: int) -> ResidualEncoder:
    if name != "residual":
        raise WeightsError(f"Unknown encoder {name!r}: this version knows residual.")
    return ResidualEncoder(channels, blocks)
