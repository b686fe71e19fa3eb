"""A line splits the view: left of it the method before, right of it the present one, both under the same view."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtTest import QTest

from tests import canvas_helpers
from tests.canvas_helpers import mouse, pixels, wheel
from tests.window_helpers import (
    LONG,
    open_and_wait,
    save_picture,
    seen_at_800_percent,
    wait_until_idle,
)
from viewer.model.frames.frame_renderer import render_frame
from viewer.model.overlays.distribution import distribution
from viewer.model.view.split_line import LEAST, SplitLine
from viewer.ui.canvas.split_painter import paint_name


@pytest.fixture
def window(make_window, qtbot, tmp_path):
    """A picture at 800 %, which covers the canvas."""
    return seen_at_800_percent(make_window(), qtbot, tmp_path)


def frame(scene, canvas):
    """What render_frame makes of a scene under the canvas's view, RGB."""
    return render_frame(scene, canvas.view).bgrx[..., 2::-1]


def shown(canvas):
    return pixels(canvas.grab_frame())


def split(window, qtbot):
    QTest.keyClick(window.canvas, Qt.Key.Key_S)
    wait_until_idle(qtbot, window)


def move(canvas, x):
    """The mouse goes to x, halfway down."""
    mouse(canvas, QEvent.Type.MouseMove, (x, canvas.height() / 2))


def drag(canvas, start, end):
    y = canvas.height() / 2
    canvas_helpers.drag(canvas, (start, y), (end, y))


def test_each_side_shows_its_method_to_the_pixel(window, qtbot):
    canvas = window.canvas
    whole = shown(canvas)
    split(window, qtbot)
    assert window.menus.actions["field.split"].isChecked()
    column = canvas.view.size[0] // 2
    seen = shown(canvas)
    beside = canvas.scene_beside
    assert beside.resampling == "bicubic" and beside.interpolated
    assert np.array_equal(seen[:, column:], whole[:, column:])
    assert np.array_equal(seen[:, :column], frame(beside, canvas)[:, :column])
    assert not np.array_equal(seen[:, :column], whole[:, :column])
    split(window, qtbot)
    assert not canvas.split and np.array_equal(shown(canvas), whole)


def test_both_sides_follow_the_view(window, qtbot):
    canvas = window.canvas
    split(window, qtbot)
    wheel(canvas, (200.0, 150.0), 240)
    QTest.keyClick(canvas, Qt.Key.Key_Left)
    wait_until_idle(qtbot, window)
    column = canvas.view.size[0] // 2
    seen = shown(canvas)
    # A panned frame is shifted by whole pixels, from a view whose origin was rounded once less.
    for scene, part in (
        (canvas.scene_beside, np.s_[:, :column]),
        (canvas.scene, np.s_[:, column:]),
    ):
        assert np.abs(seen[part].astype(int) - frame(scene, canvas)[part]).max() <= 1


