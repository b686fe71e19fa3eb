"""Crops of threads and weaves: on both sides of what the reduced picture holds, and asked for as they are."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from gaussian_core.training import fabric  # noqa: E402
from gaussian_core.training.dataset import Layout, Sampler, reduced  # noqa: E402
from gaussian_core.training.drawn_crops import WithDrawn  # noqa: E402
from gaussian_core.training.fabric import Fabric, picture  # noqa: E402
from gaussian_core.training.pixel_art import PixelArt  # noqa: E402
from gaussian_core.training.synthetic import page  # noqa: E402

CELLS = Layout(patch=20, cells=2, margin=2)
WINDOW = Layout(patch=20, cells=1, margin=2, window=9)


def test_pictures_are_reproducible():
    drawn = [picture(np.random.default_rng(n), 132, 3.0) for n in range(10)]
    np.testing.assert_array_equal(drawn[7], picture(np.random.default_rng(7), 132, 3.0))
    assert all(one.shape == (132, 132, 3) and one.dtype == np.uint8 for one in drawn)
    assert len({one.tobytes() for one in drawn}) == 10


def test_some_threads_are_finer_than_their_reduction_holds_and_some_are_not():
    ys, xs = (np.mgrid[:264, :264].astype(np.float32) + 0.5) / 2
    kept = []
    for n in range(60):
        threads = fabric._threads(np.random.default_rng(n), xs, ys, 3.0)
        assert threads.dtype == np.float32 and threads.min() >= 0 and threads.max() <= 1
        whole = np.repeat(np.rint(threads[::2, ::2, None] * 255).astype(np.uint8), 3, 2)
        kept.append(reduced(whole, 44).std() / whole.std())
    assert sum(share < 0.4 for share in kept) > 10
    assert sum(share > 0.8 for share in kept) > 10


@pytest.mark.parametrize("layout", [CELLS, WINDOW])
def test_what_is_asked_for_is_the_original_at_the_place(layout):
    for number in range(6):
        batch = Fabric(layout, seed=3).draw(number)
        scale = 1 / float(batch.cell[0])
        assert 1 <= scale <= 8 and batch.low.shape == (1, 3, 20, 20)
        columns, rows = (batch.positions[0] * scale).long()
        side = round(20 * scale)
        assert int(columns.min()) >= 0 and int(columns.max()) < side
        # Reduced again from what is asked for: near what the network sees, where the layout asks for it all.
        if layout is CELLS:
            cells = batch.colours[0].reshape(3, 16, 2, 16, 2).mean((2, 4))
            seen = batch.low[0, :, 2:-2, 2:-2]
            assert float((cells - seen).abs().mean()) < 0.1
            assert float((cells.mean((1, 2)) - seen.mean((1, 2))).abs().max()) < 0.05
        again = Fabric(layout, seed=3).draw(number)
        assert torch.equal(again.low, batch.low) and torch.equal(again.colours, batch.colours)


def test_both_kinds_of_drawn_crops_have_chances_of_their_own():
    plain = Sampler([page(0, 200)], np.ones(1), batch=4, patch=20, pages=2)

    def chosen(drawing):
        replaced = []
        for number in range(50):
            before, after = plain.draw(number), WithDrawn(plain, drawing, 0.3).draw(number)
            replaced += [not torch.equal(before.low[i], after.low[i]) for i in range(4)]
        return np.array(replaced)

    woven, art = chosen(Fabric(plain.layout)), chosen(PixelArt(plain.layout))
    assert 40 <= woven.sum() <= 80 and 40 <= art.sum() <= 80
    assert 5 <= (woven & art).sum() <= 35
