"""The difference of the two methods that a split view shows, in its place."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from viewer.model.difference import TwoAs
from viewer.ui.canvas.canvas import Canvas
from viewer.ui.comparing import BRIEFLY, NOTHING
from viewer.ui.current_settings import CurrentSettings
from viewer.ui.files.session import Session

ABOUT = "difference"
CHOICES = "The methods and how much their difference is amplified are chosen in the Field menu"
FROM_AFAR = "Up to 100 % methods show the picture as it is: zoom in to see by how much they differ"


class Differing(QObject):
    """Needs both sides of a split view, and so splits one that is not: until it is switched off again."""

    changed = Signal()
    """Whether it is on, and with it whether the view is split."""
    said = Signal(str, float, str)
    """Something, for how many seconds it may be read, and what it is about."""
    forgotten = Signal(str)
    """What nothing is to be said about any more."""

    def __init__(
        self,
        session: Session,
        canvas: Canvas,
        settings: CurrentSettings,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._canvas, self._settings = session, canvas, settings
        self.on = False
        self._split_for_it = False
        self._had_reference = False  # then
        session.changed.connect(self.look)
        session.compare_ended.connect(self.look)
        settings.changed.connect(self.look)

    def switch(self, on: bool) -> None:
        self.on = on and self._begin()
        self.look()
        self.changed.emit()
        if self._canvas.differs:
            afar = self._canvas.target_view.scale <= 1.0 and self._session.reference is None
            self.said.emit(FROM_AFAR if afar else CHOICES, BRIEFLY, ABOUT)

    def follow_split(self) -> None:
        """Somebody has split the view, or does so no longer: then they want no difference of its sides either."""
        self._split_for_it = False
        self.look()

    def look(self) -> None:
        """Show it as it is to be shown now. While a method is looked at alone, by a key that is held, it is seen as it
        is."""
        split = self._session.split
        if self.on and not split:
            self.on = self._split_for_it = False
            self.changed.emit()
        elif split and self._split_for_it and not self.on and self._may_unsplit:
            self._split_for_it = False
            self._session.set_split(False)
            self.changed.emit()
        way = TwoAs.SIDES
        if self.on:
            way = TwoAs.RIGHT_ALONE if self._session.comparing else TwoAs.DIFFERENCE
        else:
            self.forgotten.emit(ABOUT)
        self._canvas.set_two_as(way, self._settings.now.gain)

    @property
    def _may_unsplit(self) -> bool:
        """A reference that came meanwhile is shown beside the picture, until it goes."""
        return self._had_reference or self._session.reference is None

    def _begin(self) -> bool:
        """Whether there are two methods now."""
        document = self._session.document
        if document is not None and document.picture is None:
            self.said.emit(NOTHING, BRIEFLY, "")
            return False
        if not self._session.split:
            self._session.set_split(True)
            self._split_for_it = True
            self._had_reference = self._session.reference is not None
        return True
