"""The difference of the two methods of a split view: of what is seen, amplified, at every view, and off again."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtTest import QTest

from gaussian_core import build_field
from tests.canvas_helpers import mouse, pixels, screenshot, wheel
from tests.test_hidpi import told_by
from tests.window_helpers import open_and_wait, save_picture, seen_at_800_percent, wait_until_idle
from viewer.model.difference import GAINS, amplified_difference, difference_text
from viewer.model.frames.frame_renderer import render_frame
from viewer.model.settings import Settings
from viewer.ui.canvas.canvas_painter import compose
from viewer.ui.canvas.difference import Difference


@pytest.fixture
def window(make_window, qtbot, tmp_path):
    """A picture at 800 %, which covers the canvas, by kernel interpolation; the other method is bicubic."""
    return seen_at_800_percent(make_window(), qtbot, tmp_path)


def press(window, qtbot, key=Qt.Key.Key_S, modifier=Qt.KeyboardModifier.ShiftModifier):
    QTest.keyClick(window.canvas, key, modifier)
    wait_until_idle(qtbot, window)


def press_split(window, qtbot):
    press(window, qtbot, modifier=Qt.KeyboardModifier.NoModifier)


def go(window, qtbot, view):
    window.canvas.set_view(view)
    wait_until_idle(qtbot, window)


def shown(canvas):
    return pixels(canvas.grab_frame()).astype(int)


def alone(scene, view, plain=False):
    """What a method shows of a view, RGB. plain: transparent parts on grey."""
    return render_frame(replace(scene, plain=plain), view).bgrx[..., 2::-1].astype(int)


def expected(canvas, gain=8, plain=False):
    view = canvas.view
    apart = np.abs(alone(canvas.scene_beside, view, plain) - alone(canvas.scene, view, plain))
    return np.minimum(255, gain * apart)


def slow_down(pane, seconds):
    """Every frame of a side takes so much longer."""
    before = pane.worker._render

    def slower(*arguments, **options):
        time.sleep(seconds)
        return before(*arguments, **options)

    pane.worker._render = slower


def ticked(window):
    actions = window.menus.actions
    return actions["field.split"].isChecked(), actions["field.difference"].isChecked()


@pytest.mark.parametrize("gain", GAINS)
def test_frames_are_subtracted_to_the_level(gain):
    random = np.random.default_rng(gain)
    a, b = random.integers(0, 256, (2, 75, 31, 4), np.uint8)
    b[:40] = np.clip(a[:40].astype(int) + random.integers(-9, 9, (40, 31, 4)), 0, 255)
    found = amplified_difference(a, b, gain, np.empty_like(a))
    wanted = np.minimum(255, gain * np.abs(a.astype(int) - b))
    assert np.array_equal(found[..., :3], wanted[..., :3])
    assert (found[..., 3] == 255).all()


@pytest.mark.parametrize("scale", [1.0, 3.7, 8.0, 50.0])
def test_it_is_that_of_the_methods_as_they_show_the_view(window, qtbot, scale):
    canvas = window.canvas
    press(window, qtbot)
    assert canvas.scene_beside.resampling == "bicubic" and canvas.scene.method == "kernel"
    view = canvas.view.set_scale(scale)
    # At 100 % and on whole pixels every method is the file.
    go(window, qtbot, replace(view, origin=(view.origin[0] + 0.37, view.origin[1] + 0.21)))
    wanted = expected(canvas)
    assert np.abs(shown(canvas) - wanted).max() <= 1
    assert wanted.max() > 50 and wanted.shape == shown(canvas).shape, "of all of the view"


def test_it_follows_the_view(window, qtbot):
    canvas = window.canvas
    press(window, qtbot)
    wheel(canvas, (200.0, 150.0), 240)
    press(window, qtbot, Qt.Key.Key_Left, Qt.KeyboardModifier.NoModifier)
    left, right = (f[..., 2::-1].astype(int) for f in canvas.both_frames())
    assert np.array_equal(shown(canvas), np.minimum(255, 8 * np.abs(left - right)))
    # Each of the panned frames may be a level off, see test_split_view.
    assert np.abs(shown(canvas) - expected(canvas)).max() <= 16


def test_while_the_view_moves_frames_of_one_view_are_subtracted(window, qtbot):
    """Of the method that is quicker there would else be a newer frame, and edges all over that are in neither."""
    canvas = window.canvas
    canvas.set_glide(0.0)
    press(window, qtbot)
    seen, made = set(), set()

    def look(frame):
        left, right = canvas._panes.difference._of
        assert left.view == right.view
        seen.add(left.view)
        made.add(frame.view)

    canvas.frame_shown.connect(look)
    canvas.beside_shown.connect(look)
    slow_down(canvas._panes.left, 0.06)
    step = 0

    def moves_on():
        nonlocal step
        step += 1
        factor = 1.01 if step % 20 < 10 else 1 / 1.01
        canvas.set_view(canvas.view.zoom_at(factor, (300.0, 200.0)))
        return len(seen) > 5

    qtbot.waitUntil(moves_on, timeout=60_000)
    assert len(made) <= len(seen) + 1, "no frame but the newest is without one of the other method"
    wait_until_idle(qtbot, window)
    assert np.abs(shown(canvas) - expected(canvas)).max() <= 1, "and ends with the view"


def test_where_a_coarse_frame_is_of_the_picture_there_is_none_instead(window, qtbot, monkeypatch):
    """Below 400 % it would be the difference of two interpolations, hardly any, for as long as the view moves."""
    canvas = window.canvas
    press(window, qtbot)
    go(window, qtbot, canvas.view.set_scale(2.0))
    pacing = canvas._pane.worker.pacing
    monkeypatch.setattr(pacing, "level", lambda request, waited=0.0: 4 if request.moving else 1)
    levels, seen = [], set()
    canvas.frame_shown.connect(lambda frame: levels.append(frame.level))
    canvas.frame_shown.connect(lambda _: seen.add(canvas._panes.difference._of[0].view))

    def moves_on():
        canvas.set_view(canvas.view.pan_by(3.3, 0.0))
        return len(seen) > 3

    qtbot.waitUntil(moves_on, timeout=60_000)
    assert set(levels) == {1}


def test_a_coarse_frame_is_subtracted_as_large_as_it_is_shown(window, qtbot, monkeypatch):
    """From an exact one, as a network's are until it is done."""
    canvas = window.canvas
    monkeypatch.setattr(Difference, "by_network", True)
    press(window, qtbot)
    pacing = canvas._pane.worker.pacing
    monkeypatch.setattr(pacing, "level", lambda request, waited=0.0: 4 if request.moving else 1)
    monkeypatch.setattr(pacing, "pause", lambda request: 0.4)
    wheel(canvas, (200.0, 150.0), 120)
    coarse = canvas._pane
    qtbot.waitUntil(
        lambda: coarse.frame.level == 4 and canvas._panes.difference._of[1] is coarse.frame
    )
    difference = shown(canvas)
    size = canvas.view.size
    both = []
    for layer in (canvas._panes.left.layer, canvas._pane.layer):
        image = QImage(*size, QImage.Format.Format_RGB32)
        painter = QPainter(image)
        compose(painter, canvas.view, canvas._background, None, layer, None)
        painter.end()
        both.append(pixels(image).astype(int))
    assert np.array_equal(difference, np.minimum(255, 8 * np.abs(both[0] - both[1])))
    wait_until_idle(qtbot, window)
    assert np.abs(shown(canvas) - expected(canvas)).max() <= 1


