"""Fields that are built on a device and stay there, against those of the host. The CPU stands for the device."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from gaussian_core import correction  # noqa: E402
from gaussian_core.builder import FieldBuilder  # noqa: E402
from gaussian_core.errors import Cancelled  # noqa: E402
from gaussian_core.field import SPAN, GaussianField  # noqa: E402
from gaussian_core.footprint import footprint_of  # noqa: E402
from gaussian_core.imaging.picture import Picture  # noqa: E402
from gaussian_core.models import (  # noqa: E402
    device_build,
    device_transparency,
    devices,
    tile_builder,
    transparency,
)
from gaussian_core.models.config import weights_path  # noqa: E402
from gaussian_core.models.device_build import solve  # noqa: E402
from gaussian_core.models.device_index import bin_tiles, grid_rows  # noqa: E402
from gaussian_core.models.torch_network import TorchNetwork  # noqa: E402
from gaussian_core.models.weights import load_field_model  # noqa: E402
from gaussian_core.rasterizer import PIXEL_SIGMA, rasterize  # noqa: E402
from gaussian_core.resident_field import DeviceRows, ResidentField, residents  # noqa: E402
from gaussian_core.viewport import Viewport  # noqa: E402
from tests.array_picture import ArrayPicture  # noqa: E402
from tests.wide_picture import LEFT, RIGHT, TILE, Repeated  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]


def picture(height, width, channels=3):
    """Edges and a corner of noise; read-only, as a decoder may give it."""
    rng = np.random.default_rng(5)
    y, x = np.mgrid[0:height, 0:width]
    waves = [np.sin(x * a + y * b) > 0 for a, b in rng.normal(0, 0.3, (channels, 2))]
    pixels = (0.2 + 0.6 * np.stack(waves, -1)).astype(np.float32)
    pixels[: height // 3, : width // 3] = rng.random((height // 3, width // 3, channels))
    pixels.flags.writeable = False
    return ArrayPicture(pixels)


@pytest.fixture(scope="module")
def network():
    made = TorchNetwork(load_field_model(weights_path()), torch.device("cpu"))
    made.inner = False
    return made


@pytest.fixture(autouse=True)
def drawn_alike(monkeypatch):
    """The host's twin draws by the gather, too: the CPU's kernel leaves out what is below 1/1360 of an amplitude."""

    def by_gather(field, view, **options):
        return rasterize(field, view, **options | {"backend": "torch"})

    for module in (tile_builder, transparency):
        monkeypatch.setattr(module, "rasterize", by_gather)


def builder_of(source, network, stays, tile):
    builder = FieldBuilder(source, "continuoussr", "cpu", tile=tile)
    builder._tiles.network = network
    network.stays = stays
    return builder


def built(source, network, stays, tile, keys=None):
    builder = builder_of(source, network, stays, tile)
    return builder.build_tiles(keys or list(builder.grid.keys()))


def same_index(made, wanted):
    assert made.order is None
    assert len(made.levels) == len(wanted.levels) == 1
    a, b = made.levels[0], wanted.levels[0]
    assert (a.cell, a.first, a.columns, a.rows, a.count, a.regular) == (
        b.cell,
        b.first,
        b.columns,
        b.rows,
        b.count,
        b.regular,
    )
    np.testing.assert_array_equal(a.starts, b.starts)
    np.testing.assert_allclose(a.variance, b.variance, rtol=1e-5)
    np.testing.assert_allclose(a.bounds, b.bounds, atol=1e-5)
    np.testing.assert_allclose(a.narrowest, b.narrowest, rtol=1e-4)


def same_field(made, wanted):
    """Gaussian by Gaussian: the same ones in the same order."""
    assert isinstance(made, ResidentField) and not isinstance(wanted, ResidentField)
    assert (len(made), made.channels) == (len(wanted), wanted.channels)
    assert made.nbytes == wanted.nbytes
    np.testing.assert_allclose(made.means, wanted.means, atol=1e-5)
    np.testing.assert_allclose(made.covariances, wanted.covariances, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(made.amplitudes, wanted.amplitudes, atol=1e-5)
    np.testing.assert_array_equal(made.drifts, wanted.drifts)
    same_index(made.index, wanted.index)
    assert made.metadata == wanted.metadata and made.extent == wanted.extent
    faint, other = made.correction, wanted.correction
    np.testing.assert_array_equal(faint.means, other.means)
    np.testing.assert_array_equal(faint.covariances, other.covariances)
    np.testing.assert_allclose(faint.amplitudes, other.amplitudes, atol=1e-4)
    same_index(faint.index, other.index)


@pytest.mark.parametrize("channels", [3, 4])
def test_far_from_the_pictures_corner_it_is_the_hosts_to_the_same_bits(network, channels):
    """100,000 pixels on as near the corner: places count from an origin of their own."""
    source = Repeated(channels)
    ends = []
    for stays in (True, False):
        keys = [(x // TILE, 0) for x in (LEFT, RIGHT)]
        ends.append([built(source, network, stays, TILE, [key])[key] for key in keys])
    for made, wanted in zip(*ends, strict=True):
        assert made.origin == wanted.origin
        np.testing.assert_allclose(made.offsets, wanted.offsets, atol=1e-5)
        np.testing.assert_allclose(made.amplitudes, wanted.amplitudes, atol=1e-5)
        np.testing.assert_array_equal(made.drifts, wanted.drifts)
        np.testing.assert_array_equal(made.correction.means, wanted.correction.means)
    near, far = ends[0]
    assert near.origin == (0, 0) and far.origin == (RIGHT - LEFT, 0)
    for one, other in ((near, far), (near.correction, far.correction)):
        np.testing.assert_array_equal(one.offsets, other.offsets)
        np.testing.assert_array_equal(one.amplitudes, other.amplitudes)


@pytest.mark.parametrize(
    ("extent", "channels", "tile"),
    [
        ((1, 1), 3, 512),
        ((1, 9), 1, 512),
        ((23, 2), 3, 512),
        ((41, 67), 3, 512),  # the whole picture
        ((41, 67), 3, 16),  # corners, edges and tiles within; the last ones narrow
        ((37, 30), 1, 32),
    ],
)
def test_a_field_from_the_device_is_the_hosts(network, extent, channels, tile):
    source = picture(*extent, channels)
    made, wanted = (built(source, network, stays, tile) for stays in (True, False))
    for key, field in wanted.items():
        same_field(made[key], field)


@pytest.mark.parametrize("sigma", [0.0, 0.5])
def test_seen_by_the_footprint_that_its_network_learned_with_it_is_the_file(network, sigma):
    other = copy(network)
    other.config = replace(network.config, footprint=sigma)
    source = picture(30, 41)
    fields = [built(source, other, stays, 512)[0, 0] for stays in (True, False)]
    same_field(*fields)
    for field in fields:
        assert footprint_of(field, 1.0) == sigma
        shown = rasterize(field, Viewport.whole((30, 41), 1), pixel_sigma=sigma, backend="cpu")
        np.testing.assert_allclose(shown, source.pixels, atol=4 / 255)


def test_a_block_deep_inside_needs_no_mirror(network):
    source, keys = picture(130, 150), [(2, 2), (3, 2)]
    made, wanted = (built(source, network, stays, 24, keys) for stays in (True, False))
    for key in keys:
        same_field(made[key], wanted[key])


def test_tiles_from_the_device_add_up_to_the_whole(network):
    source = picture(60, 75)
    (whole,) = built(source, network, True, 512).values()
    parts = built(source, network, True, 20)
    for scale in (1.0, 3.0):
        view = Viewport.whole((60, 75), scale)
        one, many = rasterize(whole, view), rasterize(list(parts.values()), view)
        assert np.abs(one - many).max() <= 1 / 255
    shown = rasterize(list(parts.values()), Viewport.whole((60, 75), 1.0))
    assert np.abs(shown - source.pixels).max() * 255 <= 3


def test_bytes_go_to_the_device_as_they_are_stored(network, monkeypatch):
    """A quarter of the floats, which the host need not make; the values are the same."""
    rng = np.random.default_rng(2)
    stored = Picture.from_array(rng.integers(0, 256, (25, 33, 3), dtype=np.uint8))
    (wanted,) = built(ArrayPicture(stored.as_float()), network, True, 512).values()
    monkeypatch.setattr(type(stored), "as_float", lambda *_: pytest.fail("floats were made"))
    (made,) = built(stored, network, True, 512).values()
    np.testing.assert_allclose(made.means, wanted.means, atol=1e-6)
    np.testing.assert_allclose(made.correction.amplitudes, wanted.correction.amplitudes, atol=1e-5)


def cut_out(kind):
    """Premultiplied RGB and alpha: an edge, a thin line and soft alpha; alpha that changes nowhere; none at all."""
    pixels = picture(26, 34).pixels
    alpha = np.full((26, 34, 1), {"even": 0.5, "clear": 0.0}.get(kind, 0.0), np.float32)
    if kind == "edges":
        alpha[4:15, 6:20] = 1
        alpha[20, :] = 1
        alpha[:, 28:] = np.linspace(0, 1, 26)[:, None, None]
    return ArrayPicture(np.concatenate([pixels * alpha, alpha], 2))


@pytest.mark.parametrize("kind", ["edges", "even", "clear"])
@pytest.mark.parametrize("tile", [512, 20])
def test_a_picture_with_alpha_from_the_device_is_the_hosts(network, kind, tile):
    made, wanted = (built(cut_out(kind), network, stays, tile) for stays in (True, False))
    for key, field in wanted.items():
        assert isinstance(made[key], ResidentField) and made[key].channels == 4
        np.testing.assert_allclose(made[key].means, field.means, atol=1e-4)
        np.testing.assert_allclose(made[key].covariances, field.covariances, atol=1e-4)
        np.testing.assert_allclose(made[key].amplitudes, field.amplitudes, atol=1e-3)
        np.testing.assert_allclose(
            made[key].correction.amplitudes, field.correction.amplitudes, atol=1e-3
        )
        if kind == "clear":
            assert made[key].even_alpha is field.even_alpha is None
        else:
            for name in ("means", "covariances", "amplitudes"):
                even = (getattr(one.even_alpha, name) for one in (made[key], field))
                np.testing.assert_allclose(*even, atol=1e-5)


def test_where_alpha_changes_and_what_colours_go_on_with_are_the_hosts():
    pixels = cut_out("edges").pixels
    image = torch.from_numpy(pixels.transpose(2, 0, 1).copy())
    near = device_transparency.nearness(image[3]).numpy()
    np.testing.assert_allclose(near, transparency.nearness(pixels[..., 3]), atol=1e-6)
    colours = device_transparency.straight_colours(image).permute(1, 2, 0).numpy()
    np.testing.assert_allclose(colours, transparency.straight_colours(pixels), atol=1e-5)


def test_what_draws_on_the_device_brings_nothing_to_the_host(network):
    (field,) = built(picture(12, 14), network, True, 512).values()
    assert field.device_rows is not None and not field.is_on_host
    len(field), field.channels, field.extent, field.nbytes, field.take_cell_order()
    assert not field.is_on_host and not field.correction.is_on_host
    assert field.drifts is not None
    assert field.is_on_host and not field.correction.is_on_host


def test_a_field_from_the_device_is_saved_like_any_other(network, tmp_path):
    (field,) = built(picture(12, 14), network, True, 512).values()
    field.save(tmp_path / "field.safetensors")
    back = GaussianField.open(tmp_path / "field.safetensors")
    np.testing.assert_array_equal(back.means, field.means)
    np.testing.assert_array_equal(back.correction.amplitudes, field.correction.amplitudes)
    assert len(field.in_rect((3, 3, 5, 5))) == len(back.in_rect((3, 3, 5, 5))) > 0


def test_a_field_whose_device_is_lost_is_built_again_by_the_cpu(network, monkeypatch):
    monkeypatch.setattr(devices, "_lost", "")
    source = picture(30, 40)
    builder = builder_of(source, network, True, 512)
    (field,) = builder.build_tiles([(0, 0)]).values()
    (wanted,) = built(source, network, False, 512).values()
    network.stays = True

    def lost(self):
        raise RuntimeError("CUDA error: the launch timed out and was terminated\nmore")

    monkeypatch.setattr(DeviceRows, "on_host", lost)
    monkeypatch.setattr(network, "device", "cuda")
    view = Viewport.whole((30, 40), 2.0)
    np.testing.assert_allclose(rasterize(field, view), rasterize(wanted, view), atol=2 / 255)
    assert field.device_rows is None and field.correction.means.shape == (30 * 40, 2)
    assert builder.note.endswith("on the CPU, which is slower.") and "\n" not in builder.note


def test_a_tile_of_a_block_that_is_built_again_stands_where_it_stood(network, monkeypatch):
    """In its block it counted from the origin before the one that it counts from alone."""
    monkeypatch.setattr(devices, "_lost", "")
    key = (SPAN // TILE, 0)
    tiles = built(Repeated(), network, True, TILE, [(key[0] - 1, 0), key])
    (wanted,) = built(Repeated(), network, False, TILE, [key]).values()
    network.stays = True

    def lost(self):
        raise RuntimeError("CUDA error: the launch timed out and was terminated")

    monkeypatch.setattr(DeviceRows, "on_host", lost)
    monkeypatch.setattr(network, "device", "cuda")
    assert tiles[key].origin == (0, 0) and wanted.origin == (SPAN, 0)
    np.testing.assert_allclose(tiles[key].means, wanted.means, atol=0.02)


@pytest.mark.parametrize("chosen", [True, False])
def test_while_the_cpu_draws_fields_come_to_the_host_where_they_are_built(
    network, monkeypatch, chosen
):
    """As while the GPU's kernels are still being compiled: no frame is to wait for the copy and the index. And where
    the device is lost just then, the builder does not wait for itself."""
    monkeypatch.setattr(devices, "_lost", "")
    monkeypatch.setattr(device_build, "keep_within_budget", lambda device: None)
    monkeypatch.setattr(device_build.cuda, "chosen", lambda: chosen)
    tiles = builder_of(picture(12, 14), network, True, 512)._tiles
    field = tiles.build((0, 0, 14, 12))

    def lost(self):
        raise RuntimeError("CUDA error: unspecified launch failure")

    monkeypatch.setattr(DeviceRows, "on_host", lost)
    monkeypatch.setattr(network, "device", "cuda")
    device_build.make_ready([field], SimpleNamespace(type="cuda"))
    assert field.is_on_host == field.correction.is_on_host == (not chosen)
    assert tiles.network.device == ("cuda" if chosen else "cpu")


def test_beyond_the_budget_the_oldest_go_to_the_host(network):
    source = picture(16, 48)
    tiles = built(source, network, True, 16)
    fields = list(tiles.values())
    total = residents.nbytes
    assert total >= sum(f.device_rows.nbytes + f.correction.device_rows.nbytes for f in fields)
    residents.make_room(0)
    assert all(f.device_rows is None and f.is_on_host for f in fields)
    wanted = built(source, network, False, 16)
    for key, field in tiles.items():
        same_field(field, wanted[key])
    assert residents.nbytes == 0


def test_building_on_the_device_can_be_stopped(network):
    asked = []

    def stop():
        asked.append(True)
        return len(asked) > 2

    with pytest.raises(Cancelled):
        builder_of(picture(30, 30), network, True, 512).build_tile((0, 0), stop)
    assert len(asked) == 3


# Its parts, against the host's


@pytest.mark.parametrize("sigma", [0.0, PIXEL_SIGMA, 0.6])
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 1, 9), (3, 17, 5), (1, 40, 40)])
def test_the_correction_is_solved_as_on_the_host(shape, sigma):
    residual = np.random.default_rng(1).normal(0, 0.1, shape).astype(np.float32)
    made = solve(torch.from_numpy(residual), sigma).numpy()
    wanted = correction.solve(residual.transpose(1, 2, 0), sigma).transpose(2, 0, 1)
    np.testing.assert_allclose(made, wanted, atol=1e-6)


def test_grids_of_corrections_are_the_hosts():
    amplitudes = np.random.default_rng(1).normal(0, 0.1, (9, 17, 3)).astype(np.float32)
    tiles = [(12, 6, 19, 10), (19, 6, 20, 10), (10, 5, 27, 14)]
    planes = torch.from_numpy(amplitudes.transpose(2, 0, 1))
    made = grid_rows(planes, 10, 5, tiles, correction.SIGMA**2)
    for rows, (x0, y0, x1, y1) in zip(made, tiles, strict=True):
        index, drifts = rows.on_host()
        share = amplitudes[y0 - 5 : y1 - 5, x0 - 10 : x1 - 10]
        wanted = GaussianField.from_rows(correction.make_rows(share, x0, y0), (99, 99))
        assert drifts is None and wanted.index.order is None and index.levels[0].regular
        np.testing.assert_array_equal(index.rows, wanted.index.rows)
        same_index(index, wanted.index)


def rows_of(width, height, cells, drift, variance=(0.05, 0.9), seed=2):
    """Gaussians of pixels from (3, -2) on, each somewhere about its pixel, and some exactly on a cell's edge."""
    rng = np.random.default_rng(seed)
    n = width * height * cells * cells
    pixel = np.arange(n) // cells**2
    x = 3 + pixel % width + 0.5 + rng.uniform(-drift, drift, n)
    y = -2 + pixel // width + 0.5 + rng.uniform(-drift, drift, n)
    x[::7], y[::5] = np.round(x[::7]), np.round(y[::5])
    xx, yy = rng.uniform(*variance, (2, n))
    xy = rng.uniform(-0.99, 0.99, n) * np.sqrt(xx * yy)
    return np.stack([x, y, xx, xy, yy, *rng.normal(0, 1, (3, n))]).astype(np.float32)


