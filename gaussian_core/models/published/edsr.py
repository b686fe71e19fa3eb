"""EDSR (arXiv 1707.02921): residual blocks without normalisation."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from gaussian_core.models.published.arguments import Arguments
from gaussian_core.models.published.encoder import Check, Encoder, conv, no_check, shuffles


class ResidualBlock(nn.Module):
    """x + s conv(relu(conv(x))), section 3.1; s: residual scaling, section 3.2."""

    def __init__(self, channels: int, scale: float) -> None:
        super().__init__()
        self.body = nn.Sequential(conv(channels, channels), nn.ReLU(), conv(channels, channels))
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x) * self.scale


class EDSR(Encoder):
    """Head, blocks and a last convolution about a skip; with a scale the features before the convolution to RGB."""

    def __init__(self, blocks: int, channels: int, residual: float, scale: int | None) -> None:
        super().__init__()
        self.out_dim = channels
        self.reach = 2 + 2 * blocks
        # In the files, though the arbitrary-scale networks do not use them.
        self.sub_mean, self.add_mean = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1)
        self.head = nn.Sequential(conv(3, channels))
        self.body = nn.Sequential(
            *(ResidualBlock(channels, residual) for _ in range(blocks)), conv(channels, channels)
        )
        self.tail: nn.Sequential | None = None
        if scale is not None:
            self.factor, self.tail_reach = scale, 3
            self.tail = nn.Sequential(nn.Sequential(*shuffles(scale, channels)), conv(channels, 3))

    def deep(self, image: Tensor, check: Check = no_check) -> Tensor:
        shallow = self.head(image)
        x = shallow
        for block in self.body:
            x = block(x)
            check()
        return shallow + x

    def enlarge(self, features: Tensor) -> Tensor:
        if self.tail is None:
            return features
        enlarged: Tensor = self.tail[0](features)
        return enlarged


def _make(arguments: Arguments, blocks: int, channels: int, residual: float) -> EDSR:
    n = arguments.integer("n_resblocks", blocks, most=1024)
    c = arguments.integer("n_feats", channels)
    s = arguments.number("res_scale", residual)
    scale = arguments.integer("scale", 2, most=8)
    arguments.number("rgb_range", 1.0)  # for the mean that the network leaves out
    plain = arguments.flag("no_upsampling", False)
    arguments.done()
    return EDSR(n, c, float(s or 0.0), None if plain else scale)


def make_edsr_baseline(values: Any) -> EDSR:
    return _make(Arguments("edsr-baseline", values), 16, 64, 1.0)


def make_edsr(values: Any) -> EDSR:
    return _make(Arguments("edsr", values), 32, 256, 0.1)
