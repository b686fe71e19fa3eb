"""Measure how close enlargements come to the originals: PSNR and SSIM, times and memory, a table and JSON.

A picture that cannot be read is left out, with a warning, and the exit status is 1 in the end. Ctrl-C keeps the rows
that are done. A picture that comes out exactly has no finite PSNR, one of under 11 pixels a side no SSIM: the means are
of the others, and null in the JSON where there are none. What is transparent in a picture is laid on white.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gaussian_core.arguments import add_device, names_in, scales_in
from gaussian_core.errors import Cancelled, UserError
from gaussian_core.models.config import NAMES_OR_FILE, named_weights
from gaussian_core.parallel import Stop

if TYPE_CHECKING:
    from gaussian_core.evaluation.runner import ManyScales, Row
    from gaussian_core.methods import Options

HEADER = f"{'set':<10} {'method':<13} {'scale':>6} {'PSNR-Y':>7} {'RGB':>7} {'SSIM-Y':>7} {'RGB':>7} {'build ms':>9} {'render ms':>9} {'MB':>6}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folders", metavar="FOLDER", nargs="+", type=Path, help="originals (HR)")
    parser.add_argument(
        "--low",
        type=Path,
        metavar="FOLDER",
        help="their low resolution pictures, of the same names, or as DIV2K has them (0801x2.png, in X2) or others "
        "(a_LR.png or a_LR2.png of a_HR.png; a.png in LRbicx2); else bicubic ones are made",
    )
    parser.add_argument(
        "--jpeg",
        type=int,
        metavar="QUALITY",
        help="save these as JPEG files of that quality first (1 to 100, colours halved)",
    )
    parser.add_argument(
        "--webp", type=int, metavar="QUALITY", help="the same as lossy WebP files (1 to 100)"
    )
    parser.add_argument(
        "--noise",
        type=float,
        metavar="LEVELS",
        help="add white noise to them before that, of this standard deviation in levels of 255",
    )
    parser.add_argument(
        "--methods",
        type=names_in,
        metavar="M,...",
        help="default bicubic,kernel,continuoussr, or bicubic and what the weights are for",
    )
    parser.add_argument(
        "--scales", type=scales_in, metavar="S,...", help="default 2,3,4; with --many 1.1,4"
    )
    add_device(parser)
    parser.add_argument(
        "--weights",
        type=named_weights,
        action="append",
        default=[],
        metavar=NAMES_OR_FILE,
        help="shipped weights of ContinuousSR by name, or a file for the method that it is of, ours or the authors'; else "
        "the shipped ones. Several times for several",
    )
    parser.add_argument(
        "--limit", type=int, metavar="N", help="only the first N pictures of a folder"
    )
    parser.add_argument(
        "--perceptual",
        type=names_in,
        default=[],
        metavar="M,...",
        help="lpips,dists,fid (which wants sets of thousands): needs the extra [perceptual]",
    )
    parser.add_argument(
        "--many",
        type=int,
        metavar="N",
        help="instead: time N scales of one picture, smallest to largest of --scales, as build + N x per scale",
    )
    parser.add_argument(
        "--memory",
        action="store_true",
        help="instead: peak memory of rendering one picture at the scales, each in a process of its own",
    )
    parser.add_argument(
        "--precision",
        choices=("float32", "bfloat16"),
        default="float32",
        help="what the authors' weights are computed in (default: float32)",
    )
    parser.add_argument(
        "--json",
        metavar="FILE",
        type=Path,
        help="write the figures there as well, null where there is none",
    )


def run(options: argparse.Namespace, stop: Stop | None = None) -> int:
    from gaussian_core.methods import check_name, method_of_weights
    from gaussian_core.models.devices import pick_device
    from gaussian_core.writing.reports import check_report

    if options.json:
        check_report(options.json)
    _check_combination(options)
    methods = options.methods
    if methods is None:
        methods = ["bicubic", "kernel", "continuoussr"]
        if options.weights:
            methods = ["bicubic", *(method_of_weights(path) for path in options.weights)]
    if not methods:
        raise UserError("--methods names none: leave it out, or name some, as bicubic,kernel.")
    for name in methods:
        check_name(name)
    if options.device == "cuda":  # the others are always there, and need no torch to tell
        pick_device(options.device)
    if options.many is not None:
        return _many(options, methods, stop)
    if options.memory:
        return _memory(options, methods, stop)
    return _quality(options, methods, stop)


def _check_combination(options: argparse.Namespace) -> None:
    """Refuse what would be ignored."""
    if options.limit is not None and options.limit < 1:
        raise UserError("--limit must be at least 1.")
    for name in ("jpeg", "webp"):
        quality = getattr(options, name)
        if quality is not None and not 1 <= quality <= 100:
            raise UserError(f"--{name} must be a quality between 1 and 100, not {quality}.")
    if options.noise is not None and not 0 < options.noise <= 255:
        raise UserError(f"--noise must be more than 0 and at most 255, not {options.noise:g}.")
    for name in ("jpeg", "webp", "noise"):
        if getattr(options, name) is not None and options.low:
            raise UserError(
                f"--{name} is for the pictures that are made here: leave it or --low out."
            )
    if options.many is not None and options.many < 1:
        raise UserError("--many must be at least 1.")
    if options.many is None and not options.memory:
        return
    way = "--memory" if options.many is None else "--many"
    others = {
        "--memory": options.memory and way != "--memory",
        "--low": options.low,
        "--jpeg": options.jpeg is not None,
        "--webp": options.webp is not None,
        "--noise": options.noise is not None,
        "--perceptual": options.perceptual,
        "--limit": options.limit,
        "--device cuda": options.memory and options.device == "cuda",
    }
    for name, given in others.items():
        if given:
            raise UserError(f"{name} does not go with {way}: leave one of them out.")
    if len(options.folders) > 1:
        raise UserError(f"{way} measures the first picture of a folder: name one FOLDER.")


def _quality(options: argparse.Namespace, methods: list[str], stop: Stop | None) -> int:
    from gaussian_core.evaluation import tables
    from gaussian_core.evaluation.degradation import Degradation
    from gaussian_core.evaluation.runner import evaluate

    scales = options.scales or [2.0, 3.0, 4.0]
    rows: list[Row] = []
    broken: list[str] = []

    def warn(text: str) -> None:
        broken.append(text)
        print(f"warning: {text}", file=sys.stderr)

    def measure() -> None:
        for row in evaluate(
            options.folders,
            methods,
            scales,
            options=_options(options),
            weights=options.weights,
            low=options.low,
            degradation=Degradation(options.noise or 0.0, options.jpeg, options.webp),
            perceptual=options.perceptual,
            limit=options.limit,
            warn=warn,
            stop=stop,
        ):
            rows.append(row)
            if len(rows) == 1:
                print(HEADER)
            print(_line(row), flush=True)

    def table() -> str:
        _say_notes(rows)
        if any(row.left_out for row in rows):
            print(
                "note: pictures that come out exactly have no finite PSNR, small ones no SSIM: the means leave them out",
                file=sys.stderr,
            )
        return "\n" + tables.quality(rows)

    wanted = len(options.folders) * len(scales) * len(methods)
    code = _kept(options.json, rows, measure, table, wanted)
    if broken and not code:
        print(f"{len(broken)} of the pictures could not be read", file=sys.stderr)
    return code or int(bool(broken))


def _kept(
    json: Path | None,
    rows: Sequence[Any],
    measure: Callable[[], None],
    table: Callable[[], str],
    wanted: int,
) -> int:
    """Let `measure` add to the rows; then, however it ended, print and write those there are. The exit status."""
    from gaussian_core.writing.atomic import atomic_write
    from gaussian_core.writing.strict_json import strict_json

    interrupted = False
    try:
        measure()
    except (Cancelled, KeyboardInterrupt):
        interrupted = True
    finally:
        try:
            if rows:
                print(table(), flush=True)
        finally:  # neither a disk without room nor a pipe that nobody reads takes both
            if rows and json:
                data = [row if isinstance(row, dict) else row.as_dict() for row in rows]
                atomic_write(json, strict_json(data))
    if not interrupted:
        return 0
    print(f"interrupted: {len(rows)} of {wanted} measurements were done", file=sys.stderr)
    return 130


def _line(row: Row) -> str:
    from gaussian_core.evaluation.tables import figure

    extra = "".join(f"  {k} {v:.4f}" for k, v in row.perceptual.items())
    if row.left_out:
        lacking = ", ".join(f"{name} {count}" for name, count in row.left_out.items())
        extra += f"  left out of {row.pictures}: {lacking}"
    memory = "" if row.peak_mb is None else f"{row.peak_mb:.0f}"
    return (
        f"{row.dataset:<10} {row.method:<13} {row.scale:>6g} {figure(row.psnr_y, 2):>7} "
        f"{figure(row.psnr_rgb, 2):>7} {figure(row.ssim_y, 4):>7} {figure(row.ssim_rgb, 4):>7} "
        f"{row.build_ms:>9.1f} {row.render_ms:>9.1f} {memory:>6}{extra}"
    )


def _options(options: argparse.Namespace) -> Options:
    from gaussian_core.methods import Options

    return Options(options.device, precision=options.precision)


def _say_notes(results: Sequence[Row] | Sequence[ManyScales]) -> None:
    for note in dict.fromkeys(note for result in results for note in result.notes):
        print(f"note: {note}", file=sys.stderr)


def _many(options: argparse.Namespace, methods: list[str], stop: Stop | None) -> int:
    from gaussian_core.evaluation import tables
    from gaussian_core.evaluation.runner import many_scales

    scales = options.scales or [1.1, 4.0]
    results: list[ManyScales] = []

    def measure() -> None:
        for result in many_scales(
            options.folders[0],
            methods,
            options.many,
            options=_options(options),
            weights=options.weights,
            least=min(scales),
            most=max(scales),
            stop=stop,
        ):
            results.append(result)

    def table() -> str:
        _say_notes(results)
        return tables.many_scales(results)

    return _kept(options.json, results, measure, table, len(methods))


def _memory(options: argparse.Namespace, methods: list[str], stop: Stop | None) -> int:
    from gaussian_core.evaluation import tables
    from gaussian_core.evaluation.memory import peak_memory
    from gaussian_core.evaluation.runner import options_for
    from gaussian_core.methods import METHODS
    from gaussian_core.picture_folders import pictures

    scales = options.scales or [2.0, 3.0, 4.0]
    picture = pictures(options.folders[0])[0]
    ways = options_for(methods, options.weights, _options(options))
    rows: list[dict[str, Any]] = []

    def measure() -> None:
        for method in methods:
            for scale in scales:
                peak, used = peak_memory(picture, method, scale, ways[method], stop)
                row = {"method": method, "title": METHODS[method].title, "weights": used}
                rows.append({**row, "scale": scale, "peak_mb": peak})

    def table() -> str:
        peaks: dict[str, dict[float, float | None]] = {}
        for method, of in groupby(rows, key=itemgetter("method")):
            found = list(of)
            names = ", ".join(dict.fromkeys(row["weights"] for row in found if row["weights"]))
            name = f"{method} ({names})" if names else method
            peaks[name] = {row["scale"]: row["peak_mb"] for row in found}
        return tables.memory(peaks)

    return _kept(options.json, rows, measure, table, len(methods) * len(scales))
