"""Smooth Gaussians are drawn on coarser lattices and enlarged: nobody may see it."""

from __future__ import annotations

import numpy as np
import pytest

from gaussian_core.field import GaussianField
from gaussian_core.rasterizer import rasterize
from gaussian_core.rasterizer.coarse import COARSEST, SMOOTH, lattices
from gaussian_core.viewport import Viewport
from tests.fields import dense_field, random_field

FOOTPRINT = 0.3**2


def chosen(field, scale):
    scales = scale if isinstance(scale, tuple) else (scale, scale)
    return lattices(field.index.levels, scales, FOOTPRINT)


@pytest.mark.parametrize(
    ("scale", "coarsest"),
    [(3.0, 0), (11.0, 1), (19.3, 2), ((60.0, 21.7), 2), (44.4, 3), (127.0, 3), (5000.0, 3)],
)
def test_a_dense_field_is_the_reference_at_every_lattice(scale, coarsest):
    field = dense_field(12, 14)
    assert chosen(field, scale).coarsest == coarsest
    for origin, size in (((4.4, 3.3), (97, 61)), ((-0.37, 9.1), (640, 33)), ((6.6, 6.1), (1, 1))):
        view = Viewport(origin, scale, size)
        error = rasterize(field, view) - rasterize(field, view, backend="reference")
        assert np.abs(error).max() < 1e-3


def test_the_narrowest_decide_what_is_left_for_the_finer_lattices():
    one = GaussianField([[4.0, 4.0]], [[0.01, 0.0, 0.01]], [[1.0]], (9, 9))
    assert chosen(one, 20.0) == (0, (0,))
    assert chosen(one, 40.0) == (1, (1,))
    assert chosen(one, 1e6) == (COARSEST, (COARSEST,))
    # Long and thin: across, a row of pixels sees little of it.
    thin = GaussianField([[4.0, 4.0]], [[1.0, 0.999, 1.0]], [[1.0]], (9, 9))
    assert chosen(thin, 20.0).coarsest == 0
    few = GaussianField(
        np.full((20, 2), 4.0), [[0.01, 0.0, 0.01]] * 3 + [[1.0, 0.0, 1.0]] * 17, np.ones((20, 1)), (9, 9)
    )  # fmt: skip
    assert chosen(few, 20.0) == (3, (0,)), "most are smooth, and a few are not"


@pytest.mark.parametrize("factor", [1, 2, 4, 8])
def test_at_the_bound_between_two_lattices_nothing_is_drawn_twice_or_left_out(factor):
    rng = np.random.default_rng(factor)
    scale = 37.3
    bound = (SMOOTH**2 * factor**2 - FOOTPRINT) / scale**2  # variance, source pixels squared
    count = 60
    variances = bound * (1 + np.linspace(-3e-6, 3e-6, count))
    wide = np.full(count, 1.7 * bound)
    across = rng.random(count) < 0.5
    covariances = np.stack(
        [np.where(across, variances, wide), np.zeros(count), np.where(across, wide, variances)], 1
    )
    field = GaussianField(
        rng.uniform(0, 9, (count, 2)), covariances, np.ones((count, 1)), extent=(9, 9)
    )
    view = Viewport((-0.2, 0.1), scale, (350, 330))
    error = rasterize(field, view) - rasterize(field, view, backend="reference")
    assert np.abs(error).max() < 5e-3


@pytest.mark.parametrize("scale", [12.0, 23.4, 51.0, (90.0, 300.0)])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_tiles_of_coarse_lattices_meet_to_the_bit(scale, channels):
    field = random_field(400, channels, sigma=(0.1, 1.2), correlation=0.5)
    assert chosen(field, scale).coarsest > 0
    view = Viewport((-0.73, 2.345678), scale, (1103, 431))
    whole = rasterize(field, view)
    for left, top, width, height in (
        (0, 0, 1103, 100),
        (513, 7, 590, 331),
        (511, 181, 3, 5),
        (1102, 430, 1, 1),
    ):
        part = rasterize(field, view.part(left, top, width, height))
        np.testing.assert_array_equal(part, whole[top : top + height, left : left + width])


def test_fields_that_meet_are_as_seamless_as_one():
    """What a lattice holds of one field and another of its neighbour adds up where both are seen."""
    field = random_field(300, sigma=(0.1, 0.6), extent=(20, 20))
    left = field.means[:, 0] < 10
    halves = [
        GaussianField(field.means[s], field.covariances[s], field.amplitudes[s], extent=(20, 20))
        for s in (left, ~left)
    ]
    view = Viewport((8.0, 7.0), 33.0, (150, 131))
    error = rasterize(halves, view) - rasterize(field, view, backend="reference")
    assert np.abs(error).max() < 2e-3
