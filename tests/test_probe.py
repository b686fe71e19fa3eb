"""What is under the cursor, by the picture and by the field."""

from __future__ import annotations

import pytest

from gaussian_core import rasterizer
from gaussian_core.builder import TileGrid
from gaussian_core.viewport import Viewport
from tests.fields import bright_field
from viewer.model.frames.scene import REACH, Scene
from viewer.model.probe import probe

EXTENT = (40, 60)


class Picture:
    """A picture whose value at (x, y) is its column and row."""

    def value_at(self, x: float, y: float) -> tuple[float, ...]:
        return (int(x) / 60, int(y) / 40, 0.0)


@pytest.fixture(autouse=True, scope="module")
def kernels():
    rasterizer.warm_up()


@pytest.mark.parametrize("scale", [0.5, 1.0, 7.3, 400.0])
def test_the_field_value_is_the_pixel_that_a_frame_has_there(scale):
    field = bright_field(extent=EXTENT)
    scene = Scene(EXTENT, picture=Picture(), tiles={0: field})
    viewport = Viewport((20.0, 10.0), scale, (9, 7))
    frame = rasterizer.rasterize(field, viewport)
    xs, ys = viewport.pixel_centres()
    found = probe(scene, scale, (float(xs[4]), float(ys[3])))
    assert found.field == pytest.approx(frame[3, 4], abs=1e-3)
    assert found.source == (int(xs[4]) / 60, int(ys[3]) / 40, 0.0)


def test_the_value_of_a_transparent_field_is_a_straight_colour_and_alpha():
    field = bright_field(extent=EXTENT, channels=4)
    viewport = Viewport((20.0, 10.0), 7.3, (9, 7))
    *colour, alpha = rasterizer.rasterize(field, viewport)[3, 4]
    x, y = (float(centres[k]) for centres, k in zip(viewport.pixel_centres(), (4, 3), strict=True))
    found = probe(Scene(EXTENT, tiles={0: field}), 7.3, (x, y))
    assert found.field == pytest.approx([*(c / alpha for c in colour), alpha], abs=1e-3)


def test_off_the_picture_and_before_the_field_there_is_nothing_to_read():
    field = bright_field(extent=EXTENT)
    scene = Scene(EXTENT, picture=Picture(), tiles={0: field})
    for x, y in ((-0.1, 5), (60.0, 5), (5, -1e-9), (5, 40.0)):
        found = probe(scene, 2.0, (x, y))
        assert found.source is None
        assert found.field is None
    unbuilt = probe(Scene(EXTENT, picture=Picture()), 2.0, (5.5, 6.5))
    assert unbuilt.field is None
    assert unbuilt.source is not None


@pytest.mark.parametrize(("scale", "x", "told"), [
    (3.0, 17.0 + REACH, True), (3.0, 15.0 + REACH, False), (0.5, 17.0 + REACH, False),
])  # fmt: skip
def test_the_field_is_told_wherever_a_frame_shows_it_beside_tiles_that_are_not_built(
    scale, x, told
):
    field = bright_field(extent=EXTENT)
    grid = TileGrid(EXTENT, tile=16)
    tiles = {key: field for key in grid.keys() if key[0] > 0}
    found = probe(Scene(EXTENT, picture=Picture(), grid=grid, tiles=tiles), scale, (x, 20.0))
    assert (found.field is not None) is told
