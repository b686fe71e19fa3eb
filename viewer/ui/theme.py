"""Dark and light: Fusion with palettes of our own, following the system until the user chooses."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QToolTip


@dataclass(frozen=True)
class Colours:
    """window: bars and dialogs. base: fields and lists. canvas: around the picture. line: hairlines. soft: text of
    lesser weight. accent: selection and what is switched on; on_accent: text on it. warn: what wants attention."""

    window: str
    base: str
    button: str
    text: str
    soft: str
    line: str
    canvas: str
    accent: str
    on_accent: str
    warn: str


DARK = Colours(
    window="#232427",
    base="#18191b",
    button="#303236",
    text="#e4e5e8",
    soft="#a2a5ab",
    line="#3c3e43",
    canvas="#141416",
    accent="#3f7fd9",
    on_accent="#ffffff",
    warn="#f0b450",
)
LIGHT = Colours(
    window="#f3f4f6",
    base="#ffffff",
    button="#e6e8ec",
    text="#1c1e22",
    soft="#5b6068",
    line="#cfd2d8",
    canvas="#dcdee2",
    accent="#2f6fd0",
    on_accent="#ffffff",
    warn="#8a5000",
)


def palette(colours: Colours) -> QPalette:
    """Every role that Fusion uses, so that none is left from the system's palette."""
    role = QPalette.ColorRole
    result = QPalette()
    for name, colour in (
        (role.Window, colours.window),
        (role.WindowText, colours.text),
        (role.Base, colours.base),
        (role.AlternateBase, colours.window),
        (role.ToolTipBase, colours.button),
        (role.ToolTipText, colours.text),
        (role.Text, colours.text),
        (role.PlaceholderText, colours.soft),
        (role.Button, colours.button),
        (role.ButtonText, colours.text),
        (role.BrightText, colours.warn),
        (role.Light, QColor(colours.button).lighter(115).name()),
        (role.Midlight, QColor(colours.button).lighter(107).name()),
        (role.Mid, colours.line),
        (role.Dark, QColor(colours.line).darker(115).name()),
        (role.Shadow, "#000000"),
        (role.Highlight, colours.accent),
        (role.HighlightedText, colours.on_accent),
        (role.Accent, colours.accent),
        (role.Link, colours.accent),
        (role.LinkVisited, colours.accent),
    ):
        result.setColor(name, QColor(colour))
    faded = QColor(colours.soft)
    faded.setAlpha(140)
    for name in (role.WindowText, role.Text, role.ButtonText, role.PlaceholderText):
        result.setColor(QPalette.ColorGroup.Disabled, name, faded)
    result.setColor(QPalette.ColorGroup.Disabled, role.HighlightedText, QColor(colours.soft))
    return result


def style_sheet(colours: Colours) -> str:
    """The little that a palette cannot say."""
    return f"""
    QToolBar {{ border: 0; border-bottom: 1px solid {colours.line}; padding: 3px 6px; spacing: 3px; }}
    QToolBar::separator {{ background: {colours.line}; width: 1px; margin: 4px 5px; }}
    QToolButton {{ border: 1px solid transparent; border-radius: 5px; padding: 3px 6px; }}
    QToolButton#qt_toolbar_ext_button {{ padding: 0; }}
    QToolButton:hover {{ background: {colours.button}; }}
    QToolButton:pressed {{ background: {colours.line}; }}
    QToolButton:checked {{ background: {colours.accent}; color: {colours.on_accent}; }}
    QToolButton:focus {{ border-color: {colours.accent}; }}
    QStatusBar {{ border-top: 1px solid {colours.line}; }}
    QStatusBar::item {{ border: 0; }}
    QRadioButton::indicator {{ width: 12px; height: 12px; border: 1px solid {colours.soft}; border-radius: 7px;
        background: {colours.base}; }}
    QRadioButton::indicator:checked {{ border-color: {colours.accent}; background: qradialgradient(cx: 0.5, cy: 0.5,
        radius: 0.5, fx: 0.5, fy: 0.5, stop: 0.55 {colours.accent}, stop: 0.65 {colours.base}); }}
    QRadioButton::indicator:focus {{ border-color: {colours.accent}; }}
    """


class Theme(QObject):
    """Which of the two is on. `changed` comes after the application has its new palette."""

    changed = Signal()

    def __init__(self, app: QApplication, mode: str = "system") -> None:
        super().__init__()
        self._app = app
        # Where the platform does not name its scheme, its own palette tells.
        window = app.palette().color(QPalette.ColorRole.Window)
        self._system_is_dark = window.lightness() < 128
        self._mode = mode
        self._applying = False
        app.setStyle("Fusion")
        app.styleHints().colorSchemeChanged.connect(self._system_changed)
        self.set_mode(mode)

    @property
    def mode(self) -> str:
        """ "system", "dark" or "light"."""
        return self._mode

    @property
    def is_dark(self) -> bool:
        if self._mode != "system":
            return self._mode == "dark"
        scheme = self._app.styleHints().colorScheme()
        if scheme == Qt.ColorScheme.Unknown:
            return self._system_is_dark
        return scheme == Qt.ColorScheme.Dark

    @property
    def colours(self) -> Colours:
        return DARK if self.is_dark else LIGHT

    def set_mode(self, mode: str) -> None:
        self._mode = mode
        self._applying = True
        try:
            # Also tells the platform, so that title bars and native dialogs follow.
            hints = self._app.styleHints()
            if hasattr(hints, "unsetColorScheme"):
                if mode == "system":
                    hints.unsetColorScheme()
                else:
                    scheme = Qt.ColorScheme.Dark if mode == "dark" else Qt.ColorScheme.Light
                    hints.setColorScheme(scheme)
        finally:
            self._applying = False
        self._apply()

    def _system_changed(self) -> None:
        if not self._applying and self._mode == "system":
            self._apply()

    def _apply(self) -> None:
        colours = self.colours
        own = palette(colours)
        self._app.setPalette(own)
        self._app.setStyleSheet(style_sheet(colours))
        QToolTip.setPalette(own)
        self.changed.emit()
