"""Asks what to export: how much of the picture, and at what scale."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from gaussian_core.viewport import Region
from viewer.model.exports.picture_export import MAX_SIDE, ExportPlan, bytes_text, export_size
from viewer.ui.dialogs.export_widgets import NO_SCALE, ScaleBox, file_buttons, one_line

TOO_LARGE = f"Choose a smaller scale: a side has at most {MAX_SIDE:,} pixels"


class ExportDialog(QDialog):
    """`chosen` carries the plan. The window stays usable.

    extent: (height, width) of the picture. in_view: what is seen of it. scale: of the view. before: what was chosen
    the last time, with which the dialog begins. method: what draws the file, which of a split view is one side, in
    words. pixel_bytes: what a pixel takes in a file that is not compressed.
    """

    chosen = Signal(object)

    def __init__(
        self,
        parent: QWidget,
        extent: tuple[int, int],
        in_view: Region,
        scale: float,
        before: ExportPlan | None = None,
        method: str = "",
        pixel_bytes: int = 3,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Export")
        self._extent = extent
        self._in_view = in_view
        self._pixel_bytes = pixel_bytes
        self.whole = QRadioButton("The whole picture")
        self.view = QRadioButton("What is in view")
        part = self.whole if before is None or before.region is None else self.view
        part.setChecked(True)
        self.scale = ScaleBox(scale, 4.0 if before is None else before.scale)
        self.size_label = QLabel()
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        form.addRow("Part", self.whole)
        form.addRow("", self.view)
        form.addRow("Scale", self.scale)
        form.addRow("Size", self.size_label)
        self.file_label = QLabel()
        form.addRow("File", self.file_label)
        self.method_label = one_line(method)
        form.addRow("Method", self.method_label)
        self.buttons = file_buttons(self._accept, self.reject)
        box = QVBoxLayout(self)
        box.setContentsMargins(20, 18, 20, 16)
        box.setSpacing(16)
        box.addLayout(form)
        box.addWidget(self.buttons)
        self.whole.toggled.connect(self._show_size)
        self.scale.currentTextChanged.connect(self._show_size)
        self._show_size()
        self.scale.setFocus()

    def plan(self) -> ExportPlan | None:
        """What is asked for; None while the scale is no scale or the result would have no size."""
        scale = self.scale.scale
        if scale is None:
            return None
        region = None if self.whole.isChecked() else self._in_view
        plan = ExportPlan(scale, region)
        return plan if export_size(self._extent, plan) is not None else None

    def _show_size(self) -> None:
        plan = self.plan()
        save = self.buttons.button(QDialogButtonBox.StandardButton.Save)
        save.setEnabled(plan is not None)
        size = None if plan is None else export_size(self._extent, plan)
        role = QPalette.ColorRole.WindowText
        if size is None:
            too_large = self.scale.scale is not None
            self.size_label.setText(TOO_LARGE if too_large else NO_SCALE)
            self.file_label.setText("")
            role = QPalette.ColorRole.BrightText
        else:
            width, height = size
            most = bytes_text(width * height * self._pixel_bytes)
            self.file_label.setText(f"up to about {most}, less where it compresses well")
            self.size_label.setText(f"{width:,} × {height:,} pixels ({_amount(width * height)})")
        self.size_label.setForegroundRole(role)

    def _accept(self) -> None:
        plan = self.plan()
        if plan is not None:
            self.chosen.emit(plan)
            self.accept()


def _amount(pixels: int) -> str:
    """In megapixels, in gigapixels from one on."""
    if pixels >= 1e9:
        return f"{pixels / 1e9:,.1f} gigapixels"
    megapixels = pixels / 1e6
    return f"{megapixels:,.1f} megapixels" if megapixels >= 0.1 else f"{megapixels:.1g} megapixels"
