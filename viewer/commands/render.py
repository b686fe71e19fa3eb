"""Draw a picture, or a field saved by `build`, at any scale into an image file.

A scale above 1 draws the picture's Gaussian field, below 1 the antialiased picture. Memory stays bounded however
large the output is (PNG and TIFF), and the file appears whole or not at all. Of a damaged JPEG, PNG, GIF, WebP
or TIFF file what there is of it is drawn, the rest grey, with a warning and exit code 3.
"""

from __future__ import annotations

import argparse
import sys

from gaussian_core.arguments import add_device
from gaussian_core.parallel import Stop
from viewer.commands.arguments import add_image_file, add_method, add_region, add_weights, numbers
from viewer.commands.damage import exit_code
from viewer.commands.progress import progress_bar


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", metavar="IN", help="a picture, or a field (.safetensors)")
    add_image_file(parser)
    parser.add_argument(
        "--scale",
        metavar="S[,SY]",
        type=numbers(1, 2),
        required=True,
        action="append",
        help="output pixels per source pixel, any positive number; two for unequal axes. Several times for several files "
        "at once, the field being built once: then OUT has {scale} in its name",
    )
    add_region(parser)
    add_method(parser)
    add_weights(parser)
    add_device(parser)
    parser.add_argument(
        "--pixel-sigma",
        metavar="K",
        type=float,
        help="a pixel's footprint in pixels; 0 samples points (default: what the field was made for)",
    )
    parser.add_argument(
        "--bits",
        type=int,
        choices=(8, 16),
        default=8,
        help="bits per channel of the output; 16 for PNG and TIFF (default: 8)",
    )


def run(options: argparse.Namespace, stop: Stop) -> int:
    from gaussian_core.writing.file_renderer import render_files

    outputs = [
        (
            options.output.replace("{scale}", "x".join(f"{s:g}" for s in scale)),
            scale if len(scale) == 2 else scale * 2,
        )
        for scale in options.scale
    ]
    with progress_bar("rows") as progress:
        files = render_files(
            options.input,
            outputs,
            method=options.method,
            device=options.device,
            region=options.region,
            bits=options.bits,
            pixel_sigma=options.pixel_sigma,
            weights=options.weights,
            precision=options.precision,
            progress=progress,
            stop=stop,
            forgiving=True,
        )
    for note in dict.fromkeys(note for done in files for note in done.notes):
        print(f"note: {note}", file=sys.stderr)
    for done in files:
        print(f"{done.path}: {done.size[0]} x {done.size[1]} pixels")
    return exit_code(options.input, files[0].damage)
