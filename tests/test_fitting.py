"""Fitting: its passes against the reference rasterizer and automatic differentiation, and what it reaches."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from gaussian_core import GaussianField, Viewport, rasterize
from gaussian_core.errors import Cancelled, ImageError
from gaussian_core.fitting import Fit, FitOptions, kernels
from gaussian_core.imaging.picture import Picture
from gaussian_core.methods import open_drawing
from viewer.cli import main


def picture(height, width, seed=0):
    ys, xs = np.mgrid[:height, :width]
    waves = [0.5 + 0.3 * np.sin(xs / 3 + k) * np.cos(ys / 4 - k) for k in range(3)]
    image = np.stack(waves, -1) + 0.15 * (xs > width / 2)[..., None]
    return (image + 0.02 * np.random.default_rng(seed).random((height, width, 3))).astype(
        np.float32
    )


def scattered(height, width, seed=1, channels=3):
    """A fit whose Gaussians lie anywhere, in all shapes, also over the borders."""
    image = picture(height, width)
    image = np.concatenate([image, image[..., :1]], 2)[..., :channels]
    fit = Fit(image, FitOptions(gaussians_per_pixel=0.3))
    rng = np.random.default_rng(seed)
    n = len(fit)
    fit.params[0], fit.params[1] = rng.random(n) * width, rng.random(n) * height
    fit.params[2:5] = rng.normal(0, 0.8, (3, n))
    fit.params[5:] = rng.normal(0, 0.4, (channels, n))
    return fit


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("size", [(1, 1), (5, 33), (37, 70), (64, 3)], ids=str)
def test_what_is_drawn_is_the_field_at_100_percent(size, channels):
    fit = scattered(*size, channels=channels)
    drawn = fit._draw(None).copy()
    wanted = rasterize(fit.field(), Viewport((0, 0), 1.0, (size[1], size[0])), backend="reference")
    # The reference drops nothing, the fit what is below 1/512.
    np.testing.assert_allclose(drawn, wanted, atol=0.01)


@pytest.mark.parametrize("channels", [3, 4])
def test_gradients_are_those_of_automatic_differentiation(channels):
    torch = pytest.importorskip("torch")
    fit = scattered(13, 17, channels=channels)
    residual = fit._draw(None) - fit.image
    alpha = residual[..., 3] if channels == 4 else None
    out = np.zeros_like(fit.params)
    kernels.gradients_of(fit.params, fit.floor, 0, len(fit), residual, alpha, out)
    amplitudes = np.zeros((channels, len(fit)), np.float32)
    kernels.amplitude_gradients(fit.params, fit.floor, 0, len(fit), residual, alpha, amplitudes)
    np.testing.assert_allclose(amplitudes, out[5:], atol=1e-4)
    p = torch.from_numpy(fit.params.astype(np.float64)).requires_grad_()
    x, y, l11, l21, l22 = p[:5]
    ys, xs = torch.meshgrid(torch.arange(13) + 0.5, torch.arange(17) + 0.5, indexing="ij")
    dx, dy = xs[..., None] - x, ys[..., None] - y
    floor = float(fit.floor)
    xx, xy, yy = l11**2 + floor, l11 * l21, l21**2 + l22**2 + floor
    q = (yy * dx**2 - 2 * xy * dx * dy + xx * dy**2) / (xx * yy - xy**2)
    seen = (torch.exp(-q / 2) * (q < float(kernels.CUT))) @ p[5:].T
    (seen - torch.from_numpy(fit.image.astype(np.float64))).square().sum().div(2).backward()
    wanted = p.grad.numpy()
    for k in range(5 + channels):
        assert np.abs(out[k] - wanted[k]).max() < 1e-3 * np.abs(wanted[k]).max() + 1e-5


def test_a_picture_is_reached_and_the_field_shows_it():
    image = picture(48, 60)
    fit = Fit(image, FitOptions(steps=80))
    assert len(fit) == pytest.approx(0.5 * image.shape[0] * image.shape[1], rel=0.03)
    progress = list(fit.run())
    assert progress[-1].done == 1 and progress[-1].psnr > 40
    assert progress[-1].psnr > progress[0].psnr + 5
    shown = rasterize(fit.field(), Viewport((0, 0), 1.0, (60, 48)))
    assert 10 * np.log10(1 / np.mean((shown - image) ** 2)) > 39
    # Between the pixels there are no spikes.
    close = rasterize(fit.field(), Viewport((0, 0), 6.0, (360, 288)))
    assert close.max() < image.max() + 0.2 and close.min() > image.min() - 0.2


def test_what_is_stopped_keeps_the_best():
    image = picture(40, 40)
    fit = Fit(image, FitOptions(steps=1000))
    polls = iter(range(10**6))
    reached = [p.psnr for p in fit.run(stop=lambda: next(polls) > 300)]
    assert 0 < len(reached) < 100
    fit._draw(None)
    assert fit.psnr >= max(reached) - 1e-3


def test_grey_and_tiny_pictures_fit_and_others_are_refused():
    for shape in ((1, 1, 3), (2, 7, 1)):
        fit = Fit(np.full(shape, 0.6, np.float32), FitOptions(steps=30))
        assert list(fit.run())[-1].psnr > 25
        assert fit.field().channels == shape[2]
    with pytest.raises(ImageError):
        Fit(np.zeros((4, 4, 2), np.float32))
    with pytest.raises(ImageError):
        Fit(np.zeros((4, 4, 3), np.float32), FitOptions(gaussians_per_pixel=2))


def test_alpha_is_fitted_as_the_colours_are(tmp_path, capsys):
    alpha = np.clip(18 - np.hypot(*(np.mgrid[:40, :44] - 20.0)), 0, 1)[..., None]
    pixels = np.round(np.concatenate([picture(40, 44), alpha], 2) * 255).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    out = tmp_path / "a.safetensors"
    assert main(["fit", str(tmp_path / "a.png"), str(out), "--steps", "80"]) == 0
    assert "white" not in capsys.readouterr().err
    field = GaussianField.open(out)
    assert field.channels == 4
    shown = rasterize(field, Viewport((0, 0), 1.0, (44, 40)))
    wanted = Picture.from_array(pixels).as_float()
    assert 10 * np.log10(1 / np.mean((shown - wanted) ** 2)) > 35
    drawing = open_drawing(Picture.from_array(pixels), "fit")
    assert drawing.channels == 4 and not drawing.notes
    assert drawing.draw(Viewport((0, 0), 2.0, (88, 80)))[..., 3][40, 44] > 0.9


def test_the_command_writes_a_field_and_says_what_it_reached(tmp_path, capsys):
    Image.fromarray((picture(30, 40) * 200).astype(np.uint8)).save(tmp_path / "a.png")
    out = tmp_path / "a.safetensors"
    assert main(["fit", str(tmp_path / "a.png"), str(out), "--steps", "40"]) == 0
    assert "dB after 40 steps" in capsys.readouterr().out
    assert GaussianField.open(out).metadata["method"] == "fit"
    assert main(["fit", str(tmp_path / "a.png"), str(tmp_path / "a.png")]) == 1
    assert main(["fit", str(tmp_path / "a.png")]) == 1
    assert main(["fit", str(tmp_path / "none.png"), str(out)]) == 1
    assert capsys.readouterr().err.count("\n") == 3


def test_the_prior_of_a_folder_is_measured_and_goes_on(tmp_path, capsys):
    (tmp_path / "set").mkdir()
    for number in range(3):
        pixels = (picture(24, 24, number) * 200).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / "set" / f"{number}.png")
    file, plot = tmp_path / "prior.json", tmp_path / "prior.png"
    words = ["fit", str(tmp_path / "set"), "--prior", str(file), "--size", "24", "--steps", "10"]
    assert main([*words, "--limit", "2"]) == 0
    assert len(json.loads(file.read_text())["done"]) == 2
    assert main([*words, "--plot", str(plot)]) == 0
    kept = json.loads(file.read_text())
    assert len(kept["done"]) == 3
    (counted,) = {sum(counts) for counts in kept["counts"].values()}
    assert counted == pytest.approx(3 * 12 * 12, rel=0.05)  # a Gaussian for four pixels
    said = capsys.readouterr().out
    assert said.count("0.png") == 1 and "position drift" in said
    with Image.open(plot) as drawn:
        assert drawn.width > 1000
    assert main([*words[:-1], "20"]) == 1
    assert "another --size, --steps" in capsys.readouterr().err
    assert main([*words, "--gaussians-per-pixel", "0.5"]) == 1
    assert main([*words, "--gaussians-per-pixel", "2"]) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("a.png a.safetensors --seconds nan", "--seconds"),
        ("a.png a.safetensors --seconds inf", "--seconds"),
        ("a.png a.safetensors --plot p.png", "--plot is for --prior"),
        ("a.png a.safetensors --size 128", "--size is for --prior"),
        ("a.png a.safetensors --limit 1", "--limit is for --prior"),
        ("set a.safetensors --prior p.json", "no field is written"),
        ("set --prior p.json --seconds 3", "--steps says how long"),
        ("set --prior p.json --plot none/p.png", "there is no folder none"),
        ("set --prior p.json --plot p.xyz", "does not end in .png"),
        ("a.png --prior p.json", "is a file: a folder"),
    ],
)
def test_what_would_be_ignored_or_fail_later_is_refused(tmp_path, monkeypatch, capsys, words, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "set").mkdir()
    for place in ("a.png", "set/a.png"):
        Image.fromarray((picture(24, 24) * 200).astype(np.uint8)).save(place)
    assert main(["fit", *words.split()]) == 1
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.png", "set"]


def test_as_a_method_it_shows_what_it_has_and_goes_on():
    image = picture(40, 44)
    drawing = open_drawing(Picture.from_array(image), "fit")
    view = Viewport((0, 0), 1.0, (44, 40))
    drawing.patience = 1e-6  # the smallest piece of work before a frame
    first = np.mean((drawing.draw(view) - image) ** 2)
    assert drawing.unfinished and drawing.state == "starting"
    for _ in range(20):
        drawing.draw(view)
    assert drawing.unfinished and "%" in drawing.state
    drawing.patience = float("inf")
    last = np.mean((drawing.draw(view) - image) ** 2)
    assert not drawing.unfinished and "%" not in drawing.state
    assert last < first / 4 and 10 * np.log10(1 / last) > 40


def test_what_failed_goes_on_with_the_next_frame(monkeypatch):
    image = picture(40, 44)
    drawing = open_drawing(Picture.from_array(image), "fit")
    view = Viewport((0, 0), 1.0, (44, 40))

    def lacking(*_):
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(Fit, "_draw", lacking)
        for _ in range(2):
            with pytest.raises(MemoryError):
                drawing.draw(view)
    assert drawing.unfinished
    assert 10 * np.log10(1 / np.mean((drawing.draw(view) - image) ** 2)) > 40
    assert not drawing.unfinished


def test_it_can_be_stopped_before_it_has_begun_to_descend():
    """A large picture's start takes seconds."""
    drawing = open_drawing(Picture.from_array(picture(40, 44)), "fit")
    asked = []

    def stop():
        asked.append(drawing.state)
        return len(asked) > 3

    with pytest.raises(Cancelled):
        drawing.draw(Viewport((0, 0), 1.0, (44, 40)), stop)
    assert asked == ["starting"] * 4


def test_a_picture_beyond_the_limit_is_refused_in_one_line():
    with pytest.raises(ImageError, match="megapixels"):
        open_drawing(Picture.from_array(np.zeros((2100, 2100, 3), np.uint8)), "fit")
