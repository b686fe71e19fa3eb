"""The key that opens a dialog closes it, too."""

from __future__ import annotations

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QDialog

from viewer.model.actions.table import action


def own_key(dialog: QDialog, name: str) -> QAction:
    """Closes a dialog by the keys of the action that opens it."""
    closing = QAction(dialog)
    closing.setShortcuts([QKeySequence(key) for key in action(name).keys])
    closing.triggered.connect(dialog.close)
    return closing
