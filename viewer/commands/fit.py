"""Fit Gaussians to one picture by gradient descent and save them as a field; or measure the prior of a folder's.

fit PHOTO FIELD.safetensors         the viewer and `render` open the field; Ctrl-C keeps what is reached (exit code 130)
fit FOLDER --prior PRIOR.json       fit every picture of a folder, one Gaussian for four pixels, and report how their
                                    variances, covariances and places are distributed
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

from gaussian_core.errors import UserError
from gaussian_core.parallel import Stop
from viewer.commands.arguments import check_plot, field_file
from viewer.commands.progress import unwatched


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "input", metavar="IN", type=Path, help="a picture, or a folder with --prior"
    )
    parser.add_argument(
        "output", metavar="FIELD.safetensors", nargs="?", help="the field file to write"
    )
    parser.add_argument(
        "--gaussians-per-pixel",
        type=float,
        metavar="G",
        help="at most 1 (default 0.5, with --prior 0.25)",
    )
    parser.add_argument("--steps", type=int, default=200, help="of gradient descent (default 200)")
    parser.add_argument("--seconds", type=float, help="as many steps as fit into that time instead")
    parser.add_argument("--prior", metavar="FILE", help="write the distributions there (JSON)")
    parser.add_argument("--plot", metavar="FILE", type=Path, help="with --prior: draw them, a PNG")
    parser.add_argument("--size", type=int, help="with --prior: side of the crops (default 128)")
    parser.add_argument("--limit", type=int, metavar="N", help="with --prior: only N pictures")


def run(options: argparse.Namespace, stop: Stop) -> int:
    if options.steps < 1 or not (options.seconds is None or 0 < options.seconds < math.inf):
        raise UserError("--steps and --seconds must be numbers of more than 0.")
    if options.gaussians_per_pixel is not None and not 0 < options.gaussians_per_pixel <= 1:
        raise UserError("--gaussians-per-pixel must be more than 0 and at most 1.")
    if options.prior:
        if options.output is not None or options.seconds is not None:
            raise UserError("With --prior no field is written, and --steps says how long to fit.")
        return _prior(options, stop)
    for name in ("plot", "size", "limit"):
        if getattr(options, name) is not None:
            raise UserError(f"--{name} is for --prior: leave it out, or name the file of a prior.")
    if options.output is None:
        raise UserError("Name the field file to write: fit PHOTO FIELD.safetensors")
    return _fit(options, stop)


def _fit(options: argparse.Namespace, stop: Stop) -> int:
    import numpy as np
    from tqdm import tqdm

    from gaussian_core import Viewport, rasterize
    from gaussian_core.depth import note_depth
    from gaussian_core.fitting import Fit, FitOptions
    from gaussian_core.images import open_picture

    out = field_file(options.output, options.input)
    picture = open_picture(options.input)
    if picture.note:
        print(f"note: {picture.note}", file=sys.stderr)
    pixels = picture.as_float()
    fit = Fit(
        pixels,
        FitOptions(
            gaussians_per_pixel=options.gaussians_per_pixel or FitOptions.gaussians_per_pixel,
            steps=options.steps,
        ),
    )
    reached = None
    with tqdm(total=100, unit="%", disable=unwatched(), leave=False, dynamic_ncols=True) as bar:
        for progress in fit.run(options.seconds, stop=stop):
            reached = progress
            bar.set_postfix_str(f"{progress.psnr:.2f} dB", refresh=False)
            bar.update(round(100 * progress.done) - bar.n)
    field = fit.field()
    note_depth(field, picture)
    field.save(out)
    # As the file is drawn, which is a little less than what the fit itself sees of its Gaussians.
    height, width = field.extent
    shown = rasterize(field, Viewport((0, 0), 1.0, (width, height)))
    error = float(np.mean(np.square(shown - pixels), dtype=np.float64))
    steps = 0 if reached is None else reached.step
    psnr = 10 * math.log10(1 / max(error, 1e-12))
    print(f"{out}: {len(fit):,} Gaussians, {psnr:.2f} dB after {steps} steps")
    return 0


def _prior(options: argparse.Namespace, stop: Stop) -> int:
    from gaussian_core.fitting.prior import PER_PIXEL, SIZE, Prior, plot_prior
    from gaussian_core.picture_folders import pictures
    from gaussian_core.writing.atomic import atomic_write, check_not_source
    from gaussian_core.writing.reports import check_report

    size = SIZE if options.size is None else options.size
    if size < 16 or (options.limit is not None and options.limit < 1):
        raise UserError("--size must be at least 16, --limit at least 1.")
    target = Path(options.prior)
    check_report(target)
    paths = pictures(options.input)
    if options.plot:
        check_plot(options.plot)
        for path in paths:
            check_not_source(options.plot, path)
    prior = Prior.resume(target, size, options.steps, options.gaussians_per_pixel or PER_PIXEL)
    for path in paths[: options.limit]:
        if path.name in prior.done:
            continue
        psnr = prior.add(path, stop)
        if psnr is None:
            print(f"{len(prior.done)} pictures are done: the same command goes on from here.")
            return 130
        atomic_write(target, prior.to_json())
        print(f"{path.name}: {psnr:.2f} dB", flush=True)
    print(prior.summary())
    if options.plot:
        plot_prior(options.plot, prior)
    return 0
