"""The authors' checkpoints: read without running anything, every tensor accounted for, the published numbers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gaussian_core.errors import WeightsError
from gaussian_core.models.continuoussr import ContinuousSR
from gaussian_core.models.liif import LIIF
from gaussian_core.models.published.continuoussr import PublishedContinuousSR
from gaussian_core.models.published.drawing import LIIFDrawing
from gaussian_core.models.published.opening import build_model, open_weights
from gaussian_core.viewport import Viewport
from tests import published_checkpoints as small
from tests.array_picture import ArrayPicture


def image_of(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(array).permute(2, 0, 1)[None].contiguous()


def refusal(path: Path) -> str:
    """The one line that opening the file gives."""
    with pytest.raises(WeightsError) as caught:
        open_weights(path)
    line = str(caught.value)
    assert line and "\n" not in line and len(line) < 400 and path.name in line
    return line


# The published numbers


def test_liif_gives_the_published_numbers() -> None:
    path, golden = small.golden("liif_small")
    model = open_weights(path)
    assert isinstance(model, LIIF)
    image = image_of(golden["image"])
    height, width = (int(v) for v in golden["size"])
    with torch.inference_mode():
        features = model.encode(image)[0].numpy()
    np.testing.assert_allclose(features, golden["features"], atol=1e-5)
    view = Viewport((0, 0), (width / image.shape[3], height / image.shape[2]), (width, height))
    np.testing.assert_allclose(model.render(image, view), golden["output"], atol=1e-5)


@pytest.mark.parametrize("whole", [1 << 20, 0], ids=["in one", "in parts"])
def test_a_drawing_by_liif_gives_the_published_numbers(whole: int) -> None:
    path, golden = small.golden("liif_small")
    model = open_weights(path)
    assert isinstance(model, LIIF)

    picture = ArrayPicture(golden["image"])
    drawing = LIIFDrawing(picture, model, whole)
    height, width = golden["output"].shape[:2]
    scale = width / picture.extent[1], height / picture.extent[0]
    view = Viewport((0, 0), scale, (width, height))
    for top, left in ((0, 0), (17, 23)):
        part = drawing.draw(view.part(left, top, width - left, height - top))
        np.testing.assert_allclose(part, golden["output"][top:, left:], atol=1e-3)


def test_continuoussr_gives_the_published_numbers() -> None:
    path, golden = small.golden("continuoussr_small")
    model = open_weights(path)
    assert isinstance(model, PublishedContinuousSR)
    with torch.inference_mode():
        features = model.features(image_of(golden["image"]))
        cells = model.gaussians(features)
    np.testing.assert_allclose(features[0].numpy(), golden["features"], atol=1e-5)
    for name, values in cells._asdict().items():
        np.testing.assert_allclose(values[0].flatten(1).T.numpy(), golden[name], atol=1e-5)


# What a file may hold


def test_a_checkpoint_of_every_known_encoder_opens(tmp_path: Path) -> None:
    for number, encoder in enumerate((small.HAT, small.SWINIR, small.EDSR_TAIL)):
        args = small.continuoussr_args(encoder)
        path = small.save(tmp_path / f"{number}.pth", "continuous-gaussian", args)
        model = open_weights(path)
        assert isinstance(model, PublishedContinuousSR)
        cells = model(torch.rand(1, 3, 5, 7))
        assert cells.means.shape == (1, 2, 10, 14)
    rdn = {"name": "rdn", "args": {"G0": 8, "RDNconfig": "A", "no_upsampling": True}}
    swinir = {"name": "swinir", "args": {**small.SWINIR["args"], "upsampler": "none"}}
    for encoder in (small.EDSR, rdn, swinir):
        model = build_model(small.checkpoint("liif", small.liif_args(encoder)))
        assert isinstance(model, LIIF)
        assert model.render(torch.rand(1, 3, 5, 7), Viewport((0, 0), 2, (14, 10))).shape == (
            10,
            14,
            3,
        )


def test_our_own_weights_open_the_same_way() -> None:
    from gaussian_core.models.weights import weights_path

    assert isinstance(open_weights(weights_path()), ContinuousSR)


def test_half_precision_files_are_computed_in_single(tmp_path: Path) -> None:
    tensors = small.random_tensors("liif", small.liif_args())
    halves = {k: v.half() if v.is_floating_point() else v for k, v in tensors.items()}
    model = open_weights(small.save(tmp_path / "half.pth", "liif", small.liif_args(), halves))
    assert all(value.dtype == torch.float32 for value in model.state_dict().values())


def test_a_network_that_was_saved_within_its_wrapper_opens(tmp_path: Path) -> None:
    path = small.save(tmp_path / "a.pth", "continuous-gaussian", small.continuoussr_args())
    content = torch.load(path, weights_only=True)
    tensors = content["model"]["sd"]
    content["model"]["sd"] = {f"module.{key}": value for key, value in tensors.items()}
    torch.save(content, tmp_path / "b.pth")
    plain, wrapped = (open_weights(tmp_path / name).state_dict() for name in ("a.pth", "b.pth"))
    assert plain.keys() == wrapped.keys()
    assert all(torch.equal(plain[key], wrapped[key]) for key in plain)


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_a_file_cut_anywhere_is_refused(tmp_path: Path, legacy: bool) -> None:
    whole = tmp_path / "whole.pth"
    content = {
        "model": {
            "name": "liif",
            "args": small.liif_args(),
            "sd": small.random_tensors("liif", small.liif_args()),
        }
    }
    torch.save(content, whole, _use_new_zipfile_serialization=not legacy)
    open_weights(whole)
    data = whole.read_bytes()
    for place in np.linspace(0, len(data) - 1, 50).astype(int):
        cut = tmp_path / "cut.pth"
        cut.write_bytes(data[:place])
        assert "cut short" in refusal(cut)


def test_a_picture_is_no_checkpoint_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    line = refusal(path)
    assert line.startswith("photo.png is no file of weights: open a checkpoint")
    assert "cut short" not in line


class Payload:
    """Pickles into a call of os.mkdir."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.target),)


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
@pytest.mark.parametrize("where", ["beside", "name", "args", "sd", "alone"])
def test_code_in_a_file_is_never_run(tmp_path: Path, where: str, legacy: bool) -> None:
    target = tmp_path / "made by the payload"
    code = Payload(target)
    tensors: dict[str, Any] = dict(small.random_tensors("liif", small.liif_args()))
    model: dict[str, Any] = {"name": "liif", "args": small.liif_args(), "sd": tensors}
    content: Any = {"model": model}
    if where == "beside":
        content["epoch"] = code
    elif where == "sd":
        tensors["encoder.head.0.weight"] = code
    elif where == "alone":
        content = code
    else:
        model[where] = code
    path = tmp_path / "evil.pth"
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    line = refusal(path)
    assert not target.exists()
    assert "nothing was run" in line and "mkdir" in line


