"""Image files: what is written is what is read, whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from gaussian_core import ImageWriter, OutputError, write_image
from gaussian_core.writing import tiff_encoder

SIZES = [(1, 1), (1, 7), (9, 1), (37, 53), (70, 3000)]


def levels(size: tuple[int, int], channels: int, bits: int) -> np.ndarray:
    kind = np.uint8 if bits == 8 else np.uint16
    shape = (*size, channels)
    smooth = np.add.outer(np.arange(size[0]) * 3, np.arange(size[1]) * 5)[..., None]
    noise = np.random.default_rng(1).integers(0, 20, shape)
    return ((smooth + noise) * (1 if bits == 8 else 97)).astype(kind)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("bits", [8, 16])
def test_png_and_tiff_hold_every_level(tmp_path: Path, size, channels, bits) -> None:
    pixels = levels(size, channels, bits)
    png, tiff = tmp_path / "a.png", tmp_path / "a.tiff"
    write_image(png, pixels, bits=bits)
    write_image(tiff, pixels, bits=bits)
    assert (imagecodecs.png_decode(png.read_bytes()).reshape(pixels.shape) == pixels).all()
    assert (tifffile.imread(tiff).reshape(pixels.shape) == pixels).all()
    with Image.open(png) as image:
        image.verify()  # the checksums
    with Image.open(png) as image:
        assert "srgb" in image.info


def test_bigtiff(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The branch beyond 4 GB, reached early."""
    monkeypatch.setattr(tiff_encoder, "CLASSIC_LIMIT", 0)
    monkeypatch.setattr(tiff_encoder, "STRIP_BYTES", 1000)
    pixels = levels((90, 70), 4, 16)
    write_image(tmp_path / "a.tif", pixels, bits=16)
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert file.is_bigtiff
        assert (file.asarray() == pixels).all()


@pytest.mark.parametrize("limit", [0, tiff_encoder.CLASSIC_LIMIT])
def test_a_tiff_has_all_that_its_baseline_asks_for(tmp_path: Path, monkeypatch, limit) -> None:
    """TIFF 6.0, section 6: strict programs refuse one without a resolution. Of pixels of the screen there is none."""
    monkeypatch.setattr(tiff_encoder, "CLASSIC_LIMIT", limit)
    write_image(tmp_path / "a.tif", levels((9, 7), 3, 8))
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        tags = file.pages.first.tags
        found = [tags[name].value for name in ("XResolution", "YResolution", "ResolutionUnit")]
        assert found == [(1, 1), (1, 1), 1]
        assert list(tags.keys()) == sorted(tags.keys()), "in rising order"


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_pieces_of_any_size_make_the_same_file(tmp_path: Path, monkeypatch, ending) -> None:
    monkeypatch.setattr(tiff_encoder, "STRIP_BYTES", 3000)
    pixels = levels((101, 60), 3, 8)
    whole, pieces = tmp_path / f"whole.{ending}", tmp_path / f"pieces.{ending}"
    write_image(whole, pixels)
    with ImageWriter(pieces, 60, 101) as writer:
        for top, bottom in ((0, 1), (1, 1), (1, 40), (40, 41), (41, 101)):
            block = pixels[top:bottom].copy()
            writer.write_rows(block)
            block[:] = 0  # a caller draws the next strip into the same array
    assert whole.read_bytes() == pieces.read_bytes()


@pytest.mark.parametrize("bits", [8, 16])
def test_floats_are_rounded_to_the_nearest_level_and_clipped(tmp_path: Path, bits) -> None:
    top = 2**bits - 1
    values = np.array([0.2, 0.49, 0.51, 1.4, 1.6, top - 0.51, top - 0.49, top]) / top
    row = np.concatenate([values, [-3, 7, np.inf, -np.inf, np.nan]]).astype(np.float32)[None, :]
    write_image(tmp_path / "a.png", row, bits=bits)
    got = imagecodecs.png_decode((tmp_path / "a.png").read_bytes()).ravel().tolist()
    assert got == [0, 0, 1, 1, 2, top - 1, top, top, 0, top, top, 0, 0]


def test_integers_change_their_depth_without_a_shift(tmp_path: Path) -> None:
    all_levels = np.arange(256, dtype=np.uint8)[None, :]
    write_image(tmp_path / "deep.png", all_levels, bits=16)
    deep = imagecodecs.png_decode((tmp_path / "deep.png").read_bytes())
    assert (deep.ravel() == all_levels.ravel().astype(np.uint16) * 257).all()
    write_image(tmp_path / "flat.png", deep)
    assert (imagecodecs.png_decode((tmp_path / "flat.png").read_bytes()) == all_levels).all()
    between = np.array([[128, 129, 65406, 65407]], np.uint16)  # to the nearest one
    write_image(tmp_path / "flat.png", between)
    got = imagecodecs.png_decode((tmp_path / "flat.png").read_bytes())
    assert got.ravel().tolist() == [0, 1, 254, 255]


