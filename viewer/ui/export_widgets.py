"""What the dialogs of exports have in common: the scale, and the buttons."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QComboBox, QDialogButtonBox

from viewer.model.status_text import zoom_text

SCALES = (1.0, 2.0, 3.0, 4.0, 8.0)
NO_SCALE = "Type a scale such as 350%, 3.5x or 4"
"""Where what is typed is none."""


def scale_box(of_view: float, chosen: float) -> QComboBox:
    """To choose a scale, that of the view among them, or to type one (see parse_zoom). chosen: at first."""
    box = QComboBox()
    box.setEditable(True)
    box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
    box.addItems([zoom_text(s) for s in SCALES])
    current = zoom_text(of_view)
    if box.findText(current) < 0:
        box.addItem(current)
    box.setCurrentText(zoom_text(chosen))
    box.setAccessibleName("Scale")
    box.setToolTip('"350%", "3.5x", or a number; below 20 it is a factor')
    return box


def file_buttons(accept: Callable[[], object], reject: Callable[[], object]) -> QDialogButtonBox:
    """To go on to the file's name, or not."""
    buttons = QDialogButtonBox(
        QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel
    )
    buttons.button(QDialogButtonBox.StandardButton.Save).setText("Choose File...")
    buttons.accepted.connect(accept)
    buttons.rejected.connect(reject)
    return buttons
