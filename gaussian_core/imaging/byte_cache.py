"""What was decoded last, up to so many bytes; for several threads."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class ByteCache(Generic[Value]):
    """Keeps what was asked for last. budget: bytes in all; what is larger by itself is not kept. size: bytes of one."""

    def __init__(self, budget: int, size: Callable[[Value], int]) -> None:
        self.budget = budget
        self.held = 0
        self._size = size
        self._kept: OrderedDict[Hashable, Value] = OrderedDict()
        self._coming: dict[Hashable, threading.Event] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """What is kept under the key, else what `make` makes. Threads that want the same thing at once make it once;
        where making fails each of them tries, and has the exception."""
        while True:
            with self._lock:
                if key in self._kept:
                    self._kept.move_to_end(key)
                    return self._kept[key]
                coming = self._coming.get(key)
                if coming is None:
                    mine = self._coming[key] = threading.Event()
                    break
            coming.wait()
            # Not kept, as it was too large or could not be made: then this thread makes its own.
        try:
            value = make()
            with self._lock:
                self._keep(key, value)
            return value
        finally:
            with self._lock:
                del self._coming[key]
            mine.set()

    def _keep(self, key: Hashable, value: Value) -> None:
        size = self._size(value)
        if size > self.budget:
            return
        self._kept[key] = value
        self.held += size
        while self.held > self.budget:
            _, old = self._kept.popitem(last=False)
            self.held -= self._size(old)
