"""Dark and light."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QIcon, QPalette

from viewer.ui import icons
from viewer.ui.theme import DARK, LIGHT, Theme, palette


def luminance(name: str) -> float:
    def linear(v: float) -> float:
        return v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4

    colour = QColor(name)
    r, g, b = (linear(v) for v in (colour.redF(), colour.greenF(), colour.blueF()))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(a: str, b: str) -> float:
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colours", [DARK, LIGHT], ids=["dark", "light"])
def test_text_is_legible(colours):
    """WCAG's ratio for text of ordinary size, 4.5, on everything that text stands on."""
    for ground in (colours.window, colours.base, colours.button):
        assert contrast(colours.text, ground) >= 7
        assert contrast(colours.soft, ground) >= 4.5
        assert contrast(colours.warn, ground) >= 4.5
    assert contrast(colours.on_accent, colours.accent) >= 3.9
    assert contrast(colours.soft, colours.canvas) >= 4.5


def test_a_chosen_theme_wins_and_says_so(qapp, qtbot):
    theme = Theme(qapp)
    for mode, colours in (("dark", DARK), ("light", LIGHT)):
        with qtbot.waitSignal(theme.changed):
            theme.set_mode(mode)
        assert theme.is_dark == (mode == "dark")
        assert theme.colours is colours
        window = qapp.palette().color(QPalette.ColorRole.Window)
        assert window == QColor(colours.window)
    theme.set_mode("system")
    assert theme.mode == "system"


def test_no_role_is_left_to_the_system():
    for colours in (DARK, LIGHT):
        own = palette(colours)
        text = own.color(QPalette.ColorRole.WindowText)
        assert text == own.color(QPalette.ColorRole.ButtonText) == QColor(colours.text)
        disabled = own.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Text)
        assert disabled != own.color(QPalette.ColorGroup.Active, QPalette.ColorRole.Text)


@pytest.mark.parametrize("name", icons.NAMES)
def test_icons_are_drawn_in_the_colour_of_their_state(qapp, name):
    icon = icons.icon(name, DARK)
    for state, colour in ((QIcon.State.Off, DARK.text), (QIcon.State.On, DARK.on_accent)):
        image = icon.pixmap(QSize(40, 40), QIcon.Mode.Normal, state).toImage()
        inked = [
            image.pixelColor(x, y)
            for x in range(image.width())
            for y in range(image.height())
            if image.pixelColor(x, y).alpha() > 200
        ]
        assert len(inked) > 10
        assert abs(inked[0].lightness() - QColor(colour).lightness()) < 8
