"""Shortcuts are letters; keyboards of other scripts have them by their places."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication

from tests.window_helpers import open_and_wait, save_picture
from viewer.model.key_places import latin_at, latin_for

PLACES = {"C": 54, "E": 26, "D": 40, "M": 58, "N": 57, "G": 42, "S": 39, "X": 53, "Z": 52}
PLACES |= {"F": 41, "I": 31, "[": 34, "]": 35, "T": 28, "H": 43, "V": 55}
NONE, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier


def key(window, character, scan_code, down=True, modifiers=NONE, repeat=False, to=None):
    kind = QEvent.Type.KeyPress if down else QEvent.Type.KeyRelease
    event = QKeyEvent(
        kind, ord(character.upper()), modifiers, scan_code, 0, 0, character.lower(), repeat
    )
    QApplication.sendEvent(to or window.canvas, event)


@pytest.mark.parametrize("letters", ["суту", "ψεπε", "בקמק"], ids=["Cyrillic", "Greek", "Hebrew"])
def test_letters_of_other_scripts_do_what_stands_at_their_place(make_window, letters):
    window = make_window()
    centres, ellipses, overview, _ = letters
    key(window, centres, PLACES["C"])
    assert window.settings.centres
    key(window, ellipses, PLACES["E"])
    assert window.settings.ellipses
    key(window, overview, PLACES["N"])
    assert window.settings.minimap
    key(window, ellipses, PLACES["E"])
    assert not window.settings.ellipses


def test_every_letter_that_the_readme_names_is_found_by_its_place(make_window, qtbot, tmp_path):
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    before = window.settings
    for letter in "CEDNGV":
        key(window, "ж", PLACES[letter])
    s = window.settings
    assert s.centres and s.ellipses and s.drifts and s.minimap and s.pixel_grid
    assert s.pixel_values
    key(window, "х", PLACES["["])
    assert s.sigma > window.settings.sigma
    key(window, "ъ", PLACES["]"])
    assert window.settings.sigma == s.sigma
    key(window, "ы", PLACES["S"])
    assert window.canvas.split
    key(window, "ы", PLACES["S"])
    assert not window.canvas.split
    key(window, "ш", PLACES["I"])
    assert window.side_windows.card is not None and window.side_windows.card.isVisible()
    window.side_windows.card.close()
    key(window, "ь", PLACES["M"], modifiers=SHIFT)
    assert window.settings.method == "kernel" == before.method
    window.canvas.set_glide(0.0)
    window.canvas.zoom_to(8.0)
    key(window, "а", PLACES["F"])
    assert window.canvas.target_view.follow == "fit"
    key(window, "а", PLACES["F"], modifiers=SHIFT)
    assert window.canvas.target_view.follow == "fill"


def test_the_held_key_of_another_script_shows_the_method_before(make_window, qtbot, tmp_path):
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    key(window, "ч", PLACES["X"])
    assert window.session.comparing
    key(window, "ч", PLACES["X"], down=False, repeat=True)
    assert window.session.comparing
    key(window, "ч", PLACES["X"], down=False)
    assert not window.session.comparing


@pytest.mark.parametrize(
    ("name", "own", "letter"), [("card", "I", "ш"), ("distribution", "H", "р")]
)
def test_keys_do_the_same_in_the_windows_beside_it(make_window, qtbot, tmp_path, name, own, letter):
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    key(window, letter, PLACES[own])
    dialog = getattr(window.side_windows, name)
    inside = dialog.buttons if name == "card" else dialog.summary
    key(window, "с", PLACES["C"], to=inside)
    assert window.settings.centres
    for character, place in (("ч", PLACES["X"]), ("x", PLACES["X"])):
        key(window, character, place, to=inside)
        key(window, character, place, repeat=True, to=inside)
        assert window.session.comparing
        key(window, character, place, down=False, to=dialog)
        assert not window.session.comparing
    key(window, "ч", PLACES["X"], to=inside)
    QApplication.sendEvent(dialog, QEvent(QEvent.Type.WindowDeactivate))
    assert not window.session.comparing
    key(window, letter, PLACES[own], to=dialog)
    assert not dialog.isVisible()


def test_a_held_key_switches_once_by_its_place_too(make_window):
    window = make_window()
    key(window, "с", PLACES["C"])
    key(window, "с", PLACES["C"], repeat=True)
    key(window, "с", PLACES["C"], repeat=True)
    assert window.settings.centres


def test_letters_of_latin_keyboards_mean_themselves(make_window):
    window = make_window()
    key(window, "é", PLACES["C"])  # a letter of the layout, not of another script
    key(window, "ö", PLACES["E"])
    assert not window.settings.centres and not window.settings.ellipses


def test_what_is_typed_into_the_zoom_field_is_no_shortcut(make_window, qtbot, tmp_path):
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    window.status.zoom.begin_typing()
    event = QKeyEvent(QEvent.Type.KeyPress, ord("С"), NONE, PLACES["C"], 0, 0, "с")
    QApplication.sendEvent(window.status.zoom.lineEdit(), event)
    assert not window.settings.centres


def test_places_on_the_systems():
    for letter, scan_code in PLACES.items():
        assert latin_at("xcb", scan_code, 0) == latin_at("wayland", scan_code, 0) == letter
    for code, letter in ((8, "C"), (14, "E"), (7, "X"), (46, "M"), (6, "Z"), (33, "["), (34, "I")):
        assert latin_at("cocoa", 1, code) == letter
    assert latin_at("windows", 46, ord("C")) == "C"
    assert latin_at("windows", 26, 0xDB) == "["
    assert latin_at("xcb", 10, 0) == latin_at("cocoa", 1, 50) == latin_at("windows", 0, 0x31) == ""


def test_digits_of_other_scripts_are_digits():
    assert latin_for("۳", "xcb", 12, 0) == "3"
    assert latin_for("٣", "cocoa", 1, 20) == "3"
    assert latin_for("3", "xcb", 12, 0) == "3"
    assert latin_for("日", "xcb", 12, 0) == "日"  # at no letter's place
