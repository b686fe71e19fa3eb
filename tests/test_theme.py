"""Dark and light."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPalette
from PySide6.QtWidgets import QApplication, QDialogButtonBox, QLineEdit, QMenu

from tests.canvas_helpers import screenshot
from viewer.model.settings import SettingsFile
from viewer.ui import icons
from viewer.ui.main_window import MainWindow
from viewer.ui.theme import DARK, LIGHT, STRONG_DARK, STRONG_LIGHT, Theme, contrast, palette


def ratio(a: str, b: str) -> float:
    return contrast(QColor(a), QColor(b))


@pytest.mark.parametrize("colours", [DARK, LIGHT], ids=["dark", "light"])
def test_text_is_legible(colours):
    """WCAG's ratio for text of ordinary size, 4.5, on everything that text stands on."""
    for ground in (colours.window, colours.base, colours.button):
        assert ratio(colours.text, ground) >= 7
        assert ratio(colours.soft, ground) >= 4.5
        assert ratio(colours.warn, ground) >= 4.5
    assert ratio(colours.on_accent, colours.accent) >= 3.9
    assert ratio(colours.soft, colours.canvas) >= 4.5


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


@pytest.mark.parametrize("colours", [DARK, LIGHT, STRONG_DARK, STRONG_LIGHT])
def test_the_box_of_an_unticked_entry_is_seen_in_a_menu(qapp, monkeypatch, qtbot, colours):
    """Else it would be there in the chosen entry only, as a dark square."""
    theme = Theme(qapp)
    monkeypatch.setattr(Theme, "colours", colours)
    theme.set_mode("dark")
    menu = QMenu()
    qtbot.addWidget(menu)
    entry = menu.addAction("Overview")
    entry.setCheckable(True)
    image = menu.grab().toImage()
    place = menu.actionGeometry(entry)
    ground = image.pixelColor(place.right() - 4, place.center().y())
    row = [image.pixelColor(x, place.center().y()) for x in range(place.left(), place.left() + 20)]
    assert max(contrast(ground, pixel) for pixel in row) >= 3
    monkeypatch.undo()
    theme.set_mode("system")


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


def test_contrast_is_wcags():
    assert ratio("#000000", "#ffffff") == pytest.approx(21)
    assert ratio("#ffffff", "#767676") == pytest.approx(4.54, abs=0.01)
    assert ratio("#ff0000", "#ff0000") == 1


@pytest.mark.parametrize("colours", [STRONG_DARK, STRONG_LIGHT], ids=["dark", "light"])
def test_strong_contrasts_are_strong(colours):
    for ground in (colours.window, colours.base, colours.button, colours.canvas):
        for ink in (colours.text, colours.soft, colours.line, colours.warn, colours.accent):
            assert ratio(ink, ground) >= 7
    assert ratio(colours.on_accent, colours.accent) >= 7


def a_palette(ground: str, ink: str, highlight: str, on_highlight: str) -> QPalette:
    role = QPalette.ColorRole
    result = QPalette()
    for roles, colour in (
        ((role.Window, role.Base, role.Button, role.AlternateBase), ground),
        ((role.WindowText, role.Text, role.ButtonText, role.BrightText), ink),
        ((role.Highlight,), highlight),
        ((role.HighlightedText,), on_highlight),
    ):
        for each in roles:
            result.setColor(each, QColor(colour))
    return result


PLAIN = a_palette("#efefef", "#202020", "#308cc6", "#ffffff")


class System:
    """A desktop whose colours are chosen."""

    def __init__(self) -> None:
        self.palette = PLAIN

    def __call__(self) -> QPalette:
        return self.palette


@pytest.fixture
def system(qapp):
    yield System()
    Theme(qapp)  # the tests that follow find the application as it was


