"""A picture file that the open picture is held against: the original of a small one, or what another program made."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QWidget

from gaussian_core.errors import ImageError
from gaussian_core.imaging.file_state import FileState
from gaussian_core.imaging.picture import PictureSource
from viewer.model.documents.counterparts import counterpart
from viewer.model.documents.original import open_original
from viewer.model.status_text import BRIEFLY
from viewer.ui.dialogs import dialogs
from viewer.ui.files.session import Session
from viewer.ui.workers.file_reader import FileReader

LONG = 12.0  # seconds


class ReferenceFile(QObject):
    """Chosen once, and for the other pictures of the folder as well: each has its own, found by its name beside the one
    that was chosen.

    window: that the dialog belongs to. folder: where it begins, "" for the user's pictures.
    """

    said = Signal(str, float, object)
    """Something, for how many seconds it may be read, and the names of files in it."""
    failed = Signal(str, str)
    """A title and why a file cannot be held against the picture."""
    changed = Signal()
    """Which file is in use, or whether one can be."""
    in_use = Signal(object, object)
    """The Path of the file that the picture is held against from now on, and its FileState when it was read; None
    twice: none."""

    def __init__(self, window: QWidget, session: Session, folder: Callable[[], str]) -> None:
        super().__init__(window)
        self._window, self._session, self._folder = window, session, folder
        self.path: Path | None = None
        """The file that is in use, or is being read."""
        self._in_use: Path | None = None
        self._of: PictureSource | None = None  # the picture that it is held against
        self._chosen: tuple[Path, Path] | None = None  # a file, and the picture it was chosen for
        self._early: Path | None = None  # asked for before it was known which picture there will be
        self._again = False  # what is being read was not asked for by name
        self._reader = FileReader("reference", _read, self)
        self._reader.opened.connect(self._take)
        self._reader.failed.connect(self._not_read)
        session.changed.connect(self._follow)
        # What is open may stay. After all that is told of it where it does not.
        session.opening_ended.connect(self._follow, Qt.ConnectionType.QueuedConnection)

    @property
    def possible(self) -> bool:
        """Whether there is a picture to hold a file against; a reduced copy has its original for that."""
        picture = self._picture
        return picture is not None and picture.original is None

    @property
    def running(self) -> bool:
        return self._reader.running

    def ask(self, wanted: bool) -> None:
        """Have a file chosen; or leave the one that is in use."""
        if wanted:
            folder = str(self._chosen[0].parent) if self._chosen else self._folder()
            filters = dialogs.PICTURE_FILTERS
            dialogs.ask_open(self._window, folder, self.open, filters, "Compare With a Picture")
            self.changed.emit()  # none is in use yet, whatever the menu shows
        else:
            self._forget()
            if self.possible:
                self._session.refer_to(None)
            self.changed.emit()

    def open(self, path: str | Path) -> None:
        """Hold the open picture against a file, once it is read; until then all stays as it is. Where none is open yet,
        the next one; where another is being opened, that one, or what stays where it cannot be."""
        path = Path(path).absolute()
        if self._picture is None or self._session.opening:
            self._early = path
        elif self.possible:
            self._choose(path)

    def read_again(self) -> None:
        """The file that is in use, which may have changed."""
        if self._in_use is not None and self.possible:
            self._read(self._in_use, again=True)

    def close(self) -> None:
        self._reader.close(0.05)

    @property
    def _picture(self) -> PictureSource | None:
        document = self._session.document
        return None if document is None else document.picture

    def _choose(self, path: Path) -> None:
        self.said.emit(f"Reading {path.name}…", BRIEFLY, [path.name])
        self._read(path, again=False)

    def _read(self, path: Path, again: bool) -> None:
        self.path, self._again = path, again
        self._reader.open(path)
        self.changed.emit()

    def _drop(self) -> None:
        """Nothing is in use any more, though it may be again with the next picture."""
        self._reader.drop()
        self.path = self._in_use = None
        self.in_use.emit(None, None)

    def _forget(self) -> None:
        self._drop()
        self._chosen = self._early = None

    @property
    def _source(self) -> Path | None:
        document = self._session.document
        return None if document is None else document.source

    def _follow(self) -> None:
        """Another picture may be open: it wants its own."""
        if self._session.opening:
            return
        if self._early is not None and self._session.document is not None and not self.possible:
            self._early = None
            self.failed.emit(
                "Nothing is compared", "A field file has no picture to be held against another."
            )
        same, self._of = self._picture is self._of, self._picture
        if same and (self._early is None or not self.possible):
            return
        early, self._early = self._early, None
        source, chosen = self._source, self._chosen
        if early is not None and self.possible:
            self._choose(early)
        elif not chosen or not source or source.parent != chosen[1].parent:
            self._forget()
        elif not self.possible:
            self._drop()  # by a reduced copy, or a field, of the same folder
        else:
            self._drop()
            self._read_counterpart(chosen, source)
        self.changed.emit()

    def _read_counterpart(self, chosen: tuple[Path, Path], source: Path) -> None:
        file, of = chosen
        found = file if source == of else counterpart(file, of, source)
        if found is not None and os.path.isfile(found):
            self._read(found, again=True)
            return
        sought = "no picture that goes by its name" if found is None else f"no {found.name}"
        text = f"{source.name}: there is {sought} in {file.parent.name}"
        self.said.emit(text, LONG, [source.name, *([found.name] if found is not None else [])])

    def _take(self, path: Path, found: tuple[PictureSource, FileState | None]) -> None:
        picture, state = found
        if self._picture is not self._of:
            return  # it is of another picture, and read for nothing
        try:
            self._session.refer_to(picture, self._again)
        except ImageError as error:
            self._not_read(path, str(error))
            return
        self._in_use = path
        self.in_use.emit(path, state)
        if not self._again:
            self._chosen = None if self._source is None else (path, self._source)
            self.said.emit(f"{path.name} is shown beside the picture", BRIEFLY, [path.name])
        self.changed.emit()

    def _not_read(self, path: Path, message: str) -> None:
        """What was held against the picture before stays."""
        self.path = self._in_use
        self.changed.emit()
        if self._again:
            self.said.emit(f"{path.name}: {message}", LONG, [path.name])
        else:
            self.said.emit("", BRIEFLY, [])  # it is no longer being read
            self.failed.emit(f"{path.name} was not opened", message)


def _read(path: Path) -> tuple[PictureSource, FileState | None]:
    """The picture, and how its file was before that: what is written to it meanwhile is to be noticed."""
    state = FileState.of(path)
    return open_original(path), state
