"""What the open picture is compared with: its reference where it has one, else what it was by the method before."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject

from viewer.model.documents.document import Document
from viewer.model.documents.shelf import Shelf
from viewer.model.methods import DEFAULT, Choice
from viewer.ui.beside import Beside
from viewer.ui.building import look_at_view
from viewer.ui.canvas.canvas import Canvas

PLAIN = "bicubic"
"""What is compared with where no other method was chosen yet."""


class Compared(QObject):
    """Shown beside the picture, on the other side of the line, while the view is split."""

    def __init__(self, canvas: Canvas, parent: QObject) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self.shelf = Shelf(partial(look_at_view, canvas=canvas))
        self.beside = Beside(canvas, self)
        self._reference: Document | None = None
        self._split = False
        self._split_before: bool | None = None  # what it was before there was a reference
        self._split_by_reference = True  # while there was one of this series of pictures

    @property
    def split(self) -> bool:
        return self._split

    def set_split(self, on: bool) -> None:
        """As the user wants it from now on."""
        self._split, self._split_before = on, None
        if self._reference is not None:
            self._split_by_reference = on

    def choice(self, shown: Choice) -> Choice:
        """How the picture is shown in the place of `shown`: the reference where there is one, else the method before,
        also that of the picture before, at first bicubic interpolation, or for that the learned field."""
        if self._reference is not None:
            return self._reference.choice
        if self.shelf.before is not None:
            return self.shelf.before.choice
        last = self.shelf.last
        if last is not None and not last.shows_as(shown):
            return last
        return Choice(DEFAULT if shown.method == PLAIN else PLAIN, shown.shipped)

    def title(self, shown: Choice) -> str:
        return self.choice(shown).title if self._reference is None else self._reference.title

    def set_reference(self, reference: Document | None, again: bool) -> None:
        """It is shown beside the picture, which a user may end; without one the view is split as before. again: beside
        it or not, as the user had that of the picture before."""
        self._reference = reference
        if reference is None:
            if self._split_before is not None:
                self._split, self._split_before = self._split_before, None
            return
        if self._split_before is None:
            self._split_before = self._split
        if not again:
            self._split_by_reference = True
            self._canvas.recentre_line()
        self._split = self._split_by_reference

    def show(self, document: Document, shown: Choice, pixel_sigma: float | None) -> None:
        """Beside the document, if the view is split: the reference, else what is on the shelf, or what comes there
        first. shown: what the document is shown by."""
        if not self._split or document.picture is None:
            self.beside.hide()
            return
        left = self._reference or self.shelf.before
        if left is None:
            left = document.made_as(self.choice(shown))
            self.shelf.put(left)
            self.shelf.limit_shown(document)
        if left.scene.pixel_sigma != pixel_sigma:
            left.scene = left.scene.seen_by(pixel_sigma)
        self.beside.show(left, document, measured=self._reference is not None)

    def clear(self) -> None:
        """Another picture comes, or none."""
        self.beside.hide()
        self.shelf.clear()
        self._reference = None

    def set_tile_memory(self, budget: int | None) -> None:
        """Of what is kept and not shown, or shown beside the document."""
        self.shelf.tile_memory = budget
        for kept in self.shelf.kept:
            self.shelf.limit(kept)
        self.beside.take_tiles()
        for kept in self.shelf.kept:
            kept.take_tiles()
