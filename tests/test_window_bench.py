"""The statistics of a moving view, and the ride itself on a small picture. No time is judged."""

from __future__ import annotations

import json
import math
import time

import numpy as np
import pytest

from tests.window_helpers import save_picture
from viewer.model.frames.frame import Frame
from viewer.model.frames.frame_timing import BANDS, Distribution, Recorder, band_name
from viewer.model.view.view_state import ViewState
from viewer.model.view.zoom_script import Drag, Rest, ZoomTo, browse, fit_to_256_and_back

VIEW = ViewState((1000, 1000), (500, 500)).set_scale(8.0)
BAND = (4.0, 16.0)


def frame(view: ViewState, level: int = 1, ms: float = 5.0) -> Frame:
    pixels = np.zeros((1, 1, 4), np.uint8)
    return Frame(pixels, view, view.picture_rect, level, ms, "cpu", 1, 1)


def test_a_distribution_is_told_by_its_tail():
    values = Distribution.of([float(v) for v in range(1, 102)])
    assert (values.count, values.median, values.worst) == (101, 51.0, 101.0)
    assert values.p90 == pytest.approx(91.0) and values.p99 == pytest.approx(100.0)
    assert math.isnan(Distribution.of([]).median)
    assert json.loads(json.dumps(Distribution.of([]).as_data())) == {"count": 0}


def test_every_scale_has_its_band():
    assert band_name(BANDS[0]) == "below 1x"
    recorder = Recorder()
    for scale in (0.2, 1.0, 1.99, 2.0, 4.0, 63.9, 64.0, 1000.0):
        recorder.painted(1.0, 0.001, VIEW.set_scale(scale))
    assert [len(band.paint) for band in recorder.bands.values()] == [1, 2, 1, 1, 1, 2]


def test_delays_count_from_the_input_to_its_paint_and_to_its_own_frame():
    recorder = Recorder()
    moved = VIEW.pan_by(5, 0)
    recorder.input(1.000, moved)
    recorder.painted(1.004, 0.002, moved)  # the old frame under the new view
    recorder.frame(frame(moved))
    recorder.painted(1.020, 0.001, moved)
    band = recorder.bands[BAND]
    assert band.delay == [pytest.approx(4.0)]
    assert band.fresh == [pytest.approx(20.0)]
    assert band.paint == [pytest.approx(2.0), pytest.approx(1.0)]


def test_a_frame_answers_the_inputs_before_it_and_not_those_after():
    recorder = Recorder()
    views = [VIEW.pan_by(n, 0) for n in (1, 2, 3)]
    for number, view in enumerate(views):
        recorder.input(1.0 + 0.01 * number, view)
    recorder.frame(frame(views[1]))
    recorder.painted(1.05, 0.001, views[2])
    assert recorder.bands[BAND].fresh == [pytest.approx(50.0), pytest.approx(40.0)]
    assert len(recorder.bands[BAND].delay) == 3


def test_intervals_end_with_the_movement():
    recorder = Recorder()
    for number in range(3):
        at = 1.0 + 0.02 * number
        view = VIEW.pan_by(number + 1, 0)
        recorder.input(at, view)
        recorder.frame(frame(view))
        recorder.painted(at + 0.01, 0.001, view)
    # A pause, then another movement: the time between them is no frame's.
    view = VIEW.pan_by(9, 0)
    recorder.input(3.0, view)
    recorder.frame(frame(view))
    recorder.painted(3.01, 0.001, view)
    assert recorder.bands[BAND].interval == [pytest.approx(20.0)] * 2


def test_rest_ends_with_the_exact_frame_of_the_last_view():
    recorder = Recorder()
    recorder.input(1.0, VIEW)
    recorder.rest()
    recorder.frame(frame(VIEW, level=2))
    recorder.painted(1.01, 0.001, VIEW)
    assert not recorder.settled
    recorder.frame(frame(VIEW))
    recorder.painted(1.08, 0.001, VIEW)
    assert recorder.settled
    band = recorder.bands[BAND]
    assert band.rest == [pytest.approx(80.0)]
    assert (band.frames, band.coarse) == (2, 1)
    assert "8" in recorder.as_text() and json.dumps(recorder.as_data())


def test_the_ride_reaches_256_and_comes_back():
    steps = list(fit_to_256_and_back())
    scales = [step.scale for step in steps if isinstance(step, ZoomTo)]
    assert max(s for s in scales if s) == 256.0 and scales[-1] is None
    assert any(isinstance(step, Drag) for step in steps) and isinstance(steps[-1], Rest)
    assert len(list(browse(60.0))) > 30


def test_the_real_window_can_be_ridden(qapp, tmp_path):
    from viewer.ui.bench.window_bench import WindowBench

    path = save_picture(tmp_path / "picture.png", 300, 200)
    with WindowBench("kernel", (1300, 240), lambda: False) as bench:
        assert bench.canvas.view.size == (1300, 240)
        opened = bench.open(path)
        assert 0 < opened.first_look <= opened.exact
        bench.wait_for_field(30.0)
        bench.start_recording()
        bench.play([ZoomTo(8.0, 240), Rest(0.0), Drag(6, 5, 3), Rest(0.0), ZoomTo(None, 240)])
        assert bench.canvas.view.scale == pytest.approx(bench.canvas.view.fit_scale, rel=0.01)
        recorder = bench.recorder
        assert recorder.over("delay").count >= 6 and recorder.over("rest").count >= 2
        assert bench.is_sharp() is False, "below 100 % there is no field"
        bench.sharp_after_zoom(8.0)
        assert bench.is_sharp()


def test_inputs_that_a_slow_paint_held_up_are_painted_together(qapp, tmp_path):
    """As a window empties its queue before it paints: with a paint for each they would never catch up."""
    from viewer.ui.bench.window_bench import WindowBench

    path = save_picture(tmp_path / "picture.png", 300, 200)
    with WindowBench("kernel", (1300, 240), lambda: False) as bench:
        bench.open(path)
        bench.start_recording()
        bench.canvas.painted.connect(lambda _: time.sleep(0.06))
        bench.play([ZoomTo(8.0, 60), Rest(0.0)])
        recorder = bench.recorder
        inputs, paints = recorder.over("delay").count, recorder.over("paint").count
        assert inputs > 2 * paints > 2, (inputs, paints)
