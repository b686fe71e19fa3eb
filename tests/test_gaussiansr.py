"""GaussianSR against a direct transcription of its equations, pixel by pixel, in float64."""

from __future__ import annotations

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import torch.nn.functional as F  # noqa: E402

from gaussian_core.errors import Cancelled  # noqa: E402
from gaussian_core.imaging.picture import Picture  # noqa: E402
from gaussian_core.models.gaussiansr import (  # noqa: E402
    REACH,
    UNIT,
    GaussianSR,
    GaussianSRConfig,
    bicubic,
    splat,
)
from gaussian_core.models.gaussiansr_drawing import GaussianSRDrawing  # noqa: E402
from gaussian_core.viewport import Viewport  # noqa: E402
from viewer.model.frames.lazy_drawing import LazyDrawing  # noqa: E402


def network(enlarged=False):
    torch.manual_seed(3)
    encoder = {"channels": 8, "blocks": 1}
    made = GaussianSR(GaussianSRConfig("residual", encoder, 3, enlarged, 16, (16, 16)))
    with torch.no_grad():
        # Away from the start, where all kernels are alike and round.
        made.selection.weight.mul_(6)
        made.rho.uniform_(-0.8, 0.8)
        made.opacity.uniform_(0.2, 1)
    return made.eval()


def lattice(xs, ys):
    return torch.stack(torch.meshgrid(torch.tensor(xs), torch.tensor(ys), indexing="xy"))[None]


def test_splatting_is_the_sum_of_the_pixels_mixtures_of_the_bank():
    model = network().double()
    image = torch.rand(1, 3, 7, 9, dtype=torch.float64)
    xs, ys = [0.1, 3.3, 4.5, 8.9], [0.5, 2.75, 6.6]
    with torch.no_grad():
        features, kernels, _ = model.encode(image)
        got = splat(features[:, :3], kernels.double(), lattice(xs, ys).double())
        logits = model.selection(features)[0]
    bank = [p.detach().flatten().tolist() for p in (model.sigma_x, model.sigma_y, model.rho)]
    opacity = model.opacity.detach().flatten().tolist()
    for k, y in enumerate(ys):
        for n, x in enumerate(xs):
            total = [0.0, 0.0, 0.0]
            for i in range(7):
                for j in range(9):
                    if max(abs(i - math.floor(y)), abs(j - math.floor(x))) > REACH:
                        continue
                    powers = [math.exp(v) for v in logits[:, i, j].tolist()]
                    share = [p / sum(powers) for p in powers]
                    sx, sy, rho = (
                        sum(w * b for w, b in zip(share, part, strict=True)) for part in bank
                    )
                    sigma = UNIT**2 * np.array(
                        [[sx * sx + 1e-5, rho * sx * sy], [rho * sx * sy, sy * sy + 1e-5]]
                    )
                    d = np.array([x - j - 0.5, y - i - 0.5])
                    height = math.exp(-0.5 * d @ np.linalg.inv(sigma) @ d)
                    height *= sum(w * o for w, o in zip(share, opacity, strict=True))
                    for c in range(3):
                        total[c] += height * float(features[0, c, i, j])
            np.testing.assert_allclose(got[0, :, k, n], total, rtol=1e-4, atol=1e-5)


def test_the_decoder_is_its_equation():
    model = network().double()
    seen = torch.randn(1, 8, 5, 6, dtype=torch.float64)
    positions = lattice(np.arange(6) / 2.5 + 0.3, np.arange(5) / 2.5 + 1.1).double()
    cell = torch.tensor([0.4], dtype=torch.float64)
    with torch.no_grad():
        got = model.decode(seen, positions, cell, torch.zeros(1, 3, 5, 6))
        coef, freq = model.coef(seen)[0], model.freq(seen)[0]
    for i in range(1, 4):
        for j in range(1, 5):
            x, y = positions[0, :, i, j].tolist()
            away = [2 * (y - math.floor(y) - 0.5), 2 * (x - math.floor(x) - 0.5)]
            basis = []
            for wave in (math.cos, math.sin):
                for k in range(8):
                    a, b = freq[2 * k : 2 * k + 2, i, j].tolist()
                    phase = float(model.phase.weight[k].detach().sum()) * 2 * 0.4
                    basis.append(wave(math.pi * (a * away[0] + b * away[1] + phase)))
            values = coef[:, i, j] * torch.tensor(basis, dtype=torch.float64)
            with torch.no_grad():
                wanted = model.fc(values) + 0.5
            np.testing.assert_allclose(got[0, :, i - 1, j - 1], wanted, rtol=1e-6, atol=1e-8)


def test_everything_learns():
    model = network().train()
    image = torch.rand(2, 3, 8, 8)
    positions = lattice(np.arange(9) / 2 + 1.75, np.arange(9) / 2 + 1.75).float()
    seen = model.sample(model.encode(image), positions.expand(2, -1, -1, -1), torch.full((2,), 0.5))
    assert seen.shape == (2, 3, 7, 7)
    seen.square().sum().backward()
    still = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert still == []


