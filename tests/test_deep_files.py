"""Pictures of more than 8 bits a channel in formats of which Pillow gives 8: Netpbm's, JPEG 2000 and AVIF."""

from __future__ import annotations

from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from gaussian_core import ImageError, load_image, open_picture
from gaussian_core.images import open_overview
from gaussian_core.imaging.losses import Losses
from gaussian_core.picture_folders import SUFFIXES

HIGH, WIDE = 24, 32
Y, X = np.mgrid[:HIGH, :WIDE]
SHARES = np.stack([X / (WIDE - 1), Y / (HIGH - 1), (X * 3 + Y * 5) % 40 / 39, (X + Y) / 54], -1)
"""Red, green, blue and opacity from 0 to 1."""


def numbers(channels: int, top: int) -> np.ndarray:
    """(H, W, channels) from 0 to top. 1 and 2: red as grey."""
    planes = {1: [0], 2: [0, 3], 3: [0, 1, 2], 4: [0, 1, 2, 3]}[channels]
    return (SHARES[..., planes] * top + 0.5).astype(np.uint8 if top < 256 else np.uint16)


def check(path: Path, values: np.ndarray, top: int, bits: int = 16) -> None:
    """That a file comes out as those values, and its first look, too."""
    picture, channels = open_picture(path), values.shape[2]
    assert picture.bits == bits and (picture.alpha is not None) == (channels in (2, 4))
    colours = values[..., : 3 if channels >= 3 else 1] / top
    near = 0.51 / picture.full
    assert np.abs(picture.pixels / picture.full - colours).max() <= near
    if channels in (2, 4):
        assert np.abs(picture.alpha / picture.full - values[..., -1] / top).max() <= near
    look, size = open_overview(path, 1000)
    assert size == (WIDE, HIGH) and np.abs(look[..., :3] / 255 - colours).max() <= 0.51 / 255


# ---- Netpbm -------------------------------------------------------------------------------------


@pytest.mark.parametrize("top", [1, 100, 255, 256, 1023, 4095, 65535])
@pytest.mark.parametrize("kind", ["P2", "P3", "P5", "P6"])
def test_netpbm_of_any_depth(tmp_path: Path, kind: str, top: int) -> None:
    values = numbers(1 if kind in ("P2", "P5") else 3, top)
    head = f"{kind}\n# from a camera\n{WIDE} {HIGH}\n{top}\n".encode()
    raw = values.astype(np.uint8 if top < 256 else ">u2").tobytes()
    text = " ".join(map(str, values.ravel())).encode()
    path = tmp_path / "a.pnm"
    path.write_bytes(head + (text if kind in ("P2", "P3") else raw))
    check(path, values, top, 8 if top < 256 else 16)


@pytest.mark.parametrize("top", [1, 255, 1000, 65535])
@pytest.mark.parametrize(
    "kind", ["GRAYSCALE", "GRAYSCALE_ALPHA", "RGB", "RGB_ALPHA", "", "BLACKANDWHITE"]
)
def test_pam(tmp_path: Path, kind: str, top: int) -> None:
    channels = 3 if not kind else {"G": 1, "R": 3, "B": 1}[kind[0]] + kind.endswith("ALPHA")
    values = numbers(channels, top)
    path = tmp_path / "a.pam"
    path.write_bytes(
        f"P7\nWIDTH {WIDE}\n# wide\nHEIGHT {HIGH}\nDEPTH {channels}\nMAXVAL {top}\n".encode()
        + (f"TUPLTYPE {kind}\n" if kind else "").encode()
        + b"ENDHDR\n"
        + values.astype(np.uint8 if top < 256 else ">u2").tobytes()
    )
    check(path, values, top, 8 if top < 256 else 16)
    assert path.suffix in SUFFIXES


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("channels", [1, 3])
def test_pfm(tmp_path: Path, channels: int, order: str) -> None:
    """Rows from the bottom up; a negative scale is little-endian."""
    values = (SHARES[..., :channels] * 1.5).astype(np.float32)
    head = f"{'Pf' if channels == 1 else 'PF'}\n{WIDE} {HIGH}\n{'-' if order == '<' else ''}1.0\n"
    (tmp_path / "a.pfm").write_bytes(head.encode() + values[::-1].astype(order + "f4").tobytes())
    picture = open_picture(tmp_path / "a.pfm")
    assert (picture.pixels == values).all() and picture.bits == 32
    assert "above 1 white" in picture.note


