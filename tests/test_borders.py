"""The borders of a picture: the learned field is as if the picture's mirror image went on beyond them."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from gaussian_core.imaging.picture import Picture
from gaussian_core.models.tile_builder import ContinuousSRTiles
from gaussian_core.models.weights import save_model
from tests.small_networks import CONFIGS, twins

BEYOND = 40  # pixels of mirror image: more than a network sees


@pytest.mark.parametrize("extent", [(1, 1), (2, 7), (33, 24)])
@pytest.mark.parametrize("name", CONFIGS)
def test_beyond_its_borders_a_picture_goes_on_mirrored(name, extent, tmp_path):
    config = CONFIGS[name]
    weights = tmp_path / "small.safetensors"
    save_model(weights, twins(config)[1].model, config)
    pixels = np.random.default_rng(3).random((*extent, 3), np.float32)
    mirrored = np.pad(pixels, [(BEYOND, BEYOND)] * 2 + [(0, 0)], mode="symmetric")

    def field(image, rect):
        return ContinuousSRTiles(Picture.from_array(image), "cpu", weights).build(rect)

    height, width = extent
    margin = config.margin
    alone = field(pixels, (0, 0, width, height))
    # A tile inside holds the Gaussians of its own pixels alone.
    x0, y0 = (BEYOND - margin,) * 2
    within = field(mirrored, (x0, y0, x0 + width + 2 * margin, y0 + height + 2 * margin))
    assert len(alone) == len(within) > 0
    np.testing.assert_allclose(within.means - BEYOND, alone.means, atol=1e-4)
    np.testing.assert_allclose(within.covariances, alone.covariances, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(within.amplitudes, alone.amplitudes, rtol=1e-3, atol=1e-4)
