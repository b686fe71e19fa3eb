"""The figures: as an independent computation gives them, and as the weights' card says."""

from __future__ import annotations

import argparse
import json
import math
import re
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gaussian_core.errors import Cancelled, ImageError, OutputError, UserError
from gaussian_core.evaluation import command, memory, metrics, runner
from gaussian_core.evaluation.degradation import NONE, Degradation
from gaussian_core.evaluation.pairs import pair_of, pairs, reduced
from gaussian_core.evaluation.runner import evaluate
from gaussian_core.methods import METHODS, Options
from gaussian_core.models.card import read_card
from gaussian_core.models.config import shipped_weights, weights_path
from gaussian_core.picture_folders import pictures, set_names
from gaussian_core.writing.image_writer import write_image
from tests.shared_data import shared_path


def test_psnr_by_hand():
    truth = np.full((40, 40, 3), 100 / 255)
    result = truth.copy()
    result[20, 20] += 50 / 255
    got = metrics.score(result, truth, 2)
    n = 36 * 36
    assert got.psnr_rgb == pytest.approx(10 * math.log10(255**2 / (50**2 / n)))
    change = 50 / 255 * (65.481 + 128.553 + 24.966)
    assert got.psnr_y == pytest.approx(10 * math.log10(255**2 / (change**2 / n)))
    result[0, 0] = 1  # in the border
    assert metrics.score(result, truth, 2) == got
    result[2, 20] = 1  # in the border of a scale that is no whole number, and beyond that of 2
    assert (
        metrics.score(result, truth, 2.5).psnr_y
        > got.psnr_y - 1
        > metrics.score(result, truth, 2).psnr_y
    )
    assert metrics.score(truth, truth, 2).psnr_y == math.inf
    assert metrics.score(truth, truth, 2).ssim_y == pytest.approx(1)


def test_what_lies_between_two_levels_is_measured_as_the_level_that_files_have(tmp_path):
    between = np.repeat(np.arange(0.5, 255, dtype=np.float32) / 255, 3).reshape(1, -1, 3)
    write_image(tmp_path / "between.png", between)
    with Image.open(tmp_path / "between.png") as file:
        assert np.array_equal(metrics.to_8_bits(between) * 255, np.asarray(file))


@pytest.mark.parametrize("scale", [1.0, 1.5, 2, 3.6, 12])
def test_sizes_fit_at_any_scale(scale):
    low, high = reduced(np.zeros((97, 131, 3), np.uint8), scale)
    for small, large in zip(low.shape[:2], high.shape[:2], strict=True):
        assert abs(large - small * scale) <= 0.5


def folder(tmp_path):
    rng = np.random.default_rng(0)
    for name in "ab":
        pixels = rng.integers(0, 255, (6, 8, 3), np.uint8)
        Image.fromarray(pixels).resize((64, 48), Image.Resampling.BICUBIC).save(
            tmp_path / f"{name}.png"
        )
    return tmp_path


def test_the_command_prints_and_writes(tmp_path, capsys):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    words = [str(folder(tmp_path)), "--methods", "nearest,bicubic,kernel", "--scales", "1.5,2"]
    assert command.run(parser.parse_args([*words, "--json", str(tmp_path / "out.json")])) == 0
    rows = json.loads((tmp_path / "out.json").read_text())
    assert [(r["scale"], r["method"]) for r in rows] == [
        (s, m) for s in (1.5, 2.0) for m in ("nearest", "bicubic", "kernel")
    ]
    psnr = {(r["method"], r["scale"]): r["psnr_y"] for r in rows}
    assert psnr["bicubic", 2] > psnr["nearest", 2] + 1
    assert all(r["pictures"] == 2 and r["worst_y"] == min(r["each_y"].values()) for r in rows)
    assert "kernel" in capsys.readouterr().out


def test_pictures_of_one_name_in_other_formats_have_figures_of_their_own(tmp_path):
    Image.open(folder(tmp_path) / "a.png").transpose(Image.Transpose.ROTATE_90).save(
        tmp_path / "a.bmp"
    )
    (row,) = evaluate([tmp_path], ["bilinear"], [2.0])
    assert row.pictures == 3 and list(row.each_y) == ["a.bmp", "a.png", "b"]


