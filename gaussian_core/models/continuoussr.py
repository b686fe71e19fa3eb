"""ContinuousSR (arXiv 2503.06617): from a picture to the Gaussians of a sharper continuous scene."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gaussian_core.convolution.kernel import STEP
from gaussian_core.convolution.winograd import heads, is_fast
from gaussian_core.errors import WeightsError
from gaussian_core.models import dictionary
from gaussian_core.models.config import GEOMETRY_RATE, STRUCTURE_REACH, ModelConfig
from gaussian_core.models.density import tensor_density
from gaussian_core.models.encoders import make_encoder

LEAST_VARIANCE = 0.02**2  # source pixels squared


class Cells(NamedTuple):
    """Gaussians on the lattice of cells, h = G H rows and w = G W columns, in source pixels of the input."""

    means: Tensor  # (B, 2, h, w): x, y
    covariances: Tensor  # (B, 3, h, w): xx, xy, yy
    amplitudes: Tensor  # (B, 3, h, w)


def structure_tensor(image: Tensor) -> tuple[Tensor, Tensor]:
    """(elongation along the edge) (B, 2, H, W) as coherence times (cos, sin) of twice the edge's angle.

    From the smoothed structure tensor of the luma (Bigun and Granlund 1987); 0 where nothing has a direction.
    """
    luma = image.mean(1, keepdim=True)
    p = F.pad(luma, (1, 1, 1, 1), mode="replicate")
    gx = (p[..., 1:-1, 2:] - p[..., 1:-1, :-2]) / 2
    gy = (p[..., 2:, 1:-1] - p[..., :-2, 1:-1]) / 2
    products = torch.cat([gx * gx, gx * gy, gy * gy], 1)
    taps = torch.tensor([0.06, 0.24, 0.4, 0.24, 0.06], dtype=image.dtype, device=image.device)
    kernel = (taps[:, None] * taps[None, :]).expand(3, 1, 5, 5)
    xx, xy, yy = F.conv2d(F.pad(products, (2, 2, 2, 2), mode="replicate"), kernel, groups=3).unbind(
        1
    )
    total = xx + yy + 2e-4
    return (yy - xx) / total, -2 * xy / total


def colours_of(image: Tensor) -> Tensor:
    """(B, 3, H, W): what the network sees of image (B, C, H, W), grey (C = 1), RGB or RGB with alpha."""
    return image[:, :3] if image.shape[1] >= 3 else image[:, :1].expand(-1, 3, -1, -1)


class ContinuousSR(nn.Module):
    """forward(image (B, 3, H, W) in [0, 1]) -> Cells of shape (G H, G W)."""

    prior: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        cells = config.cells**2
        self.encoder = make_encoder(
            config.encoder,
            config.channels,
            config.blocks,
            config.deep_channels,
            config.deep_blocks,
            config.slope,
        )
        if config.margin % self.encoder.lattice:
            raise WeightsError(f"The margin must be a multiple of {self.encoder.lattice} pixels.")
        if config.dictionary == "published":
            prior = torch.from_numpy(dictionary.published())
            if config.covariance == "log":
                prior = _log_of(prior) - 2 * math.log(config.spread) * torch.tensor([1.0, 0.0, 1.0])
        else:
            prior = torch.from_numpy(
                dictionary.compact(config.dictionary_size, config.dictionary_range)
            )
            if config.covariance == "linear":
                prior = torch.stack(_exponential(*prior.unbind(1)), 1) * config.spread**2
        self.register_buffer("prior", prior, persistent=False)
        self.shape_outputs = 3 if config.covariance == "direct" else len(prior)
        self.geometry_outputs = self.shape_outputs + (2 if config.drift > 0 else 0)
        self.hidden = nn.Conv2d(config.channels, config.hidden, 1)
        self.colour = nn.Conv2d(config.hidden, 3 * cells, 1)
        self.geometry = nn.Conv2d(config.hidden, self.geometry_outputs * cells, 1)
        with torch.no_grad():
            for head in (self.colour, self.geometry):
                head.weight.mul_(0.1)
                if head.bias is not None:
                    head.bias.zero_()

    @property
    def reach(self) -> int:
        """Source pixels to each side that decide the Gaussians of one, wherever on the encoder's lattice it is."""
        return max(self.encoder.reach + self.encoder.lattice - 1, STRUCTURE_REACH)

    def features(self, image: Tensor, check: Callable[[], None] | None = None) -> Tensor:
        """(B, hidden, H, W): what the heads read."""
        return _each_pixel(self.hidden, self.encoder(image - 0.5, check)).relu_()

    def outputs(self, image: Tensor, check: Callable[[], None] | None = None) -> Tensor:
        """Both heads' raw outputs (3 n + geometry_outputs n, H - 2 reach, W - 2 reach) of one picture (1, 3, H, W), n =
        cells^2 of each one after the other: one product with the weights of both, which leaves every output's plane in
        one piece.

        Nothing is padded: they are without the encoder's reach on each side. encoder.inner says which pixels the
        picture may begin with.
        """
        features = self.encoder.inner(image - 0.5, check)
        weight, bias = self._both_heads()
        if is_fast(features) and self.config.hidden % STEP == 0:
            return heads(features, self.hidden, weight, bias)
        features = self.hidden(features).relu_()
        _, channels, h, w = features.shape
        pixels = features.permute(0, 2, 3, 1).reshape(h * w, channels)
        return torch.addmm(bias[:, None], weight, pixels.T).reshape(-1, h, w)

    def heads(
        self, image: Tensor, check: Callable[[], None] | None = None
    ) -> tuple[Tensor, Tensor]:
        """Raw colour and geometry (B, outputs, G H, G W); the part worth running in bfloat16.

        check: called between layers, to raise Cancelled where the work is no longer wanted.
        """
        features = self.features(image, check)
        g = self.config.cells
        colour, geometry = (_each_pixel(layer, features) for layer in (self.colour, self.geometry))
        return F.pixel_shuffle(colour, g), F.pixel_shuffle(geometry, g)

    def _both_heads(self) -> tuple[Tensor, Tensor]:
        """The weights (O, hidden) and biases of both heads as of one."""
        weight = torch.cat([self.colour.weight, self.geometry.weight]).flatten(1)
        return weight, torch.cat([self.colour.bias, self.geometry.bias])  # type: ignore[list-item]

    def planes(self, image: Tensor) -> Tensor:
        """(B, O, H, W): both heads' raw outputs, the colours of the cells of a pixel, then their geometry."""
        weight, bias = self._both_heads()
        pixels = self.encoder(image - 0.5).permute(0, 2, 3, 1)
        # Pixel by pixel, gradients too: the activation's is slow where one tensor is turned and the other is not.
        features = F.linear(pixels, self.hidden.weight.flatten(1), self.hidden.bias).relu_()
        return F.linear(features, weight, bias).permute(0, 3, 1, 2)

    def forward(self, image: Tensor) -> Cells:
        colour, geometry = self.heads(image)
        return self.gaussians(image, colour.float(), geometry.float())

    def gaussians(self, image: Tensor, colour: Tensor, geometry: Tensor) -> Cells:
        """The Gaussians that raw head outputs stand for."""
        config = self.config
        g = config.cells
        b, _, h, w = colour.shape
        shape, drift = geometry.split(
            [self.shape_outputs, self.geometry_outputs - self.shape_outputs], 1
        )
        variance = config.spread**2
        if config.covariance == "linear":
            weights = torch.softmax(shape * GEOMETRY_RATE, 1)
            xx, xy, yy = torch.einsum("bkhw,kc->cbhw", weights, self.prior).unbind(0)
            xx, yy = xx + LEAST_VARIANCE, yy + LEAST_VARIANCE
        else:
            if config.covariance == "log":
                weights = torch.softmax(shape * GEOMETRY_RATE, 1)
                lxx, lxy, lyy = torch.einsum("bkhw,kc->cbhw", weights, self.prior).unbind(0)
            else:
                lxx, lxy, lyy = (shape * GEOMETRY_RATE).unbind(1)
            if config.elongation > 0:
                c, s = structure_tensor(image)
                c, s = (_repeat(v * config.elongation, g) for v in (c, s))
                # Mostly longer, a little thinner: thin ones leave gaps between neighbours in flat areas.
                longer = 0.5 * torch.sqrt(c * c + s * s + 1e-12)
                lxx, lxy, lyy = lxx + longer + c, lxy + s, lyy + longer - c
            xx, xy, yy = (variance * v for v in _exponential(lxx, lxy, lyy))
        # The colour is spread over the Gaussian's area: a wider one is fainter, brightness stays.
        covariances = torch.stack([xx, xy, yy], 1)
        amplitudes = self.base(image, covariances) + colour * self.density(covariances)
        xs = (torch.arange(w, device=image.device, dtype=image.dtype) + 0.5) / g
        ys = (torch.arange(h, device=image.device, dtype=image.dtype) + 0.5) / g
        means = torch.stack([xs.expand(b, h, w), ys[:, None].expand(b, h, w)], 1)
        if config.drift > 0:
            means = means + config.drift * torch.tanh(drift * GEOMETRY_RATE)
        return Cells(means, covariances, amplitudes)

    def density(self, covariances: Tensor) -> Tensor:
        """(B, 1, h, w): what a Gaussian of a cell's share of area, 1/G^2 pixels, has at its centre for the colour 1."""
        return tensor_density(covariances.unbind(1), self.config.cells)[:, None]

    def base(self, image: Tensor, covariances: Tensor) -> Tensor:
        """(B, C, h, w): amplitudes that show the bicubic enlargement of image (B, C, H, W)."""
        g = self.config.cells
        enlarged = F.interpolate(image, scale_factor=g, mode="bicubic", align_corners=False)
        return enlarged * self.density(covariances)


