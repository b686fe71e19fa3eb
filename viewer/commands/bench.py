"""Time frames and fields on this machine: medians over repeats, in one run. Close other programs first."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from gaussian_core.atomic import atomic_write, check_target
from gaussian_core.parallel import Stop


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures there as well")
    parser.add_argument("--repeats", type=int, default=9, help="frames per figure (default 9)")


def run(args: argparse.Namespace, stop: Stop) -> int:
    from gaussian_core import bench

    if args.json:
        check_target(args.json)
    print("  ".join(f"{k}: {v}" for k, v in bench.machine().items()))
    print(bench.HEADER)
    rows = []
    for row in bench.run(max(1, args.repeats), stop):
        print(row.as_text(), flush=True)
        rows.append(row)
    peak = bench.peak_memory_mb()
    if peak is not None:
        print(f"peak memory {peak:.0f} MB")
    if args.json:
        atomic_write(args.json, json.dumps(bench.report(rows), indent=2) + "\n")
    return 0
