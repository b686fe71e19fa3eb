"""Fields whose cells are as large as the pixels or a little larger, which the CPU rasterizer draws many Gaussians at a
time."""

from __future__ import annotations

import numpy as np
import pytest

from gaussian_core.field import GaussianField
from gaussian_core.rasterizer import PIXEL_SIGMA, rasterize
from gaussian_core.rasterizer.cells_ir import LANES
from gaussian_core.rasterizer.cells_kernel import block_length, prepare_block
from gaussian_core.rasterizer.cells_ring import spreads
from gaussian_core.rasterizer.cpu_kernel import REACH
from gaussian_core.viewport import Viewport
from tests.fields import dense_field, random_field, slanted

# At these scales the cells of one of the index's levels, 1, 2, 4 ... source pixels wide, are a pixel each.
SCALES = [1.0, 0.5, 0.25]
# At these a little more than a pixel: those of one source pixel but for the last, where they are two wide.
SPREAD = [1 + 1e-9, 1.00002, 1.13, 1.37, 1.69, 0.6]
ORIGINS = [(0.0, 0.0), (3.25, 4.5), (-5.7, -9.1), (3.6, 4.49)]


def uneven_field(channels=3):
    """0 to 12 Gaussians in a cell."""
    rng = np.random.default_rng(5)
    parts = [dense_field(30, 41)] + [
        random_field(400, 3, (30, 41), (0.2, 0.9), seed=k) for k in (1, 2)
    ]
    means, covariances = (
        np.concatenate([getattr(f, name) for f in parts]) for name in ("means", "covariances")
    )
    keep = rng.random(len(means)) < 0.6
    amplitudes = rng.uniform(-0.5, 0.5, (int(keep.sum()), channels))
    return GaussianField(means[keep], covariances[keep], amplitudes, (30, 41))


def crowd(height, width, seed=3):
    """Three Gaussians in a cell, most of them close, some so thin or so wide that they are drawn by themselves."""
    rng = np.random.default_rng(seed)
    field = random_field(
        3 * (height + 4) * (width + 4), 3, (height, width), (0.15, 0.45), 0.9, seed
    )
    covariances = field.covariances.copy()
    chosen = rng.random(len(covariances)) < 0.02
    covariances[chosen] *= rng.choice([1e-4, 3.0], (int(chosen.sum()), 1))
    covariances[:, 1] *= 0.99
    return GaussianField(field.means, covariances, field.amplitudes * 0.3, field.extent)


def assert_spread(field, scale, pixel_sigma=0.3):
    """That one of the field's levels is drawn the way that is tested."""
    footprint = pixel_sigma**2
    assert any(spreads(v, (scale, scale), footprint, REACH) for v in field.index.levels)


def agree(fast, slow):
    error = np.abs(fast - slow)
    assert error.max() <= 1 / 255
    assert error.mean() <= 0.0005


@pytest.mark.parametrize("scale", SPREAD)
@pytest.mark.parametrize(("origin", "channels"), list(zip(ORIGINS, [3, 1, 8, 4], strict=True)))
def test_cells_of_more_than_a_pixel_with_many_and_with_no_gaussians(scale, origin, channels):
    test_cells_with_many_and_with_no_gaussians(scale, origin, channels)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("channels", [1, 3, 4, 8])
def test_cells_with_many_and_with_no_gaussians(scale, origin, channels):
    field = uneven_field(channels)
    for size in ((61, 50), (300, 7), (1, 1)):
        view = Viewport(origin, scale, size)
        agree(rasterize(field, view, backend="cpu"), rasterize(field, view, backend="reference"))


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("pixel_sigma", [0.0, 0.1, 0.3, 0.8, 2.0])
@pytest.mark.parametrize("sigma", [(0.01, 0.9), (0.2, 0.6), (0.1, 9.0)])
@pytest.mark.parametrize("correlation", [0.5, 0.9999])
def test_shapes_from_needles_to_clouds(scale, pixel_sigma, sigma, correlation):
    """The ones that are too thin, too long or too large for the walk are drawn by themselves."""
    field = random_field(1500, 3, (40, 50), sigma, correlation)
    field = GaussianField(field.means, field.covariances, field.amplitudes * 0.2, field.extent)
    view = Viewport((-3.3, -2.1), scale, (60, 51))
    fast, slow = (
        rasterize(field, view, backend=b, pixel_sigma=pixel_sigma) for b in ("cpu", "reference")
    )
    agree(fast, slow)