def test_what_is_transparent_is_measured_on_white_as_a_figure_draws_it(tmp_path):
    """The colours that nobody sees decide nothing."""
    shown = np.full((24, 32, 4), 255, np.uint8)
    shown[4:20, 6:26, :3] = np.random.default_rng(0).integers(0, 255, (16, 20, 3))
    glass = shown.copy()
    glass[..., 3] = np.where(np.arange(32) < 20, 255, 0)
    glass[4:20, 10:14, 3] = 128
    mixed = shown[..., :3].astype(float)
    mixed[4:20, 10:14] = (mixed[4:20, 10:14] * 128 + 255 * 127) / 255
    mixed[:, 20:] = 255
    high, low, wanted = (tmp_path / name for name in ("high", "low", "wanted"))
    for place, pixels in (
        (high, glass),
        (low, glass[::2, ::2]),
        (wanted, np.rint(mixed).astype(np.uint8)),
    ):
        place.mkdir()
        Image.fromarray(pixels).save(place / "a.png")
    (pair,), (flat,) = pairs(high, 2), pairs(wanted, 2)
    np.testing.assert_allclose(pair.high, flat.high, atol=1.01 / 255)
    np.testing.assert_allclose(pair.low, flat.low, atol=2.01 / 255)
    (given,) = pairs(high, 2, low)
    np.testing.assert_array_equal(given.low, pair.high[::2, ::2])


def test_low_resolution_pictures_of_ones_own(tmp_path):
    high = folder(tmp_path)
    low = tmp_path / "low"
    low.mkdir()
    for name in "ab":
        Image.open(high / f"{name}.png").resize((32, 24), Image.Resampling.BICUBIC).save(
            low / f"{name}x2.png"
        )
    own, made = list(pairs(high, 2, low)), list(pairs(high, 2))
    for a, b in zip(own, made, strict=True):
        np.testing.assert_array_equal(a.low, b.low)
    with pytest.raises(ImageError):
        list(pairs(high, 3, low))


@pytest.mark.parametrize(
    ("high", "low"),
    [
        ("HR/0801.png", "LR/X2/0801x2.png"),  # DIV2K
        ("HR/baby.png", "LR/x2/baby.png"),
        ("HR/BABY.PNG", "LR/BABYx2.PNG"),
        ("HR/baby.Png", "LR/baby.Png"),
        ("HR/baby.Png", "LR/baby.TIF"),
        ("HR/img_001_SRF_2_HR.png", "LR/img_001_SRF_2_LR.png"),
        ("both/img_001_SRF_2_HR.png", "both/img_001_SRF_2_LR.png"),
        ("both/X2/baby.png", "both/X2/babyx2.png"),
        ("Set5/GTmod12/baby.png", "Set5/LRbicx2/baby.png"),
        ("2/Canon_001_HR.png", "2/Canon_001_LR2.png"),  # RealSR
    ],
)
def test_low_resolution_pictures_are_found_where_benchmarks_have_them(tmp_path, high, low):
    pixels = np.random.default_rng(0).integers(0, 256, (32, 24, 3), np.uint8)
    for name, kept in ((high, pixels), (low, pixels[::2, ::2])):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(kept).save(tmp_path / name)
    place = (tmp_path / high).parent
    found = tmp_path / low.split("/")[0]
    pair = pair_of(tmp_path / high, 2, low_folder=found)
    np.testing.assert_array_equal(np.round(pair.low * 255), pixels[::2, ::2])
    if "_HR" in high:
        assert [one.name for one in pairs(place, 2, found)] == [pair.name], "is one original"
        assert [one.name for one in pairs(place, 2)] == [pair.name]


def test_what_fills_no_pixel_of_a_low_resolution_picture_is_left_out_at_the_right_and_below(
    tmp_path,
):
    high = np.random.default_rng(0).integers(0, 256, (33, 25, 3), np.uint8)
    for place, pixels in (("HR", high), ("LR", high[:32:2, :24:2])):
        (tmp_path / place).mkdir()
        Image.fromarray(pixels).save(tmp_path / place / "a.png")
    pair = pair_of(tmp_path / "HR" / "a.png", 2, low_folder=tmp_path / "LR")
    np.testing.assert_array_equal(np.round(pair.high * 255), high[:32, :24])


