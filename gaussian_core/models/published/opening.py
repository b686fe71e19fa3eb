"""One way to open weights: our own safetensors and the authors' checkpoints."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gaussian_core.errors import WeightsError
from gaussian_core.models.continuoussr import ContinuousSR
from gaussian_core.models.gaussiansr import GaussianSR
from gaussian_core.models.liif import LIIF, LIIFConfig
from gaussian_core.models.published.arguments import Arguments
from gaussian_core.models.published.container import Checkpoint, read_checkpoint
from gaussian_core.models.published.continuoussr import PublishedContinuousSR
from gaussian_core.models.published.gaussiansr import PublishedGaussianSR, describe_gaussiansr
from gaussian_core.models.published.registry import ENCODERS, read_spec
from gaussian_core.models.weights import load_model
from gaussian_core.presence import unreachable

Published = PublishedContinuousSR | PublishedGaussianSR | LIIF
Model = ContinuousSR | PublishedContinuousSR | LIIF | GaussianSR
SAFETENSORS = ".safetensors"
NAMED = 3  # tensors that a message names


def open_weights(path: str | os.PathLike[str]) -> Model:
    """A model ready for use, float32 on the CPU, of whatever kind the file holds.

    Raises WeightsError when the file is missing, cut short or holds code, and when it names an architecture that is
    unknown or does not fit.
    """
    source = Path(path)
    if source.suffix.lower() == SAFETENSORS:
        if reason := unreachable(source):
            raise WeightsError(f"{source} cannot be read: {reason}.")
        if not source.is_file():
            raise WeightsError(f"There is no weights file {source}: check the path.")
        return load_model(source)
    return build_model(read_checkpoint(source))


def build_model(checkpoint: Checkpoint) -> Published:
    """The network that a checkpoint describes, with its tensors, every one of them accounted for."""
    try:
        # Without memory: a description may claim any size, and only what the tensors bear out is made.
        with torch.device("meta"):
            model = describe(checkpoint.name, checkpoint.args)
        _load(model, checkpoint.tensors)
    except WeightsError as error:
        raise WeightsError(
            f"{checkpoint.path.name} cannot be used: {error}; open other weights."
        ) from error
    return model.eval().requires_grad_(False)


def describe(name: str, args: Mapping[str, Any]) -> Published:
    """The network of that name with the weights it starts from. Raises WeightsError for what is not known."""
    if name == "liif":
        return LIIF(_liif_config(args))
    if name == "continuous-gaussian":
        arguments = Arguments("ContinuousSR", args)
        encoder, encoder_args = read_spec(arguments.other("encoder_spec"), "encoder")
        arguments.other("cnn_spec")  # the published class takes both and uses neither
        arguments.other("fc_spec")
        arguments.done()
        return PublishedContinuousSR(encoder, encoder_args)
    if name == "gaussian-splatter":
        return describe_gaussiansr(args)
    if name == "gaussiansplatter":
        raise WeightsError("it is GaussianSR from before its kernels were trained")
    if name in ENCODERS:
        raise WeightsError(f"{name} is an encoder for one fixed scale, which is no method here")
    raise WeightsError(f"the architecture {' '.join(name.split())[:40]!r} is not known here")


def _liif_config(args: Mapping[str, Any]) -> LIIFConfig:
    arguments = Arguments("LIIF", args)
    encoder, encoder_args = read_spec(arguments.other("encoder_spec"), "encoder")
    kind, perceptron = read_spec(arguments.other("imnet_spec"), "perceptron")
    if kind != "mlp":
        raise WeightsError(f"LIIF with {kind[:40]!r} as its decoder is not known here")
    layers = Arguments("the perceptron", perceptron)
    layers.integer("out_dim", 3, 3, 3)
    layers.other("in_dim")  # follows from the encoder
    hidden = layers.integers("hidden_list", ())
    layers.done()
    config = LIIFConfig(
        encoder,
        encoder_args,
        hidden,
        arguments.flag("local_ensemble", True),
        arguments.flag("feat_unfold", True),
        arguments.flag("cell_decode", True),
    )
    arguments.done()
    if encoder_args.get("no_upsampling") is False or (
        encoder in ("edsr-baseline", "edsr", "rdn") and "no_upsampling" not in encoder_args
    ):
        raise WeightsError("LIIF needs its encoder without upsampling (no_upsampling)")
    return config


def _load(model: Published, tensors: Mapping[str, Tensor]) -> None:
    """Put the tensors into a model without memory. Raises WeightsError that names those that do not fit."""
    state = model.state_dict()
    ours = {_published_name(model, name): name for name in state}
    wanted = {name: state[own] for name, own in ours.items()}
    derived = {f"encoder.{name}": value for name, value in _derived(model).items()}
    found = {name: tensor for name, tensor in tensors.items() if name not in derived}
    problems = [
        _listed("missing", [name for name in wanted if name not in found]),
        _listed("left over", [name for name in found if name not in wanted]),
        _listed(
            "of another shape",
            [
                f"{name} {_shape(found[name])} instead of {_shape(wanted[name])}"
                for name in wanted
                if name in found and found[name].shape != wanted[name].shape
            ],
        ),
        _listed(
            "not numbers with a fraction",
            [n for n in wanted if n in found and not found[n].is_floating_point()],
        ),
        _listed(
            "other than this architecture has them",
            [n for n, value in derived.items() if n in tensors and not _same(tensors[n], value)],
        ),
    ]
    if any(problems):
        raise WeightsError(
            "its weights do not fit the architecture they name: "
            + ", ".join(filter(None, problems))
        )
    values = {ours[name]: tensor.to(torch.float32) for name, tensor in found.items()}
    model.load_state_dict(values, assign=True)


def _published_name(model: Published, name: str) -> str:
    return model.published_name(name) if isinstance(model, PublishedGaussianSR) else name


def _derived(model: Published) -> dict[str, Tensor]:
    with torch.device("cpu"):
        return model.encoder.derived()


def _same(tensor: Tensor, wanted: Tensor) -> bool:
    return tensor.shape == wanted.shape and bool((tensor.float() == wanted.float()).all())


def _shape(tensor: Tensor) -> str:
    return "x".join(str(side) for side in tensor.shape) or "a single number"


def _listed(what: str, names: list[str]) -> str:
    if not names:
        return ""
    shown = ", ".join(" ".join(name.split())[:80] for name in names[:NAMED])
    more = ", ..." if len(names) > NAMED else ""
    return f"{len(names)} {'is' if len(names) == 1 else 'are'} {what} ({shown}{more})"
