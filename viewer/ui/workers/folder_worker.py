"""Looks on a thread which pictures there are in a folder: it may lie on a slow disk, or hold many thousands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from viewer.model.documents.siblings import pictures_among, pictures_in
from viewer.ui.workers.background import Worker


@dataclass(frozen=True, eq=False)
class Listing:
    """What is looked for: the pictures of a folder, or those among some files and folders."""

    folder: Path | None = None
    among: tuple[Path, ...] = ()


class FolderWorker(Worker):
    """Answers every question; who asks tells by the Listing which answer is still wanted."""

    listed = Signal(object, object)
    """The Listing and the paths of the pictures, in their natural order."""
    failed = Signal(object, str, str)
    """The Listing, why it failed, and the path that the reason is of."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__("folder", parent)

    def start(self, listing: Listing) -> Listing:
        self._run(self._look, listing)
        return listing

    def _look(self, listing: Listing) -> None:
        try:
            if listing.folder is None:
                found = pictures_among(listing.among)
            else:
                found = pictures_in(listing.folder)
        except OSError as error:
            place = error.filename or listing.folder
            why = f"{place} cannot be read: {error.strerror or error}."
            self._emit(self.failed, listing, why, str(place))
        else:
            self._emit(self.listed, listing, found)
