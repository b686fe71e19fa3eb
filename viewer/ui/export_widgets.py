"""What the dialogs of exports have in common: the scale, and the buttons."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QComboBox, QDialogButtonBox

from viewer.model.status_text import parse_zoom, scale_text

SCALES = (1.0, 2.0, 3.0, 4.0, 8.0)
NO_SCALE = "Type a scale such as 350%, 3.5x or 4"
"""Where what is typed is none."""


class ScaleBox(QComboBox):
    """To choose a scale, that of the view among them, or to type one (see parse_zoom). chosen: at first."""

    def __init__(self, of_view: float, chosen: float) -> None:
        super().__init__()
        self.setEditable(True)
        self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        # On Return Qt's own would take the first entry that begins so in the place of what is shown.
        self.setCompleter(None)  # type: ignore[arg-type]
        # A text has six digits at most; what was offered is meant as it is.
        self._exact = {scale_text(s): s for s in (*SCALES, of_view, chosen)}
        self.addItems(list(dict.fromkeys(scale_text(s) for s in (*SCALES, of_view))))
        self.setCurrentText(scale_text(chosen))
        self.setAccessibleName("Scale")
        self.setToolTip('"350%", "3.5x", or a number; below 20 it is a factor')

    @property
    def scale(self) -> float | None:
        """Output pixels per source pixel; None where what is typed is no scale."""
        text = self.currentText()
        return self._exact.get(text) or parse_zoom(text)


def file_buttons(accept: Callable[[], object], reject: Callable[[], object]) -> QDialogButtonBox:
    """To go on to the file's name, or not."""
    buttons = QDialogButtonBox(
        QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel
    )
    buttons.button(QDialogButtonBox.StandardButton.Save).setText("Choose File...")
    buttons.accepted.connect(accept)
    buttons.rejected.connect(reject)
    return buttons