@pytest.mark.parametrize("cells", [1, 2, 3])
@pytest.mark.parametrize("drift", [0.5, 2.0])
def test_binning_is_the_hosts(cells, drift):
    """Also of Gaussians that stand on an edge between cells, many in one cell, and thin ones."""
    rows = rows_of(20, 14, cells, drift)
    around = (3, -2, 23, 12)
    tiles = [(5, 0, 12, 6), (12, 0, 23, 6), (5, 6, 12, 12), (12, 6, 23, 12)]
    made = bin_tiles(torch.from_numpy(rows), around, tiles, cells, drift)
    assert made is not None and len(made) == 5  # and the rest
    grid = rows.reshape(8, 14, 20, cells**2)
    for part, (x0, y0, x1, y1) in zip(made, tiles, strict=False):
        own = grid[:, y0 + 2 : y1 + 2, x0 - 3 : x1 - 3].reshape(8, -1)
        padded = np.concatenate([own, np.zeros((8, 16), np.float32)], 1)
        wanted = GaussianField.from_rows(np.ascontiguousarray(padded), (99, 99))
        wanted.take_cell_order()
        index, _ = part.on_host()
        same_index(index, wanted.index)
        np.testing.assert_array_equal(index.rows[:2], wanted.index.rows[:2])
        np.testing.assert_allclose(index.rows[2:5], wanted.index.rows[2:5], rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(index.rows[5:], wanted.index.rows[5:])
    assert sum(part.values.shape[1] for part in made) == rows.shape[1]


def test_a_thin_frame_around_a_large_tile_does_not_send_it_to_the_host():
    """As around every tile of 512 pixels: a frame of few Gaussians, and as many cells as the tile has."""
    rows = rows_of(120, 110, 1, 0.5)
    made = bin_tiles(torch.from_numpy(rows), (3, -2, 123, 108), [(5, 0, 121, 106)], 1, 0.5)
    assert made is not None
    tile, frame = made
    assert frame.columns * frame.lines > 4 * frame.values.shape[1] + 1024
    assert int(frame.starts[-1]) == frame.values.shape[1]
    assert int(tile.starts[-1]) == tile.values.shape[1] == 116 * 106


def test_values_that_are_no_numbers_do_no_harm_to_the_binning():
    rows = rows_of(6, 6, 2, 0.5)
    rows[0, 5], rows[1, 9] = np.nan, np.inf
    assert bin_tiles(torch.from_numpy(rows), (3, -2, 9, 4), [(3, -2, 9, 4)], 2, 0.5) is None
    rows[0, 5] = 4.0
    assert bin_tiles(torch.from_numpy(rows), (3, -2, 9, 4), [(3, -2, 9, 4)], 2, 0.5) is None


def test_gaussians_too_wide_for_cells_of_a_pixel_are_left_to_the_host():
    rows = rows_of(6, 6, 2, 0.5, variance=(0.5, 1.5))
    assert bin_tiles(torch.from_numpy(rows), (3, -2, 9, 4), [(3, -2, 9, 4)], 2, 0.5) is None
