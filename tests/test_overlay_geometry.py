"""The overlays mark the Gaussians where they are, as they are, and count honestly."""

from __future__ import annotations

import gc
import math
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import maximum_filter
from scipy.spatial import cKDTree

from gaussian_core.builder import TileGrid
from gaussian_core.field import GaussianField
from tests.fields import bright_field
from viewer.model.frames.scene import Scene
from viewer.model.overlays.overlay_geometry import DOT_AREA, OverlayGeometry, overlay_geometry
from viewer.model.overlays.overlay_options import OverlayOptions
from viewer.model.overlays.overlay_raster import draw_overlay
from viewer.model.view.view_state import ViewState

BOTH = OverlayOptions(centres=True, ellipses=True)


def scene_of(field: GaussianField) -> Scene:
    return Scene(field.extent, tiles={0: field})


def view_of(extent=(40, 60), scale=8.0, at=(30.0, 20.0), size=(320, 240)) -> ViewState:
    return ViewState.opening(extent, size).centred_on(at[0], at[1], scale)


def centres_in_view(field: GaussianField, view: ViewState) -> np.ndarray:
    u, v = ((field.means.astype(float) - view.origin) * view.scale).T
    return (u >= 0) & (u < view.size[0]) & (v >= 0) & (v < view.size[1])


@pytest.mark.parametrize("scale", [0.3, 1.0, 8.0, 64.0, 1000.0])
def test_points_are_where_the_means_are_and_all_are_counted(scale):
    field = bright_field()
    view = view_of(scale=scale)
    marks = overlay_geometry(scene_of(field), view, OverlayOptions(centres=True))
    inside = centres_in_view(field, view)
    assert marks.in_view == inside.sum() and marks.shown == len(marks.points)
    room = math.ceil(marks.area / DOT_AREA)
    assert len(marks.points) == pytest.approx(min(marks.in_view, room), abs=1)
    expected = (field.means[inside].astype(float) - view.origin) * view.scale
    distance, nearest = cKDTree(expected).query(marks.points)
    assert distance.max() < 1e-3
    if scale >= 8:  # where they are apart
        assert len(set(nearest)) == len(marks.points)


def test_nothing_asked_for_still_counts():
    field = bright_field()
    marks = overlay_geometry(scene_of(field), view_of(), OverlayOptions())
    assert marks.in_view == centres_in_view(field, view_of()).sum() > 0
    assert marks.shown == len(marks.points) == len(marks.centres) == 0


def test_ellipses_are_the_fields_covariance_at_k_sigma():
    field = GaussianField([[30, 20]], [[4.0, 1.5, 2.0]], [[0.5, 0.2, 0.1]], (40, 60))
    view = view_of(scale=16.0)
    marks = overlay_geometry(scene_of(field), view, OverlayOptions(ellipses=True, sigma=1.5))
    assert marks.shapes[0] == pytest.approx(np.array([4.0, 1.5, 2.0]) * (1.5 * 16.0) ** 2)
    assert tuple(marks.centres[0]) == view.to_device(30, 20)


def test_a_field_whose_ellipses_were_drawn_is_not_kept():
    """Of a large picture thousands of tiles come and go, a few megabytes each."""
    field = GaussianField([[30, 20]], [[4.0, 1.5, 2.0]], [[0.5, 0.2, 0.1]], (40, 60))
    left = weakref.ref(field.covariances)
    for _ in range(2):
        marks = overlay_geometry(scene_of(field), view_of(), OverlayOptions(ellipses=True))
        assert len(marks.centres) == 1
    del field
    gc.collect()
    assert left() is None


def test_ellipses_too_small_to_see_become_points():
    field = bright_field(sigma=(0.1, 0.1))
    near, far = view_of(scale=40.0), view_of(scale=4.0)
    options = OverlayOptions(ellipses=True)
    assert len(overlay_geometry(scene_of(field), near, options).points) == 0
    marks = overlay_geometry(scene_of(field), far, options)
    assert len(marks.centres) == 0
    assert marks.shown == marks.in_view == len(marks.points) > 0


