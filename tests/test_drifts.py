"""A learned field tells how far its Gaussians are from their cells, in tiles, whole and in files."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gaussian_core.builder import FieldBuilder, build_field
from gaussian_core.errors import FieldError
from gaussian_core.field import GaussianField
from gaussian_core.imaging.array_picture import ArrayPicture

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def restless(tmp_path_factory):
    """Weights whose Gaussians drift by up to half a pixel, G = 2."""
    from gaussian_core.models import config, weights

    model = weights.load_model(config.weights_path("light"))
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        drift = model.geometry.bias[-8:]
        drift.copy_(torch.randn(drift.shape, generator=generator) * 0.1)
    path = tmp_path_factory.mktemp("weights") / "restless.safetensors"
    weights.save_model(path, model, replace(model.config, name="restless"))
    return path


@pytest.fixture(scope="module")
def picture():
    return np.random.default_rng(1).random((40, 50, 3)).astype(np.float32)


def began(field):
    return field.means.astype(float) - field.drifts.astype(float)


def cells(first, last):
    """The centres of cells of half a pixel from one pixel's edge to another's."""
    return np.arange(2 * first, 2 * last) / 2 + 0.25


def assert_covers(places, columns, rows):
    """Every cell is the place of one Gaussian's beginning."""
    wanted = np.stack(np.meshgrid(cells(*columns), cells(*rows)), -1).reshape(-1, 2)
    order = np.lexsort((np.round(places[:, 0] * 4), np.round(places[:, 1] * 4)))
    assert len(places) == len(wanted)
    assert np.abs(places[order] - wanted).max() < 2e-3


def test_every_gaussian_of_a_tile_began_in_a_cell_of_its_own(picture, restless):
    builder = FieldBuilder(ArrayPicture(picture), tile=32, weights=restless)
    tile = builder.build_tile((1, 0))
    assert np.abs(tile.drifts).max() > 0.1
    assert_covers(began(tile), (32, 52), (-2, 32))  # with the margin where the picture ends


def test_a_whole_field_tells_the_same_and_a_file_keeps_it(picture, restless, tmp_path):
    field = build_field(picture, weights=restless)
    assert_covers(began(field), (-2, 52), (-2, 42))
    field.save(tmp_path / "f.safetensors")
    read = GaussianField.open(tmp_path / "f.safetensors")
    assert np.array_equal(read.drifts, field.drifts)


def test_a_field_that_never_drifts_tells_nothing(picture, tmp_path):
    field = build_field(picture, method="kernel")
    assert field.drifts is None
    field.save(tmp_path / "f.safetensors")
    assert GaussianField.open(tmp_path / "f.safetensors").drifts is None


def test_drifts_of_another_number_are_refused():
    with pytest.raises(FieldError, match="drifts"):
        GaussianField([[1, 1]], [[1, 0, 1]], [[1.0]], (2, 2), drifts=[[0, 0], [0, 0]])
