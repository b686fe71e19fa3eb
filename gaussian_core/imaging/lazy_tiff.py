"""A large TIFF that is never decoded whole: its tiles are read as rectangles of it are asked for."""

from __future__ import annotations

import math
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from gaussian_core.errors import ChangedError, ImageError
from gaussian_core.imaging import orientation
from gaussian_core.imaging.byte_cache import ByteCache
from gaussian_core.imaging.file_state import FileState
from gaussian_core.imaging.files import LAZY_MAX_PIXELS, check_memory, check_size
from gaussian_core.imaging.measurements import Range, may_be_measured, range_of
from gaussian_core.imaging.picture import PictureSource, Rect, Stored, grey_as_rgb
from gaussian_core.imaging.tiff_files import (
    opened_tiff,
    pages_note,
    smaller_pages,
    tiff_faults,
    turn_of,
)
from gaussian_core.imaging.tiff_samples import (
    JPEG,
    RGB,
    YCBCR,
    Samples,
    beyond_bytes,
    parts_in_bytes,
    samples_of,
)
from gaussian_core.imaging.tiff_segments import LARGEST, Segments, SharedFile, sample
from gaussian_core.parallel import Stop, run_strips
from gaussian_core.pyramid import size_of_level

if TYPE_CHECKING:
    from gaussian_core.pyramid.lazy_levels import LazyLevels

LAZY_FROM = 1 << 26
"""Pixels from which a TIFF is read as it is asked for. What is smaller is decoded whole in a second, and then always
there."""
CACHE = 192 << 20
"""Bytes of decoded tiles that are kept: several windows' full."""
SAMPLED = 32 << 20
"""Bytes of the file's coarsest page by which it is judged what measurements are shown from and to: a third of a
second's."""
OF_SAMPLE = ", as a sample of them reaches"
BLANK = 0.5
"""Of full brightness: what is shown in the place of a tile that cannot be decoded, where that is wanted."""

Converted = tuple[NDArray[Any], NDArray[Any] | None]


def open_lazy(path: Path, file: BinaryIO) -> LazyTiff | None:
    """A TIFF to be read as it is asked for; None for a small one, and for kinds that have to be decoded whole.

    Nothing is decoded yet but a sample of what may be measurements. Raises ImageError for a file that is cut short, or
    claims too many pixels.
    """
    state = FileState.of_open(file)
    with opened_tiff(path, file) as tiff:
        page: Any = tiff.pages.first
        if page.imagewidth * page.imagelength < LAZY_FROM or not _readable(page):
            return None
        check_size(path, page.imagewidth, page.imagelength, 0, LAZY_MAX_PIXELS)
        shared = SharedFile(path, state)
        first = Segments(path, shared, page)
        if first.nbytes > LARGEST:
            return None
        pages = {0: first}
        for other in smaller_pages(tiff):
            number = _level_of(other, first.extent)
            if number is not None and number not in pages and _alike(other, page):
                segments = Segments(path, shared, other)
                if segments.nbytes <= LARGEST:
                    pages[number] = segments
        measured = _measured(page, pages) if may_be_measured(page) else None
        samples = samples_of(path, file, page, measured)
        notes = [_pages_note(tiff, pages), measured.note(OF_SAMPLE) if measured is not None else ""]
        return LazyTiff(path, pages, samples, turn_of(page), "; ".join(n for n in notes if n))


def open_cut(path: Path, file: BinaryIO) -> tuple[LazyTiff, float] | None:
    """Of a TIFF that is cut short those tiles and strips that are whole, the others grey, and the share of these; None
    where there are none, or it cannot be told. Raises ImageError where not even that is there which says what is where.
    """
    state = FileState.of_open(file)
    with opened_tiff(path, file) as tiff:
        page: Any = tiff.pages.first
        # What measurements are shown as depends on all of them.
        if not _readable(page) or may_be_measured(page):
            return None
        check_size(path, page.imagewidth, page.imagelength, 0, LAZY_MAX_PIXELS)
        segments = Segments(path, SharedFile(path, state), page, cut=True)
        missing = segments.missing()
        if segments.nbytes > LARGEST or not 0 < missing < 1:
            return None
        lazy = LazyTiff(path, {0: segments}, samples_of(path, file, page), turn_of(page), "")
        lazy.show_damage()
        return lazy, missing


def _measured(page: Any, pages: dict[int, Segments]) -> Range | None:
    """Judged by a part of it, the same one each time: to read all of it takes minutes."""
    return range_of(sample(pages[max(pages)], SAMPLED), page)


def _readable(page: Any) -> bool:
    if page.imagedepth != 1 or page.dtype is None:
        return False
    return beyond_bytes(page) or parts_in_bytes(page)


def _level_of(page: Any, extent: tuple[int, int]) -> int | None:
    """Which level of the picture a page is: half as large, or a quarter ..., to the pixel; None for another size."""
    size = (int(page.imagelength), int(page.imagewidth))
    if not all(size):
        return None
    number = round(math.log2(max(extent) / max(size)))
    expected = [side / (1 << number) if number > 0 else 0.0 for side in extent]
    fits = all(abs(s - max(1.0, e)) <= 1 for s, e in zip(size, expected, strict=True))
    return number if number > 0 and fits else None


def _alike(page: Any, first: Any) -> bool:
    return _readable(page) and _kind(page) == _kind(first)


def _kind(page: Any) -> tuple[object, ...]:
    colours = int(page.photometric)
    if colours == YCBCR and int(page.compression) == JPEG:
        colours = RGB
    extra = tuple(int(kind) for kind in page.extrasamples)
    return colours, page.samplesperpixel, page.dtype, page.bitspersample, extra


