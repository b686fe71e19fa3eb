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

from gaussian_core.builder import DEFAULT_METHOD, FIELD_METHODS
from gaussian_core.errors import UserError
from gaussian_core.machine.memory import peak_memory_mb
from gaussian_core.parallel import Stop
from gaussian_core.writing.atomic import atomic_write
from gaussian_core.writing.reports import check_report
from gaussian_core.writing.strict_json import strict_json
from viewer.commands.arguments import check_plot

SECTIONS = ("frames", "build", "memory", "liif")
ON_REQUEST = ("cpp",)
REPEATS, MEGAPIXELS, SIZE = 9, 12.0, (1920, 1080)


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
    parser.add_argument("--repeats", type=int, help=f"frames per figure (default {REPEATS})")
    parser.add_argument(
        "--only",
        metavar="SECTION,...",
        type=_sections,
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
        "--megapixels", type=float, help=f"of the synthetic picture (default {MEGAPIXELS:g})"
    )
    window.add_argument(
        "--method", choices=tuple(FIELD_METHODS), help=f"of the field (default {DEFAULT_METHOD})"
    )
    window.add_argument("--size", type=_size, help="of the canvas (default {}x{})".format(*SIZE))
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
    _check_combination(args)
    if args.json:
        check_report(args.json)
    if args.plot:
        check_plot(args.plot)
    report = _window(args, stop) if args.window else _suite(args, stop)
    if args.json:
        atomic_write(args.json, strict_json(report))
    return 0


def _check_combination(args: argparse.Namespace) -> None:
    """Refuse what would be ignored."""
    if args.repeats is not None and args.repeats < 1:
        raise UserError("--repeats must be at least 1.")
    if args.window:
        for name in ("only", "repeats"):
            if getattr(args, name) is not None:
                raise UserError(f"--{name} does not go with --window: leave one of them out.")
        if args.plot:
            raise UserError("There is nothing to plot with --window: leave --plot out.")
        if args.picture is not None and args.megapixels is not None:
            raise UserError("--megapixels is of the synthetic picture: leave it or PICTURE out.")
        return
    if args.picture is not None:
        raise UserError(
            "A picture is for `bench --window`: the other figures are of synthetic ones."
        )
    for name in ("megapixels", "method", "size", "while_building", "memory"):
        if getattr(args, name) not in (None, False):
            option = name.replace("_", "-")
            raise UserError(f"--{option} is for `bench --window`: add --window, or leave it out.")


def _suite(args: argparse.Namespace, stop: Stop) -> dict[str, Any]:
    from gaussian_core.benchmarks import measuring, suite

    print("  ".join(f"{k}: {v}" for k, v in measuring.machine().items()))
    print(measuring.HEADER)
    report = suite.Report()
    for result in suite.run(args.only or SECTIONS, args.repeats or REPEATS, stop):
        print(result.as_text(), flush=True)
        report.results.append(result)
    peak = peak_memory_mb()
    if peak is not None:
        print(f"peak memory {peak:.0f} MB")
    if args.plot:
        from gaussian_core.benchmarks.plot import plot_curves

        plot_curves(args.plot, report.curves)
    return report.as_data()


def _window(args: argparse.Namespace, stop: Stop) -> dict[str, Any]:
    if sys.platform.startswith("linux") and not any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    ):
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    # The names are not spelled as imports: the window's modules need Qt, which a headless machine may lack.
    importlib.import_module("viewer.model.torch_import").load_before_qt(
        args.method or DEFAULT_METHOD
    )
    window = importlib.import_module("viewer.ui.bench.window_measurements")
    from gaussian_core.benchmarks import measuring

    with _picture(args) as path:
        options = window.WindowOptions(
            path,
            args.method or DEFAULT_METHOD,
            args.size or SIZE,
            not args.while_building,
            60.0 if args.memory else 0.0,
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

    megapixels = MEGAPIXELS if args.megapixels is None else args.megapixels
    if not 0.01 <= megapixels <= 1000:
        raise UserError(f"A picture has 0.01 to 1000 megapixels here, not {megapixels:g}.")
    with tempfile.TemporaryDirectory(prefix="gaussian-zoom-") as folder:
        path = Path(folder, f"synthetic-{megapixels:g}MP.jpg")
        write_picture_apart(path, megapixels)
        yield path
