"""Panning by shifting the last frame gives the same pixels as rendering anew."""

from __future__ import annotations

import numpy as np
import pytest

from gaussian_core.builder import FieldBuilder, TileGrid
from gaussian_core.errors import Cancelled
from gaussian_core.field import GaussianField
from gaussian_core.imaging.picture import Picture
from gaussian_core.pyramid import Pyramid
from tests.fields import bright_field
from viewer.model.frames.frame import FrameBuffers
from viewer.model.frames.frame_renderer import render_frame
from viewer.model.frames.pan_reuse import PanningRenderer
from viewer.model.frames.scene import Scene
from viewer.model.view.view_state import ViewState

EXTENT = (96, 130)


class Counting:
    """render_frame, and how many pixels it was asked for."""

    def __init__(self) -> None:
        self.pixels = 0

    def __call__(self, scene, view, level=1, stop=None, allocate=None, columns=None):
        frame = render_frame(scene, view, level, stop, allocate, columns=columns)
        if frame is not None:
            self.pixels += frame.bgrx[..., 0].size
        return frame


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene(EXTENT, tiles={"whole": bright_field(6000, EXTENT)})


def view_at(scale: float) -> ViewState:
    return ViewState.opening(EXTENT, (320, 240)).centred_on(60.0, 50.0, scale)


@pytest.mark.parametrize("scale", [1.0, 1.9, 3.0, 17.3, 200.0])
def test_a_drag_shows_what_a_new_frame_would(scene, scale):
    counting = Counting()
    renderer = PanningRenderer(counting)
    buffers = FrameBuffers()
    random = np.random.default_rng(1)
    view = view_at(scale)
    shown = renderer(scene, view, 1, None, buffers.take)
    everything = counting.pixels
    counting.pixels = 0
    for _ in range(30):
        dx, dy = random.integers(-40, 41, 2)
        view = view.pan_by(int(dx), int(dy))
        frame = renderer(scene, view, 1, None, buffers.take)
        expected = render_frame(scene, view)
        assert frame is not None
        assert expected is not None
        assert frame.rect == expected.rect
        assert frame.view == view
        assert frame.exact
        difference = np.abs(frame.bgrx.astype(int) - expected.bgrx)
        assert difference.max() <= 1, "rounding of a byte at most"
        if shown is not None:
            buffers.give_back(shown.bgrx)
        shown = frame
    assert counting.pixels < 0.4 * 30 * everything


def test_anything_but_a_pan_by_whole_pixels_is_rendered_anew(scene):
    counting = Counting()
    renderer = PanningRenderer(counting)
    view = view_at(4.0)
    renderer(scene, view)
    for other, other_scene in (
        (view.zoom_at(1.1, (10, 10)), scene),
        (view.pan_by(3.5, 0), scene),
        (view.pan_by(5, 0), scene.seen_by(0.5)),
        (view.pan_by(5, 0), Scene(EXTENT, tiles=scene.tiles)),
        (view.pan_by(310, 230), scene),
    ):
        renderer(scene, view)
        counting.pixels = 0
        frame = renderer(other_scene, other)
        assert frame is not None
        assert counting.pixels == frame.bgrx[..., 0].size
        assert frame.generation == other_scene.generation


def test_a_stopped_pan_leaves_the_next_one_right(scene):
    renderer = PanningRenderer()
    buffers = FrameBuffers()
    view = view_at(4.0)
    renderer(scene, view, 1, None, buffers.take)
    with pytest.raises(Cancelled):
        renderer(scene, view.pan_by(9, 9), 1, lambda: True, buffers.take)
    view = view.pan_by(4, -7)
    frame = renderer(scene, view, 1, None, buffers.take)
    expected = render_frame(scene, view)
    assert frame is not None
    assert expected is not None
    assert np.abs(frame.bgrx.astype(int) - expected.bgrx).max() <= 1


# ---- tiles that come while a picture is looked at


@pytest.fixture(scope="module")
def tiled():
    """A scene with its picture and no tiles yet, and the tiles."""
    picture = Picture(np.random.default_rng(4).integers(0, 256, (*EXTENT, 3), np.uint8), None)
    grid = TileGrid(EXTENT, 24)
    builder = FieldBuilder(picture, "kernel", tile=24)
    tiles = {key: builder.build_tile(key) for key in grid.keys()}
    return Scene(EXTENT, pyramid=Pyramid(picture), grid=grid), tiles


