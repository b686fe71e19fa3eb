"""Kernel interpolation and the tile builder."""

from __future__ import annotations

import re

import numpy as np
import pytest
from PIL import Image

from gaussian_core.builder import FieldBuilder, TileGrid, build_field
from gaussian_core.errors import Cancelled, DeviceError, ImageError
from gaussian_core.imaging.picture import Picture
from gaussian_core.kernel_interpolation import SIGMA, interpolate_rect, inverse_filter, mirrored
from gaussian_core.methods import Options, open_drawing
from gaussian_core.models.config import weights_path
from gaussian_core.rasterizer import rasterize
from gaussian_core.viewport import Viewport
from tests.array_picture import ArrayPicture


def noise(height, width, channels=3, seed=0):
    return np.random.default_rng(seed).random((height, width, channels), dtype=np.float32)


@pytest.mark.parametrize(
    "shape",
    [(1, 1, 3), (1, 9, 3), (7, 1, 1), (2, 2, 4), (37, 53, 3), (600, 70, 3)],
)
def test_at_scale_one_the_field_is_the_source(shape):
    """White noise is the hardest picture; borders and corners included."""
    image = noise(*shape)
    frame = rasterize(build_field(image, "kernel"), Viewport.whole(shape[:2], 1.0))
    assert np.abs(frame - image).max() < 0.1 / 255


def test_a_constant_picture_stays_constant_up_to_the_border():
    field = build_field(np.full((12, 17, 3), 0.6, np.float32), "kernel")
    for scale in (1.0, 2.0, 7.3, 100.0):
        size = (min(60, int(17 * scale)), min(40, int(12 * scale)))
        corner = rasterize(field, Viewport((0, 0), scale, size))
        # No grid of dots at high zoom: within one level of 255.
        np.testing.assert_allclose(corner, 0.6, atol=1 / 255)


def test_the_solution_is_that_of_the_dense_linear_system():
    image = noise(6, 5, 1)
    field = build_field(image, "kernel")
    inside = (
        (field.means[:, 0] > 0)
        & (field.means[:, 0] < 5)
        & (field.means[:, 1] > 0)
        & (field.means[:, 1] < 6)
    )
    variance = SIGMA**2 + 0.3**2

    def axis(n):
        matrix = np.zeros((n, n))
        for i in range(n):
            for k in range(-30, n + 30):
                matrix[i, mirrored(k, k + 1, n)[0]] += (
                    SIGMA / np.sqrt(variance) * np.exp(-((i - k) ** 2) / (2 * variance))
                )
        return np.linalg.inv(matrix)

    expected = axis(6) @ image[..., 0].astype(np.float64) @ axis(5).T
    np.testing.assert_allclose(field.amplitudes[inside, 0].reshape(6, 5), expected, atol=2e-5)


def test_inverse_filter_inverts():
    taps = inverse_filter()
    assert taps.dtype == np.float32
    assert abs(taps[-1]) < 1e-6


def test_mirroring_repeats_border_pixels():
    assert list(mirrored(-3, 6, 3)) == [2, 1, 0, 0, 1, 2, 2, 1, 0]
    assert list(mirrored(-2, 3, 1)) == [0, 0, 0, 0, 0]


def test_tiles_add_up_to_the_whole():
    image = noise(130, 170)
    view = Viewport((50, 40), 3.0, (240, 200))
    whole = rasterize(build_field(image, "kernel"), view)
    builder = FieldBuilder(ArrayPicture(image), "kernel", tile=64)
    tiles = {key: builder.build_tile(key) for key in builder.grid.keys()}
    assert len(tiles) == 9
    assert sum(map(len, tiles.values())) == len(build_field(image, "kernel"))
    np.testing.assert_allclose(rasterize(list(tiles.values()), view), whole, atol=1e-5)
    # A tile and its neighbours are all that a view inside the tile needs.
    view = Viewport((64, 64), 3.0, (192, 192))
    near = [tiles[key] for key in builder.grid.neighbours((1, 1))]
    np.testing.assert_allclose(
        rasterize(near, view), rasterize(build_field(image, "kernel"), view), atol=1e-5
    )


