"""HAT, the hybrid attention transformer (arXiv 2205.04437), as ContinuousSR's encoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gaussian_core.errors import WeightsError
from gaussian_core.models.published.arguments import Arguments
from gaussian_core.models.published.encoder import Check, Encoder, conv, no_check, shuffles
from gaussian_core.models.published.windows import (
    Perceptron,
    WindowAttention,
    add_perceptron,
    attend,
    bands,
    check_heads,
    join,
    mirrored,
    position_index,
    split,
)

TAIL_CHANNELS = 64


@dataclass(frozen=True)
class HATConfig:
    """channels C; depths and heads: one a group; window M; overlap: by which the keys' windows are wider; the rest as
    the paper names it. scale: of the tail."""

    channels: int
    depths: tuple[int, ...]
    heads: tuple[int, ...]
    window: int
    shift: int
    overlap: float
    compress: int
    squeeze: int
    conv_scale: float
    mlp_ratio: float
    qkv_bias: bool
    qk_scale: float | None
    patch_norm: bool
    group_conv: bool
    scale: int


class ChannelAttention(nn.Module):
    """x sigmoid(conv(relu(conv(mean of x)))): the mean over the whole picture, so all pixels reach each other."""

    def __init__(self, channels: int, squeeze: int) -> None:
        super().__init__()
        inner = channels // squeeze
        self.attention = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            conv(channels, inner, 1),
            nn.ReLU(),
            conv(inner, channels, 1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x * self.attention(x)


class ChannelAttentionBlock(nn.Module):
    """Two convolutions about a GELU and channel attention, equation 2."""

    def __init__(self, channels: int, compress: int, squeeze: int) -> None:
        super().__init__()
        inner = channels // compress
        self.cab = nn.Sequential(
            conv(channels, inner),
            nn.GELU(),
            conv(inner, channels),
            ChannelAttention(channels, squeeze),
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.cab(x)
        return out


class HybridAttentionBlock(nn.Module):
    """x + (S)W-MSA(LN x) + a CAB(LN x), then a perceptron, equation 1."""

    def __init__(self, config: HATConfig, heads: int, shift: int) -> None:
        super().__init__()
        c = config.channels
        self.shift, self.conv_scale = shift, config.conv_scale
        self.norm1 = nn.LayerNorm(c)
        self.attn = WindowAttention(c, config.window, heads, config.qkv_bias, config.qk_scale)
        self.conv_block = ChannelAttentionBlock(c, config.compress, config.squeeze)
        self.norm2 = nn.LayerNorm(c)
        self.mlp = Perceptron(c, int(c * config.mlp_ratio))

    def forward(self, x: Tensor, check: Check) -> Tensor:
        y = self.norm1(x)
        convolved = self.conv_block(y.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        check()
        x = x + self.attn(y, self.shift, check)
        x += convolved * self.conv_scale
        return add_perceptron(x, self.norm2, self.mlp, check)


class OverlappingCrossAttention(nn.Module):
    """Queries of a window attend to the keys of a wider one around it, then a perceptron: OCAB, equation 4."""

    def __init__(self, config: HATConfig, heads: int) -> None:
        super().__init__()
        c = config.channels
        check_heads(c, heads)
        self.window, self.heads = config.window, heads
        self.outer = config.window + int(config.window * config.overlap)
        if (self.outer - self.window) % 2:
            raise WeightsError(f"an overlap of {config.overlap} is not known here")
        self.scale = config.qk_scale or (c // heads) ** -0.5
        self.relative_position_bias_table = nn.Parameter(
            torch.zeros((self.window + self.outer - 1) ** 2, heads)
        )
        self.norm1 = nn.LayerNorm(c)
        self.qkv = nn.Linear(c, 3 * c, bias=config.qkv_bias)
        self.proj = nn.Linear(c, c)
        self.norm2 = nn.LayerNorm(c)
        self.mlp = Perceptron(c, int(c * config.mlp_ratio))

    def forward(self, x: Tensor, check: Check) -> Tensor:
        height, width = x.shape[1:3]
        m, outer = self.window, self.outer
        pad = (outer - m) // 2
        index = position_index(m, outer).to(x.device)
        bias = self.relative_position_bias_table[index].permute(2, 0, 1)[None].contiguous()
        q_weight, kv_weight = self._weights()
        out = torch.empty_like(x)
        for top, bottom in bands(height, m, width):
            first, last = max(0, top - pad), min(height, bottom + pad)
            y = self.norm1(x[:, first:last])
            q = split(F.linear(y[:, top - first : bottom - first], *q_weight), m)
            # Keys and values beyond the picture are zeros, not absent, as published.
            edges = (0, 0, pad, pad, pad - (top - first), pad - (last - bottom))
            kv = F.pad(F.linear(y, *kv_weight), edges)
            wide = kv.unfold(1, outer, m).unfold(
                2, outer, m
            )  # (B, rows, columns, 2 C, outer, outer)
            wide = wide.permute(0, 1, 2, 4, 5, 3).reshape(-1, outer * outer, kv.shape[-1])
            k, v = wide.chunk(2, -1)
            made = self.proj(attend(q, k, v, self.heads, bias, self.scale))
            out[:, top:bottom] = join(made, m, bottom - top, width) + x[:, top:bottom]
            check()
        return add_perceptron(out, self.norm2, self.mlp, check)

    def _weights(self) -> tuple[tuple[Tensor, Tensor | None], tuple[Tensor, Tensor | None]]:
        """Weights and biases of the queries, and of the keys and values."""
        weight, bias = self.qkv.weight, self.qkv.bias
        c = weight.shape[1]
        if bias is None:
            return (weight[:c], None), (weight[c:], None)
        return (weight[:c], bias[:c]), (weight[c:], bias[c:])


class AttentionBlocks(nn.Module):
    """The blocks of one group and its overlapping cross-attention."""

    def __init__(self, config: HATConfig, depth: int, heads: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            HybridAttentionBlock(config, heads, config.shift * (i % 2)) for i in range(depth)
        )
        self.overlap_attn = OverlappingCrossAttention(config, heads)


class Group(nn.Module):
    """RHAG: attention blocks, a convolution and a skip."""

    def __init__(self, config: HATConfig, depth: int, heads: int) -> None:
        super().__init__()
        self.residual_group = AttentionBlocks(config, depth, heads)
        self.conv = conv(config.channels, config.channels) if config.group_conv else nn.Identity()

    def forward(self, x: Tensor, check: Check) -> Tensor:
        y = x
        for block in self.residual_group.blocks:
            y = block(y, check)
        y = self.residual_group.overlap_attn(y, check)
        return self.conv(y.permute(0, 3, 1, 2)).permute(0, 2, 3, 1) + x


class Embedding(nn.Module):
    """The normalisation of the shallow features."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)


