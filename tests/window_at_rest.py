"""A window for probes, the programs of their own that tests start: it does one thing once its picture is there and all
is on screen."""

from __future__ import annotations

from PySide6.QtCore import QTimer

from viewer.ui.main_window import MainWindow


class WindowAtRest(MainWindow):
    def show(self) -> None:
        super().show()
        self._looks = QTimer(self)
        self._looks.timeout.connect(self._look)
        self._looks.start(20)

    def _look(self) -> None:
        if self.session.document is not None and self.is_idle():
            self._looks.stop()
            self.at_rest()

    def at_rest(self) -> None:
        raise NotImplementedError

    def quit(self) -> None:
        self.menus.actions["file.quit"].trigger()
