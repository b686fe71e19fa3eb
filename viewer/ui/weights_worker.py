"""Reads a file of weights on a thread, so that what is wrong with it is known before anything depends on it."""

from __future__ import annotations

import logging
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from gaussian_core.errors import DeviceError, WeightsError
from viewer.model.document import read_weights
from viewer.ui.background import Worker

log = logging.getLogger(__name__)


class WeightsWorker(Worker):
    """What was asked for last counts."""

    opened = Signal(object)
    """The Path of weights that can be used."""
    failed = Signal(str, str)
    """The file's name and what is wrong with it."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__("weights", parent)
        self._wanted: Path | None = None

    @property
    def running(self) -> bool:
        return self._wanted is not None

    def open(self, path: Path) -> None:
        self._wanted = path
        self._run(self._read, path)

    def done(self) -> None:
        """To be called when one of the signals has arrived."""
        self._wanted = None

    def _read(self, path: Path) -> None:
        try:
            read_weights(path)
        except (WeightsError, DeviceError, ImportError) as error:
            self._answer(path, self.failed, path.name, str(error))
        except MemoryError:
            self._answer(path, self.failed, path.name, "There is not enough memory to read it.")
        except Exception as error:  # a fault of a library must not leave the window waiting
            log.exception("opening %s failed", path)
            self._answer(path, self.failed, path.name, f"It cannot be read: {error}")
        else:
            self._answer(path, self.opened, path)

    def _answer(self, path: Path, signal: object, *arguments: object) -> None:
        if path == self._wanted:
            self._emit(signal, *arguments)  # type: ignore[arg-type]
