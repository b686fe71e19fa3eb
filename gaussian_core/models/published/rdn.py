"""RDN, the residual dense network (arXiv 1802.08797)."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gaussian_core.models.published.arguments import Arguments
from gaussian_core.models.published.encoder import Check, Encoder, conv, no_check, shuffles

# Section 4.2 of the paper: D blocks of C layers that add G channels each.
SIZES = {"A": (20, 6, 32), "B": (16, 8, 64)}


class DenseLayer(nn.Module):
    """[x, relu(conv(x))], equation 5."""

    def __init__(self, inputs: int, growth: int, size: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(conv(inputs, growth, size), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.conv(x)], 1)


class ResidualDenseBlock(nn.Module):
    """Dense layers, their fusion by a 1x1 convolution and a skip, equations 6 and 7."""

    def __init__(self, channels: int, growth: int, layers: int, size: int) -> None:
        super().__init__()
        self.convs = nn.Sequential(
            *(DenseLayer(channels + c * growth, growth, size) for c in range(layers))
        )
        self.LFF = conv(channels + layers * growth, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.LFF(self.convs(x))


class RDN(Encoder):
    """Shallow features, dense blocks, their global fusion and a skip, equations 1 to 10."""

    def __init__(self, size: str, channels: int, kernel: int, scale: int | None) -> None:
        super().__init__()
        blocks, layers, growth = SIZES[size]
        self.out_dim = channels
        self.reach = (3 + blocks * layers) * (kernel // 2)
        self.SFENet1 = conv(3, channels, kernel)
        self.SFENet2 = conv(channels, channels, kernel)
        self.RDBs = nn.ModuleList(
            ResidualDenseBlock(channels, growth, layers, kernel) for _ in range(blocks)
        )
        self.GFF = nn.Sequential(
            conv(blocks * channels, channels, 1), conv(channels, channels, kernel)
        )
        self.UPNet: nn.Sequential | None = None
        if scale is not None:
            self.factor, self.tail_reach, self.out_dim = scale, 3, growth
            self.UPNet = nn.Sequential(*shuffles(scale, growth, channels), conv(growth, 3))

    def deep(self, image: Tensor, check: Check = no_check) -> Tensor:
        shallow = self.SFENet1(image)
        x = self.SFENet2(shallow)
        fusion = self.GFF[0]
        channels = x.shape[1]
        # The fusion is linear: block by block, so that their outputs need not be kept.
        fused = fusion.bias[:, None, None]  # type: ignore[index]
        for number, block in enumerate(self.RDBs):
            x = block(x)
            weight = fusion.weight[:, number * channels : (number + 1) * channels]  # type: ignore[index]
            fused = fused + F.conv2d(x, weight)
            check()
        deep: Tensor = self.GFF[1](fused)
        return deep + shallow

    def enlarge(self, features: Tensor) -> Tensor:
        if self.UPNet is None:
            return features
        enlarged: Tensor = self.UPNet[:-1](features)
        return enlarged


def make_rdn(values: Any) -> RDN:
    arguments = Arguments("rdn", values)
    channels = arguments.integer("G0", 64)
    kernel = arguments.integer("RDNkSize", 3, most=3)
    size = arguments.choice("RDNconfig", "B", tuple(SIZES))
    scale = arguments.integer("scale", 2, least=2, most=4)
    plain = arguments.flag("no_upsampling", False)
    arguments.done()
    return RDN(size, channels, kernel, None if plain else scale)
