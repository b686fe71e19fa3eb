"""The view: what a person feels when zooming and panning."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewer.model.view.view_state import PAN_MARGIN, ViewState

extents = st.tuples(st.integers(1, 20_000), st.integers(1, 20_000))
sizes = st.tuples(st.integers(64, 4000), st.integers(64, 3000))
parts = st.floats(0.0, 1.0)


@st.composite
def views(draw):
    """Any view that commands can lead to, with a device point that lies on the picture."""
    view = ViewState.opening(draw(extents), draw(sizes))
    share = draw(parts)
    view = view.set_scale(view.min_scale * (view.max_scale / view.min_scale) ** share)
    view = view.centred_on(draw(parts) * view.extent[1], draw(parts) * view.extent[0])
    left, top = (max(0.0, v) for v in view.to_device(0, 0))
    right, bottom = view.to_device(view.extent[1], view.extent[0])
    right, bottom = min(right, view.size[0]), min(bottom, view.size[1])
    at = (left + draw(parts) * (right - left), top + draw(parts) * (bottom - top))
    return view, at


def distance(a, b):
    return math.hypot(a[0] - b[0], a[1] - b[1])


@given(views(), st.floats(0.01, 100.0))
def test_one_zoom_keeps_the_point_under_the_cursor(view_at, factor):
    view, at = view_at
    zoomed = view.zoom_at(factor, at)
    assert distance(zoomed.to_device(*view.to_source(*at)), at) < 1e-6


@given(views(), st.integers(0, 2**32 - 1))
def test_thousands_of_wheel_steps_do_not_drift(view_at, seed):
    view, at = view_at
    point = view.to_source(*at)
    random = np.random.default_rng(seed)
    for notches in random.uniform(-3, 3, 2000):
        view = view.zoom_at(2.0 ** (notches / 8), at)
        assert distance(view.to_device(*point), at) < 1e-6


@given(views(), st.integers(0, 2**32 - 1))
def test_zooming_in_and_back_by_notches_returns_to_the_same_view(view_at, seed):
    view, at = view_at
    random = np.random.default_rng(seed)
    steps = random.integers(1, 40)
    forth = view
    for _ in range(steps):
        forth = forth.zoom_at(2 ** (1 / 8), at)
    if forth.scale >= forth.max_scale:
        return
    for _ in range(steps):
        forth = forth.zoom_at(2 ** (-1 / 8), at)
    assert forth.scale == pytest.approx(view.scale, rel=1e-12)
    assert distance(forth.to_device(*view.origin), (0, 0)) < 1e-6


@given(views(), st.lists(st.tuples(st.floats(-1e5, 1e5), st.floats(-1e5, 1e5)), max_size=8))
def test_no_pan_loses_the_picture(view_at, moves):
    view, _ = view_at
    for dx, dy in moves:
        view = view.pan_by(dx, dy)
    height, width = view.extent
    for axis, length in ((0, width), (1, height)):
        start = -view.origin[axis] * view.scale
        seen = min(view.size[axis], start + length * view.scale) - max(0.0, start)
        assert seen >= min(PAN_MARGIN, length * view.scale, view.size[axis]) - 1e-3 or seen > 0


@given(views(), st.integers(-300, 300), st.integers(-300, 300))
def test_a_small_pan_moves_the_picture_by_exactly_that(view_at, dx, dy):
    view, _ = view_at
    view = view.centred_on(view.extent[1] / 2, view.extent[0] / 2, max(view.scale, view.fit_scale))
    # The picture covers the canvas: it may move until only the margin of it is left in view.
    room_x, room_y = (int(side - PAN_MARGIN) for side in view.size)
    dx, dy = max(min(dx, room_x), -room_x), max(min(dy, room_y), -room_y)
    if min(view.extent) * view.scale < max(view.size):
        return
    moved = view.pan_by(dx, dy)
    assert moved.to_device(*view.origin) == pytest.approx((dx, dy), abs=1e-6)


@given(views(), st.floats(1e-9, 1e9))
def test_scales_stay_between_the_whole_picture_and_a_thousand(view_at, scale):
    view, at = view_at
    scaled = view.set_scale(scale, at)
    assert view.min_scale <= scaled.scale <= 1000.0
    assert view.min_scale <= view.fit_scale
    assert min(view.fit_scale, 1000.0) == pytest.approx(view.fit().scale)


@given(views(), sizes)
def test_resizing_keeps_the_middle(view_at, size):
    view, _ = view_at
    resized = view.resized(size)
    if resized.follow is None:
        middle = view.to_source(*view.centre)
        # One that lies on the device pixels stays on them: half a pixel an axis, where the middle falls between two.
        slack = 0.75 if view.is_aligned else 1e-6
        assert distance(resized.to_source(*resized.centre), middle) * resized.scale < slack
    assert resized.size == size


@given(extents, sizes)
def test_fit_shows_all_of_it_and_fill_leaves_no_background(extent, size):
    view = ViewState.opening(extent, size).fit()
    x0, y0, x1, y1 = view.source_rect
    if view.fit_scale <= 1000:
        assert x0 <= 1e-6 and y0 <= 1e-6
        assert x1 >= extent[1] - 1e-6 and y1 >= extent[0] - 1e-6
        assert min(abs(x0) + abs(x1 - extent[1]), abs(y0) + abs(y1 - extent[0])) < 1e-6
    filled = view.fill()
    if filled.fill_scale <= 1000:
        x0, y0, x1, y1 = filled.source_rect
        assert x0 >= -1e-6 and y0 >= -1e-6
        assert x1 <= extent[1] + 1e-6 and y1 <= extent[0] + 1e-6


def test_large_pictures_open_whole_small_ones_at_100_percent_and_icons_enlarged():
    assert ViewState.opening((3000, 4000), (1000, 800)).scale == 0.25
    assert ViewState.opening((300, 400), (1000, 800)).scale == 1.0
    assert ViewState.opening((16, 16), (1000, 800)).scale == 16.0
    assert ViewState.opening((1, 1), (1000, 800)).scale == 256.0


def test_zooming_off_the_picture_never_loses_it():
    view = ViewState.opening((100, 100), (800, 600))
    for _ in range(200):
        view = view.zoom_at(1.2, (5.0, 5.0))
    left, top, right, bottom = view.picture_rect
    assert right > left and bottom > top


@given(views())
def test_the_picture_rect_is_the_pixels_whose_centres_lie_on_it(view_at):
    view, _ = view_at
    left, top, right, bottom = view.picture_rect
    assert right > left and bottom > top
    xs, _ = view.viewport.pixel_centres()
    on = (xs >= -1e-9 / view.scale) & (xs < view.extent[1] - 1e-9 / view.scale)
    if on.any():
        assert (left, right) == (int(on.argmax()), len(on) - int(on[::-1].argmax()))
    else:
        assert right - left == 1


@pytest.mark.parametrize("size", [(900, 455), (901, 456), (33, 1001)])
@pytest.mark.parametrize("extent", [(48, 64), (47, 63), (2000, 3001)])
def test_commands_to_a_scale_stand_on_the_device_pixels(size, extent):
    """At 100 % an unaligned picture would be interpolated by half a pixel, and not be the file."""
    view = ViewState.opening(extent, size).zoom_at(1.7, (3.3, 4.4)).pan_by(1.25, 0.75)
    for scale in (1.0, 2.0, 8.0):
        exact = view.at_scale(scale)
        assert exact.is_aligned
        x, y = view.to_source(*view.centre)
        if (
            0 <= x <= extent[1] and 0 <= y <= extent[0]
        ):  # else the picture is brought back into view
            u, v = exact.to_device(x, y)
            assert abs(u - size[0] / 2) <= 0.5 + 1e-6
            assert abs(v - size[1] / 2) <= 0.5 + 1e-6
        assert exact.resized((size[0] + 7, size[1] + 1)).is_aligned


@pytest.mark.parametrize(
    ("extent", "scale"),
    [((240, 250), 1.0), ((200, 256), 1.0), ((150, 200), 1.0), ((128, 100), 2.0), ((2, 3), 85.0)],
)
def test_small_pictures_open_at_whole_enlargements_which_blur_nothing(extent, scale):
    assert ViewState.opening(extent, (1400, 900)).scale == scale
