"""Fields on the device: uploaded at their first frame and kept as long as they live, within a budget of bytes."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

if TYPE_CHECKING:
    from gaussian_core.field import GaussianField
    from gaussian_core.rasterizer.cuda_device import DrawingDevice
    from gaussian_core.resident_field import DeviceRows

# Part of a device's memory that fields may fill, least recently drawn dropped first, and the part that they leave free
# for whatever else runs there: a network that builds fields, other programs, the screen.
SHARE = 0.5
LEFT_FREE = 0.125
INTERPRETER_BYTES = 1 << 28

# Below, a variance is taken as this, source pixels squared: reciprocals stay finite.
LEAST_VARIANCE = 1e-30


@dataclass(frozen=True)
class DeviceField:
    """A field as the kernel reads it, in the order of its spatial index.

    values: (5 + C, N + ROW_PADDING) float32: x, y, variance of y, slope of x on y, variance of x given y, amplitudes.
    starts: the cells' starts of all levels, int32.
    addresses, numbers: a row per grid level, see the tables in cuda_kernel.py. In the place of the margins stand the
    level's largest variances, in that of the gain its largest place: what margins are made of for a scale.
    """

    values: torch.Tensor
    starts: torch.Tensor
    addresses: NDArray[np.int64]
    numbers: NDArray[np.float64]

    @property
    def nbytes(self) -> int:
        return self.values.nbytes + self.starts.nbytes


def upload(field: GaussianField, device: str) -> DeviceField:
    """Copy a field and its index to the device, in the current stream. The host's arrays are free when it returns."""
    index = field.index
    # With the padding, which nobody reads: the host then need not make a copy of its own first. A copy even where the
    # device is the host: the rows are rewritten below.
    values = torch.from_numpy(index.rows).to(device, copy=True).contiguous()
    stride = values.shape[1]
    xx, xy, yy = values[2:5].double()
    yy = yy.clamp_min(LEAST_VARIANCE)
    slope = xy / yy
    values[2], values[3] = yy, slope
    values[4] = (xx - slope * xy).clamp_min(LEAST_VARIANCE)
    starts = torch.from_numpy(
        np.concatenate([np.empty(0, np.int32), *(level.starts for level in index.levels)])
    ).to(device, copy=True)
    addresses, numbers, place = [], [], starts.data_ptr()
    for level in index.levels:
        addresses.append((values.data_ptr(), stride, place, 0))
        place += 4 * len(level.starts)
        x0, y0 = (first * level.cell for first in level.first)
        largest = max(abs(bound) for bound in level.bounds)
        size = (level.columns, level.rows)
        numbers.append((x0, y0, 1 / level.cell, *level.variance, largest, *size, *level.origin))
    return DeviceField(
        values,
        starts,
        np.array(addresses, np.int64).reshape(-1, 4),
        np.array(numbers, np.float64).reshape(-1, 10),
    )


def lent_field(rows: DeviceRows) -> DeviceField:
    """Of Gaussians that were made on the device: nothing is copied, and nothing of it is the store's."""
    if rows.entry is None:
        number = (*rows.first, 1.0, *rows.variance, max(map(abs, rows.bounds)))
        address = (rows.values.data_ptr(), rows.values.stride(0), rows.starts.data_ptr(), 0)
        rows.entry = DeviceField(
            rows.values,
            rows.starts,
            np.array([address], np.int64),
            np.array([(*number, rows.columns, rows.lines, *rows.origin)], np.float64),
        )
    return rows.entry