def test_coarse_frames_are_as_coarse_on_both_sides(window, qtbot, monkeypatch):
    """Else most of what they differ by is how the coarse one is enlarged."""
    canvas = window.canvas
    press(window, qtbot)
    seen = set()
    pacing = canvas._pane.worker.pacing
    monkeypatch.setattr(pacing, "level", lambda request, waited=0.0: 4 if request.moving else 1)
    rest = 0.0
    for pane in (canvas._pane, canvas._panes.left):
        monkeypatch.setattr(pane.worker.pacing, "pause", lambda request: rest)
    for signal in (canvas.frame_shown, canvas.beside_shown):
        signal.connect(lambda _: seen.add(tuple(f.level for f in canvas._panes.difference._of)))

    def turn(scale):
        nonlocal rest
        go(window, qtbot, canvas.view.set_scale(scale))
        seen.clear()
        rest = 60.0
        for _ in range(6):
            wheel(canvas, (200.0, 150.0), 24)
            QTest.qWait(20)
        qtbot.waitUntil(lambda: canvas._panes.difference._of[0].view == canvas.view, timeout=30_000)
        found, rest = set(seen), 0.0
        go(window, qtbot, canvas.view.pan_by(1, 0))
        assert np.abs(shown(canvas) - expected(canvas)).max() <= 16
        return found - {(1, 1)}

    # One with less than three samples of two source pixels shows hardly any difference.
    assert turn(8.0) == {(4, 4)} and turn(4.1) == {(2, 2)}


