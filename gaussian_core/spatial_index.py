"""Gaussians binned by source-pixel cell, once, so that any viewport at any zoom finds its own without a sort.

Cells are a fixed grid in source coordinates (they do not depend on the zoom). Large Gaussians would widen the search
of everybody, so the grid is a hierarchy: level l has cells of 2**l source pixels and holds the Gaussians whose larger
standard deviation is at most 2**l. Of a picture so large that single precision does not hold its places, each part
has grids of its own, with an origin that their places count from.
"""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gaussian_core.compiled import compiled
from gaussian_core.row_layout import ROW_PADDING, SPAN

Origin = tuple[int, int]
Places = NDArray[np.int64]

SAMPLED = 4096  # Gaussians of a level that its quantiles are taken of, about
FARTHEST = 2.0**31  # number of a cell, at most
MOST_SPANS = 1024  # with origins of their own: Gaussians strewn over a huge plane ask for no more


@dataclass(frozen=True)
class GridLevel:
    """One grid: cell (i, j) holds the Gaussians starts[j * columns + i] .. starts[j * columns + i + 1] of the rows."""

    cell: float  # side of a cell, source pixels
    first: tuple[int, int]  # cell number (column, row) of the grid's first cell
    columns: int
    rows: int
    starts: NDArray[np.int32]  # (columns * rows + 1,) numbers into SpatialIndex.rows, see _zeros
    variance: tuple[float, float]  # the largest along x and along y, source pixels squared
    bounds: tuple[float, float, float, float]  # x0, y0, x1, y1 of the centres
    count: int
    # Of each Gaussian the variance along a row or a column of pixels, whichever is less, source pixels squared: the
    # least of all, then those that nearly one, two ... nine tenths stay below.
    narrowest: tuple[float, ...]
    # Of each Gaussian the variance along x or y, whichever is more, source pixels squared: what nearly nineteen in
    # twenty stay below.
    widest: float
    # Every cell holds one Gaussian, in the same place, and all have the level's `variance` and no correlation.
    regular: bool = False
    # What `first`, `bounds` and the places in the rows count from: source coordinates (x, y), whole numbers.
    origin: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class SpatialIndex:
    """The Gaussians in cell order, one row per quantity: x, y, sxx, sxy, syy, amplitudes (5 + C, >= N) float32; x and y
    from the origin of their level on.

    order: (N,) int64, place in the field of the Gaussian at each place of the rows; None when they are the same.
    The rows are padded by ROW_PADDING, since the kernel reads whole vectors.
    """

    rows: NDArray[np.float32]
    order: NDArray[np.int64] | None
    levels: tuple[GridLevel, ...]

    def in_rect(self, rect: tuple[float, float, float, float]) -> NDArray[np.int64]:
        """Places in the field of the Gaussians whose centre lies in [x0, x1) x [y0, y1)."""
        found = []
        for level in self.levels:
            x0, y0, x1, y1 = own = [
                float(v) - o for v, o in zip(rect, level.origin * 2, strict=True)
            ]
            cells = _cell_range(level, x0, y0, x1, y1)
            x, y = self.rows[:2]
            found.append(_in_rect(x, y, level.starts, level.columns, *cells, *own))
        places = np.concatenate(found) if found else np.empty(0, np.int64)
        return places if self.order is None else self.order[places]


def _cell_range(
    level: GridLevel, x0: float, y0: float, x1: float, y1: float
) -> tuple[int, int, int, int]:
    """First and last cell column and row that a rectangle touches, kept within the grid."""
    limits = []
    for low, high, first, count in (
        (x0, x1, level.first[0], level.columns),
        (y0, y1, level.first[1], level.rows),
    ):
        a = min(max(low / level.cell - first, 0.0), count - 1.0)
        b = min(max(high / level.cell - first, 0.0), count - 1.0)
        limits.append((int(a), int(b)))
    return limits[0][0], limits[0][1], limits[1][0], limits[1][1]


@compiled()
def _in_rect(x, y, starts, columns, c0, c1, r0, r1, x0, y0, x1, y1):
    total = 0
    for r in range(r0, r1 + 1):
        total += starts[r * columns + c1 + 1] - starts[r * columns + c0]
    out = np.empty(total, np.int64)
    n = 0
    for r in range(r0, r1 + 1):
        for k in range(starts[r * columns + c0], starts[r * columns + c1 + 1]):
            if x0 <= x[k] < x1 and y0 <= y[k] < y1:
                out[n] = k
                n += 1
    return out[:n]


@compiled(fastmath={"nnan", "nsz"})
def _number_cells(x, y, cell, first_x, first_y, columns, rows, numbers):
    """Cell number of each centre. Without branches, so that it is computed a vector at a time."""
    inverse = 1.0 / cell  # exact: a power of two
    most_x, most_y = float(columns - 1), float(rows - 1)
    across = np.int32(columns)
    for k in range(x.size):
        i = min(max(np.floor(x[k] * inverse) - first_x, 0.0), most_x)
        j = min(max(np.floor(y[k] * inverse) - first_y, 0.0), most_y)
        numbers[k] = np.int32(j) * across + np.int32(i)


