"""Dark and light: Fusion with palettes of our own, following the system until the user chooses.

Who has the system show strong contrasts gets them: in the system's own colours where these are strong, as those of
Windows' contrast themes are, else in two more palettes of ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QToolTip


@dataclass(frozen=True)
class Colours:
    """window: bars and dialogs. base: fields and lists. canvas: around the picture. line: hairlines. soft: text of
    lesser weight. accent: selection and what is switched on; on_accent: text on it. warn: what wants attention.
    strong: for strong contrasts, where edges are drawn by lines, not by shades."""

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
    strong: bool = False


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
STRONG_DARK = Colours(
    window="#000000",
    base="#000000",
    button="#000000",
    text="#ffffff",
    soft="#ffffff",
    line="#ffffff",
    canvas="#000000",
    accent="#5cc8ff",
    on_accent="#000000",
    warn="#ffe040",
    strong=True,
)
STRONG_LIGHT = Colours(
    window="#ffffff",
    base="#ffffff",
    button="#ffffff",
    text="#000000",
    soft="#000000",
    line="#000000",
    canvas="#ffffff",
    accent="#0030a0",
    on_accent="#ffffff",
    warn="#7a1400",
    strong=True,
)

PURE = 19.5
"""The contrast from which a palette is a strong one by itself: black with white or yellow."""
ENOUGH = 7.0
"""WCAG's enhanced contrast of text."""


