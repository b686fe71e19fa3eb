"""Building the field of the open document: from its first frame on, until all is built or somebody stops it."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from viewer.model import torch_import
from viewer.model.documents.document import Document
from viewer.model.frames.frame import Frame
from viewer.ui.canvas.canvas import Canvas
from viewer.ui.workers.build_worker import BuildWorker


class Building(QObject):
    """One document at a time. What its thread tells of a document may come when another one is open already."""

    progress = Signal()
    ended = Signal()
    tiles_built = Signal(object)
    """The document: it has new tiles (Document.take_tiles)."""
    failed = Signal(object, str)
    """The document and the message."""
    fell_back = Signal(object, str)
    """The document and why its field is made by another method than was asked for."""

    def __init__(self, canvas: Canvas, parent: QObject) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self._document: Document | None = None
        self._running = False
        self._framed = 0  # the generation that the newest frame shows
        self._held_back = False  # the thread begins with the next frame
        self._worker = BuildWorker(self)
        self._worker.tiles_built.connect(self._tiles_built)
        self._worker.finished.connect(self._end)
        self._worker.failed.connect(self.failed)
        self._worker.fell_back.connect(self.fell_back)
        canvas.frame_shown.connect(self._frame_shown)
        canvas.failed.connect(self._begin)

    @property
    def running(self) -> bool:
        return self._running

    @property
    def watching(self) -> bool:
        """Whether all that the view wants is built, and the thread waits for a view that wants more."""
        return self._worker.running and not self._running

    def start(self, document: Document) -> None:
        """Start or go on, where there is a field to build and none is being built."""
        if not document.buildable or self._running:
            return
        self._document = document
        look_at_view(document, self._canvas)
        # What is complete is only watched, in case another view wants what there was no room for.
        if not document.complete:
            self._running = True
            self.progress.emit()
        # Torch takes more than a second, in which other threads get on badly: the picture comes first.
        self._held_back = (
            document.needs_torch
            and not torch_import.is_loaded()
            and self._framed != document.scene.generation
        )
        if not self._held_back:
            self._worker.start(document)

    def stop(self) -> None:
        """What is built stays in the document."""
        self._document = None
        self._held_back = False
        self._worker.stop()
        if self._running:
            self._running = False
            self.ended.emit()

    def wake(self) -> None:
        """The document looks at another view."""
        self._worker.wake()
        if self._running:
            self.progress.emit()

    def close(self) -> None:
        """End the thread."""
        self._worker.close()

    def _frame_shown(self, frame: Frame) -> None:
        self._framed = frame.generation
        if self._document is not None and self._document.scene.generation == frame.generation:
            self._begin()

    def _begin(self) -> None:
        if self._held_back and self._document is not None:
            self._held_back = False
            self._worker.start(self._document)

    def _tiles_built(self, document: Document) -> None:
        self.tiles_built.emit(document)
        if document is self._document and self._running:
            self.progress.emit()

    def _end(self, document: Document) -> None:
        # The thread goes on to watch the view; to the user the work is done.
        if document is self._document and self._running:
            self._running = False
            self.ended.emit()


def look_at_view(document: Document, canvas: Canvas) -> None:
    """Have a document look at what is on screen: it is built nearest to that first."""
    view = canvas.view
    document.look_at(view.source_rect, view.scale, canvas.overlays.any)
