"""Choosing how pictures are shown: by a method, by weights that are shipped, by weights from a file."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from viewer.model.documents.document import read_weights
from viewer.model.methods import DEFAULT, Choice
from viewer.model.status_text import BRIEFLY
from viewer.ui.current_settings import CurrentSettings
from viewer.ui.files.session import Session
from viewer.ui.workers.file_reader import FileReader

LONG = 30.0  # seconds


class Choosing(QObject):
    """For a session. Methods and shipped weights are settings; weights from a file are for this time.

    Whoever chooses once more what is chosen already has it tried again, where another method has taken its place.
    """

    said = Signal(str, float)
    """Something, and for how many seconds it may be read."""
    failed = Signal(str, str)
    """A title and why weights cannot be used."""
    changed = Signal()
    """What is chosen, or what can be, may be another now."""
    chosen = Signal()
    """A method or shipped weights, not the same as before."""

    def __init__(
        self, session: Session, settings: CurrentSettings, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session, self._settings = session, settings
        self.weights: Path | None = None
        """The file that was opened last."""
        self._in_use = False
        settings.changed.connect(self._apply)
        self._reader = FileReader("weights", read_weights, self)
        self._reader.opened.connect(self._take_weights)
        self._reader.failed.connect(self._weights_failed)

    @property
    def weights_in_use(self) -> Path | None:
        return self.weights if self._in_use else None

    @property
    def running(self) -> bool:
        return self._reader.running

    def close(self) -> None:
        self._reader.close(0.05)

    def use_method(self, method: str) -> None:
        again = not self._in_use and method == self._settings.now.method
        self._in_use = False
        self._settings.change(method=method)
        if again:
            self._session.retry()
        else:
            self.chosen.emit()

    def use_shipped(self, name: str) -> None:
        """The learned field, by weights of a name or by those for the device."""
        self._in_use = False
        self._settings.change(weights=name, method=DEFAULT)
        self.chosen.emit()

    def open_weights(self, path: str | Path) -> None:
        """Make fields by the network in a file, once it is read and found good; until then all stays as it is."""
        self._reader.open(Path(path).absolute())
        self.said.emit(f"Reading {Path(path).name}…", BRIEFLY)

    def use_weights(self) -> None:
        """By the weights that were opened."""
        again = self._in_use
        self._in_use = True
        self._apply()
        if again:
            self._session.retry()

    def _apply(self) -> None:
        s = self._settings.now
        self._session.set_choice(Choice(s.method, s.weights, self.weights_in_use))
        self.changed.emit()

    def _take_weights(self, path: Path, _: object) -> None:
        self.weights = path
        self.use_weights()
        document = self._session.document
        notes = () if document is None or document.weights != path else document.notes
        text = "; ".join([f"Pictures are drawn by {path.name}", *notes])
        self.said.emit(text, LONG if notes else BRIEFLY)

    def _weights_failed(self, path: Path, message: str) -> None:
        self.said.emit("", BRIEFLY)
        self.failed.emit(f"{path.name} was not opened", message)
