"""Writes a file on a thread, with progress and cancel: whatever a job makes of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QObject, Signal, SignalInstance

from gaussian_core.errors import Cancelled, UserError
from gaussian_core.parallel import Stop
from viewer.ui.workers.background import Worker

log = logging.getLogger(__name__)


class Job(Protocol):
    """What writes one file: picture_export, comparison_export and field_saving of viewer.model have one each. out: its
    path. doing: what goes on, in words. too_large: what to say when the memory does not suffice."""

    @property
    def out(self) -> str: ...
    @property
    def doing(self) -> str: ...
    @property
    def too_large(self) -> str: ...

    def run(self, progress: Callable[[int, int], object], stop: Stop) -> str:
        """Write it, whole or not at all; what was written, in words. Raises UserError and Cancelled."""
        ...


class ExportWorker(Worker):
    """One file at a time."""

    progress = Signal(int, int)
    finished = Signal(str)
    """What was written, in words."""
    failed = Signal(str)
    cancelled = Signal()
    ended = Signal()
    """Before one of these three."""
    _over = Signal(object, tuple)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__("export", parent)
        self._stop: threading.Event | None = None
        self.doing = ""
        """What goes on, or went on last, in words."""
        self._over.connect(self._end)

    @property
    def running(self) -> bool:
        return self._stop is not None

    def start(self, job: Job) -> None:
        """Raises RuntimeError while another file is being written."""
        if self._stop is not None:
            raise RuntimeError("an export is under way")
        self._stop = threading.Event()
        self.doing = job.doing
        self._run(self._write, job, self._stop)

    def stop(self) -> None:
        if self._stop is not None:
            self._stop.set()

    def close(self, timeout: float = 0.8) -> bool:
        self.stop()
        return super().close(timeout)

    def _end(self, how: SignalInstance, said: tuple[str, ...]) -> None:
        self._stop = None
        self.ended.emit()
        how.emit(*said)

    def _write(self, job: Job, stop: threading.Event) -> None:
        try:
            done = job.run(lambda done, total: self._emit(self.progress, done, total), stop.is_set)
        except Cancelled:
            self._emit(self._over, self.cancelled, ())
        except UserError as error:
            self._emit(self._over, self.failed, (str(error),))
        except MemoryError:
            self._emit(self._over, self.failed, (job.too_large,))
        except Exception as error:  # a fault of ours or of a codec must not end the program
            if stop.is_set():  # as where the program has ended, and its threads with it
                self._emit(self._over, self.cancelled, ())
                return
            log.exception("writing %s failed", job.out)
            self._emit(self._over, self.failed, (f"{job.out} could not be written: {error}",))
        else:
            self._emit(self._over, self.finished, (done,))
