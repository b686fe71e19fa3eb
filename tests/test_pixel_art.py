"""Crops drawn pixel by pixel: what is asked for are the pixels of the low resolution picture, as squares."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from gaussian_core.training import pixel_art  # noqa: E402
from gaussian_core.training.dataset import Layout, Sampler  # noqa: E402
from gaussian_core.training.drawn_crops import WithDrawn  # noqa: E402
from gaussian_core.training.pixel_art import PixelArt, picture  # noqa: E402
from gaussian_core.training.synthetic import page  # noqa: E402

CELLS = Layout(patch=20, cells=2, margin=2)
WINDOW = Layout(patch=20, cells=1, margin=2, window=9)


def same(a, b):
    return torch.equal(a.low, b.low) and torch.equal(a.colours, b.colours)


def test_pictures_are_reproducible_and_have_neighbours_at_full_contrast():
    drawn = [picture(np.random.default_rng(n), 44) for n in range(40)]
    np.testing.assert_array_equal(drawn[7], picture(np.random.default_rng(7), 44))
    for one in drawn:
        assert one.shape == (44, 44, 3) and one.dtype == np.uint8
        assert len(np.unique(one.reshape(-1, 3), axis=0)) <= 5
    steps = [np.abs(np.diff(one.astype(int), axis=1)).max(-1) for one in drawn]
    assert sum((s == 255).any() for s in steps) > 5
    assert np.mean([(s > 60).mean() for s in steps]) > 0.1, "more than edges"
    assert np.mean([(s == 0).mean() for s in steps]) > 0.3, "and flat ground beside them"


@pytest.mark.parametrize("draw", pixel_art._DRAWN)
@pytest.mark.parametrize("size", [(2, 2), (2, 31), (7, 5), (43, 12)])
def test_every_kind_fits_any_area(draw, size):
    rng = np.random.default_rng(0)
    drawn = [draw(rng, *size) for _ in range(30)]
    assert all(one.shape == size and one.dtype == bool for one in drawn)
    assert min(size) == 2 or len({one.tobytes() for one in drawn}) > 1


@pytest.mark.parametrize("layout", [CELLS, WINDOW])
def test_what_is_asked_for_is_the_pixel_at_the_place(layout):
    for number in range(12):
        batch = PixelArt(layout, seed=3).draw(number)
        columns, rows = batch.positions[0].long()
        assert torch.equal(batch.colours[0], batch.low[0][:, rows, columns])
        assert 1 / 8 <= float(batch.cell[0]) <= 1
        assert same(batch, PixelArt(layout, seed=3).draw(number))
    assert not same(batch, PixelArt(layout, seed=4).draw(number))


def test_a_share_of_the_crops_is_replaced_and_the_others_stay():
    plain = Sampler([page(0, 200)], np.ones(1), batch=4, patch=20, pages=2)
    mixed = WithDrawn(plain, PixelArt(plain.layout), 0.3)
    kept = 0
    for number in range(25):
        before, after = plain.draw(number), mixed.draw(number)
        assert same(after, mixed.draw(number))
        kept += sum(same(before.crop(i), after.crop(i)) for i in range(4))
    assert 55 <= kept <= 85
    assert same(WithDrawn(plain, PixelArt(plain.layout), 0).draw(1), plain.draw(1))