def test_a_pan_that_follows_a_zoom_is_followed(window, qtbot, monkeypatch):
    """The side that is sharp already has only to move its frame, the other one goes on with coarse ones."""
    canvas = window.canvas
    press(window, qtbot)
    for pane in (canvas._pane, canvas._panes.left):
        pacing = pane.worker.pacing
        monkeypatch.setattr(pacing, "level", lambda request, waited=0.0: 4 if request.moving else 1)
        monkeypatch.setattr(pacing, "pause", lambda request: 60.0)
    wheel(canvas, (200.0, 150.0), 120)
    qtbot.waitUntil(lambda: canvas._panes.difference._of[0].view == canvas.view)
    canvas._panes.request(moving=False, panes=(canvas._panes.left,))
    qtbot.waitUntil(lambda: canvas._panes.left.frame.exact)
    assert [f.level for f in canvas._panes.difference._of] == [4, 4], (
        "and not a coarse and an exact one"
    )
    canvas.set_view(canvas.view.pan_by(6, 4))
    qtbot.waitUntil(lambda: canvas._panes.difference._of[0].view == canvas.view)
    monkeypatch.undo()
    press(window, qtbot, Qt.Key.Key_Left, Qt.KeyboardModifier.NoModifier)
    assert np.abs(shown(canvas) - expected(canvas)).max() <= 16


def test_what_is_not_there_yet_of_a_view_is_where_the_view_has_it(window, qtbot):
    """Until the next difference is there the one before lies under the transform, as frames do."""
    canvas = window.canvas
    press(window, qtbot)
    before = shown(canvas)
    canvas.set_view(canvas.view.pan_by(40, 24))
    now = shown(canvas)
    assert np.array_equal(now[24:, 40:], before[:-24, :-40])
    assert not now[:24].any() and not now[:, :40].any(), "black where nothing is known"


def test_off_again_it_is_what_it_was(window, qtbot):
    canvas = window.canvas
    plain = shown(canvas)
    press(window, qtbot)
    assert ticked(window) == (True, True)
    press(window, qtbot)
    assert ticked(window) == (False, False) and not canvas.split
    assert np.array_equal(shown(canvas), plain)
    # Of a view that was split the line is back.
    press_split(window, qtbot)
    split = shown(canvas)
    press(window, qtbot)
    assert ticked(window) == (True, True) and not canvas.line_shown
    assert np.abs(shown(canvas) - expected(canvas)).max() <= 1
    press(window, qtbot)
    assert ticked(window) == (True, False) and canvas.line_shown
    assert np.array_equal(shown(canvas), split)
    # And who ends the split ends the difference of its sides.
    press(window, qtbot)
    press_split(window, qtbot)
    assert ticked(window) == (False, False)
    assert np.array_equal(shown(canvas), plain)
    press_split(window, qtbot)
    assert ticked(window) == (True, False)
    assert np.array_equal(shown(canvas), split)


