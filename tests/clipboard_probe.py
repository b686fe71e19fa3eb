"""The viewer with a picture: it copies the view and ends. Run by test_view_copy.py.

python -m tests.clipboard_probe PICTURE
"""

from __future__ import annotations

from tests.window_at_rest import WindowAtRest
from viewer.cli import run_program
from viewer.ui import main_window


class Window(WindowAtRest):
    def at_rest(self) -> None:
        self.copier.said.connect(lambda text: self.quit())
        self.menus.actions["edit.copy"].trigger()


if __name__ == "__main__":
    main_window.MainWindow = Window
    run_program()
