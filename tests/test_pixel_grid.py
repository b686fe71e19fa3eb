"""The grid of the source's pixels lies between them, whatever the zoom, and stays out of what is copied."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtTest import QTest

from tests.canvas_helpers import pixels
from tests.window_helpers import open_and_wait, save_picture, wait_until_idle
from viewer.model.view.view_state import ViewState
from viewer.ui.canvas.grid_painter import grid_opacity, paint_grid


@pytest.fixture
def window(make_window, qtbot, tmp_path):
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png", 120, 90))
    return window


def at(window, qtbot, scale):
    """What the canvas shows at a scale, without and with the grid."""
    canvas = window.canvas
    canvas.set_view(canvas.view.set_scale(scale))
    wait_until_idle(qtbot, window)
    plain = pixels(canvas.grab().toImage())
    QTest.keyClick(canvas, Qt.Key.Key_G)
    drawn = pixels(canvas.grab().toImage())
    QTest.keyClick(canvas, Qt.Key.Key_G)
    return plain, drawn


@pytest.mark.parametrize("scale", [16.0, 23.7, 100.0])
def test_lines_are_on_the_edges_of_pixels_and_nowhere_else(window, qtbot, scale):
    plain, drawn = at(window, qtbot, scale)
    view = window.canvas.view
    changed = (plain != drawn).any(-1)
    height, width = changed.shape
    columns = {round(view.to_device(x, 0)[0]) for x in range(121)} & set(range(width))
    rows = {round(view.to_device(0, y)[1]) for y in range(91)} & set(range(height))
    assert columns and rows
    between = np.ix_(
        [v for v in range(height) if v not in rows], [u for u in range(width) if u not in columns]
    )
    assert not changed[between].any()
    assert changed[:, sorted(columns)].mean() > 0.9
    assert changed[sorted(rows)].mean() > 0.9


@pytest.mark.parametrize("ratio", [1.0, 1.25, 1.75, 2.0, 3.0])
def test_on_dense_screens_all_lines_are_of_the_same_dots(qapp, ratio):
    """Wherever they lie: not some of them of thinner ones."""
    view = ViewState((60, 80), (400, 300), (20.3, 15.6), 17.0)
    image = QImage(400, 300, QImage.Format.Format_RGB32)
    image.fill(QColor(128, 128, 128))
    painter = QPainter(image)
    paint_grid(painter, view, ratio)
    painter.end()
    drawn, thick = pixels(image)[..., 0], round(ratio)
    xs = [round(view.to_device(x, 0)[0]) - thick // 2 for x in range(81)]
    ys = [round(view.to_device(0, y)[1]) - thick // 2 for y in range(61)]
    rows = [y + k for y in ys for k in range(thick)]
    columns = [x + k for x in xs for k in range(thick)]
    down = [v for v in range(300) if v not in rows]
    across = [u for u in range(400) if u not in columns]
    seen = [drawn[down, x : x + thick] for x in xs if 0 <= x < 400 - thick]
    seen += [drawn[y : y + thick, across].T for y in ys if 0 <= y < 300 - thick]
    assert len(seen) > 30
    for line in seen:
        assert (line == line[:, :1]).all() and len(np.unique(line)) == 2


def test_it_fades_in_and_is_not_there_where_pixels_are_small(window, qtbot):
    plain, drawn = at(window, qtbot, 6.0)
    assert np.array_equal(plain, drawn)
    assert [grid_opacity(s) for s in (1.0, 6.0, 8.0, 10.0, 500.0)] == [0, 0, 0.5, 1, 1]


def test_at_800_percent_there_is_something_to_see(window, qtbot):
    plain, drawn = at(window, qtbot, 8.0)
    assert (plain != drawn).any(-1).mean() > 0.15
    assert "grid" not in window.status.message


def test_who_asks_for_it_from_too_far_is_told_when_it_appears(window, qtbot):
    window.canvas.set_view(window.canvas.view.set_scale(3.0))
    QTest.keyClick(window.canvas, Qt.Key.Key_G)
    assert window.status.message == "The pixel grid appears from 800 % up"
    window.canvas.set_view(window.canvas.view.set_scale(9.0))
    assert window.status.message == "", "it can be seen"
    QTest.keyClick(window.canvas, Qt.Key.Key_G)
    assert window.settings.pixel_grid is False


def test_what_is_copied_has_no_grid(window, qtbot):
    canvas = window.canvas
    canvas.set_view(canvas.view.set_scale(20.0))
    wait_until_idle(qtbot, window)
    plain = canvas.grab_frame()
    window.menus.actions["view.pixel_grid"].trigger()
    assert window.settings.pixel_grid and canvas.grab_frame() == plain
