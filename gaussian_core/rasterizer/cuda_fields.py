"""Fields on the device: uploaded at their first frame and kept as long as they live, within a budget of bytes."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from gaussian_core.field import ROW_PADDING

if TYPE_CHECKING:
    from gaussian_core.field import GaussianField

# Part of a device's memory that fields may fill, least recently drawn dropped first.
SHARE = 0.5
INTERPRETER_BYTES = 1 << 28

# Below, a variance is taken as this, source pixels squared: reciprocals stay finite.
LEAST_VARIANCE = 1e-30


@dataclass(frozen=True)
class DeviceField:
    """A field as the kernel reads it, in the order of its spatial index.

    values: (5 + C, N) float32: x, y, variance of y, slope of x on y, variance of x given y, amplitudes.
    starts: the cells' starts of all levels, int32.
    addresses, numbers: a row per grid level, see the tables in cuda_kernel.py. In the place of the margins stand the
    level's largest variances, in that of the gain its largest coordinate: what margins are made of for a scale.
    """

    values: torch.Tensor
    starts: torch.Tensor
    addresses: NDArray[np.int64]
    numbers: NDArray[np.float64]

    @property
    def nbytes(self) -> int:
        return self.values.nbytes + self.starts.nbytes


def upload(field: GaussianField, device: str) -> DeviceField:
    """Copy a field and its index to the device."""
    index = field.index
    count = index.rows.shape[1] - ROW_PADDING
    # A copy even where the device is the host: the rows are rewritten below.
    values = torch.from_numpy(index.rows)[:, :count].to(device, copy=True).contiguous()
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
        addresses.append((values.data_ptr(), count, place, 0))
        place += 4 * len(level.starts)
        x0, y0 = (first * level.cell for first in level.first)
        largest = max(abs(bound) for bound in level.bounds)
        numbers.append(
            (x0, y0, 1 / level.cell, *level.variance, largest, level.columns, level.rows)
        )
    return DeviceField(
        values,
        starts,
        np.array(addresses, np.int64).reshape(-1, 4),
        np.array(numbers, np.float64).reshape(-1, 8),
    )


class FieldStore:
    """The fields on one device. Holds them weakly: a field that is gone is dropped. Safe from several threads."""

    def __init__(self, device: str, budget: int) -> None:
        self._device = device
        self._budget = budget
        # Reentrant: a field may be collected, and drop its entry, while this thread is in here.
        self._lock = threading.RLock()
        self._entries: OrderedDict[int, tuple[weakref.ref[GaussianField], DeviceField]] = (
            OrderedDict()
        )

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, field: GaussianField) -> DeviceField:
        """The field on the device, uploaded now if it is not there. The caller keeps it alive while it is used."""
        key = id(field)
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and entry[0]() is field:
                self._entries.move_to_end(key)
                return entry[1]
            held = upload(field, self._device)

            def drop(reference: weakref.ref[GaussianField]) -> None:
                with self._lock:
                    # Another field may live at the same place by now.
                    found = self._entries.get(key)
                    if found is not None and found[0] is reference:
                        del self._entries[key]

            self._entries[key] = (weakref.ref(field, drop), held)
            self._entries.move_to_end(key)
            self._trim()
            return held

    def _trim(self) -> None:
        total = sum(held.nbytes for _, held in list(self._entries.values()))
        while total > self._budget and len(self._entries) > 1:
            _, (_, held) = self._entries.popitem(last=False)
            total -= held.nbytes

    def clear(self) -> None:
        """Drop everything; fields come back at their next frame."""
        with self._lock:
            self._entries.clear()


_stores: dict[str, FieldStore] = {}
_making = threading.Lock()


def store(device: str) -> FieldStore:
    """The one store of a device, "cuda" or, for the interpreter, "cpu"."""
    with _making:
        if device not in _stores:
            budget = INTERPRETER_BYTES
            if device != "cpu":
                budget = int(SHARE * torch.cuda.get_device_properties(device).total_memory)
            _stores[device] = FieldStore(device, budget)
        return _stores[device]


def forget() -> None:
    """Drop all fields from all devices."""
    with _making:
        for held in _stores.values():
            held.clear()