def test_noise_is_white_in_each_channel_and_the_same_in_every_run():
    grey = np.full((200, 200, 3), 128, np.uint8)
    noisy, _ = Degradation(noise=10).apply(grey)
    noise = noisy.reshape(-1, 3) - 128.0
    assert noise.std(0) == pytest.approx([10] * 3, rel=0.03) and abs(noise.mean(0)).max() < 0.3
    assert abs(np.corrcoef(noise.T) - np.eye(3)).max() < 0.03
    np.testing.assert_array_equal(Degradation(noise=10).apply(grey)[0], noisy)


def test_what_other_methods_made_is_no_original(tmp_path):
    picture = Image.fromarray(np.zeros((16, 16, 3), np.uint8))
    for name in ("img_1_SRF_2_HR", "img_1_SRF_2_LR", "img_1_SRF_2_SRCNN", "img_10"):
        picture.save(tmp_path / f"{name}.png")
    for name in ("b_HR", "b_1", "c_LR"):  # beside no pair of their own
        picture.save(tmp_path / f"{name}.png")
    assert [pair.name for pair in pairs(tmp_path, 2)] == [
        *("b_1", "b_HR", "c_LR"),
        *("img_10", "img_1_SRF_2_HR"),
    ]


def test_what_cannot_be_evaluated_is_named(tmp_path):
    with pytest.raises(ImageError):
        list(evaluate([tmp_path / "none"], ["bicubic"], [2]))
    with pytest.raises(ImageError):
        list(evaluate([tmp_path], ["bicubic"], [2]))
    with pytest.raises(UserError, match="There is no method"):
        list(evaluate([tmp_path], ["magic"], [2]))


def test_bicubic_on_set5_is_the_literatures():
    row = next(evaluate([shared_path("data", "benchmark", "Set5")], ["bicubic"], [2]))
    assert row.psnr_y == pytest.approx(33.68, abs=0.05)
    assert row.ssim_y == pytest.approx(0.9304, abs=0.002)


@pytest.mark.parametrize("name", shipped_weights())
def test_the_shipped_figure_is_what_evaluate_prints(name):
    pytest.importorskip("torch")
    weights = weights_path(name)
    worse = {"jpeg": Degradation(jpeg=75), "photo": Degradation(noise=10)}.get(name, NONE)
    row = next(
        evaluate(
            [shared_path("data", "benchmark", "Set5")],
            ["continuoussr"],
            [2],
            options=Options("cpu"),
            weights=[weights],
            degradation=worse,
        )
    )
    key = f"Set5 {worse} x2" if worse else "Set5 x2"
    assert row.psnr_y == pytest.approx(read_card(weights).config.figures[key], abs=0.02)


def _words(*words):
    from viewer.cli import main

    return main(["evaluate", *(str(word) for word in words)])


def test_the_command_prints_the_tables_with_published_figures_beside(tmp_path, capsys):
    folder = tmp_path / "B100"
    folder.mkdir()
    noise = np.random.default_rng(0).integers(0, 255, (48, 52, 3), np.uint8)
    Image.fromarray(noise).save(folder / "a.png")
    out = tmp_path / "rows.json"
    assert (
        _words(folder, "--methods", "nearest,bicubic", "--scales", "2,3.3,48", "--json", out) == 0
    )
    said = capsys.readouterr().out
    assert re.search(r"B100, PSNR-Y +x2 +x3.3 +x48 +build ms +\+ N x ms +parameters", said)
    assert re.search(r"published: LIIF .*32\.17", said) and "IMDN" not in said  # it has no x2
    table = said[said.index("B100, PSNR-Y") :].splitlines()
    column = table[0].index(" x2") + 3  # where its figures end
    assert all(line[column - 5 : column].strip() == line[:column].split()[-1] for line in table)
    wanted = {"method", "dataset", "scale", "psnr_y", "psnr_rgb", "ssim_y", "build_ms", "render_ms"}
    rows = json.loads(out.read_text())
    assert len(rows) == 6 and all(wanted | {"peak_mb"} <= set(row) for row in rows)
    assert all(row["parameters"] == 0 for row in rows)


