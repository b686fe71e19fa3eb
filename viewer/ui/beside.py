"""The document on the other side of the line that splits the view: it is built and shown like the one that is open."""

from __future__ import annotations

import math

from PySide6.QtCore import QObject, Signal

from viewer.model.documents.document import Document
from viewer.model.frames.scene import Scene
from viewer.ui.building import look_at_view
from viewer.ui.canvas.canvas import Canvas
from viewer.ui.closeness import Closeness
from viewer.ui.workers.build_worker import BuildWorker


class Beside(QObject):
    """Has a build thread of its own: a document is built by one thread at a time."""

    failed = Signal(str)
    fell_back = Signal(str)

    def __init__(self, canvas: Canvas, parent: QObject) -> None:
        super().__init__(parent)
        self._closeness = Closeness(canvas, self)
        self._closeness.measured.connect(self._tell_closeness)
        self._measured = False
        self._canvas = canvas
        self._document: Document | None = None
        self._right: Document | None = None
        self._told = ("", "")  # the names that the sides were last shown by
        self._building = False
        self._shown: Scene | None = None
        self._revision = -1  # of what was shown last
        self._builder = BuildWorker(self)
        self._builder.tiles_built.connect(self._take_tiles)
        self._builder.finished.connect(self._end_build)
        self._builder.failed.connect(self._build_failed)
        self._builder.fell_back.connect(self._fell_back)

    @property
    def building(self) -> bool:
        return self._building

    def show(self, document: Document, right: Document, measured: bool = False) -> None:
        """Show a document of the open picture left of the line. right: the one that is open. measured: the left is what
        the right should be, and how near that comes is told."""
        self._measured = measured
        if self._revision >= 0 and self._shown is not document.scene:
            document.scene = document.scene.after(self._revision)
        self._document, self._right = document, right
        self._show_scene(document)
        if document.buildable and not self._builder.running:
            look_at_view(document, self._canvas)
            self._building = not document.complete
            self._builder.start(document)

    def hide(self) -> None:
        """Show only the document that is open; what is built of this one stays in it."""
        self._builder.stop()
        self._building = False
        self._document = self._right = self._shown = None
        self._closeness.stop()
        self._canvas.set_beside(None)

    def look(self) -> None:
        """The view has moved."""
        if self._document is not None:
            look_at_view(self._document, self._canvas)
            self._building = self._builder.running and not self._document.complete
            self._builder.wake()

    def rename(self) -> None:
        """The open document may be known by another name, now that there is something of it."""
        if self._document is not None and self._names != self._told:
            self._show_scene(self._document)

    def take_levels(self) -> None:
        """More of a large picture is read."""
        if self._document is not None:
            self._document.take_levels()
            self._show_scene(self._document)

    def take_tiles(self) -> None:
        """Tiles may have gone."""
        if self._document is not None:
            self._take_tiles(self._document)

    def shutdown(self) -> None:
        self._closeness.close(0.05)
        self._builder.close()

    @property
    def _names(self) -> tuple[str, str]:
        """Of the sides."""
        left, right, seen = self._document, self._right, self._canvas.scene
        if left is None or right is None:
            return ("", "")
        # Until there is something of the field that is chosen, the one of before is seen, and named.
        before = seen if seen is not None and seen.method != right.scene.method else right
        return left.title, before.title

    def _show_scene(self, document: Document) -> None:
        self._shown, self._told = document.scene, self._names
        self._revision = document.scene.revision
        self._canvas.set_beside(document.scene, self._names)
        if self._measured:
            self._closeness.watch()

    def _take_tiles(self, document: Document) -> None:
        if document is self._document and document.take_tiles():
            self._show_scene(document)

    def _tell_closeness(self, decibels: float | None) -> None:
        """On the right side's plate; None: not known of this view."""
        if self._document is not None:
            figure = ""
            if decibels is not None:
                figure = "=" if math.isinf(decibels) else f"{decibels:.2f} dB"
            self._canvas.set_beside(self._document.scene, self._names, figure)

    def _end_build(self, document: Document) -> None:
        if document is self._document:
            self._building = False

    def _build_failed(self, document: Document, message: str) -> None:
        if document is self._document:
            self._builder.stop()  # its thread has ended
            self._building = False
            self.failed.emit(message)

    def _fell_back(self, document: Document, why: str) -> None:
        if document is self._document:
            self._take_tiles(document)
            self.rename()
            self.fell_back.emit(why)
