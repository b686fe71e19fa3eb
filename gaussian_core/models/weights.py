"""Weights on disk: safetensors with the model's description in the metadata; nothing is ever unpickled."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn

from gaussian_core.errors import WeightsError
from gaussian_core.models.config import DEFAULT, WEIGHTS_FORMAT, ModelConfig, weights_path
from gaussian_core.models.continuoussr import ContinuousSR
from gaussian_core.models.networks import make_network
from gaussian_core.models.tensor_file import read_tensors, unfitting
from gaussian_core.writing.tensor_writer import write_tensors

if TYPE_CHECKING:
    from gaussian_core.models.networks import Network

__all__ = ["DEFAULT", "load_field_model", "load_model", "save_model", "weights_path"]


def save_model(path: str | os.PathLike[str], model: nn.Module, config: ModelConfig) -> None:
    """Write the weights with their card: whole or not at all. Raises OutputError."""
    state = model.state_dict()
    tensors = {k: v.detach().float().cpu().contiguous().numpy() for k, v in state.items()}
    write_tensors(path, tensors, {"format": WEIGHTS_FORMAT, "config": config.to_json()})


def load_field_model(path: str | os.PathLike[str]) -> ContinuousSR:
    """As load_model, for weights that must make a field. Raises WeightsError for others, too."""
    model = load_model(path)
    if not isinstance(model, ContinuousSR):
        raise WeightsError(f"The weights {Path(path).name} make no field: use others.")
    return model


def load_model(path: str | os.PathLike[str]) -> Network:
    """A model ready for use, in float32 on the CPU; read_card tells what its file says of it.

    Raises WeightsError when the file is missing, cut short, of another kind or does not fit its description.
    """
    config, tensors = read_tensors(path)
    model = make_network(config)
    try:
        model.load_state_dict({name: torch.from_numpy(t.copy()) for name, t in tensors.items()})
    except RuntimeError as error:
        raise unfitting(path) from error
    return model.eval().requires_grad_(False)