def test_an_outline_reaches_into_view_though_its_centre_does_not():
    field = GaussianField([[30.0, 20.0], [9.0, 20.0]], [[4, 0, 4]] * 2, [[1.0]] * 2, (40, 60))
    view = view_of(scale=8.0)  # shows x from 10 to 50
    marks = overlay_geometry(scene_of(field), view, OverlayOptions(ellipses=True))
    assert len(marks.centres) == 2
    assert marks.in_view == marks.shown == 1


def test_the_cap_keeps_some_of_all_sizes_and_says_how_many():
    field = bright_field(count=5000, sigma=(0.3, 2.0))
    view = view_of(scale=10.0, size=(600, 400))
    options = OverlayOptions(ellipses=True, cap=200, sigma=2.0)
    marks = overlay_geometry(scene_of(field), view, options)
    assert len(marks.centres) == 200
    assert marks.in_view == centres_in_view(field, view).sum()
    assert 0 < marks.shown <= 200 + len(marks.points)
    sizes = half_axes(field.covariances.astype(float))
    drawn = half_axes(marks.shapes.astype(float)) / (2.0 * 10.0)
    assert (np.diff(drawn) <= 0).all(), "the largest are drawn first, under the others"
    assert drawn.mean() > 1.07 * sizes.mean(), "the larger the likelier"
    assert drawn.min() < np.median(sizes), "and small ones, too"


def half_axes(shapes):
    xx, xy, yy = shapes.T
    return np.sqrt((xx + yy) / 2 + np.hypot((xx - yy) / 2, xy))


def test_a_picture_half_of_long_gaussians_shows_those_of_the_other_half():
    side = np.arange(60) + 0.5
    means = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    long = (means[:, 0] < 30)[:, None]
    shapes = np.where(long, [[0.4, 0, 0.1]], [[0.2, 0, 0.2]])
    field = GaussianField(means, shapes, np.ones((3600, 1)), (60, 60))
    view = view_of((60, 60), 16.0, (30, 30), (960, 960))
    marks = overlay_geometry(scene_of(field), view, OverlayOptions(ellipses=True, cap=600))
    left = (marks.centres[:, 0] < 480).sum()
    assert 250 < left < 500 and len(marks.centres) == 600


def test_gaussians_just_too_small_for_an_ellipse_are_no_denser_than_those_just_large_enough():
    side = np.arange(60) + 0.5
    means = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    sigma = np.where(means[:, 0] < 30, 0.36, 0.39)[:, None]  # 1.44 and 1.56 pixels at a scale of 4
    shapes = np.concatenate([sigma**2, 0 * sigma, sigma**2], axis=1)
    field = GaussianField(means, shapes, np.ones((3600, 1)), (60, 60))
    view = view_of((60, 60), 4.0, (30, 30), (240, 240))
    options = OverlayOptions(ellipses=True, cap=300)
    marks = overlay_geometry(scene_of(field), view, options)
    assert len(marks.centres) == 300
    assert 200 < len(marks.points) < 300
    assert marks.shown == len(marks.centres) + len(marks.points)
    # Tiles are no bounds: in one there is no Gaussian that is large enough.
    halves = [
        GaussianField(means[half], shapes[half], np.ones((1800, 1)), (60, 60))
        for half in (means[:, 0] < 30, means[:, 0] >= 30)
    ]
    marks = overlay_geometry(Scene((60, 60), tiles=dict(enumerate(halves))), view, options)
    assert len(marks.centres) == 300 and 200 < len(marks.points) < 300


