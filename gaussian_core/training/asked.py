"""What may be asked of a training, looked at before anything is read, made or trained."""

from __future__ import annotations

import argparse
import math
import os
from dataclasses import dataclass
from pathlib import Path

from gaussian_core.errors import OutputError, UserError, WeightsError
from gaussian_core.models.config import NAMES, weights_path


@dataclass(frozen=True)
class Range:
    """The numbers from least to most; with above, more than least."""

    least: float
    most: float = math.inf
    above: bool = False

    def holds(self, value: float) -> bool:
        """Not of NaN and infinity."""
        over = value > self.least if self.above else value >= self.least
        return over and value <= self.most and math.isfinite(value)

    def __str__(self) -> str:
        if math.isfinite(self.most):
            return f"between {self.least} and {self.most}"
        return f"{'more than' if self.above else 'at least'} {self.least}"


ONE, NONE, POSITIVE, SHARE = Range(1), Range(0), Range(0, above=True), Range(0, 1)
RANGES = {
    "steps": ONE,
    "every": ONE,
    "batch": ONE,
    "lessons": ONE,
    "patch": Range(16),
    "decay": NONE,
    "seed": Range(0, 2**32 - 1),
    "workers": Range(0, 256),
    "channels": ONE,
    "blocks": NONE,
    "deep_channels": ONE,
    "deep_blocks": NONE,
    "cells": ONE,
    "slope": SHARE,
    "drift": NONE,
    "footprint": Range(0, 1),
    "spread": POSITIVE,
    "elongation": NONE,
    "follow": NONE,
    "pixel_art": SHARE,
    "fabric": SHARE,
    "luminance": SHARE,
    "jpeg": SHARE,
    "webp": SHARE,
    "camera": SHARE,
    "rate": POSITIVE,
    "matrix_rate": POSITIVE,
}
"""By the name of the option, of a training or of the ablation's trainings."""

LONGEST_NAME = 200  # bytes: what surrounds it in a file's name needs some of the usual 255


def check_numbers(options: argparse.Namespace) -> None:
    """Raise UserError for a number that no training can have."""
    for name, wanted in RANGES.items():
        value = getattr(options, name, None)  # the ablation has fewer
        if value is not None and not wanted.holds(value):
            raise UserError(f"--{name.replace('_', '-')} must be {wanted}, not {value}.")


def check_name(name: str) -> None:
    """Raise OutputError for what cannot be a part of a file's name."""
    plain = name.isprintable() and not set(name) & set('/\\:*?"<>|')
    if not name.strip() or not plain or len(os.fsencode(name)) > LONGEST_NAME:
        raise OutputError(f"--name is a part of a file's name, which {name!r} cannot be.")


def check_weights(option: str, path: Path, made: Path) -> None:
    """Raise WeightsError where there is no file of weights that a training could begin with or learn from, and where it
    is the one that the training itself writes: what is read of it later would be of other weights."""
    from gaussian_core.models.card import read_card

    if not path.is_file():
        shipped = f": that of {path} is {weights_path(str(path))}" if str(path) in NAMES else ""
        raise WeightsError(f"{option} wants a file of weights, and {path} is none{shipped}.")
    read_card(path)
    if os.path.exists(made) and os.path.samefile(path, made):
        raise WeightsError(
            f"{option} {path} is the file that this training writes: use another --out or --name, or to go on with what is "
            f"in {made.parent} leave out {option}."
        )
