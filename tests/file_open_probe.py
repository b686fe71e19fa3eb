"""The viewer, asked by the system to open a file before its window is there. It prints what is open at last and ends.
Run by test_file_open_events.py.

PICTURE=... python -m tests.file_open_probe
"""

from __future__ import annotations

import os

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QFileOpenEvent

from tests.window_at_rest import WindowAtRest
from viewer.cli import run_program
from viewer.ui import application, main_window


class Application(application.Application):
    def __init__(self, *arguments) -> None:
        super().__init__(*arguments)
        QCoreApplication.sendEvent(self, QFileOpenEvent(os.environ["PICTURE"]))


class Window(WindowAtRest):
    def at_rest(self) -> None:
        print(self.session.document.name)
        self.quit()


if __name__ == "__main__":
    application.Application = Application
    main_window.MainWindow = Window
    run_program()
