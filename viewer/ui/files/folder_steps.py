"""Next and previous picture: stepping through a folder, or through the files that were dropped together."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from viewer.model.documents.siblings import place_after
from viewer.ui.files.session import Session
from viewer.ui.workers.folder_worker import FolderWorker, Listing

PATIENCE_MS = 400
"""A step waits so long for the picture before it: then it goes past it. Steps that wait are taken together, so that a
held key leaves no pile of pictures to be read."""
MOST_SAID = 4
BRIEFLY, LONG = 3.0, 12.0  # seconds


class FolderSteps(QObject):
    """Opens what comes next in a session.

    The folder is read anew for every step. What cannot be opened is passed over, and said. Nothing else of the window
    changes: who opens a picture by another way just begins from there.
    """

    said = Signal(str, float, object)
    """Something, for how many seconds it may be read, and the names of files in it."""
    failed = Signal(str, str, object)
    """A title, the message, the Path: nothing could be opened of what was asked for."""

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._worker = FolderWorker(self)
        self._worker.listed.connect(self._take)
        self._worker.failed.connect(self._not_read)
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(PATIENCE_MS)
        self._patience.timeout.connect(self._go_on)
        self._reading: Listing | None = None
        self._waiting = 0  # steps that are still to be taken
        self._together: tuple[Path, ...] = ()  # what is stepped through in place of a folder
        self._paths: Sequence[Path] = ()
        self._place = 0  # among them, of the target
        self._direction = 1
        self._target: Path | None = None  # what was opened, or is being opened, by a step
        self._entering = ""  # a folder whose first picture is being looked for and opened
        self._asked_for = False  # the target is that picture
        self._skipped: list[tuple[str, str]] = []  # what is said of it, and a file's name in that
        self._starting = False
        session.opening_began.connect(self._began)
        session.opened_file.connect(self._opened)

    # ---- commands -----------------------------------------------------------------------------

    def step(self, direction: int) -> None:
        """Open the next picture (1) or the previous one (-1)."""
        if self._here is None:
            return
        self._waiting += direction
        self._go_on()

    def enter(self, paths: Sequence[Path]) -> None:
        """Open the first picture of a folder, or of several files and folders, and step through these from now on."""
        self._forget()
        self._entering = paths[0].name or str(paths[0])
        if len(paths) > 1:
            self._entering = f"what begins with {self._entering}"
        self._reading = self._worker.start(
            Listing(paths[0]) if len(paths) == 1 else Listing(None, tuple(paths))
        )

    # ---- what the window asks -----------------------------------------------------------------

    @property
    def possible(self) -> bool:
        """Whether what is open has a place in a folder."""
        return self._file_of_document is not None

    @property
    def running(self) -> bool:
        return self._reading is not None

    def came_by(self, path: Path) -> bool:
        """Whether a picture that was opened came by a step, not because it, or its folder, was asked for by name."""
        return path == self._target and not self._asked_for

    def passes(self, path: Path | None, message: str) -> bool:
        """Go on from a file that could not be opened. Whether it was a step that opened it."""
        if path is None or path != self._target:
            return False
        short = message.replace(str(path), path.name).rstrip(".")
        self._skipped.append((f"passed over: {short}", path.name))
        self._open(self._place + self._direction)
        return True

    def close(self) -> None:
        self._patience.stop()
        self._worker.close(0.05)

    # ---- going on -----------------------------------------------------------------------------

    @property
    def _file_of_document(self) -> Path | None:
        # A reduced copy has its place where the picture itself has it.
        document = self._session.document
        return None if document is None else document.source

    @property
    def _here(self) -> Path | None:
        """What the next step begins from."""
        if self._target is not None and self._session.opening:
            return self._target
        return self._file_of_document

    def _go_on(self) -> None:
        if not self._waiting or self._reading is not None or self._patience.isActive():
            return
        # Who steps on from a folder's first picture, or from what was open before it, enters it no longer.
        self._entering = ""
        here = self._here
        if here is None:
            self._waiting = 0
        elif here in self._together:
            self._reading = self._worker.start(Listing(None, self._together))
        else:
            self._together = ()
            self._reading = self._worker.start(Listing(here.parent))

    def _take(self, listing: Listing, paths: list[Path]) -> None:
        if listing is not self._reading:
            return
        self._reading = None
        self._paths, self._skipped = paths, []
        if self._entering:
            self._together = tuple(paths) if listing.folder is None else ()
            taken = set(paths)
            left = [p.name for p in listing.among if p not in taken and not _is_listed(p)]
            if left:
                more = [f"{len(left) - MOST_SAID:,} more"] if len(left) > MOST_SAID else []
                self._skipped.append((f"left out: {', '.join([*left[:MOST_SAID], *more])}", ""))
            self._direction = 1
            self._open(0)
            return
        steps, self._waiting = self._waiting, 0
        here = self._here
        if here is None or not steps:
            return
        self._direction = 1 if steps > 0 else -1
        last = len(paths) - 1
        if 0 <= place_after(paths, here, self._direction) <= last:
            self._open(min(max(place_after(paths, here, steps), 0), last))
        else:
            self._end_of_folder()

    def _open(self, place: int) -> None:
        if not 0 <= place < len(self._paths):
            self._end_of_folder()
            return
        self._place, self._target = place, self._paths[place]
        self._asked_for = bool(self._entering)
        self._patience.start()
        self._starting = True
        try:
            self._session.open(self._target, keep_view=not self._asked_for)
        finally:
            self._starting = False

    def _end_of_folder(self) -> None:
        self._patience.stop()
        self._target, self._waiting = None, 0
        here, entered, self._entering = self._here, self._entering, ""
        if entered:
            why = _joined([text for text, _ in self._skipped])
            why = why or "There is no picture that can be opened"
            self.failed.emit(f"{entered} was not opened", f"{why}.", None)
        elif here is not None:
            end, count = ("last" if self._direction > 0 else "first"), len(self._paths)
            which = f"the {end} of {count:,} pictures" if count > 1 else "the only picture here"
            self._say([f"{here.name} is {which}"], here, LONG)

    def _not_read(self, listing: Listing, message: str, place: str) -> None:
        if listing is not self._reading:
            return
        self._reading, self._waiting = None, 0
        if self._entering:
            entered, self._entering = self._entering, ""
            self.failed.emit(f"{entered} was not opened", message, None)
        else:
            self.said.emit(message, LONG, [place])

    # ---- what the session tells ---------------------------------------------------------------

    def _began(self, name: str) -> None:
        if not self._starting and not self._session.reloading:
            self._forget()

    def _forget(self) -> None:
        """Something else is being opened."""
        self._patience.stop()
        self._reading = self._target = None
        self._waiting, self._entering, self._together = 0, "", ()

    def _opened(self, path: Path) -> None:
        if path != self._target:
            return
        self._patience.stop()
        self._entering = ""
        document = self._session.document
        notes = () if document is None else (document.note, *document.notes)
        said = [f"{path.name}: {self._place + 1:,} of {len(self._paths):,}", *filter(None, notes)]
        # Where nothing more is to be read it soon makes room for how far the building is.
        self._say(said, path, LONG if len(said) > 1 or self._skipped else BRIEFLY)
        self._go_on()

    def _say(self, texts: Sequence[str], path: Path, seconds: float) -> None:
        """Of a file that is shown, and what was skipped on the way to it."""
        names = [path.name, *(name for _, name in self._skipped if name)]
        self.said.emit(_joined([*texts, *(text for text, _ in self._skipped)]), seconds, names)


def _is_listed(path: Path) -> bool:
    """Whether it is a folder whose pictures could be looked for."""
    return os.path.isdir(path) and os.access(path, os.R_OK | os.X_OK)


def _joined(texts: Sequence[str]) -> str:
    """In one line; of many, which are the files that were passed over, the first few."""
    more = len(texts) - MOST_SAID
    return "; ".join([*texts[:MOST_SAID], *([f"and {more:,} more"] if more > 0 else [])])