def _each_pixel(layer: nn.Conv2d, x: Tensor) -> Tensor:
    """A convolution of 1 x 1 as the product of matrices that it is, without the copies of the CPU's general one."""
    pixels = F.linear(x.permute(0, 2, 3, 1), layer.weight.flatten(1), layer.bias)
    return pixels.permute(0, 3, 1, 2)


def _repeat(x: Tensor, times: int) -> Tensor:
    return x.repeat_interleave(times, -1).repeat_interleave(times, -2)


def _exponential(a: Tensor, b: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """exp of the symmetric matrix (a, b; b, c): exp(m) (cosh r I + sinh r / r (A - m I)), r^2 = ((a-c)/2)^2 + b^2.

    The standard deviations are kept within [e^-1.5, e^0.9] of the start: wider ones would be cut by the lattice.
    """
    m, d = (a + c) / 2, (a - c) / 2
    r = torch.sqrt(d * d + b * b + 1e-8)
    shrink = r.clamp(max=1.5) / r
    r, d, b = r * shrink, d * shrink, b * shrink
    m = torch.minimum(m, 1.8 - r)
    m = torch.maximum(m, r - 3.0)
    size = torch.exp(m)
    cosh, slope = size * torch.cosh(r), size * torch.sinh(r) / r
    return cosh + slope * d, slope * b, cosh - slope * d


def _log_of(covariances: Tensor) -> Tensor:
    """Matrix logarithms (K, 3) of covariances (K, 3), variances raised to the least one first."""
    xx, xy, yy = covariances.double().unbind(1)
    values, vectors = torch.linalg.eigh(torch.stack([xx, xy, xy, yy], 1).reshape(-1, 2, 2))
    logs = vectors @ torch.diag_embed(values.clamp_min(LEAST_VARIANCE).log()) @ vectors.mT
    return torch.stack([logs[:, 0, 0], logs[:, 0, 1], logs[:, 1, 1]], 1).float()