def test_sets_in_folders_of_one_name_are_told_apart(tmp_path, capsys, monkeypatch):
    folders = [tmp_path / name / "HR" for name in ("Set5", "Set14")]
    for number, place in enumerate(folders):
        place.mkdir(parents=True)
        noise = np.random.default_rng(number).integers(0, 255, (24, 26, 3), np.uint8)
        Image.fromarray(noise).save(place / "a.png")
    out = tmp_path / "rows.json"
    words = ("--methods", "bicubic", "--scales", "2,4", "--json", out)
    assert _words(*folders, *words) == 0
    rows = json.loads(out.read_text())
    assert [row["dataset"] for row in rows] == 2 * ["Set5/HR"] + 2 * ["Set14/HR"]
    said = capsys.readouterr().out
    assert "Set5/HR, PSNR-Y" in said and "Set14/HR, PSNR-Y" in said
    assert said.count("published: IMDN") == 1, "of Set5 alone something is published"
    monkeypatch.chdir(folders[0])
    assert _words(".", *words) == 0
    assert [row["dataset"] for row in json.loads(out.read_text())] == ["HR", "HR"]


def test_a_set_is_called_by_no_more_of_its_path_than_tells_it_from_the_others():
    a, b, c = Path("/data/Set5/HR"), Path("/data/Set14/HR"), Path("/more/Set14/HR")
    assert set_names([a, Path("/data/B100"), a]) == ["HR", "B100", "HR"]
    assert set_names([a, b]) == ["Set5/HR", "Set14/HR"]
    assert set_names([a, b, c]) == ["Set5/HR", str(b.absolute()), str(c.absolute())]
    assert set_names([Path("/")]) == [str(Path("/").absolute())]


def test_what_is_named_twice_is_measured_once(tmp_path, capsys):
    file = tmp_path / "figures.json"
    words = ("--methods", "bicubic, bicubic,nearest", "--scales", "2,2.0,3", "--json", file)
    assert _words(folder(tmp_path), *words) == 0
    rows = [(row["scale"], row["method"]) for row in json.loads(file.read_text())]
    assert rows == [(scale, name) for scale in (2, 3) for name in ("bicubic", "nearest")]


def test_many_scales_of_one_picture_are_one_build(tmp_path, capsys):
    folder = tmp_path / "set"
    folder.mkdir()
    noise = np.random.default_rng(0).integers(0, 255, (48, 52, 3), np.uint8)
    Image.fromarray(noise).save(folder / "a.png")
    out = tmp_path / "rows.json"
    assert _words(folder, "--many", "5", "--methods", "bicubic,kernel", "--json", out) == 0
    rows = json.loads(out.read_text())
    assert [row["method"] for row in rows] == ["bicubic", "kernel"]
    for row in rows:
        assert row["total"] == pytest.approx(row["build"] + 5 * row["render"])
    assert "5 scales of a, x1.1 to x4" in capsys.readouterr().out
    assert _words(folder, "--many", "2", "--methods", "bicubic", "--scales", "2,8") == 0
    assert "2 scales of a, x2 to x8" in capsys.readouterr().out
    assert _words(folder, "--many", "2", "--methods", "bicubic", "--scales", "0.01,0.02") == 0
    assert _words(folder, "--many", "0") == 1


def test_times_are_those_of_a_picture_and_of_a_scale(tmp_path, monkeypatch):
    class Slow:
        notes, learned = (), 0

        def encode(self, stop=None):
            time.sleep(0.02)

        def draw(self, viewport, stop=None):
            time.sleep(0.05)
            return np.zeros((*viewport.size[::-1], 3), np.float32)

    monkeypatch.setattr(runner, "open_drawing", lambda *_: Slow())
    monkeypatch.setattr(runner, "model_size", lambda drawing: 0)
    began = time.perf_counter()
    (row,) = evaluate([folder(tmp_path)], ["bicubic"], [2])
    spent = 1e3 * (time.perf_counter() - began)
    assert row.build_ms >= 20 and row.render_ms >= 50
    assert row.pictures * (row.build_ms + row.render_ms) < spent
    began = time.perf_counter()
    (many,) = runner.many_scales(tmp_path, ["bicubic"], 6, least=2, most=3)
    assert many.build >= 0.02 and many.render >= 0.05
    assert many.total < time.perf_counter() - began


