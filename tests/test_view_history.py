"""Back to where one has looked, and forward again: the row of views, and how the window keeps it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.canvas_helpers import drag, mouse, overview, wheel
from tests.window_helpers import keep_what_is_told, open_and_wait, save_picture, wait_until_idle
from viewer.model.view.view_history import MOST, ViewHistory, look_the_same
from viewer.model.view.view_state import ViewState

ALT = Qt.KeyboardModifier.AltModifier
LEFT, NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
BACK, FORWARD = Qt.MouseButton.BackButton, Qt.MouseButton.ForwardButton
START = ViewState((300, 400), (320, 240)).fit()


def at(number: float) -> ViewState:
    return START.centred_on(200, 150, 1.0 + number)


def history_of(*views: ViewState) -> ViewHistory:
    history = ViewHistory()
    history.begin(views[0])
    for view in views[1:]:
        history.remember(view)
    return history


def test_back_and_forward_lead_through_what_was_remembered():
    history = history_of(at(0), at(1), at(2))
    assert history.back(at(2)) == at(1) and history.back(at(1)) == at(0)
    assert history.back(at(0)) is None and not history.can_go_back(at(0))
    assert history.forward(at(0)) == at(1) and history.forward(at(1)) == at(2)
    assert history.forward(at(2)) is None and not history.can_go_forward(at(2))


def test_from_a_view_that_is_not_remembered_yet_back_leads_to_the_last_that_is_and_forward_to_it_again():
    history = history_of(at(0), at(1))
    assert history.can_go_back(at(5)) and history.back(at(5)) == at(1)
    assert history.forward(at(1)) == at(5)


def test_who_has_gone_back_and_then_elsewhere_does_not_come_forward_to_what_was_left():
    history = history_of(at(0), at(1), at(2))
    history.back(at(2))
    assert not history.can_go_forward(at(7)) and history.forward(at(7)) is None
    history.remember(at(7))
    assert not history.can_go_forward(at(7))
    assert history.back(at(7)) == at(1) and history.back(at(1)) == at(0)


def test_views_that_look_the_same_are_remembered_once():
    history = history_of(at(0), at(1), at(1), at(1).aligned())
    moved = replace(at(1), origin=(at(1).origin[0] + 0.4 / at(1).scale, at(1).origin[1]))
    history.remember(moved)
    assert len(history) == 2 and not history_of(at(1)).can_go_back(moved)
    history.remember(at(1).pan_by(2, 0))
    assert len(history) == 3


def test_in_a_window_of_another_size_the_same_is_seen():
    history = history_of(START, at(3).pan_by(30, 10), at(5))
    larger = at(5).resized((700, 500))
    assert look_the_same(at(5), larger) and not history.can_go_forward(larger)
    there = history.back(larger)
    assert there.size == (700, 500) and there.scale == 4.0
    assert there.to_source(*there.centre) == pytest.approx(
        at(3).pan_by(30, 10).to_source(160, 120), abs=0.51 / 4
    )
    whole = history.back(there)
    assert whole == START.resized((700, 500)) and whole.follow == "fit"


def test_the_oldest_is_forgotten():
    history = history_of(*(at(n) for n in range(MOST + 20)))
    assert len(history) == MOST
    now, steps = at(MOST + 19), 0
    while (before := history.back(now)) is not None:
        now, steps = before, steps + 1
    assert steps == MOST - 1 and now == at(20)


def test_another_picture_begins_anew():
    history = history_of(at(0), at(1))
    other = ViewState((30, 40), (320, 240)).fit()
    history.begin(other)
    assert not history.can_go_back(other) and not history.can_go_forward(other)
    history.clear()
    assert len(history) == 0 and not history.can_go_back(other)


@given(st.lists(st.one_of(st.integers(0, 9), st.sampled_from(("back", "forward", "look")))))
def test_it_is_a_row_with_a_place_in_it(steps):
    """Against two stacks."""
    history = history_of(at(0))
    now, before, after = at(0), [], []
    for step in steps:
        if step == "look":
            history.remember(now)
        elif step == "back":
            wanted = before.pop() if before else None
            found = history.back(now)
            assert found == wanted
            if found is not None:
                after.append(now)
                now = found
        elif step == "forward":
            wanted = after.pop() if after else None
            found = history.forward(now)
            assert found == wanted
            if found is not None:
                before.append(now)
                now = found
        elif not look_the_same(at(step), now):
            before, after, now = [*before, now], [], at(step)
            history.remember(now)
        assert history.can_go_back(now) == bool(before)
        assert history.can_go_forward(now) == bool(after)


# ---- in the window ----------------------------------------------------------------------------


@pytest.fixture
def window(make_window, qtbot, tmp_path):
    made = make_window()
    made.change(animate=False)
    made.view_steps._timer.setInterval(40)
    open_and_wait(qtbot, made, save_picture(tmp_path / "a.png", 160, 120))
    return made


def offered(window) -> tuple[bool, bool]:
    return tuple(window.menus.actions[f"view.{way}"].isEnabled() for way in ("back", "forward"))


def press(window, key):
    QTest.keyClick(window.canvas, key, ALT)


def rest(window, qtbot):
    qtbot.waitUntil(lambda: not window.view_steps._timer.isActive())


def test_where_there_is_nothing_nothing_is_offered(make_window, window, qtbot):
    assert offered(make_window()) == (False, False)
    assert offered(window) == (False, False)
    before = window.canvas.view
    press(window, Qt.Key.Key_Left)
    press(window, Qt.Key.Key_Right)
    assert window.canvas.view == before
    window.menus.actions["file.close"].trigger()
    assert offered(window) == (False, False)


def test_alt_and_the_arrows_lead_back_and_forward_and_do_not_pan(window):
    canvas = window.canvas
    fit = canvas.view
    canvas.zoom_to(8.0)
    close = canvas.view
    assert offered(window) == (True, False)
    press(window, Qt.Key.Key_Left)
    assert canvas.view == fit and offered(window) == (False, True)
    press(window, Qt.Key.Key_Right)
    assert canvas.view == close and offered(window) == (True, False)


@pytest.mark.parametrize("jump", ["key", "zoom box", "double click", "overview", "fit"])
def test_what_a_jump_leads_away_from_is_remembered_without_a_rest(window, qtbot, jump):
    window.view_steps._timer.setInterval(100_000)
    canvas = window.canvas
    canvas.set_view(canvas.view.centred_on(40, 40, 0.9 if jump == "double click" else 6.0))
    first = canvas.view
    if jump == "key":
        QTest.keyClick(canvas, Qt.Key.Key_3)
    elif jump == "zoom box":
        shift = Qt.KeyboardModifier.ShiftModifier
        drag(canvas, (100, 100), (300, 200), modifiers=shift)
    elif jump == "double click":
        mouse(canvas, QEvent.Type.MouseButtonDblClick, (300, 300), LEFT, LEFT)
    elif jump == "overview":
        QTest.keyClick(canvas, Qt.Key.Key_N)
        minimap = window.minimap
        QTest.mousePress(minimap, LEFT, pos=QPoint(minimap.width() - 20, 20))
        for x in (30, 60, 90):
            mouse(minimap, QEvent.Type.MouseMove, (x, 20), NONE, LEFT)
        QTest.mouseRelease(minimap, LEFT, pos=QPoint(90, 20))
    else:
        QTest.keyClick(canvas, Qt.Key.Key_F)
    second = canvas.view
    assert second != first
    press(window, Qt.Key.Key_Left)
    assert canvas.view == first
    press(window, Qt.Key.Key_Right)
    assert canvas.view == second


def test_turns_of_the_wheel_are_one_view_where_it_rests(window, qtbot):
    canvas = window.canvas
    fit = canvas.view
    for _ in range(12):
        wheel(canvas, (100, 100), 120)
    rest(window, qtbot)
    first = canvas.view
    for step in range(10):
        drag(canvas, (100, 100), (110 + step, 90))
    rest(window, qtbot)
    second = canvas.view
    press(window, Qt.Key.Key_Left)
    assert canvas.view == first != second
    press(window, Qt.Key.Key_Left)
    assert canvas.view == fit and offered(window) == (False, True)
    rest(window, qtbot)
    press(window, Qt.Key.Key_Right)
    press(window, Qt.Key.Key_Right)
    assert canvas.view == second


def test_who_moves_on_after_going_back_has_nothing_to_go_forward_to(window, qtbot):
    canvas = window.canvas
    canvas.zoom_to(8.0)
    press(window, Qt.Key.Key_Left)
    wheel(canvas, (100, 100), 120)
    assert offered(window) == (True, False)


def test_it_glides_back_and_two_presses_are_two_steps(window, qtbot):
    canvas = window.canvas
    fit = canvas.view
    canvas.zoom_to(8.0)
    canvas.zoom_to(16.0)
    window.change(animate=True)
    press(window, Qt.Key.Key_Left)
    assert canvas.view.scale == 16.0 and canvas.target_view.scale == 8.0
    press(window, Qt.Key.Key_Left)
    assert canvas.target_view == fit
    qtbot.waitUntil(lambda: canvas.view == fit)
    press(window, Qt.Key.Key_Right)
    assert canvas.target_view.scale == 8.0


def test_the_buttons_of_the_mouse_do_it_too_also_in_a_row_and_over_the_overview(window, qtbot):
    canvas, minimap = window.canvas, window.minimap
    QTest.keyClick(canvas, Qt.Key.Key_N)
    for scale in (6.0, 8.0, 16.0):
        canvas.zoom_to(scale)
    wait_until_idle(qtbot, window)
    assert minimap.isVisible()
    mouse(canvas, QEvent.Type.MouseButtonPress, (50, 50), BACK, BACK)
    mouse(canvas, QEvent.Type.MouseButtonRelease, (50, 50), BACK, NONE)
    assert canvas.view.scale == 8.0
    mouse(canvas, QEvent.Type.MouseButtonDblClick, (50, 50), BACK, BACK)
    mouse(canvas, QEvent.Type.MouseButtonRelease, (50, 50), BACK, NONE)
    assert canvas.view.scale == 6.0
    mouse(canvas, QEvent.Type.MouseButtonPress, (50, 50), FORWARD, FORWARD)
    mouse(canvas, QEvent.Type.MouseButtonRelease, (50, 50), FORWARD, NONE)
    assert canvas.view.scale == 8.0
    QTest.mouseClick(minimap, BACK)
    assert canvas.view.scale == 6.0
    mouse(minimap, QEvent.Type.MouseButtonDblClick, (9, 9), FORWARD, FORWARD)
    assert canvas.view.scale == 8.0
    mouse(canvas, QEvent.Type.MouseButtonPress, (50, 50), LEFT, LEFT)
    mouse(canvas, QEvent.Type.MouseButtonPress, (50, 50), BACK, LEFT | BACK)
    assert canvas.view.scale == 8.0, "not while the picture is held"
    mouse(canvas, QEvent.Type.MouseButtonRelease, (50, 50), LEFT, NONE)


def test_a_picture_of_another_size_begins_anew_and_one_that_keeps_the_view_keeps_them(
    window, qtbot, tmp_path
):
    canvas = window.canvas
    save_picture(tmp_path / "b.png", 160, 120, seed=2)
    save_picture(tmp_path / "c.png", 100, 90, seed=3)
    fit = canvas.view
    canvas.zoom_to(8.0)
    for name in ("file.reload", "file.next"):
        before = canvas.scene.generation
        window.menus.actions[name].trigger()
        wait_until_idle(qtbot, window, lambda g=before: canvas.scene.generation != g)
        assert offered(window) == (True, False) and canvas.view.scale == 8.0, name
    press(window, Qt.Key.Key_Left)
    assert canvas.view == fit
    window.menus.actions["file.next"].trigger()
    wait_until_idle(qtbot, window, lambda: canvas.view.extent == (90, 100))
    assert offered(window) == (False, False)
    canvas.zoom_to(8.0)
    press(window, Qt.Key.Key_Left)
    assert canvas.view.extent == (90, 100) and canvas.view.scale < 8.0


def test_one_of_the_same_size_that_is_seen_anew_begins_anew(window, qtbot, tmp_path):
    window.canvas.zoom_to(8.0)
    window.open(save_picture(tmp_path / "z.png", 160, 120, seed=4))
    wait_until_idle(qtbot, window, lambda: window.session.document.name == "z.png")
    assert window.canvas.view.scale == 1.0 and offered(window) == (False, False)


def test_another_method_changes_nothing_of_it(window, qtbot):
    window.canvas.zoom_to(8.0)
    window.menus.actions["method.lanczos"].trigger()
    wait_until_idle(qtbot, window)
    assert offered(window) == (True, False)


def test_a_picture_that_could_not_be_opened_leaves_them_as_they_were(
    window, qtbot, tmp_path, monkeypatch
):
    canvas = window.canvas
    first = canvas.view
    canvas.zoom_to(8.0)
    told = keep_what_is_told(window, monkeypatch)
    (tmp_path / "bad.png").write_bytes(b"nothing of a picture")
    window.open(tmp_path / "bad.png")
    qtbot.waitUntil(lambda: bool(told))
    assert offered(window) == (True, False)
    # As where a first look at it was there already.
    session, view = window.session, canvas.view
    opening = session._next.opener.open(tmp_path / "bad.png", *session._asked)
    session._next.begin(opening)
    session._next._show_overview(opening, overview(30, 20), 300, 200)
    assert canvas.view.extent == (200, 300) and offered(window) == (False, False)
    press(window, Qt.Key.Key_Left)
    assert canvas.view.extent == (200, 300)
    session.cancel_opening()
    assert canvas.view == view and offered(window) == (True, False)
    press(window, Qt.Key.Key_Left)
    assert canvas.view == first


def test_a_resized_window_is_no_other_view(window, qtbot):
    canvas = window.canvas
    canvas.zoom_to(8.0)
    canvas.set_view(canvas.view.centred_on(50, 40))
    rest(window, qtbot)
    length = len(window.view_steps._history)
    for size in ((700, 500), (701, 503), (900, 640)):
        window.resize(*size)
        QApplication.processEvents()
        rest(window, qtbot)
    assert len(window.view_steps._history) == length
