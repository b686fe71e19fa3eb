"""Plain threads that report to the window: what the workers share."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, SignalInstance


class Worker(QObject):
    """Runs functions on threads of its own until it is closed.

    Signals emitted from those threads arrive queued in the GUI thread. After `close` none is emitted any more, so that
    a thread that ends late cannot reach a window that is gone.
    """

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._closing = threading.Event()
        self._guard = threading.Lock()
        self._threads: list[threading.Thread] = []

    @property
    def closing(self) -> bool:
        return self._closing.is_set()

    def close(self, timeout: float = 0.8) -> bool:
        """Ask every thread to end and wait a moment. Whether they all did; the rest end with the process."""
        with self._guard:
            self._closing.set()
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(t.is_alive() for t in self._threads)

    def _run(self, target: Callable[..., None], *arguments: Any) -> None:
        if self.closing:
            return
        self._threads = [t for t in self._threads if t.is_alive()]
        # A daemon: a decoder inside a C library cannot be stopped, and must not keep the process alive.
        thread = threading.Thread(target=target, args=arguments, name=self._name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _emit(self, signal: SignalInstance, *arguments: Any) -> None:
        with self._guard:
            if not self.closing:
                signal.emit(*arguments)
