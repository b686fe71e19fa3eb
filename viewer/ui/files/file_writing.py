"""Export and Save Field: what is to be written and where is asked for, and written in the background."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from gaussian_core.viewport import Region
from viewer.model.documents.document import Document
from viewer.model.exports.field_saving import saving, why_not
from viewer.model.exports.field_saving import suggested_name as field_name
from viewer.model.exports.picture_export import ExportPlan, exporting, region_in_view
from viewer.model.exports.picture_export import suggested_name as picture_name
from viewer.model.view.view_state import ViewState
from viewer.ui.dialogs import dialogs
from viewer.ui.dialogs.export_dialog import ExportDialog
from viewer.ui.files.session import Session
from viewer.ui.workers.export_worker import ExportWorker, Job


class FileWriting(ExportWorker):
    """One file at a time, of what is open in a session; who asks for another meanwhile is not heard.

    window: that the dialogs belong to. folder: where files are suggested, "" for the user's own. view: on screen.
    """

    began = Signal()
    refused = Signal(str, str)
    """A title and why what was asked for cannot be written, known before a file is asked for."""

    def __init__(
        self,
        window: QWidget,
        session: Session,
        folder: Callable[[], str],
        view: Callable[[], ViewState],
    ) -> None:
        super().__init__(window)
        self._window, self._session = window, session
        self._folder, self._view = folder, view
        # Of this window's last file: who exports many pictures wants them alike, and in one place.
        self._plan: ExportPlan | None = None
        self._format = dialogs.EXPORT_FILTERS[0]
        self._into = ""

    @property
    def possible(self) -> bool:
        there = self._session.document is not None and not self._session.covered
        return there and not self.running

    def ask_export(self) -> None:
        document = self._session.document
        if document is None or not self.possible:
            return
        dialog = ExportDialog(
            self._window,
            document.extent,
            self.in_view(document),
            self._view().scale,
            self._plan,
            document.title,
            document.channels * (2 if document.deep else 1),
        )
        # Another picture may have been read by the time that all is chosen: it is not what was asked for.
        dialog.chosen.connect(partial(self.ask_export_file, document))
        dialog.open()

    def ask_export_file(self, document: Document, plan: ExportPlan) -> None:
        self._plan = plan
        choice = None if document.picture is None else document.choice
        name = picture_name(document.stem, plan.scale, choice)
        self.ask_picture_file("Export", name, lambda path: self.export(document, plan, path))

    def in_view(self, document: Document) -> Region:
        """The part of it that is in view, in whole pixels; all of it where none is."""
        height, width = document.extent
        region = region_in_view(document.extent, self._view().source_rect)
        return (0.0, 0.0, float(width), float(height)) if region is None else region

    def ask_picture_file(self, title: str, name: str, chosen: Callable[[str], None]) -> None:
        """Ask for a picture file to write, of the kind and in the folder of the last one. name: with .png."""

        def take(path: str) -> None:
            self._format = dialogs.filter_of(path, dialogs.EXPORT_FILTERS) or self._format
            chosen(path)

        suffix = dialogs.first_suffix(self._format)
        dialogs.ask_save(
            self._window,
            title,
            self._suggested(f"{name.removesuffix('.png')}.{suffix}"),
            dialogs.EXPORT_FILTERS,
            take,
            self._format,
        )

    def export(self, document: Document, plan: ExportPlan, path: str) -> None:
        """Render a document into a file."""
        if not self.running:
            self.begin(exporting(document, plan, path))

    def ask_save_field(self) -> None:
        document = self._session.document
        if document is None or not self.possible:
            return
        if why := why_not(document):
            self.refused.emit("The field cannot be saved", why)
            return
        name = self._suggested(field_name(document))
        save = partial(self.save_field, document)
        dialogs.ask_save(self._window, "Save Field", name, dialogs.FIELD_FILTERS, save)

    def save_field(self, document: Document, path: str) -> None:
        """Write all of a document's field into a file."""
        if not self.running:
            self.begin(saving(document, path))

    def _suggested(self, name: str) -> str:
        return str(Path(self._into or self._folder() or dialogs.pictures()) / name)

    def begin(self, job: Job) -> None:
        """Raises RuntimeError while another file is being written."""
        self._into = str(Path(job.out).parent)
        self.start(job)
        self.began.emit()
