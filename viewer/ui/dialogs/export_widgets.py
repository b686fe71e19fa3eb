"""What the dialogs of exports have in common: the scale, and the buttons."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QDialogButtonBox, QLabel, QLineEdit, QWidget

from viewer.model.status_text import parse_zoom, scale_text

SCALES = (1.0, 2.0, 3.0, 4.0, 8.0)
NO_SCALE = "Type a scale such as 350%, 3.5x or 4"
"""Where what is typed is none."""
LINE = 52
"""Of a line, average characters."""


class ScaleBox(QComboBox):
    """To choose a scale, that of the view among them, or to type one (see parse_zoom). chosen: at first."""

    def __init__(self, of_view: float, chosen: float) -> None:
        super().__init__()
        edit = QLineEdit()
        self.setLineEdit(edit)
        self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        # On Return Qt's own would take the first entry that begins so in the place of what is shown.
        self.setCompleter(None)  # type: ignore[arg-type]
        # A text has six digits at most; what was offered is meant as it is.
        self._exact = {scale_text(s): s for s in (*SCALES, of_view, chosen)}
        self.addItems(list(dict.fromkeys(scale_text(s) for s in (*SCALES, of_view))))
        self.setCurrentText(scale_text(chosen))
        self.setMinimumWidth(line_of(self))
        # Of the two who listen hear the one that is typed into.
        for widget in (self, edit):
            widget.setAccessibleName("Scale")
        self.setToolTip('"350%", "3.5x", or a number; below 20 it is a factor')

    @property
    def scale(self) -> float | None:
        """Output pixels per source pixel; None where what is typed is no scale."""
        text = self.currentText()
        return self._exact.get(text) or parse_zoom(text)


def line_of(widget: QWidget) -> int:
    """How wide a line is, in its letters."""
    return LINE * widget.fontMetrics().averageCharWidth()


def one_line(text: str) -> QLabel:
    """A label of what has a file's name in it, of which a line shows the beginning and the end: all of it is read where
    the mouse rests, and by those who listen."""
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)
    middle = Qt.TextElideMode.ElideMiddle
    label.setText(label.fontMetrics().elidedText(text, middle, line_of(label)))
    if label.text() != text:
        label.setToolTip(text)
    label.setAccessibleName(text)
    return label


def file_buttons(accept: Callable[[], object], reject: Callable[[], object]) -> QDialogButtonBox:
    """To go on to the file's name, or not."""
    buttons = QDialogButtonBox(
        QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel
    )
    buttons.button(QDialogButtonBox.StandardButton.Save).setText("Choose File...")
    buttons.accepted.connect(accept)
    buttons.rejected.connect(reject)
    return buttons
