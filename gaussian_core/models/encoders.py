"""Encoders: from a picture to features, one vector a source pixel. Convolutions only, so that tiles fit together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gaussian_core.amx import learning
from gaussian_core.convolution.winograd import conv3x3, cropped
from gaussian_core.errors import WeightsError


class ResidualBlock(nn.Module):
    """x + conv(act(conv(x))), the block of EDSR (arXiv 1707.02921, section 3.1): no normalisation.

    slope: of the activation below zero. Plain ReLUs (0) die here: without normalisation the large steps of training
    push all channels of a block below zero, where no gradient brings them back; half of a network was lost so.
    """

    def __init__(self, channels: int, slope: float = 0.0) -> None:
        super().__init__()
        self.slope = slope
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        with torch.no_grad():
            self.second.weight.mul_(0.3)  # near the identity, so that a deep stack starts stable

    def forward(self, x: Tensor) -> Tensor:
        if torch.is_grad_enabled() and learning.suits(x, self.first.weight, self.slope):
            return learning.residual_block(x, self.first, self.second, self.slope)
        return self._through(x, 1)

    def inner(self, x: Tensor) -> Tensor:
        """What forward gives, without the two outermost pixels on each side, which depend on what is beyond."""
        return self._through(x, 0)

    def _through(self, x: Tensor, padding: int) -> Tensor:
        return conv3x3(self.second, conv3x3(self.first, x, padding, self.slope), padding, plus=x)


def _unpadded(layer: nn.Conv2d, x: Tensor) -> Tensor:
    return conv3x3(layer, x, 0)


class ResidualEncoder(nn.Module):
    """`blocks` residual blocks of `channels` channels at the resolution of the picture."""

    lattice = 1

    def __init__(self, channels: int, blocks: int, slope: float = 0.0) -> None:
        super().__init__()
        self.channels = channels
        self.reach = 1 + 2 * blocks  # source pixels that a feature sees to each side
        self.entry = nn.Conv2d(3, channels, 3, padding=1)
        self.blocks = nn.ModuleList(ResidualBlock(channels, slope) for _ in range(blocks))

    def forward(self, x: Tensor, check: Callable[[], None] | None = None) -> Tensor:
        """x (B, 3, H, W) about 0 -> (B, channels, H, W). check: called between blocks."""
        entry = self.entry(x)
        return _through(self.blocks, entry, check) + entry

    def inner(self, x: Tensor, check: Callable[[], None] | None = None) -> Tensor:
        """What forward gives, without the `reach` outermost pixels on each side: a tile's work shrinks layer by layer
        to the pixels that count, and nothing is padded."""
        entry = _unpadded(self.entry, x)
        features = _through(_inner(self.blocks), entry, check)
        return features.add_(cropped(entry, self.reach - 1))


class TwoScaleEncoder(nn.Module):
    """Residual blocks at the resolution of the picture, and between their halves a branch of wider ones at half of it.

    There a block of twice the channels costs as much as one outside, has four times the weights and sees twice as far.
    The branch starts as nothing, so that a trained ResidualEncoder can be the start of one of these.
    lattice: 2, since the branch pairs the pixels of even rows and columns with the next: the first pixel given to
    `forward` is an even one of the picture; what `inner` leaves begins with an even one.
    """

    lattice = 2

    def __init__(
        self,
        channels: int,
        blocks: int,
        deep_channels: int,
        deep_blocks: int,
        slope: float = 0.0,
    ) -> None:
        super().__init__()
        self.channels = channels
        self.before = (blocks + 1) // 2  # blocks ahead of the branch
        self.reach = 1 + 2 * blocks + 4 * deep_blocks
        self.entry = nn.Conv2d(3, channels, 3, padding=1)
        self.blocks = nn.ModuleList(ResidualBlock(channels, slope) for _ in range(blocks))
        self.deep = _Branch(channels, deep_channels, deep_blocks, slope)

    def forward(self, x: Tensor, check: Callable[[], None] | None = None) -> Tensor:
        """x (B, 3, H, W) about 0 -> (B, channels, H, W). check: called between blocks."""
        entry = self.entry(x)
        features = _through(self.blocks[: self.before], entry, check)
        features = features + self.deep(features, check)
        return _through(self.blocks[self.before :], features, check) + entry

    def inner(self, x: Tensor, check: Callable[[], None] | None = None) -> Tensor:
        """What forward gives, without the `reach` outermost pixels on each side; nothing is padded.

        x: sides even, and the pixel at (reach, reach) an even one of the picture.
        """
        entry = _unpadded(self.entry, x)
        features = _through(_inner(self.blocks[: self.before]), entry, check)
        deep = self.deep.inner(features, check)
        lost = (features.shape[-1] - deep.shape[-1]) // 2
        features = deep.add_(cropped(features, lost))
        features = _through(_inner(self.blocks[self.before :]), features, check)
        return features.add_(cropped(entry, self.reach - 1))


class _Branch(nn.Module):
    """Down to half the resolution, residual blocks, and up again."""

    def __init__(self, channels: int, deep_channels: int, blocks: int, slope: float) -> None:
        super().__init__()
        self.down = nn.Conv2d(channels, deep_channels, 2, stride=2)
        self.blocks = nn.ModuleList(ResidualBlock(deep_channels, slope) for _ in range(blocks))
        self.up = nn.Conv2d(deep_channels, 4 * channels, 1)
        for parameter in self.up.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor, check: Callable[[], None] | None = None) -> Tensor:
        height, width = x.shape[-2:]
        if height % 2 or width % 2:
            x = F.pad(x, (0, width % 2, 0, height % 2), mode="replicate")
        features = _through(self.blocks, self.down(x), check)
        return F.pixel_shuffle(self.up(features), 2)[..., :height, :width]

    def inner(self, x: Tensor, check: Callable[[], None] | None = None) -> Tensor:
        features = _through(_inner(self.blocks), self.down(x), check)
        return F.pixel_shuffle(self.up(features), 2)


def _through(
    layers: Iterable[Callable[[Tensor], Tensor]],
    features: Tensor,
    check: Callable[[], None] | None,
) -> Tensor:
    """One layer after the other, check between them."""
    for layer in layers:
        features = layer(features)
        if check is not None:
            check()
    return features


def _inner(blocks: nn.ModuleList) -> list[Callable[[Tensor], Tensor]]:
    return [cast(ResidualBlock, block).inner for block in blocks]


def make_encoder(
    name: str,
    channels: int,
    blocks: int,
    deep_channels: int = 0,
    deep_blocks: int = 0,
    slope: float = 0.0,
) -> ResidualEncoder | TwoScaleEncoder:
    """Raises WeightsError for a name that this version does not know, or sizes that make no encoder."""
    if name == "residual":
        return ResidualEncoder(channels, blocks, slope)
    if name != "two-scale":
        raise WeightsError(f"Unknown encoder {name!r}: this version knows residual and two-scale.")
    if deep_channels < 1 or deep_blocks < 1:
        raise WeightsError("A two-scale encoder needs channels and blocks at half the resolution.")
    return TwoScaleEncoder(channels, blocks, deep_channels, deep_blocks, slope)