def test_a_tile_asks_only_for_its_part_of_the_picture():
    class Counting(ArrayPicture):
        asked = 0

        def as_float(self, rect=None):
            x0, y0, x1, y1 = rect
            Counting.asked = max(Counting.asked, (x1 - x0) * (y1 - y0))
            return super().as_float(rect)

    builder = FieldBuilder(Counting(noise(900, 900)), "kernel", tile=256)
    builder.build_tile((1, 1))
    assert Counting.asked <= (256 + 32) ** 2


def test_grid_covers_every_pixel_once():
    grid = TileGrid((1030, 700), tile=256)
    count = np.zeros((1030, 700), int)
    for key in grid.keys():
        x0, y0, x1, y1 = grid.rect(key)
        count[y0:y1, x0:x1] += 1
    assert (count == 1).all()
    assert len(grid) == 15


@pytest.mark.parametrize(
    ("rect", "keys"),
    [
        ((0, 0, 1, 1), [(0, 0)]),
        ((255.5, 10, 256.5, 11), [(0, 0), (1, 0)]),
        ((-50, -50, 0, 0), []),
        ((-50, 1000, 10, 5000), [(0, 3), (0, 4)]),
        ((5000, 0, 6000, 10), []),
        ((256, 256, 512, 512), [(1, 1)]),
    ],
)
def test_keys_in_a_rectangle(rect, keys):
    assert TileGrid((1030, 700), tile=256).keys_in(rect) == keys


def test_building_reports_progress_and_stops():
    image = noise(600, 1100, 1)
    seen = []
    build_field(image, "kernel", progress=lambda done, total: seen.append((done, total)))
    assert sorted(seen)[-1] == (6, 6)
    with pytest.raises(Cancelled):
        build_field(image, "kernel", stop=lambda: True)


def test_bad_requests_are_refused():
    with pytest.raises(ValueError, match="unknown method"):
        build_field(noise(4, 4), method="magic")
    with pytest.raises(DeviceError, match="CPU"):
        build_field(noise(4, 4), "kernel", device="cuda")
    with pytest.raises(ImageError, match="at least 1x1"):
        build_field(np.zeros((0, 4, 3), np.float32), "kernel")
    with pytest.raises(ValueError, match=r"built of a picture .*, not of ndarray"):
        FieldBuilder(noise(4, 4), "kernel")
    builder = FieldBuilder(Picture.from_array(noise(20, 30)), "kernel", tile=16)
    for key in ((2, 0), (0, 2), (-1, 0)):
        with pytest.raises(ValueError, match=rf"no tile \({key[0]}, {key[1]}\): .* of 2 x 2"):
            builder.build_tile(key)
    for tile in (0, -16):
        with pytest.raises(ValueError, match=f"at least one pixel a side, not {tile}"):
            FieldBuilder(Picture.from_array(noise(4, 4)), "kernel", tile=tile)


def test_interpolate_rect_does_not_read_beyond_its_halo():
    image = noise(60, 60)
    poisoned = np.full_like(image, np.nan)
    poisoned[4:56, 4:56] = image[4:56, 4:56]
    rows = interpolate_rect(poisoned, (0, 0), (20, 20, 40, 40))
    assert np.isfinite(rows).all()


def test_the_learned_field_is_what_is_built_unless_told_otherwise():
    pytest.importorskip("torch")
    assert build_field(noise(6, 5)).metadata["method"] == "continuoussr"


def test_bytes_and_words_are_taken_as_files_hold_them():
    image = (noise(9, 11) * 255).astype(np.uint8)
    view = Viewport.whole((9, 11), 1.0)
    for array, full in ((image, 255), (image.astype(np.uint16) * 257, 65535)):
        frame = rasterize(build_field(array, "kernel"), view)
        np.testing.assert_allclose(frame, array / full, atol=1e-3)
    cut_out = np.dstack([image, np.full((9, 11), 51, np.uint8)])
    frame = rasterize(build_field(cut_out, "kernel"), view)
    np.testing.assert_allclose(frame[..., :3], image / 255 / 5, atol=1e-3)


def test_what_numpy_makes_an_array_of_is_a_picture():
    torch = pytest.importorskip("torch")
    image = noise(9, 11)
    expected = build_field(image, "kernel").amplitudes
    for same in (torch.from_numpy(image), image.astype(np.float64), image.tolist()):
        np.testing.assert_allclose(build_field(same, "kernel").amplitudes, expected, atol=1e-6)
    in_bytes = (image * 255).astype(np.uint8)
    whole = in_bytes.astype(np.uint16) * 257
    expected_of_bytes = build_field(in_bytes, "kernel").amplitudes
    for same in (Image.fromarray(in_bytes), whole.astype(">u2")):
        made = build_field(same, "kernel").amplitudes
        np.testing.assert_allclose(made, expected_of_bytes, atol=1e-6)
    np.testing.assert_array_equal(build_field(image[..., 0], "kernel").amplitudes, expected[:, :1])


