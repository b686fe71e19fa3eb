"""What every test runs under."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from functools import partialmethod

# No test needs a screen, and a window that takes the focus would disturb whoever runs them. Set before Qt is imported.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# As gaussian_core has it, which most tests import after torch: too late. Threads that wait for work would keep cores of
# the tests beside theirs busy, which took three times as long where torch computes.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import hypothesis
import pytest
from PySide6.QtCore import QEvent
from pytestqt.qtbot import QtBot

# Tests run side by side, on machines that do other work too: how long an example takes tells nothing.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")


COLLECT_EVERY = 10  # tests


@pytest.fixture(scope="session", autouse=True)
def _equal_threads() -> Iterator[None]:
    """Where the machine is busy a thread of the lowest priority has nothing of it for minutes, and a test that waits
    for what it builds gives up. How threads give way is tested by test_parallel."""
    with pytest.MonkeyPatch.context() as patch:
        if hasattr(os, "setpriority"):
            patch.setattr(os, "setpriority", lambda which, who, priority: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def _kernels(_equal_threads: None) -> None:
    """Compile and load once, before the first test: none of them is to time out because of it."""
    from gaussian_core import rasterizer
    from gaussian_core.kernel_compiler import compile_apart
    from viewer.model.overlays import overlay_kernels

    rasterizer.warm_up()
    compile_apart(overlay_kernels.MODULE)


class PatientBot(QtBot):
    """Waits a minute unless a test says otherwise: pytest-qt's own five seconds pass where the machine is busy."""

    waitActive = partialmethod(QtBot.waitActive, timeout=60_000)
    waitExposed = partialmethod(QtBot.waitExposed, timeout=60_000)
    waitSignal = partialmethod(QtBot.waitSignal, timeout=60_000)
    waitUntil = partialmethod(QtBot.waitUntil, timeout=60_000)


@pytest.fixture(scope="session")
def qapp_cls():
    from viewer.ui.application import Application

    return Application


@pytest.fixture
def qtbot(qapp, request):
    return PatientBot(request)


class Garbage:
    """What the tests have left, collected between them and not while one runs, where it could be in one of our threads,
    or while Qt holds a lock that a window which goes waits for."""

    def __init__(self) -> None:
        self._ended = 0  # tests
        self._modules = 0

    def test_ended(self) -> None:
        self._ended += 1
        if self._ended % COLLECT_EVERY:
            return
        gc.collect()
        # What torch and others keep for as long as they are loaded takes half a second to look at: once is enough.
        if len(sys.modules) > self._modules:
            self._modules = len(sys.modules)
            gc.freeze()


@pytest.fixture(scope="session")
def _garbage() -> Iterator[Garbage]:
    gc.disable()
    yield Garbage()
    gc.unfreeze()
    gc.enable()


@pytest.fixture(autouse=True)
def _no_garbage_is_collected_within_a_test(_garbage: Garbage) -> Iterator[None]:
    """Set up first, and so ended last."""
    yield
    _garbage.test_ended()


@pytest.fixture(autouse=True)
def _no_windows_left():
    """Each window that is left is painted anew with every theme and style sheet of the tests after it."""
    yield
    widgets = sys.modules.get("PySide6.QtWidgets")
    app = widgets and widgets.QApplication.instance()
    if app is not None:
        for widget in app.topLevelWidgets():
            # What was never shown belongs to somebody: plots make menus of their own.
            if widget.parent() is None and (
                isinstance(widget, widgets.QMainWindow) or widget.isVisible()
            ):
                widget.close()
                widget.deleteLater()
        app.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def make_window(qapp, tmp_path):
    """Makes windows, which are closed after the test (see WindowMaker)."""
    from tests.window_helpers import WindowMaker

    maker = WindowMaker(qapp, tmp_path)
    yield maker
    maker.close()