def test_a_map_of_disparities_is_shown_from_black_to_white(tmp_path: Path) -> None:
    values = (10 + 60 * SHARES[..., 0]).astype(np.float32)
    values[3, 4] = np.inf  # where nothing was found
    (tmp_path / "a.pfm").write_bytes(
        f"Pf\n{WIDE} {HIGH}\n-1\n".encode() + values[::-1].astype("<f4").tobytes()
    )
    picture = open_picture(tmp_path / "a.pfm")
    want = SHARES[..., 0].copy()
    want[3, 4] = 0
    assert np.abs(picture.pixels[..., 1] - want).max() < 1e-5
    assert picture.note.startswith("its values are shown from 10 (black) to 70 (white); black, too")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"P6\n32 24\n65535\n" + bytes(500), "cut short"),
        (b"P3\n32 24\n65535\n1 2 3", "cut short"),
        (b"P3\n1 1\n65535\n1 2 x", "damaged"),
        (b"P6\n32 24\n", "cut short"),
        (b"P6\n32 24\n70000\n" + bytes(9000), "full brightness"),
        (b"P5\n32 24\n0\n" + bytes(9000), "full brightness"),
        (b"P6\n0 24\n65535\n", "claims 0 x 24"),
        (b"P6\n99999 99999\n65535\n", "megapixels"),
        (b"P5\nwide 24\n65535\n", "damaged"),
        (b"PF\n3 2\nnan\n" + bytes(72), "full brightness"),
        (b"P7\nWIDTH 3\nHEIGHT 2\n", "cut short"),
        (b"P7\nWIDTH 3\nHEIGHT 2\nDEPTH 9\nMAXVAL 255\nENDHDR\n" + bytes(54), "9 channels"),
        (b"P7\nWIDTH 3\nHEIGHT 2\nMAXVAL 255\nDEPTH 4\nTUPLTYPE CMYK\nENDHDR\n", "CMYK"),
    ],
    ids=lambda value: value[:24].decode().replace("\n", " ") if isinstance(value, bytes) else "",
)
def test_what_is_wrong_with_a_netpbm_file_is_said_in_one_line(tmp_path, data, says) -> None:
    path = tmp_path / "a.ppm"
    path.write_bytes(data)
    with pytest.raises(ImageError, match=says) as caught:
        open_picture(path)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)


# ---- JPEG 2000 and AVIF ---------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", ["jp2", "j2k"])
def test_jpeg_2000_in_its_depth(tmp_path: Path, kind, channels, bits) -> None:
    values = numbers(channels, (1 << bits) - 1)
    stored = values[..., 0] if channels == 1 else values
    path = tmp_path / f"a.{kind}"
    path.write_bytes(
        imagecodecs.jpeg2k_encode(
            stored, level=0, reversible=True, bitspersample=bits, codecformat=kind
        )
    )
    check(path, values, (1 << bits) - 1, 8 if bits == 8 else 16)
    assert (load_image(path).max(axis=(0, 1)) == 1).all(), "white is not black"


@pytest.mark.parametrize("bits", [8, 10, 12])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_avif_in_its_depth(tmp_path: Path, channels: int, bits: int) -> None:
    top = (1 << bits) - 1
    values = numbers(channels, top)
    path = tmp_path / "a.avif"
    stored = values[..., 0] if channels == 1 else values
    path.write_bytes(imagecodecs.avif_encode(stored, level=100, bitspersample=bits))
    picture = open_picture(path)
    assert picture.bits == (8 if bits == 8 else 16) and picture.losses == Losses("AVIF")
    colours = values[..., : 3 if channels >= 3 else 1] / top
    hidden = 0 if channels in (1, 3) else (values[..., -1:] == 0)
    assert (np.abs(picture.pixels / picture.full - colours) * (1 - hidden)).max() <= 1.1 / top
    if channels in (2, 4):
        assert np.abs(picture.alpha / picture.full - values[..., -1] / top).max() <= 1.1 / top
    else:
        assert picture.alpha is None


@pytest.mark.parametrize("kind", ["jp2", "avif"])
def test_deep_files_cut_short_or_damaged(tmp_path: Path, kind: str) -> None:
    values = np.random.default_rng(0).integers(0, 1024, (60, 70, 3)).astype(np.uint16)
    if kind == "jp2":
        data = imagecodecs.jpeg2k_encode(values, level=0, reversible=True, bitspersample=10)
    else:
        data = imagecodecs.avif_encode(values, level=90, bitspersample=10)
    path, said = tmp_path / f"a.{kind}", []
    generator = np.random.default_rng(3)
    for share in (0.02, 0.1, 0.5, 0.97, *[1.0] * 25):
        part = bytearray(data[: int(len(data) * share)])
        if share == 1:
            for place in generator.integers(0, 400, 4):
                part[place] = generator.integers(0, 256)
        path.write_bytes(part)
        try:
            open_picture(path)
        except ImageError as error:
            said.append(str(error))
        else:
            assert share == 1
    assert len(said) > 8 and not any("\n" in message for message in said)


def test_a_jpeg_2000_file_does_not_claim_more_than_its_header_says(tmp_path: Path) -> None:
    data = bytearray(imagecodecs.jpeg2k_encode(numbers(3, 65535), level=0, codecformat="jp2"))
    place = data.find(b"\xff\x4f\xff\x51") + 8
    data[place : place + 8] = (60_000).to_bytes(4, "big") * 2
    (tmp_path / "a.jp2").write_bytes(data)
    with pytest.raises(ImageError, match="megapixels"):
        open_picture(tmp_path / "a.jp2")


def test_jpeg_2000_with_a_sign_is_not_shown_wrongly(tmp_path: Path) -> None:
    values = numbers(1, 4095)[..., 0].astype(np.int16) - 2048
    path = tmp_path / "a.jp2"
    path.write_bytes(imagecodecs.jpeg2k_encode(values, level=0, reversible=True, codecformat="jp2"))
    with pytest.raises(ImageError, match="channels that cannot be read: save it as TIFF or PNG"):
        open_picture(path)


def test_frames_of_an_avif_of_10_bits(tmp_path: Path) -> None:
    """Nothing here writes one; the decoder at hand would give all frames of an animation."""
    still = imagecodecs.avif_encode(numbers(3, 1023), level=100, bitspersample=10)
    (tmp_path / "a.avif").write_bytes(still)
    first = Image.fromarray(numbers(3, 255))
    first.save(tmp_path / "b.avif", save_all=True, append_images=[first.rotate(180)] * 2)
    assert open_picture(tmp_path / "a.avif").note == ""
    assert open_picture(tmp_path / "b.avif").note == "first of 3 frames"
