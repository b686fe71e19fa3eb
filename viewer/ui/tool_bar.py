"""The tool bar: what is used most, beside the menus."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLabel, QSizePolicy, QSlider, QToolBar, QToolButton, QWidget

from viewer.model.settings import SIGMA_RANGE
from viewer.ui import icons
from viewer.ui.theme import Colours

STEPS_PER_SIGMA = 20
LAYOUT = (
    ("file.open",),
    ("zoom.out", "zoom.in", "zoom.fit", "zoom.to_100"),
    ("field.split",),
    ("overlay.centres", "overlay.ellipses", "overlay.drifts"),
)
WITH_TEXT = {
    "file.open": "Open",
    "field.split": "Split",
    "overlay.centres": "Centres",
    "overlay.ellipses": "Ellipses",
    "overlay.drifts": "Drifts",
}


class ToolBar(QToolBar):
    """Buttons of the table's actions, and the size of the ellipses as a slider."""

    sigma_changed = Signal(float)

    def __init__(self, parent: QWidget, actions: dict[str, QAction]) -> None:
        super().__init__("Tool Bar", parent)
        self.setObjectName("tool_bar")
        self.setMovable(False)
        self.setFloatable(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.setIconSize(QSize(20, 20))
        self._actions = actions
        for group in LAYOUT:
            for action_id in group:
                self._add(action_id)
            line = self.widgetForAction(self.addSeparator())
            # What is left over where not all has room would make broad bars of the lines.
            line.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._slider.setRange(
            round(SIGMA_RANGE[0] * STEPS_PER_SIGMA), round(SIGMA_RANGE[1] * STEPS_PER_SIGMA)
        )
        self._slider.setPageStep(STEPS_PER_SIGMA // 4)
        self._slider.setFixedWidth(110)
        self._slider.setToolTip("Size of the ellipses in standard deviations ([ and ])")
        self._slider.setAccessibleName("Size of the ellipses")
        self._slider.valueChanged.connect(self._slid)
        self._sigma = QLabel()
        self._sigma.setFixedWidth(self.fontMetrics().horizontalAdvance("0.00 σ") + 14)
        self._sigma.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.addWidget(self._slider)
        self.addWidget(self._sigma)
        self._add("overlay.choose_colour")
        gap = QWidget()
        gap.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.addWidget(gap)
        self._add("help.shortcuts")

    def show_sigma(self, sigma: float) -> None:
        self._sigma.setText(f"{sigma:.2f} σ")
        value = round(sigma * STEPS_PER_SIGMA)
        if self._slider.value() != value:
            blocked = self._slider.blockSignals(True)
            self._slider.setValue(value)
            self._slider.blockSignals(blocked)

    def set_colours(self, colours: Colours) -> None:
        """Redraw the icons for a theme."""
        for name in icons.NAMES:
            self._actions[name].setIcon(icons.icon(name, colours))
            # The menus stay plain: a few icons among many entries only look like a mistake.
            self._actions[name].setIconVisibleInMenu(False)
        # Qt's own is black, and on dark bars not to be seen.
        rest = self.findChild(QToolButton, "qt_toolbar_ext_button")
        if rest is not None:
            rest.setIcon(icons.icon(icons.MORE, colours))
            rest.setToolTip("More")
            rest.setAccessibleName("More")

    def _add(self, action_id: str) -> None:
        action = self._actions[action_id]
        self.addAction(action)
        button = self.widgetForAction(action)
        assert isinstance(button, QToolButton)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        if action_id in WITH_TEXT:
            action.setIconText(WITH_TEXT[action_id])
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)

    def _slid(self, value: int) -> None:
        sigma = value / STEPS_PER_SIGMA
        self._sigma.setText(f"{sigma:.2f} σ")
        self.sigma_changed.emit(sigma)