@pytest.mark.parametrize("scale", [0.7, 1.0, 1.5, 2.6, 9.0])
def test_tiles_come_and_go_and_only_what_they_change_is_rendered(tiled, scale):
    empty, tiles = tiled
    counting = Counting()
    renderer = PanningRenderer(counting)
    buffers = FrameBuffers()
    random = np.random.default_rng(2)
    view = view_at(scale)
    there: dict = {}
    shown = renderer(empty, view, 1, None, buffers.take)
    scene = empty
    everything = counting.pixels
    counting.pixels = 0
    keys = [list(tiles)[i] for i in random.permutation(len(tiles))]
    for number, key in enumerate(keys):
        there[key] = tiles[key]
        if number % 5 == 4:
            del there[keys[number - 3]]
        scene = scene.with_only(there)
        if number % 3 == 2:
            view = view.pan_by(*(int(v) for v in random.integers(-9, 10, 2)))
        frame = renderer(scene, view, 1, None, buffers.take)
        expected = render_frame(scene, view)
        assert frame.view == view
        assert (frame.exact, frame.revision) == (True, scene.revision)
        assert frame.field_share == pytest.approx(expected.field_share, abs=1e-9)
        assert np.abs(frame.bgrx.astype(int) - expected.bgrx).max() <= 1
        buffers.give_back(shown.bgrx)
        shown = frame
    assert counting.pixels < 0.5 * len(keys) * everything


def test_a_drag_over_tiles_whose_edges_lie_on_the_centres_of_pixels():
    """Which pixels show the field is the same however the drag goes, and how many they are is said of what is seen."""
    picture = Picture(np.random.default_rng(4).integers(0, 256, (*EXTENT, 3), np.uint8), None)
    grid = TileGrid(EXTENT, 25)
    builder = FieldBuilder(picture, "kernel", tile=25)
    tiles = {key: builder.build_tile(key) for key in grid.keys() if sum(key) % 4 and max(key) < 4}
    scene = Scene(EXTENT, pyramid=Pyramid(picture), grid=grid, tiles=tiles)
    renderer = PanningRenderer()
    random = np.random.default_rng(3)
    for scale in (1.5, 2.1, 2.7):
        view = ViewState.opening(EXTENT, (170, 121)).at_scale(scale)
        for _ in range(30):
            view = view.pan_by(*(int(v) for v in random.integers(-25, 26, 2)))
            frame = renderer(scene, view)
            expected = render_frame(scene, view)
            assert np.abs(frame.bgrx.astype(int) - expected.bgrx).max() <= 1
            assert frame.field_share == pytest.approx(expected.field_share, abs=1e-9)


def test_a_tile_out_of_view_costs_nothing(tiled):
    empty, tiles = tiled
    counting = Counting()
    renderer = PanningRenderer(counting)
    near = {key: tile for key, tile in tiles.items() if key[0] < 4}
    scene, view = (
        empty.with_only(near),
        ViewState.opening(EXTENT, (100, 80)).centred_on(20, 20, 3.0),
    )
    first = renderer(scene, view)
    counting.pixels = 0
    more = scene.with_only({**scene.tiles, (5, 3): tiles[5, 3]})
    assert renderer.shifts(more, view)
    frame = renderer(more, view)
    assert counting.pixels == 0
    assert (frame.revision, frame.field_share) == (more.revision, 1.0)
    assert np.array_equal(frame.bgrx, first.bgrx)


def test_another_field_of_the_same_tiles_is_rendered_anew(tiled):
    """Weights that have changed, say: nothing that was drawn is good any more."""
    empty, tiles = tiled
    renderer = PanningRenderer()
    view = view_at(2.6)
    scene = empty.with_only(tiles)
    renderer(scene, view)
    other = {
        key: GaussianField(f.means, f.covariances, f.amplitudes * 0.5, EXTENT)
        for key, f in tiles.items()
    }
    dark = scene.with_only(other)
    assert not renderer.shifts(dark, view)
    assert np.array_equal(renderer(dark, view).bgrx, render_frame(dark, view).bgrx)


# ---- a method that draws every view, which is slow


class Drawing:
    """Draws grey, as a network would; `kept` as LazyDrawing has it."""

    kept = None

    def __init__(self) -> None:
        self.drawn = 0

    def draw(self, viewport, stop=None):
        self.drawn += 1
        width, height = viewport.size
        return np.full((height, width, 3), 0.5, np.float32)


@pytest.mark.parametrize("scale", [0.4, 2.0])
def test_what_a_slow_method_drew_is_kept_but_not_the_picture_shown_from_afar(scale):
    """More of a large picture is read while it is looked at: it is not to stay as it was in the first frame."""
    first, then = (
        Pyramid(Picture(np.full((*EXTENT, 3), level, np.uint8), None)) for level in (0, 200)
    )
    drawing = Drawing()
    scene = Scene(EXTENT, pyramid=first, drawing=drawing)
    read = Scene(EXTENT, pyramid=then, drawing=drawing, generation=scene.generation, revision=1)
    renderer, view = PanningRenderer(), view_at(scale)
    renderer(scene, view)
    frame = renderer(read, view)
    assert np.array_equal(frame.bgrx, render_frame(read, view).bgrx)
    assert drawing.drawn == (0 if scale < 1 else 2), "once here, once for the comparison"
