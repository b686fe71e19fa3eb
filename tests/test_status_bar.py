"""What the status bar has room for, and that nothing in it jumps about."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint

from tests.canvas_helpers import pixels
from viewer.model.status_text import RIGHT, count_text, widest_count
from viewer.ui.status.status_bar import StatusBar
from viewer.ui.status.status_cell import StatusCell

SAID = ("", "Nothing to copy", "Building the field: 4 of 6 tiles", "A long story of a file, " * 4)


@pytest.fixture
def status(qtbot):
    bar = StatusBar()
    qtbot.addWidget(bar)
    bar.show()
    return bar


def seen(bar: StatusBar) -> dict[StatusCell, int]:
    """Where the cells are that are seen."""
    return {cell: cell.mapTo(bar, QPoint(0, 0)).x() for cell in bar.cells if cell.isVisibleTo(bar)}


def test_a_window_of_the_first_size_has_room_for_all_cells(status):
    status.resize(1280, status.sizeHint().height())
    assert set(seen(status)) == set(status.cells)


def test_a_window_of_900_has_room_for_what_changes_under_the_hand(status):
    status.resize(900, status.sizeHint().height())
    wanted = {status.time, status.source, status.field, status.method, status.position}
    assert wanted <= set(seen(status))


@pytest.mark.parametrize("width", [500, 900, 1280, 1600])
def test_what_is_said_moves_no_cell(status, width):
    status.resize(width, status.sizeHint().height())
    places: dict[StatusCell, int] = {}
    for busy in (False, True):
        for text in SAID:
            if busy:
                status.show_progress(text or "Building field: 12 %", 12, 100)
            status.tell("" if busy else text)
            for cell, x in seen(status).items():
                assert places.setdefault(cell, x) == x, cell.objectName()


@pytest.mark.parametrize(
    ("template", "before", "after", "same_from"),
    [
        ("255 255 255", "9 14 23", "109 14 23", "255"),
        ("00000.000, 00000.000", "99.95, 12.00", "100.05, 12.00", "00000.000,"),
    ],
)
def test_a_digit_more_moves_no_other_number(qtbot, template, before, after, same_from):
    cell = StatusCell("Values", template, 1, columns=True)
    qtbot.addWidget(cell)
    cell.resize(cell.sizeHint())
    shots = []
    for text in (before, after):
        cell.show_value(text)
        shots.append(pixels(cell.grab().toImage()))
    from_x = 9 + cell.fontMetrics().horizontalAdvance(same_from)
    changed, kept = (
        (shots[0] != shots[1])[:, part] for part in (slice(0, from_x), slice(from_x, None))
    )
    assert changed.any() and not kept.any()


def test_a_number_wider_than_was_expected_is_not_cut(qtbot):
    inks = []
    for columns in (False, True):
        cell = StatusCell("Values", "255 255 255", 1, columns=columns)
        qtbot.addWidget(cell)
        cell.resize(cell.sizeHint())
        empty = pixels(cell.grab().toImage())
        cell.show_value("12345678 1")
        ink = (pixels(cell.grab().toImage()) != empty).any(axis=(0, 2))
        inks.append(np.ptp(np.flatnonzero(ink)))
    assert abs(inks[0] - inks[1]) <= 1


def test_marks_that_are_shown_move_no_count(status):
    """It says as much, while there are few, and keeps its place."""
    status.resize(1280, status.sizeHint().height())
    status.show_counts("475 Gaussians")
    ends = []
    for kind in ("", "centres", "drifts"):
        status.expect_counts(widest_count(kind), False)
        shot = pixels(status.counts.grab().toImage())
        ink = (shot != shot[6, 4]).any(axis=(0, 2))
        ends.append(len(ink) - np.flatnonzero(ink).max())
    assert max(ends) == min(ends)


def test_a_unit_stands_beside_its_number(qtbot):
    """Seconds as near to it as milliseconds are."""
    cell = StatusCell("Time", "999.9 ms", 1, columns=True)
    qtbot.addWidget(cell)
    cell.resize(cell.sizeHint())
    empty = pixels(cell.grab().toImage())
    gaps = []
    for text in ("4.9 s", "4.9 ms"):
        cell.show_value(text)
        ink = (pixels(cell.grab().toImage()) != empty).any(axis=(0, 2))
        gaps.append(np.diff(np.flatnonzero(ink)).max())
    assert abs(gaps[0] - gaps[1]) <= 1


def test_a_count_stands_together(status):
    """No gap within it is wider than a few letters."""
    status.resize(1280, status.sizeHint().height())
    status.expect_counts(widest_count("centres"), False)
    status.show_counts("90 of 184 centres")
    shot = pixels(status.counts.grab().toImage())[:, 4:]
    ink = (shot != shot[6, 0]).any(axis=(0, 2))
    letter = status.fontMetrics().averageCharWidth()
    assert np.diff(np.flatnonzero(ink)).max() <= 2 * letter


@pytest.mark.parametrize("where", ["", RIGHT])
@pytest.mark.parametrize("kind", ["", "centres", "ellipses", "drifts"])
def test_counts_have_room_and_leave_it_to_others(status, kind, where):
    status.resize(1280, status.sizeHint().height())
    status.expect_counts(widest_count(kind) + where, bool(where))
    told = count_text(45_000_000, 99_991 if kind else None, kind) + where
    wide = status.fontMetrics().horizontalAdvance
    assert wide(told) <= wide(widest_count(kind) + where)
    assert status.counts in seen(status)


def test_what_is_said_of_fitting_is_not_explained_as_a_preview(status):
    status.show_frame(12.0, 2, "cpu", "43.2 dB, 35%")
    assert "fitting" in status.preview.toolTip() and status.preview.text == "43.2 dB, 35%"
    status.show_frame(12.0, 2, "cpu")
    assert "coarser" in status.preview.toolTip() and status.preview.text == "preview 1/2"
