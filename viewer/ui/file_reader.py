"""Reads a file on a thread, so that what is wrong with it is known before anything depends on it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal, SignalInstance

from gaussian_core.errors import UserError
from viewer.ui.background import Worker

log = logging.getLogger(__name__)


class FileReader(Worker):
    """What was asked for last counts. read: raises UserError, or ImportError where what it needs is not installed."""

    opened = Signal(object, object)
    """The Path and what was read."""
    failed = Signal(object, str)
    """The Path and what is wrong with the file."""

    def __init__(self, name: str, read: Callable[[Path], Any], parent: QObject | None = None):
        super().__init__(name, parent)
        self._read = read
        self._wanted: Path | None = None

    @property
    def running(self) -> bool:
        return self._wanted is not None

    def open(self, path: Path) -> None:
        self._wanted = path
        self._run(self._open, path)

    def done(self) -> None:
        """To be called when one of the signals has arrived, or when nothing is wanted any more."""
        self._wanted = None

    # ---- its thread ---------------------------------------------------------------------------

    def _open(self, path: Path) -> None:
        try:
            found = self._read(path)
        except (UserError, ImportError) as error:
            self._answer(path, self.failed, str(error))
        except MemoryError:
            self._answer(path, self.failed, "There is not enough memory to read it.")
        except Exception as error:  # a fault of a library must not leave the window waiting
            log.exception("opening %s failed", path)
            self._answer(path, self.failed, f"It cannot be read: {error}")
        else:
            self._answer(path, self.opened, found)

    def _answer(self, path: Path, signal: SignalInstance, answer: Any) -> None:
        if path == self._wanted:
            self._emit(signal, path, answer)
