"""Frames of real fields: the field where it is built, the picture elsewhere, without a seam."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gaussian_core import rasterizer
from gaussian_core.builder import TileGrid
from gaussian_core.errors import Cancelled
from gaussian_core.field import GaussianField
from gaussian_core.imaging.picture import Picture
from tests.fields import bright_field
from viewer.model.frames import frame_renderer
from viewer.model.frames.frame_renderer import bands_about, picture_viewport, render_frame, split
from viewer.model.frames.lazy_drawing import LazyDrawing
from viewer.model.frames.scene import REACH, Scene
from viewer.model.view.view_state import ViewState

EXTENT = (96, 130)
GRID = TileGrid(EXTENT, tile=32)
PICTURE = 77
"""The grey of the pixels that come from the picture in these tests."""


def tiles_of(whole: GaussianField) -> dict[object, GaussianField]:
    tiles: dict[object, GaussianField] = {}
    for key in GRID.keys():
        chosen = whole.in_rect(GRID.rect(key))
        tiles[key] = GaussianField(
            whole.means[chosen], whole.covariances[chosen], whole.amplitudes[chosen], EXTENT
        )
    return tiles


@pytest.fixture(scope="module")
def whole() -> GaussianField:
    return bright_field(6000, EXTENT)


@pytest.fixture(autouse=True)
def picture_is_grey(monkeypatch):
    def grey(scene, viewport, target, stop):
        target[...] = PICTURE

    monkeypatch.setattr(frame_renderer, "_resample", grey)


def view_at(scale: float, x: float = 60.0, y: float = 50.0, size=(320, 240)) -> ViewState:
    return ViewState.opening(EXTENT, size).centred_on(x, y, scale)


@pytest.mark.parametrize("scale", [1.0, 1.7, 5.3, 40.0])
def test_a_complete_field_is_drawn_as_one(whole, scale):
    scene = Scene(EXTENT, pyramid=object(), grid=GRID, tiles=tiles_of(whole))
    view = view_at(scale)
    frame = render_frame(scene, view)
    assert frame is not None
    viewport = picture_viewport(view)
    assert viewport is not None
    expected = rasterizer.rasterize(whole, viewport, format="bgrx8")
    assert np.abs(frame.bgrx.astype(int) - expected).max() <= 1
    assert frame.exact
    assert frame.field_share == 1.0


@pytest.mark.parametrize("scale", [1.0, 3.7, 9.1])
def test_field_and_picture_meet_at_the_tile_edge_to_the_pixel(whole, scale):
    tiles = tiles_of(whole)
    del tiles[(0, 0)], tiles[(4, 1)]
    scene = Scene(EXTENT, pyramid=object(), grid=GRID, tiles=tiles)
    view = view_at(scale)
    frame = render_frame(scene, view)
    viewport = picture_viewport(view)
    assert frame is not None
    assert viewport is not None
    xs, ys = viewport.pixel_centres()
    column, row = (xs // 32).astype(int), (ys // 32).astype(int)
    cells = [(i, j) for j in range(3) for i in range(5)]
    complete = np.array([scene.drawable(key) for key in cells]).reshape(3, 5)[
        row[:, None], column[None, :]
    ]
    shown = (frame.bgrx != PICTURE).any(axis=2)
    assert complete.any()
    assert shown[complete].all()
    for key in cells:
        if key in tiles:
            continue
        x0, y0, x1, y1 = GRID.rect(key)
        near_x = (xs > x0 - REACH) & (xs < x1 + REACH)
        near_y = (ys > y0 - REACH) & (ys < y1 + REACH)
        assert not shown[np.ix_(near_y, near_x)].any()
    # What neighbours are missing takes a strip of a tile, not all of it.
    assert (shown & ~complete).any()
    expected = rasterizer.rasterize(whole, viewport, format="bgrx8").astype(int)
    assert np.abs(frame.bgrx[shown].astype(int) - expected[shown]).max() <= 1
    assert frame.field_share == pytest.approx(shown.mean())


def test_below_100_percent_only_the_picture_is_shown(whole):
    scene = Scene(EXTENT, pyramid=object(), grid=GRID, tiles=tiles_of(whole))
    frame = render_frame(scene, view_at(0.99))
    assert frame is not None
    assert (frame.bgrx == PICTURE).all()
    assert frame.backend == "picture"


def test_a_field_without_its_picture_is_drawn_at_every_zoom(whole):
    scene = Scene(EXTENT, tiles={"whole": whole})
    for scale in (0.4, 1.0, 6.0):
        frame = render_frame(scene, view_at(scale))
        assert frame is not None
        assert frame.backend != "picture"


def test_a_coarse_frame_shows_the_same_parts_at_the_same_place(whole):
    tiles = tiles_of(whole)
    del tiles[(0, 0)]
    scene = Scene(EXTENT, pyramid=object(), grid=GRID, tiles=tiles)
    view = view_at(4.0)
    full, coarse = render_frame(scene, view), render_frame(scene, view, level=2)
    assert full is not None
    assert coarse is not None
    assert not coarse.exact
    assert coarse.rect == full.rect
    shown = np.repeat(np.repeat(coarse.bgrx, 2, axis=0), 2, axis=1)
    height, width = full.bgrx.shape[:2]
    both = (full.bgrx[..., 0] == PICTURE) == (shown[:height, :width, 0] == PICTURE)
    assert both.mean() > 0.97
    rows = slice(100, 140)
    difference = full.bgrx[rows, :, :3].mean((0, 1)) - shown[rows, :width, :3].mean((0, 1))
    assert np.abs(difference).max() < 4


def test_a_coarse_frame_of_a_far_view_is_the_picture(whole):
    """What the field costs there is the number of its Gaussians: fewer pixels would hardly be quicker."""
    scene = Scene(EXTENT, pyramid=object(), grid=GRID, tiles=tiles_of(whole))
    view = view_at(1.5)
    full, coarse = render_frame(scene, view), render_frame(scene, view, level=2)
    assert full is not None
    assert coarse is not None
    assert (coarse.backend, coarse.field_share, coarse.exact) == ("picture", 0.0, False)
    assert (coarse.rect, coarse.bgrx.shape) == (full.rect, full.bgrx.shape)
    assert (coarse.bgrx[..., 0] == PICTURE).all()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(0.3, 40.0), st.floats(0, 130), st.floats(0, 96), st.sampled_from([2, 4]))
def test_a_coarse_frame_has_no_pixel_off_the_picture(scale, x, y, level):
    view = view_at(scale, x, y)
    viewport = picture_viewport(view, level)
    full = picture_viewport(view)
    assert viewport is not None
    assert full is not None
    assert viewport.source_rect == pytest.approx(full.source_rect, abs=1e-9)
    xs, ys = viewport.pixel_centres()
    assert xs.min() > -1e-9
    assert xs.max() < EXTENT[1] + 1e-9
    assert ys.min() > -1e-9
    assert ys.max() < EXTENT[0] + 1e-9


def test_every_pixel_belongs_to_one_part(whole):
    tiles = tiles_of(whole)
    for missing in ((0, 0), (2, 1), (4, 2)):
        scene = Scene(
            EXTENT,
            pyramid=object(),
            grid=GRID,
            tiles={k: v for k, v in tiles.items() if k != missing},
        )
        view = view_at(2.3)
        viewport = picture_viewport(view)
        assert viewport is not None
        seen = np.zeros(viewport.size[::-1], int)
        for (left, top, right, bottom), _ in split(scene, view, viewport):
            seen[top:bottom, left:right] += 1
        assert (seen == 1).all()


def test_out_of_view_there_is_no_frame_and_stop_is_obeyed(whole):
    scene = Scene(EXTENT, tiles={"whole": whole})
    away = ViewState(EXTENT, (320, 240), (1000.0, 1000.0), 2.0)
    assert render_frame(scene, away) is None
    with pytest.raises(Cancelled):
        render_frame(scene, view_at(3.0), stop=lambda: True)


@pytest.mark.parametrize(("extent", "scale"), [((1, 4000), 0.1), ((4000, 1), 0.1), ((1, 1), 0.3)])
def test_a_picture_thinner_than_a_pixel_is_sampled_on_the_picture(extent, scale):
    view = ViewState.opening(extent, (500, 500)).centred(scale)
    viewport = picture_viewport(view)
    assert viewport is not None
    xs, ys = viewport.pixel_centres()
    assert ((xs > 0) & (xs < extent[1])).all()
    assert ((ys > 0) & (ys < extent[0])).all()


@pytest.mark.parametrize("row", [-50.0, 0.0, 77.5, 239.0, 1000.0])
@pytest.mark.parametrize(("height", "count"), [(240, 5), (240, 1), (30, 4), (1, 3), (241, 100)])
def test_bands_cover_the_rows_once_and_grow_from_the_row_that_is_looked_at(row, height, count):
    bands = bands_about(row, height, count)
    rows = [y for low, high in bands for y in range(low, high)]
    assert sorted(rows) == list(range(height))
    assert bands[0][0] <= min(max(row, 0), height - 1) <= bands[0][1]
    first, end = bands[0]
    for low, high in bands[1:]:
        assert high == first or low == end, "what is there already has no gaps"
        first, end = min(first, low), max(end, high)


def test_a_frame_in_bands_is_the_same_frame(whole):
    tiles = tiles_of(whole)
    del tiles[(1, 1)]
    scene = Scene(EXTENT, pyramid=object(), grid=GRID, tiles=tiles)
    view = view_at(2.3)
    at_once = render_frame(scene, view)
    shown = []

    def show(frame):
        left, top, right, bottom = frame.rect
        shown.append((top, bottom))
        assert frame.bgrx.shape == (bottom - top, right - left, 4)
        assert np.array_equal(frame.bgrx, at_once.bgrx[top - at_once.rect[1] :][: bottom - top])

    bands = bands_about(100, at_once.bgrx.shape[0], 4)
    frame = render_frame(scene, view, bands=bands, show=show)
    assert np.array_equal(frame.bgrx, at_once.bgrx)
    assert (frame.rect, frame.field_share) == (at_once.rect, pytest.approx(at_once.field_share))
    assert len(shown) == len(bands) - 1 > 2, "the last band is the whole frame"


@pytest.mark.parametrize("level", [2, 4])
def test_the_checkerboard_of_a_coarse_frame_has_squares_as_large_as_the_exact_one(level):
    """Of a method that is coarse for seconds, beside another one that is not."""
    picture = Picture.from_array(np.zeros((32, 40, 4), np.uint8))
    scene = Scene(extent=(32, 40), picture=picture, drawing=LazyDrawing(picture, "bicubic"))
    view = ViewState.opening((32, 40), (320, 256)).centred_on(20, 16, 8.0)
    exact, coarse = (render_frame(scene, view, n).bgrx[..., 0] for n in (1, level))
    assert len(np.unique(exact)) == 2
    assert np.array_equal(np.kron(coarse, np.ones((level, level))), exact)
