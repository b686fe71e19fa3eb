"""Of a split view each side is rendered as far as it is seen, and the rest when the view rests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from gaussian_core.builder import build_field
from gaussian_core.images import Picture
from tests import canvas_helpers
from tests.canvas_helpers import pixels
from tests.window_helpers import seen_at_800_percent, wait_until_idle
from viewer.model.frames.frame_renderer import render_frame
from viewer.model.frames.frame_slot import FrameRequest
from viewer.model.frames.pacing import Pacing
from viewer.model.frames.pan_reuse import PanningRenderer
from viewer.model.frames.scene import Scene
from viewer.model.view.view_state import ViewState

VIEW = ViewState((60, 80), (300, 200), (10.0, 5.0), 4.0)


@pytest.fixture(scope="module")
def scene():
    image = np.random.default_rng(2).integers(0, 256, (60, 80, 3), np.uint8)
    return Scene((60, 80), tiles={"whole": build_field(Picture.from_array(image), "kernel")})


def test_columns_of_a_frame_are_those_of_the_whole_one(scene):
    whole = render_frame(scene, VIEW)
    left, top, right, bottom = VIEW.picture_rect
    part = render_frame(scene, VIEW, columns=(90, 230))
    assert part.rect == (90, top, 230, bottom)
    assert np.array_equal(part.bgrx, whole.bgrx[:, 90 - left : 230 - left])
    assert part.shows(VIEW, (100, 200)) and not part.shows(VIEW) and whole.shows(VIEW)
    coarse = render_frame(scene, VIEW, 4, columns=(90, 230))
    assert coarse.rect == part.rect and coarse.bgrx.shape[1] == 35
    assert render_frame(scene, replace(VIEW, origin=(40.0, 5.0)), columns=(200, 300)) is None


def test_what_is_there_of_a_view_is_not_rendered_again(scene):
    rendered = []

    def render(scene, view, level=1, stop=None, allocate=None, **limits):
        frame = render_frame(scene, view, level, stop, allocate, **limits)
        rendered.append(frame.rect[2] - frame.rect[0])
        return frame

    whole = render_frame(scene, VIEW)
    panning = PanningRenderer(render)
    panning(scene, VIEW, columns=(0, 180))
    frame = panning(scene, VIEW)
    assert frame.rect == whole.rect and np.array_equal(frame.bgrx, whole.bgrx)
    assert sum(rendered) == whole.rect[2] - whole.rect[0]
    # A pan of a side, too, renders what came into view of that side.
    rendered.clear()
    moved = VIEW.pan_by(-20, 0)
    panning(scene, VIEW.pan_by(-10, 0), columns=(0, 180))
    frame = panning(scene, moved, columns=(0, 180))
    assert sum(rendered) <= 20
    assert (
        np.abs(frame.bgrx.astype(int) - render_frame(scene, moved, columns=(0, 180)).bgrx).max()
        <= 1
    )


def test_half_a_view_is_expected_to_take_half_the_time(scene):
    pacing = Pacing()
    pacing.learn(VIEW, 0.04)
    half = FrameRequest(scene, VIEW, True, columns=(0, 140))  # the picture ends at 280
    assert pacing.expected(half) == pytest.approx(0.02, rel=0.01)
    pacing.learn(VIEW, 0.03, pixels=half.pixels)
    assert pacing.expected(FrameRequest(scene, VIEW, True)) == pytest.approx(0.06, rel=0.01)


@pytest.fixture
def window(make_window, qtbot, tmp_path):
    window = seen_at_800_percent(make_window(), qtbot, tmp_path)
    QTest.keyClick(window.canvas, Qt.Key.Key_S)
    wait_until_idle(qtbot, window)
    return window


def test_a_view_that_moves_renders_what_is_seen_and_the_rest_when_it_rests(window, qtbot):
    canvas = window.canvas
    column = canvas.view.size[0] // 2
    frames = {"left": [], "right": []}
    canvas.beside_shown.connect(frames["left"].append)
    canvas.frame_shown.connect(frames["right"].append)
    canvas.set_view(canvas.view.set_scale(9.0))
    wait_until_idle(qtbot, window)
    view = canvas.view
    assert {f.rect[2] for f in frames["left"][:-1]} == {column}
    assert {f.rect[0] for f in frames["right"][:-1]} == {column}
    assert frames["left"][-1].shows(view) and frames["right"][-1].shows(view)
    # So the line shows what it uncovers at once, and no frame is asked for.
    frames["right"].clear()
    y = canvas.height() / 2
    canvas_helpers.drag(canvas, (canvas.width() / 2, y), (canvas.width() / 4, y))
    seen = pixels(canvas.grab_frame())
    right = render_frame(canvas.scene, view).bgrx[..., 2::-1]
    quarter = round(view.size[0] / 4)
    assert np.abs(seen[:, quarter:].astype(int) - right[:, quarter:]).max() <= 1
    wait_until_idle(qtbot, window)
    assert not frames["right"]


def test_a_line_that_is_dragged_before_the_rest_is_there_uncovers_it_all_the_same(window, qtbot):
    canvas = window.canvas
    y = canvas.height() / 2
    canvas.set_view(canvas.view.set_scale(10.0))
    canvas_helpers.drag(canvas, (canvas.width() / 2, y), (canvas.width() / 4, y))
    quarter = round(canvas.view.size[0] / 4)

    def uncovered():
        seen = pixels(canvas.grab_frame()).astype(int)
        right = render_frame(canvas.scene, canvas.view).bgrx[..., 2::-1]
        return canvas.rests and np.abs(seen[:, quarter:] - right[:, quarter:]).max() <= 1

    qtbot.waitUntil(uncovered, timeout=30_000)
    QTest.keyClick(canvas, Qt.Key.Key_S)
    wait_until_idle(qtbot, window)
    right = render_frame(canvas.scene, canvas.view).bgrx[..., 2::-1]
    assert np.abs(pixels(canvas.grab_frame()).astype(int) - right).max() <= 1
