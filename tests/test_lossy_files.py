"""Lossy files: what is lost is read, and where it shows it decides by which weights they are seen."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image, ImageDraw

from gaussian_core.evaluation.degradation import Degradation
from gaussian_core.images import open_picture
from gaussian_core.imaging.losses import Losses, losses_of
from gaussian_core.pyramid.reduced_copy import reduced_copy
from gaussian_core.resource_files import RESOURCES
from tests.shipped_copies import ship_copies
from tests.window_helpers import open_and_wait, wait_until_idle
from viewer.model.documents.field_card import card_of
from viewer.model.settings import Settings


def photograph(side=200):
    image = Image.open(RESOURCES / "sample.png").convert("RGB")
    return image.crop((380, 300, 380 + side, 300 + side))


@pytest.mark.parametrize("quality", [20, 50, 75, 89, 90, 92, 95, 98])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_the_quality_of_a_file_is_what_it_was_saved_at(tmp_path, quality, mode):
    path = tmp_path / "a.jpg"
    photograph(64).convert(mode).save(path, quality=quality)
    losses = open_picture(path).losses
    assert losses.format == "JPEG" and losses.quality == pytest.approx(quality, abs=1)


def test_tables_that_are_not_libjpegs_are_of_the_quality_that_they_are_as_coarse_as(tmp_path):
    path = tmp_path / "a.jpg"
    flat = [
        2
    ] * 64  # coarser than quality 98 in the lowest frequencies, finer than 95 in all others
    photograph(64).save(path, qtables=[flat, flat])
    assert 95 < open_picture(path).losses.quality < 100


@pytest.mark.parametrize("kind", ["png", "tif", "bmp", "gif"])
def test_files_without_losses_have_none(tmp_path, kind):
    path = tmp_path / f"a.{kind}"
    photograph(64).save(path)
    assert open_picture(path).losses is None


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("profile", [None, b"x" * 131])
def test_a_webp_file_with_losses_is_told_from_one_without(tmp_path, alpha, frames, profile):
    """By itself, with chunks before the picture (alpha, an odd profile), as a frame of an animation."""
    image = photograph(64)
    if alpha:
        image.putalpha(Image.linear_gradient("L").resize((64, 64)))
    words = {"icc_profile": profile} if profile else {}
    if frames > 1:
        others = [image.transpose(Image.Transpose.ROTATE_90), image.rotate(30)]
        words |= {"save_all": True, "append_images": others}
    image.save(tmp_path / "some.webp", quality=80, **words)
    image.save(tmp_path / "none.webp", lossless=True, **words)
    assert open_picture(tmp_path / "some.webp").losses == Losses("lossy WebP")
    assert open_picture(tmp_path / "none.webp").losses is None


def test_an_avif_file_has_some(tmp_path):
    photograph(64).save(tmp_path / "a.avif")
    losses = open_picture(tmp_path / "a.avif").losses
    assert losses == Losses("AVIF") and str(losses) == "AVIF file"


def test_a_reduced_copy_has_none_any_more(tmp_path):
    photograph(64).save(tmp_path / "a.jpg", quality=50)
    picture = open_picture(tmp_path / "a.jpg")
    assert picture.losses.quality == 50
    assert reduced_copy(picture, 4).losses is None


@pytest.fixture
def three_weights(tmp_path, monkeypatch):
    """Weights shipped under all three names: the same network, its colours a little apart."""
    pytest.importorskip("torch")
    ship_copies(tmp_path, monkeypatch, {"light": 0.0, "base": 0.1, "jpeg": 0.2})


@pytest.mark.parametrize(
    ("device", "losses", "name"),
    [
        ("cpu", None, "light"),
        ("cuda", None, "base"),
        ("cpu", 75, "jpeg"),
        ("cuda", 75, "jpeg"),
        ("cpu", 97, "light"),
        ("cuda", 97, "base"),
        ("cpu", Losses("lossy WebP"), "jpeg"),
        ("cuda", Losses("AVIF"), "jpeg"),
    ],
)
def test_the_weights_of_a_device_and_a_file(three_weights, device, losses, name):
    from gaussian_core.models.config import default_weights, weights_path

    losses = Losses("JPEG", losses) if isinstance(losses, int) else losses
    assert default_weights(device, losses) == name
    weights_path("jpeg").unlink()
    assert default_weights(device, losses) == ("base" if device == "cuda" else "light")


def test_the_window_sees_a_coarse_file_by_the_weights_for_such_and_says_so(
    make_window, qtbot, tmp_path, three_weights
):
    for quality in (60, 98):
        photograph().save(tmp_path / f"{quality}.jpg", quality=quality)
    window = make_window(Settings())
    open_and_wait(qtbot, window, tmp_path / "60.jpg")
    assert window.status.method.text == "ContinuousSR jpeg"
    card = dict(card_of(window.session.document).rows)
    assert card["Weights"].startswith("jpeg, ") and "quality 60" in card["Picture"]
    open_and_wait(qtbot, window, tmp_path / "98.jpg")
    assert window.status.method.text == "ContinuousSR light"
    open_and_wait(qtbot, window, tmp_path / "60.jpg")
    window.menus.actions["shipped.light"].trigger()
    wait_until_idle(qtbot, window, lambda: "light" in window.status.method.text)
    tile = next(iter(window.session.document.scene.tiles.values()))
    assert tile.metadata["weights"] == "light", "a choice is kept to"


def test_files_are_drawn_by_the_weights_that_the_window_takes(tmp_path, three_weights, capsys):
    from gaussian_core.builder import build_field
    from gaussian_core.field import GaussianField
    from viewer.cli import main

    path = tmp_path / "a.jpg"
    photograph(40).save(path, quality=60)
    assert build_field(path, device="cpu").metadata["weights"] == "jpeg"
    out = tmp_path / "a-field.safetensors"
    assert main(["build", str(path), str(out), "--device", "cpu"]) == 0
    assert GaussianField.open(out).metadata["weights"] == "jpeg"
    assert main(["build", str(path), str(out), "--device", "cpu", "--weights", "light"]) == 0
    assert GaussianField.open(out).metadata["weights"] == "light"


# ---- measuring ---------------------------------------------------------------------------------


def evaluated(*words):
    from viewer.cli import main

    return main(["evaluate", *(str(word) for word in words)])


def test_enlargements_of_spoilt_pictures_are_measured(tmp_path, capsys):
    folder = tmp_path / "B100"
    folder.mkdir()
    photograph().save(folder / "a.png")
    common = (folder, "--methods", "bicubic", "--scales", "2")
    assert evaluated(*common) == 0
    clean = capsys.readouterr().out
    assert evaluated(*common, "--jpeg", "30") == 0
    coarse = capsys.readouterr().out
    assert "B100, JPEG 30, PSNR-Y" in coarse
    assert "published" in clean and "published" not in coarse, "those are not of such files"

    def psnr(text):
        return float(next(line for line in text.splitlines() if " bicubic " in line).split()[3])

    assert psnr(coarse) < psnr(clean) - 0.5
    figures = tmp_path / "a.json"
    assert evaluated(*common, "--noise", "20", "--webp", "30", "--json", figures) == 0
    noisy = capsys.readouterr().out
    assert "B100, noise 20, WebP 30, PSNR-Y" in noisy and psnr(noisy) < psnr(clean) - 1
    row = json.loads(figures.read_text())[0]
    assert row["degradation"] == {"noise": 20.0, "jpeg": None, "webp": 30}
    assert row["psnr_y"] == pytest.approx(psnr(noisy), abs=0.01), "the same noise in every run"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--jpeg", "0"), "between 1 and 100"),
        (("--jpeg", "101"), "between 1 and 100"),
        (("--webp", "0"), "between 1 and 100"),
        (("--noise", "0"), "more than 0"),
        (("--noise", "nan"), "more than 0"),
        (("--noise", "5", "--low", "."), "--noise is for the pictures that are made here"),
        (("--noise", "5", "--memory"), "--noise does not go with --memory"),
        (("--jpeg", "75", "--low", "."), "--jpeg is for the pictures that are made here"),
        (("--jpeg", "75", "--many", "3"), "--jpeg does not go with --many"),
    ],
)
def test_what_cannot_be_measured_is_refused(tmp_path, capsys, words, said):
    photograph(64).save(tmp_path / "a.png")
    assert evaluated(tmp_path, *words) != 0
    assert said in capsys.readouterr().err


def test_low_resolution_files_that_are_jpegs_are_seen_as_such(tmp_path, three_weights, monkeypatch):
    from gaussian_core.evaluation.pairs import pair_of

    high, low = tmp_path / "high", tmp_path / "low"
    high.mkdir()
    low.mkdir()
    photograph(80).save(high / "a.png")
    photograph(80).resize((40, 40), Image.Resampling.BICUBIC).save(low / "a.jpg", quality=70)
    assert pair_of(high / "a.png", 2.0, low).losses.quality == 70
    assert pair_of(high / "a.png", 2.0).losses is None


def test_quality_survives_the_phone_format_of_several_pictures(tmp_path):
    path = tmp_path / "a.jpg"
    first = photograph(64)
    first.save(path, "MPO", save_all=True, append_images=[first.resize((16, 16))], quality=60)
    with Image.open(path) as image:
        assert image.format == "MPO"
    assert open_picture(path).losses.quality == 60


def test_a_file_in_memory_gives_the_same_as_one_on_disk():
    file = io.BytesIO()
    photograph(64).save(file, "JPEG", quality=80)
    with Image.open(file) as image:
        assert losses_of(image, file) == Losses("JPEG", 80)


# ---- the weights that ship ---------------------------------------------------------------------


def scenery(side=400, finer=4):
    """Slopes of colour with discs and lines on them, drawn large and made smaller: edges as a lens leaves them."""
    rng = np.random.default_rng(7)
    across = np.linspace(0, 1, side * finer)[None, :, None]
    slope = np.float32([90, 120, 160]) + across * np.float32([80, 40, -60])
    image = Image.fromarray(np.repeat(slope, side * finer, 0).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for number in range(90):
        x, y, *colour = (int(v) for v in rng.integers(0, (side * finer,) * 2 + (255,) * 3))
        reach = int(rng.integers(10, 120)) * finer // 2
        if number % 2:
            draw.ellipse((x, y, x + reach, y + reach), fill=tuple(colour))
        else:
            end = (x + int(rng.integers(-reach, reach)), y + reach)
            draw.line(((x, y), end), fill=tuple(colour), width=int(rng.integers(1, 5)) * finer)
    return image.resize((side, side), Image.Resampling.BOX)


@pytest.mark.parametrize("scale", [2.0, 4.0])
@pytest.mark.parametrize(
    ("name", "worse", "gain"),
    [
        ("jpeg", Degradation(jpeg=50), 1.0),
        ("jpeg", Degradation(jpeg=75), 1.5),
        ("jpeg", Degradation(jpeg=88), 1.5),
        ("jpeg", Degradation(webp=75), 0.5),
        ("photo", Degradation(webp=75), 0.5),
        ("photo", Degradation(noise=5), 1.0),
        ("photo", Degradation(noise=12), 1.5),
        ("photo", Degradation(noise=6, jpeg=95), 1.0),
    ],
    ids=str,
)
def test_worse_pictures_are_enlarged_nearer_to_what_they_were_made_of(scale, name, worse, gain):
    """Than by the weights for pictures without losses, and than by bicubic interpolation: of a drawing, reduced, with
    noise or saved."""
    pytest.importorskip("torch")
    from gaussian_core.evaluation.metrics import score
    from gaussian_core.evaluation.pairs import Pair, reduced
    from gaussian_core.evaluation.runner import enlarge
    from gaussian_core.methods import Options
    from gaussian_core.models.config import weights_path

    low, high = reduced(np.asarray(scenery()), scale)
    low, losses = worse.apply(low)
    pair = Pair("a", low / np.float32(255), high / np.float32(255), losses)

    def psnr(method, weights=None):
        made = enlarge(pair, method, Options("cpu", weights=weights))
        return score(made.pixels, pair.high, scale).psnr_y

    chosen = psnr("continuoussr", weights_path(name))
    if name == "jpeg":
        assert chosen == psnr("continuoussr"), "nobody needs to ask for them"
    assert chosen > psnr("continuoussr", weights_path("light")) + gain
    assert chosen > psnr("bicubic") + gain


@pytest.mark.parametrize(
    ("name", "worse"), [("jpeg", Degradation(jpeg=60)), ("photo", Degradation(noise=8))], ids=str
)
def test_flat_areas_beside_an_edge_come_out_flat(name, worse):
    """Where a coder leaves ringing and a camera noise, which is what one sees first."""
    pytest.importorskip("torch")
    from gaussian_core.builder import build_field
    from gaussian_core.models.config import weights_path
    from gaussian_core.rasterizer import rasterize
    from gaussian_core.viewport import Viewport

    drawn = np.full((96, 96, 3), 200, np.uint8)
    ys, xs = np.mgrid[:96, :96]
    drawn[np.hypot(ys - 48, xs - 48) < 30] = (60, 40, 90)
    pixels = worse.apply(drawn)[0] / np.float32(255)
    view = Viewport.whole((96, 96), 3.0)
    away = np.hypot(*(np.mgrid[:288, :288] - 143.5)) / 3
    ground = (away > 33) & (away < 42)

    def rough(name):
        field = build_field(pixels, device="cpu", weights=weights_path(name))
        return float(rasterize(field, view)[ground].std(axis=0).mean())

    assert rough(name) < rough("light") / 3
