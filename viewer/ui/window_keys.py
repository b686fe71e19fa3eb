"""Keys that are no shortcuts of Qt's: the one that is held to see the method before, and those by their place."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QAction, QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QDialog

from viewer.model.actions.keys import COMPARE_KEY
from viewer.ui.comparing import Comparing
from viewer.ui.latin_keys import latin_key, trigger_by_place
from viewer.ui.two_methods import TwoMethods

HELD = getattr(Qt.Key, f"Key_{COMPARE_KEY}")
REPEATED_WITHIN_MS = 50
"""After a release under X11, by when the key is pressed again where it is held: as it repeats, both are told, and Qt
knows them for a repetition only where both have come when it looks. On a busy machine they often have not."""


class WindowKeys(QObject):
    """For the window, which hands over what nothing in it took, and for dialogs beside it: see `serve`."""

    def __init__(self, comparing: Comparing, two_methods: TwoMethods, parent: QObject) -> None:
        super().__init__(parent)
        self._comparing, self._two_methods = comparing, two_methods
        self._let_go = QTimer(self)
        self._let_go.setSingleShot(True)
        self._let_go.setInterval(REPEATED_WITHIN_MS)
        self._let_go.timeout.connect(comparing.let_go)

    def serve(self, dialog: QDialog) -> None:
        """The same keys work in a dialog, as far as they stand for its actions."""
        dialog.installEventFilter(self)

    def pressed(self, event: QKeyEvent, actions: Iterable[QAction]) -> bool:
        """Whether it is one of these keys, and done."""
        if latin_key(event) != HELD or event.modifiers() != Qt.KeyboardModifier.NoModifier:
            return trigger_by_place(event, actions)
        repeated = event.isAutoRepeat() or self._let_go.isActive()
        self._let_go.stop()
        if not repeated:
            self._comparing.hold()
            self._two_methods.look()
        return True

    def released(self, event: QKeyEvent) -> bool:
        """As `pressed`."""
        if latin_key(event) != HELD:
            return False
        if event.isAutoRepeat():
            return True
        if QGuiApplication.platformName() == "xcb":
            self._let_go.start()
        else:
            self._comparing.let_go()
        return True

    def eventFilter(self, dialog: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and isinstance(dialog, QDialog):
            if event.type() == QEvent.Type.KeyPress:
                return self.pressed(event, dialog.actions())
            if event.type() == QEvent.Type.KeyRelease:
                return self.released(event)
        elif event.type() in (QEvent.Type.WindowDeactivate, QEvent.Type.Hide):
            self._comparing.let_go()  # the key is let go of elsewhere
        return False
