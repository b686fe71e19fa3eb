"""Typing a zoom."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from viewer.ui.status.zoom_field import ZoomField


@pytest.mark.parametrize("target", ["box", "edit"])
@pytest.mark.parametrize("before", [0.3, 1.0, 4.0])
@pytest.mark.parametrize(
    ("typed", "expected"), [("400%", 4.0), ("3.5x", 3.5), ("100 %", 1.0), ("2", 2.0)]
)
def test_return_takes_what_was_typed_once_whatever_was_shown_before(
    qtbot, target, before, typed, expected
):
    """A zoom that is a preset itself used to come back when another one was typed over it."""
    field = ZoomField()
    qtbot.addWidget(field)
    field.show_zoom(1.0)
    field.show()
    field.show_zoom(before)
    chosen = []
    field.zoom_chosen.connect(chosen.append)
    field.begin_typing()
    # Real keys come to the box, which has the focus for its edit.
    widget = field if target == "box" else field.lineEdit()
    qtbot.keyClicks(widget, typed)
    qtbot.keyClick(widget, Qt.Key.Key_Return)
    assert chosen == [pytest.approx(expected)]


def test_return_without_typing_stays_where_it_is(qtbot):
    """What it shows is rounded: 778 % would be another view."""
    field = ZoomField()
    qtbot.addWidget(field)
    field.show_zoom(7.777)
    field.show()
    chosen = []
    field.zoom_chosen.connect(chosen.append)
    field.begin_typing()
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert chosen == [7.777]


def test_nonsense_stays_to_be_corrected(qtbot):
    field = ZoomField()
    qtbot.addWidget(field)
    field.show_zoom(1.0)
    field.show()
    field.begin_typing()
    plain = field.lineEdit().palette().color(QPalette.ColorRole.Highlight)
    with qtbot.assertNotEmitted(field.zoom_chosen), qtbot.waitSignal(field.refused) as refused:
        qtbot.keyClicks(field.lineEdit(), "abc")
        qtbot.keyClick(field.lineEdit(), Qt.Key.Key_Return)
    assert field.lineEdit().text() == "abc" and "abc" in refused.args[0]
    assert field.lineEdit().palette().color(QPalette.ColorRole.Highlight) != plain, "it is seen"
    qtbot.keyClicks(field.lineEdit(), "2")
    assert field.lineEdit().palette().color(QPalette.ColorRole.Highlight) == plain


def test_escape_leaves_without_a_zoom(qtbot):
    field = ZoomField()
    qtbot.addWidget(field)
    field.show_zoom(1.0)
    field.show()
    field.show_zoom(2.0)
    field.begin_typing()
    qtbot.keyClicks(field, "77")
    with qtbot.assertNotEmitted(field.zoom_chosen), qtbot.waitSignal(field.left):
        qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert field.lineEdit().text() == "200 %"


@pytest.mark.parametrize("preset", [1.0, 8.0])
@pytest.mark.parametrize("way", ["escape", "elsewhere"])
def test_what_is_left_without_typing_follows_the_view_and_moves_it_nowhere(qtbot, preset, way):
    """The box would look up what stands in it among the presets when it loses the keyboard."""
    window = QWidget()
    qtbot.addWidget(window)
    row = QHBoxLayout(window)
    field, other = ZoomField(), QLineEdit()
    row.addWidget(field)
    row.addWidget(other)
    field.show_zoom(preset)
    window.show()
    window.activateWindow()
    qtbot.waitActive(window)
    chosen = []
    field.zoom_chosen.connect(chosen.append)
    field.begin_typing()
    field.show_zoom(11.3)  # by the wheel, over the picture
    assert field.lineEdit().text() == "1,130 %"
    qtbot.keyClick(field, Qt.Key.Key_Escape) if way == "escape" else other.setFocus()
    qtbot.wait(1)
    assert not chosen and field.lineEdit().text() == "1,130 %"
    field.begin_typing()
    qtbot.keyClicks(field.lineEdit(), "4")
    field.show_zoom(preset)
    assert field.lineEdit().text() == "4", "what is being typed is left alone"
    other.setFocus()
    assert not chosen and not field.lineEdit().hasFocus()
