"""What each part of the learned field is worth: short trainings at an equal budget, one table.

Stops at Ctrl-C and later goes on from there. The parts: DDCW and APD, the dictionary's size and range, Gaussians a
pixel, drift, pixel footprint, data consistency, and what gives the Gaussians their shape.

The table:  main.py ablate DIV2K_train_HR --out runs/ablation --tests Set5 --scales 2,3,4
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from gaussian_core.arguments import add_device, names_in, scales_in
from gaussian_core.errors import UserError
from gaussian_core.parallel import Stop
from gaussian_core.training.ablation import VARIANTS, Budget


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("folders", metavar="FOLDER", nargs="+", type=Path, help="pictures to train on")
    add("--out", required=True, type=Path, metavar="FOLDER", help="trainings and their results")
    add(
        "--tests",
        required=True,
        nargs="+",
        type=Path,
        metavar="FOLDER",
        help="originals to measure on",
    )
    add("--scales", type=scales_in, default=[2.0, 3.0, 4.0], metavar="S,...", help="default 2,3,4")
    add(
        "--only",
        type=names_in,
        metavar="V,...",
        help="of " + ", ".join(variant.name for variant in VARIANTS),
    )
    budget = Budget()
    for name, meaning in (
        ("steps", "of each"),
        ("batch", "crops a step"),
        ("patch", "side of the low resolution crops"),
        ("channels", "width of the encoder"),
        ("blocks", "its residual blocks"),
        ("seed", "of every random choice"),
    ):
        value = getattr(budget, name)
        add(f"--{name}", type=int, default=value, help=f"{meaning} (default {value})")
    add_device(parser)
    add(
        "--json",
        type=Path,
        metavar="FILE",
        help="write the figures there as well, null where there is none",
    )


def run(options: argparse.Namespace, stop: Stop | None = None) -> int:
    from gaussian_core.evaluation.pairs import check_measurable
    from gaussian_core.models.devices import pick_device
    from gaussian_core.models.faults import failures_of_training
    from gaussian_core.picture_folders import pictures_below
    from gaussian_core.training.ablation import ablate, table
    from gaussian_core.training.asked import check_numbers
    from gaussian_core.training.dataset import PictureStore
    from gaussian_core.training.own_folder import own_folder
    from gaussian_core.writing.atomic import atomic_write, make_folder
    from gaussian_core.writing.reports import check_report
    from gaussian_core.writing.strict_json import strict_json

    check_numbers(options)
    known = {variant.name: variant for variant in VARIANTS}
    if options.only == []:
        raise UserError("--only names no variant: leave it out, or name some.")
    unknown = [name for name in options.only or () if name not in known]
    if unknown:
        raise UserError(f"Unknown variant {unknown[0]!r}: choose of {', '.join(known)}.")
    # The first row is what the others are compared with: it is always there.
    chosen = [v for v in VARIANTS if not options.only or v.name in options.only or v is VARIANTS[0]]
    if options.json:
        check_report(options.json)
    pictures_below(*options.folders)
    for folder in options.tests:
        check_measurable(folder)
    device = pick_device(options.device)
    make_folder(options.out)
    budget = Budget(
        options.steps, options.batch, options.patch, options.channels, options.blocks, options.seed
    )
    results = []
    with own_folder(options.out), failures_of_training(device.type):
        store = PictureStore(options.folders, options.out)
        for result in ablate(
            chosen, budget, store, options.out, options.tests, options.scales, device, stop
        ):
            results.append(result)
            print(table([results[0], result]).splitlines()[-1], flush=True)
    print("\n" + table(results))
    if len(results) < len(chosen):
        print(f"{len(results)} of {len(chosen)} are done: the same command goes on from here.")
    elif options.json:
        atomic_write(options.json, strict_json([asdict(r) for r in results]))
    return 0 if len(results) == len(chosen) else 130
