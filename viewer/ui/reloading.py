"""Reading the open file again, and saying when there is something new to be read."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from gaussian_core.imaging.file_state import FileState
from viewer.model.actions import action
from viewer.ui.file_watch import FileWatch
from viewer.ui.session import Session

SAID_SECONDS = 12.0
ABOUT = "changed"


class Reloading(QObject):
    """Watches the file that is open in a session, and the one that it is held against. Nothing is read again before it
    is asked for."""

    offered = Signal(str)
    """That the file has changed and can be read again, as long as it is so; then empty."""
    said = Signal(str, float, str)
    """The same when it happens, for how many seconds, and what it is about."""

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._of: tuple[Path | None, FileState | None] = (None, None)
        self._offered = False
        self._about: Path | None = None  # the file that the standing offer is about
        self._watch = FileWatch(self)
        self._watch.changed.connect(self._changed)
        self._reference: Path | None = None
        self._reference_watch = FileWatch(self)
        self._reference_watch.changed.connect(lambda: self._offer(self._reference))
        session.changed.connect(self._follow)
        session.outdated.connect(self._changed)
        session.not_reloaded.connect(self._not_reloaded)

    def reload(self) -> None:
        self._session.reload()

    def look(self) -> None:
        """The user is back from another program, which may have written to the file."""
        self._watch.look()
        self._reference_watch.look()

    def watch_reference(self, path: Path | None, state: FileState | None) -> None:
        """The file that the picture is held against, None: none, and how it was when it was read."""
        before, self._reference = self._reference, path
        self._reference_watch.watch(path, state)
        if self._about is not None and self._about == before:
            self._take_back()

    def close(self) -> None:
        self._watch.close()
        self._reference_watch.close()

    def _follow(self) -> None:
        document = self._session.document
        of = (None, None) if document is None else (document.source, document.state)
        if of != self._of:
            self._of = of
            self._watch.watch(*of)
            self._take_back()

    def _take_back(self) -> None:
        self._offered, self._about = False, None
        self.offered.emit("")

    def _changed(self) -> None:
        self._offer(self._of[0])

    def _offer(self, path: Path | None) -> None:
        if path is not None and not self._offered:
            self._offered, self._about = True, path
            key = action("file.reload").keys[0]
            text = f"{path.name} has changed on disk: {key} reads it again"
            self.offered.emit(text)
            self.said.emit(text, SAID_SECONDS, ABOUT)

    def _not_reloaded(self) -> None:
        """What is written to it after that is worth to be said once more."""
        self._offered = False
