"""To begin a training with weights of another network: of the same size, or of a smaller one that is grown.

A network that is grown computes at first what the smaller one did, and learns from there (T. Chen, I. Goodfellow and
J. Shlens, Net2Net, arXiv 1511.05641, sections 2.2 and 2.3).
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from gaussian_core.errors import WeightsError
from gaussian_core.models.encoders import ResidualBlock, TwoScaleEncoder
from gaussian_core.models.weights import load_model

CHANNELS = ("encoder.", "entry.", "blocks.", "deep.", "hidden.")
"""Layers whose outputs and inputs are channels, which may become more; the encoder's, with or without its name."""
HEADS = ("colour.", "geometry.")
"""Layers whose inputs may: their outputs each have a meaning."""


def begin_with(model: nn.Module, weights: Path) -> None:
    """Give the model every tensor of a file of weights that fits it by name, and by shape or with room to spare.

    Another architecture's encoder fits, too: LIIF and GaussianSR hold ours as a part of theirs. Where the model has
    more channels than the file, nothing that was there hears of the new ones at first. Residual blocks that the file
    lacks begin as the identity.
    Raises WeightsError when the file cannot be read, nothing fits, or its blocks are wider than the model's.
    """
    own = model.state_dict()
    places = {_bare(name): name for name in own}
    smaller = load_model(weights)
    named = {
        _behind_branch(_bare(name), smaller, model): tensor
        for name, tensor in smaller.state_dict().items()
    }
    known = {places[name]: tensor for name, tensor in named.items() if name in places}
    fitting = {name: tensor for name, tensor in known.items() if _fits(name, own[name], tensor)}
    if not fitting:
        raise WeightsError(f"No tensor of {weights.name} fits the network to train: use others.")
    if any("blocks." in name for name in known.keys() - fitting.keys()):
        raise WeightsError(
            f"The blocks of {weights.name} are wider than those of the network to train: ask for as many channels with "
            "--channels, or use other weights."
        )
    model.load_state_dict({n: widened(own[n], t) for n, t in fitting.items()}, strict=False)
    for name, block in model.named_modules():
        if isinstance(block, ResidualBlock) and f"{name}.second.weight" not in fitting:
            for parameter in block.second.parameters():
                nn.init.zeros_(parameter)


def widened(own: Tensor, smaller: Tensor) -> Tensor:
    """A layer's tensor, (outputs, inputs, ..) or (outputs,), of a wider layer that gives the outputs of the smaller one
    as they were: they hear nothing of inputs that it did not have. The other outputs stay the wider layer's own."""
    grown = own.clone()
    outputs = smaller.shape[0]
    grown[:outputs] = 0
    grown[tuple(slice(n) for n in smaller.shape)] = smaller
    return grown


def _fits(name: str, own: Tensor, tensor: Tensor) -> bool:
    if own.shape == tensor.shape:
        return True
    wider = own.shape[2:] == tensor.shape[2:] and all(
        n >= m for n, m in zip(own.shape, tensor.shape, strict=True)
    )
    return wider and (
        name.startswith(CHANNELS) or (name.startswith(HEADS) and own.shape[0] == tensor.shape[0])
    )


def _behind_branch(name: str, smaller: nn.Module, larger: nn.Module) -> str:
    """The name in the larger network of a tensor that has this one in the smaller: blocks behind a branch at half the
    resolution stay behind it, those that are new stand ahead of it or last."""
    old, new = _two_scale(smaller), _two_scale(larger)
    kind, _, rest = name.partition(".")
    if old is None or new is None or kind != "blocks":
        return name
    number, _, rest = rest.partition(".")
    moved = int(number) + (new.before - old.before if int(number) >= old.before else 0)
    return f"blocks.{moved}.{rest}"


def _two_scale(network: nn.Module) -> TwoScaleEncoder | None:
    return next((part for part in network.modules() if isinstance(part, TwoScaleEncoder)), None)


def _bare(name: str) -> str:
    """A tensor's name without saying how deep in its network the encoder is."""
    while name.startswith("encoder."):
        name = name.removeprefix("encoder.")
    return name