def test_equal_gaussians_are_thinned_evenly():
    side = np.arange(100) + 0.5
    means = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    field = GaussianField(means, [[0.25, 0, 0.25]] * 10_000, [[1.0]] * 10_000, (100, 100))
    view = view_of((100, 100), 10.0, (50, 50), (1000, 1000))
    options = OverlayOptions(centres=True, ellipses=True, cap=1000, centre_cap=2000)
    marks = overlay_geometry(scene_of(field), view, options)
    assert len(marks.points) == 2000
    assert len(marks.centres) == 1000
    for places, count in ((marks.points, 2000), (marks.centres, 1000)):
        quadrants = np.histogram2d(places[:, 0], places[:, 1], 4, [[0, 1000], [0, 1000]])[0]
        assert quadrants.min() > count / 16 * 0.5
        assert quadrants.max() < count / 16 * 1.6
    again = overlay_geometry(scene_of(field), view, options)
    assert np.array_equal(again.points, marks.points), "the same ones on every repaint"


def test_marks_take_their_own_colour_or_the_chosen_one():
    field = GaussianField(
        [[25, 20], [35, 20]], [[1, 0, 1]] * 2, [[0.3, 0, 0], [0, 0, 0.3]], (40, 60)
    )
    own = overlay_geometry(scene_of(field), view_of(), BOTH)
    assert sorted(map(tuple, own.point_colours)) == [(0, 0, 255), (255, 0, 0)]
    chosen = overlay_geometry(
        scene_of(field), view_of(), OverlayOptions(centres=True, colour="#10a0ff")
    )
    assert {tuple(c) for c in chosen.point_colours} == {(0x10, 0xA0, 0xFF)}


def ring(sxx: float, sxy: float, syy: float, centre: tuple[float, float]) -> OverlayGeometry:
    return OverlayGeometry(
        np.empty((0, 2), np.float32),
        np.empty((0, 3), np.uint8),
        np.array([centre], np.float32),
        np.array([[sxx, sxy, syy]], np.float32),
        np.array([[255, 255, 255]], np.uint8),
        1,
        1,
    )


