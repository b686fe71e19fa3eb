"""Pictures so wide that single precision does not hold a place in them: their right end is as sharp as their left."""

from __future__ import annotations

import math

import numpy as np
import pytest
import tifffile
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from gaussian_core.builder import FieldBuilder, build_field
from gaussian_core.errors import FieldError
from gaussian_core.field import GaussianField
from gaussian_core.rasterizer import rasterize
from gaussian_core.row_layout import SPAN
from gaussian_core.viewport import Viewport
from gaussian_core.writing.file_renderer import render_file
from tests.canvas_helpers import pixels, wheel
from tests.fields import bright_field
from tests.wide_picture import EXTENT, LEFT, PERIOD, RIGHT, TILE, Repeated
from viewer.model.frames.scene import Scene
from viewer.model.overlays.inspector import nearest_gaussian
from viewer.model.overlays.overlay_geometry import overlay_geometry
from viewer.model.overlays.overlay_options import OverlayOptions
from viewer.model.view.view_state import ViewState


def tiles_at(builder, x):
    first = x // TILE
    return builder.build_tiles([(first + k, 0) for k in range(-1, 3)])


def both_ends(method, channels=3):
    builder = FieldBuilder(Repeated(channels), method, device="cpu", tile=TILE)
    return [tiles_at(builder, x) for x in (LEFT, RIGHT)], builder.grid


@pytest.mark.parametrize("scale", [0.7, 1.0, 1.3, 2.0, 4.0, 37.0, 300.0, 1000.0])
@pytest.mark.parametrize(
    ("method", "channels"), [("kernel", 3), ("continuoussr", 3), ("continuoussr", 4)]
)
def test_the_right_end_is_drawn_as_the_left_one(method, channels, scale):
    (left, right), _ = both_ends(method, channels)
    frames = [
        rasterize(list(tiles.values()), Viewport((x + 20.375, 17.125), scale, (331, 130)), backend=backend)
        for backend in ("cpu", "torch")
        for tiles, x in ((left, LEFT), (right, RIGHT))
    ]  # fmt: skip
    np.testing.assert_array_equal(frames[1], frames[0])
    np.testing.assert_allclose(frames[3], frames[2], atol=1e-5)


def test_marks_and_what_a_click_tells_are_the_same_at_both_ends():
    """At the closest zoom, to a thousandth of the screen's pixel."""
    options = OverlayOptions(centres=True, ellipses=True, drifts=True)
    ends, grid = both_ends("continuoussr")
    marks, told = [], []
    for tiles, x in zip(ends, (LEFT, RIGHT), strict=True):
        scene = Scene(EXTENT, grid=grid, tiles=tiles, method="continuoussr")
        view = ViewState(EXTENT, (1000, 800), (x + 30.4375, 20.03125), 1000.0)
        marks.append(overlay_geometry(scene, view, options))
        told.append(nearest_gaussian(scene, x + 30.6, 20.4))
    assert len(marks[0].points) > 0 and len(marks[0].centres) > 0 and len(marks[0].lines) > 0
    for name in ("points", "centres", "lines", "shapes"):
        np.testing.assert_allclose(getattr(marks[1], name), getattr(marks[0], name), atol=1e-3)
    assert told[1].mean[0] - RIGHT == pytest.approx(told[0].mean[0] - LEFT, abs=1e-9)
    assert told[1].drift == told[0].drift


def test_a_saved_field_keeps_every_place(tmp_path):
    class Line(Repeated):
        extent = (3, RIGHT + TILE)

    builder = FieldBuilder(Line(), "kernel", tile=1000)
    built = build_field(Line(), "kernel")
    built.save(tmp_path / "wide.safetensors")
    field = GaussianField.open(tmp_path / "wide.safetensors")
    x, y = field.means.T
    assert np.unique((x - 0.5) % 1).tolist() == [0] and len(field) == 7 * (RIGHT + TILE + 4)
    tiles = builder.build_tiles([(98, 0)])  # which holds that view
    view = Viewport((RIGHT + 20.3, 0.4), 290.0, (200, 300))
    np.testing.assert_allclose(
        rasterize(field, view), rasterize(list(tiles.values()), view), atol=2e-5
    )


