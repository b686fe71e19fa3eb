"""Whether a training that goes on is the one that its checkpoint is of."""

from __future__ import annotations

from dataclasses import fields

from gaussian_core.models.config import ModelConfig

CARD = {
    "name", "trained_on", "teacher", "restores", "licences", "date", "scales", "steps", "figures",
}  # fmt: skip
"""What is said of a network and makes no other one of it."""
OPTIONS = {
    "architecture": "--method",
    "deep_blocks": "--deep-blocks",
    "deep_channels": "--deep-channels",
    "channels": "--channels",
    "blocks": "--blocks",
    "slope": "--slope",
    "cells": "--cells",
    "covariance": "--covariance",
    "dictionary": "--dictionary",
    "drift": "--drift",
    "footprint": "--footprint",
    "spread": "--spread",
    "elongation": "--elongation",
    "symmetric": "--symmetry",
}
"""Of a training, by the field of the network that it sets."""


def other_network(kept: ModelConfig, asked: ModelConfig) -> str:
    """The first option by which a network that was trained differs from the one that is asked for, as it was given
    ("with --drift 0.5", "without --symmetry"); "" where both are the same but for their cards."""
    design = [field.name for field in fields(ModelConfig) if field.name not in CARD]
    for name in dict.fromkeys((*OPTIONS, *design)):
        value = getattr(kept, name)
        if value == getattr(asked, name):
            continue
        option = OPTIONS.get(name, name)
        if isinstance(value, bool):
            return f"{'with' if value else 'without'} {option}"
        return f"with {option} {value}"
    return ""
