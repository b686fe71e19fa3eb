"""Draw a comparison figure: one region of a picture by several methods, side by side, beside the whole picture.

Each crop is, pixel for pixel, what `render --method M --scale S --region X,Y,W,H` makes (in PNG, TIFF and BMP, which
lose nothing; what is transparent is laid on white). With --reference the original's crop comes last, and below each
other stand PSNR and SSIM of the region as `evaluate` measures them: of Y (BT.601), at the original's own scale, in 8
bits, without the picture's outermost pixels. The file appears whole or not at all. Of a damaged JPEG, PNG, GIF,
WebP or TIFF file what there is of it is drawn, the rest grey, with a warning and exit code 3.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gaussian_core.arguments import add_device, names_in
from gaussian_core.errors import UserError
from gaussian_core.methods import METHODS, Options, check_name, method_of_weights
from gaussian_core.models.config import NAMES, weights_path
from gaussian_core.parallel import Stop
from viewer.commands.arguments import add_image_file, add_region, add_weights
from viewer.commands.damage import exit_code
from viewer.commands.progress import progress_bar

if TYPE_CHECKING:
    from gaussian_core.comparison.figure import Entry, Figure

DEFAULT = ("bicubic", "kernel", "continuoussr")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", metavar="IN", help="a picture")
    add_image_file(parser)
    parser.add_argument(
        "--scale",
        metavar="S",
        type=float,
        required=True,
        help="output pixels per source pixel, any positive number",
    )
    add_region(parser)
    parser.add_argument(
        "--methods",
        type=names_in,
        metavar="M,...",
        help=f"of {', '.join(METHODS)} (default: {','.join(DEFAULT)}, or bicubic and what the weights are for)",
    )
    parser.add_argument(
        "--reference",
        metavar="FILE",
        help="the original: a picture of the same scene, of any size, as a rule a larger one",
    )
    parser.add_argument(
        "--columns", metavar="N", type=int, help="of the grid of crops (default: a good shape)"
    )
    add_weights(parser, several=True)
    add_device(parser)


def run(options: argparse.Namespace, stop: Stop) -> int:
    from gaussian_core.comparison.figure import ComparisonFigure
    from gaussian_core.field import is_field_file
    from gaussian_core.images import open_picture

    if is_field_file(options.input):
        raise UserError("A field file is drawn as it is: a comparison is made of its picture.")
    entries = _entries(options)
    picture = open_picture(options.input, forgiving=True)
    picture.show_damage()
    original = None
    if options.reference is not None:
        original = open_picture(options.reference, forgiving=True)
        original.show_damage()
    figure = ComparisonFigure(
        picture,
        entries,
        options.scale,
        region=options.region,
        original=original,
        columns=options.columns,
    )
    with progress_bar("rows") as progress:
        done = figure.write(options.output, progress=progress, stop=stop)
    _say(done)
    code = exit_code(options.input, done.damage)
    return code if original is None else code or exit_code(options.reference, original.damage)


def _entries(options: argparse.Namespace) -> list[Entry]:
    """The crops, in the order of the methods: one for each file of weights of a method, where there are any of it.

    Raises UserError for an unknown method and for weights of none of them, WeightsError.
    """
    from gaussian_core.comparison.figure import Entry

    of_kind: dict[str, list[Path]] = {}
    for path in options.weights:
        of_kind.setdefault(method_of_weights(path), []).append(path)
    names = options.methods
    if names is None:
        names = ["bicubic", *of_kind] if of_kind else DEFAULT
    if not names:
        raise UserError("--methods names none: leave it out, or name some, as bicubic,kernel.")
    methods = [check_name(name) for name in names]
    for kind, paths in of_kind.items():
        if kind not in names:
            raise UserError(f"{paths[0].name} holds weights of {kind}, which --methods leaves out.")
    common = Options(options.device, precision=options.precision)
    return [
        Entry(
            " ".join(filter(None, (method.title, _label(path)))),
            method.name,
            replace(common, weights=path),
        )
        for method in methods
        for path in of_kind.get(method.name, [None])
    ]


def _label(weights: Path | None) -> str:
    """What weights are called, empty where none were chosen."""
    if weights is None:
        return ""
    return next((name for name in NAMES if weights_path(name) == weights), weights.stem)


def _say(done: Figure) -> None:
    for note in done.notes:
        print(f"note: {note}", file=sys.stderr)
    print(f"{done.path}: {done.size[0]} x {done.size[1]} pixels")
    print(done.footnote)
    width = max(len(cell.title) for cell in done.cells)
    for cell in done.cells:
        if cell.scores is not None:
            print(f"{cell.title:<{width}}  {cell.figures}")
