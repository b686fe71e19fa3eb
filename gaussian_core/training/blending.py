"""Weights between two of one architecture, one trained on from the other.

What a network learns last it learns of the pictures that it sees then, and on others, such as checkerboards of single
pixels, it may forget what it knew. The mean of its weights before and after keeps most of the one and of the other
(M. Wortsman et al., arXiv 2109.01903).
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import torch

from gaussian_core.errors import WeightsError
from gaussian_core.models.card import read_card
from gaussian_core.models.weights import load_model, save_model


def blend(
    before: str | os.PathLike[str],
    after: str | os.PathLike[str],
    share: float,
    out: str | os.PathLike[str],
) -> None:
    """Write (1 - share) of the weights `before` and share of those `after`, with the card of the latter, no figures.

    Raises WeightsError where a file cannot be read or the two are of different networks, OutputError where out cannot
    be written.
    """
    first, second = load_model(before), load_model(after)
    ours, theirs = first.state_dict(), second.state_dict()
    shapes = [{name: tensor.shape for name, tensor in one.items()} for one in (ours, theirs)]
    if type(first) is not type(second) or shapes[0] != shapes[1]:
        names = Path(before).name, Path(after).name
        raise WeightsError(
            f"{names[0]} and {names[1]} are of different networks: no mean of them works."
        )
    second.load_state_dict({name: torch.lerp(ours[name], theirs[name], share) for name in ours})
    save_model(out, second, replace(read_card(after).config, figures={}))