def test_learned_places_are_saved_to_the_last_bit(tmp_path):
    (_, right), _ = both_ends("continuoussr")
    tile = right[RIGHT // TILE, 0]
    means = tile.means
    assert np.abs(means - means.astype(np.float32)).max() > 1e-3, "single precision is not enough"
    tile.save(tmp_path / "tile.safetensors")
    again = GaussianField.open(tmp_path / "tile.safetensors")
    np.testing.assert_array_equal(again.means, means)
    np.testing.assert_array_equal(tile.means_of(np.array([5, 2])), means[[5, 2]])
    view = Viewport((RIGHT + 20.3, 20.1), 700.0, (300, 200))
    np.testing.assert_allclose(rasterize(again, view), rasterize(tile, view), atol=2e-5)


def test_files_with_places_in_single_precision_open_as_before(tmp_path):
    near = bright_field(50)
    means = (near.means + np.float32(RIGHT)).astype(np.float32)
    old = GaussianField(means, near.covariances, near.amplitudes, EXTENT)
    assert old.means is means
    old.save(tmp_path / "old.safetensors")
    again = GaussianField.open(tmp_path / "old.safetensors")
    assert again.means.dtype == np.float32
    np.testing.assert_array_equal(again.means, means)


def far_field(seed, sigma=(0.1, 3.0)):
    """Strewn over places where spans meet, along both axes, one far out of all."""
    rng = np.random.default_rng(seed)
    near = bright_field(400, extent=(40, 60), seed=seed, sigma=sigma)
    corner = np.array([12 * SPAN - 30, 3 * SPAN - 20])
    means = near.means.astype(np.float64) + corner + rng.random((400, 2)) * 1e-3
    means[0] = (-5e5, 3e6)
    return GaussianField(means, near.covariances, near.amplitudes, (4 * SPAN, 13 * SPAN)), corner


@pytest.mark.parametrize("scale", [0.3, 1.0, (1.7, 2.9), 3.3, 41.0, 300.0, 1e5])
@pytest.mark.parametrize("backend", ["cpu", "torch"])
def test_where_origins_change_a_field_is_the_reference(scale, backend):
    field, corner = far_field(1)
    assert len({level.origin for level in field.index.levels}) > 3
    for origin in ((29.6, 19.1), (-2.3, 11.7)):
        view = Viewport(tuple(corner + np.array(origin)), scale, (203, 77))
        wanted = rasterize(field, view, backend="reference")
        np.testing.assert_allclose(rasterize(field, view, backend=backend), wanted, atol=2e-3)


@pytest.mark.parametrize("scale", [1.0, 1.37, (1.7, 2.9), 4.0, 41.3, 300.0])
def test_where_origins_change_parts_are_the_whole_to_the_bit(scale):
    field, corner = far_field(2, sigma=(0.2, 0.9))
    view = Viewport(tuple(corner + np.array([25.123, 15.7])), scale, (700, 331))
    whole = rasterize(field, view)
    for left, top, width, height in ((0, 0, 100, 157), (113, 3, 587, 100), (57, 156, 1, 1)):
        part = rasterize(field, view.part(left, top, width, height))
        np.testing.assert_array_equal(part, whole[top : top + height, left : left + width])


def test_gaussians_in_a_rectangle_are_found_across_origins():
    field, corner = far_field(3)
    x, y = field.means.T
    for x0, y0, x1, y1 in ((20, 5, 41, 30.5), (-9, -9, 99, 99), (31, 21, 33, 22)):
        rect = (x0 + corner[0], y0 + corner[1], x1 + corner[0], y1 + corner[1])
        inside = (x >= rect[0]) & (x < rect[2]) & (y >= rect[1]) & (y < rect[3])
        np.testing.assert_array_equal(np.sort(field.in_rect(rect)), np.flatnonzero(inside))
    means, drawn = field.means.copy(), Viewport(tuple(corner + 20.0), 5.0, (200, 100))
    before = rasterize(field, drawn)
    order = field.index.order
    field.take_cell_order()
    np.testing.assert_array_equal(field.means, means[order])
    np.testing.assert_array_equal(rasterize(field, drawn), before)


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, 1e300])
def test_places_that_are_none_are_refused(value):
    with pytest.raises(FieldError, match="means hold NaN or infinite"):
        GaussianField([[1e5, 1], [value, 1]], [[1, 0, 1]] * 2, [[1]] * 2, (9, 9))