def _pages_note(tiff: Any, pages: dict[int, Segments]) -> str:
    """Levels of a pyramid are no pages of their own to whoever opens it."""
    return pages_note(tiff) if len(pages) == 1 else ""


class LazyTiff(PictureSource):
    """A TIFF whose tiles are read from the file as they are asked for, from any number of threads.

    page_levels: the numbers of the levels (see pyramid.Levels) that the file holds, 0 among them. striped: whether it
    is stored in strips as wide as the picture.
    """

    opened = True

    def __init__(
        self, path: Path, pages: dict[int, Segments], samples: Samples, turn: int, note: str
    ) -> None:
        self.name, self.path, self._path = path.name, str(path), path
        self._pages, self._samples, self._turn, self._note = pages, samples, turn, note
        self._extent = self._upright(pages[0].extent)
        self.page_levels = tuple(sorted(pages))
        self.damage = ""
        self._forgives = False
        self._cache: ByteCache[Converted] = ByteCache(CACHE, _nbytes)
        self._levels: LazyLevels | None = None
        self._lock = threading.Lock()

    @property
    def note(self) -> str:  # type: ignore[override]
        return "; ".join(n for n in (self._note, *self._samples.notes) if n)

    @property
    def extent(self) -> tuple[int, int]:
        return self._extent

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._samples.dtype

    @property
    def has_alpha(self) -> bool:
        return self._samples.has_alpha

    @property
    def striped(self) -> bool:
        return self._pages[0].columns == 1 and not orientation.swaps_sides(self._turn)

    @property
    def levels(self) -> LazyLevels:
        """Its antialiased levels: from the file where it has them."""
        from gaussian_core.pyramid.lazy_levels import LazyLevels

        with self._lock:
            if self._levels is None:
                self._levels = LazyLevels(self)
            return self._levels

    def show_damage(self) -> None:
        self._forgives = True

    def stored(self, rect: Rect) -> Stored:
        return self.level_part(0, rect)

    def level_part(self, number: int, rect: Rect, stop: Stop | None = None) -> Stored:
        """A part of one of `page_levels`, in pixels of that level, as `stored` gives it. Raises Cancelled when stopped,
        ImageError."""
        if (rect[2] - rect[0]) * (rect[3] - rect[1]) > LAZY_FROM:
            room = 4 * self.channels * (1 + self.dtype.itemsize)  # also as floats
            check_memory(self._path, rect[2] - rect[0], rect[3] - rect[1], room)
        segments = self._pages[number]
        upright = size_of_level(self._extent, number)
        x0, y0, x1, y1 = orientation.stored_rect(rect, upright, self._turn)
        height, width = segments.extent
        # A file may have rounded the size of its level up or down: a last pixel that it lacks is the one beside it.
        x0, y0 = min(x0, width - 1), min(y0, height - 1)
        right, bottom = max(x0 + 1, min(x1, width)), max(y0 + 1, min(y1, height))
        pixels, alpha = self._read(number, (x0, y0, right, bottom), stop)
        if (right, bottom) != (x1, y1):
            more = ((0, y1 - bottom), (0, x1 - right))
            pixels = np.pad(pixels, (*more, (0, 0)), mode="edge")
            alpha = None if alpha is None else np.pad(alpha, more, mode="edge")
        pixels = orientation.turned_upright(pixels, self._turn)
        if alpha is not None:
            alpha = orientation.turned_upright(alpha, self._turn)
        return grey_as_rgb(pixels), alpha

    def _read(self, number: int, rect: Rect, stop: Stop | None) -> Converted:
        """A rectangle of a page as stored: its pixels (h, w, 1 or 3) and alpha."""
        segments = self._pages[number]
        x0, y0, x1, y1 = rect
        high, wide = segments.shape
        places = [
            (row, column)
            for row in range(y0 // high, -(-y1 // high))
            for column in range(x0 // wide, -(-x1 // wide))
        ]
        pixels = np.empty((y1 - y0, x1 - x0, self._samples.channels), self.dtype)
        alpha = np.empty(pixels.shape[:2], self.dtype) if self.has_alpha else None

        def copy(place: int) -> None:
            row, column = places[place]
            top, left = row * high, column * wide
            a, b = max(x0, left), max(y0, top)
            c, d = min(x1, left + wide), min(y1, top + high)
            colours, opacity = self._segment(number, row, column)
            source = slice(b - top, d - top), slice(a - left, c - left)
            target = slice(b - y0, d - y0), slice(a - x0, c - x0)
            pixels[target] = colours[source]
            if alpha is not None and opacity is not None:
                alpha[target] = opacity[source]

        run_strips(copy, len(places), stop)
        return pixels, alpha

    def _segment(self, number: int, row: int, column: int) -> Converted:
        segments = self._pages[number]

        def make() -> Converted:
            try:
                values = segments.read(row, column)
                with tiff_faults(self._path):
                    return self._samples.convert(values)
            except ImageError as error:
                if not self._forgives:
                    raise
                self.outdated = self.outdated or isinstance(error, ChangedError)
                self.damage = self.damage or f"A part of it is shown grey: {error}"
                return self._blank(segments.shape)

        return self._cache.get((number, row, column), make)

    def _blank(self, shape: tuple[int, int]) -> Converted:
        grey = self.dtype.type(BLANK * self.full)
        pixels = np.full((*shape, self._samples.channels), grey, self.dtype)
        alpha = np.full(shape, self.full, self.dtype) if self.has_alpha else None
        return pixels, alpha

    def _upright(self, stored: tuple[int, int]) -> tuple[int, int]:
        return stored[::-1] if orientation.swaps_sides(self._turn) else stored


def _nbytes(converted: Converted) -> int:
    pixels, alpha = converted
    return pixels.nbytes + (0 if alpha is None else alpha.nbytes)