def contrast(a: QColor, b: QColor) -> float:
    """WCAG's ratio of two colours, 1 to 21."""
    low, high = sorted((_luminance(a), _luminance(b)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: QColor) -> float:
    linear = [
        v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4
        for v in (colour.redF(), colour.greenF(), colour.blueF())
    ]
    return sum(w * v for w, v in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def strong_colours(system: QPalette, least: float) -> Colours | None:
    """The colours of a palette whose text stands out by `least` at least on all its grounds; None of another."""
    role = QPalette.ColorRole
    grounds = (
        (role.Window, role.WindowText),
        (role.Base, role.Text),
        (role.Button, role.ButtonText),
    )
    if any(contrast(system.color(a), system.color(b)) < least for a, b in grounds):
        return None
    window, text = system.color(role.Window), system.color(role.WindowText)
    accent, on_accent = system.color(role.Highlight), system.color(role.HighlightedText)
    if contrast(accent, on_accent) < 4.5 or contrast(accent, window) < 3:
        accent, on_accent = text, window
    warn = system.color(role.BrightText)
    return Colours(
        window=window.name(),
        base=system.color(role.Base).name(),
        button=system.color(role.Button).name(),
        text=text.name(),
        soft=text.name(),
        line=text.name(),
        canvas=window.name(),
        accent=accent.name(),
        on_accent=on_accent.name(),
        warn=(warn if contrast(warn, window) >= ENOUGH else text).name(),
        strong=True,
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
    faded.setAlpha(170 if colours.strong else 140)
    for name in (role.WindowText, role.Text, role.ButtonText, role.PlaceholderText):
        result.setColor(QPalette.ColorGroup.Disabled, name, faded)
    result.setColor(QPalette.ColorGroup.Disabled, role.HighlightedText, QColor(colours.soft))
    return result


def menu_palette(colours: Colours) -> QPalette:
    """For menus: Fusion draws the edges of their boxes for ticks in a darker shade of the window's colour, which is not
    to be seen on a dark ground. A box without a tick would be there in the chosen entry only."""
    result = palette(colours)
    result.setColor(QPalette.ColorRole.Window, QColor(colours.soft))
    return result


def style_sheet(colours: Colours) -> str:
    """The little that a palette cannot say."""
    return f"""
    * {{ dialogbuttonbox-buttons-have-icons: 0; }}
    QMenuBar {{ border-bottom: 1px solid {colours.line}; }}
    QMenu::separator {{ height: 1px; background: {colours.line}; margin: 3px 6px; }}
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
    """ + (_strong_edges(colours) if colours.strong else "")


def _strong_edges(colours: Colours) -> str:
    """Fusion draws the edges of what is on a black ground in black."""
    return f"""
    QToolTip {{ border: 1px solid {colours.line}; }}
    QToolButton:hover {{ border-color: {colours.line}; }}
    QToolButton:focus {{ border: 2px solid {colours.accent}; }}
    QPushButton {{ border: 1px solid {colours.line}; border-radius: 4px; padding: 4px 14px; background: {colours.button};
        color: {colours.text}; }}
    QPushButton:focus, QPushButton:default {{ border: 2px solid {colours.accent}; }}
    QPushButton:hover, QPushButton:pressed {{ background: {colours.accent}; color: {colours.on_accent}; }}
    QPushButton:disabled {{ border-style: dashed; }}
    QLineEdit, QComboBox, QAbstractItemView, QProgressBar {{ border: 1px solid {colours.line};
        background: {colours.base}; }}
    QComboBox QLineEdit {{ border: 0; }}
    QLineEdit:focus, QComboBox:focus {{ border: 2px solid {colours.accent}; }}
    QProgressBar::chunk {{ background: {colours.accent}; }}
    QSlider::groove:horizontal {{ height: 4px; background: {colours.base}; border: 1px solid {colours.line}; }}
    QSlider::handle:horizontal {{ width: 12px; margin: -6px 0; background: {colours.text}; border-radius: 3px; }}
    """


class Theme(QObject):
    """Which of the palettes is on. `changed` comes after the application has its new one.

    system: asks for the palette that the system would have, there to be replaced in tests.
    """

    changed = Signal()

    def __init__(
        self,
        app: QApplication,
        mode: str = "system",
        system: Callable[[], QPalette] | None = None,
    ) -> None:
        super().__init__()
        self._app = app
        self._ask_system = system or self._system_palette
        self._mode = mode
        self._applying = False
        # Kept: PySide takes what belongs to the hints away with them.
        self._hints = app.styleHints()
        self._contrast_wanted = False
        self._applied: Colours | None = None
        app.setStyle("Fusion")
        self._hints.colorSchemeChanged.connect(self.follow_system)
        if hasattr(self._hints, "accessibility"):  # Qt 6.10
            self._wishes = self._hints.accessibility()
            self._contrast_wanted = (
                self._wishes.contrastPreference() == Qt.ContrastPreference.HighContrast
            )
            self._wishes.contrastPreferenceChanged.connect(self._contrast_changed)
        self._system = self._ask_system()
        # Where the platform does not name its scheme, its own palette tells: not the application's, which may be ours.
        self._system_is_dark = _is_dark(self._system)
        self.set_mode(mode)

    @property
    def mode(self) -> str:
        """ "system", "dark" or "light"."""
        return self._mode

    @property
    def is_dark(self) -> bool:
        if self._mode != "system":
            return self._mode == "dark"
        scheme = self._hints.colorScheme()
        if scheme == Qt.ColorScheme.Unknown:
            return self._system_is_dark
        return scheme == Qt.ColorScheme.Dark

    @property
    def colours(self) -> Colours:
        if self._mode == "system":
            own = strong_colours(self._system, ENOUGH if self._contrast_wanted else PURE)
            if own is not None:
                return own
        if self._contrast_wanted:
            return STRONG_DARK if self.is_dark else STRONG_LIGHT
        return DARK if self.is_dark else LIGHT

    def set_mode(self, mode: str) -> None:
        self._mode = mode
        self._applying = True
        try:
            # Also tells the platform, so that title bars and native dialogs follow.
            if hasattr(self._hints, "unsetColorScheme"):
                if mode == "system":
                    self._hints.unsetColorScheme()
                else:
                    scheme = Qt.ColorScheme.Dark if mode == "dark" else Qt.ColorScheme.Light
                    self._hints.setColorScheme(scheme)
        finally:
            self._applying = False
        self._apply()

    def follow_system(self) -> None:
        """The system has changed its colours: a window is told so by QEvent.ThemeChange."""
        if self._applying:
            return
        self._applying = True
        try:
            self._system = self._ask_system()
        finally:
            self._applying = False
        self._system_is_dark = _is_dark(self._system)
        if self.colours != self._applied:
            self._apply()

    def _contrast_changed(self, wanted: Qt.ContrastPreference) -> None:
        self._contrast_wanted = wanted == Qt.ContrastPreference.HighContrast
        self.follow_system()

    def _system_palette(self) -> QPalette:
        """What the application has as long as it has set none of its own."""
        own = self._app.palette()
        self._app.setPalette(QPalette())
        system = QPalette(self._app.palette())
        self._app.setPalette(own)
        return system

    def _apply(self) -> None:
        colours = self._applied = self.colours
        own = palette(colours)
        self._app.setPalette(own)
        # PySide describes the name of a class as bytes, and takes only text.
        self._app.setPalette(menu_palette(colours), "QMenu")  # type: ignore[arg-type]
        self._app.setStyleSheet(style_sheet(colours))
        QToolTip.setPalette(own)
        self.changed.emit()


def _is_dark(colours: QPalette) -> bool:
    return colours.color(QPalette.ColorRole.Window).lightness() < 128