def test_the_line_is_dragged_and_the_picture_is_not(window, qtbot):
    canvas = window.canvas
    split(window, qtbot)
    view, width = canvas.view, canvas.width()
    move(canvas, width // 2)
    assert canvas.cursor().shape() == Qt.CursorShape.SplitHCursor
    drag(canvas, width / 2, width / 4)
    assert canvas.view == view
    column = round(view.size[0] * (width / 4) / width)
    seen = shown(canvas)
    assert np.array_equal(seen[:, column:], frame(canvas.scene, canvas)[:, column:])
    assert np.array_equal(seen[:, :column], frame(canvas.scene_beside, canvas)[:, :column])
    move(canvas, width // 2)
    assert canvas.cursor().shape() != Qt.CursorShape.SplitHCursor
    drag(canvas, width / 2, width / 2 + 40)
    assert canvas.view.origin != view.origin, "beside the line the picture is dragged"
    drag(canvas, width / 4, -300)
    move(canvas, round(LEAST))
    assert canvas.cursor().shape() == Qt.CursorShape.SplitHCursor, "it never leaves the window"
    QTest.mouseDClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(round(LEAST), 200))
    move(canvas, width // 2)
    assert canvas.cursor().shape() == Qt.CursorShape.SplitHCursor, "back in the middle"


def test_a_finger_drags_the_line_and_needs_not_touch_it_to_the_pixel(window, qtbot):
    canvas = window.canvas
    split(window, qtbot)
    view, width = canvas.view, canvas.width()
    screen = QTest.createTouchDevice()
    places = [canvas.mapToGlobal(QPoint(x, 200)) for x in (width // 2 + 12, width // 4)]
    QTest.touchEvent(window, screen).press(0, places[0])
    QTest.touchEvent(window, screen).move(0, places[1])
    QTest.touchEvent(window, screen).release(0, places[1])
    assert canvas.view == view
    assert canvas.sides[0][2] == round(view.size[0] * (width // 4) / width)


def test_another_method_takes_the_right_side_and_the_one_before_goes_left(window, qtbot):
    canvas = window.canvas
    split(window, qtbot)
    kernel = frame(canvas.scene, canvas)
    window.menus.actions["method.nearest"].trigger()
    wait_until_idle(qtbot, window)
    column = canvas.view.size[0] // 2
    seen = shown(canvas)
    assert canvas.scene_beside.method == "kernel" and canvas.scene.method == "nearest"
    assert np.array_equal(seen[:, :column], kernel[:, :column])
    assert np.array_equal(seen[:, column:], frame(canvas.scene, canvas)[:, column:])
    # Held, X exchanges the sides.
    QTest.keyPress(canvas, Qt.Key.Key_X)
    wait_until_idle(qtbot, window)
    held = shown(canvas)
    assert np.array_equal(held[:, column:], kernel[:, column:])
    assert np.array_equal(held[:, :column], frame(canvas.scene_beside, canvas)[:, :column])
    QTest.keyRelease(canvas, Qt.Key.Key_X)
    wait_until_idle(qtbot, window)
    assert np.array_equal(shown(canvas), seen)


def test_the_field_on_the_left_is_built_where_it_was_never_shown(window, qtbot):
    canvas = window.canvas
    window.menus.actions["method.nearest"].trigger()
    window.menus.actions["method.lanczos"].trigger()
    split(window, qtbot)
    window.menus.actions["method.kernel"].trigger()  # the shelf holds lanczos now
    window.menus.actions["method.bicubic"].trigger()
    wait_until_idle(qtbot, window)
    assert canvas.scene_beside.method == "kernel"
    canvas.fit()
    canvas.set_view(canvas.view.set_scale(2.0))
    wait_until_idle(qtbot, window)
    assert set(canvas.scene_beside.tiles) == set(canvas.scene_beside.grid.keys())


def test_the_next_picture_is_split_as_well_and_closing_it_is_not_a_problem(window, qtbot, tmp_path):
    split(window, qtbot)
    open_and_wait(qtbot, window, save_picture(tmp_path / "b.png", 90, 70, seed=2))
    wait_until_idle(qtbot, window)
    canvas = window.canvas
    assert canvas.scene_beside.extent == (70, 90) == canvas.scene.extent
    window.menus.actions["file.close"].trigger()
    assert not canvas.split
    open_and_wait(qtbot, window, tmp_path / "a.png")
    assert canvas.split


def test_values_under_the_cursor_are_those_of_its_side(window, qtbot):
    canvas = window.canvas
    split(window, qtbot)
    width = canvas.width()
    move(canvas, width // 4)
    assert canvas.scene_at_cursor is canvas.scene_beside
    move(canvas, 3 * width // 4)
    assert canvas.scene_at_cursor is canvas.scene


def test_marks_of_the_gaussians_stay_on_the_side_of_their_field(window, qtbot):
    canvas = window.canvas
    split(window, qtbot)
    plain = pixels(canvas.grab().toImage())
    window.menus.actions["overlay.centres"].trigger()
    wait_until_idle(qtbot, window)
    marked = pixels(canvas.grab().toImage())
    column = canvas.view.size[0] // 2
    assert np.array_equal(marked[:, : column - 20], plain[:, : column - 20])
    assert not np.array_equal(marked[:, column + 20 :], plain[:, column + 20 :])


def test_a_field_file_cannot_be_split(make_window, qtbot, tmp_path):
    from gaussian_core import build_field

    path = tmp_path / "f.safetensors"
    build_field(np.zeros((20, 30, 3), np.float32), method="kernel").save(path)
    window = make_window()
    open_and_wait(qtbot, window, path)
    QTest.keyClick(window.canvas, Qt.Key.Key_S)
    assert not window.canvas.split
    assert not window.menus.actions["field.split"].isChecked()
    assert window.status.message == "A field file has no other method to be compared with"


@pytest.mark.parametrize(("x", "left"), [(-50.0, LEAST), (300.0, 300.0), (5000.0, 1000 - LEAST)])
def test_the_line_stays_within_reach(x, left):
    line = SplitLine().moved_to(x, 1000)
    assert line.x(1000) == pytest.approx(left)
    assert line.is_at(left + 5, 1000) and not line.is_at(left + 7, 1000)
    assert line.column(1000) == round(left)
    assert SplitLine().moved_to(3.0, 4.0).column(4) == 2, "a canvas too narrow for it"


def test_the_name_is_of_what_is_seen_while_the_next_field_is_still_to_be_built(window, qtbot):
    canvas = window.canvas
    window.menus.actions["method.bicubic"].trigger()
    split(window, qtbot)
    assert canvas.plates == ("Kernel interpolation", "Bicubic")
    window.menus.actions["method.lanczos"].trigger()
    wait_until_idle(qtbot, window)
    window.menus.actions["method.kernel"].trigger()  # nothing of it is kept
    assert canvas.plates[1] == "Lanczos" and canvas.scene.method == "lanczos"
    wait_until_idle(qtbot, window)
    assert canvas.plates == ("Lanczos", "Kernel interpolation")


def test_what_is_lacking_of_a_side_is_said_on_its_plate(window, qtbot):
    """A network that is asked for every pixel is coarse at first, left of the line as well as right of it."""
    pytest.importorskip("torch")
    canvas = window.canvas
    canvas.set_view(canvas.view.set_scale(2.0))  # few pixels
    split(window, qtbot)
    assert canvas.plates == ("Bicubic", "Kernel interpolation")
    seen = []
    canvas.frame_shown.connect(lambda _: seen.append(canvas.plates))
    canvas.beside_shown.connect(lambda _: seen.append(canvas.plates))
    window.menus.actions["method.liif"].trigger()
    assert canvas.plates[1] == "LIIF  …", "what is seen there is the field of before"
    wait_until_idle(qtbot, window, lambda: canvas.plates[1] == "LIIF", LONG)
    assert any(right.startswith("LIIF  preview 1/") for _, right in seen)
    seen.clear()
    window.menus.actions["method.kernel"].trigger()
    canvas.set_view(canvas.view.set_scale(2.25))
    wait_until_idle(qtbot, window, timeout=LONG)
    assert any(left.startswith("LIIF  preview 1/") for left, _ in seen)
    assert canvas.plates == ("LIIF", "Kernel interpolation")
    canvas.set_view(canvas.view.set_scale(0.5))
    # Below 100 % both sides show the same picture, and no method.
    assert canvas.plates == (
        "The picture; LIIF from 100 %",
        "The picture; Kernel interpolation from 100 %",
    )
    # But an interpolation is what it is called at every zoom.
    window.menus.actions["method.nearest"].trigger()
    assert canvas.plates[1] == "Nearest neighbour"


def test_a_long_name_hides_neither_the_method_nor_by_how_much_it_differs(qapp):
    """Of what stands on a plate the middle goes first."""
    painted = []
    for lacking in ("30.52 dB", "12.07 dB"):
        image = QImage(300, 40, QImage.Format.Format_RGB32)
        image.fill(Qt.GlobalColor.black)
        with QPainter(image) as painter:
            text = f"|{'a long name of a file ' * 4}.png − ContinuousSR| × 8  {lacking}"
            paint_name(painter, image.width(), text, qapp.font(), 1.0)
        painted.append(pixels(image))
    assert (painted[0] != painted[1]).any()


def test_the_enlarged_picture_is_not_called_by_a_method_that_has_yet_to_draw(window, qtbot):
    """A view from below 100 % is seen enlarged until the method has drawn the next one: with a slow one for long."""
    canvas = window.canvas
    split(window, qtbot)
    canvas.set_view(canvas.view.set_scale(0.5))
    wait_until_idle(qtbot, window)
    canvas.set_view(canvas.view.set_scale(4.0))
    assert canvas.plates == ("Bicubic", "Kernel interpolation  …")
    wait_until_idle(qtbot, window)
    assert canvas.plates == ("Bicubic", "Kernel interpolation")


def test_the_line_is_moved_by_keys_which_is_said(window, qtbot):
    canvas = window.canvas
    names = ("line.left", "line.right", "line.middle")
    assert not any(window.menus.actions[name].isEnabled() for name in names)
    split(window, qtbot)
    assert all(window.menus.actions[name].isEnabled() for name in names)
    view, control = canvas.view, Qt.KeyboardModifier.ControlModifier
    for _ in range(5):
        QTest.keyClick(canvas, Qt.Key.Key_Left, control)
    wait_until_idle(qtbot, window)
    column = round(0.4 * view.size[0])
    assert canvas.view == view and canvas.sides[0][2] == column
    seen = shown(canvas)
    assert np.array_equal(seen[:, column:], frame(canvas.scene, canvas)[:, column:])
    assert np.array_equal(seen[:, :column], frame(canvas.scene_beside, canvas)[:, :column])
    assert window.status.message == "The line is at 40 % of the width"
    QTest.keyClick(canvas, Qt.Key.Key_Right, control)
    assert canvas.sides[0][2] == round(0.42 * view.size[0])
    for _ in range(60):
        QTest.keyClick(canvas, Qt.Key.Key_Left, control)
    assert canvas.sides[0][2] == LEAST * view.size[0] // canvas.width(), "never out of the window"
    QTest.keyClick(canvas, Qt.Key.Key_Home, control)
    assert canvas.sides[0][2] == view.size[0] // 2
    QTest.keyClick(canvas, Qt.Key.Key_S, Qt.KeyboardModifier.ShiftModifier)
    assert not any(window.menus.actions[name].isEnabled() for name in names), "a difference"


def test_gaussians_are_counted_where_they_are_seen_which_is_said(window, qtbot):
    """Left of the line another method is seen."""
    canvas = window.canvas

    def counted(share):
        x0, y0, x1, y1 = canvas.view.source_rect
        return distribution(canvas.scene, (x0 + share * (x1 - x0), y0, x1, y1)).total

    window.menus.actions["overlay.distribution"].trigger()
    window.menus.actions["overlay.centres"].trigger()
    wait_until_idle(qtbot, window)
    dialog, counts = window.side_windows.distribution, window.status.counts
    everything = counted(0)
    assert f"{everything:,} Gaussians by Kernel interpolation in view" in dialog.summary.text()
    assert counts.text == f"{everything:,} Gaussians"
    split(window, qtbot)
    half = counted(0.5)
    assert f"{half:,} Gaussians by Kernel interpolation right of the line" in dialog.summary.text()
    assert counts.text == f"{half:,} Gaussians, right" and half < 0.6 * everything
    assert "right of the line" in counts.toolTip()
    drag(canvas, canvas.width() / 2, canvas.width() / 4)
    wait_until_idle(qtbot, window)
    more = counted(canvas.sides[0][2] / canvas.view.size[0])
    assert half < more < everything
    assert counts.text == f"{more:,} Gaussians, right" and f"{more:,} G" in dialog.summary.text()
    split(window, qtbot)
    assert counts.text == f"{everything:,} Gaussians"
    assert f"{everything:,} Gaussians by Kernel interpolation in view" in dialog.summary.text()
