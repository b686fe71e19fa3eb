"""Gaussians on a regular grid, which the CPU rasterizer sums axis by axis, against the reference and themselves."""

from __future__ import annotations

import numpy as np
import pytest

from gaussian_core.field import GaussianField
from gaussian_core.rasterizer import rasterize
from gaussian_core.viewport import Viewport


def regular_field(height=13, width=17, channels=3, variances=(0.3, 0.2), corner=(0.5, 0.5)):
    """One Gaussian a cell, in the same place of each, all of one shape."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    means = np.stack([x.ravel() + corner[0], y.ravel() + corner[1]], axis=1)
    covariances = np.tile([variances[0], 0.0, variances[1]], (len(means), 1))
    amplitudes = np.random.default_rng(3).uniform(-1, 1, (len(means), channels))
    return GaussianField(means, covariances, amplitudes, (height, width))


def is_regular(field):
    return [level.regular for level in field.index.levels] == [True]


@pytest.mark.parametrize("scale", [0.05, 0.4, 1.0, 1.3, (1.5, 3.7), 2.0, 16.0, 300.0])
@pytest.mark.parametrize("channels", [1, 3, 4, 8])
@pytest.mark.parametrize("pixel_sigma", [0.0, 0.3])
def test_a_regular_field_agrees_with_the_reference(scale, channels, pixel_sigma):
    field = regular_field(channels=channels)
    assert is_regular(field)
    for origin, size in (((0.0, 0.0), (203, 77)), ((-5.3, 7.77), (31, 90)), ((11.1, 9.2), (1, 1))):
        view = Viewport(origin, scale, size)
        fast = rasterize(field, view, backend="cpu", pixel_sigma=pixel_sigma)
        slow = rasterize(field, view, backend="reference", pixel_sigma=pixel_sigma)
        # Each cut edge is under 1/1360 of an amplitude of at most 1; some may meet in a pixel.
        np.testing.assert_allclose(fast, slow, atol=1 / 255)
        assert np.abs(fast - slow).mean() < 1e-3


@pytest.mark.parametrize("corner", [(0.5, 0.5), (-3.25, 7.75), (1000.5, -999.5)])
@pytest.mark.parametrize("extent", [(1, 1), (1, 40), (40, 1), (30, 30)])
def test_its_borders_are_where_they_are(corner, extent):
    field = regular_field(*extent, corner=corner)
    assert is_regular(field)
    view = Viewport((corner[0] - 4.3, corner[1] - 3.9), 1.0, (extent[1] + 9, extent[0] + 8))
    slow = rasterize(field, view, backend="reference")
    np.testing.assert_allclose(rasterize(field, view, backend="cpu"), slow, atol=1 / 255)


@pytest.mark.parametrize("scale", [0.7, 1.0, 1.4, (1.0, 1.9), 3.3, 41.0])
def test_whole_and_parts_are_the_same_to_the_bit(scale):
    field = regular_field(220, 230)
    view = Viewport((1.234567, 2.345678), scale, (331, 157))
    whole = rasterize(field, view, backend="cpu")
    for left, top, width, height in ((0, 0, 100, 157), (100, 3, 231, 100), (57, 156, 1, 1)):
        part = rasterize(field, view.part(left, top, width, height), backend="cpu")
        np.testing.assert_array_equal(part, whole[top : top + height, left : left + width])


@pytest.mark.parametrize("scale", [0.3, 1.0, (1.5, 3.7), 4.0])
@pytest.mark.parametrize("split", [(1, 1), (20, 33), (59, 69)])
def test_grids_that_meet_in_the_view_add_up_to_the_whole(scale, split):
    """As the tiles of a picture do: of each only the pixels that it reaches are drawn, and none of them is left out."""
    field = regular_field(60, 70, channels=4)
    x, y = field.means.T
    view = Viewport((-3.3, -2.2), scale, (310, 240))
    total = np.zeros((240, 310, 4))
    for left in (x < split[1], x >= split[1]):
        for upper in (y < split[0], y >= split[0]):
            here = left & upper
            part = GaussianField(
                field.means[here], field.covariances[here], field.amplitudes[here], field.extent
            )
            assert is_regular(part)
            total += rasterize(part, view, backend="cpu")
    np.testing.assert_allclose(total, rasterize(field, view, backend="cpu"), atol=1e-5)


@pytest.mark.parametrize("scale", [1.0, 1.9, 0.6])
def test_it_equals_the_same_gaussians_one_by_one(scale):
    """One more Gaussian, of no brightness and outside the grid, and they are drawn one by one."""
    field = regular_field(60, 70)
    other = GaussianField(
        np.concatenate([field.means, [[90.5, 80.5]]]),
        np.concatenate([field.covariances, field.covariances[:1]]),
        np.concatenate([field.amplitudes, np.zeros((1, 3))]),
        field.extent,
    )
    assert not is_regular(other)
    view = Viewport((-2.2, -3.3), scale, (150, 140))
    one, two = (rasterize(f, view, backend="cpu") for f in (field, other))
    np.testing.assert_allclose(one, two, atol=2e-5)


@pytest.mark.parametrize("change", ["place", "shape", "correlation", "missing"])
def test_what_is_not_regular_is_not_taken_for_it(change):
    field = regular_field()
    means, covariances = field.means.copy(), field.covariances.copy()
    keep = np.ones(len(means), bool)
    if change == "place":
        means[40, 0] += 0.125
    elif change == "shape":
        covariances[40, 2] *= 0.875
    elif change == "correlation":
        covariances[40, 1] = 0.01
    else:
        keep[40] = False
    other = GaussianField(means[keep], covariances[keep], field.amplitudes[keep], field.extent)
    assert not is_regular(other)
    view = Viewport((0, 0), 3.0, (50, 40))
    slow = rasterize(other, view, backend="reference")
    np.testing.assert_allclose(rasterize(other, view, backend="cpu"), slow, atol=1 / 255)


def test_the_order_of_the_gaussians_does_not_matter():
    field = regular_field()
    order = np.random.default_rng(1).permutation(len(field))
    other = GaussianField(
        field.means[order], field.covariances[order], field.amplitudes[order], field.extent
    )
    assert is_regular(other)
    view = Viewport((0, 0), 1.7, (50, 40))
    np.testing.assert_array_equal(rasterize(other, view), rasterize(field, view))
