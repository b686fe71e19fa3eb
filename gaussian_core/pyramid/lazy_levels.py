"""The antialiased levels of a picture that is read as it is asked for, in bounded memory."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gaussian_core.imaging.byte_cache import ByteCache
from gaussian_core.parallel import Stop, run_strips
from gaussian_core.pyramid import Rect, halve_into, halved, interleaved, size_of_level, top_level

HELD = 256 << 20
"""Bytes of the finest level that is held whole. Finer ones are made where they are looked at."""
PASSING = 128 << 20
"""Bytes of tiles of those finer ones that are kept."""
QUICK = 16 << 20
"""Pixels of the file's coarsest level up to which the coarser ones are made within a frame."""
TILE = 512
"""Side of a tile and of a block of a level, pixels. A power of two: a block is whole pixels of coarser levels."""
STRIP_READ = 16 << 20
"""Bytes of the source that one block of a picture in strips is made of, which is as wide as the picture."""

BATCH = 8
"""Blocks that are made between two rests."""

Progress = Callable[[int, int], object]


class LevelSource(Protocol):
    """A picture some of whose levels a file holds (imaging.lazy_tiff.LazyTiff is one)."""

    @property
    def extent(self) -> tuple[int, int]: ...
    @property
    def channels(self) -> int: ...
    @property
    def dtype(self) -> np.dtype[Any]: ...
    @property
    def full(self) -> float: ...
    @property
    def page_levels(self) -> tuple[int, ...]: ...
    @property
    def striped(self) -> bool: ...
    def level_part(
        self, number: int, rect: Rect, stop: Stop | None = None
    ) -> tuple[NDArray[Any], NDArray[Any] | None]: ...