def test_there_is_no_line_to_be_seen_or_taken_hold_of(window, qtbot):
    canvas = window.canvas
    press_split(window, qtbot)
    mouse(canvas, QEvent.Type.MouseMove, (canvas.width() / 2, canvas.height() / 2))
    assert canvas.cursor().shape() == Qt.CursorShape.SplitHCursor
    press(window, qtbot)
    assert canvas.cursor().shape() != Qt.CursorShape.SplitHCursor
    seen = screenshot(canvas)
    assert np.array_equal(seen[80:], shown(canvas)[80:]), "below the plate nothing is painted over"
    view = canvas.view
    mouse(canvas, QEvent.Type.MouseMove, (canvas.width() / 2 + 1, canvas.height() / 2))
    assert canvas.cursor().shape() != Qt.CursorShape.SplitHCursor
    assert canvas.view == view


def test_a_line_that_is_held_when_it_goes_is_let_go_of(window, qtbot):
    canvas = window.canvas
    press_split(window, qtbot)
    held = Qt.MouseButton.LeftButton
    middle, high = canvas.width() / 2, canvas.height() / 2
    mouse(canvas, QEvent.Type.MouseButtonPress, (middle, high), held, held)
    press(window, qtbot)
    mouse(canvas, QEvent.Type.MouseMove, (middle + 80, high), Qt.MouseButton.NoButton, held)
    mouse(
        canvas, QEvent.Type.MouseButtonRelease, (middle + 80, high), held, Qt.MouseButton.NoButton
    )
    assert canvas.line_share == 0.5


def test_another_method_is_subtracted_as_soon_as_it_is_there_and_not_from_itself(window, qtbot):
    canvas = window.canvas
    press(window, qtbot)
    slow_down(canvas._pane, 0.2)
    black = []
    for signal in (canvas.frame_shown, canvas.beside_shown):
        signal.connect(lambda _: black.append(not shown(canvas).any()))
    window.menus.actions["method.nearest"].trigger()
    wait_until_idle(qtbot, window)
    assert canvas.scene_beside.method == "kernel" and canvas.scene.method == "nearest"
    assert np.abs(shown(canvas) - expected(canvas)).max() <= 1
    assert black and not any(black)
    assert canvas.difference_text == "|Kernel interpolation − Nearest neighbour| × 8"


def test_the_held_key_shows_the_other_method_as_it_is(window, qtbot):
    canvas = window.canvas
    press(window, qtbot)
    difference, bicubic = shown(canvas), alone(canvas.scene_beside, canvas.view)
    QTest.keyPress(canvas, Qt.Key.Key_X)
    assert np.array_equal(shown(canvas), difference), "until it is there"
    wait_until_idle(qtbot, window)
    assert np.array_equal(shown(canvas), bicubic)
    assert np.array_equal(screenshot(canvas).astype(int), bicubic), "without a line"
    assert ticked(window) == (True, True)
    QTest.keyRelease(canvas, Qt.Key.Key_X)
    assert np.array_equal(shown(canvas), difference)
    wait_until_idle(qtbot, window)
    assert np.array_equal(shown(canvas), difference)


def test_how_much_it_is_amplified_is_chosen_and_kept(make_window, window, qtbot):
    canvas, actions = window.canvas, window.menus.actions
    assert actions["gain.8"].isChecked()
    press(window, qtbot)
    for gain in (1, 32):
        actions[f"gain.{gain}"].trigger()
        assert np.abs(shown(canvas) - expected(canvas, gain)).max() <= 1, "at once"
    assert canvas.difference_text == "|Bicubic − Kernel interpolation| × 32"
    window.close()
    again = make_window()
    assert again.settings.gain == 32 and again.menus.actions["gain.32"].isChecked()
    assert not again.menus.actions["field.difference"].isChecked()


