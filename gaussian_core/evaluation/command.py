"""Measure how close enlargements come to the originals: PSNR and SSIM, times and memory, a table and JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gaussian_core.errors import UserError
from gaussian_core.list_arguments import names_in, scales_in
from gaussian_core.models.config import named_weights
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
        help="their low resolution pictures; else bicubic ones are made",
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
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument(
        "--weights",
        type=named_weights,
        action="append",
        default=[],
        metavar="light|base|FILE",
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
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures there as well")


def run(options: argparse.Namespace, stop: Stop | None = None) -> int:
    from gaussian_core.atomic import atomic_write, check_target
    from gaussian_core.evaluation import tables
    from gaussian_core.evaluation.runner import evaluate
    from gaussian_core.methods import method_of_weights

    if options.json:
        check_target(options.json)
    if options.limit is not None and options.limit < 1:
        raise UserError("--limit must be at least 1.")
    methods = options.methods
    if methods is None:
        methods = ["bicubic", "kernel", "continuoussr"]
        if options.weights:
            methods = ["bicubic", *(method_of_weights(path) for path in options.weights)]
    if options.many is not None:
        return _many(options, methods, stop)
    scales = options.scales or [2.0, 3.0, 4.0]
    if options.memory:
        return _memory(options, methods, scales, stop)
    rows: list[Row] = []
    for row in evaluate(
        options.folders,
        methods,
        scales,
        options=_options(options),
        weights=options.weights,
        low=options.low,
        perceptual=options.perceptual,
        limit=options.limit,
        stop=stop,
    ):
        if not rows:
            print(HEADER)
        rows.append(row)
        extra = "".join(f"  {k} {v:.4f}" for k, v in row.perceptual.items())
        memory = "" if row.peak_mb is None else f"{row.peak_mb:.0f}"
        print(
            f"{row.dataset:<10} {row.method:<13} {row.scale:>6g} {row.psnr_y:>7.2f} {row.psnr_rgb:>7.2f} "
            f"{row.ssim_y:>7.4f} {row.ssim_rgb:>7.4f} {row.build_ms:>9.1f} {row.render_ms:>9.1f} {memory:>6}{extra}",
            flush=True,
        )
    _say_notes(rows)
    print("\n" + tables.quality(rows))
    if options.json:
        atomic_write(options.json, json.dumps([row.as_dict() for row in rows], indent=2) + "\n")
    return 0


def _options(options: argparse.Namespace) -> Options:
    from gaussian_core.methods import Options

    return Options(options.device, precision=options.precision)


def _say_notes(results: Sequence[Row] | Sequence[ManyScales]) -> None:
    for note in dict.fromkeys(note for result in results for note in result.notes):
        print(f"note: {note}", file=sys.stderr)


def _many(options: argparse.Namespace, methods: list[str], stop: Stop | None) -> int:
    from gaussian_core.atomic import atomic_write
    from gaussian_core.evaluation import tables
    from gaussian_core.evaluation.runner import many_scales

    if options.many < 1:
        raise UserError("--many must be at least 1.")
    scales = options.scales or [1.1, 4.0]
    results = list(
        many_scales(
            options.folders[0],
            methods,
            options.many,
            options=_options(options),
            weights=options.weights,
            least=min(scales),
            most=max(scales),
            stop=stop,
        )
    )
    _say_notes(results)
    print(tables.many_scales(results))
    if options.json:
        atomic_write(options.json, json.dumps([r.as_dict() for r in results], indent=2) + "\n")
    return 0


def _memory(
    options: argparse.Namespace, methods: list[str], scales: list[float], stop: Stop | None
) -> int:
    from gaussian_core.atomic import atomic_write
    from gaussian_core.errors import Cancelled
    from gaussian_core.evaluation import tables
    from gaussian_core.evaluation.memory import peak_memory
    from gaussian_core.evaluation.pairs import pictures
    from gaussian_core.evaluation.runner import options_for
    from gaussian_core.methods import METHODS

    picture = pictures(options.folders[0])[0]
    peaks: dict[str, dict[float, float | None]] = {}
    ways = options_for(methods, options.weights, _options(options))
    for method in methods:
        peaks[method] = {}
        for scale in scales:
            if stop is not None and stop():
                raise Cancelled("measuring stopped")
            peaks[method][scale] = peak_memory(picture, method, scale, ways[method])
    print(tables.memory(peaks))
    if options.json:
        rows = [
            {"method": m, "title": METHODS[m].title, "scale": s, "peak_mb": value}
            for m, values in peaks.items()
            for s, value in values.items()
        ]
        atomic_write(options.json, json.dumps(rows, indent=2) + "\n")
    return 0
