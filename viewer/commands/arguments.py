"""Arguments that several commands share."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from gaussian_core.errors import OutputError, UserError
from gaussian_core.methods import DEFAULT, METHODS
from gaussian_core.models.config import NAMES_OR_FILE, named_weights
from gaussian_core.writing.atomic import check_not_source, check_target


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


def add_image_file(parser: argparse.ArgumentParser) -> None:
    """The file to draw into."""
    parser.add_argument(
        "output",
        metavar="OUT",
        help="the image file; its ending says the format (.png .tif .jpg ...)",
    )


def add_region(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--region",
        metavar="X,Y,W,H",
        type=numbers(4, 4),
        help="the part to draw, in source pixels (default: all)",
    )


def field_file(output: str, source: str | Path, weights: Path | None = None) -> Path:
    """The field file that a picture is to become. weights: that it is made by. Raises OutputError where none can be
    written there, UserError for a source that is one already."""
    from gaussian_core.field import check_field_name, is_field_file

    out = Path(output)
    check_field_name(out)
    check_target(out)
    check_not_source(out, source)
    check_not_source(out, weights)
    if is_field_file(source):
        raise UserError(f"{source} is a field already: name its picture.")
    return out


def check_plot(path: Path) -> None:
    """Raise OutputError now if no plot can be drawn there later."""
    if path.suffix.lower() != ".png":
        raise OutputError(f"A plot is a PNG: the name {path.name} does not end in .png.")
    check_target(path)


def add_method(parser: argparse.ArgumentParser, fields_only: bool = False) -> None:
    """fields_only: offer those that make a field."""
    names = [m.name for m in METHODS.values() if m.makes_field or not fields_only]
    parser.add_argument(
        "--method",
        metavar="M",
        help=f"{', '.join(names)} (default: {DEFAULT}, the learned field)",
    )


def add_weights(parser: argparse.ArgumentParser, several: bool = False) -> None:
    """several: it may be given more than once, the value is a list then."""
    text = (
        "shipped weights of ContinuousSR by name (default: photo for a file with plain noise, jpeg for a lossy one that "
        "it shows in, else light, with a GPU base), or a file: our .safetensors, or the authors' .pth of ContinuousSR, "
        "LIIF or GaussianSR"
    )
    if several:
        text += ". Several times for several"
    parser.add_argument(
        "--weights",
        type=named_weights,
        metavar=NAMES_OR_FILE,
        action="append" if several else "store",
        default=[] if several else None,
        help=text,
    )
    parser.add_argument(
        "--precision",
        choices=("float32", "bfloat16"),
        default="float32",
        help="what the authors' weights are computed in (default: float32)",
    )
