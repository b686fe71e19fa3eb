"""The learned field: its model, weights and tiles."""

from __future__ import annotations

import numpy as np
import pytest

from gaussian_core.builder import FieldBuilder, build_field
from gaussian_core.errors import Cancelled, DeviceError, WeightsError
from gaussian_core.rasterizer import rasterize
from gaussian_core.viewport import Viewport
from tests import single_pixels
from tests.array_picture import ArrayPicture

torch = pytest.importorskip("torch")

from gaussian_core.imaging.picture import Picture  # noqa: E402
from gaussian_core.models.config import ModelConfig, shipped_weights  # noqa: E402
from gaussian_core.models.continuoussr import ContinuousSR  # noqa: E402
from gaussian_core.models.devices import pick_device  # noqa: E402
from gaussian_core.models.tile_builder import ContinuousSRTiles  # noqa: E402
from gaussian_core.models.weights import load_model, save_model, weights_path  # noqa: E402

SMALL = {"channels": 8, "blocks": 1, "hidden": 8}


def picture(height, width, channels=3, seed=0):
    """Soft shapes with edges in many directions, in [0, 1]."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    waves = [np.sin(x * a + y * b) > 0 for a, b in rng.normal(0, 0.3, (channels, 2))]
    return (0.2 + 0.6 * np.stack(waves, -1)).astype(np.float32)


@pytest.mark.parametrize("covariance", ["log", "linear", "direct"])
@pytest.mark.parametrize("dictionary", ["compact", "published"])
@pytest.mark.parametrize(
    ("cells", "drift", "elongation"), [(1, 0.0, 0.0), (2, 1.0, 0.8), (3, 0.5, 0.8)]
)
def test_every_part_can_be_switched(covariance, dictionary, cells, drift, elongation):
    torch.manual_seed(0)
    config = ModelConfig(
        covariance=covariance,
        dictionary=dictionary,
        cells=cells,
        drift=drift,
        elongation=elongation,
        **SMALL,
    )
    out = ContinuousSR(config)(torch.rand(2, 3, 9, 11))
    assert out.means.shape == (2, 2, 9 * cells, 11 * cells)
    xx, xy, yy = out.covariances.unbind(1)
    assert bool((xx > 0).all()) and bool((xx * yy - xy * xy > 0).all())
    assert bool(torch.isfinite(out.amplitudes).all())
    home = (torch.arange(11 * cells) + 0.5) / cells
    assert float((out.means.detach()[:, 0] - home).abs().max()) <= drift + 1e-5


def test_a_flat_picture_is_flat_before_training():
    torch.manual_seed(0)
    model = ContinuousSR(ModelConfig(**SMALL, elongation=0.8))
    with torch.no_grad():
        for head in (model.colour, model.geometry):
            head.weight.zero_()
        cells = model(torch.full((1, 3, 20, 20), 0.6))
    from gaussian_core.field import GaussianField

    columns = [t[0].flatten(1).T.numpy() for t in cells]
    frame = rasterize(GaussianField(*columns, (20, 20)), Viewport((5, 5), 7.3, (70, 70)))
    np.testing.assert_allclose(frame, 0.6, atol=1 / 255)


def test_gaussians_start_along_the_edges():
    """A diagonal edge: the long axis of the Gaussians on it follows it, where the structure tensor stretches them."""
    model = ContinuousSR(ModelConfig(**SMALL, elongation=0.8))
    with torch.no_grad():
        for head in (model.colour, model.geometry):
            head.weight.zero_()
        y, x = torch.meshgrid(torch.arange(24.0), torch.arange(24.0), indexing="ij")
        image = torch.sigmoid((x - y) * 2).expand(1, 3, 24, 24)  # the edge runs along (1, 1)
        xx, xy, yy = model(image).covariances[0, :, 24, 24]
    along, across = (xx + yy) / 2 + xy, (xx + yy) / 2 - xy
    assert float(along / across) > 3


def test_weights_round_trip(tmp_path):
    torch.manual_seed(1)
    config = ModelConfig(name="tiny", trained_on="noise", figures={"Set5 x2": 30.0}, **SMALL)
    model = ContinuousSR(config)
    path = tmp_path / "tiny.safetensors"
    save_model(path, model, config)
    loaded = load_model(path)
    assert loaded.config == config
    image = torch.rand(1, 3, 8, 8)
    for a, b in zip(model(image), loaded(image), strict=True):
        torch.testing.assert_close(a, b)


def test_unusable_weights_are_named_in_one_line(tmp_path):
    config = ModelConfig(**SMALL)
    good = tmp_path / "good.safetensors"
    save_model(good, ContinuousSR(config), config)
    short = tmp_path / "short.safetensors"
    short.write_bytes(good.read_bytes()[:-100])
    other = tmp_path / "other.safetensors"
    save_model(other, ContinuousSR(config), ModelConfig(channels=16, blocks=1, hidden=8))
    strange = tmp_path / "strange.safetensors"
    from safetensors.numpy import save_file

    save_file({"a": np.zeros(3, np.float32)}, strange)
    newer = tmp_path / "newer.safetensors"
    save_file(
        {"a": np.zeros(3, np.float32)}, newer, {"format": "gaussian-model-1", "config": '{"x": 1}'}
    )
    broken = tmp_path / "broken.safetensors"
    spoilt = ContinuousSR(config)
    with torch.no_grad():
        spoilt.colour.bias.fill_(float("nan"))
    save_model(broken, spoilt, config)
    for path in (tmp_path / "none.safetensors", short, other, strange, newer, broken):
        with pytest.raises(WeightsError) as caught:
            load_model(path)
        assert "\n" not in str(caught.value)


def test_a_device_that_is_not_there():
    with pytest.raises(DeviceError):
        pick_device("tpu")
    if not torch.cuda.is_available():
        with pytest.raises(DeviceError):
            pick_device("cuda")


def test_of_several_devices_it_is_the_current_one_by_its_number(monkeypatch):
    """Threads begin with the first as their current one: a network must not be sought there that is on the second."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 1)
    assert {str(pick_device(name)) for name in ("auto", "cuda")} == {"cuda:1"}