def _zeros(count: int) -> NDArray[np.int32]:
    """(count,), with ROW_PADDING places of memory after them, as the rows have: the kernel reads whole vectors."""
    return np.zeros(count + ROW_PADDING, np.int32)[:count]


@compiled()
def _count_cells(numbers, starts):
    """First place of each cell, from zeros; True when the numbers already stand in order."""
    ordered = True
    last = np.int32(-1)
    for number in numbers:
        starts[number + 1] += 1
        ordered &= number >= last
        last = number
    for c in range(starts.size - 1):
        starts[c + 1] += starts[c]
    return ordered


@compiled()
def _counting_sort(numbers, starts, order):
    """Stable order of the cell numbers, given the first place of each cell."""
    cursor = starts[:-1].copy()
    for k in range(numbers.size):
        order[cursor[numbers[k]]] = k
        cursor[numbers[k]] += 1


@compiled()
def _gather(source, order, target):
    for k in range(order.size):
        target[k] = source[order[k]]


@compiled(fastmath={"nnan", "nsz"}, error_model="numpy")
def _least_narrow(xx, xy, yy):
    """The least of the Gaussians' variances along a row or a column of pixels (source pixels^2)."""
    least = np.inf
    for k in range(xx.size):
        a, b, c = float(xx[k]), float(xy[k]), float(yy[k])
        least = min(least, (a * c - b * b) / max(a, c))
    return max(least, 0.0)


