"""Builds the tiles of a document's field on a thread, nearest to the newest view first."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field

from PySide6.QtCore import QObject, Signal

from gaussian_core.errors import Cancelled
from gaussian_core.parallel import BUILDING, lower_priority
from viewer.model.documents.document import Document
from viewer.ui.workers.background import Worker

log = logging.getLogger(__name__)

REPORT_SECONDS = 0.05
"""Built tiles are reported at most this often: each report may cost a frame."""

HOLD_SECONDS = 0.4
"""A view that moves holds up what nobody waits for until this long after its last step: until its exact frame is there,
which takes twice as long beside a network that is busy."""

LOOK_SECONDS = 0.03
"""While it is held up it looks this often whether a tile has come to be missing in view."""


@dataclass(eq=False)
class _Job:
    document: Document
    stopped: threading.Event = field(default_factory=threading.Event)
    wake: threading.Event = field(default_factory=threading.Event)
    held_until: float = 0.0

    def stop(self) -> bool:
        """To be polled while building; it waits while the view moves, unless a tile is missing in view: even at the
        lowest priority a network takes caches and memory from the frames."""
        while (left := self.held_until - time.monotonic()) > 0 and not self.document.lacks_tiles:
            if self.stopped.wait(min(left, LOOK_SECONDS)):
                break
        return self.stopped.is_set()


class BuildWorker(Worker):
    """One document at a time; `start` with another one drops the work on the last.

    When everything that is wanted is there the thread sleeps; `wake` wakes it, since another view may want other
    tiles where the memory does not hold all.
    """

    tiles_built = Signal(object)
    """The document: it has new tiles (Document.take_tiles)."""
    finished = Signal(object)
    """The document: nothing is left to build for its view."""
    failed = Signal(object, str)
    fell_back = Signal(object, str)
    """The document and why its field is made by another method, or on another device, than was asked for."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__("tiles", parent)
        self._job: _Job | None = None

    # ---- GUI thread ---------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Whether a document is being built, or waits for a view that wants more of it."""
        return self._job is not None

    def start(self, document: Document) -> None:
        self.stop()
        if not document.buildable:
            return
        self._job = _Job(document)
        self._run(self._build, self._job)

    def stop(self) -> None:
        """Stop between two strips of a tile, within a tenth of a second. What is built stays."""
        job, self._job = self._job, None
        if job is not None:
            job.stopped.set()
            job.wake.set()

    def wake(self) -> None:
        """The document is looked at elsewhere, in a view that moves: other tiles may be wanted."""
        if self._job is not None:
            self._job.held_until = time.monotonic() + HOLD_SECONDS
            self._job.wake.set()

    def close(self, timeout: float = 0.4) -> bool:
        """A tile stops within a tenth of a second; what cannot stop, the import of torch, is not waited for."""
        self.stop()
        return super().close(timeout)

    # ---- build thread -------------------------------------------------------------------------

    def _build(self, job: _Job) -> None:
        lower_priority(BUILDING)
        document = job.document
        reported = time.monotonic()
        told = document.remark
        # Whether tiles are not reported yet. At first they may be: those of a thread that was stopped at its last one.
        waiting = True
        try:
            from gaussian_core import rasterizer

            # Compiled in a process of their own: here the compiler would hold the GIL, and the window stutter.
            rasterizer.warm_up(job.stopped.is_set)
            while not job.stop():
                job.wake.clear()
                lacked = document.lacks_tiles
                built = document.build_next(job.stop)
                if document.remark != told:
                    told = document.remark
                    self._tell(job, self.fell_back, document, told)
                now = time.monotonic()
                waiting = waiting or bool(built)
                # That a view has all it shows is told at once: what comes next may be held up.
                filled = lacked and not document.lacks_tiles
                if waiting and (not built or filled or now - reported >= REPORT_SECONDS):
                    self._tell(job, self.tiles_built, document)
                    reported, waiting = now, False
                if not built:
                    self._tell(job, self.finished, document)
                    job.wake.wait()
        except Cancelled:
            pass
        except Exception as error:  # the picture stays usable without its field; the window says so
            log.exception("building a tile failed")
            self._tell(job, self.failed, document, f"The field could not be built: {error}")

    def _tell(self, job: _Job, signal: object, *arguments: object) -> None:
        if not job.stopped.is_set():
            self._emit(signal, *arguments)  # type: ignore[arg-type]