@pytest.fixture(scope="module")
def shipped():
    if not weights_path().exists():
        pytest.fail("the weights that ship are missing from resources/")
    return load_model(weights_path())


@pytest.mark.parametrize("name", shipped_weights())
def test_the_shipped_weights_have_a_card(name):
    model = load_model(weights_path(name))
    config = model.config
    most = 2_500_000 if name == "base" else 500_000
    assert sum(p.numel() for p in model.parameters()) <= most
    assert config.name == name
    assert config.trained_on and config.licences and config.date and config.steps > 0
    # Of the pictures that they are for.
    figure, least = {
        "jpeg": ("Set5 JPEG 75 x2", 32.0),
        "photo": ("Set5 noise 10 x2", 30.5),
    }.get(name, ("Set5 x2", 36.5))
    assert config.figures[figure] > least


@pytest.mark.parametrize("name", shipped_weights())
@pytest.mark.parametrize("pattern", single_pixels.PATTERNS)
@pytest.mark.parametrize("ground", single_pixels.GROUNDS)
def test_single_pixels_at_full_contrast_stay_themselves_and_what_is_beside_them_flat(
    name, pattern, ground
):
    """Photographs have none, and a network that has seen nothing else draws other patterns there, and bright spots far
    into the ground."""
    within, beside = single_pixels.errors(name, pattern, ground)
    assert beside.max() < 0.03
    assert within.max() < 0.3


@pytest.mark.parametrize("tile", [40, 64])
def test_tiles_are_the_whole(shipped, tile):
    pixels = picture(97, 130)
    whole = FieldBuilder(Picture.from_array(pixels), "continuoussr", "cpu", tile=1000)
    parts = FieldBuilder(Picture.from_array(pixels), "continuoussr", "cpu", tile=tile)
    view = Viewport.whole((97, 130), 3.0)
    one = rasterize(whole.build_tile((0, 0)), view)
    many = rasterize([parts.build_tile(key) for key in parts.grid.keys()], view)
    assert np.abs(one - many).max() <= 1 / 255


@pytest.mark.parametrize("extent", [(1, 1), (1, 7), (2, 2), (5, 3), (30, 1)])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_small_grey_and_transparent_pictures(shipped, extent, channels):
    pixels = np.full((*extent, channels), 0.5, np.float32)
    field = build_field(pixels, method="continuoussr", device="cpu")
    assert field.channels == channels
    frame = rasterize(field, Viewport.whole(extent, 4.0))
    np.testing.assert_allclose(frame, 0.5, atol=0.03)


def test_the_same_picture_gives_the_same_field(shipped):
    pixels = picture(40, 50)
    a, b = (build_field(pixels, method="continuoussr", device="cpu") for _ in range(2))
    np.testing.assert_array_equal(a.means, b.means)
    np.testing.assert_array_equal(a.amplitudes, b.amplitudes)


def test_a_block_of_tiles_is_the_tiles(shipped):
    """Built at once or one by one, tiles are the same but for the last bits of the arithmetic."""
    builder = FieldBuilder(Picture.from_array(picture(110, 165)), "continuoussr", "cpu", tile=40)
    keys = [(i, j) for j in (1, 2) for i in (1, 2, 3)]
    together = builder.build_tiles(keys)
    assert list(together) == keys
    for key in keys:
        alone = builder.build_tile(key)
        assert len(alone) == len(together[key])
        view = Viewport.whole(alone.extent, 2.0)
        np.testing.assert_allclose(
            rasterize(together[key], view), rasterize(alone, view), atol=0.5 / 255
        )
        at_one = Viewport.whole(alone.extent, 1.0)
        np.testing.assert_allclose(
            rasterize(together[key], at_one), rasterize(alone, at_one), atol=1 / 255
        )
    with pytest.raises(ValueError, match="no rectangle"):
        builder.build_tiles([(0, 0), (1, 1)])


def test_a_tile_can_be_stopped_between_layers(shipped):
    asked = []

    def stop():
        asked.append(True)
        return len(asked) > 2

    with pytest.raises(Cancelled):
        ContinuousSRTiles(Picture.from_array(picture(64, 64)), "cpu").build((0, 0, 64, 64), stop)
    assert len(asked) == 3


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_at_100_percent_the_field_is_the_file(shipped, channels):
    """At least 50 dB and no pixel off by more than 3 levels, on edges, fine noise and steps; also in tiles."""
    pixels = picture(70, 90, channels)
    pixels[:30, :30] = np.random.default_rng(0).random((30, 30, channels))
    for tile in (1000, 32):
        builder = FieldBuilder(
            Picture.from_array(pixels) if channels == 3 else ArrayPicture(pixels),
            "continuoussr",
            "cpu",
            tile,
        )
        parts = [builder.build_tile(key) for key in builder.grid.keys()]
        shown = rasterize(parts, Viewport.whole((70, 90), 1.0))
        error = np.abs(shown - pixels) * 255
        assert error.max() <= 3
        assert 20 * np.log10(255 / np.sqrt((error**2).mean())) >= 50
