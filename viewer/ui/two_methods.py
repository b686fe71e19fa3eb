"""How the two methods of a split view are seen: left and right of a line, as the canvas shows them anyway, in two
panes, or as their difference."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from viewer.model.difference import TwoAs
from viewer.model.status_text import BRIEFLY
from viewer.ui.canvas.canvas import Canvas
from viewer.ui.comparing import NOTHING
from viewer.ui.current_settings import CurrentSettings
from viewer.ui.files.session import Session

ABOUT = "two methods"
CHOICES = "The methods and how much their difference is amplified are chosen in the Field menu"
FROM_AFAR = "Up to 100 % methods show the picture as it is: zoom in to see by how much they differ"
BOTH_PANES = "Both panes show the same view; the Field menu has the methods of both"


class TwoMethods(QObject):
    """Two panes and the difference need both sides of a split view, and so split one that is not: until they are
    switched off again."""

    changed = Signal()
    """Which way is on, and with it whether the view is split."""
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
        self._way = TwoAs.SIDES
        self._split_for_it = False
        self._had_reference = False  # then
        session.changed.connect(self.look)
        session.compare_ended.connect(self.look)
        settings.changed.connect(self.look)

    @property
    def difference(self) -> bool:
        """Whether the difference is on."""
        return self._way is TwoAs.DIFFERENCE

    @property
    def panes(self) -> bool:
        """Whether two panes are on."""
        return self._way is TwoAs.PANES

    def switch_difference(self, on: bool) -> None:
        self._switch(TwoAs.DIFFERENCE if on else TwoAs.SIDES)
        if self._canvas.differs:
            afar = self._canvas.target_view.scale <= 1.0 and self._session.reference is None
            self.said.emit(FROM_AFAR if afar else CHOICES, BRIEFLY, ABOUT)

    def switch_panes(self, on: bool) -> None:
        self._switch(TwoAs.PANES if on else TwoAs.SIDES)
        if self._canvas.two_panes:
            self.said.emit(BOTH_PANES, BRIEFLY, ABOUT)

    def follow_split(self) -> None:
        """Somebody has split the view, or does so no longer: then they want it neither in panes nor subtracted."""
        self._split_for_it = False
        self.look()

    def look(self) -> None:
        """Show it as it is to be shown now. While a method is looked at alone, by a key that is held, it is seen as it
        is."""
        split = self._session.split
        if self._way is not TwoAs.SIDES and not split:
            self._way, self._split_for_it = TwoAs.SIDES, False
            self.changed.emit()
        elif split and self._split_for_it and self._way is TwoAs.SIDES and self._may_unsplit:
            self._split_for_it = False
            self._session.set_split(False)
            self.changed.emit()
        way = self._way
        if way is TwoAs.SIDES:
            self.forgotten.emit(ABOUT)
        elif way is TwoAs.DIFFERENCE and self._session.comparing:
            way = TwoAs.RIGHT_ALONE
        elif way is TwoAs.PANES and self._only_one:
            way = TwoAs.SIDES
        self._canvas.set_two_as(way, self._settings.now.gain)

    def _switch(self, way: TwoAs) -> None:
        self._way = way if way is TwoAs.SIDES or self._begin() else TwoAs.SIDES
        self.look()
        self.changed.emit()

    @property
    def _may_unsplit(self) -> bool:
        """A reference that came meanwhile is shown beside the picture, until it goes."""
        return self._had_reference or self._session.reference is None

    @property
    def _only_one(self) -> bool:
        """Whether what is open has no other method."""
        document = self._session.document
        return document is not None and document.picture is None

    def _begin(self) -> bool:
        """Whether there are two methods now."""
        if self._only_one:
            self.said.emit(NOTHING, BRIEFLY, "")
            return False
        if not self._session.split:
            self._session.set_split(True)
            self._split_for_it = True
            self._had_reference = self._session.reference is not None
        return True