class LazyLevels:
    """The Levels of a picture that is read as it is asked for.

    Levels that the file holds are read from it. One that it lacks between them is made of the next finer one, tile by
    tile. Those beyond the file's coarsest are held, from the first that fits into HELD on, and filled block by block:
    with all that is asked for before it is given, or by one passage through the file (`fill`).
    """

    def __init__(self, source: LevelSource) -> None:
        self._source = source
        self.extent, self.channels, self.peak = source.extent, source.channels, source.full
        self._top = top_level(self.extent)
        self._last = max(n for n in source.page_levels if n <= self._top)
        self._base = self._last + 1
        while self._base < self._top and self._nbytes(self._base) > HELD:
            self._base += 1
        self._tiles: ByteCache[NDArray[Any]] = ByteCache(PASSING, lambda tile: tile.nbytes)
        self._held: list[NDArray[Any]] = []  # from level `base` on; made when first needed
        rows, columns = self._grid(self._base)
        self._filled = np.full((rows, columns), self._base > self._top)
        high, wide = self._block(self._base)
        # From here on a pixel may belong to more than one block.
        self._whole_to = self._base + min(high, wide if columns > 1 else high).bit_length() - 1
        self._lock = threading.Lock()

    @property
    def slow(self) -> bool:
        """Whether the coarse levels take a passage through most of the file: a matter for the background."""
        high, wide = size_of_level(self.extent, self._last)
        return high * wide > QUICK and self._last < self._top

    @property
    def complete(self) -> bool:
        """Whether nothing is left for `fill` to do."""
        return bool(self._filled.all())

    def quick_look(self, side: int) -> int | None:
        """The level of the file that makes a first look, its longer side near `side`; None for none."""
        fitting = [
            n
            for n in self._source.page_levels
            if n > 0 and side * 2 // 3 <= max(size_of_level(self.extent, n)) <= 4 * side
        ]
        return max(fitting, default=None)

    def part(
        self, number: int, rect: Rect, stop: Stop | None = None, wait: bool = True
    ) -> NDArray[Any]:
        """As Levels.part. wait: False leaves out (0) what `fill` has not come to yet."""
        number = min(number, self._top)
        if number in self._source.page_levels:
            return self._page(number, rect, stop)
        if number < self._base:
            return self._of_tiles(number, rect, stop)
        return self._of_held(number, rect, stop, wait or not self.slow)

    def fill(
        self,
        stop: Stop | None = None,
        progress: Progress | None = None,
        rest: Callable[[], object] | None = None,
    ) -> None:
        """Make the coarse levels now. progress: called with (blocks done, blocks in all), from any thread. rest: called
        every few blocks, on this thread; until it returns nothing is read.

        Raises Cancelled when stopped; what is done stays. Raises ImageError.
        """
        missing = [(int(row), int(column)) for row, column in np.argwhere(~self._filled)]

        def work(number: int) -> None:
            self._fill_block(*missing[number], stop)
            if progress is not None:
                progress(int(self._filled.sum()), self._filled.size)

        # The thread pool is not for waiting: others need it just then.
        for start in range(0, len(missing), BATCH):
            if rest is not None:
                rest()
            batch = range(start, min(start + BATCH, len(missing)))
            run_strips(lambda k: work(batch[k]), len(batch), stop)  # noqa: B023 - runs at once

    def as_far_as_read(self) -> SoFar:
        """The levels for a window, which shows what there is and does not wait."""
        return SoFar(self)

    # ---- the file's own -----------------------------------------------------------------------

    def _page(self, number: int, rect: Rect, stop: Stop | None) -> NDArray[Any]:
        pixels, alpha = self._source.level_part(number, rect, stop)
        if alpha is None and pixels.flags.c_contiguous:
            return pixels
        return interleaved(pixels, alpha, self.peak, stop)

    def _made(self, number: int, rect: Rect, stop: Stop | None) -> NDArray[Any]:
        """A part of a level straight from the next finer one that the file holds."""
        if number in self._source.page_levels:
            return self._page(number, rect, stop)
        return halved(lambda r: self._made(number - 1, r, stop), rect, self.extent, number - 1)

    # ---- between them -------------------------------------------------------------------------

    def _of_tiles(self, number: int, rect: Rect, stop: Stop | None) -> NDArray[Any]:
        x0, y0, x1, y1 = rect
        high, wide = self._block(number)
        out = np.empty((y1 - y0, x1 - x0, self.channels), self._source.dtype)
        places = [
            (row, column)
            for row in range(y0 // high, -(-y1 // high))
            for column in range(x0 // wide, -(-x1 // wide))
        ]

        def copy(place: int) -> None:
            row, column = places[place]
            left, top, right, bottom = self._rect(number, row, column)
            tile = self._tiles.get(
                (number, row, column),
                lambda: self._made(number, (left, top, right, bottom), stop),
            )
            a, b, c, d = max(x0, left), max(y0, top), min(x1, right), min(y1, bottom)
            part = tile[b - top : d - top, a - left : c - left]
            out[b - y0 : d - y0, a - x0 : c - x0] = part

        run_strips(copy, len(places), stop)
        return out

    def _block(self, number: int) -> tuple[int, int]:
        """(height, width) of the blocks in which a level is made; of a picture in strips they are as wide as it is."""
        if not self._source.striped:
            return TILE, TILE
        finer = max(n for n in self._source.page_levels if n <= number)
        row = size_of_level(self.extent, finer)[1] * self.channels * self._source.dtype.itemsize
        rows = max(1, STRIP_READ // row >> (number - finer))
        return 1 << (rows.bit_length() - 1), size_of_level(self.extent, number)[1]

    def _grid(self, number: int) -> tuple[int, int]:
        """(rows, columns) of blocks."""
        high, wide = size_of_level(self.extent, number)
        block = self._block(number)
        return -(-high // block[0]), -(-wide // block[1])

    def _rect(self, number: int, row: int, column: int) -> Rect:
        """Of a block."""
        high, wide = self._block(number)
        height, width = size_of_level(self.extent, number)
        x, y = column * wide, row * high
        return x, y, min(x + wide, width), min(y + high, height)

    # ---- beyond them --------------------------------------------------------------------------

    def _of_held(self, number: int, rect: Rect, stop: Stop | None, wait: bool) -> NDArray[Any]:
        self._make_room()
        if wait and not self.complete:
            self._fill_below(number, rect, stop)
        x0, y0, x1, y1 = rect
        if number <= self._whole_to:
            return self._held[number - self._base][y0:y1, x0:x1]
        return halved(
            lambda r: self._of_held(number - 1, r, stop, wait), rect, self.extent, number - 1
        )

    def _make_room(self) -> None:
        with self._lock:
            if not self._held:
                shape = self.channels, self._source.dtype
                self._held = [
                    np.zeros((*size_of_level(self.extent, n), shape[0]), shape[1])
                    for n in range(self._base, min(self._top, self._whole_to) + 1)
                ]

    def _fill_below(self, number: int, rect: Rect, stop: Stop | None) -> None:
        """Fill what a part of a level is made of."""
        high, wide = self._block(self._base)
        x0, y0, x1, y1 = (v << (number - self._base) for v in rect)
        rows, columns = self._filled.shape
        missing = [
            (row, column)
            for row in range(y0 // high, min(rows, -(-y1 // high)))
            for column in range(x0 // wide, min(columns, -(-x1 // wide)))
            if not self._filled[row, column]
        ]
        run_strips(lambda k: self._fill_block(*missing[k], stop), len(missing), stop)

    def _fill_block(self, row: int, column: int, stop: Stop | None) -> None:
        """Twice at once does no harm: it comes out the same."""
        self._make_room()
        x0, y0, x1, y1 = self._rect(self._base, row, column)
        self._held[0][y0:y1, x0:x1] = self._made(self._base, (x0, y0, x1, y1), stop)
        for above in range(1, len(self._held)):
            fine, coarse = self._held[above - 1], self._held[above]
            target = coarse[y0 // 2 : -(-y1 // 2), x0 // 2 : -(-x1 // 2)]
            number = self._base + above - 1
            halve_into(target, fine[y0:y1, x0:x1], (x0, y0, x1, y1), self.extent, number)
            x0, y0, x1, y1 = x0 // 2, y0 // 2, -(-x1 // 2), -(-y1 // 2)
        self._filled[row, column] = True

    def _nbytes(self, number: int) -> int:
        high, wide = size_of_level(self.extent, number)
        return high * wide * self.channels * int(self._source.dtype.itemsize)


class SoFar:
    """Levels as far as they are there: nothing waits for a passage through the file."""

    def __init__(self, levels: LazyLevels) -> None:
        self.levels = levels
        self.extent, self.channels, self.peak = levels.extent, levels.channels, levels.peak

    def part(self, number: int, rect: Rect, stop: Stop | None = None) -> NDArray[Any]:
        return self.levels.part(number, rect, stop, wait=False)
