"""Training with all eight orientations alike: what turns with the picture, and what a step learns from one crop."""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from gaussian_core.errors import UserError, WeightsError

torch = pytest.importorskip("torch")

from gaussian_core.models.config import ModelConfig, shipped_weights, weights_path  # noqa: E402
from gaussian_core.models.continuoussr import Cells, ContinuousSR  # noqa: E402
from gaussian_core.models.weights import load_model, save_model  # noqa: E402
from gaussian_core.training import command  # noqa: E402
from gaussian_core.training.dataset import Sampler  # noqa: E402
from gaussian_core.training.learners import ContinuousSRLearner  # noqa: E402
from gaussian_core.training.loop import Schedule, Trainer  # noqa: E402
from gaussian_core.training.orientations import ORIENTATIONS, matrix, oriented  # noqa: E402
from gaussian_core.training.symmetry import Symmetry  # noqa: E402
from gaussian_core.training.synthetic import page  # noqa: E402
from gaussian_core.training.teacher import in_orientation  # noqa: E402

SMALL = ModelConfig(channels=16, blocks=1, hidden=16, symmetric=True)
EVERY = range(ORIENTATIONS)
CPU = torch.device("cpu")


def turned(values, k):
    return torch.from_numpy(oriented(values.numpy(), k).copy())


def turned_vectors(vectors, k):
    return torch.einsum("ij,bjhw->bihw", torch.from_numpy(matrix(k)).to(vectors.dtype), vectors)


def turned_cells(cells, k, width):
    """Of a square picture, about its middle."""
    means, covariances = turned(cells.means, k), turned(cells.covariances, k)
    xx, xy, yy = covariances.unbind(1)
    full = torch.stack([torch.stack([xx, xy]), torch.stack([xy, yy])])
    turn = torch.from_numpy(matrix(k)).to(full.dtype)
    full = torch.einsum("ij,jkbhw,lk->ilbhw", turn, full, turn)
    return Cells(
        turned_vectors(means - width / 2, k) + width / 2,
        torch.stack([full[0, 0], full[0, 1], full[1, 1]], 1),
        turned(cells.amplitudes, k),
    )


def symmetric_model(config, seed=0):
    torch.manual_seed(seed)
    model = ContinuousSR(config).eval()
    with torch.no_grad():
        for head in (model.colour, model.geometry):
            head.weight.normal_(0, 0.3)
            head.bias.normal_(0, 0.3)
    Symmetry(model).begin(model)
    return model


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"covariance": "direct"},
        {"drift": 0.0, "cells": 3, "dictionary_size": 64},
        {"encoder": "two-scale", "blocks": 2, "deep_channels": 24, "deep_blocks": 1},
        {"elongation": 0.4, "cells": 1},
    ],
    ids=["shipped", "direct", "nine", "two-scale", "structure"],
)
def test_a_turned_picture_becomes_the_same_gaussians_turned(changes):
    model = symmetric_model(replace(SMALL, **changes))
    image = torch.rand(1, 3, 14, 14)
    with torch.no_grad():
        upright = model(image)
        for k in EVERY:
            expected = turned_cells(upright, k, 14)
            for made, wanted in zip(model(turned(image, k)), expected, strict=True):
                torch.testing.assert_close(made, wanted, rtol=1e-4, atol=2e-5)
    assert float(upright.covariances[:, 1].abs().max()) > 1e-3


def test_an_ordinary_network_is_not_symmetric_and_a_tied_one_stays():
    model = ContinuousSR(SMALL)
    symmetry = Symmetry(model)
    assert not symmetry.holds(model.parameters())
    symmetry.begin(model)
    assert symmetry.holds(model.parameters())
    before = [p.detach().clone() for p in model.parameters()]
    symmetry.apply([p.data for p in model.parameters()])
    for p, kept in zip(model.parameters(), before, strict=True):
        torch.testing.assert_close(p.detach(), kept)


def test_random_weights_begin_as_large_as_those_of_an_ordinary_network():
    torch.manual_seed(0)
    model = ContinuousSR(replace(SMALL, channels=48, hidden=96))
    weights = [p.detach() for p in model.parameters() if p.ndim > 1]
    spread = [float(w.std()) for w in weights]
    Symmetry(model).begin(model)
    tied = [float(w.std()) for w in weights]
    np.testing.assert_allclose(tied, spread, rtol=0.25)


def sampler():
    return Sampler([page(0, 200)], np.ones(1), batch=2, patch=20, pages=2)


