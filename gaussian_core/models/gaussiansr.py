"""GaussianSR (arXiv 2407.18046): features are splatted, a decoder turns them into colours pixel by pixel.

Every source pixel carries one Gaussian, a softmax mixture of a learnable bank of kernels (*selective Gaussian
splatting*). Some feature channels are splatted by these, the others enlarged bicubically (*dual-stream feature
decoupling*); per output pixel a decoder makes the colour of coef * [cos, sin](pi (freq . d + phase . cell)), d: the
way from the centre of the source pixel.

As in the paper every pixel's kernel is the mixture itself; the authors' program draws kernels at random when it is
tested and averages them over patches, so that no two runs agree. The paper leaves the unit of the bank open: here it
is a quarter of a source pixel, at every scale.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gaussian_core.models.published.encoder import Check, no_check
from gaussian_core.models.published.perceptron import MLP
from gaussian_core.models.published.registry import make_encoder

UNIT = 0.25  # source pixels
SIDE = 10  # the bank is a grid of SIDE x SIDE kernels
LEAST, MOST = 0.2, 3.0  # their standard deviations, units
REACH = 3  # source pixels: what a kernel is summed over when sampled
VARIANCE_FLOOR = 1e-5  # units squared, as published
LARGEST_RHO = 0.95


@dataclass(frozen=True)
class GaussianSRConfig:
    """encoder, encoder_args: as the registry of encoders names them. splatted: feature channels that are splatted, at
    most 8. enlarged: the decoder's colours are added to the bicubic enlargement of the picture, which a short training
    needs; the published network has none. frequencies: width of the decoder's input. hidden: widths of its layers.
    offset, spread: the network sees and gives (value - offset) / spread."""

    encoder: str = "edsr-baseline"
    encoder_args: Mapping[str, Any] = field(default_factory=lambda: {"no_upsampling": True})
    splatted: int = 8
    enlarged: bool = False
    frequencies: int = 256
    hidden: Sequence[int] = (256, 256, 256, 256)
    offset: float = 0.5
    spread: float = 1.0


class Encoded(NamedTuple):
    """Of a picture or a part of one, a vector a source pixel."""

    features: Tensor  # (B, C, h, w)
    kernels: Tensor  # (B, 4, h, w): covariance xx, xy, yy in source pixels squared, and opacity
    image: Tensor  # (B, 3, h, w): the picture


class GaussianSR(nn.Module):
    """`encode` once, `sample` or `decode` at output pixels. Raises WeightsError for an unknown encoder.

    note: what the user should know of these weights. centre: of a kernel, from its source pixel's corner, both axes.
    reach: source pixels to each side whose kernels count.
    """

    note: str = ""
    centre: float = 0.5
    reach: int = REACH

    def __init__(self, config: GaussianSRConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = make_encoder(config.encoder, config.encoder_args)
        channels = self.encoder.out_dim
        if not 1 <= config.splatted <= min(8, channels):
            raise ValueError(f"1 to 8 of {channels} channels can be splatted")
        deviations = torch.linspace(LEAST, MOST, SIDE)
        across, down = torch.meshgrid(deviations, deviations, indexing="ij")
        self.sigma_x, self.sigma_y = nn.Parameter(across.flatten()), nn.Parameter(down.flatten())
        start = 1 / (1 + math.exp(-1))  # as published
        self.opacity = nn.Parameter(torch.full((SIDE * SIDE, 1), start))
        self.rho = nn.Parameter(torch.zeros(SIDE * SIDE, 1))
        self.selection = nn.Conv2d(channels, SIDE * SIDE, 3, padding=1)
        self.coef = nn.Conv2d(channels, config.frequencies, 3, padding=1)
        self.freq = nn.Conv2d(channels, config.frequencies, 3, padding=1)
        self.phase = nn.Linear(2, config.frequencies // 2, bias=False)
        self.fc = MLP(config.frequencies, 3, config.hidden)
        if config.enlarged:
            last: nn.Linear = self.fc.layers[-1]  # type: ignore[assignment]
            with torch.no_grad():
                last.weight.mul_(0.1)  # starts as the enlargement

    def encode(self, image: Tensor, check: Check = no_check) -> Encoded:
        """(B, 3, H, W) in [0, 1] -> features and the kernel of every source pixel."""
        features = self.encoder(self.prepare(image), check)
        return Encoded(features, self.kernels(features), image)

    def prepare(self, image: Tensor) -> Tensor:
        """What the encoder sees."""
        return (image - self.config.offset) / self.config.spread

    def kernels(self, features: Tensor) -> Tensor:
        """(B, 4, H, W): selective Gaussian splatting, section 3.2: each pixel's mixture of the bank."""
        weights = torch.softmax(self.selection(features).float(), 1)
        bank = torch.cat(
            [self.sigma_x[:, None], self.sigma_y[:, None], self.rho, self.opacity], 1
        ).to(weights)
        sx, sy, rho, opacity = torch.einsum("bkhw,kc->cbhw", weights, bank).unbind(0)
        rho = rho.clamp(-LARGEST_RHO, LARGEST_RHO)
        shape = [sx * sx + VARIANCE_FLOOR, rho * sx * sy, sy * sy + VARIANCE_FLOOR]
        return torch.stack([*(UNIT**2 * v for v in shape), opacity], 1)

    def sample(self, encoded: Encoded, positions: Tensor, cell: Tensor) -> Tensor:
        """Colours (B, 3, h - 2, w - 2) of output pixels that are neighbours, without the outermost.

        positions (B, 2, h, w): x, y of their centres in source pixels. cell (B,): their side in source pixels.
        """
        features, extent = encoded.features, (encoded.image.shape[-2], encoded.image.shape[-1])
        kernels = self.kernels_at(encoded.kernels, cell)
        splatted = splat(
            features[:, : self.config.splatted], kernels, positions, self.centre, self.reach
        )
        others = bicubic(features[:, self.config.splatted :], positions)
        seen = self.join(splatted, others, positions, extent)
        return self.decode(seen, positions, cell, bicubic(encoded.image, positions))

    def kernels_at(self, kernels: Tensor, cell: Tensor) -> Tensor:
        """Kernels (B, 4, h, w) as they are splatted onto output pixels of side cell (B,), source pixels."""
        return kernels

    def join(
        self, splatted: Tensor, others: Tensor, positions: Tensor, extent: tuple[int, int]
    ) -> Tensor:
        """The two streams of features (B, C, h, w) as the decoder sees them. extent: (height, width) of the picture."""
        return torch.cat([splatted, others], 1)

    def decode(self, seen: Tensor, positions: Tensor, cell: Tensor, enlarged: Tensor) -> Tensor:
        """From features (B, C, h, w) at the positions to colours (B, 3, h - 2, w - 2): section 3.4.

        enlarged (B, 3, h, w): the picture there, interpolated, for networks that add to it.
        """
        inner = positions[..., 1:-1, 1:-1]
        away = 2 * (inner - inner.floor() - 0.5)  # published coordinates: 2 a source pixel
        size = self.phase((2 * cell)[:, None].expand(-1, 2).to(self.phase.weight))
        coef = F.conv2d(seen, self.coef.weight, self.coef.bias)
        freq = F.conv2d(seen, self.freq.weight, self.freq.bias)
        # Frequencies come in pairs, down and across.
        down, across = freq.unflatten(1, (-1, 2)).unbind(2)
        angle = math.pi * (
            down * away[:, 1, None] + across * away[:, 0, None] + size[:, :, None, None]
        )
        basis = torch.cat([torch.cos(angle), torch.sin(angle)], 1).to(coef.dtype)
        colours = self.fc((coef * basis).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        if self.config.enlarged:
            return colours * self.config.spread + enlarged[..., 1:-1, 1:-1].to(colours.dtype)
        return colours * self.config.spread + self.config.offset


def splat(
    features: Tensor,
    kernels: Tensor,
    positions: Tensor,
    centre: float = 0.5,
    reach: int = REACH,
) -> Tensor:
    """(B, C, h, w): the sum of the pixels' Gaussians, as high as opacity times feature, at positions (B, 2, h, w).

    features (B, C, H, W), kernels (B, 4, H, W), centred `centre` source pixels from their pixels' corners. The
    (2 reach + 1)^2 source pixels around each position are summed.
    """
    batch, channels, height, width = features.shape
    table = torch.cat([kernels.float(), features.float() * kernels[:, 3:].float()], 1)
    flat = table.permute(0, 2, 3, 1).reshape(-1, 4 + channels)
    x, y = positions.unbind(1)
    start = torch.arange(batch, device=x.device)[:, None, None] * (height * width)
    total = torch.zeros(*x.shape, channels, device=x.device)
    column, row = (x - centre + 0.5).floor(), (y - centre + 0.5).floor()
    for i in range(-reach, reach + 1):
        for j in range(-reach, reach + 1):
            r, c = row + i, column + j
            inside = (r >= 0) & (r < height) & (c >= 0) & (c < width)
            index = start + (r.clamp(0, height - 1) * width + c.clamp(0, width - 1)).long()
            part = flat[index]
            xx, xy, yy = part[..., 0], part[..., 1], part[..., 2]
            dx, dy = x - c - centre, y - r - centre
            power = (yy * dx * dx - 2 * xy * dx * dy + xx * dy * dy) / (xx * yy - xy * xy)
            weight = torch.exp(-0.5 * power) * inside
            total = total + weight[..., None] * part[..., 4:]
    return total.permute(0, 3, 1, 2)


def bicubic(features: Tensor, positions: Tensor) -> Tensor:
    """(B, C, h, w): features (B, C, H, W), interpolated at positions (B, 2, h, w), the border going on."""
    height, width = features.shape[-2:]
    size = positions.new_tensor([width, height])
    grid = positions.permute(0, 2, 3, 1) * 2 / size - 1
    return F.grid_sample(
        features.float(), grid, mode="bicubic", padding_mode="border", align_corners=False
    )
