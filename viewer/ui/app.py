"""Starts the viewer: the application, its window, and what is opened in it.

Nothing but Qt and NumPy is imported before the window is on screen: decoders, kernels and (with a learned method) torch
come in on threads afterwards.

The one exception is Windows, where torch's libraries fail to initialise once Qt's are loaded: for a method that needs
torch, and for a file of weights, it is imported before the first import of PySide6.
"""

from __future__ import annotations

import signal
import sys

from viewer.model.endings import endings
from viewer.model.methods import DEFAULT, SHIPPED
from viewer.model.settings import SettingsFile
from viewer.model.torch_import import load_before_qt

SWITCH_SECONDS = 0.001
"""The GUI thread gets the interpreter back from a busy worker within this time, not 5 ms: its handlers have 4."""


def _show_own_icon() -> None:
    """On Windows the task bar shows the icon of Python for all its programs unless they are told apart."""
    if sys.platform == "win32":
        import ctypes

        ctypes.windll.shell32.SetCurrentProcessExplicitAppUserModelID("gaussian-zoom")


def run(
    path: str | None,
    method: str | None = None,
    weights: str | None = None,
    compare: str | None = None,
) -> int:
    """Open the window with a picture or a field file (None: the sample) and return the exit code when it is closed.

    method: how fields are made from now on, as if chosen in the menu; None: as chosen last.
    weights: the name of shipped weights, from now on, as if chosen in the menu; or a file, this time.
    compare: a picture file that the picture is held against.
    """
    settings = SettingsFile()
    load_before_qt(method or (DEFAULT if weights else settings.load().method), weights)
    from PySide6.QtCore import QTimer
    from PySide6.QtGui import QGuiApplication, QIcon

    from gaussian_core.resource_files import resource_path
    from viewer.ui.application import Application
    from viewer.ui.main_window import MainWindow
    from viewer.ui.theme import Theme

    sys.setswitchinterval(SWITCH_SECONDS)
    _show_own_icon()
    app = Application(sys.argv[:1], sys.orig_argv[1:])
    app.setApplicationName("gaussian-zoom")
    QGuiApplication.setDesktopFileName("gaussian-zoom")
    app.setWindowIcon(QIcon(str(resource_path("icon.png"))))
    window = MainWindow(Theme(app), settings)
    if method is not None:
        window.choosing.use_method(method)
    if weights in SHIPPED:
        window.choosing.use_shipped(weights)
    elif weights is not None:
        window.choosing.open_weights(weights)
    # Reading begins before the window is mapped: the two go side by side.
    if path is None:
        window.intake.open_sample()
    else:
        window.open(path)
    app.serve(window.open_files)
    if compare is not None:
        window.reference.open(compare)
    window.show()
    # Python handles a signal only between two of its own instructions, which Qt's loop may not reach for long.
    ticks = QTimer()
    ticks.timeout.connect(lambda: None)
    ticks.start(200)
    before = {number: signal.signal(number, lambda *_: window.leave()) for number in endings()}
    try:
        code = app.exec()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    # What was copied is to outlive the program: Qt hands it to the system, or to what keeps the clipboard there, when
    # the application is taken apart, which a program that leaves at once never does.
    if _keeps_what_was_copied(app.clipboard().ownsClipboard(), window.copier.has_copied):
        app.shutdown()
    return code


def _keeps_what_was_copied(owned: bool, copied: bool) -> bool:
    """Whether the clipboard's content may still be with this program. owned: what Qt says, which on macOS is always
    that it is not, though it hands a picture over only when somebody pastes it. copied: whether a view was."""
    return owned or (copied and sys.platform == "darwin")