def test_a_crop_teaches_what_it_would_in_all_orientations():
    model = symmetric_model(SMALL)
    learner, batch = ContinuousSRLearner(SMALL), sampler().draw(3)
    parameters = list(model.parameters())

    def gradients(k):
        loss = learner.loss(model, in_orientation(batch, k), False)
        return torch.autograd.grad(loss, parameters)

    each = [gradients(k) for k in EVERY]
    once = [g.clone() for g in each[0]]
    Symmetry(model).apply(once)
    for tied, *all_eight in zip(once, *each, strict=True):
        mean = torch.stack(all_eight).mean(0)
        torch.testing.assert_close(
            tied, mean, rtol=1e-3, atol=1e-5 * float(mean.abs().max()) + 1e-8
        )
    assert not torch.allclose(each[0][0], each[1][0], rtol=1e-2)


def test_training_keeps_a_network_symmetric(tmp_path):
    made = Trainer(
        ContinuousSRLearner(SMALL), Schedule(steps=8, warm_up=1), sampler(), tmp_path, CPU
    )
    start = made.model.encoder.entry.weight.detach().clone()
    for number in range(8):
        made.update(made.batches.draw(number))
    assert not torch.allclose(start, made.model.encoder.entry.weight)
    assert made.symmetry.holds(made.model.parameters()) and made.symmetry.holds(made.average)
    made.export(tmp_path / "made.safetensors")
    assert load_model(tmp_path / "made.safetensors").config.symmetric


@pytest.mark.parametrize("deeper", [0, 2])
def test_it_begins_with_symmetric_weights_and_refuses_others(tmp_path, deeper):
    other = ContinuousSR(replace(SMALL, symmetric=False))
    save_model(tmp_path / "other.safetensors", other, other.config)
    tied = symmetric_model(SMALL)
    save_model(tmp_path / "tied.safetensors", tied, SMALL)
    learner = ContinuousSRLearner(replace(SMALL, blocks=SMALL.blocks + deeper))
    learner.start = tmp_path / "tied.safetensors"
    image = torch.rand(1, 3, 12, 12)
    with torch.no_grad():
        torch.testing.assert_close(learner.make()(image).amplitudes, tied(image).amplitudes)
    learner.start = tmp_path / "other.safetensors"
    with pytest.raises(WeightsError, match="leave out --symmetry"):
        learner.make()
    ContinuousSRLearner(other.config).make()


def train(tmp_path, words):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    given = f"{tmp_path / 'set'} --out {tmp_path / 'out'} --steps 2 --batch 1 --patch 20 --blocks 1"
    return command.run(parser.parse_args(f"{given} --channels 8 {words}".split()))


@pytest.fixture
def pictures(tmp_path):
    (tmp_path / "set").mkdir()
    Image.fromarray(page(1, 128)).save(tmp_path / "set" / "page.png")


def test_the_command_trains_so_when_told_and_goes_on_without(tmp_path, pictures):
    assert train(tmp_path, "--name tied --symmetry") == 0
    weights = tmp_path / "out" / "continuoussr-tied.safetensors"
    model = load_model(weights)
    assert model.config.symmetric and Symmetry(model).holds(model.parameters())
    (tmp_path / "out" / "checkpoint.pt").unlink()
    assert train(tmp_path, f"--name free --weights {weights}") == 0
    model = load_model(tmp_path / "out" / "continuoussr-free.safetensors")
    assert not model.config.symmetric and not Symmetry(model).holds(model.parameters())
    with pytest.raises(WeightsError, match="without --symmetry"):
        train(tmp_path, "--name tied --symmetry --steps 3")


@pytest.mark.parametrize("words", ["--channels 12", "--dictionary published --covariance linear"])
def test_what_cannot_be_symmetric_is_said(tmp_path, pictures, words):
    with pytest.raises(WeightsError, match="leave out --symmetry"):
        train(tmp_path, f"{words} --symmetry")
    assert train(tmp_path, words) == 0


def test_only_the_learned_field_can_be_symmetric(tmp_path, pictures):
    with pytest.raises(UserError, match="--symmetry is for --method continuoussr"):
        train(tmp_path, "--method liif --symmetry")


@pytest.mark.parametrize("name", shipped_weights())
def test_shipped_weights_are_what_their_card_says(name):
    model = load_model(weights_path(name))
    assert Symmetry(model).holds(model.parameters()) == model.config.symmetric
