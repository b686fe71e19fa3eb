"""Pictures of more than 8 bits a channel, and in channels and colours, that Pillow does not give as they are."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from gaussian_core import ImageError, load_image, open_picture
from gaussian_core.images import open_overview
from gaussian_core.imaging import lazy_tiff
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
    (tmp_path / "a.pfm").write_bytes(
        head.replace("1.0", "255").encode() + values[::-1].astype(order + "f4").tobytes()
    )
    assert (open_picture(tmp_path / "a.pfm").pixels == values).all()


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
        (b"P7 and other notes", "not a picture"),
        (b"P6" + b"#" * 70_000, "cut short"),
        (b"P6" + b"# \n" * 30_000 + b"x", "cut short"),
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


ADOBE_RGB = imagecodecs.cms_profile(
    "rgb",
    whitepoint=[0.3127, 0.3290, 1.0],
    primaries=[0.64, 0.33, 1, 0.21, 0.71, 1, 0.15, 0.06, 1],
    gamma=2.19921875,
)


@pytest.mark.parametrize("bits", [8, 10, 16])
def test_the_colour_profile_of_a_jpeg_2000_file(tmp_path: Path, bits: int) -> None:
    """In the place of its box of named colours."""
    top = (1 << bits) - 1
    muted = (64 * top // 255 + numbers(3, top) // 2).astype(np.uint8 if bits == 8 else np.uint16)
    data = imagecodecs.jpeg2k_encode(
        muted, level=0, reversible=True, bitspersample=bits, codecformat="jp2"
    )
    place = data.find(b"colr") - 4
    box = (11 + len(ADOBE_RGB)).to_bytes(4, "big") + b"colr\2\0\0" + ADOBE_RGB
    header = data.find(b"jp2h") - 4
    longer = int.from_bytes(data[header : header + 4], "big") + len(box) - 15
    data = (
        data[:header]
        + longer.to_bytes(4, "big")
        + data[header + 4 : place]
        + box
        + data[place + 15 :]
    )
    (tmp_path / "a.jp2").write_bytes(data)
    wide = (muted.astype(np.uint32) * 65535 // top).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", wide, photometric="rgb", iccprofile=ADOBE_RGB)
    got, want = open_picture(tmp_path / "a.jp2"), open_picture(tmp_path / "a.tif")
    near = 0.05 if bits > 8 else 8  # as tables of 8 bits are
    assert np.abs(got.as_float() - want.as_float()).max() < near / 255 and got.note == want.note
    assert "converted from" in got.note and got.bits == (8 if bits == 8 else 16)


# ---- PNG and TIFF ---------------------------------------------------------------------------------


def png(colour: int, bits: int, values: np.ndarray, *more: tuple[bytes, bytes]) -> bytes:
    """values: (H, W, channels). more: chunks before the pixels."""

    def chunk(name: bytes, body: bytes) -> bytes:
        summed = name + body
        return struct.pack(">I", len(body)) + summed + struct.pack(">I", zlib.crc32(summed))

    places = (values.reshape(len(values), -1, 1) >> np.arange(bits - 1, -1, -1)) & 1
    rows = np.packbits(places.reshape(len(values), -1).astype(np.uint8), axis=1)
    raw = b"".join(b"\0" + row.tobytes() for row in rows)
    head = struct.pack(">IIBBBBB", values.shape[1], len(values), bits, colour, 0, 0, 0)
    parts = [(b"IHDR", head), *more, (b"IDAT", zlib.compress(raw)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_the_grey_that_stands_for_transparent(tmp_path: Path, bits: int) -> None:
    top = (1 << bits) - 1
    grey = numbers(1, top)
    for clear in {0, 1, top // 2, top}:
        data = png(0, bits, grey, (b"tRNS", struct.pack(">H", clear)))
        (tmp_path / "a.png").write_bytes(data)
        picture = open_picture(tmp_path / "a.png")
        assert picture.alpha is not None or not (grey == clear).any()
        if picture.alpha is not None:
            np.testing.assert_array_equal(picture.alpha == 0, grey[..., 0] == clear)


def test_a_png_without_pixels_is_said_to_be_damaged(tmp_path: Path) -> None:
    grey = png(0, 2, numbers(1, 3), (b"tRNS", b"\0\1"), (b"gAMA", struct.pack(">I", 100_000)))
    place = grey.find(b"IDAT") - 4
    (tmp_path / "a.png").write_bytes(grey[:place] + grey[-12:])
    for forgiving in (False, True):
        with pytest.raises(ImageError, match=r"damaged|cut short"):
            open_picture(tmp_path / "a.png", forgiving=forgiving)


def test_a_png_whose_header_is_damaged_is_not_called_another_format(tmp_path: Path) -> None:
    grey = numbers(1, 255)
    whole, path = png(0, 8, grey), tmp_path / "a.png"
    for data in (whole[:8], whole[:30], whole[:24] + b"\5" + whole[25:]):
        path.write_bytes(data)
        for forgiving in (False, True):
            with pytest.raises(ImageError, match="is a damaged PNG picture, or one cut short"):
                open_picture(path, forgiving=forgiving)
    # All is there but the header's checksum, as after one bit that fell over.
    path.write_bytes(whole[:29] + b"\0" + whole[30:])
    found = open_picture(path, forgiving=True)
    np.testing.assert_array_equal(found.pixels, np.broadcast_to(grey, found.pixels.shape))
    assert "damaged" in found.damage


def test_a_png_with_a_long_text_and_a_large_profile_opens(tmp_path: Path) -> None:
    """Where Pillow by itself refuses the whole picture: what ImageMagick writes of a layered file, or a printer's."""
    grey = numbers(1, 255)
    packed = zlib.compress(bytes(3 << 20))
    more = ((b"zTXt", b"Raw\0\0" + packed), (b"iCCP", b"wide\0\0" + packed))
    for kind in more:
        (tmp_path / "a.png").write_bytes(png(0, 8, grey, kind))
        found = open_picture(tmp_path / "a.png")
        np.testing.assert_array_equal(found.pixels, np.broadcast_to(grey, found.pixels.shape))


