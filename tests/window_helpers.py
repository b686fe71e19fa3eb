"""A window with its settings in a temporary folder, for the tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QApplication

from viewer.model.settings import Settings, SettingsFile
from viewer.ui.main_window import MainWindow
from viewer.ui.theme import Theme

SIZE = (900, 600)
LONG = 170_000
"""Milliseconds in which a network or a fit has come to something on any machine, however busy; less than pytest's
faulthandler waits."""


class WindowMaker:
    """Makes windows and closes them after the test; the settings file survives in between."""

    def __init__(self, app: QApplication, folder: Path) -> None:
        self._theme: Theme | None = None
        self._app = app
        self.file = SettingsFile(folder / "settings.json")
        self.windows: list[MainWindow] = []

    def __call__(self, settings: Settings | None = None) -> MainWindow:
        """Fields by kernel interpolation unless the settings say otherwise: most tests are not about the field."""
        if settings is None and not self.file.path.exists():
            settings = Settings(method="kernel")
        if settings is not None:
            assert self.file.save(settings)
        QCursor.setPos(2, 2)  # not on the canvas, where a test before may have left it
        self._theme = self._theme or Theme(self._app)
        window = MainWindow(self._theme, self.file)
        window.resize(*SIZE)
        window.show()
        self.windows.append(window)
        return window

    def close(self) -> None:
        for window in self.windows:
            window.leave()


@contextmanager
def font_of(app: QApplication, points: int) -> Iterator[None]:
    """Texts are of this size meanwhile."""
    before = app.font()
    font = app.font()
    font.setPointSize(points)
    app.setFont(font)
    try:
        yield
    finally:
        app.setFont(before)


def keep_what_is_told(window: MainWindow, monkeypatch) -> list[tuple[str, str]]:
    """The titles and texts that the error box is given from now on, instead of showing them."""
    told: list[tuple[str, str]] = []
    monkeypatch.setattr(window.error_box, "tell", lambda title, text: told.append((title, text)))
    return told


def save_picture(path: Path, width: int = 64, height: int = 48, seed: int = 1) -> Path:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def open_and_wait(qtbot, window: MainWindow, path: Path, timeout: int = 60_000) -> None:
    window.open(path)
    wait_until_idle(qtbot, window, lambda: window.session.document is not None, timeout)


def wait_until_idle(
    qtbot, window: MainWindow, also: Callable[[], bool] = lambda: True, timeout: int = 60_000
) -> None:
    qtbot.waitUntil(lambda: also() and window.is_idle(), timeout=timeout)


def seen_at_800_percent(window, qtbot, folder):
    """The window with a picture of 160 x 120 pixels that covers its canvas."""
    open_and_wait(qtbot, window, save_picture(folder / "a.png", 160, 120))
    window.canvas.set_view(window.canvas.view.set_scale(8.0))
    wait_until_idle(qtbot, window)
    return window