def wide_file(path):
    """All of the picture above in a file: the left end's pixels are the right end's."""
    pixels = np.round(Repeated().pixels * 255).astype(np.uint8)
    columns = np.arange(EXTENT[1]) % PERIOD
    tifffile.imwrite(path, pixels[:, columns], photometric="rgb", tile=(64, 64))
    return path


@pytest.mark.parametrize("method", ["kernel", "continuoussr"])
def test_an_exported_region_is_the_same_at_both_ends(tmp_path, method):
    source, parts = wide_file(tmp_path / "wide.tif"), []
    for x in (LEFT, RIGHT):
        region = (x + 20.25, 17.125, 1.5, 1.0)
        render_file(source, tmp_path / "part.png", 300.0, region=region, method=method)
        parts.append(np.asarray(Image.open(tmp_path / "part.png")))
    assert parts[0].shape == (300, 450, 3)
    # The network sees its block from another corner, and rounds otherwise here and there.
    away = np.abs(np.subtract(*parts, dtype=int))
    assert away.max() <= 1 and away.mean() < 0.01


def test_the_window_shows_marks_and_tells_the_same_at_both_ends(make_window, qtbot, tmp_path):
    window = make_window()
    canvas = window.canvas

    def ready():
        """What is in view; building all of it takes a while."""
        built = canvas.scene is not None and canvas.scene.built_share(canvas.view.source_rect) == 1
        return built and canvas.is_idle()

    window.open(wide_file(tmp_path / "wide.tif"))
    qtbot.waitUntil(lambda: window.session.document is not None)
    for key in (Qt.Key.Key_C, Qt.Key.Key_E, Qt.Key.Key_D, Qt.Key.Key_N):
        QTest.keyClick(canvas, key)
    shown, told = [], []
    for x in (LEFT, RIGHT):
        canvas.set_view(canvas.view.centred_on(x + 30.5, 20.5, 300.0).aligned())
        at = (canvas.width() // 2 + 37, canvas.height() // 2 - 21)
        anchor = (at[0] + 0.5, at[1] + 0.5)  # the middle of that pixel
        before = canvas.view.to_source(*anchor)
        wheel(canvas, at, 120)
        qtbot.waitUntil(ready)
        assert canvas.view.scale > 300
        assert canvas.view.to_source(*anchor) == pytest.approx(before, abs=1e-9)
        canvas.set_view(canvas.view.centred_on(x + 30.5, 20.5, 300.0).aligned())
        qtbot.waitUntil(ready)
        shown.append(pixels(canvas.grab().toImage()).astype(int))
        u, v = canvas.view.to_device(x + 30.6, 20.4)
        QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(round(u), round(v)))
        place, rest = window.status.message.removeprefix("Gaussian at ").split(",", 1)
        told.append((float(place) - x, rest))
        inner = window.minimap.width() - 4
        seen = window.minimap.in_view().center().x() - 2
        assert seen == pytest.approx(inner * (x + 30.5) / EXTENT[1], abs=1)
    assert told[1][0] == pytest.approx(told[0][0], abs=1e-6) and told[1][1] == told[0][1]
    # What a mark's place is rounded to may tip a pixel at its rim by a level.
    minimap = window.minimap.geometry()
    for frame in shown:
        frame[minimap.top() : minimap.bottom() + 1, minimap.left() : minimap.right() + 1] = 0
    assert np.abs(shown[1] - shown[0]).max() <= 2
