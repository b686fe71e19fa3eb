"""The settings of a window as they are now: what is changed takes effect at once, and is saved a moment later."""

from __future__ import annotations

import threading
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from viewer.model.settings import Settings, SettingsFile
from viewer.ui.workers.background import Worker

DELAY_MS = 500


class CurrentSettings(Worker):
    """Saves on a thread, changes in a row once. `close` saves what is left."""

    changed = Signal()
    """What is in `now` is to take effect."""

    def __init__(self, file: SettingsFile, parent: QObject | None = None) -> None:
        super().__init__("settings", parent)
        self.now: Settings = file.load()
        self._file = file
        self._writing = threading.Lock()
        self._newest: Settings | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DELAY_MS)
        self._timer.timeout.connect(self.flush)

    def apply(self) -> None:
        """Let all of them take effect."""
        self.changed.emit()

    def change(self, **values: Any) -> None:
        """Raises ValueError for a value that its setting does not allow."""
        self.now = self.now.changed(**values)
        self.apply()
        self._save()

    def note(self, **values: Any) -> None:
        """Change what is only asked for at the next start."""
        self.now = self.now.changed(**values)
        self._save()

    def flush(self) -> None:
        """Save now, on the thread."""
        self._timer.stop()
        if self._newest is not None:
            self._run(self._write)

    def close(self, timeout: float = 0.8) -> bool:
        self.flush()
        return super().close(timeout)

    def _save(self) -> None:
        self._newest = self.now
        self._timer.start()

    def _write(self) -> None:
        # Only the newest counts: of several threads that wait here, the later ones find nothing to do.
        with self._writing:
            newest, self._newest = self._newest, None
            if newest is not None:
                self._file.save(newest)
