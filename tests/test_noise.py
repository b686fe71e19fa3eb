"""Noise is found where there is some, and nowhere else, and where it is plain it decides the weights."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageDraw, ImageFont

from gaussian_core.errors import ImageError
from gaussian_core.images import open_picture
from gaussian_core.imaging import lazy_tiff
from gaussian_core.imaging.noise import noise_of
from gaussian_core.imaging.picture import Picture
from gaussian_core.models.config import SHOWS_FROM, default_weights, weights_path
from gaussian_core.pyramid.reduced_copy import reduced_copy
from tests.shipped_copies import ship_copies
from tests.window_helpers import open_and_wait, wait_until_idle
from viewer.model.documents.field_card import card_of
from viewer.model.settings import Settings

FINER = 3


def scene(side=320, seed=7):
    """(side, side, 3) floats, levels of 255: slopes of colour with discs on them, drawn larger and made smaller."""
    rng = np.random.default_rng(seed)
    across = np.linspace(0, 1, side * FINER)[None, :, None]
    slope = np.float32([90, 120, 150]) + across * np.float32([60, 30, -50])
    image = Image.fromarray(np.repeat(slope, side * FINER, 0).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for _ in range(40):
        x, y, *colour = (int(v) for v in rng.integers(40, (side * FINER,) * 2 + (215,) * 3))
        reach = int(rng.integers(10, 60)) * FINER
        draw.ellipse((x, y, x + reach, y + reach), fill=tuple(colour))
    return np.asarray(image.resize((side, side), Image.Resampling.BOX)).astype(np.float32)


def with_noise(values, strength, grey=False, seed=1):
    """The same with white noise, levels of 255; grey: the same in all channels."""
    shape = (*values.shape[:2], 1 if grey else 3)
    return values + np.random.default_rng(seed).normal(0, strength, shape)


def rounded(values, bits=8):
    full = 2**bits - 1
    return np.clip(np.rint(values * (full / 255)), 0, full).astype(f"u{bits // 8}")


def noise_in(values):
    return noise_of(Picture.from_array(rounded(values)))


# ---- how strong it is ----------------------------------------------------------------------------


@pytest.mark.parametrize("strength", [4, 6, 9, 14, 20])
def test_the_strength_of_known_noise(strength):
    in_brightness = strength * np.sqrt(0.299**2 + 0.587**2 + 0.114**2)
    assert noise_in(with_noise(scene(), strength)) == pytest.approx(in_brightness, rel=0.1)
    assert noise_in(with_noise(scene(), strength, grey=True)) == pytest.approx(strength, rel=0.12)


@pytest.mark.parametrize("kind", ["16 bits", "floats", "transparent", "turned", "small", "long"])
def test_it_is_the_same_in_every_kind_of_picture(kind):
    values = with_noise(scene(), 10, grey=True)
    picture = Picture.from_array(rounded(values))
    if kind == "16 bits":
        picture = Picture.from_array(rounded(values, 16))
    elif kind == "floats":
        picture = Picture.from_array((values / 255).astype(np.float32))
    elif kind == "transparent":
        alpha = np.full(values.shape[:2], 255, np.uint8)
        alpha[:100] = 0
        picture = replace(picture, alpha=alpha)
    elif kind == "turned":
        picture = Picture.from_array(np.ascontiguousarray(rounded(values).swapaxes(0, 1)))
    elif kind == "small":
        picture = Picture.from_array(rounded(values[:128, 100:228]))
    else:
        picture = Picture.from_array(rounded(np.tile(values[100:148], (1, 20, 1))))
    assert noise_of(picture) == pytest.approx(10, rel=0.15)


def test_noise_of_light_and_what_a_fine_jpeg_file_leaves_of_noise_are_found():
    values = scene()
    of_light = np.random.default_rng(3).normal(0, 1, values.shape) * np.sqrt(values * 0.6)
    assert noise_in(values + of_light) > SHOWS_FROM
    file = io.BytesIO()
    Image.fromarray(rounded(with_noise(values, 10))).save(file, "JPEG", quality=97)
    assert noise_in(np.asarray(Image.open(file)).astype(float)) > SHOWS_FROM


@pytest.mark.parametrize("size", [(1, 1), (15, 400), (16, 16), (9, 9), (64, 64)])
def test_of_what_is_too_small_nothing_is_said(size):
    assert noise_in(with_noise(np.full((*size, 3), 120.0), 10)) == 0


def test_a_part_that_cannot_be_read_tells_nothing():
    whole = Picture.from_array(rounded(with_noise(scene(), 10, grey=True)))

    class Damaged(Picture):
        def stored(self, rect):
            if rect[1] < 100:
                raise ImageError("a part of it cannot be read")
            return super().stored(rect)

    assert noise_of(Damaged(whole.pixels)) == pytest.approx(10, rel=0.15)


@pytest.mark.parametrize("layout", [{"tile": (64, 64)}, {"rowsperstrip": 4}])
def test_of_a_large_tiff_a_small_part_is_read(tmp_path, monkeypatch, layout):
    path = tmp_path / "a.tif"
    large = np.tile(scene(256), (8, 8, 1))
    tifffile.imwrite(path, rounded(with_noise(large, 10, grey=True)), photometric="rgb", **layout)
    monkeypatch.setattr(lazy_tiff, "LAZY_FROM", 1)
    picture = open_picture(path)
    read = []
    made = picture._segment
    monkeypatch.setattr(picture, "_segment", lambda *at: read.append(at) or made(*at))
    assert noise_of(picture) == pytest.approx(10, rel=0.1)
    in_all = 32 * 32 if "tile" in layout else 2048 / 4
    assert 0 < len(set(read)) <= in_all / 8


# ---- what is none --------------------------------------------------------------------------------


def field_of_slope(slope, side=256, strength=25.0):
    """A texture as grass and sand are: as random as noise, but weaker towards high frequencies, by that power."""
    rng = np.random.default_rng(5)
    ys, xs = np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None]
    spectrum = np.fft.rfft2(rng.normal(0, 1, (side, side)))
    values = np.fft.irfft2(spectrum / np.maximum(np.hypot(ys, xs), 1 / side) ** slope)
    grey = 128 + strength * values / values.std()
    return np.repeat(grey[..., None], 3, 2) * np.float32([0.9, 1, 0.7])


def dithered(colours):
    image = Image.fromarray(rounded(scene()))
    made = image.quantize(palette=image.quantize(colours), dither=Image.Dither.FLOYDSTEINBERG)
    return np.asarray(made.convert("RGB"))


def ordered(levels):
    thresholds = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) / 16
    steps = 255 / (levels - 1)
    return np.floor(scene() / steps + np.tile(thresholds, (80, 80))[..., None]) * steps


def page(ground=255, ink=0):
    image = Image.new("RGB", (400, 320), (ground,) * 3)
    draw = ImageDraw.Draw(image)
    letters = np.random.default_rng(2).integers(33, 126, (22, 60))
    for row, line in enumerate(letters):
        text = "".join(chr(c) for c in line)
        draw.text((4, 14 * row), text, fill=(ink,) * 3, font=ImageFont.load_default(12))
    return np.asarray(image)


def halftone():
    ys, xs = np.mgrid[:320, :320]
    dots = (np.cos(1.3 * (xs + ys)) * np.cos(1.3 * (xs - ys)) + 1) / 2
    ink = np.clip((scene().mean(2) / 255 - dots) * 6 + 0.5, 0, 1) * 255
    return np.repeat(ink[..., None], 3, 2)


def stripes():
    ys, xs = np.mgrid[:320, :320]
    return np.repeat((128 + 30 * np.sin(2.1 * xs + 0.9 * ys))[..., None], 3, 2)


def photograph_on_a_page():
    """A noisy picture within a white page: what is drawn around it counts for more."""
    ground = np.full((400, 400, 3), 255.0)
    ground[30:200, 30:200] = with_noise(scene(170), 12)
    return ground


NO_NOISE = {
    "scene": scene,
    "weak noise": lambda: with_noise(scene(), 2.5),
    "weak grey noise": lambda: with_noise(scene(), 2, grey=True),
    "dithered slope": lambda: (
        scene() + np.random.default_rng(1).triangular(-1, 0, 1, (320, 320, 3))
    ),
    "flat": lambda: np.full((200, 200, 3), 128.0),
    "white": lambda: np.full((200, 200, 3), 255.0),
    "grass": lambda: field_of_slope(1.0),
    "sand": lambda: field_of_slope(0.8),
    "clouds": lambda: field_of_slope(2.0),
    "palette of 8": lambda: dithered(8),
    "palette of 64": lambda: dithered(64),
    "two levels": lambda: ordered(2),
    "eight levels": lambda: ordered(8),
    "random dots": lambda: (
        np.random.default_rng(1).integers(0, 2, (256, 256, 1)) * [200, 90, 40] + 20
    ),
    "random pixels": lambda: np.random.default_rng(1).integers(0, 256, (256, 256, 3)),
    "chequers": lambda: np.indices((256, 256)).sum(0)[..., None] % 2 * np.full(3, 120) + 60,
    "page": page,
    "grey page": lambda: page(230, 40),
    "halftone": halftone,
    "stripes": stripes,
    "columns": lambda: np.random.default_rng(1).normal(128, 9, (1, 320, 3)).repeat(320, 0),
    "photograph on a page": photograph_on_a_page,
}


@pytest.mark.parametrize("kind", NO_NOISE)
@pytest.mark.parametrize("quality", [None, 90, 60])
def test_other_pictures_are_not_taken_for_noisy(kind, quality):
    pixels = rounded(NO_NOISE[kind]())
    if quality is not None:
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "JPEG", quality=quality)
        pixels = np.asarray(Image.open(file))
    assert noise_of(Picture.from_array(pixels)) < SHOWS_FROM


def test_the_sample_picture_has_none():
    assert noise_of(open_picture(weights_path().parent / "sample.png")) < 1


# ---- what it decides -----------------------------------------------------------------------------


@pytest.fixture
def four_weights(tmp_path, monkeypatch):
    """Weights shipped under all four names: the same network, its colours a little apart."""
    pytest.importorskip("torch")
    shifts = {"light": 0.0, "base": 0.1, "jpeg": 0.2, "photo": 0.3}
    ship_copies(tmp_path, monkeypatch, shifts)


def save(path, noisy, **words):
    values = scene(160)
    Image.fromarray(rounded(with_noise(values, 12) if noisy else values)).save(path, **words)
    return path


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_the_weights_for_noise_are_taken_where_it_is_plain(four_weights, device):
    usual = "base" if device == "cuda" else "light"
    assert default_weights(device, None, SHOWS_FROM) == "photo"
    assert default_weights(device, None, SHOWS_FROM - 0.1) == usual
    weights_path("photo").unlink()
    assert default_weights(device, None, SHOWS_FROM) == usual


def test_files_are_drawn_by_the_weights_for_their_noise_and_arrays_by_the_usual_ones(
    tmp_path, four_weights, capsys
):
    from gaussian_core.builder import build_field
    from gaussian_core.field import GaussianField
    from viewer.cli import main

    noisy, clean = save(tmp_path / "noisy.png", True), save(tmp_path / "clean.png", False)
    coarse = save(tmp_path / "noisy.jpg", True, quality=40)

    def weights(image, **words):
        return build_field(image, device="cpu", **words).metadata["weights"]

    assert (weights(noisy), weights(clean), weights(coarse)) == ("photo", "light", "jpeg")
    assert weights(open_picture(noisy)) == "photo"
    assert weights(noisy, weights="light") == "light"
    assert weights(np.asarray(Image.open(noisy))) == "light", "whoever made it knows what it is"
    copy = reduced_copy(open_picture(noisy), 2)
    assert weights(copy) == "light", "it is measured as evaluate measures it"

    out = tmp_path / "field.safetensors"
    assert main(["build", str(noisy), str(out), "--device", "cpu"]) == 0
    assert GaussianField.open(out).metadata["weights"] == "photo"
    drawn = []
    for number, words in enumerate(([], ["--weights", "photo"], ["--weights", "light"])):
        target = tmp_path / f"{number}.png"
        common = ["--scale", "2", "--device", "cpu", *words]
        assert main(["render", str(noisy), str(target), *common]) == 0
        drawn.append(np.asarray(Image.open(target)))
    assert np.array_equal(drawn[0], drawn[1]) and not np.array_equal(drawn[0], drawn[2])


def is_within(crop, whole):
    height, width = crop.shape[:2]
    places = np.argwhere((whole == crop[0, 0]).all(2))
    return any(np.array_equal(whole[y : y + height, x : x + width], crop) for y, x in places)


def test_a_figure_is_of_the_weights_for_noise_and_evaluate_of_those_that_it_names(
    tmp_path, four_weights, capsys
):
    from viewer.cli import main

    noisy = save(tmp_path / "noisy.png", True)
    region = ["--region", "20,20,30,30", "--scale", "3"]
    target = tmp_path / "figure.png"
    assert main(["figure", str(noisy), str(target), *region, "--methods", "continuoussr"]) == 0
    figure = np.asarray(Image.open(target).convert("RGB"))
    for name in ("light", "photo"):
        crop = tmp_path / f"{name}.png"
        assert main(["render", str(noisy), str(crop), *region, "--weights", name]) == 0
        there = is_within(np.asarray(Image.open(crop).convert("RGB")), figure)
        assert there == (name == "photo")

    folder = tmp_path / "set"
    folder.mkdir()
    save(folder / "a.png", False)
    figures = tmp_path / "a.json"
    words = ["--methods", "continuoussr", "--scales", "2", "--noise", "20", "--device", "cpu"]
    assert main(["evaluate", str(folder), *words, "--json", str(figures)]) == 0
    assert '"weights": "light"' in figures.read_text()


def test_the_window_sees_a_noisy_file_by_the_weights_for_it_and_says_so(
    make_window, qtbot, tmp_path, four_weights
):
    noisy, clean = save(tmp_path / "b.png", True), save(tmp_path / "a.png", False)
    window = make_window(Settings())
    open_and_wait(qtbot, window, noisy)
    assert window.status.method.text == "ContinuousSR photo"
    card = dict(card_of(window.session.document).rows)
    assert card["Weights"].startswith("photo, ")
    assert card["Picture"] == "noise of about 8 levels of 255 in brightness"

    window.menus.actions["shipped.light"].trigger()
    wait_until_idle(qtbot, window, lambda: "light" in window.status.method.text)
    tile = next(iter(window.session.document.scene.tiles.values()))
    assert tile.metadata["weights"] == "light", "a choice is kept to"
    assert "Picture" not in dict(card_of(window.session.document).rows)

    window.menus.actions["shipped.auto"].trigger()
    wait_until_idle(qtbot, window, lambda: "photo" in window.status.method.text)
    open_and_wait(qtbot, window, clean)
    assert window.status.method.text == "ContinuousSR light"
    assert "Picture" not in dict(card_of(window.session.document).rows)


def test_a_step_through_the_folder_and_f5_decide_anew(make_window, qtbot, tmp_path, four_weights):
    folder = tmp_path / "pictures"
    folder.mkdir()
    save(folder / "a.png", False)
    save(folder / "b.png", True)
    window = make_window(Settings())
    open_and_wait(qtbot, window, folder / "a.png")
    assert window.status.method.text == "ContinuousSR light"
    window.menus.actions["file.next"].trigger()
    wait_until_idle(qtbot, window, lambda: window.session.document.name == "b.png")
    assert window.status.method.text == "ContinuousSR photo"

    before = window.session.document
    save(folder / "b.png", False)
    window.menus.actions["file.reload"].trigger()
    wait_until_idle(qtbot, window, lambda: window.session.document is not before)
    assert window.status.method.text == "ContinuousSR light"


def test_what_is_pasted_is_judged_as_a_file_is(make_window, qtbot, four_weights):
    from PySide6.QtGui import QGuiApplication, QImage

    pixels = rounded(with_noise(scene(160), 12))
    image = QImage(pixels.data, 160, 160, 480, QImage.Format.Format_RGB888).copy()
    window = make_window(Settings())
    QGuiApplication.clipboard().setImage(image)
    window.menus.actions["edit.paste"].trigger()
    wait_until_idle(qtbot, window, lambda: window.session.document is not None)
    assert window.status.method.text == "ContinuousSR photo"
