"""Memory of what is no longer open goes back to the system."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

from gaussian_core.machine.allocator import give_back_freed_blocks
from viewer.ui.workers.background import Worker

REST = 2000  # milliseconds


class SpareMemory(Worker):
    """Once after each time that something went, when nothing is under way: until then what is built next may use it.

    is_idle: whether nothing is.
    """

    def __init__(self, is_idle: Callable[[], bool], parent: QObject) -> None:
        super().__init__("spare memory", parent)
        self._is_idle = is_idle
        self._rest = QTimer(self, singleShot=True, interval=REST)
        self._rest.timeout.connect(self._look)

    def give_back(self) -> None:
        """Something has gone."""
        self._rest.start()

    def end(self) -> None:
        super().end()
        self._rest.stop()

    def _look(self) -> None:
        if self._is_idle():
            self._run(give_back_freed_blocks)
        else:
            self._rest.start()
