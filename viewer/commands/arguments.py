"""Arguments that several commands share."""

from __future__ import annotations

import argparse
from collections.abc import Callable


def numbers(least: int, most: int) -> Callable[[str], tuple[float, ...]]:
    """An argparse type: `least` to `most` numbers with commas between them."""

    def parse(text: str) -> tuple[float, ...]:
        try:
            values = tuple(float(part) for part in text.split(","))
        except ValueError:
            values = ()
        if not least <= len(values) <= most:
            wanted = f"{least}" if least == most else f"{least} or {most}"
            raise argparse.ArgumentTypeError(
                f"{wanted} number(s) with commas between them are needed, got {text!r}"
            )
        return values

    return parse


def add_method(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--method",
        metavar="M",
        help="how the picture becomes continuous (default: the best there is)",
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help="where to compute (default: auto)",
    )