def test_pillow_images_of_few_colours_are_the_pictures_that_they_show():
    grey = Image.fromarray((np.add.outer(np.arange(9), np.arange(11)) % 2 * 255).astype(np.uint8))
    for few in (grey.convert("1"), grey.quantize(2), grey.convert("RGB").quantize(2)):
        assert few.mode in ("1", "P")
        field = build_field(few, "kernel")
        assert field.extent == (9, 11)
        shown = rasterize(field, Viewport.whole((9, 11), 1.0))
        wanted = np.broadcast_to(np.asarray(grey)[..., None] / 255, shown.shape)
        assert np.abs(shown - wanted).max() < 0.02
    cut_out = grey.quantize(2)
    cut_out.info["transparency"] = 0
    assert build_field(cut_out, "kernel").channels == 4
    clear = Image.fromarray(np.dstack([np.asarray(grey)] * 4))
    keyed = grey.copy()
    keyed.info["transparency"] = 255
    for transparent in (clear.quantize(4, method=Image.Quantize.FASTOCTREE), keyed):
        assert build_field(transparent, "kernel").channels == 4
    for mode in ("CMYK", "YCbCr", "LAB", "HSV"):
        with pytest.raises(ImageError, match=f"mode {mode} are not grey or RGB"):
            build_field(
                grey.convert("RGB").convert(mode) if mode != "LAB" else Image.new("LAB", (4, 4)),
                "kernel",
            )


def test_a_tensor_that_numpy_cannot_read_is_refused_in_a_line():
    torch = pytest.importorskip("torch")
    for tensor in (torch.zeros(4, 4, 3, requires_grad=True), torch.zeros(4, 4, 3).bfloat16()):
        with pytest.raises(ImageError, match="Tensor makes no array"):
            build_field(tensor, "kernel")


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (np.zeros((3, 40, 50), np.float32), "which come last; got (3, 40, 50)"),
        (np.zeros((1, 3, 4, 5), np.float32), "got (1, 3, 4, 5)"),
        (np.full((4, 4, 3), np.nan, np.float32), "NaN or infinite"),
        (np.full((4, 4, 3), -np.inf, np.float32), "NaN or infinite"),
        (np.full((4, 4, 3), 1e300), "NaN or infinite"),
        (np.zeros((4, 4, 3), np.int64), "int64 does not say how large full brightness is"),
        (np.zeros((4, 4, 3), bool), "bool does not say how large full brightness is"),
        (np.zeros((4, 4, 5), np.uint8), "makes no picture"),
        (np.zeros((4, 4, 3), complex), "not a ndarray of complex"),
        (None, "not a NoneType"),
    ],
)
@pytest.mark.parametrize("method", ["kernel", "continuoussr"])
def test_arrays_that_make_no_picture_are_refused(array, says, method):
    with pytest.raises(ImageError, match=re.escape(says)):
        build_field(array, method)


def test_values_that_were_not_divided_are_refused_where_a_network_would_see_them():
    image = noise(6, 5) * 255
    with pytest.raises(ImageError, match="divide them first"):
        build_field(image)
    frame = rasterize(build_field(image, "kernel"), Viewport.whole((6, 5), 1.0))
    np.testing.assert_allclose(frame, image, atol=0.05)


def test_shipped_weights_are_known_by_name():
    image = noise(6, 5)
    base = build_field(image, weights="base", device="cpu")
    same = build_field(image, weights=weights_path("base"), device="cpu")
    np.testing.assert_array_equal(base.amplitudes, same.amplitudes)
    drawing = open_drawing(Picture.from_array(image), options=Options("cpu", weights="base"))
    assert drawing.draw(Viewport.whole((6, 5), 2.0)).shape == (12, 10, 3)


def test_progress_counts_up_one_tile_after_another():
    told = []
    build_field(noise(70, 3000, 1), "kernel", progress=lambda *done: told.append(done))
    assert told == [(n, 6) for n in range(1, 7)]
