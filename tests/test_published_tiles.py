"""Fields and pictures by the authors' weights: tiled as whole, saved and drawn again, from the command line too."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from gaussian_core import GaussianField, Viewport, build_field, load_image, rasterize, write_image
from gaussian_core.builder import FieldBuilder
from gaussian_core.errors import Cancelled, DeviceError, FieldError, UserError, WeightsError
from gaussian_core.footprint import footprint_of
from gaussian_core.images import Picture
from gaussian_core.models.liif import LIIF
from gaussian_core.models.published.continuoussr import PublishedContinuousSR
from gaussian_core.models.published.drawing import LIIFDrawing
from gaussian_core.models.published.opening import build_model, open_weights
from gaussian_core.models.published.tiles import PublishedTiles
from gaussian_core.models.weights import weights_path
from gaussian_core.writing.file_renderer import render_file
from tests import published_checkpoints as small
from tests.array_picture import ArrayPicture
from viewer import cli

CPU = torch.device("cpu")


def picture_of(height: int, width: int, channels: int = 3) -> Picture:
    """A picture with some structure at every size."""
    rng = np.random.default_rng(3)
    pixels = rng.random((height, width, channels), dtype=np.float32)
    pixels[:, width // 2 :] = 0.5 + 0.3 * pixels[:, width // 2 :]
    return Picture.from_array((255 * pixels).astype(np.uint8))


def table(field: GaussianField) -> np.ndarray:
    """Rows of the Gaussians, sorted, so that two ways of building can be compared."""
    rows = np.concatenate([field.means, field.covariances, field.amplitudes], 1)
    return rows[np.lexsort(np.round(rows[:, :2].T * 256))]


def golden_view(golden: dict[str, np.ndarray]) -> Viewport:
    height, width = golden["output"].shape[:2]
    scale = float(golden["scale"])
    return Viewport((0, 0), scale, (width, height))


# The published numbers, through the builder


@pytest.mark.parametrize("tile", [512, 6, 5])
def test_the_tiled_field_draws_the_published_picture(tile: int) -> None:
    weights, golden = small.golden("continuoussr_small")

    picture = ArrayPicture(golden["image"])
    builder = FieldBuilder(picture, weights=weights, tile=tile)
    tiles = [builder.build_tile(key) for key in builder.grid.keys()]
    assert sum(len(t) for t in tiles) == len(golden["means"])
    made = np.concatenate([table(t) for t in tiles])
    wanted = table(
        GaussianField(golden["means"], golden["covariances"], golden["amplitudes"], picture.extent)
    )
    np.testing.assert_allclose(made[np.lexsort(np.round(made[:, :2].T * 256))], wanted, atol=1e-4)
    shown = rasterize(tiles, golden_view(golden), pixel_sigma=footprint_of(tiles[0]))
    np.testing.assert_allclose(shown, golden["output"], atol=1e-3)
    # Each began in the corner of a cell of its own.
    began = np.concatenate([t.means - t.drifts for t in tiles]) * 2
    np.testing.assert_allclose(began, np.round(began), atol=4e-3)
    assert len(np.unique(np.round(began), axis=0)) == len(began)


def test_a_field_file_of_published_weights_draws_the_published_picture(tmp_path: Path) -> None:
    weights, golden = small.golden("continuoussr_small")
    field = build_field(golden["image"], weights=weights)
    field.save(tmp_path / "field.safetensors")
    back = GaussianField.open(tmp_path / "field.safetensors")
    assert footprint_of(back) == 0
    shown = rasterize(back, golden_view(golden), pixel_sigma=footprint_of(back))
    np.testing.assert_allclose(shown, golden["output"], atol=1e-3)


# Tiled as whole


@pytest.mark.parametrize(
    "encoder", [small.HAT, small.SWINIR, small.EDSR_TAIL], ids=["hat", "swinir", "edsr"]
)
@pytest.mark.parametrize("extent", [(21, 34), (3, 2), (1, 1)], ids=str)
def test_tiles_are_the_whole_picture(encoder: dict, extent: tuple[int, int]) -> None:
    model = build_model(small.checkpoint("continuous-gaussian", small.continuoussr_args(encoder)))
    assert isinstance(model, PublishedContinuousSR)
    picture = picture_of(*extent)
    image = torch.from_numpy(picture.as_float()).permute(2, 0, 1)[None]
    with torch.inference_mode():
        whole = torch.cat(model(image), 1)[0]
    tiles = PublishedTiles(picture, model, CPU, "small")
    for rect in (
        (0, 0, *extent[::-1]),
        (0, 0, 1, 1),
        (extent[1] // 3, extent[0] // 2, *extent[::-1]),
    ):
        x0, y0, x1, y1 = rect
        made = tiles.build(rect)
        wanted = whole[:, 2 * y0 : 2 * y1, 2 * x0 : 2 * x1].flatten(1).T.numpy()
        np.testing.assert_allclose(
            table(made), wanted[np.lexsort(np.round(wanted[:, :2].T * 256))], atol=1e-4
        )


def test_a_large_picture_is_made_of_parts_that_fit_together() -> None:
    model = build_model(small.checkpoint("continuous-gaussian", small.continuoussr_args()))
    picture = picture_of(150, 170)
    in_one = PublishedTiles(picture, model, CPU, "small")
    in_parts = PublishedTiles(picture, model, CPU, "small", whole=100)
    assert in_one.features.exact and not in_parts.features.exact
    rect = (80, 60, 112, 90)
    one, parts = in_one.build(rect), in_parts.build(rect)
    view = Viewport((88, 66), 2, (32, 32))
    difference = rasterize(one, view, pixel_sigma=0) - rasterize(parts, view, pixel_sigma=0)
    # Its channel attention averages other pixels: near, and not the same.
    assert 0 < np.abs(difference).max() < 0.02


def test_encoding_in_parts_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from gaussian_core.models.published import picture_features

    source, out = tmp_path / "low.png", tmp_path / "out.png"
    write_image(source, picture_of(20, 24).as_float())
    hat = small.save(tmp_path / "hat.pth", "continuous-gaussian", small.continuoussr_args())
    edsr = small.save(
        tmp_path / "edsr.pth", "continuous-gaussian", small.continuoussr_args(small.EDSR_TAIL)
    )
    folder = tmp_path / "set"
    folder.mkdir()
    write_image(folder / "one.png", picture_of(40, 48).as_float())
    commands = (
        ("render", source, out, "--scale", 2),
        ("build", source, tmp_path / "f.safetensors"),
        ("evaluate", folder, "--scales", 2),
    )

    def said(command: tuple[object, ...], weights: Path) -> str:
        assert run(*command, "--weights", weights) == 0
        return capsys.readouterr().err

    assert "in parts" not in "".join(said(command, hat) for command in commands)
    monkeypatch.setattr(picture_features, "WHOLE", 24 * 20 - 1)
    for command in commands:
        told = said(command, hat)
        assert told.count("HAT sees a picture as a whole; 24 × 20 pixels are encoded in parts") == 1
        assert "in parts" not in said(command, edsr)
    for encoder, parts in ((small.HAT, True), (small.EDSR, False)):
        model = build_model(small.checkpoint("liif", small.liif_args(encoder)))
        assert isinstance(model, LIIF)
        assert bool(LIIFDrawing(picture_of(20, 24), model, whole=100).notes) == parts
        assert not LIIFDrawing(picture_of(20, 24), model).notes


def test_pieces_of_a_tile_fit_together(monkeypatch: pytest.MonkeyPatch) -> None:
    from gaussian_core.models.published import tiles as module

    args = small.continuoussr_args(small.EDSR_TAIL)
    model = build_model(small.checkpoint("continuous-gaussian", args))
    picture = picture_of(23, 31)
    whole = PublishedTiles(picture, model, CPU, "small").build((0, 0, 31, 23))
    monkeypatch.setattr(module, "PIECE", 7)
    pieces = PublishedTiles(picture, model, CPU, "small").build((0, 0, 31, 23))
    np.testing.assert_allclose(table(pieces), table(whole), atol=1e-4)


def test_every_covariance_is_positive_definite_even_of_empty_entries(tmp_path: Path) -> None:
    args = small.continuoussr_args(small.EDSR_TAIL)
    tensors = small.random_tensors("continuous-gaussian", args)
    # Similarities so large that single entries of the dictionary are taken: some are zero.
    tensors["conv1.weight"] = tensors["conv1.weight"] * 1e4
    path = small.save(tmp_path / "sharp.pth", "continuous-gaussian", args, tensors)
    field = build_field(picture_of(20, 24), weights=path)
    field.save(tmp_path / "field.safetensors")
    assert len(GaussianField.open(tmp_path / "field.safetensors")) == 4 * 20 * 24


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_weights_by_links_in_a_circle_are_refused_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "a.pth").symlink_to("a.pth")
    with pytest.raises(WeightsError, match=r"a\.pth cannot be read: Too many levels"):
        build_field(picture_of(8, 8), weights=tmp_path / "a.pth")


def test_bfloat16_is_near_float32(tmp_path: Path) -> None:
    path = small.save(tmp_path / "a.pth", "continuous-gaussian", small.continuoussr_args())
    picture = picture_of(16, 20)
    view = Viewport((0, 0), 2, (40, 32))
    fine = rasterize(build_field(picture, weights=path), view, pixel_sigma=0)
    coarse = rasterize(
        build_field(picture, weights=path, precision="bfloat16"), view, pixel_sigma=0
    )
    assert 0 < np.abs(fine - coarse).mean() < 0.05 * np.abs(fine).mean()
    with pytest.raises(DeviceError, match="precision"):
        build_field(picture, weights=path, precision="float8")  # type: ignore[arg-type]


@pytest.mark.parametrize("channels", [1, 4])
def test_grey_and_transparent_pictures_keep_their_channels(tmp_path: Path, channels: int) -> None:
    path = small.save(tmp_path / "a.pth", "continuous-gaussian", small.continuoussr_args())
    pixels = np.full((20, 24, channels), 0.25, np.float32)
    if channels == 4:
        pixels[..., 3] = 0.75
    field = build_field(pixels, weights=path)
    assert field.channels == channels
    if channels == 4:
        alpha = rasterize(field, Viewport((4, 4), 2, (16, 16)), pixel_sigma=0)[..., 3]
        np.testing.assert_allclose(alpha, 0.75, atol=0.03)


def test_a_build_stops_within_a_tile(tmp_path: Path) -> None:
    path = small.save(tmp_path / "a.pth", "continuous-gaussian", small.continuoussr_args())
    builder = FieldBuilder(picture_of(40, 40), weights=path)
    polled = iter([False, False, False, True])
    with pytest.raises(Cancelled):
        builder.build_tile((0, 0), lambda: next(polled))
    assert len(builder.build_tile((0, 0))) == 4 * 40 * 40


# LIIF


@pytest.mark.parametrize("encoder", [small.EDSR, small.HAT], ids=["edsr", "hat"])
def test_liif_draws_parts_as_the_whole(encoder: dict) -> None:
    args = small.liif_args(encoder)
    model = build_model(small.checkpoint("liif", args))
    assert isinstance(model, LIIF)
    picture = picture_of(30, 44)
    whole = LIIFDrawing(picture, model)
    view = Viewport((-1.5, 3.2), (2.7, 3.1), (120, 70))
    wanted = whole.draw(view)
    if encoder is small.EDSR:  # HAT's statistics are of all it sees
        parts = LIIFDrawing(picture, model, whole=0)
        np.testing.assert_allclose(parts.draw(view), wanted, atol=1e-5)
        some = parts.draw(view.part(70, 31, 9, 5))
        np.testing.assert_allclose(some, wanted[31:36, 70:79], atol=1e-5)
    np.testing.assert_allclose(whole.draw(view.part(7, 0, 50, 70)), wanted[:, 7:57], atol=1e-5)
    assert (wanted[:, :3] == 0).all(), "outside the picture there is nothing"


# Files and commands


def run(*arguments: object) -> int:
    return cli.main([str(a) for a in arguments])


def test_render_build_and_evaluate_take_weights(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    field_weights = small.save(
        tmp_path / "csr.pth", "continuous-gaussian", small.continuoussr_args()
    )
    liif_weights = small.save(tmp_path / "liif.pth", "liif", small.liif_args())
    low = picture_of(16, 20).as_float()
    source = tmp_path / "low.png"
    write_image(source, low)
    out = tmp_path / "out.png"
    for weights in (field_weights, liif_weights, weights_path()):
        assert run("render", source, out, "--scale", 2, "--weights", weights) == 0
        assert load_image(out).shape == (32, 40, 3)
    assert run("build", source, tmp_path / "f.safetensors", "--weights", field_weights) == 0
    assert run("render", tmp_path / "f.safetensors", tmp_path / "again.png", "--scale", 2) == 0
    assert run("render", source, out, "--scale", 2, "--weights", field_weights) == 0
    np.testing.assert_array_equal(load_image(tmp_path / "again.png"), load_image(out))
    options = ("--scale", 2, "--weights", field_weights, "--pixel-sigma", 0.5)
    assert run("render", source, tmp_path / "soft.png", *options) == 0
    assert np.abs(load_image(tmp_path / "soft.png") - load_image(out)).max() > 0.01
    folder = tmp_path / "set"
    folder.mkdir()
    write_image(folder / "one.png", picture_of(32, 40).as_float())
    for weights, name in ((field_weights, "continuoussr"), (liif_weights, "liif")):
        capsys.readouterr()
        assert run("evaluate", folder, "--scales", 2, "--weights", weights) == 0
        assert name in capsys.readouterr().out


def test_weights_that_do_not_fit_the_command_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    liif_weights = small.save(tmp_path / "liif.pth", "liif", small.liif_args())
    source = tmp_path / "low.png"
    write_image(source, picture_of(8, 8).as_float())
    field = tmp_path / "f.safetensors"
    assert run("build", source, field, "--weights", liif_weights) == 1
    assert "makes no field" in capsys.readouterr().err
    assert not field.exists()
    assert run("build", source, field, "--weights", liif_weights, "--method", "kernel") == 1
    assert "leave --method out" in capsys.readouterr().err
    with pytest.raises(UserError, match="leave --method out"):
        render_file(source, tmp_path / "o.png", 2, method="kernel", weights=liif_weights)
    with pytest.raises(UserError, match="footprint"):
        render_file(source, tmp_path / "o.png", 2, pixel_sigma=-1)
    with pytest.raises(WeightsError):
        open_weights(source)
    build_field(picture_of(8, 8), "kernel").save(field)
    with pytest.raises(UserError, match="for pictures"):
        render_file(field, tmp_path / "o.png", 2, weights=liif_weights)
    odd = GaussianField([[1, 1]], [[1, 0, 1]], [[1.0]], (2, 2), {"pixel_sigma": "wide"})
    with pytest.raises(FieldError, match="footprint"):
        footprint_of(odd)


def test_a_precision_for_the_authors_weights_is_told_with_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "a.png"
    theirs = small.save(tmp_path / "csr.pth", "continuous-gaussian", small.continuoussr_args())
    write_image(picture, np.zeros((16, 20, 3), np.float32))
    said = "note: bfloat16 is for the authors' weights: it changes nothing here"
    for weights, told in (("light", True), (theirs, False)):
        options = ("--weights", weights, "--precision", "bfloat16")
        assert run("render", picture, tmp_path / "out.png", "--scale", 2, *options) == 0
        assert (said in capsys.readouterr().err) == told
        assert run("build", picture, tmp_path / "out.safetensors", *options) == 0
        assert (said in capsys.readouterr().err) == told
    assert run("render", picture, tmp_path / "out.png", "--scale", 2, *options[:2]) == 0
    assert said not in capsys.readouterr().err
