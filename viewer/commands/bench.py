"""Measure on this machine: frames, building, memory, and LIIF beside them; with --window the real window in motion.
Close other programs first.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gaussian_core.atomic import atomic_write, check_target
from gaussian_core.errors import UserError
from gaussian_core.parallel import Stop
from gaussian_core.strict_json import strict_json
from viewer.commands.arguments import check_plot

SECTIONS = ("frames", "build", "memory", "liif")
ON_REQUEST = ("cpp",)
METHODS = ("continuoussr", "kernel")


def _sections(text: str) -> tuple[str, ...]:
    chosen = tuple(part.strip() for part in text.split(","))
    for name in chosen:
        if name not in SECTIONS + ON_REQUEST:
            known = ", ".join(SECTIONS + ON_REQUEST)
            raise argparse.ArgumentTypeError(f"{name!r} is none of {known}")
    return chosen


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdigit() and height.isdigit() and min(int(width), int(height)) >= 64):
        raise argparse.ArgumentTypeError(f"{text!r} is no size such as 1920x1080")
    return int(width), int(height)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures there as well")
    parser.add_argument("--repeats", type=int, default=9, help="frames per figure (default 9)")
    parser.add_argument(
        "--only",
        metavar="SECTION,...",
        type=_sections,
        default=SECTIONS,
        help=f"what to measure: {', '.join(SECTIONS)} (default: these), or cpp: frames against a rasterizer written by "
        "hand in C++ with AVX-512, which needs a compiler",
    )
    parser.add_argument("--plot", metavar="FILE", type=Path, help="draw the curves into a PNG")
    window = parser.add_argument_group("the window in motion")
    window.add_argument(
        "--window",
        action="store_true",
        help="open the window on a picture, zoom from fit to 256x and back with pans, time what it shows",
    )
    window.add_argument(
        "picture", metavar="PICTURE", nargs="?", type=Path, help="default: a synthetic one"
    )
    window.add_argument(
        "--megapixels", type=float, default=12.0, help="of the synthetic picture (default 12)"
    )
    window.add_argument("--method", choices=METHODS, default=METHODS[0], help="of the field")
    window.add_argument(
        "--size", type=_size, default=(1920, 1080), help="of the canvas (default 1920x1080)"
    )
    window.add_argument(
        "--while-building",
        action="store_true",
        help="do not wait for the field: move while it is built",
    )
    window.add_argument(
        "--memory",
        action="store_true",
        help="browse at all zooms for a minute instead and tell the peak memory",
    )


def run(args: argparse.Namespace, stop: Stop) -> int:
    if args.json:
        check_target(args.json)
    if args.plot:
        check_plot(args.plot)
    report = _window(args, stop) if args.window else _suite(args, stop)
    if args.json:
        atomic_write(args.json, strict_json(report))
    return 0


def _suite(args: argparse.Namespace, stop: Stop) -> dict[str, Any]:
    from gaussian_core.benchmarks import measuring, suite

    if args.picture is not None:
        raise UserError(
            "A picture is for `bench --window`: the other figures are of synthetic ones."
        )
    print("  ".join(f"{k}: {v}" for k, v in measuring.machine().items()))
    print(measuring.HEADER)
    report = suite.Report()
    for result in suite.run(args.only, max(1, args.repeats), stop):
        print(result.as_text(), flush=True)
        report.results.append(result)
    peak = measuring.peak_memory_mb()
    if peak is not None:
        print(f"peak memory {peak:.0f} MB")
    if args.plot:
        from gaussian_core.benchmarks.plot import plot_curves

        plot_curves(args.plot, report.curves)
    return report.as_data()


def _window(args: argparse.Namespace, stop: Stop) -> dict[str, Any]:
    if args.plot:
        raise UserError("There is nothing to plot with --window: leave --plot out.")
    if sys.platform.startswith("linux") and not any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    ):
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    # The name is not spelled as an import: the window's modules need Qt, which a headless machine may lack.
    window = importlib.import_module("viewer.ui.window_measurements")
    from gaussian_core.benchmarks import measuring

    with _picture(args) as path:
        options = window.WindowOptions(
            path, args.method, args.size, not args.while_building, 60.0 if args.memory else 0.0
        )
        measured = window.measure_window(options, stop, lambda text: print(text, flush=True))
    return {"machine": measuring.machine(), "window": measured}


@contextmanager
def _picture(args: argparse.Namespace) -> Iterator[Path]:
    """The picture that was named, or a synthetic one in a folder that goes away."""
    if args.picture is not None:
        yield args.picture
        return
    from gaussian_core.benchmarks.pictures import write_picture_apart

    if not 0.01 <= args.megapixels <= 1000:
        raise UserError(f"A picture has 0.01 to 1000 megapixels here, not {args.megapixels:g}.")
    with tempfile.TemporaryDirectory(prefix="gaussian-zoom-") as folder:
        path = Path(folder, f"synthetic-{args.megapixels:g}MP.jpg")
        write_picture_apart(path, args.megapixels)
        yield path
