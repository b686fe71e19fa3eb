"""The tiles or strips of a TIFF page, each read and decoded by itself."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gaussian_core.errors import ChangedError, ImageError
from gaussian_core.imaging.file_state import FileState
from gaussian_core.imaging.files import damaged
from gaussian_core.imaging.tiff_files import tiff_faults
from gaussian_core.imaging.tiff_samples import CONTIGUOUS
from gaussian_core.parallel import run_strips

log = logging.getLogger(__name__)

LARGEST = 64 << 20
"""Bytes of a decoded segment beyond which reading one by one is no gain: a strip may be the whole picture."""
ROWS = 1 << 20
"""Bytes of uncompressed rows that are read at once where they lie one after the other."""
FEW_ROWS = 8
"""Of a file that is cut short: so that little of what there is goes with what is missing."""

FEWEST = 3
"""Segments of a sample, however large they are."""


class SharedFile:
    """A file that several threads read from. It stays open as long as somebody has it."""

    def __init__(self, path: Path, state: FileState) -> None:
        """state: of the file when its header was read. Raises ChangedError where it has another by now."""
        self._file = open(path, "rb")  # noqa: SIM115 - closed when nobody has it any more
        self._lock = threading.Lock()
        self._path, self._state = path, state
        self.size = state.size
        self._check()

    def read(self, offset: int, count: int) -> bytes:
        """Raises ChangedError where something was written to the file since it was opened, EOFError, OSError."""
        with self._lock:
            self._file.seek(offset)
            data = self._file.read(count)
            self._check()  # after it: nothing of another picture is to be given
        if len(data) < count:
            raise EOFError("the file ends before the tile does")
        return data

    def _check(self) -> None:
        if FileState.of_open(self._file) != self._state:
            raise ChangedError(f"{self._path} has changed since it was opened: open it again.")

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            self._file.close()


class Segments:
    """The segments of one page in a grid.

    extent: (height, width) of the page as stored. shape: (height, width) of a segment; those at the far edges are cut.
    rows, columns: of the grid. samples: of a pixel. dtype: of one.
    """

    def __init__(self, path: Path, file: SharedFile, page: Any, cut: bool = False) -> None:
        """page: a tifffile.TiffPage of an open file. cut: segments may lie beyond its end; reading such a one raises
        ImageError. Else this does: DamagedError."""
        self._path, self._file = path, file
        self.extent = (int(page.imagelength), int(page.imagewidth))
        self.samples = int(page.samplesperpixel)
        separate = self.samples > 1 and int(page.planarconfig) != CONTIGUOUS
        self._planes = self.samples if separate else 1
        self._nothing, self.dtype = page.nodata, page.dtype
        self.in_rows = bool(page.is_contiguous)
        offsets = np.asarray(page.dataoffsets, np.uint64).astype(np.int64)
        counts = np.asarray(page.databytecounts, np.uint64).astype(np.int64)
        if self.in_rows:
            self._order = page.dtype.newbyteorder(page.parent.byteorder)
            self._row_bytes = self.extent[1] * self._order.itemsize * self.samples // self._planes
            self._start = int(offsets[0])
            rows = FEW_ROWS if cut else max(1, ROWS // self._row_bytes)
            self.shape = (min(self.extent[0], rows), self.extent[1])
            end = self._start + self._row_bytes * self.extent[0] * self._planes
        else:
            self._decode, self._tables = page.decode, page.jpegtables
            high, wide = page.tilelength, page.tilewidth
            if not page.is_tiled:
                high, wide = min(page.rowsperstrip, self.extent[0]), self.extent[1]
            self.shape = (int(high), int(wide))
            end = int((offsets + counts).max(initial=0))
        self.rows = -(-self.extent[0] // self.shape[0])
        self.columns = -(-self.extent[1] // self.shape[1])
        self._offsets, self._counts = offsets, counts
        missing = not self.in_rows and len(offsets) < self.rows * self.columns * self._planes
        if (end > file.size and not cut) or missing or len(counts) != len(offsets):
            raise damaged(path, EOFError())

    @property
    def nbytes(self) -> int:
        """Of a decoded segment."""
        return self.shape[0] * self.shape[1] * self.samples * int(self.dtype.itemsize)

    def missing(self) -> float:
        """The share of the picture that lies beyond the file's end."""
        if self.in_rows:
            rows = (self._file.size - self._start) // self._row_bytes
            there = max(0, rows - self.extent[0] * (self._planes - 1)) // self.shape[0]
            return max(0.0, 1 - there * self.shape[0] / self.extent[0])
        beyond = self._offsets + self._counts > self._file.size
        places = self.rows * self.columns
        return float(beyond[: places * self._planes].reshape(self._planes, places).any(0).mean())

    def read(self, row: int, column: int) -> NDArray[Any]:
        """(h, w, samples) of one segment, cut to the page. Raises ImageError; several threads may call it."""
        top, left = row * self.shape[0], column * self.shape[1]
        high = min(self.shape[0], self.extent[0] - top)
        wide = min(self.shape[1], self.extent[1] - left)
        with tiff_faults(self._path):
            if self.in_rows:
                planes = [self._plain(plane, top, high) for plane in range(self._planes)]
            else:
                number = row * self.columns + column
                step = self.rows * self.columns
                planes = [self._decoded(number + plane * step) for plane in range(self._planes)]
            planes = [plane[:high, :wide] for plane in planes]
            whole = planes[0] if self._planes == 1 else np.concatenate(planes, axis=2)
            if whole.shape != (high, wide, self.samples):
                raise ValueError(f"a tile has {whole.shape} values, not {high, wide, self.samples}")
            return whole

    def _plain(self, plane: int, top: int, high: int) -> NDArray[Any]:
        place = self._start + (plane * self.extent[0] + top) * self._row_bytes
        data = self._file.read(place, high * self._row_bytes)
        values = np.frombuffer(data, self._order).astype(self.dtype, copy=False)
        return values.reshape(high, self.extent[1], -1)

    def _decoded(self, number: int) -> NDArray[Any]:
        count = int(self._counts[number])
        # A segment of no bytes is one that was never written: it holds the file's own value for nothing.
        data = self._file.read(int(self._offsets[number]), count) if count else None
        values, _, shape = self._decode(data, number, jpegtables=self._tables)
        if values is None:
            return np.full(shape[1:], self._nothing, self.dtype)
        return np.asarray(values).reshape(shape)[0]


def sample(segments: Segments, nbytes: int) -> NDArray[Any]:
    """(n, samples) values of some segments, spread over the picture: of all, if they have no more bytes than that.
    Those that cannot be read are left out: whoever looks at one is told. Raises ChangedError."""
    rows, columns = segments.rows, segments.columns
    count = min(max(nbytes // segments.nbytes, FEWEST), rows * columns)
    if count == rows * columns:
        places = [divmod(number, columns) for number in range(count)]
    else:  # as evenly in both directions as can be: rows in order, columns by the golden ratio
        golden = (5**0.5 - 1) / 2
        places = [
            ((2 * k + 1) * rows // (2 * count), int(k * golden % 1 * columns)) for k in range(count)
        ]
    found = [np.empty((0, segments.samples), segments.dtype)] * count

    def read(number: int) -> None:
        try:
            found[number] = segments.read(*places[number]).reshape(-1, segments.samples)
        except ChangedError:
            raise
        except ImageError as error:
            log.info("left out of a sample: %s", error)

    run_strips(read, count)
    return np.concatenate(found)