def test_a_gamma_of_grey_with_opacity(tmp_path: Path) -> None:
    pictures = []
    for bits in (8, 16):
        data = png(4, bits, numbers(2, (1 << bits) - 1), (b"gAMA", struct.pack(">I", 100_000)))
        (tmp_path / f"{bits}.png").write_bytes(data)
        pictures.append(open_picture(tmp_path / f"{bits}.png"))
    assert pictures[0].note == pictures[1].note != ""
    shown = pictures[0].alpha > 0
    seen = [picture.pixels / picture.full for picture in pictures]
    assert np.abs(seen[0] - seen[1])[shown].max() < 7 / 255, "linear: the darkest levels lie apart"
    assert pictures[1].bits == 16


def test_an_interlaced_png_of_16_bits_prints_nothing(tmp_path: Path, caplog, capfd) -> None:
    values = numbers(3, 65535)[:8, :8]
    passes = [
        values[0::8, 0::8], values[0::8, 4::8], values[4::8, 0::4], values[0::4, 2::4],
        values[2::4, 0::2], values[0::2, 1::2], values[1::2, :],
    ]  # fmt: skip
    raw = b"".join(b"\0" + row.astype(">u2").tobytes() for part in passes for row in part)
    data = bytearray(png(2, 16, values))
    data[28] = 1  # of the header
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    packed = zlib.compress(raw)
    body = b"IDAT" + packed
    data[33:] = len(packed).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    (tmp_path / "a.png").write_bytes(bytes(data) + b"\0\0\0\0IEND\xaeB`\x82")
    assert (open_picture(tmp_path / "a.png").pixels == values).all()
    assert not caplog.records and capfd.readouterr() == ("", "")


WHITE, GREY, COLOUR, INK = "miniswhite", "minisblack", "rgb", "separated"
MASK, OPACITY = "unspecified", "unassalpha"


