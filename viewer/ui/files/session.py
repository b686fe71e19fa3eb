"""What is open in a window: reading it, building its field, showing it, and going back when that fails."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from viewer.model.documents.document import Document
from viewer.model.documents.original import OriginalDrawing
from viewer.model.frames.frame import Frame
from viewer.model.frames.scene import Scene
from viewer.model.methods import ORIGINAL, Choice
from viewer.model.view.view_state import ViewState
from viewer.ui.building import Building, look_at_view
from viewer.ui.canvas.canvas import Canvas
from viewer.ui.compared import Compared
from viewer.ui.files.next_picture import NextPicture
from viewer.ui.workers.levels_worker import LevelsWorker
from viewer.ui.workers.open_worker import Opening

if TYPE_CHECKING:
    from gaussian_core.imaging.picture import PictureSource


class Session(QObject):
    """Owns the document. What was open before stays, and stays usable, until something else really is open.

    The same picture by the method that was shown before is kept on a shelf: going back to it builds nothing anew.
    """

    changed = Signal()
    """Another document, or none, is shown."""
    opening_began = Signal(str)
    opening_ended = Signal()
    opened_file = Signal(object)
    """The Path of a file that was opened."""
    failed = Signal(str, str, object)
    """A title, the message, the Path (None: no file) that could not be opened."""
    build_progress = Signal()
    build_ended = Signal()
    read_progress = Signal(int, int)
    """Parts of a large picture read for the views below 100 %, and how many there are."""
    read_ended = Signal()
    scene_shown = Signal()
    """The canvas shows another scene: maybe by another method."""
    covered_now = Signal()
    """What is seen is the next picture, as far as it is read: `covered`."""
    compare_ended = Signal()
    """What is chosen is shown again, or something else was chosen."""
    outdated = Signal()
    """What is read of the open file only now is lacking: the file has changed."""
    not_reloaded = Signal()
    """What is open stays: its file could not be read again, or that was given up."""
    fell_back = Signal(str)
    """Why the field is made by another method than was asked for."""

    def __init__(self, canvas: Canvas, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self.choice = Choice()
        """How pictures are to be shown from now on."""
        self.pixel_sigma: float | None = None
        self.document: Document | None = None
        self._held: Choice | None = None  # what is shown again when the comparison ends
        self._next = NextPicture(canvas, self)
        self._next.began.connect(self.opening_began)
        self._next.ended.connect(self.opening_ended)
        self._next.covering.connect(self._make_way)
        self._next.covered.connect(self.covered_now)
        self._next.came.connect(self._show_document)
        self._next.uncovered.connect(self._show_again)
        self._next.failed.connect(self.failed)
        self._next.not_reloaded.connect(self.not_reloaded)
        self._builder = Building(canvas, self)
        self._builder.progress.connect(self.build_progress)
        self._builder.ended.connect(self.build_ended)
        self._builder.tiles_built.connect(self._take_tiles)
        self._builder.failed.connect(self._build_failed)
        self._builder.fell_back.connect(self._fell_back)
        self._reader = LevelsWorker(self)
        self._reader.read.connect(self._take_levels)
        self._reader.progress.connect(self.read_progress)
        self._reader.ended.connect(self.read_ended)
        self._reader.failed.connect(
            lambda text: self.failed.emit("The picture was not read", text, None)
        )
        self._told_damage = ""
        self._compared = Compared(canvas, self)
        self._compared.beside.failed.connect(
            lambda text: self.failed.emit("The field was not built", text, None)
        )
        self._compared.beside.fell_back.connect(self.fell_back)
        canvas.view_changed.connect(self._look)
        canvas.marking_changed.connect(self._look_again)
        canvas.frame_shown.connect(self._tell_damage)

    # ---- commands -----------------------------------------------------------------------------

    def open(self, path: str | os.PathLike[str], keep_view: bool = False) -> None:
        """keep_view: look at the same place of it, if it is of the same size as what is open."""
        self._next.begin(self._next.opener.open(path, *self._asked), keep_view)

    def reload(self) -> bool:
        """Read the open file again, to be seen as it is now: from the same place where it is of the same size, by the
        same methods. What is open stays until that is done. Whether there is a file to read."""
        document = self.document
        if document is None or document.source is None or self.opening:
            return False
        self._next.begin(self._next.opener.reopen(document, *self._asked), keep_view=True)
        return True

    def open_reduced(self, factor: int) -> bool:
        """Open a copy of 1 / factor of the picture that is open, or of what that is a copy of; 1: that itself. Whether
        there is one."""
        document = self.document
        if document is None or document.picture is None:
            return False
        picture = document.picture.unreduced or document.picture
        name = Path(picture.path).name if picture.path else picture.name or document.name
        self._next.begin(
            self._next.opener.open_reduced(picture, name, factor, *self._asked, document.state)
        )
        return True

    def open_image(self, image: QImage | bytes) -> None:
        self._next.begin(self._next.opener.open_image(image, *self._asked))

    @property
    def _asked(self) -> tuple[str, Path | None]:
        """The method and the weights of what is opened: those that were chosen, also while others are looked at for
        comparison, which need not be there of the next picture."""
        lasting = self._held or self.choice
        return lasting.method, lasting.weights

    def set_choice(self, wanted: Choice) -> None:
        """Show pictures so from now on, the open one too; the view stays. By weights in a file only where that was read
        and found good before."""
        if wanted == self._held:
            return  # it is chosen already, and looked at again when the comparison ends
        held, self._held = self._held, None
        self._choose(wanted)
        if held is not None:
            self.compare_ended.emit()

    def _choose(self, wanted: Choice) -> None:
        if wanted == self.choice:
            return
        self.choice = wanted
        document = self.document
        if document is None or document.picture is None:
            return
        if document.choice.shows_as(wanted):
            document.shipped = wanted.shipped
            return
        self._remake(document)

    def retry(self) -> None:
        """Once more by the method that was asked for, where another one has taken its place."""
        if self.document is not None and self.document.fallback:
            self._remake(self.document)

    def _remake(self, document: Document) -> None:
        self.stop_building()
        self._compared.beside.hide()
        known = self._compared.shelf.exchange(document, self.choice)
        if known is not None:
            known.scene = known.scene.after(document.scene.revision)
        else:
            known = document.made_as(self.choice)
        self._replace(known)
        if self.document is not None and self.document.fallback:
            self.fell_back.emit(self.document.fallback)
        self.build()
        self._show_beside()
        self.changed.emit()

    # ---- comparing ----------------------------------------------------------------------------

    @property
    def compared(self) -> Choice:
        """What `compare` shows: the reference where there is one, else the method before."""
        return self._compared.choice(self.choice)

    @property
    def compared_title(self) -> str:
        return self._compared.title(self.choice)

    @property
    def split(self) -> bool:
        """Whether what the picture is compared with is to be shown beside it."""
        return self._compared.split

    @property
    def reference(self) -> OriginalDrawing | None:
        """What methods are held against: the original of a reduced copy, or a file that was chosen."""
        return None if self.document is None else self.document.reference

    def refer_to(self, picture: PictureSource | None, again: bool = False) -> None:
        """Hold what is shown of the open picture against another one of the same scene, of any size, in place of the
        method before; None: no longer. again: beside it or not, as the user had that of the picture before. Raises
        ImageError where it has another shape."""
        if self.document is None or self.document.picture is None:
            return
        reference = None
        if picture is not None:
            name = Path(picture.path).name if picture.path else picture.name
            reference = OriginalDrawing(picture, self.document.extent, name)
        self.end_compare()  # after which another document is shown
        self._compared.beside.hide()
        document = self.document
        for each in (document, self._compared.shelf.before):
            if each is not None:
                each.reference = reference
        self._compare_with_reference(document, again)
        self._show_beside()
        self.changed.emit()

    def _compare_with_reference(self, document: Document, again: bool) -> None:
        """Where it has one."""
        there = document.reference is not None
        self._compared.set_reference(document.made_by(ORIGINAL.name) if there else None, again)

    @property
    def comparing(self) -> bool:
        return self._held is not None

    def compare(self) -> bool:
        """Show the same view by the method before, until `end_compare`. Whether there is something to compare."""
        document = self.document
        if document is None or document.picture is None or self.covered or self._held is not None:
            return False
        held = self.choice
        self._choose(self.compared)
        self._held = held
        return True

    def end_compare(self) -> None:
        """Back to what `compare` took the place of; nothing where it did not."""
        held, self._held = self._held, None
        if held is not None:
            self._choose(held)
            self.compare_ended.emit()

    def set_split(self, on: bool) -> bool:
        """Show the picture by the method before left of a line, as long as this is on. Whether there is one for it."""
        self._compared.set_split(on)
        self._show_beside()
        document = self.document
        return not on or document is None or document.picture is not None

    def _show_beside(self) -> None:
        """What the document is compared with is shown beside it, if the view is split."""
        if self.document is None or self.covered:
            self._compared.beside.hide()
        else:
            self._compared.show(self.document, self.choice, self.pixel_sigma)

    def set_footprint(self, pixel_sigma: float | None) -> None:
        """See fields by that footprint of the pixels from now on; None: each by what it was made for."""
        if pixel_sigma == self.pixel_sigma:
            return
        self.pixel_sigma = pixel_sigma
        if self.document is not None:
            self._replace(self.document)
            self._show_beside()

    def set_tile_memory(self, budget: int | None) -> None:
        """Bytes that built tiles may take from now on; None: a quarter of the machine's memory."""
        if budget == self._compared.shelf.tile_memory:
            return
        self._compared.set_tile_memory(budget)
        document = self.document
        if document is not None:
            self._compared.shelf.limit_shown(document)
            self._take_tiles(document)
            self._look_again()

    def _replace(self, document: Document) -> None:
        self._compared.shelf.limit_shown(document)
        if document.scene.pixel_sigma != self.pixel_sigma:
            document.scene = document.scene.seen_by(self.pixel_sigma)
        self.document = document
        if not self.covered:
            self._show(document.scene)

    def _show(self, scene: Scene) -> None:
        """A field that is shown stays until there is something of the one that takes its place."""
        shown = self._canvas.scene
        field_shown = shown is not None and shown.shows_something
        same = shown is not None and shown.generation == scene.generation
        if field_shown and same and not scene.shows_something:
            return
        self._canvas.set_scene(scene)
        self.scene_shown.emit()

    def close_document(self) -> None:
        self.end_compare()
        self._compared.clear()
        self._next.abandon()
        self.stop_building()
        self._reader.stop()
        self.document = None
        self._next.give_way()
        self._canvas.set_scene(None)
        self.changed.emit()

    def build(self) -> None:
        """Start or go on building the field, and reading the picture where it is large; not while the next one is
        seen, which is to be there soon."""
        if self.document is None or self.covered:
            return
        if self.document.unread is not None:
            self._reader.start(self.document.unread, self._field_awaited)
        self._builder.start(self.document)

    def stop_building(self) -> None:
        self._builder.stop()

    def _field_awaited(self) -> bool:
        """Asked by the thread that reads."""
        document = self.document
        return self.building and document is not None and document.lacks_tiles

    def stop_reading(self) -> None:
        """Leave the views below 100 % with what is read of a large picture; `build` goes on with it."""
        self._reader.stop()

    @property
    def reading(self) -> bool:
        return self._reader.running

    @property
    def opening(self) -> bool:
        return self._next.opening is not None

    @property
    def covered(self) -> bool:
        """Whether a first look at the next picture is seen in the place of the document."""
        return self._next.covers

    @property
    def reloading(self) -> bool:
        """Whether what is being opened is what is open already."""
        opening = self._next.opening
        return opening is not None and opening.again

    @property
    def building(self) -> bool:
        return self._builder.running

    @property
    def building_beside(self) -> bool:
        """Whether the other side of the line that splits the view is being built."""
        return self._compared.beside.building

    def cancel_opening(self) -> None:
        """Forget what is being opened and show again what was."""
        self._next.cancel()

    def shutdown(self) -> None:
        """End the threads."""
        self._reader.stop()  # all are told first, so that they end side by side
        self._next.opener.close()
        self._compared.beside.shutdown()
        self._builder.close()
        self._reader.close()

    # ---- opening ------------------------------------------------------------------------------

    def _make_way(self) -> None:
        """For a first look at the next picture."""
        self.stop_building()
        self._compared.beside.hide()

    def _show_document(self, opening: Opening, document: Document) -> None:
        self.end_compare()
        self.stop_building()
        self._reader.stop()
        self._compared.clear()
        self._next.give_way()
        # What is known already is in the document's note; what turns up later is told.
        self._told_damage = "" if document.picture is None else document.picture.damage
        document.shipped = self.choice.shipped
        place = self._same_place(document) if opening.picture is not None else None
        self._compare_with_reference(document, opening.again)
        self._replace(document)
        if place is not None:
            self._canvas.set_view(self._canvas.view.centred_on(*place).aligned())
        self._next.finish()
        self.changed.emit()
        if opening.path is not None and not opening.again:
            self.opened_file.emit(opening.path)
        if document.fallback:
            self.fell_back.emit(document.fallback)
        wanted = self.choice
        asked = (opening.method, opening.weights) == (wanted.method, wanted.weights)
        if asked or document.choice.shows_as(wanted):
            self.build()
            self._show_beside()
        else:  # another method was chosen while the picture was read
            self._remake(document)

    def _same_place(self, document: Document) -> tuple[float, float, float] | None:
        """The middle of the view, in pixels of another copy of the picture, and the scale that shows as much of it;
        None where all of the picture is in view, as it will be."""
        view, before = self._canvas.view, self.document
        if before is None or view.follow is not None:
            return None
        # Not by the widths: a copy has no part of the last pixels where they fill none of its own.
        factor = before.factor / document.factor
        x, y = view.to_source(*view.centre)
        return x * factor, y * factor, view.scale / factor

    def _show_again(self, view: ViewState | None) -> None:
        """What was open, after a first look at what was to come in its place. view: as it was then."""
        if self.document is not None:
            self._show(self.document.scene)
            if view is not None:
                self._canvas.set_view(view)
            self.build()
            self._show_beside()
        self.changed.emit()

    # ---- reading ------------------------------------------------------------------------------

    def _take_levels(self, small: Frame | None) -> None:
        """small: an overview as far as they are read."""
        if self.document is None:
            return
        self.document.take_levels(small)
        if not self.covered:
            self._show(self.document.scene)
        self._compared.beside.take_levels()
        self._tell_damage()

    def _tell_damage(self) -> None:
        """Once: what is read later of the same file is grey for the same reason."""
        document = self.document
        if document is None or document.picture is None or self.covered:
            return
        damage = document.picture.damage
        if damage and not self._told_damage:
            self._told_damage = damage
            if document.picture.outdated:
                self.outdated.emit()
                return
            self.failed.emit(f"{document.name} is damaged", damage, None)

    # ---- building -----------------------------------------------------------------------------

    def _look(self) -> None:
        document = self.document
        if document is None or self.covered:
            return
        look_at_view(document, self._canvas)
        self._builder.wake()
        self._compared.beside.look()

    def _look_again(self) -> None:
        """Of the same view more tiles may be wanted: far out for marks than to be seen, and where there is more memory
        for them."""
        self._look()
        # The thread that has built all watches the view; where building was stopped there is none.
        if self._builder.watching:
            self.build()

    def _take_tiles(self, document: Document) -> None:
        if document is self.document and not self.covered and document.take_tiles():
            self._show(document.scene)
            self._compared.beside.rename()

    def _fell_back(self, document: Document, why: str) -> None:
        if document is self.document:
            self._take_tiles(document)
            self.changed.emit()
            self.fell_back.emit(why)

    def _build_failed(self, document: Document, message: str) -> None:
        if document is self.document:
            self.stop_building()  # its thread has ended, and watches no view
            self.failed.emit("The field was not built", message, None)
