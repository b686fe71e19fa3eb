"""From the raw outputs of the heads to rows of Gaussians on the CPU: ContinuousSR.gaussians in one compiled pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gaussian_core import footprint
from gaussian_core.models.assembly_kernel import assemble_rows
from gaussian_core.models.config import GEOMETRY_RATE, ModelConfig
from gaussian_core.parallel import Stop, run_strips
from gaussian_core.rasterizer import PIXEL_SIGMA
from gaussian_core.row_layout import ROW_PADDING

Rect = tuple[int, int, int, int]
STRIP = 8  # rows of source pixels


class Heads(NamedTuple):
    """What the Gaussians of a picture (C, H, W) are made of.

    outputs: of both heads (O, H - 2 skip, W - 2 skip), float32 or, as int16, the bits of bfloat16; they may lack `skip`
    pixels on each side. Or what makes those of the rows first .. last - 1 when they are needed, (O, last - first, W - 2
    skip), on any thread: they are many, and so never leave the cache. enlarged: the bicubic enlargement (C, G H, G W).
    stretch: elongation along edges (2, H, W). prior: the dictionary (K, 3); of no entries where the outputs are the
    covariances themselves.
    """

    outputs: NDArray[Any] | Callable[[int, int], NDArray[Any]]
    enlarged: NDArray[np.float32]
    stretch: NDArray[np.float32]
    prior: NDArray[np.float32]


def can_assemble(config: ModelConfig) -> bool:
    """Whether the kernel knows such covariances (the published, linear ones stay with torch)."""
    return config.covariance in ("log", "direct")


def assemble_outputs(
    config: ModelConfig,
    heads: Heads,
    origin: tuple[int, int],
    rect: Rect,
    stop: Stop | None = None,
    skip: int = 0,
) -> NDArray[np.float32]:
    """Rows (5 + C, N + padding) of the Gaussians of rect, pixel by pixel.

    origin: source coordinates of the picture's first pixel. rect: x0, y0, x1, y1 in its pixels. Raises Cancelled when
    stopped.
    """
    g = config.cells
    x0, y0, x1, y1 = rect
    count = (x1 - x0) * (y1 - y0) * g * g
    rows = np.empty((5 + len(heads.enlarged), count + ROW_PADDING), np.float32)
    rows[:, count:] = 0
    enlarged, stretch, prior = (np.ascontiguousarray(x) for x in heads[1:])
    outputs = heads.outputs if callable(heads.outputs) else np.ascontiguousarray(heads.outputs)

    def strip(number: int) -> None:
        first = y0 + number * STRIP
        last = min(first + STRIP, y1)
        if callable(outputs):
            raw, lost = outputs(first - skip, last - skip), (skip, first)
        else:
            raw, lost = outputs, (skip, skip)
        assemble_rows(
            first,
            last,
            stretch,
            raw,
            lost,
            prior,
            enlarged,
            rect,
            origin,
            g,
            np.float32(GEOMETRY_RATE),
            np.float32(config.spread**2),
            np.float32(config.drift),
            rows,
        )

    run_strips(strip, -(-(y1 - y0) // STRIP), stop)
    return rows


def metadata_of(config: ModelConfig) -> dict[str, str]:
    """Of the fields that a network makes."""
    finest = footprint.OF_A_CELL / config.cells
    metadata = {
        "method": "continuoussr",
        "weights": config.name,
        footprint.FINEST: f"{finest:g}",
    }
    if config.footprint != PIXEL_SIGMA:
        metadata[footprint.ENTRY] = f"{config.footprint:g}"
    return metadata


def drifts_of(
    rows: NDArray[np.float32], origin: tuple[int, int], width: int, cells: int, place: float = 0.5
) -> NDArray[np.float16]:
    """(N, 2): how far the Gaussians of rows, pixel by pixel of `width` a line from origin on, are from their cells.

    place: where in its cell, along both axes, a Gaussian begins; 0.5 is the centre.
    """
    n = cells * cells
    count = rows.shape[1] - ROW_PADDING
    lines = count // (n * width)
    within = (np.arange(cells, dtype=np.float32) + np.float32(place)) / np.float32(cells)
    # As long lines: NumPy takes its time for each of the short ones of a cell.
    across = np.arange(width, dtype=np.float32) + np.float32(origin[0])
    columns = (across[:, None, None] + within).repeat(cells, 1).reshape(-1)
    heights = np.arange(lines, dtype=np.float32) + np.float32(origin[1])
    down = np.tile(within.repeat(cells), width)
    x, y = (row[:count].reshape(lines, -1) for row in rows[:2])
    out = np.empty((count, 2), np.float16)
    dx, dy = (drifts.reshape(lines, -1) for drifts in out.T)

    def strip(number: int) -> None:
        part = slice(number * STRIP, (number + 1) * STRIP)
        dx[part] = x[part] - columns
        dy[part] = y[part] - (heights[part, None] + down)

    run_strips(strip, -(-lines // STRIP))
    return out


def part_of_rows(
    rows: NDArray[np.float32], rect: Rect, part: Rect, cells: int
) -> NDArray[np.float32]:
    """Rows of the pixels of `part`, from the rows of the pixels of `rect` around it."""
    n = cells * cells
    width, height = rect[2] - rect[0], rect[3] - rect[1]
    grid = rows[:, : width * height * n].reshape(len(rows), height, width * n)
    inner = grid[
        :, part[1] - rect[1] : part[3] - rect[1], (part[0] - rect[0]) * n : (part[2] - rect[0]) * n
    ]
    count = inner.shape[1] * inner.shape[2]
    out = np.empty((len(rows), count + ROW_PADDING), np.float32)
    out[:, count:] = 0

    def copy(number: int) -> None:
        out[number, :count].reshape(inner.shape[1:])[...] = inner[number]

    run_strips(copy, len(rows))
    return out
