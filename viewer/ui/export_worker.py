"""Renders into a file on a thread, with progress and cancel."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from gaussian_core.errors import Cancelled, UserError
from viewer.model.scene import Rect
from viewer.ui.background import Worker

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Export:
    """source: a Picture or a GaussianField. region: (x, y, width, height) in source pixels; None is all of it."""

    source: Any
    out: str
    scale: float
    region: Rect | None = None
    method: str | None = None
    weights: Path | None = None
    pixel_sigma: float | None = None


class ExportWorker(Worker):
    progress = Signal(int, int)
    finished = Signal(str)
    """What was written, in words."""
    failed = Signal(str)
    cancelled = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__("export", parent)
        self._stop: threading.Event | None = None

    @property
    def running(self) -> bool:
        return self._stop is not None

    def start(self, export: Export) -> None:
        """Raises RuntimeError while another export goes on."""
        if self._stop is not None:
            raise RuntimeError("an export is under way")
        self._stop = threading.Event()
        self._run(self._render, export, self._stop)

    def stop(self) -> None:
        if self._stop is not None:
            self._stop.set()

    def done(self) -> None:
        """To be called when one of the three last signals has arrived."""
        self._stop = None

    def close(self, timeout: float = 0.8) -> bool:
        self.stop()
        return super().close(timeout)

    def _render(self, export: Export, stop: threading.Event) -> None:
        try:
            from gaussian_core import render_file

            result = render_file(
                export.source,
                export.out,
                export.scale,
                method=export.method,
                weights=export.weights,
                pixel_sigma=export.pixel_sigma,
                region=export.region,
                progress=lambda done, total: self._emit(self.progress, done, total),
                stop=stop.is_set,
            )
        except Cancelled:
            self._emit(self.cancelled)
        except UserError as error:
            self._emit(self.failed, str(error))
        except MemoryError:
            self._emit(
                self.failed, "There is not enough memory for this size: choose a smaller scale."
            )
        except Exception as error:  # a fault of ours or of a codec must not end the program
            if stop.is_set():  # as where the program has ended, and its threads with it
                self._emit(self.cancelled)
                return
            log.exception("exporting to %s failed", export.out)
            self._emit(self.failed, f"{export.out} could not be written: {error}")
        else:
            width, height = result.size
            notes = "".join(f"; {note}" for note in result.notes)
            self._emit(self.finished, f"Saved {result.path.name}, {width:,} × {height:,}{notes}")
