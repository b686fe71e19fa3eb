"""GaussianSR's published checkpoints: every tensor in its place, the same picture every time, and a note of it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from gaussian_core import Viewport, load_image, write_image
from gaussian_core.errors import WeightsError
from gaussian_core.images import Picture
from gaussian_core.models.gaussiansr_drawing import GaussianSRDrawing
from gaussian_core.models.published.gaussiansr import NOTE, PublishedGaussianSR
from gaussian_core.models.published.opening import open_weights
from tests import published_checkpoints as small
from viewer import cli

NAME, FEATURES, WAVES, HIDDEN = "gaussian-splatter", 12, 16, 20
KERNEL_SIZE = 5


def arguments(**changed: Any) -> dict[str, Any]:
    encoder = {"n_resblocks": 2, "n_feats": FEATURES, "no_upsampling": True}
    return {
        "encoder_spec": {"name": "edsr-baseline", "args": encoder},
        "fc_spec": {"name": "mlp", "args": {"out_dim": 3, "hidden_list": [HIDDEN]}},
        "kernel_size": KERNEL_SIZE,
        "hidden_dim": WAVES,
        **changed,
    }


def published(seed: int = 0) -> dict[str, torch.Tensor]:
    """Random tensors under the names and in the shapes of the authors' files."""
    shapes: dict[str, tuple[int, ...]] = {"encoder.edsr.head.0": (FEATURES, 3, 3, 3)}
    for block in range(2):
        for layer in (0, 2):
            shapes[f"encoder.edsr.body.{block}.body.{layer}"] = (FEATURES, FEATURES, 3, 3)
    shapes["encoder.edsr.body.2"] = (FEATURES, FEATURES, 3, 3)
    shapes |= {f"encoder.edsr.{side}_mean": (3, 3, 1, 1) for side in ("sub", "add")}
    shapes["encoder.segmentation_head.0"] = (100, FEATURES, 3, 3)
    shapes |= dict.fromkeys(("coef", "freq"), (WAVES, FEATURES, 3, 3))
    shapes |= {"fc.layers.0": (HIDDEN, WAVES), "fc.layers.2": (3, HIDDEN)}
    generator = torch.Generator().manual_seed(seed)
    made = {}
    for name, shape in shapes.items():
        fan = math.prod(shape[1:])
        made[f"{name}.weight"] = torch.randn(shape, generator=generator) * (2 / fan) ** 0.5
        made[f"{name}.bias"] = torch.randn(shape[0], generator=generator) * 0.1
    made["encoder.segmentation_head.0.weight"] *= 3
    made["phase.weight"] = torch.randn(WAVES // 2, 2, generator=generator)
    # Apart from each other, so that an axis taken for the other one is noticed.
    made["sigma_x"] = 0.5 + torch.rand(100, generator=generator)
    made["sigma_y"] = 1.5 + torch.rand(100, generator=generator)
    made["opacity"] = 0.2 + 0.6 * torch.rand(100, 1, generator=generator)
    made["rho"] = 0.6 * torch.rand(100, 1, generator=generator)
    return made


def save(path: Path, tensors: dict[str, Any] | None = None, **changed: Any) -> Path:
    return small.save(path, NAME, arguments(**changed), published() if tensors is None else tensors)


def opened(path: Path) -> PublishedGaussianSR:
    model = open_weights(path)
    assert isinstance(model, PublishedGaussianSR)
    return model


def refusal(path: Path) -> str:
    with pytest.raises(WeightsError) as caught:
        open_weights(path)
    line = str(caught.value)
    assert "\n" not in line and len(line) < 400 and path.name in line
    return line


def picture(height: int = 13, width: int = 16) -> Picture:
    pixels = np.random.default_rng(1).random((height, width, 3))
    return Picture.from_array((255 * pixels).astype(np.uint8))


def by_the_equations(sd: dict[str, torch.Tensor], image: torch.Tensor, scale: int) -> torch.Tensor:
    """(H s, W s, 3), from the tensors by their published names: section 3 of the paper, with the published units and
    places. The kernels are not cut."""
    sd = {k: v.double() for k, v in sd.items()}

    def conv(x: torch.Tensor, name: str) -> torch.Tensor:
        return F.conv2d(x, sd[f"{name}.weight"], sd[f"{name}.bias"], padding=1)

    shallow = x = conv((image.double() - 0.5) / 0.5, "encoder.edsr.head.0")
    for block in range(2):
        inner = F.relu(conv(x, f"encoder.edsr.body.{block}.body.0"))
        x = x + conv(inner, f"encoder.edsr.body.{block}.body.2")
    features = shallow + conv(x, "encoder.edsr.body.2")
    share = conv(features, "encoder.segmentation_head.0").softmax(1)[0]
    down, across, rho, opacity = (
        torch.einsum("khw,k->hw", share, sd[n].flatten())
        for n in ("sigma_x", "sigma_y", "rho", "opacity")
    )
    height, width = image.shape[-2:]
    unit = (KERNEL_SIZE - 1) / 10 / scale  # source pixels
    ys = (torch.arange(height * scale).double() + 0.5) / scale
    xs = (torch.arange(width * scale).double() + 0.5) / scale
    splatted = torch.zeros(8, len(ys), len(xs), dtype=torch.float64)
    for i in range(height):
        for j in range(width):
            off = rho[i, j] * across[i, j] * down[i, j]
            first, last = across[i, j] ** 2 + 1e-5, down[i, j] ** 2 + 1e-5
            inverse = torch.linalg.inv(unit**2 * torch.stack([first, off, off, last]).view(2, 2))
            away = torch.stack(
                [(xs - j).expand(len(ys), -1), (ys - i)[:, None].expand(-1, len(xs))]
            )
            power = torch.einsum("ayx,ab,byx->yx", away, inverse, away)
            splatted += (features[0, :8, i, j] * opacity[i, j])[:, None, None] * torch.exp(
                -power / 2
            )
    size = (len(ys), len(xs))
    others = F.interpolate(features[:, 8:], size=size, mode="bicubic", align_corners=False)
    seen = torch.cat([splatted.clamp(0, 1)[None], others], 1)
    coef, freq = conv(seen, "coef")[0], conv(seen, "freq")[0]
    angle = freq[0::2] * (2 * (ys - ys.floor() - 0.5))[:, None]
    angle = angle + freq[1::2] * (2 * (xs - xs.floor() - 0.5))
    angle = math.pi * (angle + (sd["phase.weight"].sum(1) * 2 / scale)[:, None, None])
    basis = coef * torch.cat([angle.cos(), angle.sin()])
    hidden = F.linear(basis.permute(1, 2, 0), sd["fc.layers.0.weight"], sd["fc.layers.0.bias"])
    made = F.linear(F.gelu(hidden), sd["fc.layers.2.weight"], sd["fc.layers.2.bias"])
    return made * 0.5 + 0.5


def test_a_checkpoint_gives_what_its_equations_give(tmp_path: Path) -> None:
    sd, source, scale = published(), picture(), 3
    drawing = GaussianSRDrawing(source, opened(save(tmp_path / "a.pth", sd)))
    image = torch.from_numpy(source.as_float()).permute(2, 0, 1)[None]
    wanted = by_the_equations(sd, image, scale).numpy()
    with torch.inference_mode():
        model = drawing.model
        xs, ys = Viewport.whole(source.extent, scale).part(-1, -1, 50, 41).pixel_centres()
        x, y = torch.from_numpy(xs), torch.from_numpy(ys)
        positions = torch.stack([x.expand(len(y), -1), y[:, None].expand(-1, len(x))])[None]
        sampled = model.sample(model.encode(image), positions.float(), torch.tensor([1 / scale]))
    np.testing.assert_allclose(sampled[0].permute(1, 2, 0), wanted, atol=2e-4)
    # The rasterizer drops what is below 1/512 of a Gaussian's height.
    drawn = drawing.draw(Viewport.whole(source.extent, scale))
    assert np.abs(drawn - wanted).max() < 0.05 and np.abs(drawn - wanted).mean() < 0.003


def test_a_model_comes_back_from_the_published_format(tmp_path: Path) -> None:
    model = opened(save(tmp_path / "a.pth"))
    view = Viewport.whole((13, 16), 2.7)
    before = GaussianSRDrawing(picture(), model).draw(view)
    sd = {model.published_name(name): value for name, value in model.state_dict().items()}
    assert sd.keys() == published().keys()
    assert all(torch.equal(sd[name], value) for name, value in published().items())
    again = GaussianSRDrawing(picture(), opened(save(tmp_path / "b.pth", sd))).draw(view)
    np.testing.assert_allclose(again, before, atol=1e-6)
    assert np.isfinite(before).all() and before.std() > 0.01


def test_parts_are_the_whole_and_kernels_follow_the_scale(tmp_path: Path) -> None:
    model, source = opened(save(tmp_path / "a.pth")), picture(40, 50)
    whole, parts = GaussianSRDrawing(source, model), GaussianSRDrawing(source, model, whole=0)
    view = Viewport((21.3, 14.7), 2.5, (20, 12))
    np.testing.assert_allclose(parts.draw(view), whole.draw(view), atol=1e-4)
    kernels = whole.kernels((3, 2, 9, 7))
    assert kernels.means[0].tolist() == [3, 2]
    wide = float(np.sqrt(kernels.covariances[:, 0].mean()))
    assert 0.4 * 1.5 < wide < 0.4 * 2.5  # the published second axis runs across; 0.4 pixels a unit


def test_every_tensor_is_accounted_for(tmp_path: Path) -> None:
    path, name = tmp_path / "wrong.pth", "encoder.segmentation_head.0.weight"
    for absent in (name, "sigma_x", "encoder.edsr.body.2.bias"):
        tensors = published()
        del tensors[absent]
        line = refusal(save(path, tensors))
        assert "1 is missing" in line and absent in line
    line = refusal(save(path, {**published(), "surplus": torch.ones(2)}))
    assert "1 is left over" in line and "surplus" in line
    line = refusal(save(path, {**published(), name: torch.zeros(81, FEATURES, 3, 3)}))
    assert f"{name} 81x12x3x3 instead of 100x12x3x3" in line
    line = refusal(save(path, {**published(), "rho": torch.zeros(100)}))
    assert "rho 100 instead of 100x1" in line
    data = save(tmp_path / "whole.pth").read_bytes()
    for place in np.linspace(0, len(data) - 1, 12).astype(int):
        path.write_bytes(data[:place])
        assert "cut short" in refusal(path)


def test_what_is_not_known_is_named(tmp_path: Path) -> None:
    path = tmp_path / "odd.pth"

    def encoder(name: str = "edsr-baseline", **values: Any) -> dict[str, Any]:
        return {"name": name, "args": {"n_resblocks": 2, "n_feats": FEATURES, **values}}

    assert "rdn" in refusal(save(path, encoder_spec=encoder("rdn")))
    assert "n_class" in refusal(save(path, encoder_spec=encoder(n_class=81)))
    assert "without upsampling" in refusal(save(path, encoder_spec=encoder(no_upsampling=False)))
    assert "n_feats = 8" in refusal(save(path, encoder_spec=encoder(n_feats=8)))
    assert "num_points" in refusal(save(path, num_points=81))
    assert "hidden_dim" in refusal(save(path, hidden_dim=15))
    assert "density" in refusal(save(path, density=4))
    assert "perceptron is not described" in refusal(save(path, fc_spec=None))
    without = {k: v for k, v in arguments().items() if k != "kernel_size"}
    assert "kernel_size" in refusal(small.save(path, NAME, without, published()))
    assert "GaussianSR" in refusal(small.save(path, "gaussiansplatter", {}, {}))
    open_weights(save(path, encoder_spec=encoder(), unfold_row=5, unfold_column=9, num_points=100))


def test_half_precision_is_near(tmp_path: Path) -> None:
    halves = {name: value.bfloat16() for name, value in published().items()}
    model = opened(save(tmp_path / "half.pth", halves))
    assert {value.dtype for value in model.state_dict().values()} == {torch.float32}
    view = Viewport.whole((13, 16), 2)
    fine = GaussianSRDrawing(picture(), model).draw(view)
    coarse = GaussianSRDrawing(picture(), model.to(torch.bfloat16)).draw(view)
    assert 0 < np.abs(fine - coarse).mean() < 0.1 * np.abs(fine - fine.mean()).mean() + 0.02


def test_commands_take_it_and_say_what_differs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights, source, out = save(tmp_path / "gsr.pth"), tmp_path / "low.png", tmp_path / "out.png"
    write_image(source, picture().as_float())

    def run(*words: object) -> tuple[int, str]:
        code = cli.main([str(w) for w in words])
        return code, capsys.readouterr().err

    code, said = run("render", source, out, "--scale", 2, "--weights", weights)
    assert code == 0 and said.count(NOTE) == 1
    first = load_image(out)
    assert first.shape == (26, 32, 3)
    run("render", source, out, "--scale", 2, "--weights", weights)
    np.testing.assert_array_equal(load_image(out), first)
    folder = tmp_path / "set"
    folder.mkdir()
    write_image(folder / "one.png", picture(32, 40).as_float())
    code, said = run("evaluate", folder, "--scales", 2, "--weights", weights)
    assert code == 0 and said.count(NOTE) == 1
    code, said = run("build", source, tmp_path / "f.safetensors", "--weights", weights)
    assert code == 1 and "holds GaussianSR, which makes no field" in said