@settings(max_examples=80)
@given(
    st.floats(1.6, 300.0),
    st.floats(0.15, 1.0),
    st.floats(0.0, np.pi),
    st.tuples(st.floats(-40, 240), st.floats(-40, 200)),
)
def test_a_ring_is_drawn_on_its_outline_and_nowhere_else(radius, aspect, angle, centre):
    across = max(radius * aspect, 1.0)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shape = turn @ np.diag([radius**2, across**2]) @ turn.T
    image = draw_overlay(ring(shape[0, 0], shape[0, 1], shape[1, 1], centre), (200, 160))
    t = np.linspace(0, 2 * np.pi, 6000)
    outline = (turn @ np.stack([radius * np.cos(t), across * np.sin(t)])).T + centre
    inside = (
        (outline[:, 0] > 0) & (outline[:, 0] < 200) & (outline[:, 1] > 0) & (outline[:, 1] < 160)
    )
    on = outline[inside].astype(int)
    painted = image[..., 3]
    # The distance is first order: at the sharp tips of small ellipses it may be a pixel off.
    around = maximum_filter(painted, 3)
    assert (around[on[:, 1], on[:, 0]] > 100).all(), "no gaps along the outline"
    exact = painted[on[:, 1], on[:, 0]] > 60
    assert exact.all() or (aspect < 0.9 and exact.mean() > 0.7)
    rows, columns = np.nonzero(painted)
    if len(rows):
        places = np.stack([columns, rows], axis=1) + 0.5
        step = max(1, len(places) // 400)
        nearest = np.sqrt(((places[::step, None] - outline[None]) ** 2).sum(-1)).min(1)
        # The distance is first order, so the rim of a sharply bent tip may be a little wider.
        assert nearest.max() < (4.5 if across > 0.3 * radius else 9.0)


def test_marks_are_premultiplied_and_aligned():
    marks = OverlayGeometry(
        np.array([[20.5, 10.5]], np.float32),
        np.array([[255, 128, 0]], np.uint8),
        np.empty((0, 2), np.float32),
        np.empty((0, 3), np.float32),
        np.empty((0, 3), np.uint8),
        1,
        1,
    )
    image = draw_overlay(marks, (40, 30))
    assert tuple(image[10, 20]) == (0, 128, 255, 255), "the centre lies in pixel (20, 10)"
    weight = image[..., 3].astype(float)
    rows, columns = np.mgrid[0:30, 0:40] + 0.5
    assert (weight * columns).sum() / weight.sum() == pytest.approx(20.5, abs=0.02)
    assert (weight * rows).sum() / weight.sum() == pytest.approx(10.5, abs=0.02)
    assert (image[..., :3].max(-1) <= image[..., 3]).all()


def drifted_field(count=400, seed=3, reach=0.4):
    """Gaussians away from where they began by up to `reach` along each axis; the first hundred not at all."""
    field = bright_field(count=count)
    drifts = np.random.default_rng(seed).uniform(-reach, reach, (count, 2)).astype(np.float16)
    drifts[:100] = 0
    return GaussianField(
        field.means, field.covariances, field.amplitudes, field.extent, drifts=drifts
    )


@pytest.mark.parametrize("scale", [1.0, 20.0, 60.0])
def test_drifts_lead_from_where_the_gaussians_began_to_their_means(scale):
    field, view = drifted_field(), view_of(scale=scale)
    marks = overlay_geometry(scene_of(field), view, OverlayOptions(drifts=True))
    inside = centres_in_view(field, view)
    away = np.linalg.norm(field.drifts.astype(float), axis=1) * scale
    moved = inside & (away >= 1.5)
    assert len(marks.lines) == moved.sum() and (scale == 1.0 or moved.any())
    assert len(marks.points) == 0
    assert marks.shown == marks.in_view == inside.sum()
    ends = (field.means[moved].astype(float) - view.origin) * view.scale
    starts = ends - field.drifts[moved].astype(float) * scale
    wanted = np.concatenate([starts, ends], 1)
    if moved.any():
        distance, nearest = cKDTree(wanted).query(marks.lines)
        assert distance.max() < 1e-3 * scale and len(set(nearest)) == len(wanted)


def test_the_longest_drifts_are_drawn_and_the_count_says_so():
    field, view = drifted_field(), view_of(scale=8.0, size=(600, 400))
    marks = overlay_geometry(scene_of(field), view, OverlayOptions(drifts=True, cap=50))
    assert len(marks.lines) == 50
    lengths = np.linalg.norm(marks.lines[:, 2:] - marks.lines[:, :2], axis=1)
    every = np.linalg.norm(field.drifts[centres_in_view(field, view)].astype(float), axis=1) * 8
    assert lengths.min() >= np.sort(every)[-51]
    assert marks.shown == 50 + (every < 1.5).sum() < marks.in_view


def test_where_nothing_is_known_of_drifts_none_are_drawn():
    marks = overlay_geometry(scene_of(bright_field()), view_of(), OverlayOptions(drifts=True))
    assert len(marks.lines) == len(marks.points) == marks.shown == 0 < marks.in_view


def test_all_marks_together_mark_every_gaussian_once():
    field, view = drifted_field(), view_of(scale=10.0)
    every = OverlayOptions(centres=True, ellipses=True, drifts=True)
    marks = overlay_geometry(scene_of(field), view, every)
    assert marks.shown == marks.in_view == len(marks.points)
    without = overlay_geometry(scene_of(field), view, OverlayOptions(ellipses=True, drifts=True))
    assert without.shown == without.in_view
    assert len(np.unique(without.points, axis=0)) == len(without.points)


@settings(max_examples=60)
@given(st.tuples(*[st.floats(-30, 130)] * 4))
def test_a_line_covers_what_is_near_it_and_nothing_else(line):
    marks = OverlayGeometry(
        np.empty((0, 2), np.float32),
        np.empty((0, 3), np.uint8),
        np.empty((0, 2), np.float32),
        np.empty((0, 3), np.float32),
        np.empty((0, 3), np.uint8),
        1,
        1,
        np.array([line], np.float32),
        np.array([[255, 255, 255]], np.uint8),
    )
    painted = draw_overlay(marks, (100, 80))[..., 3]
    rows, columns = np.mgrid[0:80, 0:100] + 0.5
    start, end = np.array(line[:2]), np.array(line[2:])
    along = end - start
    square = max(float(along @ along), 1e-12)
    t = ((columns - start[0]) * along[0] + (rows - start[1]) * along[1]) / square
    t = np.clip(t, 0, 1)
    distance = np.hypot(columns - start[0] - t * along[0], rows - start[1] - t * along[1])
    from_end = np.hypot(columns - end[0], rows - end[1])
    assert (painted[distance < 0.2] > 200).all()
    # The line is 1.5 pixels wide with a rim of one; the disc at its end has a radius of 2 and a rim of one.
    assert not painted[(distance > 2.4) & (from_end > 3.6)].any()


def test_of_a_lattice_a_sample_without_a_pattern_is_marked():
    """What kernel interpolation makes, a Gaussian a pixel: stripes in the marks would be taken for the picture's."""
    height, width = 120, 200
    rows, columns = np.mgrid[:height, :width]
    means = np.stack([columns.ravel() + 0.5, rows.ravel() + 0.5], axis=1)
    count = len(means)
    field = GaussianField(means, [[0.25, 0, 0.25]] * count, np.ones((count, 3)), (height, width))
    view = view_of((height, width), 8.0, (100, 60), (1600, 960))
    cap = count // 6
    marks = overlay_geometry(
        scene_of(field), view, OverlayOptions(ellipses=True, cap=cap, centre_cap=0)
    )
    assert len(marks.centres) == cap
    marked = np.zeros((height, width))
    at = (marks.centres / 8.0).astype(int)
    marked[at[:, 1], at[:, 0]] = 1.0
    spectrum = np.abs(np.fft.fft2(marked - marked.mean())) ** 2
    # Of noise the power at a frequency is distributed exponentially: the largest of 24,000 is about 10 times the mean.
    assert spectrum.max() < 20 * spectrum.mean()


@pytest.mark.parametrize("ratio", [1.0, 2.0])
def test_dots_leave_the_picture_to_be_seen_between_them_also_where_little_of_it_is_built(ratio):
    """Far out a part of a large picture is built, of which a hundred thousand dots would be a black patch."""
    rng = np.random.default_rng(8)
    extent, tile = (3000, 4000), 500
    grid = TileGrid(extent, tile)
    count = 40_000
    tiles = {}
    for key in [(3, 2), (4, 2)]:
        x0, y0, x1, y1 = grid.rect(key)
        means = rng.uniform((x0, y0), (x1, y1), (count, 2)).astype(np.float32)
        shapes = np.tile(np.array([0.1, 0, 0.1], np.float32), (count, 1))
        tiles[key] = GaussianField(means, shapes, np.full((count, 3), 0.5, np.float32), extent)
    scene = Scene(extent, grid=grid, tiles=tiles)
    view = ViewState.opening(extent, (round(1000 * ratio), round(750 * ratio)))
    marks = overlay_geometry(scene, view, OverlayOptions(centres=True), ratio=ratio)
    side = tile * view.scale
    assert marks.area == pytest.approx(2 * side * side)
    assert (
        len(marks.points) == marks.shown == pytest.approx(marks.area / (DOT_AREA * ratio**2), abs=2)
    )
    alpha = draw_overlay(marks, view.size, ratio)[..., 3]
    u, v = (round(x) for x in view.to_device(*grid.rect((3, 2))[:2]))
    there = alpha[v : v + round(side), u : u + 2 * round(side)]
    assert 40 < there.mean() < 150 and (alpha > 0).sum() <= (there > 0).sum() + 8 * ratio * side
