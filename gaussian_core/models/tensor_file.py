"""Reads a file of weights of this program as arrays: safetensors with the description in the metadata."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gaussian_core.errors import WeightsError
from gaussian_core.models.card import described
from gaussian_core.models.config import ModelConfig
from gaussian_core.presence import unreachable

Tensors = dict[str, NDArray[np.float32]]


def read_tensors(path: str | os.PathLike[str]) -> tuple[ModelConfig, Tensors]:
    """The description and the tensors by name.

    Raises WeightsError when the file is missing, cut short, of another kind or holds what is no number.
    """
    from safetensors import SafetensorError, safe_open

    source = Path(path)
    if reason := unreachable(source):
        raise WeightsError(f"{source} cannot be read: {reason}.")
    if not source.is_file():
        raise WeightsError(
            f"The weights {source.name} are missing: install again, or choose another method."
        )
    try:
        with safe_open(source, framework="np") as file:
            config = described(file.metadata() or {}, source.name)
            tensors = {name: np.asarray(file.get_tensor(name), np.float32) for name in file.keys()}
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise WeightsError(
            f"The weights {source.name} cannot be read, they may be cut short ({error}): install again."
        ) from error
    if not all(bool(np.isfinite(t).all()) for t in tensors.values()):
        raise WeightsError(
            f"The weights {source.name} hold values that are not finite: use others."
        )
    return config, tensors


def unfitting(path: str | os.PathLike[str]) -> WeightsError:
    """What is raised where the tensors are not those that the description asks for."""
    return WeightsError(
        f"The weights {Path(path).name} do not fit the architecture they name: use others."
    )
