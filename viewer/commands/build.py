"""Turn a picture into a field of Gaussians and save it; the viewer and `render` open the file.

Of a damaged JPEG, PNG, GIF, WebP or TIFF file what there is of it is built, the rest grey, with a warning and exit
code 3.
"""

from __future__ import annotations

import argparse
import sys

from gaussian_core.arguments import add_device
from gaussian_core.errors import UserError
from gaussian_core.parallel import Stop
from viewer.commands.arguments import add_method, add_weights, field_file
from viewer.commands.damage import exit_code
from viewer.commands.progress import progress_bar


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", metavar="IN", help="a picture")
    parser.add_argument("output", metavar="FIELD.safetensors", help="the field file to write")
    add_method(parser, fields_only=True)
    add_weights(parser)
    add_device(parser)


def run(options: argparse.Namespace, stop: Stop) -> int:
    from gaussian_core.builder import DEFAULT_METHOD, FIELD_METHODS, build_field
    from gaussian_core.images import open_picture

    out = field_file(options.output, options.input, options.weights)
    if options.method and options.weights:
        raise UserError("The weights decide the method: leave --method out, or --weights.")
    method = options.method or DEFAULT_METHOD
    if method not in FIELD_METHODS:
        raise UserError(f"{method!r} makes no field. Methods that do: {', '.join(FIELD_METHODS)}.")
    picture = open_picture(options.input, forgiving=True)
    picture.show_damage()
    if picture.note:
        print(f"note: {picture.note}", file=sys.stderr)
    notes: list[str] = []
    with progress_bar("tiles") as progress:
        field = build_field(
            picture,
            method=method,
            device=options.device,
            progress=progress,
            stop=stop,
            weights=options.weights,
            precision=options.precision,
            say=notes.append,
        )
    field.save(out)
    for note in notes:
        print(f"note: {note}", file=sys.stderr)
    print(f"{out}: {len(field):,} Gaussians")
    return exit_code(options.input, picture.damage)
