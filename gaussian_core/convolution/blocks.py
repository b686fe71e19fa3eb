"""Memory for feature maps: large blocks that are given back and taken again, layer after layer.

A network asks for as much memory at every layer as it has just freed. The C library either maps each such block anew,
and the system clears its pages again, or keeps it among others, where it ends up in pieces: the peak of the same work
then differs by a feature map from run to run. Here a block comes back whole when the last tensor in it goes.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import threading
import weakref
from collections import deque

import numpy as np
from numpy.typing import NDArray

from gaussian_core.machine.cache_lines import lines

LEAST = 1 << 20
"""Bytes from which a block is worth a place here."""
KEPT = 384 << 20
"""Bytes of free blocks that are held, at most."""
SPARE = 1.25
"""A block may be so many times as large as what is put into it."""
_OWN = {"flags": mmap.MAP_PRIVATE} if hasattr(mmap, "MAP_PRIVATE") else {}
"""Python's own choice is memory that a forked process shares, and writes into; nor does that come in large pages."""


class Blocks:
    """Blocks of memory. From any thread."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._free: list[mmap.mmap] = []
        # A block comes back wherever Python drops its array, perhaps within `empty`: nothing is locked for it.
        self._returned: deque[mmap.mmap] = deque()
        self._lock = threading.Lock()

    def empty(self, *shape: int) -> NDArray[np.float32]:
        """An array with anything in it. Its block is free again when the last view of it is gone."""
        count = int(np.prod(shape, dtype=np.int64))
        if 4 * count < LEAST:
            return lines(count).reshape(shape)
        with self._lock:
            block = self._take(4 * count)
        # Views hold on to this, and not to the array that they were made from.
        content = (ctypes.c_float * count).from_buffer(block)
        weakref.finalize(content, self._returned.append, block).atexit = False
        return np.ctypeslib.as_array(content).reshape(shape)

    @property
    def free_bytes(self) -> int:
        """Of the blocks that wait."""
        with self._lock:
            self._collect()
            return sum(map(len, self._free))

    def _take(self, size: int) -> mmap.mmap:
        self._collect()
        fitting = [block for block in self._free if size <= len(block) <= SPARE * size]
        if fitting:
            best = min(fitting, key=len)
            self._free.remove(best)
            return best
        block = mmap.mmap(-1, size, **_OWN)
        if hasattr(mmap, "MADV_HUGEPAGE"):
            # A system without large pages does not take the advice.
            with contextlib.suppress(OSError):
                block.madvise(mmap.MADV_HUGEPAGE)
        return block

    def _collect(self) -> None:
        while self._returned:
            self._free.append(self._returned.popleft())
        # The oldest go: what fits the next layer is among the last.
        while self._free and sum(map(len, self._free)) > self._kept:
            self._free.pop(0)


FEATURES = Blocks()
"""Those of the networks."""