def test_gaussians_along_an_edge_are_drawn_side_by_side():
    """Such as a learned field has there: one by one they would double the time of a frame at 100 %."""
    rows, columns = 4, 2 * LANES
    y, x = np.mgrid[0:rows, 0:columns]
    spots = np.array([(0.1, 0.2), (0.9, 0.1), (0.4, 0.6), (0.8, 0.9)])
    means = (np.stack([x, y], axis=-1)[:, :, None] + spots).reshape(-1, 2)
    shapes = [slanted(angle, 0.7, 0.2) for angle in (0.0, np.pi / 4, 2.0, -np.pi / 4)]
    covariances = np.tile(shapes, (rows * columns, 1))
    field = GaussianField(means, covariances, np.ones((len(means), 3)), (rows, columns))
    (level,) = field.index.levels
    scratch = np.empty(block_length(3), np.float32)
    for scale in (1.0, 1.3):
        shifts = np.full(LANES, scale / 2, np.float32)
        for cell in range(0, rows * columns, LANES):
            alone = prepare_block(
                scratch.ctypes.data, field.index.rows.ctypes.data, field.index.rows.strides[0],
                level.starts.ctypes.data + cell * 4, LANES, 0, np.float32(cell % columns),
                np.float32(cell // columns), np.float32(1), np.float32(scale), shifts.ctypes.data,
                np.float32(scale / 2), np.float32(PIXEL_SIGMA**2), np.float32(REACH), np.float32(6),
                np.float32(1), (np.float32(0),) * 3,
            )  # fmt: skip
            assert alone == 0


@pytest.mark.parametrize("origin", [(0.5, 0.5), (2.0**-17, 0.25), (1e4 + 0.3, 0.0), (0.999, 0.501)])
def test_every_phase_of_the_pixels(origin):
    field = dense_field(20, 30)
    moved = GaussianField(
        field.means + np.float32(np.floor(origin)), field.covariances, field.amplitudes, (20, 30)
    )
    view = Viewport(origin, 1.0, (40, 30))
    slow = rasterize(moved, view, backend="reference")
    agree(rasterize(moved, view, backend="cpu"), slow)


@pytest.mark.parametrize("scale", SPREAD[1:5])
@pytest.mark.parametrize("pixel_sigma", [0.0, 0.3, 0.8, 2.0])
@pytest.mark.parametrize("sigma", [(0.01, 0.9), (0.2, 0.6)])
@pytest.mark.parametrize("correlation", [0.5, 0.9999])
def test_shapes_from_needles_to_clouds_in_cells_of_more_than_a_pixel(
    scale, pixel_sigma, sigma, correlation
):
    field = random_field(6000, 3, (40, 50), sigma, correlation)
    field = GaussianField(field.means, field.covariances, field.amplitudes * 0.06, field.extent)
    if sigma[1] < 0.9 and pixel_sigma < 0.5:  # clouds are all drawn by themselves
        assert_spread(field, scale, pixel_sigma)
    view = Viewport((-3.3, -2.1), scale, (70, 61))
    fast, slow = (
        rasterize(field, view, backend=b, pixel_sigma=pixel_sigma) for b in ("cpu", "reference")
    )
    agree(fast, slow)


@pytest.mark.parametrize("scale", SPREAD[:5])
def test_whole_and_parts_of_a_crowd_are_the_same_to_the_bit(scale):
    field = crowd(200, 330)
    assert_spread(field, scale)
    view = Viewport((-7.3, -5.6), scale, (415, 245))
    whole = rasterize(field, view, backend="cpu")
    for left, top, width, height in (
        (0, 0, 100, 245), (7, 3, 301, 100), (57, 156, 1, 1), (255, 90, 160, 155), (33, 244, 382, 1),
    ):  # fmt: skip
        part = view.part(left, top, width, height)
        np.testing.assert_array_equal(
            rasterize(field, part, backend="cpu"), whole[top : top + height, left : left + width]
        )


@pytest.mark.parametrize("scale", [1.00002, 1.37])
def test_tiles_of_a_field_add_up_and_a_pan_changes_no_bit(scale):
    """Tiles whose first cells are wherever, as the viewer has them."""
    field = crowd(90, 130)
    place = field.means.astype(int) // (41, 29)
    tiles = []
    for key in np.unique(place, axis=0):
        own = (place == key).all(axis=1)
        parts = (field.means[own], field.covariances[own], field.amplitudes[own])
        tiles.append(GaussianField(*parts, field.extent))
    view = Viewport((-2.2, 3.7), scale, (150, 101))
    agree(rasterize(tiles, view, backend="cpu"), rasterize(field, view, backend="reference"))
    whole = rasterize(tiles, view, backend="cpu")
    panned = Viewport((-2.2 + 11 / scale, 3.7 + 5 / scale), scale, (139, 96))
    np.testing.assert_array_equal(rasterize(tiles, panned, backend="cpu"), whole[5:, 11:])


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("format", ["float", "bgrx8"])
def test_whole_and_parts_are_the_same_to_the_bit(scale, format):
    field = random_field(60_000, 3, (230, 400), (0.05, 1.5), 0.97)
    view = Viewport((-7.3, -5.6), scale, (415, 245))
    whole = rasterize(field, view, backend="cpu", format=format)
    for left, top, width, height in (
        (0, 0, 100, 245), (7, 3, 301, 100), (57, 156, 1, 1), (255, 90, 160, 155), (33, 244, 382, 1),
    ):  # fmt: skip
        part = view.part(left, top, width, height)
        np.testing.assert_array_equal(
            rasterize(field, part, backend="cpu", format=format),
            whole[top : top + height, left : left + width],
        )


@pytest.mark.parametrize("hair", [1e-10, 1e-9])
def test_it_equals_the_scale_next_to_it(hair):
    """By the first the Gaussians are drawn one by one, by the second in cells of more than a pixel."""
    field = uneven_field()
    one = rasterize(field, Viewport((-2.0, -3.0), 1.0, (50, 40)), backend="cpu")
    other = rasterize(field, Viewport((-2.0, -3.0), 1.0 + hair, (50, 40)), backend="cpu")
    # The walk does not cut a column at the box; what is beyond is under 1/1360 of an amplitude.
    np.testing.assert_allclose(one, other, atol=1.5e-3)
