"""Gaussians on a device brought into the order of their cells there: spatial_index.build_index by torch's operations.

Several tiles are binned by one sort, whose key is the tile and then the cell, row by row. The sort is stable, so
within a cell they stand in the order that they came in, as they do after the host's.
"""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor

from gaussian_core.resident_field import DeviceRows
from gaussian_core.spatial_index import is_too_sparse

Rect = tuple[int, int, int, int]

WIDEST = 1.0
"""Variance, source pixels squared, up to which a Gaussian is in cells of one source pixel."""
LEAST_VARIANCE = 1e-30  # as cuda_fields has it


def bin_tiles(
    rows: Tensor, around: Rect, tiles: list[Rect], cells: int, drift: float
) -> list[DeviceRows] | None:
    """For each tile, and last for what is in none of them, if anything is, its Gaussians in cell order.

    rows: (5 + C, N) float32 of the source pixels of `around`, pixel by pixel, cells^2 Gaussians each, none of which is
    farther than `drift` source pixels along an axis from its pixel. tiles: within `around`, they do not overlap. None
    for Gaussians that ask for larger cells, which the host's index knows. Waits for the device once.
    """
    x0, y0, x1, y1 = around
    width, height = x1 - x0, y1 - y0
    n = cells * cells
    rest = width * height - sum((d - b) * (c - a) for a, b, c, d in tiles)
    numbers = torch.full((height, width), len(tiles), dtype=torch.int32, device=rows.device)
    for number, (a, b, c, d) in enumerate(tiles):
        numbers[b - y0 : d - y0, a - x0 : c - x0] = number
    # Cells of the whole of `around`, and of what may drift out of it.
    reach = math.ceil(drift) + 1
    wide, high = width + 2 * reach, height + 2 * reach
    dtype = torch.int32 if (len(tiles) + 1) * wide * high < 2**31 else torch.int64
    columns = _cell(rows[0], x0 - reach, wide, dtype)
    keys = _cell(rows[1], y0 - reach, high, dtype).mul_(wide).add_(columns)
    keys.view(-1, n).add_(numbers.reshape(-1, 1).to(dtype) * (wide * high))
    keys, order = torch.sort(keys, stable=True)
    values = _layout(rows)
    homes = _drifts(rows, around, cells) if drift > 0 else None
    areas = [(d - b) * (c - a) for a, b, c, d in tiles] + ([rest] if rest else [])
    parts = torch.split(order, [area * n for area in areas])
    ordered = [values.index_select(1, part) for part in parts]
    facts = [torch.stack(torch.aminmax(part[:2], dim=1)) for part in ordered]
    facts.append(rows[2:5:2].amax(1)[None])
    *bounds, variance = torch.cat(facts).tolist()
    # The host's index says of what is no number that it is none.
    if not max(variance) <= WIDEST or not all(map(math.isfinite, itertools.chain(*bounds))):
        return None
    made, place = [], 0
    for number, (part, which) in enumerate(zip(ordered, parts, strict=True)):
        (left, top), (right, bottom) = bounds[2 * number : 2 * number + 2]
        first = (math.floor(left), math.floor(top))
        across, down = math.floor(right) - first[0] + 1, math.floor(bottom) - first[1] + 1
        count = len(which)
        # What is in no tile is a thin frame around them: drawn once, its many empty cells do no harm.
        if number < len(tiles) and is_too_sparse(across, down, count):
            return None
        corner = number * wide * high + (first[1] - y0 + reach) * wide + first[0] - x0 + reach
        lines = torch.arange(corner, corner + down * wide, wide, dtype=dtype, device=rows.device)
        steps = torch.arange(across, dtype=dtype, device=rows.device)
        cells_of = (lines[:, None] + steps).reshape(-1)
        own = keys[place : place + count]
        starts = torch.searchsorted(
            own, torch.cat([cells_of, cells_of.new_full((1,), _END[dtype])]), out_int32=True
        )
        made.append(
            DeviceRows(
                part,
                starts,
                first,
                across,
                down,
                (left, top, right, bottom),
                (variance[0], variance[1]),
                None if homes is None else homes.index_select(1, which),
            )
        )
        place += count
    return made


_END = {torch.int32: 2**31 - 1, torch.int64: 2**62}  # beyond every key


def grid_rows(
    amplitudes: Tensor, left: int, top: int, tiles: list[Rect], variance: float
) -> list[DeviceRows]:
    """For each tile one round Gaussian of that variance at the centre of each of its pixels.

    amplitudes: (C, H, W), of the pixels from (left, top) on, which hold the tiles.
    """
    channels, height, width = amplitudes.shape
    device = amplitudes.device
    grid = amplitudes.new_empty(5 + channels, height, width)
    grid[0] = torch.arange(width, device=device) + (left + 0.5)
    grid[1] = (torch.arange(height, device=device) + (top + 0.5))[:, None]
    grid[2:5:2] = variance
    grid[3] = 0
    grid[5:] = amplitudes
    # Every cell holds one: the starts of one tile are those of another, as far as they go.
    most = max((d - b) * (c - a) for a, b, c, d in tiles)
    starts = torch.arange(most + 1, dtype=torch.int32, device=device)
    return [
        DeviceRows(
            grid[:, b - top : d - top, a - left : c - left].reshape(5 + channels, -1).contiguous(),
            starts[: (d - b) * (c - a) + 1],
            (a, b),
            c - a,
            d - b,
            (a + 0.5, b + 0.5, c - 0.5, d - 0.5),
            (variance, variance),
        )
        for a, b, c, d in tiles
    ]


def _cell(places: Tensor, first: int, count: int, dtype: torch.dtype) -> Tensor:
    """Number of the cell of each place, 0 .. count - 1; what is no number is in one of them, too, for the moment."""
    return torch.floor(places).to(dtype).sub_(first).clamp_(0, count - 1)


def _layout(rows: Tensor) -> Tensor:
    """Rows with the covariance as DeviceRows has it. In double precision: a thin Gaussian's is a small difference."""
    values = rows.clone()
    xx, xy, yy = rows[2:5].double()
    yy = yy.clamp_min(LEAST_VARIANCE)
    slope = xy / yy
    values[2], values[3] = yy, slope
    values[4] = (xx - slope * xy).clamp_min(LEAST_VARIANCE)
    return values


def _drifts(rows: Tensor, around: Rect, cells: int) -> Tensor:
    """(2, N) float16: how far the Gaussians are from their cells' centres, as assembly.drifts_of."""
    x0, y0, x1, y1 = around
    shape = (y1 - y0, x1 - x0, cells, cells)
    within = (torch.arange(cells, device=rows.device, dtype=torch.float32) + 0.5) / cells
    xs = torch.arange(x0, x1, device=rows.device, dtype=torch.float32)[:, None, None] + within
    ys = torch.arange(y0, y1, device=rows.device, dtype=torch.float32)[:, None, None, None]
    out = torch.empty(2, rows.shape[1], dtype=torch.float16, device=rows.device)
    out[0] = (rows[0].view(shape) - xs).reshape(-1)
    out[1] = (rows[1].view(shape) - (ys + within[:, None])).reshape(-1)
    return out
