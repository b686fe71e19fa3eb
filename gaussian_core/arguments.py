"""What several commands take alike: the device, and lists whose items are separated by commas."""

from __future__ import annotations

import argparse


def add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help="where to compute (default: auto)",
    )


def names_in(text: str) -> list[str]:
    """The names in "a, b": without spaces around them, each once, none of them empty."""
    return list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def scales_in(text: str) -> list[float]:
    """The scales in "2,3,4", at least one, each once and from 0.01 to 1000. Raises ArgumentTypeError."""
    try:
        values = list(dict.fromkeys(float(part) for part in names_in(text)))
    except ValueError:
        values = []
    if not values or not all(0.01 <= v <= 1000 for v in values):
        raise argparse.ArgumentTypeError(f"scales are numbers such as 2,3,4, not {text!r}")
    return values