def test_a_stop_is_heard_in_the_drawing_that_is_not_timed(tmp_path, monkeypatch):
    """It takes as long as any other: by LIIF, of a large picture, minutes."""
    drawn = []

    class Noted:
        def draw(self, viewport, stop=None):
            if stop is not None and stop():
                raise Cancelled("stopped")
            drawn.append(viewport)

        def encode(self, stop=None):
            raise Cancelled("stopped")

    monkeypatch.setattr(runner, "open_drawing", lambda *_: Noted())
    with pytest.raises(Cancelled):
        next(
            runner.many_scales(folder(tmp_path), ["bicubic"], 2, least=2, most=3, stop=lambda: True)
        )
    assert drawn == []


def test_each_file_of_weights_goes_to_its_method(tmp_path, capsys):
    pytest.importorskip("torch")
    folder = tmp_path / "set"
    folder.mkdir()
    noise = np.random.default_rng(0).integers(0, 255, (24, 26, 3), np.uint8)
    Image.fromarray(noise).save(folder / "a.png")
    light, liif = METHODS["continuoussr"].shipped, METHODS["liif"].shipped
    out = tmp_path / "rows.json"
    words = (folder, "--scales", "2", "--weights", light, "--weights", liif)
    assert _words(*words, "--json", out) == 0
    assert [row["method"] for row in json.loads(out.read_text())] == [
        "bicubic",
        "continuoussr",
        "liif",
    ]
    capsys.readouterr()
    assert _words(*words, "--methods", "liif") == 1
    said = capsys.readouterr()
    assert "holds weights of continuoussr, not of liif" in said.err and not said.out
    assert _words(folder, "--weights", light, "--weights", light) == 1
    assert "one for each method" in capsys.readouterr().err


def test_which_weights_were_measured_is_said(tmp_path, capsys):
    pytest.importorskip("torch")
    out = tmp_path / "rows.json"
    words = (folder(tmp_path), "--scales", "2", "--device", "cpu", "--json", out)
    methods = ("--methods", "bicubic,kernel,continuoussr,liif")
    assert _words(*words, *methods) == 0
    assert [row["weights"] for row in json.loads(out.read_text())] == [
        "",
        "",
        "light",
        "liif-light",
    ]
    said = capsys.readouterr().out
    assert re.search(r"^continuoussr \(light\) +\d", said, re.MULTILINE)
    assert re.search(r"^bicubic +\d", said, re.MULTILINE)
    assert _words(*words, "--methods", "continuoussr", "--jpeg", "60") == 0
    assert json.loads(out.read_text())[0]["weights"] == "jpeg"
    assert "continuoussr (jpeg)" in capsys.readouterr().out
    assert _words(tmp_path, "--many", "2", "--device", "cpu", "--methods", "continuoussr") == 0
    assert "continuoussr (light)" in capsys.readouterr().out


def test_memory_is_measured_in_processes_of_their_own(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "random.py").write_text("raise SystemExit('not the library')\n")
    folder = Path("set")
    folder.mkdir()
    Image.fromarray(np.zeros((24, 20, 3), np.uint8)).save(folder / "a.png")
    assert _words(folder, "--memory", "--methods", "nearest", "--scales", "4,16") == 0
    said = capsys.readouterr().out
    assert re.search(r"nearest +\d+ +\d+", said)
    json = tmp_path / "peaks.json"
    words = ("--memory", "--methods", "nearest,continuoussr", "--scales", "2")
    assert _words(folder, *words, "--weights", "base", "--json", str(json)) == 0
    said = capsys.readouterr().out
    assert re.search(r"nearest +\d+\n", said)
    assert re.search(r"continuoussr \(base\) +\d+", said)
    assert '"weights": "base"' in json.read_text()
    (folder / "a.png").write_bytes(b"no picture")
    assert _words(folder, "--memory", "--methods", "nearest", "--scales", "4") == 1
    assert "could not be measured" in capsys.readouterr().err


def test_memory_does_not_grow_with_the_scale(tmp_path):
    """Of the same picture, to the feature map: the build is the same, and strips are as large at any scale."""
    picture = tmp_path / "a.png"
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 255, (280, 300, 3), np.uint8)).save(picture)
    scales = (8.0, 24.0)
    options = Options("cpu")
    peaks = [memory.peak_memory(picture, "continuoussr", scale, options)[0] for scale in scales]
    assert None not in peaks
    # All of it at the larger scale would be 145 MB; how the threads fall in with each other is up to 25.
    assert max(peaks) < 1.15 * min(peaks)