class FieldStore:
    """The fields on one device. Holds them weakly: a field that is gone is dropped. Safe from several threads.

    name: the device, as torch calls it. budget: called with the bytes that the store holds, gives those that it may.
    """

    def __init__(self, name: str, budget: Callable[[int], int]) -> None:
        self._name = name
        self._budget = budget
        self._lock = threading.Lock()
        self._entries: OrderedDict[int, tuple[weakref.ref[GaussianField], DeviceField]] = (
            OrderedDict()
        )
        self._held = 0
        # Of fields that were collected, by whatever thread and at whatever moment: also while it has the lock.
        self._gone: deque[tuple[int, weakref.ref[GaussianField]]] = deque()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def nbytes(self) -> int:
        """Bytes held on the device."""
        return self._held

    def get(self, field: GaussianField, keep: bool = True) -> DeviceField:
        """One field, see `get_all`."""
        return self.get_all((field,), keep)[0]

    def get_all(
        self,
        fields: Sequence[GaussianField],
        keep: bool = True,
        check: Callable[[], None] = lambda: None,
    ) -> list[DeviceField]:
        """The fields on the device, those uploaded now that are not there. The caller keeps them alive while they are
        used.

        keep: for the frames that follow. Without, a field that is there is used and one that is not leaves no trace.
        check: called between uploads, to raise Cancelled. Indexing and uploading are done outside the lock: a builder's
        thread, of low priority, holds up no frame.
        """
        lent = [self._lent(field) for field in fields]
        with self._locked():
            there = [
                self._find(field) if on_device is None else on_device
                for field, on_device in zip(fields, lent, strict=True)
            ]
        found = []
        for field, held in zip(fields, there, strict=True):
            if held is None:
                held = self._bring(field, keep)
                check()
            found.append(held)
        return found

    def _lent(self, field: GaussianField) -> DeviceField | None:
        """What was built on this device and is still there."""
        lent = field.device_rows
        if lent is None or str(lent.values.device) != self._name:
            return None
        return lent_field(lent)

    def _bring(self, field: GaussianField, keep: bool) -> DeviceField:
        uploaded = upload(field, self._name)
        if not keep:
            return uploaded
        allowed = self._budget(self._held + uploaded.nbytes)
        with self._locked():
            held = self._find(field)
            if held is not None:  # another thread was faster
                return held
            self._insert(field, uploaded)
            self._trim(allowed)
        return uploaded

    def clear(self) -> None:
        """Drop everything; fields come back at their next frame."""
        with self._locked():
            self._entries.clear()
            self._held = 0

    def _find(self, field: GaussianField) -> DeviceField | None:
        entry = self._entries.get(id(field))
        if entry is None or entry[0]() is not field:
            return None
        self._entries.move_to_end(id(field))
        return entry[1]

    def _insert(self, field: GaussianField, held: DeviceField) -> None:
        key = id(field)

        def drop(reference: weakref.ref[GaussianField]) -> None:
            self._gone.append((key, reference))
            self._sweep_if_free()

        self._remove(key)  # of a field that lived at the same place and is not swept yet
        self._entries[key] = (weakref.ref(field, drop), held)
        self._held += held.nbytes

    def _remove(self, key: int) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._held -= entry[1].nbytes

    def _trim(self, allowed: int) -> None:
        while self._held > allowed and len(self._entries) > 1:
            self._remove(next(iter(self._entries)))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._lock:
            self._sweep()
            yield
        self._sweep_if_free()

    def _sweep_if_free(self) -> None:
        """Never waits: whoever has the lock, it may be this very thread, sweeps when it lets go."""
        while self._gone and self._lock.acquire(blocking=False):
            try:
                self._sweep()
            finally:
                self._lock.release()

    def _sweep(self) -> None:
        while self._gone:
            key, reference = self._gone.popleft()
            # Another field may live at the same place by now.
            entry = self._entries.get(key)
            if entry is not None and entry[0] is reference:
                self._remove(key)


_stores: dict[str, FieldStore] = {}
_making = threading.Lock()


def store(device: DrawingDevice) -> FieldStore:
    """The one store of a device."""
    with _making:
        if device.name not in _stores:
            _stores[device.name] = FieldStore(device.name, lambda held: _budget(device, held))
        return _stores[device.name]


def _budget(device: DrawingDevice, held: int) -> int:
    """Bytes that the fields on a device may fill, which now are `held`."""
    if device.name == "cpu":
        return INTERPRETER_BYTES
    free, total = device.memory()
    return int(min(SHARE * total, held + free - LEFT_FREE * total))


def forget() -> None:
    """Drop all fields from all devices."""
    with _making:
        stores = list(_stores.values())
    for held in stores:
        held.clear()