@pytest.mark.parametrize(
    "layout",
    [{}, {"tile": (16, 16)}, {"planarconfig": "separate"}, {"compression": "lzw"}],
    ids=str,
)
@pytest.mark.parametrize(
    ("colours", "extra"),
    [
        *((WHITE, extra) for extra in ([OPACITY], [MASK], [MASK, OPACITY])),
        *((GREY, extra) for extra in ([MASK, MASK], [MASK, OPACITY])),
        (COLOUR, [MASK, OPACITY]),
        *((INK, extra) for extra in ([OPACITY], [MASK, OPACITY])),
    ],
    ids=str,
)
def test_bytes_in_channels_that_pillow_does_not_know(
    tmp_path: Path, monkeypatch, colours, extra, layout
) -> None:
    """They come out as the same picture of 16 bits does, read whole and read as it is looked at."""
    shown = numbers(3, 255) if colours in (COLOUR, INK) else numbers(1, 255)
    stored = shown if colours in (COLOUR, GREY) else 255 - shown
    if colours == INK:
        stored = np.dstack([stored, np.zeros_like(stored[..., :1])])
    opacity = numbers(4, 255)[..., 3:]
    more = [opacity if kind == OPACITY else 255 - opacity // 3 for kind in extra]
    values = np.dstack([stored, *more])
    if "planarconfig" in layout:
        values = np.moveaxis(values, -1, 0).copy()
    options = {"planarconfig": "contig", **layout, "photometric": colours, "extrasamples": extra}
    tifffile.imwrite(tmp_path / "8.tif", values, **options)
    tifffile.imwrite(tmp_path / "16.tif", values.astype(np.uint16) * 257, **options)
    picture, deep = open_picture(tmp_path / "8.tif"), open_picture(tmp_path / "16.tif")
    assert picture.bits == 8 and picture.note == deep.note
    assert (picture.pixels == shown).all()
    assert (picture.pixels.astype(np.uint16) * 257 == deep.pixels).all()
    assert (picture.alpha is None) == (OPACITY not in extra)
    if picture.alpha is not None:
        assert (picture.alpha == opacity[..., 0]).all()
    monkeypatch.setattr(lazy_tiff, "LAZY_FROM", 1)
    lazy = open_picture(tmp_path / "8.tif")
    assert isinstance(lazy, lazy_tiff.LazyTiff) and lazy.note == picture.note
    got = lazy.stored((3, 5, 30, 20))
    assert (got[0] == picture.pixels[5:20, 3:30]).all()
    assert (got[1] is None) == (picture.alpha is None)
    assert got[1] is None or (got[1] == picture.alpha[5:20, 3:30]).all()


@pytest.mark.parametrize("bits", [2, 4, 6])
def test_colours_of_few_bits(tmp_path: Path, bits: int) -> None:
    values = numbers(3, (1 << bits) - 1)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb", bitspersample=bits)
    check(tmp_path / "a.tif", values, (1 << bits) - 1, 8)


@pytest.mark.parametrize("top", [255, 65535])
def test_of_many_channels_the_first_is_shown_and_that_is_said(tmp_path: Path, top: int) -> None:
    bands = np.dstack([numbers(3, top)] * 2)
    tifffile.imwrite(tmp_path / "a.tif", bands, photometric="minisblack", planarconfig="contig")
    picture = open_picture(tmp_path / "a.tif")
    assert picture.note == "first of 6 channels" and (picture.pixels == bands[..., :1]).all()


@pytest.mark.parametrize("kind", [np.uint32, np.uint64])
def test_numbers_of_things_are_not_all_black(tmp_path: Path, monkeypatch, kind) -> None:
    """As labels and counts are stored: brightness would fill the 32 bits."""
    path = tmp_path / "a.tif"
    labels = (SHARES[..., 0] * 1000).astype(kind)
    tifffile.imwrite(path, labels, photometric="minisblack", tile=(16, 16))
    picture = open_picture(path)
    assert picture.note == "its values are shown from 0 (black) to 1000 (white)"
    assert np.abs(picture.pixels[..., 1] - labels / 1000).max() < 1e-6
    monkeypatch.setattr(lazy_tiff, "LAZY_FROM", 1)
    assert (open_picture(path).stored((0, 0, WIDE, HIGH))[0] == picture.pixels).all()
    top = np.iinfo(kind).max
    tifffile.imwrite(path, (SHARES[..., 0] * (top // 2)).astype(kind), photometric="minisblack")
    assert np.abs(open_picture(path).as_float()[..., 1] - SHARES[..., 0] / 2).max() < 1e-6


def test_floats_in_wide_colours_are_not_far_below_black(tmp_path: Path) -> None:
    """Saturated green of Adobe RGB lacks red in sRGB: none is to be there, as of integers."""
    green = np.zeros((HIGH, WIDE, 3), np.float32)
    green[:, 16:] = (0.2, 0.8, 0.2)
    tifffile.imwrite(tmp_path / "f.tif", green, photometric="rgb", iccprofile=ADOBE_RGB)
    deep = (green * 65535).astype(np.uint16)
    tifffile.imwrite(tmp_path / "u.tif", deep, photometric="rgb", iccprofile=ADOBE_RGB)
    floats, whole = (open_picture(tmp_path / name) for name in ("f.tif", "u.tif"))
    assert np.abs(floats.as_float() - whole.as_float()).max() < 1e-3
    assert floats.pixels.min() == 0 and floats.note == whole.note


def test_lab_of_8_bits_is_exact(tmp_path: Path) -> None:
    """By the definitions of CIELab and sRGB, and Bradford's adaptation from D50 to D65."""
    stored = np.stack([X * 8, 100 + Y * 2, 128 + (X * 5) % 40 - Y], -1).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", stored ^ np.uint8([0, 128, 128]), photometric="cielab")
    light, a, b = stored[..., 0] / 255 * 100, stored[..., 1] - 128.0, stored[..., 2] - 128.0
    y = (light + 16) / 116
    planes = np.stack([y + a / 500, y, y - b / 200], -1)
    linear = np.where(planes > 6 / 29, planes**3, 3 * (6 / 29) ** 2 * (planes - 4 / 29))
    bradford = [
        [0.95558, -0.02304, 0.06316],
        [-0.02829, 1.00994, 0.02101],
        [0.0123, -0.02048, 1.32991],
    ]
    to_rgb = [
        [3.24045, -1.53714, -0.49853],
        [-0.96927, 1.87601, 0.04156],
        [0.05564, -0.20403, 1.05723],
    ]
    rgb = np.clip(
        linear * (0.9642, 1, 0.8249) @ np.transpose(bradford) @ np.transpose(to_rgb), 0, 1
    )
    want = np.where(rgb <= 0.0031308, 12.92 * rgb, 1.055 * rgb ** (1 / 2.4) - 0.055)
    assert np.abs(open_picture(tmp_path / "a.tif").as_float() - want).max() < 2 / 255
