"""The application object, which the system asks to open files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QTimer
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication


class Application(QApplication):
    """macOS names no files on the command line: it sends an event for each, also before there is a window, and to the
    program that runs already.

    named: what the command line names, the program itself as well: macOS sends that, too, when the program begins, and
    who has read the command line opens it.
    """

    def __init__(self, arguments: Sequence[str] = (), named: Sequence[str] = ()) -> None:
        super().__init__(list(arguments))
        self._named = list(named)
        self._asked: list[Path] = []
        self._open: Callable[[list[Path]], object] | None = None

    def serve(self, open_files: Callable[[list[Path]], object]) -> None:
        """Hand over what is asked for from now on, and what was before; what was chosen together comes together."""
        self._open = open_files
        QTimer.singleShot(0, self._hand_over)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QFileOpenEvent) and event.url().isLocalFile():
            if event.file() in self._named:
                self._named.remove(event.file())  # from then on it is asked for
                return True
            self._asked.append(Path(event.url().toLocalFile()))
            QTimer.singleShot(0, self._hand_over)  # others may follow
            return True
        return super().event(event)

    def _hand_over(self) -> None:
        if self._open is not None and self._asked:
            asked, self._asked = self._asked, []
            self._open(asked)