@pytest.mark.parametrize("gain", [3, 0, True, "8", None])
def test_settings_know_only_these_gains(gain):
    with pytest.raises(ValueError, match="gain"):
        Settings().changed(gain=gain)


def test_the_plate_says_what_is_seen(window, qtbot):
    canvas = window.canvas
    press(window, qtbot)
    assert canvas.difference_text == "|Bicubic − Kernel interpolation| × 8"
    window.menus.actions["gain.1"].trigger()  # dark enough
    assert canvas.difference_text == "|Bicubic − Kernel interpolation|"
    seen = screenshot(canvas)
    width = canvas.view.size[0]
    bright = (seen[:44] > 180).all(2) & (shown(canvas)[:44] < 100).all(2)
    columns = np.flatnonzero(bright.any(0))
    assert bright.sum() > 100, "white letters"
    assert abs((columns[0] + columns[-1]) / 2 - width / 2) < 12, "in the middle"
    go(window, qtbot, canvas.view.set_scale(0.5))
    window.menus.actions["gain.8"].trigger()
    assert canvas.difference_text == (
        "|Bicubic − the picture| × 8; Kernel interpolation from 100 %"
    )
    assert np.abs(shown(canvas) - expected(canvas)).max() <= 1


def test_where_there_is_hardly_a_difference_it_is_said_why(window, qtbot):
    press(window, qtbot)
    assert "Field menu" in window.status.message
    press(window, qtbot)
    go(window, qtbot, window.canvas.view.at_scale(1.0))
    press(window, qtbot)
    assert "zoom in" in window.status.message


def test_below_100_percent_methods_that_show_the_picture_do_not_differ(
    make_window, qtbot, tmp_path
):
    pytest.importorskip("torch")
    window = make_window(Settings(method="kernel"))
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png", 90, 60))
    go(window, qtbot, window.canvas.view.at_scale(0.5))
    window.menus.actions["method.gaussiansr"].trigger()
    press(window, qtbot)
    assert window.canvas.difference_text == (
        "The picture on both sides; |Kernel interpolation − GaussianSR| × 8 from 100 %"
    )
    assert not shown(window.canvas).any()


def test_what_is_said_of_a_difference():
    names, exact, near = ("A", "B"), ("", ""), (False, False)
    assert difference_text(names, exact, near, 8) == "|A − B| × 8"
    assert difference_text(names, exact, near, 1) == "|A − B|"
    assert difference_text(names, ("", "preview 1/4"), near, 2) == "|A − B| × 2  preview 1/4"
    assert difference_text(names, ("…", "…"), near, 2) == "|A − B| × 2  …"
    assert difference_text(names, ("…", "built: 3 %"), near, 2) == "|A − B| × 2  …  built: 3 %"
    afar = difference_text(names, exact, (True, False), 2)
    assert afar == "|the picture − B| × 2; A from 100 %"


