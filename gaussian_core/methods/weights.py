"""Files of weights: which method one is for, and the network in it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from gaussian_core.errors import WeightsError
from gaussian_core.presence import unreachable

if TYPE_CHECKING:
    from torch import nn

    from gaussian_core.builder import Precision

Network = TypeVar("Network", bound="nn.Module")


def method_of_weights(weights: str | os.PathLike[str]) -> str:
    """The name of the method that weights are for, a file or the name of shipped ones. Raises WeightsError."""
    from gaussian_core.models.config import named_weights
    from gaussian_core.models.gaussiansr import GaussianSR
    from gaussian_core.models.liif import LIIF
    from gaussian_core.models.published.opening import open_weights

    model = open_weights(named_weights(weights))
    kinds = {LIIF: "liif", GaussianSR: "gaussiansr"}
    return next((name for kind, name in kinds.items() if isinstance(model, kind)), "continuoussr")


def load_network(
    path: Path, kind: type[Network], device: str, precision: Precision = "float32"
) -> Network:
    """The network of a file, read once as long as the file stays as it is, where it is to run.

    Raises WeightsError for a file that is missing, cannot be read or is for another method, and DeviceError.
    """
    from gaussian_core.models.devices import pick_device
    from gaussian_core.models.published.tiles import load_for

    if reason := unreachable(path):
        raise WeightsError(f"{path} cannot be read: {reason}.")
    if not path.is_file():
        raise WeightsError(
            f"The weights {path.name} are missing: install again, or choose another method."
        )
    model = load_for(path, pick_device(device), precision)
    if not isinstance(model, kind):
        raise WeightsError(f"{path.name} holds no weights of {kind.__name__}: use others.")
    return model
