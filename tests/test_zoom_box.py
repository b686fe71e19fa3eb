"""A rectangle that is dragged with Shift is seen as large as it goes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtTest import QTest

from tests.canvas_helpers import CountingRenderer, drag, mouse, screenshot, wheel
from tests.window_helpers import open_and_wait, save_picture, wait_until_idle
from viewer.model.frames.scene import Scene
from viewer.model.view.view_state import MAX_SCALE, ViewState
from viewer.model.view.zoom_box import LEAST, ZoomBox, view_of
from viewer.ui.canvas.canvas import Canvas

SHIFT, PLAIN = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.NoModifier
LEFT, RIGHT, NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.NoButton
PRESS, MOVE = QEvent.Type.MouseButtonPress, QEvent.Type.MouseMove
RELEASE = QEvent.Type.MouseButtonRelease
CROSS, ARROW = Qt.CursorShape.CrossCursor, Qt.CursorShape.ArrowCursor


@pytest.fixture
def canvas(qtbot):
    made = Canvas(render=CountingRenderer(), prepare=lambda: None)
    qtbot.addWidget(made)
    made.set_glide(0.0)
    made.resize(320, 240)
    made.show()
    qtbot.waitExposed(made)
    made.set_scene(Scene((300, 400)))
    made.set_view(made.view.centred_on(200.0, 150.0, 4.0))
    qtbot.waitUntil(made.is_idle)
    yield made
    made.shutdown()


def begin(canvas, start, stop):
    mouse(canvas, PRESS, start, LEFT, LEFT, modifiers=SHIFT)
    mouse(canvas, MOVE, stop, NONE, LEFT, modifiers=SHIFT)


@given(
    scale=st.floats(0.1, MAX_SCALE),
    start=st.tuples(st.floats(0, 320), st.floats(0, 240)),
    end=st.tuples(st.floats(-50, 400), st.floats(-50, 300)),
    ratio=st.sampled_from((1.0, 1.25, 2.0)),
)
def test_what_was_framed_is_wholly_in_view_and_in_its_middle(scale, start, end, ratio):
    size = (math.ceil(320 * ratio), math.ceil(240 * ratio))
    view = ViewState((300, 400), size).centred_on(200, 150, scale)
    box = ZoomBox(start, start).to(*end, (320, 240))
    edges = left, top, right, bottom = box.edges(ratio, (0.0, 0.0))
    assert left <= right and top <= bottom and min(edges) >= 0
    assert right <= size[0] and bottom <= size[1]
    if not box.counts:
        assert min(abs(a - b) for a, b in zip(box.start, box.end, strict=True)) < LEAST
        return
    seen = view_of(view, edges)
    if seen is None:
        x0, y0, x1, y1 = (*view.to_source(left, top), *view.to_source(right, bottom))
        assert x1 <= 0 or y1 <= 0 or x0 >= 400 or y0 >= 300
        return
    u0, v0 = seen.to_device(*view.to_source(left, top))
    u1, v1 = seen.to_device(*view.to_source(right, bottom))
    assert (u0 + u1) / 2 == pytest.approx(size[0] / 2, abs=1e-3)
    assert (v0 + v1) / 2 == pytest.approx(size[1] / 2, abs=1e-3)
    slack = 1e-3
    assert u0 > -slack and v0 > -slack and u1 < size[0] + slack and v1 < size[1] + slack
    full = (u1 - u0) > size[0] - slack or (v1 - v0) > size[1] - slack
    assert full or seen.scale == MAX_SCALE
    assert seen.scale >= view.scale * (1 - 1e-9)


@pytest.mark.parametrize("back", [False, True], ids=["down right", "up left"])
def test_a_drag_with_shift_goes_to_what_it_framed(canvas, back):
    corners = (60, 80), (140, 120)
    x0, y0 = canvas.view.to_source(60, 80)
    x1, y1 = canvas.view.to_source(140, 120)
    drag(canvas, *(corners[::-1] if back else corners), modifiers=SHIFT)
    assert canvas.view.scale == pytest.approx(16.0), "320 wide of 80"
    assert canvas.view.to_device(x0, y0) == pytest.approx((0, 40), abs=1e-6)
    assert canvas.view.to_device(x1, y1) == pytest.approx((320, 200), abs=1e-6)


def test_it_glides_there_where_commands_do(canvas, qtbot):
    before = canvas.view
    canvas.set_glide(0.15)
    drag(canvas, (60, 80), (140, 120), modifiers=SHIFT)
    assert canvas.view == before and canvas.target_view.scale == pytest.approx(16.0)
    qtbot.waitUntil(lambda: canvas.view == canvas.target_view)
    assert canvas.view.scale == pytest.approx(16.0)


def test_without_shift_or_with_more_keys_it_is_a_drag_of_the_picture(canvas):
    for keys in (PLAIN, SHIFT | Qt.KeyboardModifier.ControlModifier):
        grabbed = canvas.view.to_source(60, 80)
        drag(canvas, (60, 80), (140, 120), modifiers=keys)
        assert canvas.view.scale == 4.0
        assert canvas.view.to_device(*grabbed) == pytest.approx((140, 120))


def test_a_tremble_does_nothing_and_is_no_click(canvas, qtbot):
    before = canvas.view
    with qtbot.assertNotEmitted(canvas.clicked):
        for stop in ((60, 80), (63, 83), (200, 82), (62, 200)):
            drag(canvas, (60, 80), stop, modifiers=SHIFT)
            assert canvas.view == before


def test_out_of_the_window_it_ends_at_its_edges(canvas):
    x0, y0 = canvas.view.to_source(160, 120)
    x1, y1 = canvas.view.to_source(320, 240)
    drag(canvas, (160, 120), (900, 900), modifiers=SHIFT)
    assert canvas.view.scale == pytest.approx(8.0)
    assert canvas.view.to_device(x0, y0) == pytest.approx((0, 0), abs=1e-6)
    assert canvas.view.to_device(x1, y1) == pytest.approx((320, 240), abs=1e-6)


def test_no_closer_than_the_closest_zoom(canvas):
    canvas.set_view(canvas.view.centred_on(200.0, 150.0, 900.0))
    middle = canvas.view.to_source(100, 100)
    drag(canvas, (90, 90), (110, 110), modifiers=SHIFT)
    assert canvas.view.scale == MAX_SCALE
    assert canvas.view.to_source(*canvas.view.centre) == pytest.approx(middle)


def test_where_nothing_of_the_picture_was_framed_nothing_happens(canvas):
    canvas.set_view(canvas.view.centred(0.3))
    before = canvas.view
    drag(canvas, (5, 5), (40, 60), modifiers=SHIFT)
    assert canvas.view == before


@pytest.mark.parametrize("picture", [0, 128, 255])
def test_the_outline_is_crisp_and_seen_on_every_picture(canvas, qtbot, picture):
    canvas._pane.worker._render = lambda scene, view, *a, **k: _flat(canvas, scene, view, picture)
    canvas.keep_view_next(True)
    canvas.set_scene(Scene((300, 400)))
    qtbot.waitUntil(canvas.is_idle)
    plain = screenshot(canvas)
    assert (plain == picture).all()
    begin(canvas, (60, 80), (140, 120))
    shown = screenshot(canvas).astype(int)
    changed = (shown != plain).any(-1)
    assert not changed[80:120, 60:140].any(), "what is framed is as it was"
    across = shown[100, 50:60].max(-1), shown[100, 140:150].max(-1)
    for line in across:
        values = set(line.tolist())
        assert 255 in values and min(values) < 100, "white and dark side by side"
        assert len(values) <= 3, "no pixel in between"
    assert np.ptp(shown[:76]) == 0, "beyond the line all is shaded evenly"
    assert shown[0, 0, 0] < picture or picture == 0
    mouse(canvas, RELEASE, (140, 120), LEFT, NONE)


def _flat(canvas, scene, view, value):
    frame = CountingRenderer()(scene, view)
    frame.bgrx[...] = value
    return frame


def test_the_outline_is_seen_at_the_edges_of_the_window_too(canvas):
    plain = screenshot(canvas)
    begin(canvas, (100, 100), (-50, 900))
    changed = (screenshot(canvas) != plain).any(-1)
    assert changed[237:, :100].any() and changed[150, :3].any()
    mouse(canvas, RELEASE, (140, 120), LEFT, NONE)


def test_a_right_click_or_a_lost_focus_lets_go_of_it(canvas, qtbot):
    before, plain = canvas.view, screenshot(canvas)
    for how in ("right", "focus", "lost release"):
        begin(canvas, (60, 80), (140, 120))
        assert (screenshot(canvas) != plain).any()
        if how == "right":
            mouse(canvas, PRESS, (140, 120), RIGHT, LEFT | RIGHT, modifiers=SHIFT)
            mouse(canvas, RELEASE, (140, 120), RIGHT, LEFT, modifiers=SHIFT)
        elif how == "focus":
            canvas.setFocus()
            canvas.clearFocus()
        else:
            mouse(canvas, MOVE, (150, 130), NONE, NONE)
        assert (screenshot(canvas) == plain).all(), how
        mouse(canvas, MOVE, (200, 200), NONE, LEFT)
        mouse(canvas, RELEASE, (200, 200), LEFT, NONE)
        assert canvas.view == before, how


def test_the_wheel_does_not_move_what_it_lies_on(canvas):
    before = canvas.view
    begin(canvas, (60, 80), (140, 120))
    wheel(canvas, (140, 120), 120)
    assert canvas.view == before
    mouse(canvas, RELEASE, (140, 120), LEFT, NONE)
    assert canvas.view.scale == pytest.approx(16.0)
    wheel(canvas, (140, 120), 120)
    assert canvas.view.scale > 16.0


def test_the_cursor_tells_that_a_drag_would_choose(canvas):
    mouse(canvas, MOVE, (60, 80))
    assert canvas.cursor().shape() == ARROW
    QTest.keyPress(canvas, Qt.Key.Key_Shift)
    assert canvas.cursor().shape() == CROSS
    QTest.keyRelease(canvas, Qt.Key.Key_Shift)
    assert canvas.cursor().shape() == ARROW
    mouse(canvas, MOVE, (61, 80), modifiers=SHIFT)
    assert canvas.cursor().shape() == CROSS, "also where the key went elsewhere"
    begin(canvas, (60, 80), (140, 120))
    QTest.keyRelease(canvas, Qt.Key.Key_Shift)
    assert canvas.cursor().shape() == CROSS, "until it is done"
    mouse(canvas, RELEASE, (140, 120), LEFT, NONE)
    assert canvas.cursor().shape() == ARROW
    mouse(canvas, PRESS, (60, 80), LEFT, LEFT)
    QTest.keyPress(canvas, Qt.Key.Key_Shift)
    assert canvas.cursor().shape() == Qt.CursorShape.ClosedHandCursor
    mouse(canvas, RELEASE, (60, 80), LEFT, NONE)


def test_one_soon_after_another_is_one_too(canvas):
    drag(canvas, (60, 80), (140, 120), modifiers=SHIFT)
    mouse(canvas, QEvent.Type.MouseButtonDblClick, (60, 80), LEFT, LEFT, modifiers=SHIFT)
    mouse(canvas, MOVE, (220, 200), NONE, LEFT, modifiers=SHIFT)
    mouse(canvas, RELEASE, (220, 200), LEFT, NONE, modifiers=SHIFT)
    assert canvas.view.scale == pytest.approx(32.0)


def test_nothing_is_framed_where_there_is_no_picture(canvas):
    canvas.set_scene(None)
    before = canvas.view
    drag(canvas, (60, 80), (140, 120), modifiers=SHIFT)
    assert canvas.view.scale == before.scale and canvas.cursor().shape() == ARROW


@pytest.mark.parametrize("held", [SHIFT, PLAIN], ids=["Shift held", "let go"])
def test_escape_lets_go_of_it_before_it_does_anything_else(make_window, qtbot, tmp_path, held):
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    window.menus.actions["view.full_screen"].trigger()
    wait_until_idle(qtbot, window)
    before = window.canvas.view
    begin(window.canvas, (100, 100), (300, 300))
    QTest.keyClick(window.canvas, Qt.Key.Key_Escape, held)
    assert window.isFullScreen()
    mouse(window.canvas, RELEASE, (300, 300), LEFT, NONE)
    assert window.canvas.view == before
    QTest.keyClick(window.canvas, Qt.Key.Key_Escape)
    assert not window.isFullScreen()


def test_over_the_line_of_a_split_view_too_it_is_a_rectangle(make_window, qtbot, tmp_path):
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    canvas = window.canvas
    QTest.keyClick(canvas, Qt.Key.Key_S)
    wait_until_idle(qtbot, window)
    canvas.set_glide(0.0)
    before, sides = canvas.view, canvas.sides
    middle = canvas.width() / 2
    drag(canvas, (middle, 200), (middle + 100, 280), modifiers=SHIFT)
    assert canvas.view.scale > 2 * before.scale
    assert [columns for _, *columns in canvas.sides] == [columns for _, *columns in sides]


def test_on_the_overview_shift_changes_nothing(make_window, qtbot, tmp_path):
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    canvas, minimap = window.canvas, window.minimap
    QTest.keyClick(canvas, Qt.Key.Key_N)
    canvas.set_view(canvas.view.centred_on(10, 10, 64.0))
    wait_until_idle(qtbot, window)
    QTest.mousePress(minimap, LEFT, SHIFT, QPoint(minimap.width() // 2, minimap.height() // 2))
    QTest.mouseRelease(minimap, LEFT, SHIFT, QPoint(20, 20))
    assert canvas.view.scale == 64.0
    assert canvas.view.to_source(*canvas.view.centre) == pytest.approx((32, 24), abs=0.5)
