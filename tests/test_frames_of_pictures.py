"""Frames of a picture with its field: nothing jumps on the way through 100 %."""

from __future__ import annotations

import numpy as np
import pytest

from gaussian_core.builder import FieldBuilder
from gaussian_core.images import Picture
from gaussian_core.pyramid import Pyramid
from viewer.model.frames.frame import Frame
from viewer.model.frames.frame_renderer import render_frame
from viewer.model.frames.scene import Scene
from viewer.model.view.view_state import ViewState

EXTENT = (150, 210)
TILE = 64


@pytest.fixture(scope="module")
def picture() -> Picture:
    """Smooth colours, fine stripes, a hard edge and some noise."""
    rows, columns = np.mgrid[0 : EXTENT[0], 0 : EXTENT[1]].astype(float)
    random = np.random.default_rng(4)
    red = 0.5 + 0.4 * np.sin(columns / 9) * np.cos(rows / 13)
    green = 0.5 + 0.35 * np.sin(columns * columns / 90)
    blue = np.where(columns + rows > 190, 0.85, 0.15)
    colours = np.stack([red, green, blue], axis=-1) + random.normal(0, 0.02, (*EXTENT, 3))
    return Picture.from_array((np.clip(colours, 0, 1) * 255).round().astype(np.uint8), "made up")


@pytest.fixture(scope="module")
def scene(picture) -> Scene:
    builder = FieldBuilder(picture, "kernel", tile=TILE)
    tiles = {key: builder.build_tile(key) for key in builder.grid.keys()}
    return Scene(EXTENT, picture, Pyramid(picture), builder.grid, tiles)


def frame_of(scene: Scene, view: ViewState, level: int = 1) -> Frame:
    frame = render_frame(scene, view, level)
    assert frame is not None
    return frame


def rgb(frame: Frame) -> np.ndarray:
    return frame.bgrx[..., 2::-1].astype(int)


def test_at_100_percent_the_frame_is_the_file(scene, picture):
    view = ViewState(EXTENT, (EXTENT[1], EXTENT[0]))
    assert np.abs(rgb(frame_of(scene, view)) - picture.pixels).max() <= 1


def test_nothing_jumps_across_100_percent(scene):
    view = ViewState(EXTENT, (EXTENT[1], EXTENT[0]))
    at, below = (rgb(frame_of(scene, view.centred_on(105.0, 75.0, s))) for s in (1.0, 1.0 - 1e-6))
    assert np.abs(at - below).max() <= 2


@pytest.mark.parametrize("scale", [1.0, 2.0, 5.5])
def test_field_and_picture_side_by_side_differ_little(scene, scale):
    middle = (105 // TILE, 75 // TILE)
    partly = scene.with_only({k: v for k, v in scene.tiles.items() if k != middle})
    view = ViewState(EXTENT, (320, 240)).centred_on(105.0, 75.0, scale)
    mixed, whole = frame_of(partly, view), frame_of(scene, view)
    assert 0.0 < mixed.field_share < 1.0
    assert whole.field_share == 1.0
    assert np.abs(rgb(mixed) - rgb(whole)).mean() < 9.0, "two ways to interpolate one picture"


def test_a_coarse_frame_lies_where_the_full_one_does(scene):
    for scale in (0.6, 6.0):
        view = ViewState(EXTENT, (322, 242)).centred_on(105.0, 75.0, scale)
        full, coarse = rgb(frame_of(scene, view)), rgb(frame_of(scene, view, level=2))
        height, width = (2 * (n // 2) for n in full.shape[:2])
        means = full[:height, :width].reshape(height // 2, 2, width // 2, 2, 3).mean((1, 3))
        again = coarse[: height // 2, : width // 2]
        aligned = np.abs(means - again).mean()
        shifted = np.abs(means[:, 1:] - again[:, :-1]).mean()
        assert aligned < 4.0
        assert aligned < 0.6 * shifted


def test_a_transparent_picture_lies_on_the_same_checkerboard_on_both_sides_of_100_percent():
    pixels = np.full((60, 80, 4), 128, np.uint8)
    pixels[20:40, 20:60, 3] = 0
    picture = Picture.from_array(pixels, "transparent")
    builder = FieldBuilder(picture, "kernel", tile=TILE)
    tiles = {key: builder.build_tile(key) for key in builder.grid.keys()}
    scene = Scene((60, 80), picture, Pyramid(picture), builder.grid, tiles)
    view = ViewState((60, 80), (80, 60))
    at = rgb(frame_of(scene, view))
    below = rgb(frame_of(scene, view.centred_on(40.0, 30.0, 1.0 - 1e-7)))
    assert np.abs(at[25:35, 25:55] - below[25:35, 25:55]).max() <= 2
    assert len(np.unique(at[25:35, 25:55])) >= 2
