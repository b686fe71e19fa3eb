"""The resampling of stored pixels, against a float64 twin and Pillow."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from gaussian_core.display import to_bgrx
from gaussian_core.errors import Cancelled
from gaussian_core.imaging.picture import Picture
from gaussian_core.lattice import lattice
from gaussian_core.methods import Options, open_drawing
from gaussian_core.pyramid import Pyramid, levels_of
from gaussian_core.resampling import KERNELS, kernel_value, resample
from gaussian_core.viewport import Viewport
from tests.pixels import Pixels, noise


def twin(pyramid, viewport, method):
    """The definition, pixel by pixel, in float64."""
    level = 0
    if method != "nearest":
        while 2.0 ** -(level + 1) >= max(viewport.scale) * (1 - 1e-12):
            level += 1
    pixels = pyramid.level(level) / pyramid.peak
    size = 2**level
    weights = []
    for axis, centres in ((1, viewport.pixel_centres()[0]), (0, viewport.pixel_centres()[1])):
        scale, extent = viewport.scale[1 - axis], pyramid.extent[axis]
        starts = np.arange(0, extent, size)
        ends = np.minimum(starts + size, extent)  # the last pixel of a level may cover less
        if method == "nearest":
            w = (centres[:, None] >= starts) & (centres[:, None] < ends)
            w = w.astype(float)
        else:
            stretch = max(size, 1 / scale)  # source pixels per unit of the kernel
            distance = ((starts + ends) / 2 - centres[:, None]) / stretch
            w = kernel_value(method, distance) * (ends - starts)
            total = w.sum(axis=1, keepdims=True)
            w /= np.where(total == 0, 1, total)
        w[(centres < 0) | (centres >= extent)] = 0
        weights.append(w)
    return np.einsum("yi,xj,ijc->yxc", weights[1], weights[0], pixels)


@pytest.mark.parametrize("method", KERNELS)
@pytest.mark.parametrize("scale", [0.11, 0.3, 0.5, 0.77, 1.0, 2.5, (0.4, 3.1), 40.0, 1000.0])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_agrees_with_the_definition(method, scale, kind):
    pyramid = Pyramid(noise(41, 67, kind, alpha=kind is np.uint16))
    for origin, size in (((-3.37, -2.21), (61, 43)), ((20.03, 9.04), (50, 31))):
        view = Viewport(origin, scale, size)
        difference = np.abs(resample(pyramid, view, method=method) - twin(pyramid, view, method))
        # A centre within rounding of a pixel's edge may fall on either side: one pixel in a row at most.
        assert np.quantile(difference, 0.98) < 2e-4
        if method != "nearest":
            inside = difference[2:-2, 2:-2] if min(size) > 8 else difference
            assert np.quantile(inside, 0.995) < 2e-3


@pytest.mark.parametrize("method", KERNELS)
def test_agrees_with_the_definition_at_random_viewports(method):
    rng = np.random.default_rng(5)
    for seed in range(60):
        height, width = (int(n) for n in rng.integers(1, 90, 2))
        pyramid = Pyramid(noise(height, width, alpha=bool(seed % 2), seed=seed))
        scale = tuple(10.0 ** rng.uniform(-3, 3, 2)) if seed % 3 else 10.0 ** rng.uniform(-2, 2)
        sx, sy = (scale, scale) if isinstance(scale, float) else scale
        size = (int(rng.integers(1, 40)), int(rng.integers(1, 40)))
        # About some point of the picture: wholly in view, partly, or past its edge.
        origin = (rng.random() * width - rng.random() * size[0] / sx,
                  rng.random() * height - rng.random() * size[1] / sy)  # fmt: skip
        index = [lattice(o, s) for o, s in zip(origin, (sx, sy), strict=True)]
        # The twin does not know the lattice: give it the position that the lattice stands for.
        x, y = ((i + phase) / s for (i, phase), s in zip(index, (sx, sy), strict=True))
        view = Viewport((x, y), (sx, sy), size)
        difference = np.abs(resample(pyramid, view, method=method) - twin(pyramid, view, method))
        assert difference.max() < 2e-6 + (1e-4 if method == "nearest" else 0)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("method", KERNELS)
def test_at_100_percent_the_picture_is_the_file(kind, method):
    source = noise(30, 50, kind)
    frame = resample(Pyramid(source), Viewport((0, 0), 1.0, (50, 30)), method=method)
    peak = 1.0 if kind is np.float32 else np.iinfo(kind).max
    np.testing.assert_allclose(frame, source.pixels / peak, atol=1e-6)


@pytest.mark.parametrize(
    ("method", "filter_"),
    [("bicubic", Image.Resampling.BICUBIC), ("lanczos", Image.Resampling.LANCZOS)],
)
@pytest.mark.parametrize("scale", [0.6, 0.9, 1.7, 4.0])
def test_agrees_with_an_independent_library(method, filter_, scale):
    smooth = Image.fromarray(noise(9, 12).pixels).resize((120, 90), Image.Resampling.BICUBIC)
    source = np.asarray(smooth)
    size = (round(120 * scale), round(90 * scale))
    expected = np.asarray(smooth.resize(size, filter_), np.float32) / 255
    view = Viewport((0, 0), (size[0] / 120, size[1] / 90), size)
    frame = np.clip(resample(Pyramid(Pixels(source)), view, method=method), 0, 1)
    assert np.abs(frame - expected).max() < 1.5 / 255


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("format", ["float", "bgrx8"])
@pytest.mark.parametrize("scale", [0.13, 0.7, 1.0, 3.3])
def test_whole_and_parts_are_the_same_to_the_bit(scale, format, alpha):
    pyramid = Pyramid(noise(211, 307, alpha=alpha))
    view = Viewport((-1.234567, 2.345678), scale, (231, 117))
    whole = resample(pyramid, view, format=format)
    for left, top, width, height in ((0, 0, 100, 117), (100, 3, 131, 100), (57, 116, 1, 1)):
        part = resample(pyramid, view.part(left, top, width, height), format=format)
        np.testing.assert_array_equal(part, whole[top : top + height, left : left + width])


@pytest.mark.parametrize("scale", [0.3, 1.0, 8.0])
def test_panning_by_whole_pixels_shifts_exactly(scale):
    pyramid = Pyramid(noise(211, 307))
    view = Viewport((9.87654321, 7.654321), scale, (60, 40))
    moved = resample(pyramid, Viewport(view.to_source(5, -3), scale, (60, 40)))
    np.testing.assert_array_equal(moved[3:, :-5], resample(pyramid, view)[:-3, 5:])


@pytest.mark.parametrize("shape", [(300, 400), (513, 999), (777, 1025)])
@pytest.mark.parametrize(
    ("method", "filter_"),
    [("bicubic", Image.Resampling.BICUBIC), ("lanczos", Image.Resampling.LANCZOS)],
)
def test_a_reduced_picture_agrees_with_an_independent_library(method, filter_, shape):
    """Borders included, where the levels of odd sizes end in a pixel that covers less."""
    height, width = shape
    smooth = Image.fromarray(noise(9, 12).pixels).resize((width, height), Image.Resampling.BICUBIC)
    pyramid = Pyramid(Pixels(np.asarray(smooth)))
    for scale in (0.49, 0.3, 0.13):
        size = (round(width * scale), round(height * scale))
        expected = np.asarray(smooth.resize(size, filter_), np.float32)
        view = Viewport((0, 0), (size[0] / width, size[1] / height), size)
        frame = 255 * np.clip(resample(pyramid, view, method=method), 0, 1)
        assert np.abs(frame - expected).max() < 3
        assert np.abs(frame - expected).mean() < 0.5


def test_outside_the_picture_there_is_nothing():
    pyramid = Pyramid(noise(20, 30))
    frame = resample(pyramid, Viewport((-10, -10), 2.0, (100, 80)))
    inside = np.zeros((80, 100), bool)
    inside[20:60, 20:80] = True
    assert not frame[~inside].any()
    assert frame[inside].any()
    for far in (1e7, -1e7, 1e17, -1e200):
        assert not resample(pyramid, Viewport((far, 0), 0.3, (8, 8))).any()
        assert not resample(pyramid, Viewport((0, far), 1000.0, (8, 8))).any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (7, 1), (2, 3)])
@pytest.mark.parametrize("scale", [0.05, 1.0, 300.0])
def test_tiny_pictures_keep_their_colour(shape, scale):
    pyramid = Pyramid(Pixels(np.full((*shape, 3), 128, np.uint8)))
    view = Viewport((0, 0), scale, (max(1, int(shape[1] * scale)), max(1, int(shape[0] * scale))))
    frame = resample(pyramid, view)
    x, y = view.pixel_centres()
    seen = frame[np.ix_((y > 0) & (y < shape[0]), (x > 0) & (x < shape[1]))]
    np.testing.assert_allclose(seen, 128 / 255, atol=1e-5)


def test_no_jump_where_the_level_changes():
    """Just above and below a half, and across 100 %, the same picture."""
    rng = np.random.default_rng(3)
    coarse = rng.integers(0, 255, (12, 16, 3), np.uint8)
    source = np.asarray(Image.fromarray(coarse).resize((256, 192), Image.Resampling.BICUBIC))
    pyramid = Pyramid(Pixels(source))
    for scale in (0.5, 0.25, 1.0):
        below = resample(pyramid, Viewport((10, 10), scale * (1 - 1e-6), (40, 40)))
        above = resample(pyramid, Viewport((10, 10), scale * (1 + 1e-6), (40, 40)))
        difference = np.abs(below - above)
        assert difference.mean() < 1 / 255
        assert difference.max() < 6 / 255


def test_a_fine_pattern_turns_grey_and_does_not_alias():
    board = (np.indices((256, 256)).sum(axis=0) % 2 * 255).astype(np.uint8)
    pyramid = Pyramid(Pixels(np.repeat(board[..., None], 3, axis=2)))
    for scale in (0.41, 0.2, 0.07):
        frame = resample(pyramid, Viewport((20, 20), scale, (int(200 * scale), int(200 * scale))))
        np.testing.assert_allclose(frame, 0.5, atol=0.03)


@pytest.mark.parametrize("scale", [0.5, 0.25, 0.375, 0.1])
def test_a_reduced_file_is_what_the_kernel_makes_of_the_pixels_and_not_a_mean_of_blocks(scale):
    rng = np.random.default_rng(4)
    rough = rng.integers(0, 256, (160, 240, 3), np.uint8)
    size = (round(240 * scale), round(160 * scale))
    wanted = np.asarray(Image.fromarray(rough).resize(size, Image.Resampling.BICUBIC))
    drawing = open_drawing(Picture.from_array(rough), "bicubic", Options())
    made = drawing.draw(Viewport((0, 0), scale, size))
    off = np.abs(made * 255 - wanted)[3:-3, 3:-3]
    assert off.max() < 8 and off.mean() < 1.5
    means = np.asarray(Image.fromarray(rough).resize(size, Image.Resampling.BOX))
    assert np.abs(means.astype(float) - wanted).mean() > 4 * off.mean()


def test_transparent_pixels_do_not_bleed_their_colour():
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[:, :4] = (255, 0, 0)
    alpha = np.zeros((8, 8), np.uint8)
    alpha[:, 4:] = 255  # the red half is invisible
    frame = resample(Pyramid(Pixels(pixels, alpha)), Viewport((0, 0), 3.0, (24, 24)))
    assert np.abs(frame[..., 0]).max() < 1e-6


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("width", [1, 15, 16, 17, 90])
def test_display_bytes_are_the_rounded_values(alpha, width):
    pyramid = Pyramid(noise(40, 60, alpha=alpha))
    view = Viewport((-3.3, -4.4), 1.7, (width, 43))
    first = tuple(lattice(o, s)[0] for o, s in zip(view.origin, view.scale, strict=True))
    expected = to_bgrx(resample(pyramid, view), first).astype(int)
    difference = np.abs(resample(pyramid, view, format="bgrx8").astype(int) - expected)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 2e-3


def test_nonsense_is_refused_and_work_can_be_stopped():
    pyramid, view = Pyramid(noise(300, 300)), Viewport((0, 0), 1.0, (300, 300))
    with pytest.raises(ValueError, match="unknown method"):
        resample(pyramid, view, method="magic")
    with pytest.raises(ValueError, match="unknown format"):
        resample(pyramid, view, format="rgb8")
    with pytest.raises(ValueError, match="draws a Viewport of a picture, not NoneType"):
        resample(pyramid, None)
    with pytest.raises(ValueError, match="out must be"):
        resample(pyramid, view, out=np.empty((4, 4, 3), np.float32))
    with pytest.raises(Cancelled):
        resample(pyramid, view, stop=lambda: True)
    for other in (np.zeros((4, 4, 3)), None, noise(4, 4)):
        with pytest.raises(ValueError, match="levels"):
            resample(other, view)
    for other in (np.zeros((4, 4, 3), np.uint8), None, "a.png"):
        with pytest.raises(ValueError, match="made of a picture"):
            levels_of(other)
