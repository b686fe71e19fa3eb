"""What is open in a window: reading it, building its field, showing it, and going back when that fails."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from viewer.model import torch_import
from viewer.model.documents.document import Document
from viewer.model.documents.original import OriginalDrawing
from viewer.model.documents.shelf import Shelf
from viewer.model.frames.frame import Frame
from viewer.model.frames.scene import Scene
from viewer.model.methods import DEFAULT, ORIGINAL, Choice
from viewer.model.view.view_state import ViewState
from viewer.ui.beside import Beside
from viewer.ui.canvas.canvas import Canvas
from viewer.ui.workers.build_worker import BuildWorker
from viewer.ui.workers.levels_worker import LevelsWorker
from viewer.ui.workers.open_worker import Opening, OpenWorker

if TYPE_CHECKING:
    from gaussian_core.imaging.picture import PictureSource

PLAIN = "bicubic"
"""What is compared with where no other method was chosen yet."""


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
        self._shelf = Shelf(self._look_at_view)
        # The document's reference: the original of a reduced copy, or a file that was chosen.
        self._original: Document | None = None
        self._held: Choice | None = None  # what is shown again when the comparison ends
        self._before: ViewState | None = None
        self._covered = False  # an overview of the next picture covers the document
        self._opening: Opening | None = None
        self._opener = OpenWorker(self)
        self._opener.overview_ready.connect(self._show_overview)
        self._opener.opened.connect(self._show_document)
        self._opener.failed.connect(self._go_back)
        self._builder = BuildWorker(self)
        self._builder.tiles_built.connect(self._tiles_built)
        self._builder.finished.connect(self._end_build)
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
        self._building = False
        self._framed = 0  # the generation that the newest frame shows
        self._held_back = False  # building begins with the next frame
        self._beside = Beside(canvas, self)
        self._beside.failed.connect(
            lambda text: self.failed.emit("The field was not built", text, None)
        )
        self._beside.fell_back.connect(self.fell_back)
        self.split = False
        self._split_before: bool | None = None  # what it was before there was a reference
        self._split_by_reference = True  # while there was one of this series of pictures
        canvas.view_changed.connect(self._look)
        canvas.marking_changed.connect(self._look_again)
        canvas.frame_shown.connect(self._frame_shown)
        canvas.failed.connect(self._start_building)

    # ---- commands -----------------------------------------------------------------------------

    def open(self, path: str | os.PathLike[str], keep_view: bool = False) -> None:
        """keep_view: look at the same place of it, if it is of the same size as what is open."""
        self._begin(self._opener.open(path, *self._asked), keep_view)

    def reload(self) -> bool:
        """Read the open file again, to be seen as it is now: from the same place where it is of the same size, by the
        same methods. What is open stays until that is done. Whether there is a file to read."""
        document = self.document
        if document is None or document.source is None or self.opening:
            return False
        self._begin(self._opener.reopen(document, *self._asked), keep_view=True)
        return True

    def open_reduced(self, factor: int) -> bool:
        """Open a copy of 1 / factor of the picture that is open, or of what that is a copy of; 1: that itself. Whether
        there is one."""
        document = self.document
        if document is None or document.picture is None:
            return False
        picture = document.picture.unreduced or document.picture
        name = Path(picture.path).name if picture.path else picture.name or document.name
        self._begin(self._opener.open_reduced(picture, name, factor, *self._asked, document.state))
        return True

    def open_image(self, image: QImage | bytes) -> None:
        self._begin(self._opener.open_image(image, *self._asked))

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
        self._beside.hide()
        known = self._shelf.exchange(document, self.choice)
        if known is not None:
            known.scene = known.scene.after(document.scene.revision)
        else:
            known = _made_by(document, self.choice)
        self._replace(known)
        if self.document is not None and self.document.fallback:
            self.fell_back.emit(self.document.fallback)
        self.build()
        self._show_beside()
        self.changed.emit()

    # ---- comparing ----------------------------------------------------------------------------

    @property
    def compared(self) -> Choice:
        """What `compare` shows: the reference where there is one, else the method before, also that of the picture
        before, at first bicubic interpolation, or for that the learned field."""
        if self._original is not None:
            return self._original.choice
        if self._shelf.before is not None:
            return self._shelf.before.choice
        last, choice = self._shelf.last, self.choice
        if last is not None and not last.shows_as(choice):
            return last
        return Choice(DEFAULT if choice.method == PLAIN else PLAIN, choice.shipped)

    @property
    def compared_title(self) -> str:
        return self.compared.title if self._original is None else self._original.title

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
        self._beside.hide()
        document = self.document
        for each in (document, self._shelf.before):
            if each is not None:
                each.reference = reference
        self._original = None if reference is None else document.made_by(ORIGINAL.name)
        self._follow_reference(again)
        self._show_beside()
        self.changed.emit()

    def _follow_reference(self, again: bool) -> None:
        """A reference is shown beside the picture, which a user may end; without one the view is split as before."""
        if self._original is None:
            if self._split_before is not None:
                self.split, self._split_before = self._split_before, None
            return
        if self._split_before is None:
            self._split_before = self.split
        if not again:
            self._split_by_reference = True
            self._canvas.recentre_line()
        self.split = self._split_by_reference

    @property
    def comparing(self) -> bool:
        return self._held is not None

    def compare(self) -> bool:
        """Show the same view by the method before, until `end_compare`. Whether there is something to compare."""
        document = self.document
        if document is None or document.picture is None or self._covered or self._held is not None:
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
        self.split, self._split_before = on, None
        if self._original is not None:
            self._split_by_reference = on
        self._show_beside()
        document = self.document
        return not on or document is None or document.picture is not None

    def _show_beside(self) -> None:
        """What the document is compared with is shown beside it: the reference, else what is on the shelf, or what
        comes there first."""
        document = self.document
        if not self.split or document is None or document.picture is None or self._covered:
            self._beside.hide()
            return
        left = self._original or self._shelf.before
        if left is None:
            left = _made_by(document, self.compared)
            self._shelf.put(left)
            self._shelf.limit_shown(document)
        if left.scene.pixel_sigma != self.pixel_sigma:
            left.scene = left.scene.seen_by(self.pixel_sigma)
        self._beside.show(left, document, measured=self._original is not None)

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
        if budget == self._shelf.tile_memory:
            return
        self._shelf.tile_memory = budget
        for kept in self._shelf.kept:
            self._shelf.limit(kept)
        self._beside.take_tiles()
        for kept in self._shelf.kept:
            kept.take_tiles()
        document = self.document
        if document is not None:
            self._shelf.limit_shown(document)
            self._take_tiles(document)
            self._look_again()

    def _replace(self, document: Document) -> None:
        self._shelf.limit_shown(document)
        if document.scene.pixel_sigma != self.pixel_sigma:
            document.scene = document.scene.seen_by(self.pixel_sigma)
        self.document = document
        if not self._covered:
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
        self._beside.hide()
        self._shelf.clear()
        self._original = None
        self._opener.abandon()
        self._finish_opening()
        self.stop_building()
        self._reader.stop()
        self.document = None
        self._covered = False
        self._canvas.set_scene(None)
        self.changed.emit()

    def build(self) -> None:
        """Start or go on building the field, and reading the picture where it is large; not while the next one is
        seen, which is to be there soon."""
        if self._covered:
            return
        self._read()
        if self.document is None or not self.document.buildable or self._building:
            return
        self._look_at_view(self.document)
        # What is complete is only watched, in case another view wants what there was no room for.
        if not self.document.complete:
            self._building = True
            self.build_progress.emit()
        # Torch takes more than a second, in which other threads get on badly: the picture comes first.
        self._held_back = (
            self.document.needs_torch
            and not torch_import.is_loaded()
            and self._framed != self.document.scene.generation
        )
        if not self._held_back:
            self._builder.start(self.document)

    def _frame_shown(self, frame: Frame) -> None:
        self._framed = frame.generation
        self._tell_damage()
        if self.document is not None and self.document.scene.generation == frame.generation:
            self._start_building()

    def _start_building(self) -> None:
        if self._held_back and self.document is not None:
            self._held_back = False
            self._builder.start(self.document)

    def stop_building(self) -> None:
        self._held_back = False
        self._builder.stop()
        if self._building:
            self._building = False
            self.build_ended.emit()

    def _read(self) -> None:
        if self.document is not None and self.document.unread is not None:
            self._reader.start(self.document.unread, self._field_awaited)

    def _field_awaited(self) -> bool:
        """Asked by the thread that reads."""
        document = self.document
        return self._building and document is not None and document.lacks_tiles

    def stop_reading(self) -> None:
        """Leave the views below 100 % with what is read of a large picture; `build` goes on with it."""
        self._reader.stop()

    @property
    def reading(self) -> bool:
        return self._reader.running

    @property
    def opening(self) -> bool:
        return self._opening is not None

    @property
    def covered(self) -> bool:
        """Whether a first look at the next picture is seen in the place of the document."""
        return self._covered

    @property
    def reloading(self) -> bool:
        """Whether what is being opened is what is open already."""
        return self._opening is not None and self._opening.again

    @property
    def building(self) -> bool:
        return self._building

    @property
    def building_beside(self) -> bool:
        """Whether the other side of the line that splits the view is being built."""
        return self._beside.building

    def cancel_opening(self) -> None:
        """Forget what is being opened and show again what was."""
        if self._opening is not None:
            again = self._opening.again
            self._opener.abandon()
            self._restore()
            self._finish_opening()
            if again:
                self.not_reloaded.emit()

    def shutdown(self) -> None:
        """End the threads."""
        self._reader.stop()  # all are told first, so that they end side by side
        self._opener.close()
        self._beside.shutdown()
        self._builder.close()
        self._reader.close()

    # ---- opening ------------------------------------------------------------------------------

    def _begin(self, opening: Opening, keep_view: bool = False) -> None:
        self._opening = opening
        self._canvas.keep_view_next(keep_view)
        self.opening_began.emit(opening.name)

    def _finish_opening(self) -> None:
        if self._opening is not None:
            self._opening = None
            self.opening_ended.emit()

    def _show_overview(self, opening: Opening, image: QImage, width: int, height: int) -> None:
        if not self._opener.is_current(opening):
            return
        if not self._covered:
            self._before = self._canvas.view
            self._covered = True
        self.stop_building()
        self._beside.hide()
        self._canvas.set_overview(image, (width, height))
        self.covered_now.emit()

    def _show_document(self, opening: Opening, document: Document) -> None:
        if not self._opener.is_current(opening):
            return
        self.end_compare()
        self.stop_building()
        self._reader.stop()
        self._beside.hide()
        self._shelf.clear()
        self._covered = False
        self._before = None
        # What is known already is in the document's note; what turns up later is told.
        self._told_damage = "" if document.picture is None else document.picture.damage
        document.shipped = self.choice.shipped
        self._original = None
        place = self._same_place(document) if opening.picture is not None else None
        if document.reference is not None:
            self._original = document.made_by(ORIGINAL.name)
        self._follow_reference(opening.again)
        self._replace(document)
        if place is not None:
            self._canvas.set_view(self._canvas.view.centred_on(*place).aligned())
        self._finish_opening()
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

    def _go_back(self, opening: Opening, message: str) -> None:
        if not self._opener.is_current(opening):
            return
        self._restore()
        self._finish_opening()
        if opening.again:
            still = f"{message} What was read of it before is still shown."
            self.failed.emit(f"{opening.name} was not read again", still, None)
            self.not_reloaded.emit()
        else:
            self.failed.emit(f"{opening.name} was not opened", message, opening.path)

    def _restore(self) -> None:
        if not self._covered:
            return
        self._covered = False
        self._canvas.set_scene(None)
        if self.document is not None:
            self._show(self.document.scene)
            if self._before is not None:
                self._canvas.set_view(self._before)
            self.build()
            self._show_beside()
        self._before = None
        self.changed.emit()

    # ---- reading ------------------------------------------------------------------------------

    def _take_levels(self, small: Frame | None) -> None:
        """small: an overview as far as they are read."""
        if self.document is None:
            return
        self.document.take_levels(small)
        if not self._covered:
            self._show(self.document.scene)
        self._beside.take_levels()
        self._tell_damage()

    def _tell_damage(self) -> None:
        """Once: what is read later of the same file is grey for the same reason."""
        document = self.document
        if document is None or document.picture is None or self._covered:
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
        if document is None or self._covered:
            return
        self._look_at_view(document)
        self._builder.wake()
        self._beside.look()
        if self._building:
            self.build_progress.emit()

    def _look_again(self) -> None:
        """Of the same view more tiles may be wanted: far out for marks than to be seen, and where there is more memory
        for them."""
        self._look()
        # The thread that has built all watches the view; where building was stopped there is none.
        if self._builder.running and not self._building:
            self.build()

    def _look_at_view(self, document: Document) -> None:
        view = self._canvas.view
        document.look_at(view.source_rect, view.scale, self._canvas.overlays.any)

    def _tiles_built(self, document: Document) -> None:
        self._take_tiles(document)
        if document is self.document and self._building:
            self.build_progress.emit()

    def _take_tiles(self, document: Document) -> None:
        if document is self.document and not self._covered and document.take_tiles():
            self._show(document.scene)
            self._beside.rename()

    def _fell_back(self, document: Document, why: str) -> None:
        if document is self.document:
            self._take_tiles(document)
            self.changed.emit()
            self.fell_back.emit(why)

    def _end_build(self, document: Document) -> None:
        # The thread goes on to watch the view; to the user the work is done.
        if document is self.document and self._building:
            self._building = False
            self.build_ended.emit()

    def _build_failed(self, document: Document, message: str) -> None:
        if document is self.document:
            self.stop_building()  # its thread has ended, and watches no view
            self.failed.emit("The field was not built", message, None)


def _made_by(document: Document, choice: Choice) -> Document:
    made = document.made_by(choice.method, choice.weights)
    made.shipped = choice.shipped
    return made
