"""Plain threads that report to the window: what the workers share."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QObject, SignalInstance

from gaussian_core.errors import Cancelled
from gaussian_core.parallel import FRAMES, lower_priority
from viewer.model.frames.frame_slot import Slot

T = TypeVar("T")


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

    def end(self) -> None:
        """Ask every thread to end, without waiting for it."""
        with self._guard:
            self._closing.set()

    def close(self, timeout: float = 0.8) -> bool:
        """Ask every thread to end and wait a moment. Whether they all did; the rest end with the process."""
        self.end()
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


class SlotWorker(Worker, Generic[T]):
    """Serves the newest request, one at a time: one that still waits when another comes is dropped. Its one thread
    begins with the first of them.

    priority: that its thread gives way by, see gaussian_core.parallel.lower_priority; None: it does not.
    """

    def __init__(
        self, name: str, parent: QObject | None = None, priority: int | None = FRAMES
    ) -> None:
        super().__init__(name, parent)
        self.slot: Slot[T] = Slot()
        self._priority = priority

    def request(self, request: T) -> None:
        """Ask for something. Never blocks."""
        if not self._threads:
            self._run(self._serve_all)
        self.slot.put(request)

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing is being worked on."""
        return self.slot.idle

    def end(self) -> None:
        super().end()
        self.slot.close()

    def close(self, timeout: float = 1.0) -> bool:
        return super().close(timeout)

    def _serve_all(self) -> None:
        if self._priority is not None:
            lower_priority(self._priority)
        request: T | None
        while (request := self.slot.take()) is not None:
            try:
                self._serve(request)
            except Cancelled:
                pass
            except Exception as error:  # the window goes on with what it shows
                self._fail(error)
            finally:
                request = None  # while the next is waited for the picture may be closed

    def _serve(self, request: T) -> None:
        """Answer a request, on the thread. Whatever is raised but Cancelled goes to `_fail`."""
        raise NotImplementedError

    def _fail(self, error: Exception) -> None:
        """Say that a request could not be served, on the thread."""
        raise NotImplementedError
