"""Cut-outs by methods that know colours alone: they keep alpha, and their edges have no fringe."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch")

from gaussian_core.display import over
from gaussian_core.imaging.picture import Picture
from gaussian_core.methods import open_drawing
from gaussian_core.models.cut_out import BLED, Colours, CutOutDrawing, colours_everywhere
from gaussian_core.viewport import Viewport
from gaussian_core.writing.file_renderer import render_file
from tests.test_transparency import disc, distance
from tests.test_transparency import texture as large_texture

NETWORKS = ("liif", "gaussiansr")
SIDE, RADIUS, SCALE = 32, 11.0, 2.0
WHOLE = Viewport((0, 0), SCALE, (round(SCALE * SIDE),) * 2)


def texture() -> np.ndarray:
    return large_texture()[:SIDE, :SIDE]


def straight(colours: np.ndarray) -> Picture:
    """colours (h, w, 3) seen through a disc, as a file holds them: with another colour where nothing is seen."""
    alpha = np.round(255 * disc(SIDE, RADIUS)).astype(np.uint8)
    pixels = np.round(255 * np.broadcast_to(colours, (SIDE, SIDE, 3))).astype(np.uint8)
    pixels = np.where(alpha[..., None] > 0, pixels, np.uint8([0, 255, 0]))
    return Picture.from_array(np.dstack([pixels, alpha]))


@pytest.mark.parametrize("method", NETWORKS)
@pytest.mark.parametrize("colour", [(1, 1, 1), (0.08, 0.16, 0.8)])
def test_a_plain_cut_out_has_its_colour_to_the_edge(method, colour):
    drawing = open_drawing(straight(np.float32(colour)), method)
    shown, r = drawing.draw(WHOLE), distance(SIDE, SCALE)
    assert drawing.channels == 4 and not drawing.notes
    alpha = shown[..., 3]
    assert alpha[r < RADIUS - 1.5].min() > 0.95 and alpha[r > RADIUS + 1.5].max() < 0.08
    # Away from the edge alpha is what the file says.
    assert alpha[r < RADIUS - 7.5].min() > 1 - 1e-5 and abs(shown[r > RADIUS + 7.5]).max() < 1e-5
    for backdrop in (0.0, 0.5, 1.0):
        wanted = alpha[..., None] * np.float32(colour) + (1 - alpha[..., None]) * backdrop
        assert abs(over(shown, backdrop) - wanted).max() < 0.04


@pytest.mark.parametrize("method", NETWORKS)
def test_alpha_is_enlarged_as_sharply_as_colours(method):
    wanted = disc(round(SCALE * SIDE), SCALE * RADIUS)

    def off(method: str) -> float:
        shown = open_drawing(straight(np.zeros(3)), method).draw(WHOLE)
        return float(abs(np.clip(shown[..., 3], 0, 1) - wanted).mean())

    assert off(method) < 0.8 * off("bicubic")


@pytest.mark.parametrize("method", NETWORKS)
def test_inside_the_picture_is_the_network_s_own_and_parts_are_as_the_whole(method):
    drawing = open_drawing(straight(texture()), method)
    shown, r = drawing.draw(WHOLE), distance(SIDE, SCALE)
    opaque = open_drawing(
        Picture.from_array(np.round(255 * texture()).astype(np.uint8)), method
    ).draw(WHOLE)
    off = abs(shown[..., :3] - np.clip(opaque, 0, 1))[r < RADIUS - 7]
    assert off.max() < 0.05 and off.mean() < 0.003
    part = drawing.draw(WHOLE.part(20, 11, 30, 25))
    # The rasterizer may drop what is below 1/512 of a Gaussian, at other places in another view.
    np.testing.assert_allclose(part, shown[11:36, 20:50], atol=0.02)
    assert abs(part - shown[11:36, 20:50]).mean() < 1e-3


@pytest.mark.parametrize("method", NETWORKS)
def test_opaque_pictures_are_drawn_as_before_and_those_with_full_alpha_alike(method):
    pixels = np.round(255 * texture()).astype(np.uint8)
    plain = open_drawing(Picture.from_array(pixels), method)
    assert not isinstance(plain, CutOutDrawing) and plain.channels == 3
    full = open_drawing(
        Picture.from_array(np.dstack([pixels, np.full_like(pixels[..., 0], 255)])), method
    )
    shown = full.draw(WHOLE)
    assert shown[..., 3].min() > 1 - 1e-5
    np.testing.assert_allclose(shown[..., :3], np.clip(plain.draw(WHOLE), 0, 1), atol=1e-6)


@pytest.mark.parametrize("method", [*NETWORKS, "fit"])
@pytest.mark.parametrize("size", [(1, 1), (3, 40), (5, 1)], ids=str)
def test_tiny_and_empty_cut_outs_are_drawn(method, size):
    rng = np.random.default_rng(2)
    pixels = rng.integers(0, 256, (*size, 4), np.uint8)
    for alpha in (pixels[..., 3], 0, 255):
        pixels[..., 3] = alpha
        drawing = open_drawing(Picture.from_array(pixels), method)
        frame = drawing.draw(Viewport.whole(size, 2.5))
        assert frame.shape[2] == 4 and np.isfinite(frame).all()
        beside = drawing.draw(Viewport((-50.0, -50.0), 2.5, (9, 7)))
        assert np.isfinite(beside).all() and abs(beside).max() < 1e-3


@pytest.mark.parametrize("method", [*NETWORKS, "fit"])
def test_files_keep_it(method, tmp_path):
    picture = straight(np.float32((0.9, 0.3, 0.1)))
    done = render_file(picture, tmp_path / "out.png", 2.0, method=method)
    assert not done.notes
    pixels = np.asarray(Image.open(tmp_path / "out.png")).astype(int)
    r = distance(SIDE, 2.0)
    assert pixels.shape == (2 * SIDE, 2 * SIDE, 4)
    assert pixels[r < RADIUS - 3][:, 3].min() > 220 and pixels[r > RADIUS + 3][:, 3].max() < 6
    seen = pixels[pixels[..., 3] > 128][:, :3]
    off = abs(seen - np.round(255 * np.array((0.9, 0.3, 0.1))))
    assert off.max() <= 32 and off.mean() < 1.5


def test_colours_go_on_beyond_the_edge_and_ignore_what_is_hardly_seen():
    pixels = np.zeros((12, 80, 4), np.float32)
    pixels[:, :20] = (0.5, 0.25, 0.1, 1)
    pixels[:, 20] = np.float32((0, 1, 0, 1)) / 255  # what an editor left of another colour
    colours = colours_everywhere(pixels)
    np.testing.assert_allclose(colours[:, :20], pixels[:, :20, :3], atol=1e-6)
    np.testing.assert_allclose(colours[:, 20:26], np.tile([0.5, 0.25, 0.1], (12, 6, 1)), atol=0.03)
    assert not colours[:, 21 + BLED :].any()
    # Part by part they are the same.
    whole = Colours(straight(texture()))
    np.testing.assert_allclose(
        whole.as_float((12, 10, 27, 22)), whole.as_float()[10:22, 12:27], atol=1e-5
    )
