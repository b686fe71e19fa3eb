"""Make the kernels ready before the first frame needs them.

Compiling takes some ten seconds, on the first start only, and holds the GIL for long stretches: in the process of a
window that would make it stutter. So a process of its own compiles into the cache on disk, and this one loads.
`python -m gaussian_core.rasterizer.warm` is that process.
"""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import numpy as np

from gaussian_core.field import GaussianField
from gaussian_core.rasterizer import rasterize
from gaussian_core.viewport import Viewport

log = logging.getLogger(__name__)

PACKAGE_ROOT = Path(__file__).resolve().parents[2]


def warm_kernels() -> None:
    """Have every kernel of the viewer compiled and loaded when this returns."""
    from gaussian_core.compiled import is_cached
    from gaussian_core.rasterizer.cpu_kernel import render_strip

    if not is_cached(render_strip):
        _compile_in_a_process()
    _use_every_kernel()


def _compile_in_a_process() -> None:
    command = [sys.executable, "-m", "gaussian_core.rasterizer.warm"]
    try:
        done = subprocess.run(
            command, cwd=PACKAGE_ROOT, capture_output=True, text=True, check=False
        )
    except OSError as error:  # no interpreter to call, as in a frozen program
        log.warning("Compiling the kernels in this process: %s", error)
        return
    if done.returncode != 0:
        log.warning("Compiling the kernels in this process: %s", done.stderr.strip()[-500:])


def _use_every_kernel() -> None:
    """Render one tiny frame of every kind that the viewer shows."""
    for channels in (1, 3, 4):
        field = GaussianField(
            [[1.0, 1.0]], [[0.2, 0.0, 0.2]], np.full((1, channels), 0.5), extent=(2, 2)
        )
        view = Viewport((0, 0), 2.0, (4, 4))
        rasterize(field, view, format="bgrx8")
        rasterize(field, view)
        field.in_rect((0, 0, 2, 2))
    for channels in (3, 4):
        _build_a_tile(channels)
    from gaussian_core import resampling

    resampling.warm()


def _build_a_tile(channels: int) -> None:
    from gaussian_core.builder import build_field

    field = build_field(np.full((2, 2, channels), 0.5, np.float32))
    _ = field.index


if __name__ == "__main__":
    _use_every_kernel()
