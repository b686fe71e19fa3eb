"""Viewport geometry."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from gaussian_core.lattice import lattice
from gaussian_core.viewport import Viewport


def test_pixel_centres_follow_the_convention():
    view = Viewport(origin=(3.0, -2.0), scale=(2.0, 4.0), size=(3, 2))
    xs, ys = view.pixel_centres()
    np.testing.assert_allclose(xs, [3.25, 3.75, 4.25])
    np.testing.assert_allclose(ys, [-1.875, -1.625])
    assert view.source_rect == (3.0, -2.0, 4.5, -1.5)


def test_to_device_inverts_to_source():
    view = Viewport((17.3, 99.1), 3.7, (640, 480))
    x, y = view.to_source(12.25, 400.5)
    assert view.to_device(x, y) == pytest.approx((12.25, 400.5), abs=1e-9)


def test_a_part_sees_the_same_source_points():
    view = Viewport((0.37, 5.11), (2.3, 0.7), (50, 40))
    xs, ys = view.pixel_centres()
    part_xs, part_ys = view.part(7, 11, 20, 10).pixel_centres()
    np.testing.assert_allclose(part_xs, xs[7:27], atol=1e-12)
    np.testing.assert_allclose(part_ys, ys[11:21], atol=1e-12)


@pytest.mark.parametrize(
    ("scale", "size"),
    [(1.0, (30, 20)), (2.5, (75, 50)), (0.1, (3, 2)), (2.2, (66, 44)), ((3.7, 0.26), (111, 6))],
)
def test_whole_covers_the_picture_with_the_fewest_pixels(scale, size):
    assert Viewport.whole((20, 30), scale).size == size


def test_whole_is_never_empty():
    assert Viewport.whole((1, 1), 0.01).size == (1, 1)


@pytest.mark.parametrize(
    "arguments",
    [
        ((0, 0), 0.0, (4, 4)),
        ((0, 0), (1.0, -1.0), (4, 4)),
        ((0, 0), float("nan"), (4, 4)),
        ((float("inf"), 0), 1.0, (4, 4)),
        ((0, 0), 1.0, (0, 4)),
        ((0, 0), 1.0, (4.5, 4)),
        ((0, 0), 1.0, (float("nan"), 4)),
        ((0, 0), 1.0, (float("inf"), 4)),
        ((0, 0), 1.0, 4),
        ((0, 0, 0), 1.0, (4, 4)),
        (0, 1.0, (4, 4)),
        ((0, 0), (1.0, 2.0, 3.0), (4, 4)),
        ((0, 0), None, (4, 4)),
    ],
)
def test_nonsense_is_refused(arguments):
    with pytest.raises(ValueError, match="viewport"):
        Viewport(*arguments)


@pytest.mark.parametrize(
    ("extent", "scale"), [((20, 30), float("nan")), ((20, 30), float("inf")), ((20, 30, 3), 2.0)]
)
def test_a_whole_of_nonsense_is_refused(extent, scale):
    with pytest.raises(ValueError, match="viewport"):
        Viewport.whole(extent, scale)


@pytest.mark.parametrize(
    "scale", [np.float32(2.5), np.float64(2.5), Fraction(5, 2), np.array(2.5), np.array([2.5, 2.5])]
)
def test_a_scale_is_a_number_of_any_kind(scale):
    assert Viewport((0, 0), scale, (4, 4)).scale == (2.5, 2.5)
    assert Viewport.whole((20, 30), scale).size == (75, 50)


def test_scales_and_sizes_out_of_numpy_loops_are_numbers_too():
    for scale in np.arange(1, 4):
        view = Viewport(np.zeros(2), scale, np.array([30, 20]) * scale)
        assert view.scale == (scale, scale) and view.size == (30 * scale, 20 * scale)
        assert type(view.size[0]) is int


@pytest.mark.parametrize("scale", [0.05, 1.0, 3.7, 1000.0 / 3])
def test_lattice_phase_survives_whole_pixel_moves(scale):
    index, phase = lattice(1234.567, scale)
    assert (index + phase) / scale == pytest.approx(1234.567, abs=1e-4 / scale)
    for step in (1, -7, 4096):
        assert lattice(1234.567 + step / scale, scale) == (index + step, phase)
