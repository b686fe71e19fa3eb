"""What an empty canvas says."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from viewer.model.actions.table import action
from viewer.ui.theme import Colours


class Welcome(QLabel):
    """In the middle of a canvas, whose mouse events go through it."""

    def __init__(self, canvas: QWidget) -> None:
        keys = QKeySequence(action("file.open").keys[0])
        native = keys.toString(QKeySequence.SequenceFormat.NativeText)
        super().__init__(f"Drop a picture here, or press {native} to open one")
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setWordWrap(True)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        font = self.font()
        font.setPointSizeF(font.pointSizeF() * 1.3)
        self.setFont(font)
        layout = QVBoxLayout(canvas)
        layout.addWidget(self)

    def set_colours(self, colours: Colours) -> None:
        self.setStyleSheet(f"color: {colours.soft}")
