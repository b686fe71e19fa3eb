"""Notices that a file has become another one than was read."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QObject, Qt, QTimer, Signal

from gaussian_core.imaging.file_state import FileState
from viewer.ui.workers.background import Worker

SETTLED_MS = 400
"""A file that is the same after this time is taken for written to its end."""
POLL_MS = 2000
"""How often the file is looked at that no event came for: network drives send none for what other machines write, and
a folder that is deleted and made anew is watched no longer."""


class FileWatch(Worker):
    """Watches one file, by its name: whether it is written to, or another one is put in its place.

    The file is looked at on a thread, since a network drive that does not answer would hold up the window, one look at
    a time. A file that has gone is waited for.
    """

    changed = Signal()
    """The file is there, has settled, and is not the one that was known. Once for every such version."""
    _looked = Signal(object, object)
    """The path and its FileState, or None."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__("watch", parent)
        self._path: Path | None = None
        self._known: FileState | None = None
        self._seen: FileState | None = None  # the last time it was looked at
        self._looking = False
        self._watcher = QFileSystemWatcher(self)
        self._watcher.fileChanged.connect(self._told)
        self._watcher.directoryChanged.connect(self._told)
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLED_MS)
        self._settle.timeout.connect(self.look)
        self._poll = QTimer(self)
        self._poll.setTimerType(Qt.TimerType.VeryCoarseTimer)
        self._poll.setInterval(POLL_MS)
        self._poll.timeout.connect(self.look)
        self._looked.connect(self._take)

    def watch(self, path: Path | None, known: FileState | None) -> None:
        """From now on that file, and no other; None: none. known: of what was read of it."""
        if path != self._path:
            self._unwatch()
        self._path, self._known, self._seen = path, known, known
        if path is None:
            self._settle.stop()
            self._poll.stop()
        else:
            self._poll.start()
            self.look()

    def look(self) -> None:
        """Look at the file now."""
        if self._path is not None and not self._looking:
            self._looking = True
            self._run(self._look, self._path)

    def close(self, timeout: float = 0.05) -> bool:
        self._settle.stop()
        self._poll.stop()
        self._unwatch()
        return super().close(timeout)

    def _look(self, path: Path) -> None:
        self._emit(self._looked, path, FileState.of(path))

    def _told(self) -> None:
        # Not begun anew by every event: in a folder that is written to all the time it would never end.
        if not self._settle.isActive():
            self._settle.start()

    def _take(self, path: Path, state: FileState | None) -> None:
        self._looking = False
        if path != self._path:
            self.look()
            return
        before, self._seen = self._seen, state
        if state is None:
            return
        self._watch_again(path)
        if state == self._known:
            return
        if state != before:
            self._settle.start()  # maybe it is still being written
        elif state.size:  # one that was only emptied has its content yet to come
            self._known = state
            self.changed.emit()

    def _watch_again(self, path: Path) -> None:
        """What was replaced or deleted is watched no longer, though it has the same name."""
        watched = {*self._watcher.files(), *self._watcher.directories()}
        missing = [name for name in (str(path), str(path.parent)) if name not in watched]
        if missing:
            self._watcher.addPaths(missing)

    def _unwatch(self) -> None:
        if watched := [*self._watcher.files(), *self._watcher.directories()]:
            self._watcher.removePaths(watched)