def test_the_systems_contrast_theme_is_followed_while_running(qapp, qtbot, tmp_path, system):
    theme = Theme(qapp, system=system)
    window = MainWindow(theme, SettingsFile(tmp_path / "settings.json"))
    window.show()
    plain = theme.colours
    assert plain in (DARK, LIGHT)
    system.palette = a_palette("#000000", "#ffff00", "#1aebff", "#000000")
    QApplication.sendEvent(window.windowHandle(), QEvent(QEvent.Type.ThemeChange))
    assert theme.colours.strong
    assert (theme.colours.window, theme.colours.text) == ("#000000", "#ffff00")
    assert qapp.palette().color(QPalette.ColorRole.WindowText) == QColor("#ffff00")
    assert window.canvas._background == QColor("#000000")
    # An icon that is drawn anew, in the system's own colour.
    image = window.menus.actions["zoom.in"].icon().pixmap(QSize(40, 40)).toImage()
    assert any(image.pixelColor(x, y) == QColor("#ffff00") for x in range(40) for y in range(40))
    theme.set_mode("dark")  # who chooses one of ours has that
    assert theme.colours is DARK
    theme.set_mode("system")
    assert theme.colours.text == "#ffff00"
    system.palette = PLAIN
    QApplication.sendEvent(window.windowHandle(), QEvent(QEvent.Type.ThemeChange))
    assert theme.colours is plain
    window.leave()


def test_what_the_system_looks_like_is_not_told_by_our_own_colours(qapp, system):
    """Of a platform that names no scheme, as the test one: a window opened after another was painted dark."""
    Theme(qapp, "dark", system)
    assert Theme(qapp, "system", system).colours is LIGHT
    system.palette = a_palette("#202020", "#d0d0d0", "#308cc6", "#ffffff")
    Theme(qapp, "light", system)
    assert Theme(qapp, "system", system).colours is DARK


def test_a_wish_for_contrast_makes_dark_and_light_stronger(qapp, system):
    theme = Theme(qapp, system=system)
    if not hasattr(theme, "_wishes"):
        pytest.skip("this Qt does not tell what contrast the system is set to")
    system.palette = a_palette("#888888", "#777777", "#888888", "#888888")  # of no use
    told = []
    theme.changed.connect(lambda: told.append(theme.colours))
    theme.set_mode("dark")
    theme._wishes.contrastPreferenceChanged.emit(Qt.ContrastPreference.HighContrast)
    assert told[-1] is STRONG_DARK
    theme.set_mode("light")
    assert told[-1] is STRONG_LIGHT
    theme.set_mode("system")
    assert told[-1] in (STRONG_DARK, STRONG_LIGHT)
    # A theme of the system that is not as stark as black and white, but asked for.
    system.palette = a_palette("#202020", "#ffffff", "#8ee3f0", "#263b50")
    theme.follow_system()
    assert theme.colours.window == "#202020" and theme.colours.strong
    theme._wishes.contrastPreferenceChanged.emit(Qt.ContrastPreference.NoPreference)
    assert told[-1] in (DARK, LIGHT)


def test_an_ordinary_palette_of_the_system_is_none_of_strong_contrasts(qapp, system):
    for ground, ink in (("#efefef", "#000000"), ("#ffffff", "#24292f"), ("#1e1e1e", "#ffffff")):
        system.palette = a_palette(ground, ink, "#308cc6", "#ffffff")
        assert Theme(qapp, system=system).colours in (DARK, LIGHT)


def test_a_selection_that_cannot_be_told_apart_is_inverted(qapp, system):
    system.palette = a_palette("#000000", "#ffffff", "#000000", "#ffffff")
    colours = Theme(qapp, system=system).colours
    assert (colours.accent, colours.on_accent) == ("#ffffff", "#000000")


@pytest.mark.parametrize(("ground", "ink"), [("#000000", "#ffffff"), ("#ffffff", "#000000")])
def test_fields_have_edges_where_shades_are_not_to_be_had(qapp, qtbot, system, ground, ink):
    system.palette = a_palette(ground, ink, "#1aebff" if ground == "#000000" else "#37006e", ground)
    Theme(qapp, system=system)
    field = QLineEdit()
    qtbot.addWidget(field)
    field.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    field.resize(100, 30)
    field.show()
    edge = screenshot(field)[15, 0]
    assert tuple(edge) == QColor(ink).getRgb()[:3]


def test_buttons_of_dialogs_have_no_icons_of_another_style(qapp, qtbot):
    Theme(qapp)
    box = QDialogButtonBox(
        QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel
    )
    qtbot.addWidget(box)
    box.show()
    assert all(button.icon().isNull() for button in box.buttons())


def test_the_systems_colours_are_told_from_ours(qapp):
    theme = Theme(qapp, "dark")
    theme.follow_system()
    assert theme._system.color(QPalette.ColorRole.Window) != QColor(DARK.window)
    assert qapp.palette().color(QPalette.ColorRole.Window) == QColor(DARK.window)
    theme.set_mode("system")