def _widths(covariances: NDArray[np.float32]) -> tuple[tuple[float, ...], float]:
    """GridLevel.narrowest and widest of (N, 3) covariances, N at least 1."""
    xx, xy, yy = covariances.T
    a, b, c = covariances[:: max(1, len(covariances) // SAMPLED)].T.astype(np.float64)
    larger = np.maximum(a, c)
    deciles = np.quantile(np.maximum((a * c - b * b) / larger, 0.0), np.arange(1, 10) / 10)
    narrowest = (float(_least_narrow(xx, xy, yy)), *(float(v) for v in deciles))
    return narrowest, float(np.quantile(larger, 0.95))


def build_index(
    means: NDArray[np.float32] | NDArray[np.float64],
    covariances: NDArray[np.float32],
    amplitudes: NDArray[np.float32],
    rows: NDArray[np.float32] | None = None,
    origin: tuple[int, int] = (0, 0),
) -> SpatialIndex:
    """Bin (N, 2) means, (N, 3) covariances and (N, C) amplitudes. N = 0 gives an index without levels.

    rows: the same values in the layout of SpatialIndex.rows, used without a copy if they stand in cell order.
    origin: what means of single precision count from. Those of double precision are split by origins of their own.
    """
    count, channels = amplitudes.shape
    if count == 0:
        return SpatialIndex(np.zeros((5 + channels, ROW_PADDING), np.float32), None, ())
    spans, places = _spans(means, origin)
    parts = [(corner, *part) for corner, inside in spans for part in _parts(covariances, inside)]
    orders: list[NDArray[np.int64] | None] = []
    levels: list[GridLevel] = []
    placed = 0
    for corner, exponent, chosen in parts:
        m = places if chosen is None else places[chosen]
        shapes = covariances if chosen is None else covariances[chosen]
        variances = (float(shapes[:, 0].max()), float(shapes[:, 2].max()))
        order, level = _bin(
            m[:, 0], m[:, 1], float(2.0**exponent), variances, _widths(shapes), placed
        )
        level = replace(level, origin=corner)
        if chosen is not None:
            order = chosen if order is None else chosen[order]
        orders.append(order)
        levels.append(level)
        placed += len(m)
    kept = [order for order in orders if order is not None]
    if not kept and rows is not None:
        return SpatialIndex(rows, None, _marked(levels, rows, count))
    merged = np.concatenate(kept) if kept else None
    filled = np.zeros((5 + channels, count + ROW_PADDING), np.float32)
    for target, source in zip(filled, (*places.T, *covariances.T, *amplitudes.T), strict=True):
        if merged is None:
            target[:count] = source
        else:
            _gather(source, merged, target)
    return SpatialIndex(filled, merged, _marked(levels, filled, count))


def _spans(
    means: NDArray[Any], given: Origin
) -> tuple[list[tuple[Origin, Places | None]], NDArray[np.float32]]:
    """Origins, the numbers of the Gaussians that count from each (None: all), and the places (N, 2) of all of them from
    these on. given: what means of single precision count from."""
    if means.dtype == np.float32:
        return [(given, None)], means
    span = float(SPAN)
    while True:
        corners = np.floor(means / span)
        # Neighbours mostly share a corner: only where it changes one has to look.
        begins = np.flatnonzero((np.diff(corners, axis=0, prepend=np.nan) != 0).any(axis=1))
        found, which = np.unique(corners[begins], axis=0, return_inverse=True)
        if len(found) <= MOST_SPANS:
            break
        span *= 2
    which = np.repeat(which.reshape(-1).astype(np.int16), np.diff(begins, append=len(means)))
    origins = found * span
    places = (means - origins[which]).astype(np.float32)
    order = np.argsort(which, kind="stable")
    ends = np.cumsum(np.bincount(which, minlength=len(found)))[:-1]
    parts = np.split(order, ends)
    spans: list[tuple[Origin, Places | None]] = [
        ((int(x), int(y)), part) for (x, y), part in zip(origins, parts, strict=True)
    ]
    return spans, places


def _parts(
    covariances: NDArray[np.float32], inside: Places | None
) -> list[tuple[int, Places | None]]:
    """The exponents of the levels, and the numbers of the Gaussians of each, of those inside; None: all."""
    own = covariances if inside is None else covariances[inside]
    larger = max(float(own[:, 0].max()), float(own[:, 2].max()))
    if larger <= 1.0:
        return [(0, inside)]
    exponents = np.maximum(0, np.ceil(0.5 * np.log2(np.maximum(own[:, 0], own[:, 2]))))
    exponents = exponents.astype(np.int8)
    values = np.unique(exponents)
    if len(values) == 1:
        return [(int(values[0]), inside)]
    if inside is None:
        return [(int(e), np.flatnonzero(exponents == e)) for e in values]
    return [(int(e), inside[exponents == e]) for e in values]


def index_in_order(
    rows: NDArray[np.float32],
    first: tuple[int, int],
    columns: int,
    lines: int,
    starts: NDArray[np.int32],
    bounds: tuple[float, float, float, float],
    origin: tuple[int, int] = (0, 0),
) -> SpatialIndex:
    """The index of rows that stand in the order of cells of one source pixel, as build_index would make it.

    rows: with their padding, at least one Gaussian, none of a standard deviation above 1. The others: of GridLevel.
    """
    count = rows.shape[1] - ROW_PADDING
    padded = _zeros(len(starts))
    padded[:] = starts
    shapes = rows[2:5, :count].T
    variance = (float(shapes[:, 0].max()), float(shapes[:, 2].max()))
    level = GridLevel(
        1.0, first, columns, lines, padded, variance, bounds, count, *_widths(shapes), origin=origin
    )
    return SpatialIndex(rows, None, _marked([level], rows, count))


def is_too_sparse(columns: int, lines: int, count: int) -> bool:
    """Whether so many cells are too many for so few Gaussians."""
    return columns * lines > 4 * count + 1024


def _marked(
    levels: list[GridLevel], rows: NDArray[np.float32], count: int
) -> tuple[GridLevel, ...]:
    """The levels, a single one marked as regular where its Gaussians, in cell order, are so."""
    if len(levels) == 1 and _is_regular(rows[:5, :count], levels[0]):
        return (replace(levels[0], regular=True),)
    return tuple(levels)


def _is_regular(rows: NDArray[np.float32], level: GridLevel) -> bool:
    """Whether (5, N) Gaussians in cell order fill the grid, one a cell, at equal places and with equal axes."""
    if level.columns * level.rows != rows.shape[1]:
        return False
    shape = (level.rows, level.columns)
    x = np.float32(level.bounds[0]) + np.arange(level.columns, dtype=np.float32) * level.cell
    y = np.float32(level.bounds[1]) + np.arange(level.rows, dtype=np.float32) * level.cell
    wanted = (level.variance[0], 0.0, level.variance[1])
    return bool(
        (rows[0].reshape(shape) == x).all()
        and (rows[1].reshape(shape) == y[:, None]).all()
        and all((row == np.float32(v)).all() for row, v in zip(rows[2:], wanted, strict=True))
    )


def _bin(
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    cell: float,
    variance: tuple[float, float],
    widths: tuple[tuple[float, ...], float],
    offset: int,
) -> tuple[NDArray[np.int64] | None, GridLevel]:
    """Order of the centres by cell (None: as they stand) and the grid, whose places start at `offset`."""
    bounds = (float(x.min()), float(y.min()), float(x.max()), float(y.max()))
    # A few Gaussians strewn over a huge plane must not ask for a huge grid, nor one far out for cells without a number.
    while max(map(abs, bounds)) / cell > FARTHEST:
        cell *= 2
    while True:
        first = (int(np.floor(bounds[0] / cell)), int(np.floor(bounds[1] / cell)))
        columns = int(np.floor(bounds[2] / cell)) - first[0] + 1
        rows = int(np.floor(bounds[3] / cell)) - first[1] + 1
        if not is_too_sparse(columns, rows, x.size):
            break
        cell *= 2
    numbers = np.empty(x.size, np.int32)
    starts = _zeros(columns * rows + 1)
    order = None
    _number_cells(x, y, cell, float(first[0]), float(first[1]), columns, rows, numbers)
    if not _count_cells(numbers, starts):
        order = np.empty(x.size, np.int64)
        _counting_sort(numbers, starts, order)
    starts += np.int32(offset)
    return order, GridLevel(cell, first, columns, rows, starts, variance, bounds, x.size, *widths)
