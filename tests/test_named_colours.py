"""Colours that a file names without a profile: PNG's gAMA, cHRM and cICP, AVIF's nclx."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from gaussian_core import open_picture
from gaussian_core.images import open_overview
from tests.test_images import ADOBE_RGB, DEEP, MUTED, RGB, adobe_to_srgb

P3_TO_SRGB = [[1.22494, -0.22494, 0], [-0.04206, 1.04206, 0], [-0.01964, -0.07864, 1.09828]]
SRGB_PLACES = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
ADOBE_PLACES = (31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000)


def linear(encoded: np.ndarray) -> np.ndarray:
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def srgb(light: np.ndarray) -> np.ndarray:
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def gamma(value: int) -> tuple[bytes, bytes]:
    return b"gAMA", struct.pack(">I", value)


def places(values: tuple[int, ...]) -> tuple[bytes, bytes]:
    return b"cHRM", struct.pack(">8I", *values)


def png(path: Path, pixels: np.ndarray, *chunks: tuple[bytes, bytes]) -> Path:
    """A PNG with more chunks behind its header."""
    data = imagecodecs.png_encode(np.ascontiguousarray(pixels))
    more = b""
    for name, body in chunks:
        more += (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )
    path.write_bytes(data[:33] + more + data[33:])
    return path


@pytest.mark.parametrize(
    "pixels", [RGB, DEEP, RGB[..., 0], DEEP[..., 0]], ids=["8", "16", "8 grey", "16 grey"]
)
def test_linear_light(tmp_path: Path, pixels) -> None:
    picture = open_picture(png(tmp_path / "a.png", pixels, gamma(100_000)))
    want = srgb(pixels / float(np.iinfo(pixels.dtype).max))
    want = want if want.ndim == 3 else want[..., None]
    assert np.abs(picture.pixels / picture.full - want).max() < 1.6 / 255
    assert picture.note == "converted from the colours that it names"
    look, _ = open_overview(tmp_path / "a.png", 1000)
    assert np.abs(look / 255 - want).max() < 2.1 / 255


def test_primaries(tmp_path: Path) -> None:
    path = png(tmp_path / "a.png", MUTED, gamma(45_455), places(ADOBE_PLACES))
    want = adobe_to_srgb(MUTED / 255)
    assert np.abs(open_picture(path).pixels / 255 - want).max() < 1.6 / 255


@pytest.mark.parametrize(
    "chunks",
    [
        [gamma(45_455)],
        [gamma(45_455), places(SRGB_PLACES)],
        [(b"sRGB", b"\0"), gamma(100_000)],
        [(b"cICP", bytes([1, 13, 0, 1])), gamma(100_000)],
        [gamma(0)],
        [places(ADOBE_PLACES)],
    ],
    ids=["2.2", "sRGB named", "sRGB said", "sRGB by its number", "nonsense", "no gamma"],
)
def test_srgb_by_other_names_is_left_alone(tmp_path: Path, chunks) -> None:
    picture = open_picture(png(tmp_path / "a.png", RGB, *chunks))
    assert (picture.pixels == RGB).all() and picture.note == ""


@pytest.mark.parametrize("pixels", [RGB, DEEP], ids=["8", "16"])
@pytest.mark.parametrize(
    "impossible", [(0,) * 8, (31270, 32900, *(30000,) * 6)], ids=["zeros", "one place"]
)
def test_primaries_that_cannot_be_are_left_out(tmp_path: Path, pixels, impossible) -> None:
    path = png(tmp_path / "a.png", pixels, gamma(45_455), places(impossible))
    picture = open_picture(path)
    assert (picture.pixels == pixels).all()
    assert picture.note == "the colours that it names are damaged and were left out"
    assert open_overview(path, 1000)[1] == (picture.width, picture.height)


def test_a_profile_counts_before_all_names(tmp_path: Path) -> None:
    Image.fromarray(MUTED).save(tmp_path / "a.png", icc_profile=ADOBE_RGB)
    want = open_picture(tmp_path / "a.png").pixels
    profile = (b"iCCP", b"a\0\0" + zlib.compress(ADOBE_RGB))
    path = png(tmp_path / "b.png", MUTED, profile, gamma(100_000))
    assert (open_picture(path).pixels == want).all()


def test_display_p3_by_its_number(tmp_path: Path) -> None:
    want = srgb(linear(MUTED / 255) @ np.transpose(P3_TO_SRGB))
    path = png(tmp_path / "a.png", MUTED, (b"cICP", bytes([12, 13, 0, 1])))
    assert np.abs(open_picture(path).pixels / 255 - want).max() < 1.6 / 255
    deep = png(tmp_path / "d.png", MUTED.astype(np.uint16) * 257, (b"cICP", bytes([12, 13, 0, 1])))
    assert np.abs(open_picture(deep).pixels / 65535 - want).max() < 1e-3
    avif = tmp_path / "a.avif"
    Image.fromarray(MUTED).save(avif, quality=100, subsampling="4:4:4")
    plain = open_picture(avif).pixels / 255
    data = avif.read_bytes()
    place = data.index(b"colrnclx") + 8
    avif.write_bytes(data[:place] + struct.pack(">HH", 12, 13) + data[place + 4 :])
    want = srgb(linear(plain) @ np.transpose(P3_TO_SRGB))
    assert np.abs(open_picture(avif).pixels / 255 - want).max() < 2.1 / 255


def test_hdr_is_said(tmp_path: Path) -> None:
    path = png(tmp_path / "a.png", DEEP, (b"cICP", bytes([9, 16, 0, 1])))
    picture = open_picture(path)
    assert (picture.pixels == DEEP).all() and "HDR" in picture.note
