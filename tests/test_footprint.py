"""The footprint that a field is seen by: from very near it hides the lattice that a network's Gaussians stand on."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from gaussian_core import Viewport, build_field, rasterize
from gaussian_core.builder import TileGrid
from gaussian_core.errors import FieldError
from gaussian_core.field import GaussianField
from gaussian_core.footprint import FROM_SCALE, footprint_of
from gaussian_core.imaging.picture import Picture
from gaussian_core.methods import Options, open_drawing
from gaussian_core.rasterizer import PIXEL_SIGMA
from viewer.model.frames.frame_renderer import picture_viewport, render_frame
from viewer.model.frames.scene import Scene
from viewer.model.view.view_state import ViewState


def picture(height=24, width=30):
    noise = np.random.default_rng(6).random((height, width, 3))
    soft = gaussian_filter(noise, (1.0, 1.0, 0))
    return np.round((soft - soft.min()) / np.ptp(soft) * 255).astype(np.uint8)


@pytest.fixture(scope="module")
def learned():
    return build_field(Picture(picture()))


def plain(metadata):
    return GaussianField([[1, 1]], [[1, 0, 1]], [[1]], (2, 2), metadata)


def test_up_to_four_times_it_is_the_usual_one_and_from_near_a_tenth_of_a_source_pixel(learned):
    assert [footprint_of(learned, s) for s in (0.1, 1.0, 2.5, FROM_SCALE)] == [PIXEL_SIGMA] * 4
    assert footprint_of(learned) == PIXEL_SIGMA
    scales = np.geomspace(4, 1000, 60)
    sigmas = np.array([footprint_of(learned, s) for s in scales])
    assert (np.diff(sigmas) > 0).all() and (np.diff(sigmas) < 0.11 * np.diff(scales)).all()
    assert sigmas[-1] / scales[-1] == pytest.approx(0.1, abs=0.001)


def test_of_a_view_whose_axes_are_scaled_apart_the_smaller_one_counts(learned):
    view = Viewport((0, 0), (30, 12), (8, 8))
    assert footprint_of(learned, view.scale) == footprint_of(learned, 12) > PIXEL_SIGMA
    assert footprint_of(learned, Viewport((0, 0), 30, (8, 8)).scale) == footprint_of(learned, 30)
    with pytest.raises(ValueError, match="scale is a number or"):
        footprint_of(learned, (1, 2, 3))


def test_fields_that_do_not_ask_for_it_are_seen_as_ever():
    for scale in (1.0, 30.0, 1000.0):
        assert footprint_of(plain({}), scale) == PIXEL_SIGMA
        assert footprint_of(plain({"pixel_sigma": "0"}), scale) == 0.0


@pytest.mark.parametrize("text", ["nan", "-1", "2", "much"])
def test_an_impossible_one_is_refused(text):
    with pytest.raises(FieldError, match="impossible"):
        footprint_of(plain({"finest": text}), 10.0)


def stripes(frame, scale):
    """What there is of twice a source pixel's frequency along x, the lattice's own."""
    rows = frame[..., :3].mean(axis=2)
    rows = (rows - rows.mean()) * np.hanning(rows.shape[1])
    return float(np.abs(np.fft.rfft(rows, axis=1)[:, 2 * rows.shape[1] // scale]).mean())


@pytest.mark.parametrize("way", ["window", "file"])
def test_from_near_the_lattice_is_seen_half_as_much_and_at_four_times_all_is_as_it_was(
    learned, way
):
    for scale, wanted in ((16.0, 1.5), (4.0, PIXEL_SIGMA)):
        view = ViewState((24, 30), (320, 256), (2.0, 1.0), scale)
        viewport = picture_viewport(view)
        if way == "window":
            grid = TileGrid((24, 30), 64)
            scene = Scene((24, 30), pyramid=object(), grid=grid, tiles={(0, 0): learned})
            frame = render_frame(scene, view).bgrx[..., 2::-1] / 255
        else:
            frame = open_drawing(Picture(picture()), "continuoussr", Options()).draw(viewport)
        seen = rasterize(learned, viewport, pixel_sigma=wanted)
        assert np.abs(np.clip(frame, 0, 1) - np.clip(seen, 0, 1)).max() < 1.01 / 255
        if scale > FROM_SCALE:
            as_before = rasterize(learned, viewport)
            assert stripes(frame, 16) < 0.7 * stripes(as_before, 16)


def test_a_saved_field_is_seen_as_the_one_it_is_of(learned, tmp_path):
    learned.save(tmp_path / "a.safetensors")
    back = GaussianField.open(tmp_path / "a.safetensors")
    assert footprint_of(back, 50.0) == footprint_of(learned, 50.0) > 4