def test_a_cut_out_is_subtracted_as_it_is_seen_and_its_ground_is_black(
    make_window, qtbot, tmp_path
):
    window = make_window()
    canvas = window.canvas
    y, x = np.mgrid[:48, :64]
    cut_out = np.random.default_rng(3).integers(0, 256, (48, 64, 4), np.uint8)
    cut_out[..., 3] = np.where(np.hypot(y - 23.5, x - 31.5) < 18, np.where(y < 24, 255, 128), 0)
    Image.fromarray(cut_out).save(tmp_path / "a.png")
    open_and_wait(qtbot, window, tmp_path / "a.png")
    go(window, qtbot, canvas.view.at_scale(9.3))
    press(window, qtbot)
    seen = shown(canvas)
    assert np.abs(seen - expected(canvas, plain=True)).max() <= 1
    assert not seen[:20, :20].any() and seen.any(), "no squares of a checkerboard"
    # Nor where alpha differs: there the squares' two greys would be let through by unlike parts.
    assert np.abs(seen - expected(canvas)).max() > 20
    # While the view moves neither, though coarse frames have squares of other sizes.
    ground = []
    canvas.frame_shown.connect(lambda _: ground.append(shown(canvas)[:12, :12].any()))
    canvas._pane.worker.pacing.level = lambda request, waited=0.0: 4 if request.moving else 1
    for step in range(12):
        canvas.set_view(canvas.view.zoom_at(1.02, (200.0, 200.0)).pan_by(6, step % 3))
        QTest.qWait(15)
    wait_until_idle(qtbot, window)
    assert ground and not any(ground)


def test_copied_is_what_is_seen(make_window, qtbot, tmp_path):
    window = make_window()
    cut_out = np.random.default_rng(3).integers(0, 256, (48, 64, 4), np.uint8)
    Image.fromarray(cut_out).save(tmp_path / "a.png")
    open_and_wait(qtbot, window, tmp_path / "a.png")
    press(window, qtbot)
    window.activateWindow()
    qtbot.waitActive(window)
    QTest.keyClick(window.canvas, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: not window.copier.running, timeout=30_000)
    image = QGuiApplication.clipboard().image()
    assert not image.hasAlphaChannel() and "transparency" not in window.status.message
    assert np.array_equal(pixels(image).astype(int), shown(window.canvas))
    assert shown(window.canvas).any()


def test_the_status_bar_tells_the_difference_under_the_cursor(window, qtbot):
    canvas, status = window.canvas, window.status
    press(window, qtbot)
    mouse(canvas, QEvent.Type.MouseMove, (201.0, 133.0))
    apart = " ".join(str(v) for v in expected(canvas, 1)[133, 201])
    qtbot.waitUntil(lambda: status.field.text == apart)
    assert "differ" in status.field.toolTip() and status.source.text
    press(window, qtbot)
    mouse(canvas, QEvent.Type.MouseMove, (202.0, 133.0))
    qtbot.waitUntil(lambda: status.field.text not in (apart, "", "–"))
    assert "Gaussian" in status.field.toolTip()


def test_how_near_a_method_comes_to_the_original_is_still_to_be_read(make_window, qtbot, tmp_path):
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png", 480, 320))
    press(window, qtbot)
    window.menus.actions["reduced.2"].trigger()
    wait_until_idle(qtbot, window, lambda: window.session.document.extent == (160, 240))
    canvas = window.canvas
    assert canvas.differs
    go(window, qtbot, canvas.view.at_scale(2.0))
    qtbot.waitUntil(lambda: "dB" in canvas.difference_text, timeout=30_000)
    text = canvas.difference_text
    assert text.startswith("|Original − Kernel interpolation| × 8  ") and text.endswith(" dB")
    assert np.abs(shown(canvas) - expected(canvas)).max() <= 1
    # The original stays beside the copy, as it was opened; but the picture itself was not split.
    press(window, qtbot)
    assert ticked(window) == (True, False) and canvas.line_shown
    window.menus.actions["reduced.1"].trigger()
    wait_until_idle(qtbot, window, lambda: window.session.document.extent == (320, 480))
    assert ticked(window) == (False, False) and not canvas.split


