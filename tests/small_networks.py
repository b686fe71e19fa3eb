"""Small networks with weights drawn at random, by each of the two implementations, and pictures for them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from gaussian_core.models.config import ModelConfig
from gaussian_core.models.continuoussr import ContinuousSR
from gaussian_core.models.plain_network import PlainNetwork
from gaussian_core.models.torch_network import TorchNetwork

SMALL = ModelConfig(channels=16, blocks=3, hidden=16, elongation=0.4)
CONFIGS = {
    "residual": SMALL,
    "two-scale": replace(SMALL, encoder="two-scale", deep_channels=32, deep_blocks=2),
    "an even number of blocks": replace(
        SMALL, blocks=2, encoder="two-scale", deep_channels=16, deep_blocks=1
    ),
    "no blocks": replace(SMALL, blocks=0),
    "direct": replace(SMALL, covariance="direct"),
    "round, fixed, relu": replace(SMALL, elongation=0.0, drift=0.0, slope=0.0),
    "nine a pixel": replace(SMALL, cells=3, dictionary_size=5),
}


def check():
    pass


def twins(config, seed=0):
    torch.manual_seed(seed)
    model = ContinuousSR(config).eval().requires_grad_(False)
    for p in model.parameters():
        p.add_(0.05 * torch.randn_like(p))
    tensors = {name: t.numpy().copy() for name, t in model.state_dict().items()}
    plain = PlainNetwork("w.safetensors", config, tensors)
    slow = TorchNetwork.__new__(TorchNetwork)
    slow.model, slow.config, slow.inner = model, config, True
    slow.encoder_reach = model.encoder.reach
    slow._dtype, slow.torch_device = torch.float32, torch.device("cpu")
    return plain, slow


def surrounded(network, height, width, channels=3):
    """Pixels, and the rectangle (x0, y0, x1, y1) in them of height x width ones whose Gaussians the network can make of
    these."""
    reach = max(network.encoder_reach, 4)  # at least what the bicubic colour reads
    sides = (n + n % network.lattice + 2 * reach for n in (height, width))
    return picture(*sides, channels), (reach, reach, reach + width, reach + height)


def picture(height, width, channels=3, seed=3):
    rng = np.random.default_rng(seed)
    pixels = rng.random((height, width, channels), np.float32)
    pixels[:, width // 2 :] *= 0.2
    return pixels
