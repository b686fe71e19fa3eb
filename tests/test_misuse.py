"""The library in hands that mistake an argument: one error that says what is wanted, never one from deep within."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gaussian_core import (
    DeviceError,
    FieldBuilder,
    Picture,
    Pyramid,
    UserError,
    Viewport,
    build_field,
    footprint_of,
    rasterize,
    render_file,
    write_image,
)
from gaussian_core.methods import METHODS, Options, open_drawing

IMAGE = np.random.default_rng(0).random((6, 8, 3), dtype=np.float32)
VIEW = Viewport((0, 0), 2.0, (16, 12))


@pytest.fixture(scope="module")
def field():
    return build_field(IMAGE, method="kernel")


@pytest.mark.parametrize("name", list(METHODS))
@pytest.mark.parametrize("what", [IMAGE, "photo.jpg", None])
def test_what_is_drawn_by_a_method_is_a_picture(name, what):
    with pytest.raises(ValueError, match=r"open_picture, or Picture\.from_array"):
        open_drawing(what, name)


def test_a_file_is_drawn_from_a_picture_of_the_array(tmp_path):
    with pytest.raises(ValueError, match=r"Picture\.from_array makes one"):
        render_file(IMAGE, tmp_path / "out.png", 2)
    assert render_file(Picture.from_array(IMAGE), tmp_path / "out.png", 2).size == (16, 12)


def test_a_region_is_any_four_numbers(tmp_path):
    picture, out = Picture.from_array(IMAGE), tmp_path / "out.png"
    for region in (np.array([1, 1, 4, 2]), [1, 1, 4, 2], (np.float32(1), 1, 4, 2)):
        assert render_file(picture, out, 2, method="kernel", region=region).size == (8, 4)
    for region in ((0, 0, 5), "all", 3):
        with pytest.raises(UserError, match="A region is"):
            render_file(picture, out, 2, method="kernel", region=region)


@pytest.mark.parametrize("sigma", [None, "fine", -1, math.nan, (0.3, 0.3)])
def test_a_footprint_is_a_number(field, sigma):
    with pytest.raises(ValueError, match="pixel_sigma must be zero or positive"):
        rasterize(field, VIEW, pixel_sigma=sigma)


def test_a_footprint_is_of_a_field_at_a_scale(field):
    assert footprint_of(field, np.float32(8)) == footprint_of(field, (8, 9)) == 0.3
    with pytest.raises(ValueError, match="build_field makes one"):
        footprint_of(IMAGE, 2)
    for scale in (0, -1, math.inf, math.nan):
        with pytest.raises(ValueError, match="positive and finite"):
            footprint_of(field, scale)


def test_pictures_and_their_levels_are_made_of_arrays():
    with pytest.raises(ValueError, match=r"Picture\.from_array"):
        Picture(IMAGE.tolist())
    with pytest.raises(ValueError, match=r"Picture\.from_array"):
        Pyramid(IMAGE)


@pytest.mark.parametrize("rect", [(-3, 0, 5, 5), (0, 0, 9, 5), (5, 5, 2, 2)])
def test_a_part_of_a_picture_lies_inside_it(rect):
    with pytest.raises(ValueError, match="inside the picture of 8x6 pixels"):
        Picture.from_array(IMAGE).as_float(rect)


def test_a_list_is_no_array_to_be_written(tmp_path):
    with pytest.raises(ValueError, match=r"numpy\.asarray makes one"):
        write_image(tmp_path / "out.png", IMAGE.tolist())


def test_no_tiles_are_not_built():
    with pytest.raises(ValueError, match="no tiles"):
        FieldBuilder(Picture.from_array(IMAGE), "kernel").build_tiles([])


def test_an_unknown_precision_is_refused_though_it_would_change_nothing():
    with pytest.raises(DeviceError, match="float32 or bfloat16"):
        build_field(IMAGE, method="kernel", precision="half")


def test_a_device_of_torch_is_the_one_of_its_name():
    torch = pytest.importorskip("torch")
    cpu = torch.device("cpu")
    for method in ("kernel", "continuoussr"):
        assert len(build_field(IMAGE, method=method, device=cpu)) > 0
    drawn = [open_drawing(Picture.from_array(IMAGE), "liif", Options(d)) for d in (cpu, "cpu")]
    first, second = (drawing.draw(VIEW) for drawing in drawn)
    np.testing.assert_array_equal(first, second)
