"""The canvas with real events, offscreen, over a renderer whose pixels say where they are."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QPointingDevice
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from gaussian_core.errors import Cancelled
from tests.canvas_helpers import (
    BACKGROUND,
    BACKGROUND_RGB,
    CountingRenderer,
    drag,
    mouse,
    overview,
    pinch,
    pixels,
    screenshot,
    wheel,
)
from tests.clock import Clock
from tests.threads import left_running
from viewer.model.frames.pan_reuse import PanningRenderer
from viewer.model.frames.scene import Scene
from viewer.ui.canvas.canvas import Canvas


@pytest.fixture
def make(qtbot):
    made = []
    before = set(threading.enumerate())

    def build(extent=(300, 400), size=(320, 240), seconds=0.0, **options):
        renderer = CountingRenderer(seconds)
        canvas = Canvas(render=renderer, prepare=lambda: None, **options)
        qtbot.addWidget(canvas)
        canvas.set_background(BACKGROUND)
        canvas.set_glide(0.0)
        canvas.resize(*size)
        canvas.show()
        qtbot.waitExposed(canvas)
        if extent is not None:
            canvas.set_scene(Scene(extent))
            qtbot.waitUntil(canvas.is_idle)
        made.append(canvas)
        return canvas, renderer

    yield build
    for canvas in made:
        canvas.shutdown()
    assert not left_running(before)


def test_a_picture_opens_whole_and_centred_over_the_background(make):
    canvas, _ = make(extent=(300, 800), size=(320, 240))
    assert canvas.view.scale == pytest.approx(0.4)
    shown = screenshot(canvas)
    assert tuple(shown[5, 160]) == BACKGROUND_RGB
    assert tuple(shown[235, 160]) == BACKGROUND_RGB
    assert shown[120, 160, 2] == 128


def test_every_shown_pixel_is_the_one_rendered_for_it(make, qtbot):
    canvas, _ = make()
    canvas.set_view(canvas.view.set_scale(7.3, (33.0, 57.0)))
    qtbot.waitUntil(canvas.is_idle)
    shown = screenshot(canvas)
    xs, ys = canvas.view.viewport.pixel_centres()
    assert np.array_equal(shown[..., 0], np.broadcast_to(np.floor(xs) % 256, (240, 320)))
    assert np.array_equal(shown[..., 1], np.broadcast_to((np.floor(ys) % 256)[:, None], (240, 320)))


def test_the_picture_ends_on_a_pixel_edge_and_the_background_begins(make, qtbot):
    canvas, _ = make(extent=(20, 30), size=(320, 240))
    canvas.set_view(canvas.view.centred(5.37))
    qtbot.waitUntil(canvas.is_idle)
    shown = screenshot(canvas)
    left, top, right, bottom = canvas.view.picture_rect
    inside = shown[..., 2] == 128
    assert inside[top:bottom, left:right].all()
    assert inside.sum() == (right - left) * (bottom - top)
    assert (shown[~inside] == BACKGROUND_RGB).all()


@pytest.mark.parametrize("way", ["closed", "the next one is read"])
def test_a_frame_of_a_picture_that_has_gone_is_not_drawn_to_its_end(make, qtbot, way):
    """By a network or a fit it would take a minute, and hold the picture for as long."""
    canvas, renderer = make(seconds=600.0, extent=None)
    canvas.set_scene(Scene((300, 400)))
    qtbot.waitUntil(lambda: bool(renderer.threads))
    if way == "closed":
        canvas.set_scene(None)
    else:
        canvas.set_overview(overview(40, 30), (400, 300))
    qtbot.waitUntil(canvas.is_idle)
    assert renderer.cancelled == 1 and not renderer.frames


def test_a_side_that_is_shown_no_longer_is_not_drawn_to_its_end(make, qtbot):
    canvas, renderer = make()
    slow = CountingRenderer(600.0)
    canvas._panes.left.worker._render = slow
    canvas.set_beside(Scene((300, 400)))
    qtbot.waitUntil(lambda: bool(slow.threads))
    canvas.set_beside(None)
    qtbot.waitUntil(canvas.is_idle)
    assert slow.cancelled == 1 and not slow.frames


@pytest.mark.parametrize("at", [(10.0, 10.0), (200.5, 120.25), (319.0, 239.0)])
def test_the_wheel_zooms_at_the_cursor_and_at_once(make, at):
    canvas, _ = make()
    canvas.set_view(canvas.view.set_scale(3.0))
    middle = np.floor(at) + 0.5  # of the screen's pixel under the cursor
    before = canvas.view.to_source(*middle)
    wheel(canvas, at, 120)
    assert canvas.view.scale == pytest.approx(3.0 * 2 ** (1 / 8))
    assert canvas.view.to_device(*before) == pytest.approx(tuple(middle), abs=1e-6)


def test_a_notch_in_eight_pieces_is_a_notch(make):
    canvas, _ = make()
    canvas.set_view(canvas.view.set_scale(3.0))
    for _ in range(8):
        wheel(canvas, (50, 60), 15)
    assert canvas.view.scale == pytest.approx(3.0 * 2 ** (1 / 8), rel=1e-12)


def test_shift_is_finer_ctrl_coarser_and_sideways_nothing(make):
    canvas, _ = make()
    start = canvas.view.set_scale(2.0)
    for modifier, factor in (
        (Qt.KeyboardModifier.ShiftModifier, 2 ** (1 / 64)),
        (Qt.KeyboardModifier.ControlModifier, 2.0),
    ):
        canvas.set_view(start)
        wheel(canvas, (50, 60), 120, modifiers=modifier)
        assert canvas.view.scale == pytest.approx(2.0 * factor)
    canvas.set_view(start)
    wheel(canvas, (50, 60), (120, 0))
    wheel(canvas, (50, 60), (0, 0))
    assert canvas.view == start


def test_two_fingers_pan_and_the_setting_flips_it(make):
    canvas, _ = make()
    pad = QPointingDevice(
        "pad",
        77,
        QPointingDevice.DeviceType.TouchPad,
        QPointingDevice.PointerType.Finger,
        QPointingDevice.Capability.Scroll,
        2,
        3,
    )
    phase = Qt.ScrollPhase.ScrollUpdate
    canvas.set_view(canvas.view.set_scale(2.0))
    x, y = canvas.view.origin
    wheel(canvas, (50, 60), (16, 24), pixel=(8, 12), phase=phase, device=pad)
    assert canvas.view.scale == 2.0
    assert canvas.view.origin == pytest.approx((x - 4, y - 6))
    canvas.set_touchpad_pans(False)
    wheel(canvas, (50, 60), (0, 24), pixel=(0, 12), phase=phase, device=pad)
    assert canvas.view.scale > 2.0


def test_a_pinch_zooms_about_the_fingers_whatever_its_local_position_says(make):
    canvas, _ = make()
    canvas.set_view(canvas.view.set_scale(2.0))
    before = canvas.view.to_source(200.5, 100.5)
    pinch(canvas, (200, 100), 0.05)
    assert canvas.view.scale == pytest.approx(2.1)
    assert canvas.view.to_device(*before) == pytest.approx((200.5, 100.5), abs=1e-6)


@pytest.mark.parametrize("button", [Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton])
def test_dragging_moves_the_picture_with_the_cursor(make, button):
    canvas, _ = make()
    canvas.set_view(canvas.view.set_scale(4.0))
    grabbed = canvas.view.to_source(100, 100)
    drag(canvas, (100, 100), (70, 131), button)
    assert canvas.view.to_device(*grabbed) == pytest.approx((70, 131), abs=1e-6)


def test_the_overview_fills_what_the_frame_does_not_cover(make, qtbot):
    canvas, renderer = make(extent=None)
    canvas.set_overview(overview(40, 30), (400, 300))
    assert tuple(screenshot(canvas)[120, 160]) == (200, 0, 200), "before any frame"
    canvas.set_scene(Scene((300, 400)))
    canvas.set_view(canvas.view.set_scale(6.0))
    qtbot.waitUntil(canvas.is_idle)
    renderer.seconds = 30.0
    canvas.set_view(canvas.view.fit())
    shown = screenshot(canvas)
    assert tuple(shown[20, 20]) == (200, 0, 200), "zoomed out: uncovered parts show the overview"
    assert shown[120, 160, 2] == 128, "and the old frame stays where it belongs"
    background = np.array(BACKGROUND_RGB)
    left, top, right, bottom = canvas.view.picture_rect
    assert not (shown[top:bottom, left:right] == background).all(-1).any(), "no holes"


def test_a_stale_frame_lies_under_the_relative_transform(make, qtbot):
    canvas, renderer = make(extent=(200, 200), size=(200, 200))
    canvas.set_view(canvas.view.set_scale(1.0))
    qtbot.waitUntil(canvas.is_idle)
    renderer.seconds = 30.0
    canvas.set_view(canvas.view.set_scale(4.0, (50.0, 80.0)))
    shown = screenshot(canvas).astype(float)
    xs, ys = canvas.view.viewport.pixel_centres()
    # Smoothly scaled counts of the columns are the source coordinate itself, less half a pixel.
    assert np.abs(shown[100, 8:-8, 0] - (xs[8:-8] - 0.5)).max() < 1.0
    assert np.abs(shown[8:-8, 100, 1] - (ys[8:-8] - 0.5)).max() < 1.0


def test_thirty_wheel_events_end_on_the_last_state_without_a_queue(make, qtbot):
    canvas, renderer = make(seconds=0.05)
    renderer.frames.clear()
    for _ in range(30):
        wheel(canvas, (150, 110), 120)
    last = canvas.view
    qtbot.waitUntil(canvas.is_idle)
    assert renderer.frames[-1] == (last, 1)
    assert len(renderer.frames) <= 4
    assert canvas._pane.frame is not None and canvas._pane.frame.view == last


def test_a_steady_spin_still_shows_new_frames(make, qtbot):
    canvas, renderer = make()
    canvas.set_coarse_first(False)
    shown: list[object] = []
    canvas.frame_shown.connect(shown.append)
    turns = 0

    def as_long_as_six_turns(scene, view, level, stop, *arguments, **options):
        end = turns + 6
        while True:
            if stop():
                raise Cancelled
            if turns >= end:
                return renderer(scene, view, level, stop, *arguments, **options)
            time.sleep(0.001)

    canvas._pane.worker._render = as_long_as_six_turns

    def spins() -> bool:
        nonlocal turns
        wheel(canvas, (150, 110), 15 if turns % 40 < 20 else -15)
        turns += 1
        return len(shown) >= 4

    qtbot.waitUntil(spins)


def test_a_slow_view_shows_a_coarser_frame_first_and_the_full_one_at_rest(make, qtbot):
    canvas, renderer = make(seconds=0.09)
    shown = []
    canvas.frame_shown.connect(lambda frame: shown.append((frame.level, frame.exact, frame.view)))
    wheel(canvas, (150, 110), 15)
    qtbot.waitUntil(canvas.is_idle)
    assert shown[0] == (2, False, canvas.view)
    assert shown[-1] == (1, True, canvas.view)
    canvas.set_coarse_first(False)
    shown.clear()
    wheel(canvas, (150, 110), 15)
    qtbot.waitUntil(canvas.is_idle)
    assert [level for level, _, _ in shown] == [1]


def test_a_drag_stays_sharp_where_a_full_frame_would_be_too_slow(make, qtbot):
    canvas, renderer = make(seconds=0.09)
    slow = canvas._pane.worker._render
    canvas._pane.worker._render = PanningRenderer(slow)
    canvas.set_view(canvas.view.set_scale(4.0))
    qtbot.waitUntil(canvas.is_idle)
    wheel(canvas, (150, 110), 15)
    qtbot.waitUntil(canvas.is_idle)
    renderer.seconds = 0.01
    shown = []
    canvas.frame_shown.connect(lambda frame: shown.append(frame.level))
    for step in range(5):
        drag(canvas, (100, 100), (103 + step, 98))
        qtbot.waitUntil(canvas.is_idle)
    assert set(shown) == {1}
    renderer.seconds = 0.09
    shown.clear()
    wheel(canvas, (150, 110), 15)
    qtbot.waitUntil(canvas.is_idle)
    assert shown[0] > 1, "the cheap frames were not taken for the cost of a full one"


def test_resizing_keeps_the_middle_and_a_fitted_view_fits_again(make):
    canvas, _ = make(extent=(300, 800))
    canvas.resize(500, 400)
    QApplication.processEvents()
    assert canvas.view.scale == pytest.approx(500 / 800)
    canvas.set_view(canvas.view.set_scale(9.0, (20, 20)))
    middle = canvas.view.to_source(250, 200)
    canvas.resize(411, 333)
    QApplication.processEvents()
    # An aligned view stays aligned: within half a device pixel.
    assert canvas.view.to_source(411 / 2, 333 / 2) == pytest.approx(middle, abs=0.51 / 9)


def test_commands_glide_and_the_wheel_takes_over_from_where_it_is(make):
    clock = Clock()
    canvas, _ = make(clock=clock)
    canvas.set_view(canvas.view.set_scale(2.0))
    canvas.set_glide(0.15)
    canvas.zoom_to(8.0)
    assert canvas.view.scale == 2.0
    clock.now += 0.05
    canvas.advance()
    part_way = canvas.view
    assert 2.0 < part_way.scale < 8.0
    assert not canvas.is_idle()
    wheel(canvas, (160, 120), 120)
    assert canvas.view.scale == pytest.approx(part_way.scale * 2 ** (1 / 8))
    clock.now += 1.0
    canvas.advance()
    assert canvas.view.scale == pytest.approx(part_way.scale * 2 ** (1 / 8))


def test_presses_of_a_key_during_a_glide_add_up(make):
    clock = Clock()
    canvas, _ = make(clock=clock)
    canvas.set_view(canvas.view.set_scale(2.0))
    canvas.set_glide(0.15)
    for _ in range(4):
        canvas.zoom_in()
        clock.now += 0.02
        canvas.advance()
    clock.now += 1.0
    canvas.advance()
    assert canvas.view.scale == pytest.approx(8.0)


def test_the_cursor_tells_source_coordinates(make, qtbot):
    canvas, _ = make()
    canvas.set_view(canvas.view.set_scale(4.0))
    with qtbot.waitSignal(canvas.cursor_moved) as moved:
        mouse(
            canvas,
            QEvent.Type.MouseMove,
            (17, 23),
            Qt.MouseButton.NoButton,
            Qt.MouseButton.NoButton,
        )
    assert moved.args == pytest.approx(canvas.view.to_source(17.5, 23.5)), "the pixel's middle"
    with qtbot.waitSignal(canvas.cursor_left):
        QApplication.sendEvent(canvas, QEvent(QEvent.Type.Leave))


def test_grab_frame_is_the_picture_alone(make, qtbot):
    canvas, _ = make(extent=(20, 30), size=(320, 240))
    canvas.set_view(canvas.view.centred(5.0))
    qtbot.waitUntil(canvas.is_idle)
    image = canvas.grab_frame()
    assert (image.width(), image.height()) == (150, 100)
    assert (pixels(image)[..., 2] == 128).all()


def test_another_picture_starts_anew_and_drops_the_frames_of_the_old_one(make, qtbot):
    canvas, renderer = make()
    canvas.set_view(canvas.view.set_scale(6.0))
    renderer.seconds = 0.2
    canvas.zoom_in()
    canvas.set_scene(Scene((100, 900)))
    seen = []
    canvas.frame_shown.connect(lambda frame: seen.append(frame.view.extent))
    qtbot.waitUntil(canvas.is_idle)
    assert canvas.view.follow == "fit"
    assert set(seen) == {(100, 900)}
    kept = canvas.view.set_scale(5.0)
    canvas.set_view(kept)
    canvas.keep_view_next(True)
    canvas.set_scene(Scene((100, 900)))
    assert canvas.view == kept


def test_under_a_resting_cursor_another_picture_is_told_of_at_once(make, qtbot):
    canvas, _ = make()
    mouse(canvas, QEvent.Type.MouseMove, (31, 47))
    with qtbot.waitSignal(canvas.cursor_moved) as moved:
        canvas.set_scene(Scene((100, 900)))
    assert moved.args == pytest.approx(canvas.view.to_source(31.5, 47.5))


@pytest.mark.parametrize(
    ("extent", "then"), [((600, 700), 1.0), ((240, 320), 4.0), ((180, 190), 4.0), ((40, 50), None)]
)
def test_a_double_click_leads_closer_and_back_to_fit(make, qtbot, extent, then):
    canvas, _ = make(extent=extent, size=(320, 240))
    canvas.set_glide(0.0)
    canvas.fit()
    left, fit = Qt.MouseButton.LeftButton, canvas.view.scale
    mouse(canvas, QEvent.Type.MouseButtonDblClick, (50, 60), left, left)
    assert canvas.view.scale == pytest.approx(then or 4 * fit)
    mouse(canvas, QEvent.Type.MouseButtonDblClick, (50, 60), left, left)
    assert canvas.view.follow == "fit"


def test_rendering_waits_for_the_kernels_and_the_window_does_not(qtbot):
    warm = threading.Event()

    def prepare() -> None:
        warm.wait(5.0)

    renderer = CountingRenderer()
    canvas = Canvas(render=renderer, prepare=prepare)
    qtbot.addWidget(canvas)
    canvas.resize(200, 150)
    canvas.show()
    canvas.set_overview(overview(40, 30), (400, 300))
    canvas.set_scene(Scene((300, 400)))
    wheel(canvas, (50, 50), 120)
    assert tuple(screenshot(canvas)[75, 100]) == (200, 0, 200)
    assert not renderer.frames and not canvas.is_idle()
    warm.set()
    qtbot.waitUntil(canvas.is_idle)
    assert renderer.frames[-1] == (canvas.view, 1)
    assert renderer.threads == {"frames"}
    canvas.shutdown()


def test_closing_ends_a_long_frame(make, qtbot):
    canvas, renderer = make()
    renderer.seconds = 600.0
    canvas.zoom_in()
    canvas.close()
    assert not left_running(name="frames")


def test_a_renderer_that_fails_says_so_and_the_next_view_is_tried(make, qtbot):
    canvas, renderer = make()
    broken = canvas._pane.worker._render

    def fail(*arguments, **options):
        raise ValueError("no such thing")

    canvas._pane.worker._render = fail
    with qtbot.waitSignal(canvas.failed) as message:
        canvas.zoom_in()
    assert "no such thing" in message.args[0]
    canvas._pane.worker._render = broken
    canvas.zoom_in()
    qtbot.waitUntil(canvas.is_idle)
    assert renderer.frames[-1][0] == canvas.view


def test_frames_never_share_the_pixels_on_screen(make, qtbot):
    canvas, renderer = make()
    for _ in range(12):
        wheel(canvas, (150, 110), 60)
        qtbot.waitUntil(canvas.is_idle)
        shown = canvas._pane.frame.bgrx
        for free in canvas._pane.worker.buffers._free:
            assert not np.shares_memory(shown, free)
    assert len(canvas._pane.worker.buffers._free) <= 3


def test_nothing_open_paints_the_background_and_survives_every_event(make):
    canvas, _ = make(extent=None)
    wheel(canvas, (10, 10), 120)
    drag(canvas, (10, 10), (50, 60))
    pinch(canvas, (10, 10), 0.1)
    canvas.fit()
    canvas.zoom_in()
    canvas.pan(10, 10)
    assert canvas.is_idle()
    assert canvas.grab_frame().isNull()
    assert (screenshot(canvas) == BACKGROUND_RGB).all()


def test_zooming_out_of_a_picture_without_an_overview_shows_no_holes(make, qtbot):
    canvas, renderer = make()
    canvas.set_view(canvas.view.set_scale(6.0))
    qtbot.waitUntil(canvas.is_idle)
    renderer.seconds = 30.0
    canvas.set_view(canvas.view.fit())
    left, top, right, bottom = canvas.view.picture_rect
    assert (screenshot(canvas)[top:bottom, left:right, 2] == 128).all()


def test_two_fingers_on_a_touch_screen_pinch_about_their_middle(make):
    canvas, _ = make()
    canvas.set_view(canvas.view.set_scale(2.0))
    screen = QTest.createTouchDevice()
    corner = canvas.mapToGlobal(QPoint(0, 0))  # QTest takes its points for global ones

    def places(step: int) -> tuple[QPoint, QPoint]:
        return corner + QPoint(140 - 2 * step, 120), corner + QPoint(180 + 2 * step, 120)

    middle = canvas.view.to_source(160.0, 120.0)
    left, right = places(0)
    QTest.touchEvent(canvas, screen).press(0, left).press(1, right)
    for step in range(1, 31):
        left, right = places(step)
        QTest.touchEvent(canvas, screen).move(0, left).move(1, right)
    QTest.touchEvent(canvas, screen).release(0, left).release(1, right)
    assert canvas.view.scale == pytest.approx(8.0)
    assert canvas.view.to_device(*middle) == pytest.approx((160.0, 120.0), abs=1e-6)


def test_one_finger_drags_and_a_second_one_does_not_make_it_jump(make):
    canvas, _ = make()
    canvas.set_view(canvas.view.set_scale(2.0))
    touched = canvas.view.to_source(100.0, 100.0)
    screen = QTest.createTouchDevice()
    QTest.touchEvent(canvas, screen).press(0, QPoint(100, 100))
    QTest.touchEvent(canvas, screen).move(0, QPoint(130, 90))
    assert canvas.view.to_device(*touched) == pytest.approx((130.0, 90.0), abs=1e-6)
    QTest.touchEvent(canvas, screen).stationary(0).press(1, QPoint(10, 10))
    QTest.touchEvent(canvas, screen).release(0, QPoint(130, 90)).stationary(1)
    QTest.touchEvent(canvas, screen).release(1, QPoint(10, 10))
    assert canvas.view.to_device(*touched) == pytest.approx((130.0, 90.0), abs=1e-6)
    assert canvas.view.scale == 2.0


def test_two_hundred_notches_in_and_out_leave_the_point_under_the_cursor_where_it_was(make):
    canvas, _ = make(extent=(3000, 4000))
    canvas.set_view(canvas.view.set_scale(0.9))
    before = canvas.view.to_source(77.5, 161.5)
    for notch in (120,) * 100 + (-120,) * 100:
        wheel(canvas, (77, 161), notch)
        assert canvas.view.to_device(*before) == pytest.approx((77.5, 161.5), abs=1e-4)
    assert canvas.view.scale == pytest.approx(1000 * 2 ** (-100 / 8)), "1000 is the closest"


def test_back_at_100_percent_by_the_wheel_the_picture_is_the_file_again(make, qtbot):
    canvas, _ = make(extent=(3000, 4000))
    canvas.zoom_to(1.0)
    for _ in range(5):
        wheel(canvas, (77, 161), 120)
    for _ in range(5):
        wheel(canvas, (200, 31), -120)
    assert canvas.view.scale == 1.0 and canvas.view.is_aligned
    qtbot.waitUntil(canvas.is_idle)
    x, y = (round(v) for v in canvas.view.origin)
    shown = screenshot(canvas)
    assert (shown[0, :, 0] == (x + np.arange(320)) % 256).all()
    assert (shown[:, 0, 1] == (y + np.arange(240)) % 256).all()


def test_two_fingers_pan_by_whole_pixels_and_lose_nothing(make):
    """Angles of a touchpad on X11 come to fractions of a pixel: at 100 % the picture would be blurred."""
    canvas, _ = make(extent=(3000, 4000))
    canvas.zoom_to(1.0)
    pad = QPointingDevice(
        "pad",
        7,
        QPointingDevice.DeviceType.TouchPad,
        QPointingDevice.PointerType.Generic,
        QPointingDevice.Capability.Scroll,
        2,
        1,
    )
    x, y = canvas.view.origin
    for step in range(1, 41):
        wheel(canvas, (50, 60), (-3, 5), device=pad)  # 1.5 and 2.5 logical pixels
        assert canvas.view.is_aligned
        assert abs(canvas.view.origin[0] - (x + 1.5 * step)) <= 0.5
    assert canvas.view.origin == (x + 60, y - 100)


def test_what_comes_after_the_fingers_were_lifted_stays_a_pan_and_ends_with_a_command(make):
    canvas, _ = make(extent=(3000, 4000))
    canvas.zoom_to(1.0)
    canvas.set_glide(0.15)
    update, after = Qt.ScrollPhase.ScrollUpdate, Qt.ScrollPhase.ScrollMomentum
    wheel(canvas, (50, 60), (0, -20), pixel=(0, -10), phase=update)
    x, y = canvas.view.origin
    ctrl = Qt.KeyboardModifier.ControlModifier
    wheel(canvas, (50, 60), (0, -16), pixel=(0, -8), phase=after, modifiers=ctrl)
    assert canvas.view.scale == 1.0 and canvas.view.origin == (x, y + 8)
    canvas.zoom_to(4.0)
    wheel(canvas, (50, 60), (0, -12), pixel=(0, -6), phase=after)
    assert canvas.target_view.scale == 4.0, "the glide goes on"
    wheel(canvas, (50, 60), (0, -12), pixel=(0, -6), phase=update)
    assert canvas.target_view.scale < 4.0, "fingers on the pad take over"


def test_a_button_that_a_dialog_saw_released_holds_nothing_any_more(make):
    canvas, _ = make()
    canvas.set_view(canvas.view.set_scale(4.0))
    left = Qt.MouseButton.LeftButton
    mouse(canvas, QEvent.Type.MouseButtonPress, (100, 100), left, left)
    before = canvas.view
    mouse(canvas, QEvent.Type.MouseMove, (150, 130))
    assert canvas.view == before
    assert canvas.cursor().shape() == Qt.CursorShape.ArrowCursor


def test_a_second_button_moves_nothing_and_clicks_nothing(make, qtbot):
    canvas, _ = make()
    canvas.set_view(canvas.view.set_scale(4.0))
    left, middle = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton
    grabbed = canvas.view.to_source(100, 100)
    with qtbot.assertNotEmitted(canvas.clicked):
        mouse(canvas, QEvent.Type.MouseButtonPress, (100, 100), middle, middle)
        mouse(canvas, QEvent.Type.MouseButtonPress, (100, 100), left, left | middle)
        mouse(canvas, QEvent.Type.MouseMove, (90, 95), buttons=left | middle)
        mouse(canvas, QEvent.Type.MouseButtonRelease, (90, 95), left, middle)
        mouse(canvas, QEvent.Type.MouseMove, (120, 80), buttons=middle)
        mouse(canvas, QEvent.Type.MouseButtonRelease, (120, 80), middle)
    assert canvas.view.to_device(*grabbed) == pytest.approx((120, 80), abs=1e-6)


def test_turning_the_wheel_while_a_button_is_down_is_no_click(make, qtbot):
    canvas, _ = make()
    left = Qt.MouseButton.LeftButton
    with qtbot.assertNotEmitted(canvas.clicked):
        mouse(canvas, QEvent.Type.MouseButtonPress, (100, 100), left, left)
        wheel(canvas, (100, 100))
        mouse(canvas, QEvent.Type.MouseButtonRelease, (100, 100), left)
    with qtbot.waitSignal(canvas.clicked):
        drag(canvas, (100, 100), (101, 100))


def test_a_click_is_on_what_was_pressed_on_though_the_picture_moved_with_the_mouse(make, qtbot):
    canvas, _ = make()
    canvas.set_view(canvas.view.set_scale(1.0))
    there = canvas.view.to_source(100, 100)
    with qtbot.waitSignal(canvas.clicked) as clicked:
        drag(canvas, (100, 100), (102, 101))
    assert clicked.args == pytest.approx(there)
    assert canvas.view.to_device(*there) == pytest.approx((102, 101))


def test_the_tip_of_a_pen_may_tremble(make, qtbot):
    canvas, _ = make()
    canvas.set_view(canvas.view.set_scale(4.0))
    before, there = canvas.view, canvas.view.to_source(100, 100)
    pen = QPointingDevice(
        "pen",
        78,
        QPointingDevice.DeviceType.Stylus,
        QPointingDevice.PointerType.Pen,
        QPointingDevice.Capability.Position | QPointingDevice.Capability.Pressure,
        1,
        1,
    )
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    with qtbot.waitSignal(canvas.clicked) as clicked:
        mouse(canvas, QEvent.Type.MouseButtonPress, (100, 100), left, left, pen)
        for at in ((103, 101), (105, 97), (100, 104)):
            mouse(canvas, QEvent.Type.MouseMove, at, none, left, pen)
        mouse(canvas, QEvent.Type.MouseButtonRelease, (104, 102), left, none, pen)
    assert clicked.args == pytest.approx(there)
    assert canvas.view == before
    with qtbot.assertNotEmitted(canvas.clicked):  # further is a drag
        mouse(canvas, QEvent.Type.MouseButtonPress, (100, 100), left, left, pen)
        mouse(canvas, QEvent.Type.MouseMove, (112, 100), none, left, pen)
        assert canvas.view == before, "it begins without a jump"
        mouse(canvas, QEvent.Type.MouseMove, (132, 100), none, left, pen)
        mouse(canvas, QEvent.Type.MouseButtonRelease, (132, 100), left, none, pen)
    assert canvas.view.origin[0] == pytest.approx(before.origin[0] - 5.0)


def test_dragging_a_corner_of_the_window_keeps_the_middle(make):
    canvas, _ = make(extent=(3000, 4000))
    canvas.zoom_to(1.0)
    middle = canvas.view.to_source(*canvas.view.centre)
    for side in range(1, 200):
        canvas.resize(320 + side, 240 + side)
        now = canvas.view.to_source(*canvas.view.centre)
        assert np.abs(np.subtract(now, middle)).max() <= 0.5
        assert canvas.view.is_aligned
    canvas.resize(320, 240)
    assert canvas.view.to_source(*canvas.view.centre) == middle


def test_a_tap_is_a_click_and_two_lead_closer(make, qtbot):
    canvas, _ = make()
    screen = QTest.createTouchDevice()
    touched = canvas.mapToGlobal(QPoint(100, 90))

    def tap() -> None:
        QTest.touchEvent(canvas, screen).press(0, touched)
        QTest.touchEvent(canvas, screen).release(0, touched)

    with qtbot.waitSignal(canvas.clicked) as clicked:
        tap()
    assert clicked.args == pytest.approx(canvas.view.to_source(100.0, 90.0))
    canvas.fit()
    tap()
    tap()
    assert canvas.view.scale == 1.0
    with qtbot.assertNotEmitted(canvas.clicked):
        QTest.touchEvent(canvas, screen).press(0, touched)
        QTest.touchEvent(canvas, screen).move(0, touched + QPoint(30, 0))
        QTest.touchEvent(canvas, screen).release(0, touched)


class BandedRenderer(CountingRenderer):
    """Renders rows one band after the other, each when the test lets it."""

    in_bands = True

    def __init__(self):
        super().__init__(0.0)
        self.turns = threading.Semaphore(0)
        self.stopped = 0

    def rows(self, scene, view, bands, show, stop=None, allocate=None, columns=None):
        whole = self(scene, view, 1, stop, allocate)
        first, end = whole.bgrx.shape[0], 0
        for low, high in bands[:-1]:
            first, end = min(first, low), max(end, high)
            rect = (whole.rect[0], whole.rect[1] + first, whole.rect[2], whole.rect[1] + end)
            show(replace(whole, bgrx=whole.bgrx[first:end], rect=rect))
            while not self.turns.acquire(timeout=0.01):
                if stop():
                    self.stopped += 1
                    whole.bgrx[...] = 0  # the memory is somebody else's from now on
                    raise Cancelled
        return whole


def test_a_slow_full_frame_is_shown_row_by_row_from_the_cursor_and_dropped_by_a_newer_view(
    make, qtbot
):
    canvas, _ = make()
    renderer = canvas._pane.worker._render = BandedRenderer()
    canvas.set_view(canvas.view.set_scale(4.0))
    qtbot.waitUntil(canvas.is_idle)
    shown = []
    canvas.frame_shown.connect(lambda frame: shown.append(frame.level))
    canvas._pane.worker.pacing.learn(canvas.view, 0.5)
    canvas._pane.worker.pacing.learn = lambda *_, **__: (
        None
    )  # this renderer takes no time of its own
    mouse(
        canvas, QEvent.Type.MouseMove, (100, 200), Qt.MouseButton.NoButton, Qt.MouseButton.NoButton
    )
    wheel(canvas, (100, 200), 15)
    qtbot.waitUntil(lambda: canvas._pane.rows is not None)
    assert shown[-1] > 1, "the coarse frame is there"
    _, y0, _, y1 = canvas._pane.rows.rect
    assert y0 <= canvas.view.to_source(100, 200)[1] <= y1
    grown = canvas._pane.rows
    renderer.turns.release()
    qtbot.waitUntil(lambda: canvas._pane.rows is not grown)
    assert canvas._pane.rows.rect[3] - canvas._pane.rows.rect[1] > y1 - y0
    wanted = pixels(canvas.grab_frame())

    # Another view: the rows go at once, before their memory is written.
    wheel(canvas, (100, 200), 15)
    assert canvas._pane.rows is None
    qtbot.waitUntil(lambda: renderer.stopped == 1)
    qtbot.waitUntil(lambda: canvas._pane.rows is not None)
    assert pixels(canvas.grab_frame()).shape == wanted.shape
    renderer.turns.release(100)
    qtbot.waitUntil(canvas.is_idle)
    assert canvas._pane.rows is None
    assert shown[-1] == 1
    viewport = canvas.view.picture_rect
    rows, columns = screenshot(canvas).shape[:2]
    assert (columns, rows) == (viewport[2] - viewport[0], viewport[3] - viewport[1])
    xs = np.floor([canvas.view.to_source(k + 0.5, 0)[0] for k in range(columns)]).astype(int) % 256
    assert np.array_equal(screenshot(canvas)[100, :, 0], xs)
