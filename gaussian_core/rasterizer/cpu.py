"""The CPU rasterizer: strips of the viewport on the shared thread pool."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gaussian_core.field import GaussianField
from gaussian_core.lattice import lattice, lattice_corner
from gaussian_core.parallel import Stop, run_strips, worker_count
from gaussian_core.rasterizer import strip_kernel as kernel
from gaussian_core.rasterizer.cells_ring import spreads
from gaussian_core.rasterizer.coarse import lattices
from gaussian_core.rasterizer.cpu_kernel import REACH
from gaussian_core.viewport import Viewport

# Device pixels; with three channels a tile of 96 rows stays in a second-level cache.
TILE_WIDTH = 256
STRIP = 96  # rows of a strip, about: high enough that few Gaussians are set up in two strips
# Where coarse lattices are drawn: their tiles hold a few samples, and the margins of small ones would cost more.
COARSE_TILE_WIDTH, COARSE_STRIP = 512, 180


def _tables(
    fields: tuple[GaussianField, ...],
    gains: tuple[float, ...],
    scale: tuple[float, float],
    footprint: float,
) -> tuple[NDArray[np.int64], NDArray[np.float64], int]:
    """The grid levels of all fields as the two tables that the kernel reads, and the coarsest lattice to draw on.

    The fields must outlive their use.
    """
    coarsest, finest = lattices(
        [level for field in fields for level in field.index.levels], scale, footprint
    )
    lattice_of = iter(finest)
    integers, floats = [], []
    for field, gain in zip(fields, gains, strict=True):
        index = field.index
        for level in index.levels:
            integers.append(
                (
                    index.rows.ctypes.data,
                    index.rows.strides[0],
                    level.starts.ctypes.data,
                    *level.first,
                    level.columns,
                    level.rows,
                    int(level.regular),
                    next(lattice_of),
                    int(spreads(level, scale, footprint, REACH)),
                )
            )
            # As a viewport's corner is rounded: what is seen of it is the same in all viewports.
            shift = (sum(lattice(o, s)) for o, s in zip(level.origin, scale, strict=True))
            floats.append((level.cell, *level.variance, *level.bounds, gain, *shift))
    return (
        np.array(integers, np.int64).reshape(-1, 10),
        np.array(floats, np.float64).reshape(-1, 10),
        coarsest,
    )


def _strip_height(height: int, wanted: int) -> int:
    """Rows of a strip, about as many as wanted, such that the workers get equally many strips."""
    workers = worker_count()
    rounds = max(1, round(height / (wanted * workers)))
    return max(16, math.ceil(height / (rounds * workers)))


def rasterize_cpu(
    fields: tuple[GaussianField, ...],
    gains: tuple[float, ...],
    viewport: Viewport,
    pixel_sigma: float,
    as_bytes: bool,
    out: NDArray[np.float32] | NDArray[np.uint8],
    stop: Stop | None,
) -> None:
    """Sum the fields, the amplitudes of each times its gain.

    Write (H, W, C) float32, or (H, W, 4) uint8 BGRX, to `out` (C-contiguous). Raises Cancelled when stopped.
    """
    width, height = viewport.size
    (lx, px), (ly, py) = lattice_corner(viewport)
    footprint = pixel_sigma * pixel_sigma
    grids, sizes, coarsest = _tables(fields, gains, viewport.scale, footprint)
    template = (np.float32(0),) * fields[0].channels
    strip = _strip_height(height, COARSE_STRIP if coarsest else STRIP)
    tile_width = COARSE_TILE_WIDTH if coarsest else TILE_WIDTH
    floats = np.empty((0, 0, 0), np.float32) if as_bytes else out
    packed = out.view(np.int32)[..., 0] if as_bytes else np.empty((0, 0), np.int32)

    def render(number: int) -> None:
        top = number * strip
        kernel.render_strip(
            grids, sizes, *viewport.scale, float(lx), float(ly), float(px), float(py),
            footprint, coarsest, template, top, min(strip, height - top), width, tile_width,
            as_bytes, floats, packed,
        )  # fmt: skip

    run_strips(render, math.ceil(height / strip), stop)