def test_memory_is_measured_of_what_was_asked_for(tmp_path, monkeypatch):
    asked = []

    def run(words, **_):
        asked.append([str(word) for word in words])
        return subprocess.CompletedProcess(words, 0, "7.5\n\n", "")

    monkeypatch.setattr(subprocess, "run", run)
    weights = tmp_path / "w.pth"
    options = Options(precision="bfloat16", weights=weights)
    assert memory.peak_memory(tmp_path / "a.png", "liif", 4.0, options) == (7.5, "")
    assert memory.peak_memory(tmp_path / "a.png", "nearest", 4.0, Options()) == (7.5, "")
    assert [words[-4:] for words in asked] == [
        ["liif", "4.0", "bfloat16", str(weights)],
        [str(tmp_path / "a.png"), "nearest", "4.0", "float32"],
    ]


def test_the_shipped_gaussians_lie_along_the_edges():
    """On an edge in any direction most of them are visibly longer along it than across."""
    from gaussian_core.builder import build_field

    y, x = np.mgrid[0:48, 0:48] - 23.5
    for degrees in (0, 30, 60, 90, 135):
        t = np.radians(degrees)
        across = -x * np.sin(t) + y * np.cos(t)  # pixels from the edge, which runs along `degrees`
        grey = 0.25 + 0.5 / (1 + np.exp(-4 * across))
        field = build_field(np.repeat(grey[..., None], 3, 2).astype(np.float32), device="cpu")
        mx, my = field.means.astype(float).T - 24
        near = (np.abs(-mx * np.sin(t) + my * np.cos(t)) < 1.5) & (np.hypot(mx, my) < 16)
        xx, xy, yy = field.covariances[near].astype(float).T
        c, s = np.cos(t), np.sin(t)
        along = c * c * xx + 2 * c * s * xy + s * s * yy
        over = s * s * xx - 2 * c * s * xy + c * c * yy
        assert np.median(np.sqrt(along / over)) > 1.5


def _refused(capsys, *words):
    """The line that is said instead of measuring."""
    assert _words(*words) == 1
    said = capsys.readouterr()
    assert not said.out and said.err.count("\n") == 1
    return said.err


def test_all_that_is_asked_for_is_looked_at_before_anything_is_measured(tmp_path, capsys):
    high, low = folder(tmp_path), tmp_path / "low"
    for words, wanted in (
        ((high, tmp_path / "none"), "There is no folder"),
        ((high, high / "a.png"), "is a file: a folder of pictures is wanted"),
        ((high, "--methods", "bicubic,magic"), "There is no method 'magic'"),
        ((high, "--methods", ""), "--methods names none"),
        ((high, "--low", low), "There is no folder"),
    ):
        assert wanted in _refused(capsys, *words)
    low.mkdir()
    for name, size in (("a", (32, 24)), ("b", (9, 9))):
        Image.new("RGB", size).save(low / f"{name}.png")
    assert "b.png is not 2 times" in _refused(capsys, high, "--low", low, "--scales", "2")
    (low / "b.png").unlink()
    assert "picture for b.png" in _refused(capsys, high, "--low", low, "--scales", "2")
    with pytest.raises(SystemExit):
        _words(high, "--device", "foo")
    assert "'foo'" in capsys.readouterr().err


@pytest.mark.parametrize("way", ["--many 3", "--memory"])
def test_what_would_be_ignored_is_refused(tmp_path, capsys, way):
    for other in ("--limit 1", "--perceptual lpips", f"--low {tmp_path}"):
        line = _refused(capsys, tmp_path, *way.split(), *other.split())
        assert other.split()[0] in line and way.split()[0] in line
    assert "--memory" in _refused(capsys, tmp_path, "--many", "3", "--memory")
    assert "name one FOLDER" in _refused(capsys, tmp_path, tmp_path, *way.split())


