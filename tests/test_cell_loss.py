"""The compiled loss of the learned field against its twin of tensor operations, in value and gradient."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from gaussian_core.models.config import ModelConfig  # noqa: E402
from gaussian_core.training import cell_loss  # noqa: E402
from gaussian_core.training.colour_loss import LUMA, colour_loss  # noqa: E402
from gaussian_core.training.dataset import Sampler  # noqa: E402
from gaussian_core.training.geometry_prior import geometry_prior  # noqa: E402
from gaussian_core.training.grid_rasterizer import sample_cells  # noqa: E402
from gaussian_core.training.learners import ContinuousSRLearner  # noqa: E402

SMALL = ModelConfig(channels=16, blocks=1, hidden=32)
DESIGNS = {
    "shipped": SMALL,
    "no drift": replace(SMALL, drift=0.0),
    "nine a pixel": replace(SMALL, cells=3),
    "one a pixel": replace(SMALL, cells=1),
    "a small dictionary": replace(SMALL, dictionary_size=3),
    "narrow": replace(SMALL, spread=0.06),
    "points": replace(SMALL, footprint=0.0),
}


def a_batch(config, patch=20, count=2, seed=0):
    rng = np.random.default_rng(seed)
    pictures = [rng.integers(0, 256, (90, 110, 3), dtype=np.uint8) for _ in range(2)]
    sampler = Sampler(
        pictures,
        np.ones(2) / 2,
        batch=count,
        patch=patch,
        cells=config.cells,
        page_share=0,
        seed=seed,
    )
    return sampler.draw(0)


def both(config, monkeypatch, follow=0.1, strength=30.0, luminance=0.0, squares=False, **batch):
    """(loss, gradients) of either kind for one network: geometry far from where it starts, so that all that is cut off
    anywhere is."""
    torch.manual_seed(1)
    learner = ContinuousSRLearner(config, follow)
    learner.luminance, learner.squares = luminance, squares
    model = learner.make()
    with torch.no_grad():
        model.geometry.weight.mul_(strength)
        model.colour.weight.mul_(3)
    asked = a_batch(config, **batch)
    made = []
    for fast in (True, False):
        with monkeypatch.context() as patched:
            if not fast:
                patched.setattr(cell_loss, "suits", lambda *_: False)
            else:
                assert cell_loss.suits(config, asked)
            model.zero_grad()
            loss = learner.loss(model, asked, False)
            loss.backward()
        made.append((float(loss.detach()), [p.grad.clone() for p in model.parameters()]))
    return made


@pytest.mark.parametrize("strength", [1.0, 30.0, 300.0])
@pytest.mark.parametrize("name", DESIGNS)
def test_it_is_the_loss_of_the_tensor_operations(name, strength, monkeypatch):
    fast, slow = both(DESIGNS[name], monkeypatch, strength=strength)
    assert fast[0] == pytest.approx(slow[0], rel=1e-5)
    for mine, wanted in zip(fast[1], slow[1], strict=True):
        assert float((mine - wanted).norm()) < 2e-4 * float(wanted.norm()) + 1e-9


@pytest.mark.parametrize("squares", [False, True])
@pytest.mark.parametrize(
    ("follow", "luminance"),
    [(0.0, 0.0), (0.003, 0.0), (3.0, 0.0), (0.1, 0.3), (0.1, 0.85), (0.0, 1.0)],
)
def test_the_prior_on_the_geometry_and_the_share_of_the_luminance(
    follow, luminance, squares, monkeypatch
):
    fast, slow = both(SMALL, monkeypatch, follow=follow, luminance=luminance, squares=squares)
    assert fast[0] == pytest.approx(slow[0], rel=1e-5)
    for mine, wanted in zip(fast[1], slow[1], strict=True):
        assert float((mine - wanted).norm()) < 2e-4 * float(wanted.norm()) + 1e-9


def test_only_grey_counts_where_all_is_of_the_luminance():
    """A difference of colours alone, of the same luminance, costs nothing; one of brightness all that it is."""
    wanted = torch.rand(2, 3, 6, 7)
    tint = torch.tensor([0.1, -0.1 * LUMA[0] / LUMA[1], 0.0])[:, None, None]
    assert float(colour_loss(wanted + tint, wanted, 1.0)) < 1e-6
    assert float(colour_loss(wanted + 0.1, wanted, 1.0)) == pytest.approx(0.1, rel=1e-4)
    each = float(colour_loss(wanted + tint, wanted, 0.0))
    assert float(colour_loss(wanted + tint, wanted, 0.25)) == pytest.approx(0.75 * each, rel=1e-4)


def test_by_squares_each_crop_counts_by_what_it_can_gain():
    """A crop's loss is its own root mean square; errors are as dear in a busy crop as in another of as many."""
    wanted = torch.rand(2, 3, 6, 7)
    error = torch.zeros_like(wanted)
    error[0, :, 2, 3], error[1] = 0.6, 0.1
    alone = [
        float(colour_loss((wanted + error)[i : i + 1], wanted[i : i + 1], 0.4, squares=True))
        for i in range(2)
    ]
    assert alone[0] == pytest.approx(0.6 / 42**0.5, rel=1e-3)
    assert alone[1] == pytest.approx(0.1, rel=1e-3)
    assert float(colour_loss(wanted + error, wanted, 0.4, squares=True)) == pytest.approx(
        sum(alone) / 2, rel=1e-5
    )
    assert float(colour_loss(wanted, wanted, 0.4, squares=True)) == pytest.approx(1e-3, rel=1e-3)


@pytest.mark.parametrize("patch", [5, 8, 17, 44])
def test_crops_of_any_size(patch, monkeypatch):
    """Also such of which the last pixels are no whole step of the kernel."""
    fast, slow = both(SMALL, monkeypatch, patch=patch, count=3)
    assert fast[0] == pytest.approx(slow[0], rel=1e-5)


@pytest.mark.parametrize("patch", [9, 20])
def test_the_gradient_of_what_the_heads_say(patch):
    """Number by number, and of whatever the loss is a part of."""
    torch.manual_seed(0)
    model = ContinuousSRLearner(SMALL, 0.05).make()
    batch = a_batch(SMALL, patch=patch)
    raw = (0.05 * torch.randn(2, 12 + 18 * 4, patch, patch)).requires_grad_()
    (3 * cell_loss.loss(model, raw, batch, 4, 0.05)).backward()
    made, raw.grad = raw.grad, None
    colour, geometry = (torch.pixel_shuffle(part, 2) for part in (raw[:, :12], raw[:, 12:]))
    cells = model.gaussians(batch.low, colour, geometry)
    seen = sample_cells(cells, batch.positions, batch.cell * SMALL.footprint, 4)
    lost = (seen - batch.colours).abs().mean() + 0.05 * geometry_prior(cells, batch.low)
    (3 * lost).backward()
    assert float((made - raw.grad).abs().max()) < 1e-4 * float(raw.grad.abs().max())


def test_other_designs_are_left_to_the_twin():
    batch = a_batch(SMALL)
    assert cell_loss.suits(SMALL, batch)
    for change in (
        {"covariance": "linear"},
        {"covariance": "direct"},
        {"elongation": 0.4},
        {"spread": 0.01},
    ):
        assert not cell_loss.suits(replace(SMALL, **change), batch)