def test_other_formats_are_told_apart(tmp_path: Path) -> None:
    def file(content: Any) -> Path:
        torch.save(content, tmp_path / "other.pth")
        return tmp_path / "other.pth"

    one = torch.ones(1)
    assert "EDSR" in refusal(file({"head.0.weight": one, "body.0.body.0.weight": one}))
    assert "EDSR" in refusal(file({"module.head.0.weight": one}))
    assert "IMDN" in refusal(file({"fea_conv.weight": one, "IMDB1.c1.weight": one}))
    assert "BasicSR" in refusal(file({"params_ema": {"conv_first.weight": one}}))
    assert "not a published checkpoint" in refusal(file([one]))
    assert "not a published checkpoint" in refusal(file({"model": {"name": "liif"}}))
    assert "malformed" in refusal(file({"model": {"name": 3, "args": {}, "sd": {}}}))
    text = tmp_path / "readme.pth"
    text.write_text("not weights at all")
    refusal(text)
    refusal(tmp_path / "absent.pth")
    refusal(tmp_path / "absent.safetensors")
    (tmp_path / "folder.pth").mkdir()
    refusal(tmp_path / "folder.pth")


def changed(**values: Any) -> dict[str, Any]:
    return {**small.random_tensors("liif", small.liif_args()), **values}


