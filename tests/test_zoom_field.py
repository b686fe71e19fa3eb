"""Typing a zoom."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from viewer.ui.zoom_field import ZoomField


@pytest.mark.parametrize("before", [0.3, 1.0, 4.0])
@pytest.mark.parametrize(
    ("typed", "expected"), [("400%", 4.0), ("3.5x", 3.5), ("100 %", 1.0), ("2", 2.0)]
)
def test_return_takes_what_was_typed_once_whatever_was_shown_before(qtbot, before, typed, expected):
    """A zoom that is a preset itself used to come back when another one was typed over it."""
    field = ZoomField()
    qtbot.addWidget(field)
    field.show()
    field.show_zoom(before)
    chosen = []
    field.zoom_chosen.connect(chosen.append)
    field.begin_typing()
    qtbot.keyClicks(field.lineEdit(), typed)
    qtbot.keyClick(field.lineEdit(), Qt.Key.Key_Return)
    assert chosen == [pytest.approx(expected)]


def test_nonsense_stays_to_be_corrected(qtbot):
    field = ZoomField()
    qtbot.addWidget(field)
    field.show()
    field.begin_typing()
    with qtbot.assertNotEmitted(field.zoom_chosen):
        qtbot.keyClicks(field.lineEdit(), "abc")
        qtbot.keyClick(field.lineEdit(), Qt.Key.Key_Return)
    assert field.lineEdit().text() == "abc"
