"""The compiled assembly of Gaussians equals its torch twin, ContinuousSR.gaussians."""

import pytest

torch = pytest.importorskip("torch")

import numpy as np  # noqa: E402

from gaussian_core.errors import Cancelled  # noqa: E402
from gaussian_core.models.assembly import part_of_rows  # noqa: E402
from gaussian_core.models.config import ModelConfig  # noqa: E402
from gaussian_core.models.continuoussr import ContinuousSR  # noqa: E402
from gaussian_core.models.torch_network import (  # noqa: E402
    assemble,
    gaussian_table,
    table_rows,
)

HEIGHT, WIDTH = 19, 45


def _case(channels=3, spread=1.0, **options):
    """A model, raw outputs far from the start in all directions, and a picture with edges."""
    config = ModelConfig(**{"channels": 8, "blocks": 1, "hidden": 8, "elongation": 0.8, **options})
    torch.manual_seed(1)
    model = ContinuousSR(config).eval()
    n = config.cells**2
    colour = torch.randn(1, 3, config.cells * HEIGHT, config.cells * WIDTH) * 0.2
    geometry = torch.randn(1, model.geometry_outputs, *colour.shape[-2:]) * spread
    outputs = torch.cat([torch.pixel_unshuffle(x, config.cells)[0] for x in (colour, geometry)])
    assert outputs.shape[0] == n * (3 + model.geometry_outputs)
    image = torch.rand(1, channels, HEIGHT, WIDTH)
    image[..., 20:] *= 0.2
    return model, outputs, image


def _compare(model, outputs, image, rect=(0, 0, WIDTH, HEIGHT), origin=(0, 0)):
    cells = model.config.cells
    split = 3 * cells**2
    with torch.inference_mode():
        fast = assemble(model, outputs, image, origin, rect)
        colour, geometry = (
            torch.pixel_shuffle(x[None].float(), cells) for x in (outputs[:split], outputs[split:])
        )
        slow = table_rows(gaussian_table(model, image, colour, geometry), origin, rect, cells)
    assert fast.shape == slow.shape
    assert np.isfinite(fast).all()
    scale = np.abs(slow[5:]).max() + 1
    np.testing.assert_allclose(fast[:2], slow[:2], atol=2e-4)
    np.testing.assert_allclose(fast[2:5], slow[2:5], atol=1e-5, rtol=2e-4)
    np.testing.assert_allclose(fast[5:] / scale, slow[5:] / scale, atol=2e-5)


@pytest.mark.parametrize("spread", [0.01, 0.2, 3.0])
@pytest.mark.parametrize("covariance", ["log", "direct"])
def test_random_outputs(covariance, spread):
    """Small ones as trained, and large ones that reach every bound of size and elongation."""
    _compare(*_case(covariance=covariance, spread=spread))


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_channels(channels):
    _compare(*_case(channels))


@pytest.mark.parametrize(
    "options",
    [{"cells": 1}, {"cells": 3}, {"drift": 0.0}, {"elongation": 0.0}, {"dictionary_size": 5}],
    ids=str,
)
def test_switches(options):
    _compare(*_case(**options))


def test_a_rectangle_far_from_the_origin():
    _compare(*_case(), rect=(3, 5, 40, 18), origin=(16000, 9000))


def test_bfloat16_outputs_are_read_as_they_are():
    model, outputs, image = _case()
    _compare(model, outputs.bfloat16(), image)


def test_part_of_rows_is_the_part_assembled():
    model, outputs, image = _case()
    wide, narrow = (1, 2, 40, 17), (4, 2, 33, 15)
    with torch.inference_mode():
        around = assemble(model, outputs, image, (7, 9), wide)
        direct = assemble(model, outputs, image, (7, 9), narrow)
    part = part_of_rows(around, wide, narrow, model.config.cells)
    np.testing.assert_allclose(part, direct, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("blocks", [0, 1, 3])
def test_outputs_are_the_heads_inside(blocks):
    """One product with both heads' weights, nothing padded: what the heads give by themselves, which pad, but for the
    encoder's reach on each side; the same Gaussians from them."""
    torch.manual_seed(blocks)
    model = ContinuousSR(ModelConfig(channels=8, blocks=blocks, hidden=8, elongation=0.8)).eval()
    image = torch.rand(1, 3, HEIGHT + 8, WIDTH)
    reach = model.encoder.reach
    with torch.inference_mode():
        colour, geometry = model.heads(image)
        whole = torch.cat([torch.pixel_unshuffle(x, 2)[0] for x in (colour, geometry)])
        inner = model.outputs(image)
        torch.testing.assert_close(
            inner, whole[:, reach:-reach, reach:-reach], atol=1e-5, rtol=1e-4
        )
        rect = (reach, reach + 1, WIDTH - reach, HEIGHT + 8 - reach)
        np.testing.assert_allclose(
            assemble(model, inner, image, (7, 9), rect, skip=reach),
            assemble(model, whole, image, (7, 9), rect),
            atol=1e-5,
            rtol=1e-4,
        )


def test_stopping():
    with pytest.raises(Cancelled), torch.inference_mode():
        assemble(*_case(), (0, 0), (0, 0, WIDTH, HEIGHT), stop=lambda: True)
