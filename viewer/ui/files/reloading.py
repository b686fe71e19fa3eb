"""Reading the open file again, and saying when there is something new to be read."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from gaussian_core.imaging.file_state import FileState
from viewer.model.actions.table import action
from viewer.ui.files.session import Session
from viewer.ui.workers.file_watch import FileWatch

SAID_SECONDS = 12.0
ABOUT = "changed"


class Reloading(QObject):
    """Watches the file that is open in a session, and the one that it is held against. Nothing is read again before it
    is asked for."""

    offered = Signal(str, object)
    """That the file has changed and can be read again, as long as it is so; then empty. And the names in it."""
    said = Signal(str, float, str, object)
    """The same when it happens, for how many seconds, what it is about, and the names of files in it."""

    reference_asked = Signal()
    """The file that the picture is held against is to be read again."""

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._of: tuple[Path | None, FileState | None] = (None, None)
        self._said: set[Path] = set()
        self._standing: list[Path] = []  # that have changed, and are not read again yet
        self._watch = FileWatch(self)
        self._watch.changed.connect(self._changed)
        self._reference: Path | None = None
        self._reference_watch = FileWatch(self)
        self._reference_watch.changed.connect(lambda: self._offer(self._reference))
        session.changed.connect(self._follow)
        session.outdated.connect(self._changed)
        session.not_reloaded.connect(self._not_reloaded)

    def reload(self) -> None:
        """What was pasted has no file: then the one that it is held against alone."""
        document = self._session.document
        if document is not None and document.source is None and self._reference is not None:
            self.reference_asked.emit()
        else:
            self._session.reload()

    def look(self) -> None:
        """The user is back from another program, which may have written to the file."""
        self._watch.look()
        self._reference_watch.look()

    def watch_reference(self, path: Path | None, state: FileState | None) -> None:
        """The file that the picture is held against, None: none, and how it was when it was read."""
        before, self._reference = self._reference, path
        self._reference_watch.watch(path, state)
        if before is not None and before != self._of[0]:
            self._said.discard(before)
            self._standing = [known for known in self._standing if known != before]
            self._tell_standing()

    def close(self) -> None:
        self._watch.close()
        self._reference_watch.close()

    def _follow(self) -> None:
        document = self._session.document
        of = (None, None) if document is None else (document.source, document.state)
        if of != self._of:
            self._of = of
            self._watch.watch(*of)
            self._said.clear()
            self._standing.clear()
            self._tell_standing()

    def _changed(self) -> None:
        self._offer(self._of[0])

    def _offer(self, path: Path | None) -> None:
        if path is not None and path not in self._said:
            self._said.add(path)
            self._standing = [known for known in self._standing if known != path] + [path]
            self._tell_standing()
            self.said.emit(_offer_of(path), SAID_SECONDS, ABOUT, [path.name])

    def _tell_standing(self) -> None:
        last = self._standing[-1:]
        self.offered.emit(_offer_of(*last) if last else "", [path.name for path in last])

    def _not_reloaded(self) -> None:
        """What is written to it after that is worth to be said once more."""
        self._said.clear()


def _offer_of(path: Path) -> str:
    key = action("file.reload").keys[0]
    return f"{path.name} has changed on disk: {key} reads it again"
