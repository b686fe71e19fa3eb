"""Back to where one has looked before, and forward again."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from viewer.model.view.view_history import ViewHistory
from viewer.model.view.view_state import ViewState
from viewer.ui.canvas.canvas import Canvas
from viewer.ui.files.session import Session

REST_MS = 1000
"""A view that stays for so long was looked at, and is worth to be found again."""


class ViewSteps(QObject):
    """Remembers the views of a canvas: where it rests, and what a command leads away from. A picture that keeps the
    view of the one before keeps these, too."""

    offered = Signal(bool, bool)
    """Whether one can go back, and forward."""

    def __init__(self, canvas: Canvas, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._canvas, self._session = canvas, session
        self._history = ViewHistory()
        self._generation = 0  # of the picture that it is of
        self._anew = False  # another one has come since, which is seen anew
        self._offer = (False, False)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(REST_MS)
        self._timer.timeout.connect(self._rest)
        canvas.view_changed.connect(self._view_changed)
        canvas.view_left.connect(self._leave)
        canvas.began_anew.connect(self._begin_anew)
        canvas.stepped.connect(self.step)
        session.changed.connect(self._look)

    def step(self, by: int) -> None:
        """-1: back, 1: forward, where there is something."""
        if self._anew:
            return
        now = self._canvas.target_view
        there = self._history.back(now) if by < 0 else self._history.forward(now)
        if there is not None:
            self._canvas.go_to(there)
            self._tell()

    def _view_changed(self) -> None:
        self._timer.start()
        self._tell()

    def _rest(self) -> None:
        self._leave(self._canvas.target_view)

    def _leave(self, view: ViewState) -> None:
        if len(self._history) and not self._anew:
            self._history.remember(view)
            self._tell()

    def _begin_anew(self) -> None:
        self._anew = True
        self._tell()

    def _look(self) -> None:
        """Another picture may be open, or the one before again, after another could not be."""
        document = self._session.document
        if document is None:
            self._generation = 0
            self._history.clear()
        elif document.scene.generation != self._generation:
            self._generation = document.scene.generation
            if self._anew or not len(self._history):
                self._history.begin(self._canvas.view)
        self._anew = False
        self._tell()

    def _tell(self) -> None:
        offer = (False, False)
        if not self._anew:
            now = self._canvas.target_view
            offer = self._history.can_go_back(now), self._history.can_go_forward(now)
        if offer != self._offer:
            self._offer = offer
            self.offered.emit(*offer)
