"""Two panes show all of the same view, the left one by the method before, the right one by the present one."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from gaussian_core import build_field, open_picture
from tests.canvas_helpers import drag, mouse, pixels, wheel
from tests.window_helpers import (
    open_and_wait,
    save_picture,
    seen_at_800_percent,
    wait_until_idle,
)
from viewer.model.frames.frame_renderer import render_frame
from viewer.ui.canvas.canvas_geometry import DeviceGrid

SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def window(make_window, qtbot, tmp_path):
    """A picture at 800 %, which covers the canvas."""
    window = seen_at_800_percent(make_window(), qtbot, tmp_path)
    window.canvas.set_glide(0.0)
    return window


def press(window, qtbot, key, modifiers=Qt.KeyboardModifier.NoModifier):
    QTest.keyClick(window.canvas, key, modifiers)
    wait_until_idle(qtbot, window)
    leave(window.canvas)


def leave(canvas):
    """No cross is shown, wherever the pointer of the screen is."""
    QApplication.sendEvent(canvas, QEvent(QEvent.Type.Leave))


def seen(canvas):
    """What is on screen: of the left pane, of the right one."""
    image = pixels(canvas.grab().toImage())
    width = canvas.view.size[0]
    return image[:, :width], image[:, image.shape[1] - width :]


def frame(scene, canvas):
    return render_frame(scene, canvas.view).bgrx[..., 2::-1]


def at(canvas, x, y):
    """The place on the canvas, in its right pane, of one in its left pane."""
    return x + canvas.width() - canvas.view.size[0], y


def below_the_names(part):
    return part[60:]


@pytest.mark.parametrize("width", [640, 643])
def test_each_pane_shows_all_of_the_view_by_its_method(window, qtbot, width):
    canvas = window.canvas
    window.resize(width + window.width() - canvas.width(), window.height())
    QApplication.processEvents()
    middle = canvas.view.to_source(*canvas.view.centre)
    press(window, qtbot, Qt.Key.Key_P)
    assert window.menus.actions["field.panes"].isChecked()
    assert canvas.view.size[0] == (canvas.width() - 3) // 2
    assert canvas.view.to_source(*canvas.view.centre) == pytest.approx(middle, abs=1 / 8)
    left, right = seen(canvas)
    beside = canvas.scene_beside
    assert beside.resampling == "bicubic" and beside.interpolated
    for part, scene in ((left, beside), (right, canvas.scene)):
        assert np.array_equal(below_the_names(part), below_the_names(frame(scene, canvas)))
    assert not np.array_equal(left, right)


def test_they_come_and_go_with_the_key_and_the_view_is_what_it_was(window, qtbot):
    canvas = window.canvas
    view, whole = canvas.view, pixels(canvas.grab_frame())
    press(window, qtbot, Qt.Key.Key_P)
    assert canvas.two_panes and not canvas.line_shown
    press(window, qtbot, Qt.Key.Key_P)
    assert not canvas.split and not canvas.two_panes and canvas.view == view
    assert np.array_equal(pixels(canvas.grab_frame()), whole)


def test_of_a_split_view_they_take_the_place_of_the_line(window, qtbot):
    canvas = window.canvas
    press(window, qtbot, Qt.Key.Key_S)
    press(window, qtbot, Qt.Key.Key_P)
    assert canvas.two_panes and not canvas.line_shown
    press(window, qtbot, Qt.Key.Key_P)
    assert canvas.line_shown and not canvas.two_panes
    press(window, qtbot, Qt.Key.Key_P)
    press(window, qtbot, Qt.Key.Key_S)
    assert not canvas.split and not canvas.two_panes


def test_the_difference_takes_their_place_and_they_its(window, qtbot):
    canvas, ticked = window.canvas, window.menus.actions
    press(window, qtbot, Qt.Key.Key_P)
    press(window, qtbot, Qt.Key.Key_S, SHIFT)
    assert canvas.differs and not canvas.two_panes and canvas.view.size[0] == canvas.width()
    assert ticked["field.difference"].isChecked() and not ticked["field.panes"].isChecked()
    press(window, qtbot, Qt.Key.Key_P)
    assert canvas.two_panes and not canvas.differs and not ticked["field.difference"].isChecked()
    left, right = seen(canvas)
    assert np.array_equal(below_the_names(right), below_the_names(frame(canvas.scene, canvas)))
    press(window, qtbot, Qt.Key.Key_P)
    assert not canvas.split


@pytest.mark.parametrize("pane", [0, 1])
def test_the_wheel_zooms_both_at_the_mouse_in_either(window, qtbot, pane):
    canvas = window.canvas
    press(window, qtbot, Qt.Key.Key_P)
    place = (90.0, 200.0)
    before = canvas.view.to_source(90.5, 200.5)
    wheel(canvas, at(canvas, *place) if pane else place, 360)
    assert canvas.view.scale > 9.0
    assert canvas.view.to_source(90.5, 200.5) == pytest.approx(before)
    wait_until_idle(qtbot, window)
    leave(canvas)
    left, right = seen(canvas)
    assert np.array_equal(
        below_the_names(left), below_the_names(frame(canvas.scene_beside, canvas))
    )
    assert np.array_equal(below_the_names(right), below_the_names(frame(canvas.scene, canvas)))


def test_a_drag_moves_both_and_may_lead_into_the_other_pane(window, qtbot):
    canvas = window.canvas
    press(window, qtbot, Qt.Key.Key_P)
    view = canvas.view
    drag(canvas, (100, 200), (canvas.width() - 100, 210))
    moved = [(a - b) * view.scale for a, b in zip(view.origin, canvas.view.origin, strict=True)]
    assert moved == pytest.approx((canvas.width() - 200, 10))


def test_the_arrow_keys_move_both_by_a_share_of_a_pane(window, qtbot):
    canvas = window.canvas
    width = canvas.width()
    view = canvas.view
    press(window, qtbot, Qt.Key.Key_Left)
    whole = (view.origin[0] - canvas.view.origin[0]) * view.scale
    press(window, qtbot, Qt.Key.Key_P)
    view = canvas.view
    press(window, qtbot, Qt.Key.Key_Left)
    moved = (view.origin[0] - canvas.view.origin[0]) * view.scale
    assert moved == pytest.approx(whole * view.size[0] / width, abs=1)


def test_a_rectangle_to_be_seen_stays_in_its_pane(window, qtbot):
    canvas = window.canvas
    press(window, qtbot, Qt.Key.Key_P)
    view = canvas.view
    wanted = view.to_source(40, 120), view.to_source(view.size[0], 320)
    drag(canvas, (40, 120), (canvas.width() - 20, 320), modifiers=SHIFT)
    for corner in wanted:
        u, v = canvas.view.to_device(*corner)
        assert -1 <= u <= view.size[0] + 1 and -1 <= v <= view.size[1] + 1
    assert canvas.view.scale > view.scale
    before = canvas.view
    drag(canvas, at(canvas, 40, 120), at(canvas, 90, 160), modifiers=SHIFT)
    middle = canvas.view.to_source(*canvas.view.centre)
    assert middle == pytest.approx(before.to_source(65, 140), abs=0.3)


def test_a_cross_stands_where_the_mouse_is_in_the_other_pane(window, qtbot):
    canvas = window.canvas
    press(window, qtbot, Qt.Key.Key_P)
    places = []
    canvas.cursor_moved.connect(lambda x, y: places.append((x, y)))
    plain = seen(canvas)
    for pane, (x, y) in enumerate(((80, 220), at(canvas, 80, 220))):
        mouse(canvas, QEvent.Type.MouseMove, (x, y))
        now = seen(canvas)
        assert np.array_equal(now[pane], plain[pane]), "nothing is in the way of the mouse itself"
        changed = np.argwhere((now[1 - pane] != plain[1 - pane]).any(axis=2))
        assert changed.mean(axis=0) == pytest.approx((220, 80), abs=1.0)
        assert np.ptp(changed, axis=0).max() <= 24
    assert places[0] == pytest.approx(places[1]), "the same point of the picture"
    leave(canvas)
    assert np.array_equal(np.array(seen(canvas)), np.array(plain))


def test_the_values_told_are_of_the_pane_that_the_mouse_is_in(window, qtbot):
    canvas = window.canvas
    press(window, qtbot, Qt.Key.Key_P)
    mouse(canvas, QEvent.Type.MouseMove, (80, 220))
    assert canvas.scene_at_cursor is canvas.scene_beside
    mouse(canvas, QEvent.Type.MouseMove, at(canvas, 80, 220))
    assert canvas.scene_at_cursor is canvas.scene


def test_marks_are_in_the_pane_of_their_method_and_the_pixel_grid_is_in_both(window, qtbot):
    canvas = window.canvas
    press(window, qtbot, Qt.Key.Key_P)
    plain = seen(canvas)
    press(window, qtbot, Qt.Key.Key_C)
    left, right = seen(canvas)
    assert np.array_equal(left, plain[0]) and not np.array_equal(right, plain[1])
    press(window, qtbot, Qt.Key.Key_C)
    wheel(canvas, (80.0, 220.0), 240)
    wait_until_idle(qtbot, window)
    leave(canvas)
    plain = seen(canvas)
    press(window, qtbot, Qt.Key.Key_G)
    changed = [(a != b).any(axis=2) for a, b in zip(seen(canvas), plain, strict=True)]
    inside = (slice(60, -10), slice(10, -10))
    differ = changed[0][inside] != changed[1][inside]
    # A dot on a pixel of its own colour changes nothing.
    assert changed[0][inside].sum() > 100 * max(differ.sum(), 10)


def test_they_stay_for_the_next_picture_and_a_field_file_has_one(window, qtbot, tmp_path):
    canvas = window.canvas
    press(window, qtbot, Qt.Key.Key_P)
    open_and_wait(qtbot, window, save_picture(tmp_path / "next.png", seed=5))
    wait_until_idle(qtbot, window)
    assert canvas.two_panes and canvas.split
    path = tmp_path / "field.safetensors"
    build_field(open_picture(tmp_path / "next.png"), "kernel").save(path)
    open_and_wait(qtbot, window, path)
    wait_until_idle(qtbot, window, lambda: window.session.document.path == path)
    assert not canvas.two_panes and canvas.view.size[0] == canvas.width()
    open_and_wait(qtbot, window, tmp_path / "next.png")
    wait_until_idle(qtbot, window)
    assert canvas.two_panes and canvas.split


def test_of_a_field_file_there_are_none(make_window, qtbot, tmp_path):
    window = make_window()
    path = tmp_path / "field.safetensors"
    build_field(open_picture(save_picture(tmp_path / "a.png")), "kernel").save(path)
    open_and_wait(qtbot, window, path)
    press(window, qtbot, Qt.Key.Key_P)
    assert not window.canvas.two_panes and not window.menus.actions["field.panes"].isChecked()
    assert "no other method" in window.status.message


def test_a_copy_has_both_panes_without_what_lies_outside_of_the_picture(window, qtbot):
    canvas = window.canvas
    press(window, qtbot, Qt.Key.Key_P)
    canvas.set_view(canvas.view.centred_on(0, 0, 8.0))  # the picture begins in the middle of each
    wait_until_idle(qtbot, window)
    QTest.keyClick(canvas, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    wait_until_idle(qtbot, window)
    copied = pixels(QApplication.clipboard().image())
    left, top, right, bottom = canvas.view.picture_rect
    assert copied.shape[:2] == (bottom - top, 2 * (right - left) + 3 + (canvas.width() - 3) % 2)
    for part, scene in (
        (copied[:, : right - left], canvas.scene_beside),
        (copied[:, left - right :], canvas.scene),
    ):
        assert np.array_equal(part, frame(scene, canvas))


@pytest.mark.parametrize("ratio", [1.0, 1.25, 1.5, 1.75, 2.0, 3.0])
@pytest.mark.parametrize("width", [64, 401, 1280])
def test_panes_are_equal_whole_pixels_at_any_ratio(qapp, ratio, width, monkeypatch):
    from PySide6.QtWidgets import QWidget

    widget = QWidget()
    widget.resize(width, 100)
    monkeypatch.setattr(widget, "devicePixelRatioF", lambda: ratio, raising=False)
    whole, grid = DeviceGrid.of(widget), DeviceGrid.of(widget, two_panes=True)
    assert grid.width == whole.size[0] and grid.size[1] == whole.size[1]
    assert grid.step - grid.size[0] in (3 * round(ratio), 3 * round(ratio) + 1)
    for u in (0.5, grid.size[0] - 0.5):
        for pane, first in enumerate(grid.panes):
            point = QPointF((u + first) / ratio, 10.0)
            assert grid.pane_at(point) == pane
            assert grid.pixel_centre(point)[0] == u