def test_the_next_picture_is_shown_so_too_and_a_field_file_plainly(window, qtbot, tmp_path):
    canvas = window.canvas
    press(window, qtbot)
    open_and_wait(qtbot, window, save_picture(tmp_path / "b.png", 90, 70, seed=2))
    wait_until_idle(qtbot, window, lambda: window.session.document.extent == (70, 90))
    assert np.abs(shown(canvas) - expected(canvas)).max() <= 1
    path = tmp_path / "f.safetensors"
    build_field(np.full((20, 30, 3), 0.5, np.float32), method="kernel").save(path)
    open_and_wait(qtbot, window, path)
    wait_until_idle(qtbot, window, lambda: window.session.document.extent == (20, 30))
    assert np.abs(shown(canvas)[20:-20, 20:-20] - 128).max() <= 2
    window.menus.actions["file.close"].trigger()
    open_and_wait(qtbot, window, tmp_path / "a.png")
    assert canvas.differs and ticked(window) == (True, True)


def test_a_field_file_has_no_difference_to_show(make_window, qtbot, tmp_path):
    path = tmp_path / "f.safetensors"
    build_field(np.zeros((20, 30, 3), np.float32), method="kernel").save(path)
    window = make_window()
    open_and_wait(qtbot, window, path)
    press(window, qtbot)
    assert ticked(window) == (False, False) and not window.canvas.split
    assert window.status.message == "A field file has no other method to be compared with"


def test_marks_and_the_grid_are_drawn_over_it(window, qtbot):
    press(window, qtbot)
    plain = screenshot(window.canvas)
    window.menus.actions["overlay.centres"].trigger()
    wait_until_idle(qtbot, window)
    marked = screenshot(window.canvas)
    column = window.canvas.view.size[0] // 2
    for part in (np.s_[60:, : column - 20], np.s_[60:, column + 20 :]):
        assert not np.array_equal(marked[part], plain[part])


@pytest.mark.parametrize("factor", ["1.25", "2"])
def test_a_pixel_of_the_screen_is_one_of_the_difference(factor):
    found = told_by("tests.difference_probe", QT_SCALE_FACTOR=factor, QT_QPA_PLATFORM="offscreen")
    assert found["ratio"] == float(factor)
    assert found["off"] <= 1 and found["brightest"] > 50, json.dumps(found)
    assert 150 < found["plate"] < 300


def test_squares_are_back_where_a_cut_out_is_seen_and_not_subtracted(make_window, qtbot, tmp_path):
    window = make_window()
    canvas = window.canvas
    cut_out = np.random.default_rng(3).integers(0, 256, (48, 64, 4), np.uint8)
    Image.fromarray(cut_out).save(tmp_path / "a.png")
    open_and_wait(qtbot, window, tmp_path / "a.png")
    go(window, qtbot, canvas.view.at_scale(9.3))
    plain = shown(canvas)
    press(window, qtbot)
    other = alone(canvas.scene_beside, canvas.view)
    difference = shown(canvas)
    QTest.keyPress(canvas, Qt.Key.Key_X)
    wait_until_idle(qtbot, window)
    assert np.array_equal(shown(canvas), other)
    QTest.keyRelease(canvas, Qt.Key.Key_X)
    wait_until_idle(qtbot, window)
    assert np.array_equal(shown(canvas), difference)
    # A pan takes nothing of a frame on squares.
    press(window, qtbot, Qt.Key.Key_Left, Qt.KeyboardModifier.NoModifier)
    assert np.abs(shown(canvas) - expected(canvas, plain=True)).max() <= 16
    press(window, qtbot, Qt.Key.Key_Right, Qt.KeyboardModifier.NoModifier)
    press(window, qtbot)
    assert np.array_equal(shown(canvas), plain)
    assert not np.array_equal(plain, alone(canvas.scene, canvas.view, plain=True))


def test_what_is_said_of_two_methods_goes_with_them(window, qtbot):
    press_split(window, qtbot)
    assert "Drag the line" in window.status.message
    press(window, qtbot)
    assert "amplified" in window.status.message
    press(window, qtbot)
    assert window.status.message == ""
    press_split(window, qtbot)
    press_split(window, qtbot)
    assert "Drag the line" in window.status.message
    press_split(window, qtbot)
    assert window.status.message == ""
