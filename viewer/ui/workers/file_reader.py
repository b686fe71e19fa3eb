"""Reads a file on a thread, so that what is wrong with it is known before anything depends on it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from gaussian_core.errors import UserError
from viewer.ui.workers.background import Worker

log = logging.getLogger(__name__)


class FileReader(Worker):
    """What was asked for last counts. read: raises UserError, or ImportError where what it needs is not installed."""

    opened = Signal(object, object)
    """The Path and what was read."""
    failed = Signal(object, str)
    """The Path and what is wrong with the file."""
    _read_to_end = Signal(int, object, object)
    _given_up = Signal(int, object, str)

    def __init__(self, name: str, read: Callable[[Path], Any], parent: QObject | None = None):
        super().__init__(name, parent)
        self._read = read
        self._number = 0
        self._awaited: int | None = None
        # An answer may be under way to the GUI thread while another file is asked for, or none any more.
        self._read_to_end.connect(self._take)
        self._given_up.connect(self._fail)

    @property
    def running(self) -> bool:
        return self._awaited is not None

    def open(self, path: Path) -> None:
        self._number += 1
        self._awaited = self._number
        self._run(self._open, self._number, path)

    def drop(self) -> None:
        """What was asked for is not wanted any more."""
        self._awaited = None

    def _take(self, number: int, path: Path, found: Any) -> None:
        if self._is_over(number):
            self.opened.emit(path, found)

    def _fail(self, number: int, path: Path, message: str) -> None:
        if self._is_over(number):
            self.failed.emit(path, message)

    def _is_over(self, number: int) -> bool:
        """Whether this is the answer that was waited for: it is no longer."""
        if number != self._awaited:
            return False
        self._awaited = None
        return True

    # ---- its thread ---------------------------------------------------------------------------

    def _open(self, number: int, path: Path) -> None:
        try:
            found = self._read(path)
        except (UserError, ImportError) as error:
            self._emit(self._given_up, number, path, str(error))
        except MemoryError:
            self._emit(self._given_up, number, path, "There is not enough memory to read it.")
        except Exception as error:  # a fault of a library must not leave the window waiting
            log.exception("opening %s failed", path)
            self._emit(self._given_up, number, path, f"It cannot be read: {error}")
        else:
            self._emit(self._read_to_end, number, path, found)
