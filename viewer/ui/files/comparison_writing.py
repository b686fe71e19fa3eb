"""Export Comparison: which methods are to be shown side by side is asked for, and where, and a figure of it written."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from gaussian_core.errors import UserError
from viewer.model.documents.document import Document
from viewer.model.exports import comparison_export
from viewer.model.exports.comparison_export import ComparisonPlan
from viewer.model.methods import Choice
from viewer.model.status_text import size_text
from viewer.model.view.view_state import ViewState
from viewer.ui.dialogs.comparison_dialog import ComparisonDialog
from viewer.ui.files.file_writing import FileWriting
from viewer.ui.files.session import Session


class ComparisonWriting(QObject):
    """Of what is in view of a session's picture.

    window: that the dialogs belong to. writing: what writes files, one at a time. view: on screen.
    """

    def __init__(
        self,
        window: QWidget,
        session: Session,
        writing: FileWriting,
        view: Callable[[], ViewState],
    ) -> None:
        super().__init__(window)
        self._window, self._session = window, session
        self._writing, self._view = writing, view
        self._before: tuple[Choice, ...] = (comparison_export.ALWAYS,)
        """What was chosen last: who exports many figures wants them alike."""

    @property
    def possible(self) -> bool:
        document = self._session.document
        return self._writing.possible and document is not None and document.picture is not None

    def ask(self) -> None:
        document, session = self._session.document, self._session
        if document is None or not self.possible:
            return
        shown = [document.choice, *([session.compared] if session.split else [])]
        choices = comparison_export.candidates(shown, session.choice.shipped)
        wanted = [*shown, *self._before]
        reference, named = document.reference, ""
        if reference is not None:
            named = reference.title or "The picture itself"
            named += f", {size_text(reference.picture.extent)}"
        dialog = ComparisonDialog(
            self._window,
            choices,
            [choice for choice in choices if any(choice.shows_as(other) for other in wanted)],
            self._writing.in_view(document),
            self._view().scale,
            named,
            lambda plan: _previewed(document, plan),
        )
        dialog.chosen.connect(partial(self.ask_file, document))
        dialog.open()

    def ask_file(self, document: Document, plan: ComparisonPlan) -> None:
        self._before = plan.choices
        name = comparison_export.suggested_name(document.stem, plan.scale)
        self._writing.ask_picture_file(
            "Export Comparison", name, lambda path: self.write(document, plan, path)
        )

    def write(self, document: Document, plan: ComparisonPlan, path: str) -> None:
        """Draw the figure into a file, in the background."""
        if self._writing.running:
            return
        try:
            self._writing.begin(comparison_export.exporting(document, plan, path))
        except UserError as error:  # as where the file is the picture's own
            self._writing.refused.emit("The comparison was not exported", str(error))


def _previewed(document: Document, plan: ComparisonPlan) -> tuple[tuple[int, int], tuple[str, ...]]:
    figure = comparison_export.figure_of(document, plan)
    return figure.layout.size, figure.notes