def test_a_broken_picture_is_left_out_and_the_status_says_so(tmp_path, capsys):
    out = tmp_path / "rows.json"
    words = (folder(tmp_path), "--methods", "nearest,bicubic", "--scales", "2", "--json", out)
    assert _words(*words) == 0
    alone = json.loads(out.read_text())
    capsys.readouterr()
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "aa.png").write_bytes(whole[: len(whole) // 2])
    assert _words(*words) == 1
    said = capsys.readouterr()
    assert said.err.count("aa.png") == 1 and "warning: left out" in said.err
    assert "1 of the pictures could not be read" in said.err
    rows = json.loads(out.read_text())
    assert [row["psnr_y"] for row in rows] == [row["psnr_y"] for row in alone]
    assert "PSNR-Y" in said.out
    for path in tmp_path.glob("*.png"):
        path.write_bytes(b"no picture")
    assert _words(*words) == 1
    assert "no picture that can be read" in capsys.readouterr().err


def test_folders_are_of_all_kinds_of_pictures_that_the_window_opens(tmp_path):
    page = Image.fromarray(np.arange(48 * 48 * 3, dtype=np.uint8).reshape(48, 48, 3))
    for name in ("a.png", "b.ppm", "c.qoi", "d.gif"):
        page.save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no picture")
    assert [path.name for path in pictures(tmp_path)] == ["a.png", "b.ppm", "c.qoi", "d.gif"]
    (row,) = evaluate([tmp_path], ["bicubic"], [2.0])
    assert len(row.each_y) == 4


def test_what_is_interrupted_keeps_the_rows_that_are_done(tmp_path, capsys, monkeypatch):
    out = tmp_path / "rows.json"
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    words = [str(folder(tmp_path)), "--methods", "nearest,bicubic", "--scales", "2"]
    options = parser.parse_args([*words, "--json", str(out)])
    begun = set()
    enlarge = runner.enlarge

    def noted(pair, method, *arguments):
        begun.add(method)
        return enlarge(pair, method, *arguments)

    monkeypatch.setattr(runner, "enlarge", noted)
    assert command.run(options, lambda: "bicubic" in begun) == 130
    assert [row["method"] for row in json.loads(out.read_text())] == ["nearest"]
    said = capsys.readouterr()
    assert "parameters" in said.out and "interrupted: 1 of 2 measurements were done" in said.err
    options.json = tmp_path / "none.json"
    assert command.run(options, lambda: True) == 130
    assert "interrupted: 0 of 2" in capsys.readouterr().err and not options.json.exists()


def test_a_full_disk_takes_the_file_and_leaves_the_figures(tmp_path, capsys, monkeypatch):
    def full(path, text):
        raise OutputError(f"Cannot write {path}: No space left on device.")

    monkeypatch.setattr("gaussian_core.writing.atomic.atomic_write", full)
    words = ("--methods", "bicubic", "--scales", "2", "--json", tmp_path / "rows.json")
    assert _words(folder(tmp_path), *words) == 1
    said = capsys.readouterr()
    assert "parameters" in said.out and "No space left on device" in said.err


def test_exact_and_tiny_pictures_do_not_decide_the_mean(tmp_path, capsys):
    out = tmp_path / "rows.json"
    words = (folder(tmp_path), "--methods", "bicubic", "--scales", "2", "--json", out)
    assert _words(*words) == 0
    (alone,) = json.loads(out.read_text())
    Image.new("RGB", (1, 1)).save(tmp_path / "one.png")
    Image.new("RGB", (40, 40), (9, 9, 9)).save(tmp_path / "flat.png")
    capsys.readouterr()
    assert _words(*words) == 0
    said = capsys.readouterr()
    text = out.read_text()
    (row,) = json.loads(text, parse_constant=pytest.fail)
    assert row["psnr_y"] == alone["psnr_y"] and row["worst_y"] == alone["worst_y"]
    assert row["left_out"] == {"psnr_y": 2, "psnr_rgb": 2, "ssim_y": 1, "ssim_rgb": 1}
    assert row["each_y"]["flat"] is None and 0 < row["ssim_y"] < 1
    assert "left out of 4: psnr_y 2" in said.out and "no finite PSNR" in said.err
    for name in "ab":
        (tmp_path / f"{name}.png").unlink()
    assert _words(*words) == 0
    (row,) = json.loads(out.read_text(), parse_constant=pytest.fail)
    assert row["psnr_y"] is None and "nan" not in capsys.readouterr().out
