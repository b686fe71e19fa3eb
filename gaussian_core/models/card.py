"""The card of a set of weights, read without torch and without the weights themselves."""

from __future__ import annotations

import os
from dataclasses import dataclass
from math import prod
from pathlib import Path

from gaussian_core.errors import WeightsError
from gaussian_core.models.config import WEIGHTS_FORMAT, ModelConfig


@dataclass(frozen=True)
class WeightsCard:
    """config: architecture, origin and figures. parameters: how many numbers were learned. size: bytes on disk."""

    config: ModelConfig
    parameters: int
    size: int


def read_card(path: str | os.PathLike[str]) -> WeightsCard:
    """Of weights of this program (.safetensors). Raises WeightsError when there are none in the file."""
    from safetensors import SafetensorError, safe_open

    source = Path(path)
    try:
        with safe_open(source, framework="np") as file:
            metadata = file.metadata() or {}
            shapes = [file.get_slice(name).get_shape() for name in file.keys()]
        size = source.stat().st_size
    except (SafetensorError, OSError) as error:
        raise WeightsError(
            f"The weights {source.name} cannot be read ({error}): choose a .safetensors file of this program."
        ) from error
    config = described(metadata, source.name)
    return WeightsCard(config, sum(prod(shape) for shape in shapes), size)


def described(metadata: dict[str, str], name: str) -> ModelConfig:
    """What the metadata of a file of that name say. Raises WeightsError when they are of no weights of this program."""
    if metadata.get("format") != WEIGHTS_FORMAT or "config" not in metadata:
        raise WeightsError(f"{name} holds no weights of this program.")
    return ModelConfig.from_json(metadata["config"])
