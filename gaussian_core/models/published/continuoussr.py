"""ContinuousSR (arXiv 2503.06617) as its authors published it: what its checkpoints mean, number by number.

It differs from our own model of that name (models.continuoussr): a cell's reference point is its corner, the dictionary
mixes Cholesky factors and not covariances, and a colour is the amplitude itself, seen at points and not by pixels of an
area.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gaussian_core.errors import WeightsError
from gaussian_core.models.continuoussr import Cells
from gaussian_core.models.dictionary import L11, L21, L22, UNIT
from gaussian_core.models.published.encoder import Check, no_check
from gaussian_core.models.published.perceptron import MLP
from gaussian_core.models.published.registry import make_encoder

CELLS = 2  # a source pixel has CELLS x CELLS Gaussians
CHANNELS, QUERY = 256, 512
HEADS = (512, 1024, 256, 128, 64)
DRIFT = 1.0  # source pixels
PIXEL_SIGMA = 0.0  # the footprint it was trained with: points
CHUNK = 1 << 13  # cells at a time: 730 similarities each
# Entries of the dictionary are 0 too, and a Gaussian needs some width; the published renderer drops those.
LEAST_WIDTH = 0.005  # source pixels


def cholesky_dictionary() -> Tensor:
    """(730, 3): l11, l21, l22, in quarters of a source pixel: all combinations, and zero."""
    grid = np.stack(np.meshgrid(L11, L21, L22, indexing="ij"), -1).reshape(-1, 3)
    return torch.from_numpy(np.concatenate([grid, np.zeros((1, 3))]).astype(np.float32))


class PublishedContinuousSR(nn.Module):
    """An encoder whose features lie on four points a source pixel and axis, and heads on the grid of cells.

    Raises WeightsError for an encoder that is unknown or gives other features.
    """

    def __init__(self, encoder: str, encoder_args: Mapping[str, Any]) -> None:
        super().__init__()
        self.encoder = make_encoder(encoder, encoder_args)
        given = (self.encoder.factor, self.encoder.out_dim)
        if given != (2 * CELLS, CHANNELS // 4):
            raise WeightsError(
                f"its encoder gives {given[1]} features at {given[0]} points a pixel, ContinuousSR needs 64 at 4"
            )
        self.conv1 = nn.Conv2d(CHANNELS, QUERY, 3, padding=1)
        self.mlp_vector = MLP(3, QUERY, (256, 512, 512, 512), nn.GELU)
        self.mlp = MLP(CHANNELS, 3, HEADS, nn.GELU)
        self.mlp_offset = MLP(CHANNELS, 2, HEADS, nn.GELU)

    @property
    def tail_reach(self) -> int:
        """Source pixels to each side whose deep features decide a Gaussian."""
        return self.encoder.tail_reach + 1

    def features(self, image: Tensor, check: Check = no_check) -> Tensor:
        """(B, 3, H, W) in [0, 1], not normalised -> (B, 256, 2 H, 2 W)."""
        return F.pixel_unshuffle(self.encoder(image, check), 2)

    def from_deep(self, deep: Tensor) -> Tensor:
        """The encoder's deep features (B, C, H, W) -> (B, 256, 2 H, 2 W)."""
        return F.pixel_unshuffle(self.encoder.enlarge(deep), 2)

    def embedding(self) -> Tensor:
        """(730, 512): the dictionary's entries as the similarity sees them."""
        out: Tensor = self.mlp_vector(cholesky_dictionary().to(self.conv1.weight))
        return out

    def gaussians(self, features: Tensor, embedding: Tensor | None = None) -> Cells:
        """The Gaussians of features (B, 256, 2 H, 2 W), float32, in source pixels from the first one's corner."""
        b, _, h, w = features.shape
        entries = cholesky_dictionary().to(features.device) * UNIT
        vectors = self.embedding() if embedding is None else embedding
        softened = F.leaky_relu(features, 0.01)
        queries = self.conv1(softened).flatten(2).transpose(1, 2).reshape(-1, QUERY)
        flat = features.flatten(2).transpose(1, 2).reshape(-1, CHANNELS)
        soft = softened.flatten(2).transpose(1, 2).reshape(-1, CHANNELS)
        parts = []
        for some in range(0, len(flat), CHUNK):
            cells = slice(some, some + CHUNK)
            weights = (queries[cells] @ vectors.T).float().softmax(1)
            drift = torch.tanh(self.mlp_offset(soft[cells]).float()) * DRIFT
            parts.append(torch.cat([weights @ entries, drift, self.mlp(flat[cells]).float()], 1))
        table = torch.cat(parts).reshape(b, h, w, 8).permute(0, 3, 1, 2)
        l11, l21, l22 = table[:, 0], table[:, 1], table[:, 2]
        l11, l22 = l11.clamp_min(LEAST_WIDTH), l22.clamp_min(LEAST_WIDTH)
        covariances = torch.stack([l11 * l11, l11 * l21, l21 * l21 + l22 * l22], 1)
        xs = torch.arange(w, device=table.device, dtype=torch.float32) / CELLS
        ys = torch.arange(h, device=table.device, dtype=torch.float32) / CELLS
        corners = torch.stack([xs.expand(h, w), ys[:, None].expand(h, w)])
        return Cells(corners + table[:, 3:5], covariances, table[:, 5:])

    def forward(self, image: Tensor) -> Cells:
        return self.gaussians(self.features(image))
