"""A few neighbouring pixels are as bright as in the file at every scale, by weights that take a file for what it is."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from gaussian_core import Viewport, build_field, rasterize
from gaussian_core.builder import FieldBuilder
from gaussian_core.imaging.picture import Picture
from gaussian_core.models import mean_colours
from gaussian_core.models.card import read_card
from gaussian_core.models.config import NAMES, weights_path
from gaussian_core.models.mean_colours import BLUR, HALO
from gaussian_core.row_layout import ROW_PADDING

SIDE = 48
Y, X = np.mgrid[:SIDE, :SIDE]
INSIDE = 8  # source pixels from a border on


def chequer():
    return np.where((X + Y) % 2, 255, 0)


def ordered_dither():
    """A ramp from black to white in dots of one pixel, as old games and fax machines have it."""
    dots = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) / 16
    return np.where(np.tile(dots, (SIDE // 4, SIDE // 4)) < X / SIDE, 255, 0)


def lit(picture):
    return np.repeat(picture[..., None], 3, 2).astype(np.uint8)


def shift(field, pixels, scale):
    """By how many levels what is seen of the field differs from the pixels in the mean of a neighbourhood, at most."""
    shown = rasterize(field, Viewport.whole(field.extent, scale)) * 255
    file = np.repeat(np.repeat(pixels.astype(float), scale, 0), scale, 1)
    apart = gaussian_filter(shown - file, (4 * scale, 4 * scale, 0))
    by = INSIDE * scale
    return np.abs(apart[by:-by, by:-by]).max()


@pytest.mark.parametrize("weights", ["light", "base"])
@pytest.mark.parametrize("pattern", [chequer, ordered_dither])
@pytest.mark.parametrize("scale", [4, 8])
def test_patterns_of_single_pixels_are_as_bright_as_in_the_file(weights, pattern, scale):
    pixels = lit(pattern())
    assert shift(build_field(pixels, weights=weights), pixels, scale) < 0.5


def test_tiles_are_as_bright_as_the_whole():
    pixels = lit(ordered_dither())
    builder = FieldBuilder(Picture.from_array(pixels), tile=16)
    tiles = [builder.build_tile(key) for key in builder.grid.keys()]
    whole = build_field(pixels)
    for scale in (1.0, 3.0):
        view = Viewport.whole(whole.extent, scale)
        seams = np.abs(rasterize(tiles, view) - rasterize(whole, view)) * 255
        assert seams.max() < 0.5


def test_networks_that_look_past_what_a_file_has_lost_are_left_alone(monkeypatch):
    restoring = {name for name in NAMES if read_card(weights_path(name)).config.restores}
    assert restoring == {"jpeg", "photo"}
    pixels = lit(chequer())
    before = build_field(pixels, weights="photo")
    monkeypatch.setattr(mean_colours, "add", None)
    assert np.array_equal(build_field(pixels, weights="photo").amplitudes, before.amplitudes)


def test_what_is_lacking_is_a_mean_of_neighbours_and_alike_on_all_sides():
    height, width = 5, 7
    around = 2 * (HALO + BLUR)
    pixels = np.full((height + around, width + around, 3), 0.5, np.float32)
    shown = np.full((height + 2 * HALO, width + 2 * HALO, 3), 0.4, np.float32)
    np.testing.assert_allclose(mean_colours.lacking(pixels, shown), 0.1, atol=1e-6)
    shown[HALO + 2, HALO + 3] -= 1
    lacking = mean_colours.lacking(pixels, shown)[..., 0] - 0.1
    np.testing.assert_allclose(lacking, lacking[::-1, ::-1], atol=1e-6)
    assert lacking[2, 3] == lacking.max() and (lacking[:, 3] > 0).all()


def test_a_wide_gaussian_gets_as_much_of_a_colour_as_a_narrow_one():
    """By its area: what it adds to the mean of the picture is the same."""
    rows = np.zeros((8, 8 + ROW_PADDING), np.float32)
    rows[2:5, :4] = [[0.09], [0.0], [0.09]]
    rows[2:5, 4:8] = [[0.36], [0.1], [0.25]]
    colours = np.full((1, 1, 3), 0.25, np.float32)
    mean_colours.add(rows, (3, 5, 5, 6), colours, (3, 5, 4, 6), 2)
    areas = 2 * np.pi * np.sqrt(rows[2, :8] * rows[4, :8] - rows[3, :8] ** 2)
    np.testing.assert_allclose(rows[5:, :8] * areas, 0.25 / 4, rtol=1e-5)
    assert not rows[:, 8:].any()
