"""The encoders: what a pixel's features see, and tiles of a two-scale one put together."""

from __future__ import annotations

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from gaussian_core.builder import FieldBuilder  # noqa: E402
from gaussian_core.errors import WeightsError  # noqa: E402
from gaussian_core.imaging.picture import Picture  # noqa: E402
from gaussian_core.models.config import ModelConfig  # noqa: E402
from gaussian_core.models.continuoussr import ContinuousSR  # noqa: E402
from gaussian_core.models.encoders import (  # noqa: E402
    ResidualBlock,
    ResidualEncoder,
    TwoScaleEncoder,
    make_encoder,
)
from gaussian_core.models.weights import load_model, save_model  # noqa: E402
from gaussian_core.rasterizer import rasterize  # noqa: E402
from gaussian_core.viewport import Viewport  # noqa: E402

TWO_SCALE = {
    "encoder": "two-scale",
    "channels": 6,
    "blocks": 3,
    "deep_channels": 8,
    "deep_blocks": 2,
    "hidden": 8,
}


def lively(encoder):
    """With a branch that matters, as after training."""
    if isinstance(encoder, TwoScaleEncoder):
        torch.nn.init.normal_(encoder.deep.up.weight, std=0.5)
    return encoder.double().eval()


@pytest.fixture(params=[("residual", 0.0), ("two-scale", 0.0), ("residual", 0.1)])
def encoder(request):
    torch.manual_seed(1)
    name, slope = request.param
    return lively(make_encoder(name, 6, 3, 8, 2, slope))


def test_a_feature_sees_the_reach_and_no_further(encoder):
    reach, side = encoder.reach, 4 * encoder.reach
    image = torch.rand(1, 3, side, side, dtype=torch.float64, requires_grad=True)
    for at in (side // 2, side // 2 + 1):  # the branch pairs them
        image.grad = None
        encoder(image)[0, :, at, at].sum().backward()
        seen = image.grad[0].abs().sum(0).nonzero()
        far = reach + encoder.lattice - 1
        assert int((seen - at).abs().max()) <= far
        assert int((seen - at).abs().max()) >= reach


def test_the_inner_part_needs_no_padding(encoder):
    reach, first = encoder.reach, 3 * encoder.reach + 3
    image = torch.rand(1, 3, 8 * reach, 8 * reach + 2, dtype=torch.float64)
    first -= first % encoder.lattice
    part = image[..., first - reach : first + reach + 20, first - reach : first + reach + 24]
    whole = encoder(image)[..., first : first + 20, first : first + 24]
    torch.testing.assert_close(encoder.inner(part), whole)


def test_a_slope_keeps_a_gradient_where_everything_is_below_zero():
    for slope, learns in ((0.0, False), (0.1, True)):
        block = ResidualBlock(4, slope)
        torch.nn.init.constant_(block.first.bias, -100.0)
        block(torch.rand(1, 4, 6, 6)).sum().backward()
        assert bool(block.first.weight.grad.abs().sum() > 0) is learns


def test_weights_from_before_the_slope_have_none():
    known = json.loads(ModelConfig().to_json())
    assert ModelConfig.from_json(json.dumps(known)).slope == ModelConfig().slope > 0
    del known["slope"]
    assert ModelConfig.from_json(json.dumps(known)).slope == 0.0


def test_odd_sizes_keep_their_size():
    encoder = lively(make_encoder("two-scale", 4, 1, 4, 1))
    for height, width in ((1, 1), (5, 8), (8, 7)):
        image = torch.rand(1, 3, height, width, dtype=torch.float64)
        assert encoder(image).shape == (1, 4, height, width)


def test_the_branch_starts_as_nothing():
    torch.manual_seed(0)
    one, two = ResidualEncoder(6, 3), TwoScaleEncoder(6, 3, 8, 2)
    missing, over = two.load_state_dict(one.state_dict(), strict=False)
    assert not over and all(name.startswith("deep.") for name in missing)
    image = torch.rand(1, 3, 10, 12)
    torch.testing.assert_close(one(image), two(image))


def test_what_makes_no_encoder():
    for wrong in (("unet", 4, 1), ("two-scale", 4, 1), ("two-scale", 4, 1, 8, 0)):
        with pytest.raises(WeightsError):
            make_encoder(*wrong)
    with pytest.raises(WeightsError, match="multiple of 2"):
        ContinuousSR(ModelConfig(**TWO_SCALE, margin=3))


@pytest.mark.parametrize("extent", [(97, 131), (80, 64), (1, 7)])
def test_tiles_of_a_two_scale_field_are_the_whole(extent, tmp_path):
    torch.manual_seed(2)
    model = ContinuousSR(ModelConfig(**TWO_SCALE))
    torch.nn.init.normal_(model.encoder.deep.up.weight, std=0.5)
    weights = tmp_path / "two-scale.safetensors"
    save_model(weights, model, model.config)
    assert load_model(weights).config == model.config
    pixels = np.random.default_rng(0).random((*extent, 3), np.float32)
    view = Viewport.whole(extent, 3.0)

    def drawn(tile):
        builder = FieldBuilder(
            Picture.from_array(pixels), "continuoussr", "cpu", tile=tile, weights=weights
        )
        return rasterize([builder.build_tile(key) for key in builder.grid.keys()], view)

    whole = drawn(1000)
    assert np.ptp(whole) > 0.2
    for tile in (13, 40):
        assert np.abs(drawn(tile) - whole).max() <= 1 / 255