def test_every_tensor_is_accounted_for(tmp_path: Path) -> None:
    path = tmp_path / "wrong.pth"

    def line(tensors: dict[str, Any]) -> str:
        return refusal(small.save(path, "liif", small.liif_args(), tensors))

    weight = "encoder.body.1.body.0.weight"
    shape = line(changed(**{weight: torch.zeros(8, 8, 5, 5)}))
    assert weight in shape and "8x8x5x5" in shape and "8x8x3x3" in shape
    absent = changed()
    del absent[weight]
    assert "1 is missing" in line(absent) and weight in line(absent)
    assert "1 is left over" in line(changed(surplus=torch.ones(2)))
    many = line({f"surplus.{i}": torch.ones(1) for i in range(1000)})
    assert "1000 are left over" in many and "are missing" in many
    assert "not finite" in line(changed(**{weight: torch.full((8, 8, 3, 3), float("nan"))}))
    assert "fraction" in line(changed(**{weight: torch.zeros(8, 8, 3, 3, dtype=torch.int32)}))
    assert "no tensor" in line(changed(**{weight: [1.0, 2.0]}))
    assert "plain tensor" in line(changed(**{weight: torch.zeros(8, 8, 3, 3).to_sparse()}))


def test_tables_that_follow_from_the_architecture_are_checked_and_may_be_absent(
    tmp_path: Path,
) -> None:
    path, args = tmp_path / "hat.pth", small.continuoussr_args()
    name = "encoder.relative_position_index_OCA"
    tensors = small.random_tensors("continuous-gaussian", args)
    assert name in tensors
    other = {**tensors, name: tensors[name] + 1}
    assert name in refusal(small.save(path, "continuous-gaussian", args, other))
    del tensors[name]
    open_weights(small.save(path, "continuous-gaussian", args, tensors))


@pytest.mark.parametrize(
    ("name", "args", "told"),
    [
        ("metasr", {}, "metasr"),
        ("gaussian-splatter", {}, "encoder is not described"),
        ("edsr", {}, "fixed scale"),
        ("liif", {}, "encoder is not described"),
        ("liif", small.liif_args({"name": "rcan", "args": {}}), "rcan"),
        ("liif", small.liif_args({"name": "edsr", "args": {"n_feats": 8}}), "no_upsampling"),
        ("liif", small.liif_args(novel_switch=True), "novel_switch"),
        (
            "liif",
            small.liif_args({"name": "edsr", "args": {"n_feats": -8, "no_upsampling": True}}),
            "n_feats",
        ),
        (
            "liif",
            small.liif_args({"name": "edsr", "args": {"n_feats": 10**9, "no_upsampling": True}}),
            "n_feats",
        ),
        ("liif", {**small.liif_args(), "imnet_spec": None}, "perceptron is not described"),
        ("continuous-gaussian", small.continuoussr_args(small.EDSR), "64 at 4"),
        (
            "continuous-gaussian",
            small.continuoussr_args({"name": "hat", "args": {**small.HAT["args"], "ape": True}}),
            "hat",
        ),
    ],
)
def test_an_unknown_architecture_is_named(
    tmp_path: Path, name: str, args: dict[str, Any], told: str
) -> None:
    assert told in refusal(small.save(tmp_path / "unknown.pth", name, args, {}))


def test_a_huge_description_costs_no_memory(tmp_path: Path) -> None:
    huge = {"name": "edsr", "args": {"n_feats": 8192, "n_resblocks": 8, "no_upsampling": True}}
    line = refusal(small.save(tmp_path / "huge.pth", "liif", small.liif_args(huge), {}))
    assert "missing" in line
