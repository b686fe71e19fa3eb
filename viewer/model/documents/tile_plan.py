"""Which tile of the field is built next, and which is dropped when memory is short.

What is wanted is the view and a margin. It is built first; beyond it only a little is built ahead. Tiles that the view
has left are kept for when it comes back, as far as the budget goes; those wanted the longest ago are dropped.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gaussian_core.machine.memory import physical_memory

if TYPE_CHECKING:
    from gaussian_core.field import GaussianField

Rect = tuple[float, float, float, float]
Key = Hashable
Sides = NDArray[np.float64]


def memory_budget() -> int:
    """Bytes that built tiles may take: a quarter of the machine's memory."""
    return physical_memory() // 4


KEPT = 1 << 30
"""Bytes of tiles out of view that are kept where the user has not said how much memory tiles may take: browsing through
a huge picture is not to fill the machine, and what was dropped is built again in a moment."""


class TilePlan:
    """The tiles of one picture, built and to be built. Thread-safe.

    rects: {key: (x0, y0, x1, y1)} of every tile. budget: bytes of built tiles; None: a quarter of the memory, and of it
    KEPT for those that are not wanted. Beyond it those that were not wanted the longest are dropped for wanted ones
    and, where all are wanted, the farthest from the view for nearer ones; nothing more is built when all nearer ones
    are there. asked: the budget as it was given. ahead: bytes of built tiles beyond which only what is wanted is
    built, where the user has not said how much memory tiles may take; None: the budget.
    """

    def __init__(
        self, rects: dict[Any, Rect], budget: int | None = None, ahead: int | None = None
    ) -> None:
        self._keys = list(rects)
        self._places = {key: i for i, key in enumerate(self._keys)}
        self._rects: NDArray[np.float64] = np.array(
            [rects[k] for k in self._keys], np.float64
        ).reshape(-1, 4)
        self._axes = _axes(self._rects)
        self._sizes = np.zeros(len(self._keys), np.int64)
        self._tiles: dict[Key, GaussianField] = {}
        self._ahead = ahead
        self._take_budget(budget)
        self._last_wanted = np.zeros(len(self._keys), np.int64)
        self._looks = 0
        self._lock = threading.Lock()
        self._view: Rect = (0.0, 0.0, 0.0, 0.0)
        if len(self._keys):
            x0, y0 = self._rects[:, :2].min(axis=0)
            x1, y1 = self._rects[:, 2:].max(axis=0)
            self._view = (float(x0), float(y0), float(x1), float(y1))
        self._wanted = np.zeros(len(self._keys), np.bool_)

    @property
    def total(self) -> int:
        return len(self._keys)

    @property
    def built(self) -> int:
        with self._lock:
            return len(self._tiles)

    @property
    def in_view(self) -> tuple[int, int]:
        """How many of the tiles that the view touches are built, and how many there are."""
        with self._lock:
            seen = self._gaps() <= 0
            return int((seen & (self._sizes > 0)).sum()), int(seen.sum())

    @property
    def tiles(self) -> dict[Key, GaussianField]:
        """A copy of what is built."""
        with self._lock:
            return dict(self._tiles)

    def set_view(self, rect: Rect, wanted: Rect | None = None) -> None:
        """The part of the picture that is looked at, and the part whose tiles are wanted (None: the same), in source
        pixels."""
        with self._lock:
            self._view = rect
            self._wanted = self._gaps(wanted or rect) <= 0
            self._looks += 1
            self._last_wanted[self._wanted] = self._looks

    def next_key(self) -> Any | None:
        """The tile to build next; None when all are there, or all that the budget has room for."""
        with self._lock:
            missing = self._sizes == 0
            if not missing.any():
                return None
            first = np.flatnonzero(missing & self._wanted)
            wanted = bool(len(first))
            if not wanted:
                if self._sizes.sum() > self.ahead:
                    return None
                first = np.flatnonzero(missing)
            # Of these only: a gigapixel has tens of thousands of tiles.
            best = int(first[np.argmin(self._ranks(first))])
            if not self._full() or self._farther_than(best).any():
                return self._keys[best]
            return self._keys[best] if wanted and self._left_behind().any() else None

    @property
    def has_next(self) -> bool:
        """Whether `next_key` knows one, for less: it is asked with every movement."""
        with self._lock:
            missing = self._sizes == 0
            waits = bool((missing & self._wanted).any())
            if not self._full() and (waits or self._sizes.sum() <= self.ahead):
                return bool(missing.any())
        return self.next_key() is not None

    def next_block(self, side: int) -> list[Any]:
        """The tiles to build next, at once: a rectangle of at most side x side tiles with the one wanted most. Keys are
        (column, row). In view it holds what is missing there and no more."""
        best = self.next_key()
        if best is None or side == 1:
            return [] if best is None else [best]
        with self._lock:
            missing = self._sizes == 0
            wanted = missing & (self._gaps() <= 0)
            # A large view is filled by blocks that fit together.
            if wanted[self._places[best]] and wanted.sum() <= 2 * side * side:
                first = _middle_first(best, [self._keys[n] for n in np.flatnonzero(wanted)], side)
            else:
                wanted = missing
                first = tuple(v // side * side for v in best)
            box = [
                key
                for i in range(first[0], first[0] + side)
                for j in range(first[1], first[1] + side)
                if (place := self._places.get(key := (i, j))) is not None and wanted[place]
            ]
        (i0, j0), (i1, j1) = (tuple(f(v) for v in zip(*box, strict=True)) for f in (min, max))
        return [(i, j) for j in range(j0, j1 + 1) for i in range(i0, i1 + 1)]

    def overtaken(self, keys: Sequence[Key]) -> bool:
        """Whether tiles that are being built had better wait: they are out of view, and others in view are missing."""
        with self._lock:
            gaps = self._gaps()
            if any(gaps[self._places[key]] <= 0 for key in keys):
                return False
            return bool(((gaps <= 0) & (self._sizes == 0)).any())

    def set_budget(self, budget: int | None) -> None:
        """Another budget from now on (None: a quarter of the memory). Tiles out of view beyond it are dropped: first
        those that were not wanted the longest, then the farthest."""
        with self._lock:
            self._take_budget(budget)
            spare = (self._sizes > 0) & (self._gaps() > 0)
            oldest = np.lexsort((-self._ranks(), self._last_wanted))
            for place in oldest[spare[oldest]]:
                if not self._too_much():
                    break
                self._drop(int(place))

    def _take_budget(self, budget: int | None) -> None:
        self.asked = budget
        self.budget = memory_budget() if budget is None else budget
        self.kept = min(KEPT, self.budget) if budget is None else self.budget
        self.ahead = self.budget
        if budget is None and self._ahead is not None:
            self.ahead = min(self._ahead, self.budget)

    def clear(self) -> None:
        """Forget all tiles: they are to be built anew."""
        with self._lock:
            self._tiles.clear()
            self._sizes[:] = 0

    def put(self, key: Key, field: GaussianField) -> list[Key]:
        """A tile is built. Returns the tiles that were dropped to make room."""
        dropped: list[Key] = []
        with self._lock:
            place = self._places[key]
            self._tiles[key] = field
            self._sizes[place] = max(1, field.nbytes)
            while self._too_much():
                behind = self._left_behind()
                if self._wanted[place] and behind.any():
                    ages = np.where(behind, self._last_wanted, np.iinfo(np.int64).max)
                    candidates = ages == ages.min()
                else:
                    candidates = self._farther_than(place)
                if not candidates.any():
                    break
                found = np.flatnonzero(candidates)
                worst = int(found[np.argmax(self._ranks(found))])
                dropped.append(self._drop(worst))
        return dropped

    def _drop(self, place: int) -> Key:
        key = self._keys[place]
        self._sizes[place] = 0
        del self._tiles[key]
        return key

    def _too_much(self) -> bool:
        """Whether more is there than the budget, or than is kept out of view."""
        left = self._sizes[self._left_behind()].sum()
        return bool(self._sizes.sum() > self.budget or left > self.kept)

    def _full(self) -> bool:
        known = self._sizes[self._sizes > 0]
        if not len(known):
            return False
        return bool(known.sum() + known.mean() > self.budget)

    def _farther_than(self, place: int) -> NDArray[np.bool_]:
        """Built tiles that lie farther off than one, by more than a quarter: else two would change places for ever."""
        rank = self._ranks()
        return (self._sizes > 0) & (rank > 1.25 * rank[place] + 1.0)

    def _left_behind(self) -> NDArray[np.bool_]:
        """Built tiles that are not wanted any more."""
        return (self._sizes > 0) & ~self._wanted

    def _ranks(self, places: NDArray[np.int64] | None = None) -> NDArray[np.float64]:
        """Of these tiles (None: of all). Small is near: the gap between tile and view counts a thousand times, then the
        distance to its middle."""
        x0, y0, x1, y1 = self._view
        columns, rows = self._sides(places)
        dx = (columns[:, 0] + columns[:, 1] - x0 - x1) / 2
        dy = (rows[:, 0] + rows[:, 1] - y0 - y1) / 2
        gaps_x, gaps_y = _gap(columns, x0, x1), _gap(rows, y0, y1)
        if places is None and self._axes is not None:
            gaps = np.maximum.outer(gaps_y, gaps_x)
            return (1000.0 * gaps + np.hypot.outer(dy, dx)).ravel()
        return 1000.0 * np.maximum(gaps_x, gaps_y) + np.hypot(dx, dy)

    def _gaps(self, rect: Rect | None = None) -> NDArray[np.float64]:
        """Source pixels between each tile and a rectangle (None: the view), 0 for those that it touches."""
        x0, y0, x1, y1 = rect or self._view
        columns, rows = self._sides(None)
        gaps_x, gaps_y = _gap(columns, x0, x1), _gap(rows, y0, y1)
        if self._axes is not None:
            return np.maximum.outer(gaps_y, gaps_x).ravel()
        return np.maximum(gaps_x, gaps_y)

    def _sides(self, places: NDArray[np.int64] | None) -> tuple[Sides, Sides]:
        """Where tiles begin and end along x and along y, (n, 2) each; of all tiles of a grid only its columns and its
        rows."""
        if places is None and self._axes is not None:
            return self._axes
        rects = self._rects if places is None else self._rects[places]
        return rects[:, 0::2], rects[:, 1::2]


def _axes(rects: NDArray[np.float64]) -> tuple[Sides, Sides] | None:
    """The columns and rows of tiles that make a grid and come row by row, (n, 2) each: what is asked of a gigapixel's
    tens of thousands is then asked of some hundreds. None for others."""
    count = len(rects)
    columns = int(np.argmax(rects[:, 1] != rects[0, 1])) if count else 0
    if columns < 2 or count % columns:
        return None
    x, y = rects[:columns, 0::2], rects[::columns, 1::2]
    grid = rects.reshape(-1, columns, 4)
    is_grid = (grid[:, :, 0::2] == x).all() and (grid[:, :, 1::2] == y[:, None]).all()
    return (x.copy(), y.copy()) if is_grid else None


def _gap(sides: Sides, low: float, high: float) -> NDArray[np.float64]:
    """Between intervals, (n, 2), and the interval from low to high; 0 where they touch."""
    return np.maximum(np.maximum(sides[:, 0] - high, low - sides[:, 1]), 0.0)


def _middle_first(best: Any, keys: Sequence[Any], side: int) -> tuple[int, ...]:
    """First column and row of the box of side x side tiles about `best` that reaches over as few others than `keys`."""
    out = []
    for axis in (0, 1):
        low, high = (f(key[axis] for key in keys) for f in (min, max))
        out.append(max(low, min(best[axis] - side // 2, high - side + 1)))
    return tuple(out)
