"""The table of actions, and the menus and shortcuts made from it."""

from __future__ import annotations

import runpy
import sys
from collections import Counter

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QApplication

from viewer.model.actions import view_menu
from viewer.model.actions.keys import on_key
from viewer.model.actions.table import ACTIONS, MENUS, action
from viewer.ui.handlers import handlers


def test_ids_and_keys_are_used_once():
    assert max(Counter(s.id for s in ACTIONS).values()) == 1
    assert max(Counter(k for s in ACTIONS for k in s.keys).values()) == 1


def test_every_action_has_a_menu_of_the_bar():
    assert all(s.menu and s.menu[0] in MENUS for s in ACTIONS)


@pytest.mark.parametrize(("system", "key"), [("darwin", "⌘"), ("linux", "Ctrl"), ("win32", "Ctrl")])
def test_a_key_that_a_menu_names_is_the_one_that_does_it(monkeypatch, system, key):
    """On a Mac the wheel turned with its own Ctrl enlarges the whole screen."""
    monkeypatch.setattr(sys, "platform", system)
    menu = runpy.run_path(view_menu.__file__)["VIEW"]
    titles = [spec.title for spec in menu if spec.id.startswith("touchpad.")]
    assert titles == [f"&Pans ({key} Zooms)", f"&Zooms ({key} Pans)"]
    assert on_key("Ctrl") == key


def test_unknown_actions_are_an_error():
    with pytest.raises(KeyError):
        action("no.such")


@pytest.mark.parametrize("spec", [s for s in ACTIONS if s.keys], ids=lambda s: s.id)
def test_qt_understands_every_key(qapp, spec):
    for key in spec.keys:
        assert QKeySequence(key).count() == 1
        assert QKeySequence(key).toString(QKeySequence.SequenceFormat.PortableText) == key


def test_mnemonics_of_one_menu_differ():
    titles: dict[tuple[str, ...], list[str]] = {}
    for spec in ACTIONS:
        titles.setdefault(spec.menu, []).append(spec.title)
    for spec in ACTIONS:
        if len(spec.menu) == 2 and spec.menu[1] not in titles[(spec.menu[0],)]:
            titles[(spec.menu[0],)].append(spec.menu[1])
    for menu, entries in titles.items():
        marks = [t[t.index("&") + 1].lower() for t in entries if "&" in t]
        assert len(marks) == len(set(marks)), menu


def test_every_action_is_in_a_menu_with_its_keys(make_window):
    window = make_window()
    for spec in ACTIONS:
        entry = window.menus.actions[spec.id]
        assert entry in window.menus.menu(*spec.menu).actions()
        keys = [k.toString() for k in entry.shortcuts()]
        # The system's own keys for full screen come after ours.
        assert keys == list(spec.keys) or spec.id == "view.full_screen"
        assert keys[: len(spec.keys)] == list(spec.keys)
        assert entry.isCheckable() == spec.checkable


def test_only_what_belongs_there_goes_to_the_application_menu_of_macos(make_window):
    """Qt would guess by the titles: "About This Field" begins like what it takes for the application's card."""
    window = make_window()
    roles = {spec.id: window.menus.actions[spec.id].menuRole() for spec in ACTIONS}
    assert roles.pop("help.about") == QAction.MenuRole.AboutRole
    assert roles.pop("file.quit") == QAction.MenuRole.QuitRole
    assert set(roles.values()) == {QAction.MenuRole.NoRole}


@pytest.mark.parametrize(
    ("name", "key", "times"),
    [
        ("pan.left", Qt.Key.Key_Left, 4),
        ("zoom.in", Qt.Key.Key_Plus, 4),
        ("overlay.larger", Qt.Key.Key_BracketRight, 4),
        ("overlay.centres", Qt.Key.Key_C, 1),
        ("field.split", Qt.Key.Key_S, 1),
        ("view.pixel_grid", Qt.Key.Key_G, 1),
        ("view.pixel_values", Qt.Key.Key_V, 1),
    ],
)
def test_a_held_key_goes_on_moving_and_switches_once(make_window, qtbot, name, key, times):
    window = make_window()
    with qtbot.waitActive(window):
        window.activateWindow()
    action, did = window.menus.actions[name], []
    action.triggered.connect(lambda: did.append(name))
    action.setEnabled(True)
    for repeated in (False, True, True, True):
        event = QKeyEvent(QEvent.Type.KeyPress, key, Qt.KeyboardModifier.NoModifier, "", repeated)
        QApplication.sendEvent(window.canvas, event)
    assert len(did) == times


def test_every_menu_is_reachable_from_the_bar(make_window):
    window = make_window()
    titles = [a.text() for a in window.menuBar().actions()]
    assert titles == list(MENUS)


def test_handlers_and_table_name_the_same_actions(make_window):
    window = make_window()
    assert set(handlers(window)) == {s.id for s in ACTIONS}
