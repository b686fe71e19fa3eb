"""What goes on in a window, as its one display of progress has it: opening, writing a file, building, reading."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from viewer.model import status_text
from viewer.ui.files.file_writing import FileWriting
from viewer.ui.files.session import Session
from viewer.ui.status.status_bar import StatusBar

STOPPED = "stopped"


class Progress(QObject):
    """What the user waits for most comes first, and is what `stop` stops."""

    changed = Signal()
    """What goes on in the session, where nothing comes first."""

    def __init__(
        self,
        session: Session,
        writing: FileWriting,
        status: StatusBar,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._writing, self._status = session, writing, status
        self._written = 0, 0  # parts of the file that is being written, and how many there are
        session.opening_began.connect(lambda name: status.show_progress(f"Opening {name}"))
        session.opening_ended.connect(self.look)
        session.build_progress.connect(self.look)
        session.build_ended.connect(self.look)
        session.read_progress.connect(self._show_reading)
        session.read_ended.connect(self.look)
        writing.began.connect(self._show_writing)
        writing.progress.connect(self._show_writing)
        writing.ended.connect(self.look)
        status.cancelled.connect(self.stop)

    def look(self) -> None:
        """Something has begun, gone on or ended."""
        if self._session.opening:
            return
        if self._writing.running:
            self._show_writing(*self._written)  # what was opened meanwhile is there
            return
        document = self._session.document
        if self._session.building and document is not None:
            self._status.forget(STOPPED)
            done, total = document.built, document.total
            seen, in_view = document.in_view
            text = status_text.building_text(done, total, seen, in_view)
            if seen < in_view:
                done, total = seen, in_view
            self._status.show_progress(text, done, total)
        else:
            self._status.end_progress()
        self.changed.emit()

    def stop(self) -> None:
        session = self._session
        if self._writing.running:
            self._writing.stop()
        elif session.opening:
            session.cancel_opening()
        elif session.building or session.reading:
            session.stop_building()
            session.stop_reading()
            self._status.tell("Stopped building the field; B goes on", about=STOPPED)

    def _show_reading(self, done: int, total: int) -> None:
        """Of what goes on at the same time the building says more: it is what the view waits for."""
        session = self._session
        if not (session.opening or session.building or self._writing.running):
            text = status_text.progress_text(done, total, "Reading the picture")
            self._status.show_progress(text, done, total)

    def _show_writing(self, done: int = 0, total: int = 0) -> None:
        self._written = done, total
        if self._writing.running:
            text = status_text.progress_text(done, total, self._writing.doing)
            # Beside the bar and the button that belong to it.
            self._status.show_progress(text, done, total, foremost=True)
