"""The viewer with a picture: it copies the view and ends. Run by test_view_copy.py.

python -m tests.clipboard_probe PICTURE
"""

from __future__ import annotations

from PySide6.QtCore import QTimer

from viewer.cli import run_program
from viewer.ui import main_window


class Window(main_window.MainWindow):
    def show(self) -> None:
        super().show()
        self.copier.said.connect(lambda text: self.menus.actions["file.quit"].trigger())
        self._looks = QTimer(self)
        self._looks.timeout.connect(self._look)
        self._looks.start(20)

    def _look(self) -> None:
        if self.session.document is not None and self.is_idle():
            self._looks.stop()
            self.menus.actions["edit.copy"].trigger()


if __name__ == "__main__":
    main_window.MainWindow = Window
    run_program()
