"""Asks what a comparison figure is to show: which methods, and at what scale."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from gaussian_core.errors import UserError
from gaussian_core.viewport import Region
from viewer.model.exports.comparison_export import ComparisonPlan, is_slow
from viewer.model.methods import Choice, method_named
from viewer.ui.dialogs.export_widgets import NO_SCALE, ScaleBox, file_buttons, one_line

NO_REFERENCE = "None (Field → Compare With → A Picture File)"
SLOW = "slow"
SPACING = 2  # pixels around each method

Preview = Callable[[ComparisonPlan], tuple[tuple[int, int], tuple[str, ...]]]
"""(width, height) of the figure and what there is to say of it. Raises UserError."""


class ComparisonDialog(QDialog):
    """`chosen` carries the plan. The window stays usable.

    choices: what there is to choose from. ticked: of them at first. region: that is shown. scale: of the view.
    reference: what there is of one, in words, "" for none. preview: of a plan.
    """

    chosen = Signal(object)

    def __init__(
        self,
        parent: QWidget,
        choices: Sequence[Choice],
        ticked: Sequence[Choice],
        region: Region,
        scale: float,
        reference: str,
        preview: Preview,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Export Comparison")
        self._choices, self._region, self._preview = tuple(choices), region, preview
        self.methods = QListWidget()
        self.methods.setAccessibleName("Methods")
        # Fusion draws the boxes in a darker shade of this, which on a dark ground nobody sees.
        colours = self.methods.palette()
        soft = colours.color(QPalette.ColorRole.PlaceholderText)
        colours.setColor(QPalette.ColorRole.Window, soft.lighter(130))
        self.methods.setPalette(colours)
        for choice in choices:
            self._add(choice, choice in ticked)
        # All of them are seen: a list that scrolls hides what is ticked.
        self.methods.setSpacing(SPACING)
        rows = sum(self.methods.sizeHintForRow(i) + 2 * SPACING for i in range(len(choices)))
        self.methods.setFixedHeight(rows + 2 * (SPACING + self.methods.frameWidth()))
        self.scale = ScaleBox(scale, scale)
        width, height = region[2:]
        self.size_label = QLabel()
        self.note_label = QLabel()
        for label in (self.size_label, self.note_label):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
        self.reference_label = one_line(reference or NO_REFERENCE)
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        form.addRow("Part", QLabel(f"What is in view, {width:,.0f} × {height:,.0f} pixels"))
        form.addRow("Scale", self.scale)
        form.addRow("Methods", self.methods)
        form.addRow("Reference", self.reference_label)
        form.addRow("Size", self.size_label)
        form.addRow("", self.note_label)
        self._form = form
        self.buttons = file_buttons(self._accept, self.reject)
        self._box = box = QVBoxLayout(self)
        box.setContentsMargins(20, 18, 20, 16)
        box.setSpacing(16)
        box.addLayout(form)
        box.addWidget(self.buttons)
        self.methods.itemChanged.connect(self._show_size)
        self.scale.currentTextChanged.connect(self._show_size)
        self._show_size()

    def plan(self) -> ComparisonPlan | None:
        """What is asked for; None while the scale is no scale or no method is ticked."""
        scale = self.scale.scale
        ticked = tuple(
            choice
            for row, choice in enumerate(self._choices)
            if self.methods.item(row).checkState() == Qt.CheckState.Checked
        )
        return ComparisonPlan(ticked, scale, self._region) if scale is not None and ticked else None

    def _add(self, choice: Choice, ticked: bool) -> None:
        text = f"{choice.title} ({SLOW})" if is_slow(choice) else choice.title
        item = QListWidgetItem(text, self.methods)
        item.setFlags(
            Qt.ItemFlag.ItemIsUserCheckable
            | Qt.ItemFlag.ItemIsEnabled
            | Qt.ItemFlag.ItemIsSelectable
        )
        item.setCheckState(Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked)
        item.setToolTip(str(choice.weights) if choice.weights else method_named(choice.method).tip)

    def _show_size(self) -> None:
        plan, wrong = self.plan(), ""
        notes: tuple[str, ...] = ()
        if plan is None:
            no_scale = self.scale.scale is None
            wrong = NO_SCALE if no_scale else "Tick a method"
        else:
            try:
                (width, height), notes = self._preview(plan)
            except UserError as error:
                wrong = str(error)
        role = QPalette.ColorRole.BrightText if wrong else QPalette.ColorRole.WindowText
        self.size_label.setText(wrong or f"{width:,} × {height:,} pixels")
        self.size_label.setForegroundRole(role)
        said = "; ".join(notes)
        self.note_label.setText(said[:1].upper() + said[1:])
        self._form.setRowVisible(self.note_label, bool(notes))
        self.buttons.button(QDialogButtonBox.StandardButton.Save).setEnabled(not wrong)
        self._fit_height()

    def _fit_height(self) -> None:
        """Make room for what is said, which takes more or fewer lines."""
        self._box.activate()
        width = max(self.width(), self._box.totalMinimumSize().width())
        self.resize(width, self._box.totalHeightForWidth(width))

    def _accept(self) -> None:
        plan = self.plan()
        if plan is not None:
            self.chosen.emit(plan)
            self.accept()
