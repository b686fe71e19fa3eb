"""What a user gives to the window: picked in a dialog, dropped on it, pasted, or handed over by the system."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtCore import QMimeData, QObject, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from viewer.model.documents.document import is_weights_file
from viewer.model.status_text import BRIEFLY
from viewer.ui.choosing import Choosing
from viewer.ui.current_settings import CurrentSettings
from viewer.ui.dialogs import dialogs
from viewer.ui.files.folder_steps import FolderSteps
from viewer.ui.files.incoming import incoming
from viewer.ui.files.session import Session

ABOUT = "picture"


class Intake(QObject):
    """Opens each thing as what it is: a picture or a field in a session, weights for what makes fields, a folder or
    several files to step through.

    window: that the dialogs belong to.
    """

    said = Signal(str, float, str)
    """Something, for how many seconds it may be read, and what it is about."""

    def __init__(
        self,
        window: QWidget,
        session: Session,
        steps: FolderSteps,
        choosing: Choosing,
        settings: CurrentSettings,
    ) -> None:
        super().__init__(window)
        self._window, self._session, self._steps = window, session, steps
        self._choosing, self._settings = choosing, settings
        self._sample: Path | None = None

    def open(self, path: str | Path) -> None:
        if is_weights_file(path):
            self._choosing.open_weights(path)
        elif os.path.isdir(path):
            self._steps.enter([Path(path).absolute()])
        else:
            self._session.open(path)

    def open_all(self, paths: list[Path]) -> None:
        """Several are stepped through."""
        if len(paths) > 1:
            self._steps.enter(paths)
        else:
            self.open(paths[0])

    def take(self, data: QMimeData | None) -> bool:
        """What was dropped, or is on the clipboard. Whether there is something to open in it."""
        thing = None if data is None else incoming(data)
        if isinstance(thing, list):
            self.open_all(thing)
        elif thing is not None:
            self._session.open_image(thing)
        return thing is not None

    def paste(self) -> None:
        if not self.take(QGuiApplication.clipboard().mimeData()):
            text = "There is no picture on the clipboard, and no path of one"
            self.said.emit(text, BRIEFLY, ABOUT)

    def ask(self) -> None:
        dialogs.ask_open(self._window, self._settings.now.last_folder, self.open)

    def ask_weights(self) -> None:
        # A picture or a field that was picked is opened as what it is.
        filters = dialogs.WEIGHTS_FILTERS
        folder = self._settings.now.last_folder
        dialogs.ask_open(self._window, folder, self.open, filters, "Open Weights")

    def open_sample(self) -> None:
        from gaussian_core.resource_files import resource_path

        self._sample = resource_path("sample.png")
        self._session.open(self._sample)

    def is_sample(self, path: Path | None) -> bool:
        """It is not of the user's files, and nothing of theirs is beside it."""
        return path is not None and path == self._sample

    def open_reduced(self, factor: int) -> None:
        """Open a smaller copy of the picture, beside the picture itself; 1: only that again."""
        if not self._session.open_reduced(factor):
            self.said.emit("A field file has no picture to be reduced", BRIEFLY, ABOUT)
