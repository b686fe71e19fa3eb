"""Saves the settings a moment after the last change, on a thread."""

from __future__ import annotations

import threading

from PySide6.QtCore import QObject, QTimer

from viewer.model.settings import Settings, SettingsFile
from viewer.ui.background import Worker

DELAY_MS = 500


class SettingsSaver(Worker):
    """Changes in a row are saved once. `close` saves what is left."""

    def __init__(self, file: SettingsFile, parent: QObject | None = None) -> None:
        super().__init__("settings", parent)
        self._file = file
        self._writing = threading.Lock()
        self._newest: Settings | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DELAY_MS)
        self._timer.timeout.connect(self.flush)

    def save(self, settings: Settings) -> None:
        self._newest = settings
        self._timer.start()

    def flush(self) -> None:
        """Save now, on the thread."""
        self._timer.stop()
        if self._newest is not None:
            self._run(self._write)

    def close(self, timeout: float = 0.8) -> bool:
        self.flush()
        return super().close(timeout)

    def _write(self) -> None:
        # Only the newest counts: of several threads that wait here, the later ones find nothing to do.
        with self._writing:
            newest, self._newest = self._newest, None
            if newest is not None:
                self._file.save(newest)
