"""Small checkpoints in the published formats, made by the tests: random weights, the authors' names and shapes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gaussian_core.models.published.container import Checkpoint
from gaussian_core.models.published.opening import describe
from tests.shared_data import shared_path

EDSR = {"name": "edsr-baseline", "args": {"n_resblocks": 2, "n_feats": 8, "no_upsampling": True}}
HAT = {
    "name": "hat",
    "args": {
        "upscale": 4,
        "img_size": 8,
        "window_size": 4,
        "compress_ratio": 3,
        "squeeze_factor": 6,
        "depths": [2],
        "embed_dim": 12,
        "num_heads": [3],
        "mlp_ratio": 2,
        "upsampler": "pixelshuffle",
    },
}
SWINIR = {
    "name": "swinir",
    "args": {
        "upscale": 4,
        "img_size": 8,
        "window_size": 4,
        "depths": [2],
        "embed_dim": 12,
        "num_heads": [3],
        "upsampler": "pixelshuffle",
    },
}
EDSR_TAIL = {"name": "edsr-baseline", "args": {"n_resblocks": 2, "n_feats": 64, "scale": 4}}


def liif_args(encoder: dict[str, Any] = EDSR, **switches: bool) -> dict[str, Any]:
    perceptron = {"name": "mlp", "args": {"out_dim": 3, "hidden_list": [16, 12]}}
    return {"encoder_spec": encoder, "imnet_spec": perceptron, **switches}


def continuoussr_args(encoder: dict[str, Any] = HAT) -> dict[str, Any]:
    return {"encoder_spec": encoder, "cnn_spec": None, "fc_spec": None}


def random_tensors(name: str, args: dict[str, Any], seed: int = 0) -> dict[str, Tensor]:
    """Values that keep signals alive, and the tables that the authors' files carry besides."""
    generator = torch.Generator().manual_seed(seed)
    with torch.device("meta"):
        model = describe(name, args)
    made: dict[str, Tensor] = {}
    for key, value in model.state_dict().items():
        fan = max(1, value[0].numel()) if value.ndim > 1 else 1
        noise = torch.randn(value.shape, generator=generator)
        if ".norm" in key:
            noise = 1 + 0.1 * noise if key.endswith("weight") else 0.1 * noise
        elif value.ndim > 1:
            noise *= (2 / fan) ** 0.5
        else:
            noise *= 0.1
        made[key] = noise
    return {**made, **{f"encoder.{k}": v for k, v in model.encoder.derived().items()}}


def save(
    path: Path, name: str, args: dict[str, Any], tensors: dict[str, Tensor] | None = None
) -> Path:
    sd = random_tensors(name, args) if tensors is None else tensors
    torch.save({"model": {"name": name, "args": args, "sd": sd}, "epoch": 3}, path)
    return path


def checkpoint(name: str, args: dict[str, Any], seed: int = 0) -> Checkpoint:
    return Checkpoint(Path(f"{name}.pth"), name, args, random_tensors(name, args, seed))


def golden(name: str) -> tuple[Path, dict[str, NDArray[Any]]]:
    """A checkpoint in the authors' format and what their code makes of it; the test is skipped where it is absent."""
    with np.load(shared_path("golden", f"{name}.npz")) as file:
        return shared_path("golden", f"{name}.pth"), dict(file)