@pytest.mark.parametrize("ending", ["jpg", "jpeg", "webp", "bmp", "JPG"])
@pytest.mark.parametrize("channels", [1, 3])
def test_formats_collected_in_memory(tmp_path: Path, ending, channels) -> None:
    ramp = np.linspace(0, 1, 64, dtype=np.float32)
    pixels = np.repeat(np.add.outer(ramp, ramp)[..., None] / 2, channels, axis=2)
    path = tmp_path / f"a.{ending}"
    write_image(path, pixels)
    with Image.open(path) as image:
        got = np.asarray(image.convert("RGB")) / 255
    assert np.abs(got - pixels).max() < 0.03


def test_webp_keeps_transparency(tmp_path: Path) -> None:
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[:4] = (200, 100, 50, 255)
    write_image(tmp_path / "a.webp", pixels)
    with Image.open(tmp_path / "a.webp") as image:
        alpha = np.asarray(image)[..., 3]
    assert (alpha[:4] == 255).all() and (alpha[4:] == 0).all()


@pytest.mark.parametrize(
    ("name", "size", "options", "says"),
    [
        ("a", (5, 5), {}, "no ending"),
        ("a.xyz", (5, 5), {}, r"\.xyz"),
        ("a.jpg", (5, 5), {"bits": 16}, "8 bits"),
        ("a.jpg", (5, 5), {"channels": 4}, "transparency"),
        ("a.jpg", (70_000, 1), {}, "65,500"),
        ("a.webp", (1, 20_000), {}, "16,383"),
        ("a.bmp", (40_000, 40_000), {}, "too many"),
        ("a.png", (2**31, 4), {}, "ask for a smaller scale"),
        ("a.webp", (20_000, 4), {}, "write it as TIFF or PNG"),
        ("missing/a.png", (5, 5), {}, "no folder"),
    ],
)
def test_what_cannot_be_written_is_said_at_once(tmp_path: Path, name, size, options, says) -> None:
    with pytest.raises(OutputError, match=says) as caught:
        ImageWriter(tmp_path / name, *size, **options)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ending", ["png", "tif", "jpg", "webp", "bmp"])
@pytest.mark.parametrize("fault", [RuntimeError, KeyboardInterrupt, OSError])
def test_a_fault_leaves_the_file_before(tmp_path: Path, ending, fault) -> None:
    """The caller's own exception comes out as it is, an OSError too: it was not the writing that failed."""
    path = tmp_path / f"a.{ending}"
    path.write_bytes(b"the one before")

    def rows():
        yield np.zeros((5, 10, 3), np.uint8)
        raise fault

    with pytest.raises(fault):
        write_image(path, rows(), size=(10, 10))
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == b"the one before"


@pytest.mark.parametrize("shape", [(5,), (2, 3, 4, 3), (0, 0, 3), (4, 0, 3), (4, 4, 5)])
def test_what_is_no_picture_is_said_and_makes_no_file(tmp_path: Path, shape) -> None:
    with pytest.raises(ValueError, match="picture"):
        write_image(tmp_path / "a.png", np.zeros(shape, np.float32))
    assert not list(tmp_path.iterdir())


def test_a_tensor_is_written_as_the_array_that_it_is(tmp_path: Path) -> None:
    import torch

    pixels = np.random.default_rng(0).random((5, 7, 3), np.float32)
    tensor = torch.from_numpy(pixels).permute(2, 0, 1).permute(1, 2, 0)
    write_image(tmp_path / "a.png", pixels)
    write_image(tmp_path / "b.png", tensor)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_missing_rows_make_no_file(tmp_path: Path) -> None:
    with (
        pytest.raises(ValueError, match="5 of 10"),
        ImageWriter(tmp_path / "a.png", 9, 10) as writer,
    ):
        writer.write_rows(np.zeros((5, 9, 3), np.float32))
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
@pytest.mark.parametrize("ending", ["png", "tif", "jpg", "bmp"])
def test_a_full_disk_is_said_in_one_line(tmp_path: Path, monkeypatch, ending) -> None:
    real = open

    def always_full(name, mode="r", **options):
        return real("/dev/full" if str(name).endswith(".part") else name, mode, **options)

    monkeypatch.setattr("builtins.open", always_full)
    noise = np.random.default_rng(0).integers(0, 256, (2000, 1000, 3)).astype(np.uint8)
    with pytest.raises(OutputError, match="No space left") as caught:
        write_image(tmp_path / f"a.{ending}", noise)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_streaming_holds_little_in_memory(tmp_path: Path) -> None:
    import tracemalloc

    strip = np.random.default_rng(0).integers(0, 256, (50, 2000, 3)).astype(np.uint8)
    for ending in ("png", "tif"):
        with ImageWriter(tmp_path / f"a.{ending}", 2000, 5000) as writer:
            writer.write_rows(strip)  # compiles the filter
            tracemalloc.start()
            for _ in range(99):
                writer.write_rows(strip)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert peak < 8e6, ending  # the picture: 30 MB
