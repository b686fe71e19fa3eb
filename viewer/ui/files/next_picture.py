"""What is being opened, and the first look at it that is seen until it is there or given up."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from viewer.model.documents.document import Document
from viewer.model.view.view_state import ViewState
from viewer.ui.canvas.canvas import Canvas
from viewer.ui.workers.open_worker import Opening, OpenWorker


class NextPicture(QObject):
    """One at a time: what was asked for last counts. What is open stays open meanwhile, at most covered."""

    began = Signal(str)
    """Its name."""
    ended = Signal()
    covering = Signal()
    """A first look at it is about to be seen."""
    covered = Signal()
    """It is seen."""
    came = Signal(object, object)
    """The Opening and the Document."""
    uncovered = Signal(object)
    """It was given up, and nothing is seen; the ViewState of what was open."""
    failed = Signal(str, str, object)
    """A title, the message, the Path (None: no file) that could not be opened."""
    not_reloaded = Signal()
    """What is open stays: its file could not be read again, or that was given up."""

    def __init__(self, canvas: Canvas, parent: QObject) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self._opening: Opening | None = None
        self._covers = False
        self._before: ViewState | None = None
        self.opener = OpenWorker(self)
        self.opener.overview_ready.connect(self._show_overview)
        self.opener.opened.connect(self._take)
        self.opener.failed.connect(self._go_back)

    @property
    def opening(self) -> Opening | None:
        """What is being opened."""
        return self._opening

    @property
    def covers(self) -> bool:
        """Whether a first look at it is seen in the place of the document."""
        return self._covers

    def begin(self, opening: Opening, keep_view: bool = False) -> None:
        """opening: what `opener` began to open. keep_view: look at the same place of it, if it is of the same size as
        what is open."""
        self._opening = opening
        self._canvas.keep_view_next(keep_view)
        self.began.emit(opening.name)

    def cancel(self) -> None:
        """Forget what is being opened and show again what was."""
        if self._opening is not None:
            again = self._opening.again
            self.opener.abandon()
            self._uncover()
            self.finish()
            if again:
                self.not_reloaded.emit()

    def abandon(self) -> None:
        """Forget what is being opened; what covers the document stays until something is shown in its place."""
        self.opener.abandon()
        self.finish()

    def finish(self) -> None:
        """Nothing is being opened any more."""
        if self._opening is not None:
            self._opening = None
            self.ended.emit()

    def give_way(self) -> None:
        """What is open is what is to be seen from now on."""
        self._covers = False
        self._before = None

    def _show_overview(self, opening: Opening, image: QImage, width: int, height: int) -> None:
        if not self.opener.is_current(opening):
            return
        if not self._covers:
            self._before = self._canvas.view
            self._covers = True
        self.covering.emit()
        self._canvas.set_overview(image, (width, height))
        self.covered.emit()

    def _take(self, opening: Opening, document: Document) -> None:
        if self.opener.is_current(opening):
            self.came.emit(opening, document)

    def _go_back(self, opening: Opening, message: str) -> None:
        if not self.opener.is_current(opening):
            return
        self._uncover()
        self.finish()
        if opening.again:
            still = f"{message} What was read of it before is still shown."
            self.failed.emit(f"{opening.name} was not read again", still, None)
            self.not_reloaded.emit()
        else:
            self.failed.emit(f"{opening.name} was not opened", message, opening.path)

    def _uncover(self) -> None:
        if self._covers:
            before = self._before
            self.give_way()
            self._canvas.set_scene(None)
            self.uncovered.emit(before)