@pytest.mark.parametrize("whole", [1 << 20, 0], ids=["kept", "in parts"])
@pytest.mark.parametrize(
    "view",
    [
        Viewport((0.0, 0.0), 3.0, (60, 39)),
        Viewport((4.3, 2.1), (2.5, 3.7), (17, 11)),
        Viewport((-2.0, -3.0), 1.3, (31, 29)),
        Viewport((9.2, 5.4), 40.0, (33, 21)),
    ],
    ids=["all", "part", "past the edges", "deep"],
)
@pytest.mark.parametrize("enlarged", [False, True])
def test_a_drawing_is_what_is_sampled(view, whole, enlarged):
    model = network(enlarged)
    pixels = np.random.default_rng(1).random((13, 20, 3), np.float32)
    drawing = GaussianSRDrawing(Picture.from_array(pixels), model, whole)
    got = drawing.draw(view)
    xs, ys = view.part(-1, -1, view.size[0] + 2, view.size[1] + 2).pixel_centres()
    with torch.no_grad():
        # Mirrored around it, as far as nothing was asked for at the border of a crop in training.
        by = model.encoder.margin
        around = np.pad(pixels, ((by, by), (by, by), (0, 0)), mode="symmetric")
        image = torch.from_numpy(around.transpose(2, 0, 1).copy())[None]
        cell = torch.tensor([1 / math.sqrt(view.scale[0] * view.scale[1])], dtype=torch.float32)
        wanted = model.sample(model.encode(image), lattice(xs + by, ys + by).float(), cell)
    wanted = wanted[0].permute(1, 2, 0).numpy()
    xs, ys = view.pixel_centres()
    inside = np.ix_((ys > 0.01) & (ys < 12.99), (xs > 0.01) & (xs < 19.99))
    # The rasterizer drops what is below 1/512 of a Gaussian's height.
    np.testing.assert_allclose(got[inside], wanted[inside], atol=0.02)
    assert np.abs(got[inside] - wanted[inside]).mean() < 0.002
    assert not got[:, xs < 0].any() and not got[ys < 0].any()


def test_one_pixel_and_grey_pictures_are_drawn():
    model = network()
    for shape in ((1, 1, 3), (1, 5, 1)):
        picture = Picture.from_array(np.full(shape, 0.5, np.float32))
        frame = GaussianSRDrawing(picture, model).draw(Viewport.whole(picture.extent, 3.0))
        assert frame.shape == (3 * shape[0], 3 * shape[1], 3) and np.isfinite(frame).all()


def test_the_kernels_can_be_looked_at():
    pixels = np.random.default_rng(1).random((13, 20, 3), np.float32)
    for whole in (1 << 20, 0):
        drawing = GaussianSRDrawing(Picture.from_array(pixels), network(), whole)
        field = drawing.kernels((3, 2, 9, 7))
        assert len(field) == 30
        np.testing.assert_allclose(field.means[0], (3.5, 2.5))
        whole_field = drawing.kernels((0, 0, 20, 13))
        at = whole_field.means.tolist().index([3.5, 2.5])
        np.testing.assert_allclose(field.covariances[0], whole_field.covariances[at], rtol=1e-3)


def test_kernels_of_a_large_picture_are_made_only_for_marks_and_of_a_part(monkeypatch):
    """All of them would take gigabytes, and only to count them as long as the frame itself."""
    picture = Picture.from_array(np.random.default_rng(1).random((13, 20, 3), np.float32))
    kept, parts = (
        LazyDrawing(picture, "gaussiansr", GaussianSRDrawing(picture, network(), whole))
        for whole in (1 << 20, 0)
    )
    rect = (0, 0, 20, 13)
    for drawing in (kept, parts):
        assert drawing.unknown and drawing.kernels(rect, kept=True) is None
        assert len(drawing.kernels(rect)) == 260 and not drawing.unknown
        with pytest.raises(Cancelled):
            drawing.kernels(rect, lambda: True)
    assert len(kept.kernels(rect, kept=True)) == 260
    assert parts.kernels(rect, kept=True) is None
    monkeypatch.setattr("gaussian_core.models.gaussiansr_drawing.WHOLE", 100)
    assert len(kept.kernels(rect)) == 260
    assert parts.kernels(rect) is None
    assert len(parts.kernels((0, 0, 10, 10))) == 100


def test_drawing_stops():
    drawing = GaussianSRDrawing(Picture.from_array(np.zeros((8, 8, 3), np.float32)), network())
    with pytest.raises(Cancelled):
        drawing.draw(Viewport.whole((8, 8), 4.0), lambda: True)


def test_features_that_are_not_splatted_are_interpolated():
    features = torch.rand(1, 2, 9, 9)
    positions = lattice(np.arange(18) / 2 + 0.25, np.arange(18) / 2 + 0.25).float()
    wanted = F.interpolate(features, scale_factor=2, mode="bicubic", align_corners=False)
    torch.testing.assert_close(bicubic(features, positions), wanted, atol=1e-5, rtol=1e-4)
