"""Fields that were built on a device and are drawn there: the host has their Gaussians when it asks for them.

A megapixel's field is 150 MB. To bring it to the host, bin it there and send it back for the first frame takes twenty
times as long as to make it, and a viewer that draws on the device may never look at it. So it stays in the layout
that frames are drawn from (cuda_fields), and everything that a GaussianField is comes over at the first question.
"""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gaussian_core.field import GaussianField
from gaussian_core.row_layout import ROW_PADDING
from gaussian_core.spatial_index import SpatialIndex, index_in_order

if TYPE_CHECKING:
    from gaussian_core.rasterizer.cuda_fields import DeviceField

log = logging.getLogger(__name__)

SHARE = 0.25  # of a device's memory that such fields may fill; beyond it the oldest go to the host


@dataclass(eq=False)
class DeviceRows:
    """Gaussians on a device in the order of cells of one source pixel: one level of a spatial index.

    values: (5 + C, N) float32, contiguous: x, y, variance of y, slope of x on y, variance of x given y, amplitudes.
    starts: (columns lines + 1,) int32. first, columns, lines, bounds: as of GridLevel. variance: no Gaussian's is
    larger along x and along y, source pixels squared. drifts: (2, N) float16 or None. Tensors are not changed any more.
    origin: what x, y and the cells count from. entry: what cuda_fields has made of it.
    """

    values: Tensor
    starts: Tensor
    first: tuple[int, int]
    columns: int
    lines: int
    bounds: tuple[float, float, float, float]
    variance: tuple[float, float]
    drifts: Tensor | None = None
    origin: tuple[int, int] = (0, 0)
    entry: DeviceField | None = None

    @property
    def nbytes(self) -> int:
        """On the device."""
        drifts = 0 if self.drifts is None else self.drifts.nbytes
        return self.values.nbytes + self.starts.nbytes + drifts

    def on_host(self) -> tuple[SpatialIndex, NDArray[np.float16] | None]:
        """The index and the drifts (N, 2). Raises RuntimeError where the device is lost."""
        values, starts, drifts = _copies(self.values, self.starts, self.drifts)
        assert values is not None and starts is not None
        rows = np.zeros((len(values), values.shape[1] + ROW_PADDING), np.float32)
        rows[:, : values.shape[1]] = values
        yy, slope, rest = values[2:5]
        xy = rows[3, : values.shape[1]]
        np.multiply(slope, yy, out=xy)
        rows[2, : values.shape[1]] = rest + slope * xy
        rows[4, : values.shape[1]] = yy
        index = index_in_order(
            rows, self.first, self.columns, self.lines, starts, self.bounds, self.origin
        )
        return index, None if drifts is None else np.ascontiguousarray(drifts.T)


def _copies(*tensors: Tensor | None) -> list[NDArray[Any] | None]:
    """All of them on the host by one wait: into pinned memory, which the device writes by itself."""
    copies = []
    for tensor in tensors:
        if tensor is None or not tensor.is_cuda:
            copies.append(tensor)
            continue
        pinned = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
        copies.append(pinned.copy_(tensor, non_blocking=True))
    for tensor in tensors:
        if tensor is not None and tensor.is_cuda:
            torch.cuda.current_stream(tensor.device).synchronize()
            break
    return [None if copy is None else copy.numpy() for copy in copies]


class ResidentField(GaussianField):
    """A GaussianField of rows on a device; in cell order, so that take_cell_order has nothing to do.

    again: builds the same field on the host, for where the device is lost and what was on it, too.
    """

    def __init__(
        self,
        rows: DeviceRows,
        extent: tuple[int, int],
        metadata: Mapping[str, str] | None = None,
        again: Callable[[], GaussianField] | None = None,
    ) -> None:
        # Not the arrays: __getattr__ brings them.
        self.extent = (int(extent[0]), int(extent[1]))
        self.metadata = dict(metadata or {})
        self.correction = self.even_alpha = None
        self.origin = rows.origin
        self.device_rows: DeviceRows | None = rows
        self._shape = (rows.values.shape[1], len(rows.values) - 5)
        self._has_drifts = rows.drifts is not None
        self._cells = rows.columns * rows.lines
        self._again = again
        self._bringing = threading.Lock()
        residents.add(self)

    def __getattr__(self, name: str) -> Any:
        """Called for what is not there yet."""
        if name in ("offsets", "covariances", "amplitudes", "drifts", "_rows", "_index"):
            self._bring()
            return self.__dict__[name]
        raise AttributeError(name)

    def __len__(self) -> int:
        return self._shape[0]

    @property
    def channels(self) -> int:
        return self._shape[1]

    @property
    def nbytes(self) -> int:
        """What the host holds of it, or will."""
        count, channels = self._shape
        own = 4 * (count * (5 + channels) + self._cells + 1) + 4 * count * self._has_drifts
        return own + sum(field.nbytes for _, field in self.companions)

    @property
    def index(self) -> SpatialIndex:
        self._bring()
        index: SpatialIndex = self.__dict__["_index"]
        return index

    def take_cell_order(self) -> None:
        """It stands in that order already."""

    @property
    def is_on_host(self) -> bool:
        """Whether the host has the Gaussians."""
        return "_index" in self.__dict__

    def leave_device(self) -> None:
        """Have the Gaussians on the host, and let go of those on the device."""
        self._bring()
        self.device_rows = None

    def _bring(self) -> None:
        with self._bringing:
            held = self.device_rows
            if self.is_on_host or held is None:
                return
            try:
                index, drifts = held.on_host()
            except RuntimeError as error:
                if self._again is None:
                    raise
                log.warning(
                    "a part of the field is lost with its device and built again: %s", error
                )
                made = self._again()
                made.take_cell_order()
                index, drifts = made.index, made.drifts
                self.device_rows = None
                self._shape = (len(made), made.channels)
                self.origin = made.origin  # a tile by itself may count from another than in a block
            rows, count = index.rows, self._shape[0]
            self.offsets, self.covariances = rows[:2, :count].T, rows[2:5, :count].T
            self.amplitudes, self.drifts = rows[5:, :count].T, drifts
            self._rows = rows
            self._index = index  # last: it tells that all is there


class Residents:
    """The fields that are on a device, oldest first, held weakly. Safe from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fields: list[weakref.ref[ResidentField]] = []

    def add(self, field: ResidentField) -> None:
        with self._lock:
            self._fields.append(weakref.ref(field))

    def _there(self) -> list[ResidentField]:
        with self._lock:
            there = [
                f for r in self._fields if (f := r()) is not None and f.device_rows is not None
            ]
            self._fields = [weakref.ref(field) for field in there]
        return there

    @property
    def nbytes(self) -> int:
        """On the device."""
        return sum(_nbytes(field) for field in self._there())

    def make_room(self, budget: int) -> None:
        """Bring the oldest to the host until the others fit into so many bytes of the device."""
        there = self._there()
        total = sum(_nbytes(field) for field in there)
        for field in there:
            if total <= budget:
                break
            total -= _nbytes(field)
            field.leave_device()


def _nbytes(field: ResidentField) -> int:
    rows = field.device_rows
    return 0 if rows is None else rows.nbytes


residents = Residents()


def keep_within_budget(device: torch.device) -> None:
    """Bring to the host what fields take beyond their share of the device."""
    if device.type == "cuda":
        total = torch.cuda.get_device_properties(device).total_memory
        residents.make_room(int(SHARE * total))
