"""The container of the published checkpoints, {"model": {"name", "args", "sd"}}: read, never run."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gaussian_core.errors import WeightsError
from gaussian_core.presence import unreachable

WANTED = "open a checkpoint of ContinuousSR, LIIF or GaussianSR"
# Entries that tell state dicts of other projects apart, and whose they are.
OTHERS = (
    ("params_ema", "BasicSR"),
    ("params", "BasicSR"),
    ("state_dict", "a training framework"),
    ("IMDB1.c1.weight", "IMDN"),
    ("fea_conv.weight", "IMDN"),
    ("head.0.weight", "EDSR"),
    ("conv_first.weight", "SwinIR, HAT or RRDB"),
)
# What weights are made of in a file: half of such a name is a file cut short, not code.
INGREDIENTS = (
    "collections.OrderedDict",
    "torch._utils._rebuild_tensor_v2",
    "torch._utils._rebuild_parameter",
    "torch.FloatStorage",
    "torch.HalfStorage",
    "torch.LongStorage",
)
WRAPPER = "module."
"""What torch's DataParallel puts before the names of a network that several GPUs train."""


@dataclass(frozen=True)
class Checkpoint:
    """What a file holds. name: of the model's class. args: to build it with. tensors: by their published names."""

    path: Path
    name: str
    args: dict[str, Any]
    tensors: dict[str, Tensor]


def read_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """Read a published checkpoint on the CPU. Nothing in the file is executed: tensors and plain values only.

    Raises WeightsError when the file is missing, cut short, holds code, or is of another format.
    """
    source = Path(path)
    if os.path.isdir(source):
        raise WeightsError(f"{source} is a folder, not a weights file: choose a file.")
    if reason := unreachable(source):
        raise WeightsError(f"{source} cannot be read: {reason}.")
    if not os.path.exists(source):
        raise WeightsError(f"There is no weights file {source}: check the path.")
    content = _load(source)
    model = content.get("model") if isinstance(content, Mapping) else None
    if not isinstance(model, Mapping) or not {"name", "args", "sd"} <= set(model):
        raise WeightsError(_what_else(source, content))
    name, args, tensors = model["name"], model["args"], model["sd"]
    if not isinstance(name, str) or not isinstance(args, dict) or not isinstance(tensors, Mapping):
        raise WeightsError(f"{source.name} is a malformed checkpoint: {WANTED}.")
    for key, value in tensors.items():
        if not isinstance(key, str) or not isinstance(value, Tensor):
            raise WeightsError(
                f"{source.name} has an entry among its weights that is no tensor ({_short(key)}): {WANTED}."
            )
        if value.layout != torch.strided or value.is_quantized or value.is_complex():
            raise WeightsError(
                f"{source.name} keeps {_short(key)} in a form that is not read here: save it as a plain tensor."
            )
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise WeightsError(
                f"{source.name} has values that are not finite in {_short(key)}: use another checkpoint."
            )
    return Checkpoint(source, name, dict(args), _unwrapped(tensors))


def _unwrapped(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """As the network itself calls them, also where what was saved is its wrapper."""
    wrapped = all(key.startswith(WRAPPER) for key in tensors)
    return {k.removeprefix(WRAPPER) if wrapped else k: v.detach() for k, v in tensors.items()}


def _load(source: Path) -> Any:
    try:
        return torch.load(source, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception as error:  # damaged bytes make the reader fail in any way there is
        code = re.search(r"(?:GLOBAL|class|global)\s+([\w.]+\.[\w.]*)", str(error))
        cut = code and any(name.startswith(code[1].rstrip(".")) for name in INGREDIENTS)
        if type(error).__name__ == "UnpicklingError" and code and not cut:
            raise WeightsError(
                f"{source.name} holds something other than weights ({code[1]}), which could run as code; nothing was "
                f"run: {WANTED} from a source you trust."
            ) from error
        if _begins_otherwise(source):
            raise WeightsError(f"{source.name} is no file of weights: {WANTED}.") from error
        raise WeightsError(
            f"{source.name} is no readable checkpoint, it may be cut short: download it again."
        ) from error


def _begins_otherwise(source: Path) -> bool:
    """Whether what has not become a checkpoint begins like none: neither as a ZIP archive nor as a pickle."""
    try:
        with source.open("rb") as file:
            start = file.read(2)
    except OSError:
        return False
    return len(start) == 2 and start != b"PK" and start[:1] != b"\x80"


def _what_else(source: Path, content: Any) -> str:
    names = [key for key in content if isinstance(key, str)] if isinstance(content, Mapping) else []
    keys = [name.removeprefix("module.") for name in names]  # of networks trained on several GPUs
    for key, whose in OTHERS:
        if key in keys:
            return f"{source.name} holds weights of {whose} without the description that a method here needs: {WANTED}."
    return f"{source.name} is not a published checkpoint (model: name, args, sd): {WANTED}."


def _short(text: object, most: int = 60) -> str:
    line = " ".join(str(text).split())
    return line if len(line) <= most else line[: most - 1] + "…"
