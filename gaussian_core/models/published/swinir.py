"""SwinIR (arXiv 2108.10257)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from gaussian_core.errors import WeightsError
from gaussian_core.models.published.arguments import Arguments
from gaussian_core.models.published.encoder import Check, conv, shuffles
from gaussian_core.models.published.hat import TAIL_CHANNELS, Embedding, WindowEncoder, read_common
from gaussian_core.models.published.windows import (
    Perceptron,
    WindowAttention,
    add_perceptron,
    position_index,
    shift_mask,
)


@dataclass(frozen=True)
class SwinIRConfig:
    """As HATConfig. image: side of the pictures that it was trained for; scale: of the tail, None without one."""

    channels: int
    depths: tuple[int, ...]
    heads: tuple[int, ...]
    window: int
    shift: int
    mlp_ratio: float
    qkv_bias: bool
    qk_scale: float | None
    patch_norm: bool
    group_conv: str
    image: int
    scale: int | None


class TransformerLayer(nn.Module):
    """x + (S)W-MSA(LN x), then x + MLP(LN x), equation 8."""

    def __init__(self, config: SwinIRConfig, heads: int, shift: int) -> None:
        super().__init__()
        c = config.channels
        self.shift = shift
        self.norm1 = nn.LayerNorm(c)
        self.attn = WindowAttention(c, config.window, heads, config.qkv_bias, config.qk_scale)
        self.norm2 = nn.LayerNorm(c)
        self.mlp = Perceptron(c, int(c * config.mlp_ratio))

    def forward(self, x: Tensor, check: Check) -> Tensor:
        x = x + self.attn(self.norm1(x), self.shift, check)
        return add_perceptron(x, self.norm2, self.mlp, check)


class Layers(nn.Module):
    """The layers of one group."""

    def __init__(self, config: SwinIRConfig, depth: int, heads: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            TransformerLayer(config, heads, config.shift * (i % 2)) for i in range(depth)
        )


class Group(nn.Module):
    """RSTB: transformer layers, convolution and a skip, equation 4."""

    def __init__(self, config: SwinIRConfig, depth: int, heads: int) -> None:
        super().__init__()
        self.residual_group = Layers(config, depth, heads)
        self.conv = _convolution(config)

    def forward(self, x: Tensor, check: Check) -> Tensor:
        y = x
        for layer in self.residual_group.blocks:
            y = layer(y, check)
        return self.conv(y.permute(0, 3, 1, 2)).permute(0, 2, 3, 1) + x


def _convolution(config: SwinIRConfig) -> nn.Module:
    """One 3x3 convolution, or three with a bottleneck."""
    c = config.channels
    if config.group_conv == "1conv":
        return conv(c, c)
    inner = c // 4
    return nn.Sequential(
        conv(c, inner),
        nn.LeakyReLU(0.2),
        conv(inner, inner, 1),
        nn.LeakyReLU(0.2),
        conv(inner, c),
    )


class SwinIR(WindowEncoder):
    """Shallow features, groups, and the features before the convolution to RGB. The input is not normalised."""

    def __init__(self, config: SwinIRConfig) -> None:
        super().__init__()
        c = config.channels
        self.config = config
        self.out_dim, self.tail_reach = TAIL_CHANNELS, 1
        # Windows moved by half of one, layer after layer: all the picture within some hundred pixels.
        self.reach, self.lattice = None, config.window
        self.conv_first = conv(3, c)
        self.patch_embed = Embedding(c) if config.patch_norm else None
        self.layers = nn.ModuleList(
            Group(config, d, h) for d, h in zip(config.depths, config.heads, strict=True)
        )
        self.norm = nn.LayerNorm(c)
        self.conv_after_body = _convolution(config)
        self.conv_before_upsample = nn.Sequential(conv(c, TAIL_CHANNELS), nn.LeakyReLU())
        self.upsample: nn.Sequential | None = None
        if config.scale is not None:
            self.factor, self.tail_reach = config.scale, 4
            self.upsample = nn.Sequential(*shuffles(config.scale, TAIL_CHANNELS))
            self.conv_last = conv(TAIL_CHANNELS, 3)  # in the files, unused

    def enlarge(self, features: Tensor) -> Tensor:
        x: Tensor = self.conv_before_upsample(features)
        return x if self.upsample is None else self.upsample(x)

    def derived(self) -> dict[str, Tensor]:
        config = self.config
        side = config.image - config.image % config.window
        found: dict[str, Tensor] = {}
        for g, depth in enumerate(config.depths):
            for i in range(depth):
                layer = f"layers.{g}.residual_group.blocks.{i}"
                found[f"{layer}.attn.relative_position_index"] = position_index(config.window)
                if config.shift and i % 2 and side == config.image:
                    found[f"{layer}.attn_mask"] = shift_mask(
                        side, side, config.window, config.shift
                    )
        return found


def make_swinir(values: Any) -> SwinIR:
    """The published registry makes SwinIR of its defaults alone (no_upsampling); others name every argument."""
    arguments = Arguments("swinir", values)
    read_common(arguments)
    arguments.flag("no_upsampling", True)
    upsampler = arguments.choice("upsampler", "none", ("none", "pixelshuffle"))
    scale = arguments.integer("upscale", 2, most=8)
    image = arguments.integer("img_size", 48, most=256)
    window = arguments.integer("window_size", 8, 2, 64)
    if image < window:
        raise WeightsError(
            f"swinir with windows of {window} for pictures of {image} is not known here"
        )
    channels = arguments.integer("embed_dim", 180)
    config = SwinIRConfig(
        channels=channels,
        depths=arguments.integers("depths", (6,) * 6, 64),
        heads=arguments.integers("num_heads", (6,) * 6, channels),
        window=window,
        shift=window // 2 if image > window else 0,
        mlp_ratio=float(arguments.number("mlp_ratio", 2.0) or 0.0),
        qkv_bias=arguments.flag("qkv_bias", True),
        qk_scale=arguments.number("qk_scale", None),
        patch_norm=arguments.flag("patch_norm", True),
        group_conv=arguments.choice("resi_connection", "1conv", ("1conv", "3conv")),
        image=image,
        scale=scale if upsampler == "pixelshuffle" else None,
    )
    arguments.done()
    if len(config.depths) != len(config.heads):
        raise WeightsError("the arguments of swinir do not fit together")
    return SwinIR(config)