class WindowEncoder(Encoder):
    """What HAT and SwinIR share: groups of attention in windows between two convolutions, and a shortcut around all."""

    config: Any  # has window: a side of the windows, in pixels
    conv_first: nn.Conv2d
    patch_embed: Embedding | None
    layers: nn.ModuleList
    norm: nn.LayerNorm
    conv_after_body: nn.Module

    def deep(self, image: Tensor, check: Check = no_check) -> Tensor:
        shallow = self.conv_first(mirrored(image, self.config.window))
        x = shallow.permute(0, 2, 3, 1)
        if self.patch_embed is not None:
            x = self.patch_embed.norm(x)
        for group in self.layers:
            x = group(x, check)
        return self.conv_after_body(self.norm(x).permute(0, 3, 1, 2)) + shallow


class HAT(WindowEncoder):
    """Shallow features, groups, and the tail's features before its convolution to RGB. The input is not normalised."""

    def __init__(self, config: HATConfig) -> None:
        super().__init__()
        c = config.channels
        self.config = config
        self.out_dim, self.factor, self.tail_reach = TAIL_CHANNELS, config.scale, 4
        self.reach, self.lattice = None, config.window
        self.conv_first = conv(3, c)
        self.patch_embed = Embedding(c) if config.patch_norm else None
        self.layers = nn.ModuleList(
            Group(config, d, h) for d, h in zip(config.depths, config.heads, strict=True)
        )
        self.norm = nn.LayerNorm(c)
        self.conv_after_body = conv(c, c) if config.group_conv else nn.Identity()
        self.conv_before_upsample = nn.Sequential(conv(c, TAIL_CHANNELS), nn.LeakyReLU())
        self.upsample = nn.Sequential(*shuffles(config.scale, TAIL_CHANNELS))
        self.conv_last = conv(TAIL_CHANNELS, 3)  # in the files, unused

    def enlarge(self, features: Tensor) -> Tensor:
        enlarged: Tensor = self.upsample(self.conv_before_upsample(features))
        return enlarged

    def derived(self) -> dict[str, Tensor]:
        m = self.config.window
        outer = m + int(m * self.config.overlap)
        return {
            "relative_position_index_SA": position_index(m),
            "relative_position_index_OCA": position_index(m, outer),
        }


def make_hat(values: Any) -> HAT:
    arguments = Arguments("hat", values)
    read_common(arguments)
    arguments.choice("upsampler", "", ("pixelshuffle",))
    residual = arguments.choice("resi_connection", "1conv", ("1conv", "identity"))
    image, window = (
        arguments.integer("img_size", 64, most=1 << 16),
        arguments.integer("window_size", 7, 2, 64),
    )
    if image < window:
        raise WeightsError(
            f"hat with windows of {window} for pictures of {image} is not known here"
        )
    channels = arguments.integer("embed_dim", 96)
    config = HATConfig(
        channels=channels,
        depths=arguments.integers("depths", (6, 6, 6, 6), 64),
        heads=arguments.integers("num_heads", (6, 6, 6, 6), channels),
        window=window,
        shift=window // 2 if image > window else 0,
        overlap=float(arguments.number("overlap_ratio", 0.5) or 0.0),
        compress=arguments.integer("compress_ratio", 3, most=channels),
        squeeze=arguments.integer("squeeze_factor", 30, most=channels),
        conv_scale=float(arguments.number("conv_scale", 0.01) or 0.0),
        mlp_ratio=float(arguments.number("mlp_ratio", 4.0) or 0.0),
        qkv_bias=arguments.flag("qkv_bias", True),
        qk_scale=arguments.number("qk_scale", None),
        patch_norm=arguments.flag("patch_norm", True),
        group_conv=residual == "1conv",
        scale=arguments.integer("upscale", 2, most=8),
    )
    arguments.done()
    if len(config.depths) != len(config.heads) or not 0 <= config.overlap <= 2:
        raise WeightsError("the arguments of hat do not fit together")
    return HAT(config)


def read_common(arguments: Arguments) -> None:
    """What transformers for pictures take though only one value makes sense here."""
    arguments.integer("in_chans", 3, 3, 3)
    arguments.integer("patch_size", 1, 1, 1)
    arguments.number("img_range", 1.0)  # for the mean that the networks leave out
    if arguments.flag("ape", False):
        raise WeightsError(
            f"{arguments.owner} with positions for one size of picture is not known here"
        )
