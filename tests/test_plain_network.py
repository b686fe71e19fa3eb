"""The network without torch gives what its twin by torch gives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import torch.nn.functional as F  # noqa: E402

from gaussian_core.errors import Cancelled, WeightsError  # noqa: E402
from gaussian_core.models import continuoussr, plain_network, tile_builder  # noqa: E402
from gaussian_core.models.continuoussr import ContinuousSR  # noqa: E402
from gaussian_core.models.plain_network import suits  # noqa: E402
from gaussian_core.models.weights import save_model  # noqa: E402
from tests.small_networks import CONFIGS, SMALL, check, picture, surrounded, twins  # noqa: E402


def same(fast, slow):
    assert fast.shape == slow.shape and np.isfinite(fast).all()
    np.testing.assert_allclose(fast[:2], slow[:2], atol=5e-4)
    np.testing.assert_allclose(fast[2:5], slow[2:5], atol=1e-4, rtol=1e-3)
    scale = np.abs(slow[5:]).max() + 1
    np.testing.assert_allclose(fast[5:] / scale, slow[5:] / scale, atol=2e-4)


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("size", [(24, 30), (37, 41), (1, 1), (5, 5), (6, 90)], ids=str)
def test_rows(name, size):
    plain, slow = twins(CONFIGS[name])
    assert plain.encoder_reach == slow.model.encoder.reach
    assert plain.lattice == slow.model.encoder.lattice
    pixels, rect = surrounded(plain, *size)
    arguments = (pixels, (4000, 3000), rect, None, check)
    same(plain.rows(*arguments), slow.rows(*arguments))


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_grey_and_alpha(channels):
    plain, slow = twins(SMALL)
    pixels, rect = surrounded(plain, 16, 18, channels)
    arguments = (pixels, (0, 0), rect, None, check)
    fast = plain.rows(*arguments)
    assert len(fast) == 5 + channels
    same(fast, slow.rows(*arguments))


@pytest.mark.parametrize("size", [(19, 33), (1, 1), (2, 5), (70, 6), (65, 40)], ids=str)
def test_structure_tensor(size):
    pixels = picture(*size)
    slow = torch.cat(
        continuoussr.structure_tensor(torch.from_numpy(pixels.transpose(2, 0, 1).copy())[None])
    )
    np.testing.assert_allclose(plain_network.structure_tensor(pixels), slow.numpy(), atol=1e-4)


@pytest.mark.parametrize("size", [(7, 11), (1, 1), (3, 2), (50, 33)], ids=str)
@pytest.mark.parametrize("times", [1, 2, 3, 4])
def test_enlargement(times, size):
    image = np.ascontiguousarray(picture(*size).transpose(2, 0, 1))
    slow = F.interpolate(
        torch.from_numpy(image.copy())[None],
        scale_factor=times,
        mode="bicubic",
        align_corners=False,
    )
    np.testing.assert_allclose(plain_network.enlarged(image, times), slow[0].numpy(), atol=1e-5)


def test_what_it_does_not_know_is_left_to_torch():
    assert suits(SMALL)
    for change in (
        {"channels": 24},
        {"hidden": 20},
        {"covariance": "linear"},
        {"dictionary": "published"},
        {"architecture": "liif"},
        {"encoder": "two-scale", "deep_channels": 40, "deep_blocks": 1},
        {"encoder": "two-scale", "deep_channels": 32, "deep_blocks": 0},
        {"encoder": "another"},
        {"margin": 0},
    ):
        assert not suits(replace(SMALL, **change)), change


def test_tensors_that_do_not_fit_are_refused(tmp_path):
    path = tmp_path / "w.safetensors"
    save_model(path, ContinuousSR(SMALL), replace(SMALL, blocks=4))
    with pytest.raises(WeightsError, match="do not fit"):
        tile_builder.open_network(path, "cpu")


def test_it_stops_between_layers():
    plain, _ = twins(SMALL)
    asked = []

    def leave():
        asked.append(True)
        if len(asked) == 2:
            raise Cancelled("enough")

    pixels, rect = surrounded(plain, 24, 24)
    with pytest.raises(Cancelled):
        plain.rows(pixels, (0, 0), rect, None, leave)
