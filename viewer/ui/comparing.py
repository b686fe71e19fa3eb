"""The same view by another method: for as long as a key is held, or beside it."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from viewer.model.actions.keys import COMPARE_KEY, on_key
from viewer.model.status_text import BRIEFLY
from viewer.ui.canvas.canvas import Canvas
from viewer.ui.files.session import Session
from viewer.ui.status.waiting import Waiting

ABOUT, SPLIT, LINE = "held", "split", "line"
WHILE_HELD = 3600.0  # seconds
NOTHING = "A field file has no other method to be compared with"


class Comparing(QObject):
    """Says what is compared in a session, on its canvas."""

    said = Signal(str, float, str)
    """Something, for how many seconds it may be read, and what it is about."""
    forgotten = Signal(str)
    """What nothing is to be said about any more."""

    def __init__(
        self, session: Session, canvas: Canvas, waiting: Waiting, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session, self._canvas, self._waiting = session, canvas, waiting
        session.compare_ended.connect(lambda: self.forgotten.emit(ABOUT))
        canvas.frame_shown.connect(self.look)
        waiting.changed.connect(self.look)

    def hold(self) -> None:
        """Show the method before, until `let_go`."""
        if self._session.compare():
            self.look()
        elif self._session.document is not None and self._session.document.picture is None:
            self.said.emit(NOTHING, BRIEFLY, "")

    def let_go(self) -> None:
        self._session.end_compare()

    def look(self) -> None:
        """Say what is seen while the key is held, as soon as it is; until then what it is waited for says so."""
        document, waiting = self._session.document, self._waiting
        if not self._session.comparing or document is None:
            return
        if waiting.preparing or waiting.undrawn:
            return
        if self._canvas.scene == document.scene:
            self.said.emit(f"{document.title}, while {COMPARE_KEY} is held", WHILE_HELD, ABOUT)

    def name_other(self) -> None:
        """Another method was chosen: say what it can be compared with."""
        document = self._session.document
        if document is None or document.picture is None:
            return
        busy = self._session.building or self._waiting.undrawn  # which have more to say
        if not document.notes and not busy:
            title = self._session.compared_title
            self.said.emit(f"Hold {COMPARE_KEY} to see {title}", BRIEFLY, "")

    def split(self, on: bool) -> None:
        """Show two methods of the picture side by side, with a line between them."""
        self.forgotten.emit(SPLIT)
        if not self._session.set_split(on):
            self._session.set_split(False)
            self.said.emit(NOTHING, BRIEFLY, SPLIT)
        elif on and self._canvas.split:
            keys = f"{on_key('Ctrl')}+← and →"
            text = f"Drag the line, or press {keys}; the Field menu has the methods of both sides"
            self.said.emit(text, BRIEFLY, SPLIT)

    def move_line(self, step: float) -> None:
        """step: a share of the canvas's width, to the right."""
        self._canvas.move_line(step)
        self._tell_line()

    def recentre_line(self) -> None:
        self._canvas.recentre_line()
        self._tell_line()

    def _tell_line(self) -> None:
        """For those who do not see it."""
        share = 100 * self._canvas.line_share
        self.said.emit(f"The line is at {share:.0f} % of the width", 2.0, LINE)
