"""The sheet of shortcuts: all of them are on it, and on screens of several sizes no line of it is cut."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QLabel

from viewer.model.actions.table import ACTIONS
from viewer.model.shortcut_sheet import chord, sheet
from viewer.ui.dialogs.shortcut_sheet import COLUMNS, ONE_COLUMN


@pytest.mark.parametrize(
    ("key", "keys"),
    [
        ("F", ("F",)),
        ("+", ("+",)),
        ("Ctrl++", ("Ctrl", "+")),
        ("Ctrl+Shift+S", ("Ctrl", "Shift", "S")),
        ("-", ("-",)),
    ],
)
def test_a_shortcut_is_split_into_its_keys(key, keys):
    assert chord(key) == keys


def test_the_sheet_names_every_shortcut_family():
    rows = [row for _, rows in sheet() for row in rows]
    texts = {row.text for row in rows}
    for spec in ACTIONS:
        if spec.keys and not spec.id.startswith(("pan.", "zoom.to_", "line.")):
            assert spec.plain_title in texts
    assert {"Pan", "100 %", "Zoom at the cursor", "Line of a split view, to its middle"} <= texts
    assert {"Move its upper end", "The menus, in full screen, too"} <= texts


@pytest.mark.parametrize(
    ("screen", "columns"), [((933, 600), ONE_COLUMN), ((1920, 1080), COLUMNS)], ids=str
)
def test_every_line_ends_within_the_sheet(make_window, qtbot, monkeypatch, screen, columns):
    window = make_window()
    window.side_windows.show_sheet()
    shown = window.side_windows.sheet
    room = SimpleNamespace(availableSize=lambda: QSize(*screen))
    monkeypatch.setattr(shown, "screen", lambda: room)
    window.side_windows.show_sheet()
    qtbot.waitExposed(shown)
    assert shown._columns == columns
    assert shown.width() <= screen[0] - 40 and shown.height() <= screen[1] - 80
    port = shown._scroll.viewport()
    qtbot.waitUntil(lambda: shown._content.width() == port.width())
    words = shown._content.findChildren(QLabel)
    assert len(words) > 2 * sum(len(rows) for _, rows in sheet())
    for word in words:
        right = word.mapTo(shown._content, QPoint(word.width(), 0)).x()
        assert right <= port.width() and word.width() >= word.sizeHint().width()
    if columns == ONE_COLUMN:
        assert shown._scroll.verticalScrollBar().maximum() > 0
    shown.close()


def test_the_sheet_has_two_columns_again_on_a_wider_screen(make_window, monkeypatch):
    window = make_window()
    window.side_windows.show_sheet()
    shown = window.side_windows.sheet
    for size, columns in (((900, 700), ONE_COLUMN), ((2000, 1200), COLUMNS)):
        room = SimpleNamespace(availableSize=lambda size=size: QSize(*size))
        monkeypatch.setattr(shown, "screen", lambda room=room: room)
        window.side_windows.show_sheet()
        assert shown._columns == columns
    shown.close()


def test_who_listens_hears_the_keys_beside_what_they_do(make_window, qtbot):
    window = make_window()
    qtbot.waitUntil(window.isActiveWindow)
    qtbot.keyClick(window, Qt.Key.Key_F1)
    qtbot.waitExposed(window.side_windows.sheet)
    heard = []
    for label in window.side_windows.sheet.findChildren(QLabel):
        interface = QAccessible.queryAccessibleInterface(label)
        assert interface.role() == QAccessible.Role.StaticText
        heard.append(interface.text(QAccessible.Text.Name))
    for _, rows in sheet():
        for row in rows:
            assert row.text in heard
            assert all(key in heard for keys in row.chords for key in keys), row
    window.side_windows.sheet.close()
