"""Cut-outs by the learned field: no fringe, no hole, an edge as sharp as any other, and no backdrop taken away."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from gaussian_core.builder import FieldBuilder, build_field
from gaussian_core.display import over, to_bgrx
from gaussian_core.field import GaussianField
from gaussian_core.images import load_image
from gaussian_core.imaging.picture import Picture
from gaussian_core.models.config import shipped_weights, weights_path
from gaussian_core.models.transparency import nearness, straight_colours
from gaussian_core.rasterizer import rasterize
from gaussian_core.viewport import Viewport
from gaussian_core.writing.file_renderer import render_file

SIDE, RADIUS = 56, 18.0


def disc(side: int = SIDE, radius: float = RADIUS) -> np.ndarray:
    """(side, side) coverage of a disc in the middle, antialiased."""
    fine = (np.arange(16 * side) + 0.5) / 16 - side / 2
    inside = np.hypot(fine[:, None], fine) < radius
    return inside.reshape(side, 16, side, 16).mean((1, 3)).astype(np.float32)


def distance(side: int, scale: float) -> np.ndarray:
    """Source pixels from the middle, of every pixel of an enlargement."""
    place = (np.arange(round(side * scale)) + 0.5) / scale - side / 2
    return np.hypot(place[:, None], place)


def cut_out(colours: np.ndarray) -> np.ndarray:
    """colours (h, w, 3) seen through a disc: premultiplied, with alpha."""
    alpha = disc()[..., None]
    return np.concatenate([colours * alpha, alpha], 2).astype(np.float32)


def texture() -> np.ndarray:
    y, x = np.mgrid[:SIDE, :SIDE]
    waves = [np.sin(x * a + y * b) for a, b in ((0.9, 0.4), (0.3, -0.8), (1.4, 0.2))]
    return 0.5 + 0.45 * np.stack(waves, -1)


def view(pixels: np.ndarray, scale: float, method: str = "continuoussr") -> np.ndarray:
    field = build_field(pixels, method, device="cpu")
    size = round(SIDE * scale)
    return rasterize(field, Viewport((0, 0), scale, (size, size)))


@pytest.mark.parametrize("weights", shipped_weights())
@pytest.mark.parametrize("colour", [(1, 1, 1), (0, 0, 0), (1, 0, 0), (0.08, 0.16, 0.8)])
def test_a_plain_cut_out_has_its_colour_to_the_edge_and_alpha_has_no_hole(colour, weights):
    pixels = cut_out(np.broadcast_to(np.float32(colour), (SIDE, SIDE, 3)))
    field = build_field(pixels, "continuoussr", device="cpu", weights=weights_path(weights))
    shown = rasterize(field, Viewport((0, 0), 4.0, (4 * SIDE, 4 * SIDE)))
    alpha, r = shown[..., 3], distance(SIDE, 4.0)
    assert alpha[r < RADIUS - 1.5].min() > 0.98
    assert abs(alpha[r > RADIUS + 1.5]).max() < 0.02
    # On any backdrop: what is seen is the colour, the backdrop, or a mixture of both.
    for backdrop in (0.0, 0.5, 1.0):
        clear = np.clip(alpha, 0, 1)[..., None]
        wanted = clear * np.float32(colour) + (1 - clear) * backdrop
        off = abs(np.clip(over(shown, backdrop), 0, 1) - wanted)
        assert off.mean() < 0.001 and np.quantile(off, 0.999) < 0.06 and off.max() < 0.2


def test_its_edge_is_as_sharp_as_the_learned_field_makes_edges():
    pixels = cut_out(np.zeros((SIDE, SIDE, 3)))
    wanted = disc(4 * SIDE, 4 * RADIUS)

    def off(method: str) -> float:
        return float(abs(np.clip(view(pixels, 4.0, method)[..., 3], 0, 1) - wanted).mean())

    assert off("continuoussr") < 0.75 * off("kernel")


def test_a_texture_is_opaque_inside_and_the_network_s_own_away_from_the_edge():
    pixels = cut_out(texture())
    shown, r = view(pixels, 3.0), distance(SIDE, 3.0)
    assert shown[..., 3][r < RADIUS - 1.5].min() > 0.95
    opaque = view(texture().astype(np.float32), 3.0)
    away = r < RADIUS - 9
    off = abs(shown[..., :3] - opaque)[away]
    assert off.max() < 0.05 and off.mean() < 0.003


def letters() -> np.ndarray:
    """(SIDE, SIDE, 3): black on white, with edges everywhere."""
    image = Image.new("RGB", (SIDE, SIDE), "white")
    for y in range(0, SIDE, 12):
        ImageDraw.Draw(image).text((1, y), "Gaussians", fill="black")
    return np.asarray(image, np.float32) / 255


@pytest.mark.parametrize("weights", shipped_weights())
@pytest.mark.parametrize("opacity", [1.0, 0.5])
def test_no_backdrop_is_seen_between_letters_where_alpha_is_even(weights, opacity):
    """Their Gaussians gather along edges: an alpha that they held had holes of four fifths."""
    alpha = np.full((SIDE, SIDE, 1), opacity, np.float32)
    alpha[:, :4] = 0  # it has an edge, but far away
    pixels = np.concatenate([letters() * alpha, alpha], 2)
    path = weights_path(weights)
    field, opaque = (
        build_field(p, "continuoussr", device="cpu", weights=path) for p in (pixels, letters())
    )
    left = 16  # source pixels
    for scale in (2, 4, 8):
        window = Viewport((left, 0), scale, ((SIDE - left) * scale, SIDE * scale))
        shown, wanted = rasterize(field, window), rasterize(opaque, window)
        assert abs(shown[..., 3] - opacity).max() < 0.003
        if opacity == 1:  # else the network has seen letters of half the contrast
            assert abs(shown[..., :3] - wanted).max() < 0.02


@pytest.mark.parametrize("weights", shipped_weights())
def test_letters_that_run_into_an_edge_are_opaque_there_too(weights):
    field = build_field(
        cut_out(letters()), "continuoussr", device="cpu", weights=weights_path(weights)
    )
    alpha = rasterize(field, Viewport((0, 0), 4.0, (4 * SIDE, 4 * SIDE)))[..., 3]
    inside = alpha[distance(SIDE, 4.0) < RADIUS - 1.5]
    assert inside.min() > 0.94 and inside.max() < 1.06


def test_a_field_file_keeps_its_even_alpha(tmp_path):
    field = build_field(cut_out(texture()), "continuoussr", device="cpu")
    assert field.even_alpha is not None and not field.even_alpha.amplitudes[:, :3].any()
    field.save(tmp_path / "field.safetensors")
    back = GaussianField.open(tmp_path / "field.safetensors")
    window = Viewport((0, 0), 3.0, (3 * SIDE, 3 * SIDE))
    np.testing.assert_array_equal(rasterize(back, window), rasterize(field, window))


def test_tiles_of_a_cut_out_fit_together():
    straight = Picture.from_array(np.dstack([texture(), disc()]).astype(np.float32))
    whole = view(straight.as_float(), 2.5)
    builder = FieldBuilder(straight, "continuoussr", "cpu", tile=20)
    tiles = [builder.build_tile(key) for key in builder.grid.keys()]
    size = round(SIDE * 2.5)
    shown = rasterize(tiles, Viewport((0, 0), 2.5, (size, size)))
    assert abs(shown - whole).max() < 1 / 255


def test_a_faded_shadow_and_an_opaque_picture_with_alpha_stay_themselves():
    ramp = np.linspace(0, 0.6, SIDE, dtype=np.float32)[None, :].repeat(SIDE, 0)
    shadow = np.concatenate([np.zeros((SIDE, SIDE, 3), np.float32), ramp[..., None]], 2)
    shown = view(shadow, 3.0)
    place = (np.arange(3 * SIDE) + 0.5) / 3 - 0.5
    wanted = np.interp(place, np.arange(SIDE), ramp[0])
    assert abs(shown[:, 12:-12, 3] - wanted[12:-12]).max() < 0.02
    assert abs(shown[..., :3]).max() < 1e-3
    full = np.concatenate([texture(), np.ones((SIDE, SIDE, 1))], 2).astype(np.float32)
    assert view(full, 3.0)[12:-12, 12:-12, 3].min() > 0.95


def test_nearness_and_colours_beyond_the_edge():
    alpha = np.zeros((40, 40), np.float32)
    alpha[:, 20:] = 1
    near = nearness(alpha)
    assert near[:, 17:23].min() == 1 and near[:, :12].max() == 0 and near[:, 28:].max() == 0
    assert (np.diff(near[0, 10:20]) >= 0).all()
    assert not nearness(np.full((9, 9), 0.3, np.float32)).any()
    pixels = np.zeros((8, 8, 4), np.float32)
    pixels[:, 4:] = (0.1, 0.2, 0.3, 0.5)
    colours = straight_colours(pixels)
    np.testing.assert_allclose(
        colours[:, 1:], np.broadcast_to((0.2, 0.4, 0.6), (8, 7, 3)), rtol=1e-5
    )
    assert not colours[:, 0].any()


def test_what_a_kernel_undershoots_is_not_taken_off_the_backdrop(tmp_path):
    values = np.array([[[-0.1, 0.2, 0.9, 0.5], [-0.1, -0.1, -0.1, -0.1]]], np.float32)
    np.testing.assert_allclose(over(values, 1.0), [[[0.5, 0.7, 1.0], [1, 1, 1]]], atol=1e-6)
    board = to_bgrx(values)[0, 1]
    assert (board[:3] == round(0.8 * 255)).all()
    from PIL import Image

    white = np.full((SIDE, SIDE, 4), 255, np.uint8)
    white[..., 3] = np.round(255 * disc())
    Image.fromarray(white).save(tmp_path / "white.png")
    for method in ("kernel", "lanczos", "continuoussr"):
        render_file(tmp_path / "white.png", tmp_path / "out.bmp", 3.0, method=method)
        assert load_image(tmp_path / "out.bmp").min() > 0.99, f"white on white, by {method}"
