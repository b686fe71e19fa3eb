"""Seen at 100 % a learned field is the file, and at 150 % the correction is gone."""

from __future__ import annotations

import numpy as np
import pytest

from gaussian_core.correction import STRIP, make_rows, response, solve, weight
from gaussian_core.field import GaussianField
from gaussian_core.rasterizer import rasterize
from gaussian_core.viewport import Viewport
from tests.fields import dense_field


def with_correction(height, width, channels=3):
    """A field and a picture that it is made to show at 100 %."""
    pixels = np.random.default_rng(1).random((height, width, channels)).astype(np.float32)
    base = dense_field(height, width)
    base = GaussianField(
        base.means, base.covariances, base.amplitudes[:, :channels], (height, width)
    )
    missing = pixels - rasterize(base, Viewport.whole((height, width), 1.0))
    correction = GaussianField.from_rows(make_rows(solve(missing), 0, 0), (height, width))
    return (
        GaussianField(
            base.means, base.covariances, base.amplitudes, base.extent, correction=correction
        ),
        base,
        pixels,
    )


def test_its_strips_do_not_change_a_bit(monkeypatch):
    missing = np.random.default_rng(2).standard_normal((3 * STRIP + 7, 21, 3)).astype(np.float32)
    by_strips = solve(missing)
    monkeypatch.setattr("gaussian_core.correction.STRIP", len(missing))
    assert np.array_equal(solve(missing), by_strips)


@pytest.mark.parametrize("extent", [(1, 1), (2, 9), (17, 23), (STRIP + 2, 5)])
@pytest.mark.parametrize("backend", ["cpu", "reference", "torch"])
def test_the_correction_makes_it_the_file(extent, backend):
    field, base, pixels = with_correction(*extent)
    view = Viewport.whole(extent, 1.0)
    np.testing.assert_allclose(rasterize(field, view, backend=backend), pixels, atol=0.5 / 255)
    assert np.abs(rasterize(base, view) - pixels).max() > 0.1


@pytest.mark.parametrize(("sigma", "left"), [(0.0, 1e-3), (0.3, 1e-3), (0.4, 0.01), (0.5, 0.2)])
def test_it_is_solved_for_the_footprint_that_it_is_seen_by(sigma, left):
    missing = np.random.default_rng(3).normal(0, 0.1, (20, 23, 3)).astype(np.float32)
    faint = GaussianField.from_rows(make_rows(solve(missing, sigma), 0, 0), (20, 23))
    shown = rasterize(faint, Viewport.whole((20, 23), 1.0), pixel_sigma=sigma)
    assert np.std(shown - missing) < left * np.std(missing)


def test_however_wide_the_footprint_it_stays_in_bounds():
    missing = np.random.default_rng(3).normal(0, 0.1, (40, 40, 3)).astype(np.float32) + 0.1
    for sigma in (0.6, 1.0, 10.0):
        full, _, _ = response(sigma)
        assert np.abs(solve(missing, sigma)).max() < 10 * full * np.abs(missing).max()


@pytest.mark.parametrize("scale", [1.5, 3.7, (1.4, 1.7), 40.0])
def test_it_is_gone_from_150_percent(scale):
    field, base, _ = with_correction(12, 14)
    view = Viewport((1.3, 2.2), scale, (50, 40))
    np.testing.assert_array_equal(rasterize(field, view), rasterize(base, view))


def test_it_fades_without_a_jump():
    scales = np.linspace(0.5, 2.5, 401)
    weights = [weight((s, s)) for s in scales]
    assert weights[0] == 1 and weights[-1] == 0
    assert np.abs(np.diff(weights)).max() < 0.02 and (np.diff(weights) <= 0).all()
    field, base, _ = with_correction(9, 9)
    view = Viewport((0, 0), 1.25, (11, 11))
    assert field.correction is not None
    part = rasterize(field, view) - rasterize(base, view)
    np.testing.assert_allclose(part, 0.5 * rasterize(field.correction, view), atol=1e-5)


def test_it_travels_with_the_file(tmp_path):
    field, _, _ = with_correction(8, 9)
    field.save(tmp_path / "f.safetensors")
    back = GaussianField.open(tmp_path / "f.safetensors")
    view = Viewport.whole((8, 9), 1.2)
    np.testing.assert_array_equal(rasterize(back, view), rasterize(field, view))
    assert field.nbytes > back.means.nbytes
