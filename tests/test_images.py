"""Pictures come out upright, in sRGB and in full depth; what is no picture is said in one line."""

from __future__ import annotations

import ctypes
import io
import os
import struct
import threading
import warnings
import zlib
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms, ImageOps
from skimage.color import rgb2lab

from gaussian_core import ImageError, Picture, images, load_image, open_picture
from gaussian_core.images import open_overview
from gaussian_core.imaging import files
from gaussian_core.machine import memory
from tests.shared_data import shared_path

ADOBE_RGB = imagecodecs.cms_profile(
    "rgb",
    whitepoint=[0.3127, 0.3290, 1.0],
    primaries=[0.64, 0.33, 1, 0.21, 0.71, 1, 0.15, 0.06, 1],
    gamma=2.19921875,
)


def colours(height: int = 30, width: int = 40) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.stack(
        [x * 255 // max(1, width - 1), y * 255 // max(1, height - 1), (x + y) % 256], -1
    ).astype(np.uint8)


RGB = colours()
DEEP = RGB.astype(np.uint16) * 256 + RGB[..., ::-1]  # not 8 bits widened


@pytest.mark.parametrize("ending", ["png", "tif", "bmp", "webp", "jp2", "ppm", "tga", "qoi"])
def test_lossless_files_give_their_pixels(tmp_path: Path, ending) -> None:
    path = tmp_path / f"a.{ending}"
    options: dict[str, Any] = {"lossless": True} if ending == "webp" else {}
    Image.fromarray(RGB).save(path, **options)
    picture = open_picture(path)
    assert picture.pixels.dtype == np.uint8 and (picture.pixels == RGB).all()
    assert (picture.alpha, picture.note, picture.bits) == (None, "", 8)
    assert (picture.name, picture.path) == (path.name, str(path))
    assert np.allclose(load_image(path), RGB / 255, atol=1e-6)


@pytest.mark.parametrize("ending", ["jpg", "avif", "webp"])
def test_lossy_files_come_near(tmp_path: Path, ending) -> None:
    path = tmp_path / f"a.{ending}"
    Image.fromarray(RGB).save(path, quality=95)
    assert np.abs(open_picture(path).pixels.astype(int) - RGB).mean() < 6


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK"])
@pytest.mark.parametrize("ending", ["png", "tif"])
def test_modes(tmp_path: Path, mode, ending) -> None:
    if mode == "CMYK" and ending == "png":
        pytest.skip("no such file")
    image = Image.fromarray(RGB).convert(mode)
    if mode in ("LA", "RGBA"):
        image.putalpha(Image.fromarray(RGB[..., 0]))
    image.save(tmp_path / f"a.{ending}")
    picture = open_picture(tmp_path / f"a.{ending}")
    assert (picture.pixels == np.asarray(image.convert("RGB"))).all()
    if mode in ("LA", "RGBA"):
        assert picture.alpha is not None and (picture.alpha == RGB[..., 0]).all()
    else:
        assert picture.alpha is None
    assert ("CMYK" in picture.note) == (mode == "CMYK")


def test_transparent_colours(tmp_path: Path) -> None:
    """A palette entry, a grey and a colour that stand for transparent."""
    image = Image.fromarray(RGB)
    image.convert("L").save(
        tmp_path / "grey.png", transparency=int(np.asarray(image.convert("L"))[3, 3])
    )
    image.save(tmp_path / "rgb.png", transparency=tuple(RGB[3, 3].tolist()))
    palette = image.convert("P")
    palette.save(tmp_path / "palette.png", transparency=int(np.asarray(palette)[3, 3]))
    palette.save(tmp_path / "palette.gif", transparency=int(np.asarray(palette)[3, 3]))
    for name in ("grey.png", "rgb.png", "palette.png", "palette.gif"):
        alpha = open_picture(tmp_path / name).alpha
        assert alpha is not None and alpha[3, 3] == 0 and alpha.max() == 255, name


def test_alpha_that_hides_nothing_is_left_out(tmp_path: Path) -> None:
    Image.fromarray(RGB).convert("RGBA").save(tmp_path / "a.png")
    assert open_picture(tmp_path / "a.png").alpha is None


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_upright(tmp_path: Path, orientation) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    image = Image.fromarray(RGB)
    deep = tmp_path / "deep.tif"
    image.save(tmp_path / "a.png", exif=exif)
    image.save(tmp_path / "a.tif", exif=exif)
    image.save(tmp_path / "a.webp", exif=exif, lossless=True)
    image.save(tmp_path / "a.jpg", exif=exif, quality=100, subsampling=0)
    tifffile.imwrite(deep, DEEP, photometric="rgb", extratags=[(274, 3, 1, orientation, True)])
    with Image.open(tmp_path / "a.png") as stored:
        want = np.asarray(ImageOps.exif_transpose(stored)).astype(int)
    for name in ("a.png", "a.tif", "a.webp", "a.jpg", "deep.tif"):
        picture = open_picture(tmp_path / name)
        got = picture.pixels // 256 if name == "deep.tif" else picture.pixels
        assert got.shape == want.shape and np.abs(got - want).max() <= (8 if name == "a.jpg" else 0)
        overview, size = open_overview(tmp_path / name, 1000)
        assert overview.shape == want.shape and size == (want.shape[1], want.shape[0])
        assert np.abs(overview.astype(int) - want).max() <= 8


def with_chunks(
    data: bytes, before: Sequence[tuple[bytes, bytes]], behind: Sequence[tuple[bytes, bytes]] = ()
) -> bytes:
    """A PNG file with more chunks before its pixels and behind them."""
    packed = [
        b"".join(
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
            for name, body in more
        )
        for more in (before, behind)
    ]
    return data[:33] + packed[0] + data[33:-12] + packed[1] + data[-12:]


@pytest.mark.parametrize("place", ["EXIF", "EXIF behind", "XMP", "XMP behind", "ImageMagick's"])
def test_pngs_of_16_bits_are_turned_by_all_that_turns_those_of_8(tmp_path: Path, place) -> None:
    exif = Image.Exif()
    exif[274] = 6
    body = exif.tobytes().removeprefix(b"Exif\0\0")
    chunk = b"eXIf", body
    if "XMP" in place:
        said = b'<rdf:Description tiff:Orientation="6"/>'
        chunk = b"iTXt", b"XML:com.adobe.xmp" + bytes(5) + said
    elif "Magick" in place:
        raw = b"\nexif\n%8d\n%s\n" % (len(body) + 6, (b"Exif\0\0" + body).hex().encode())
        chunk = b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(raw)
    for name, pixels in (("8.png", RGB), ("16.png", DEEP)):
        around = ([], [chunk]) if "behind" in place else ([chunk], [])
        (tmp_path / name).write_bytes(with_chunks(imagecodecs.png_encode(pixels), *around))
        got = open_picture(tmp_path / name).pixels
        np.testing.assert_array_equal(got, np.rot90(pixels, -1))
        assert open_overview(tmp_path / name, 1000)[1] == (30, 40)


@pytest.mark.parametrize(
    "exif", [b"II*\0", b"MM\0*\0\0", b"abc", bytes(20)], ids=["cut", "cut later", "none", "zeros"]
)
def test_a_picture_whose_exif_is_damaged_opens_as_it_is_stored(tmp_path: Path, exif) -> None:
    image = Image.fromarray(RGB)
    # With a resolution of its own the EXIF of a JPEG is first read for the orientation.
    image.save(tmp_path / "a.jpg", exif=b"Exif\0\0" + exif, dpi=(72, 72), quality=100)
    image.save(tmp_path / "a.webp", exif=b"Exif\0\0" + exif, lossless=True)
    for name, pixels in (("8.png", RGB), ("16.png", DEEP)):
        data = imagecodecs.png_encode(pixels)
        (tmp_path / name).write_bytes(with_chunks(data, [(b"eXIf", exif)]))
        (tmp_path / f"behind {name}").write_bytes(with_chunks(data, [], [(b"eXIf", exif)]))
    for path in tmp_path.iterdir():
        picture = open_picture(path)
        assert picture.extent == RGB.shape[:2] and not picture.damage
        assert (
            np.abs(picture.as_float() - RGB / 255).max() < (8 if path.suffix == ".jpg" else 1) / 255
        )
        assert open_overview(path, 1000)[1] == (40, 30)


# ---- colour -----------------------------------------------------------------------------------


def adobe_to_srgb(values: np.ndarray) -> np.ndarray:
    """From the definitions of the two spaces (Adobe RGB 1998; IEC 61966-2-1), both with the D65 white."""
    to_xyz = [[0.57667, 0.18556, 0.18823], [0.29734, 0.62736, 0.07529], [0.02703, 0.07069, 0.99134]]
    from_xyz = [
        [3.24045, -1.53714, -0.49853],
        [-0.96927, 1.87601, 0.04156],
        [0.05564, -0.20403, 1.05723],
    ]
    linear = np.clip((values**2.19921875) @ np.transpose(to_xyz) @ np.transpose(from_xyz), 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


MUTED = (64 + RGB // 2).astype(np.uint8)  # well inside both spaces


def test_adobe_rgb_becomes_srgb(tmp_path: Path) -> None:
    want = adobe_to_srgb(MUTED / 255)
    Image.fromarray(MUTED).save(tmp_path / "a.png", icc_profile=ADOBE_RGB)
    translucent = Image.fromarray(MUTED)
    translucent.putalpha(77)
    translucent.save(tmp_path / "t.png", icc_profile=ADOBE_RGB)
    for name in ("a.png", "t.png"):
        picture = open_picture(tmp_path / name)
        assert np.abs(picture.pixels / 255 - want).max() < 1.6 / 255
        assert "converted from" in picture.note
    assert (np.asarray(picture.alpha) == 77).all()
    overview, _ = open_overview(tmp_path / "a.png", 100)
    assert np.abs(overview / 255 - want).max() < 1.6 / 255


def test_deep_pictures_are_converted_at_their_depth(tmp_path: Path) -> None:
    deep = MUTED.astype(np.uint16) * 256 + RGB
    tifffile.imwrite(tmp_path / "a.tif", deep, photometric="rgb", iccprofile=ADOBE_RGB)
    floats = (deep / 65535).astype(np.float32)
    tifffile.imwrite(tmp_path / "f.tif", floats, photometric="rgb", iccprofile=ADOBE_RGB)
    want = adobe_to_srgb(deep / 65535)
    for name in ("a.tif", "f.tif"):
        got = open_picture(tmp_path / name).as_float()
        assert np.abs(np.clip(got, 0, 1) - want).max() < 0.05 / 255
        assert len(np.unique(got)) > 500  # more than 8 bits have


def test_srgb_profiles_change_nothing_and_bad_ones_are_said(tmp_path: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = Image.fromarray(RGB)
    image.save(tmp_path / "srgb.png", icc_profile=srgb)
    image.save(tmp_path / "bad.png", icc_profile=b"not a profile" * 20)
    image.convert("L").save(tmp_path / "other.png", icc_profile=ADOBE_RGB)
    picture = open_picture(tmp_path / "srgb.png")
    assert picture.note == "" and (picture.pixels == RGB).all()
    picture = open_picture(tmp_path / "bad.png")
    assert "damaged" in picture.note and (picture.pixels == RGB).all()
    assert "left out" in open_picture(tmp_path / "other.png").note


def test_grey_profiles(tmp_path: Path) -> None:
    linear = imagecodecs.cms_profile("gray", gamma=1.0)
    grey = np.arange(256, dtype=np.uint8)[None, :]
    Image.fromarray(grey).save(tmp_path / "a.png", icc_profile=linear)
    value = grey / 255
    want = np.where(value <= 0.0031308, 12.92 * value, 1.055 * value ** (1 / 2.4) - 0.055)
    assert np.abs(open_picture(tmp_path / "a.png").as_float()[..., 1] - want).max() < 1.6 / 255


def test_cmyk_jpeg(tmp_path: Path) -> None:
    smooth = Image.fromarray(np.full((16, 16, 3), (200, 100, 50), np.uint8))
    smooth.convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    picture = open_picture(tmp_path / "a.jpg")
    assert np.abs(picture.pixels.astype(int) - (200, 100, 50)).max() <= 4
    assert "CMYK" in picture.note


# ---- depth ------------------------------------------------------------------------------------


def test_png_of_16_bits(tmp_path: Path) -> None:
    alpha = DEEP[..., :1]
    for name, pixels in (("rgb", DEEP), ("rgba", np.dstack([DEEP, alpha])), ("grey", DEEP[..., 0])):
        (tmp_path / name).write_bytes(imagecodecs.png_encode(np.ascontiguousarray(pixels)))
        picture = open_picture(tmp_path / name)
        assert picture.pixels.dtype == np.uint16 and picture.bits == 16
        want = pixels[..., None].repeat(3, axis=2) if name == "grey" else DEEP
        assert (picture.pixels == want).all()
        assert (picture.alpha is not None) == (name == "rgba")


@pytest.mark.parametrize(
    "options",
    [
        {},
        *({"compression": name} for name in ("zlib", "lzw", "zstd", "packbits")),
        {"compression": "lzw", "predictor": True, "tile": (16, 16)},
        {"byteorder": ">"},
        {"bigtiff": True},
    ],
    ids=str,
)
def test_tiff_of_16_bits(tmp_path: Path, options) -> None:
    tifffile.imwrite(tmp_path / "a.tif", DEEP, photometric="rgb", **options)
    picture = open_picture(tmp_path / "a.tif")
    assert picture.pixels.dtype == np.dtype("=u2") and (picture.pixels == DEEP).all()


@pytest.mark.parametrize("compression", ["jpeg2000", "jpegxl", "lerc", "webp", "png"])
@pytest.mark.parametrize("kind", ["grey", "RGB", "RGBA", "planes", "Adobe RGB", "turned"])
def test_tiff_in_a_compression_that_pillow_lacks(tmp_path: Path, compression, kind) -> None:
    if compression == "webp" and kind in ("grey", "planes"):
        pytest.skip("WebP has no grey")
    pixels, options = RGB, {"photometric": "rgb"}
    if kind == "grey":
        pixels, options = RGB[..., 0], {"photometric": "minisblack"}
    elif kind == "RGBA":
        alpha = 255 - RGB[..., :1] // 2
        pixels, options = np.dstack([RGB, alpha]), {**options, "extrasamples": ["unassalpha"]}
    elif kind == "planes":
        pixels, options = RGB.transpose(2, 0, 1), {**options, "planarconfig": "separate"}
    elif kind == "Adobe RGB":
        options["iccprofile"] = ADOBE_RGB
    elif kind == "turned":
        options["extratags"] = [(274, 3, 1, 6, True)]
    tifffile.imwrite(tmp_path / "plain.tif", pixels, **options)
    tifffile.imwrite(tmp_path / "a.tif", pixels, compression=compression, tile=(16, 16), **options)
    want, got = open_picture(tmp_path / "plain.tif"), open_picture(tmp_path / "a.tif")
    shown = want.alpha > 0 if want.alpha is not None else ...
    assert (got.pixels[shown] == want.pixels[shown]).all() and got.note == want.note
    assert (got.alpha is None) == (want.alpha is None)
    assert want.alpha is None or (got.alpha == want.alpha).all()


@pytest.mark.parametrize("options", [{}, {"tile": (16, 16)}], ids=str)
@pytest.mark.parametrize("compression", ["lzw", "zlib", "jpeg"])
def test_a_tiff_cut_short_is_said_in_one_line(tmp_path: Path, capfd, compression, options) -> None:
    """What the decoder prints by itself is no message of ours."""
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, NOISE, photometric="rgb", compression=compression, **options)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(ImageError, match="cut short"):
        open_picture(path)
    assert capfd.readouterr() == ("", "")


def test_raw_files_of_cameras_are_no_thumbnails(tmp_path: Path) -> None:
    small = RGB[::4, ::4].copy()
    with tifffile.TiffWriter(tmp_path / "a.nef") as writer:
        writer.write(small, photometric="rgb", subfiletype=1, subifds=1)
        writer.write(DEEP[..., 0], photometric="cfa")
    with tifffile.TiffWriter(tmp_path / "a.dng") as writer:
        writer.write(small, photometric="rgb", extratags=[(50706, 1, 4, bytes([1, 4, 0, 0]), True)])
    (tmp_path / "a.cr2").write_bytes(b"II*\0\x10\0\0\0CR\x02\0" + bytes(1000))
    (tmp_path / "a.cr3").write_bytes(b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom")
    (tmp_path / "a.raf").write_bytes(b"FUJIFILMCCD-RAW 0201")
    for ending in ("nef", "dng", "cr2", "cr3", "raf"):
        for ask in (open_picture, lambda path: open_overview(path, 100)):
            with pytest.raises(ImageError, match="camera's raw file"):
                ask(tmp_path / f"a.{ending}")


def test_other_tiffs(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"

    def read(pixels: np.ndarray, **options) -> Picture:
        tifffile.imwrite(path, pixels, **options)
        return open_picture(path)

    planes = read(DEEP.transpose(2, 0, 1), photometric="rgb", planarconfig="separate")
    assert (planes.pixels == DEEP).all()
    floats = (DEEP / 65535 * 3 - 1).astype(np.float32)
    picture = read(floats, photometric="rgb")
    assert picture.pixels.dtype == np.float32 and (picture.pixels == floats).all()
    assert "from -1 to" in picture.note
    assert np.allclose(read(DEEP / 65535, photometric="rgb").pixels, DEEP / 65535)
    white = read(DEEP[..., 0], photometric="miniswhite")
    assert (white.pixels[..., 1] == 65535 - DEEP[..., 0]).all()
    twelve = read(DEEP[..., 0] >> 4, photometric="minisblack", bitspersample=12)
    assert np.abs(twelve.pixels[..., 0] / 65535 - (DEEP[..., 0] >> 4) / 4095).max() < 1e-5
    ink = np.dstack([65535 - DEEP, np.zeros_like(DEEP[..., :1])])
    assert (read(ink, photometric="separated").pixels == DEEP).all()
    stack = read(np.stack([DEEP[..., 0]] * 5), photometric="minisblack")
    assert "first of 5 pages" in stack.note
    wide = read(DEEP[..., 0].astype(np.uint32) * 65537, photometric="minisblack")
    assert np.allclose(wide.as_float()[..., 0], DEEP[..., 0] / 65535)
    big = read(RGB, photometric="rgb", bigtiff=True)
    assert big.pixels.dtype == np.uint8 and (big.pixels == RGB).all()


HEIGHTS = np.linspace(300, 2800, 12, dtype=np.float32).reshape(3, 4)


@pytest.mark.parametrize("nothing", [None, -9999, -32768, 7])
@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int16])
def test_measurements_are_shown_from_black_to_white(tmp_path: Path, kind, nothing) -> None:
    values, options = HEIGHTS.astype(kind), {}
    want = (values - 300.0) / 2500
    if nothing is not None:
        values[1, 2], want[1, 2] = nothing, 0
        options = {"extratags": [(42113, "s", 0, str(nothing), True)]}
    if nothing == -9999:  # so it is meant without the tag, too
        options = {}
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="minisblack", **options)
    picture = open_picture(tmp_path / "a.tif")
    assert np.abs(picture.pixels[..., 1] - want).max() < 1e-5
    assert picture.note.startswith("its values are shown from 300 (black) to 2800 (white)")
    assert ("measured" in picture.note) == (nothing is not None)


def test_doubles_beyond_all_floats_say_nothing_on_the_terminal(tmp_path: Path) -> None:
    """GDAL's own value for "not measured" is the least of all doubles. The tests turn warnings into errors."""
    heights = np.linspace(200, 900, 35).reshape(5, 7)
    heights[2, 3] = np.finfo(np.float64).min
    tifffile.imwrite(tmp_path / "a.tif", heights)
    found = open_picture(tmp_path / "a.tif")
    assert "from 200 (black) to 900 (white)" in found.note and "nothing was measured" in found.note
    light = np.linspace(0, 1, 35).reshape(5, 7)
    light[2, 3] = np.finfo(np.float64).max
    tifffile.imwrite(tmp_path / "b.tif", light)
    assert open_picture(tmp_path / "b.tif").as_float()[2, 3].tolist() == [1, 1, 1]


def test_colours_in_floats_up_to_255_are_no_white_picture(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", MUTED.astype(np.float32), photometric="rgb")
    picture = open_picture(tmp_path / "a.tif")
    assert np.allclose(picture.pixels, MUTED / MUTED.max(), atol=1e-6) and "white" in picture.note


def test_floats_with_highlights_stay_as_they_are(tmp_path: Path) -> None:
    bright = (DEEP / 65535 * 4).astype(np.float32)
    tifffile.imwrite(tmp_path / "a.tif", bright, photometric="rgb")
    assert (open_picture(tmp_path / "a.tif").pixels == bright).all()


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_values_that_are_no_numbers_do_not_spread(tmp_path: Path, channels: int) -> None:
    floats = np.full((9, 12, channels), 0.25, np.float32)
    floats[2, 3], floats[4, 5], floats[6, 7] = np.nan, np.inf, -np.inf
    path = tmp_path / "a.tif"
    kind = "rgb" if channels > 1 else "minisblack"
    extra = {"extrasamples": ["unassalpha"]} if channels == 4 else {}
    tifffile.imwrite(path, floats, photometric=kind, **extra)
    picture = open_picture(path)
    seen = picture.as_float()
    assert np.isfinite(seen).all()
    assert (seen[2, 3], seen[4, 5, 0], seen[6, 7, 0]) == (pytest.approx(0), 1, 0)
    assert (np.delete(picture.pixels.reshape(-1, 3), [27, 53, 79], 0) == 0.25).all()
    assert "no finite numbers" in picture.note
    assert np.isfinite(Picture.from_array(floats).as_float()).all()


def test_alpha_of_deep_tiffs(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    half = np.full((30, 40, 1), 32768, np.uint16)
    tifffile.imwrite(path, np.dstack([DEEP, half]), photometric="rgb", extrasamples=["unassalpha"])
    straight = open_picture(path)
    assert straight.alpha is not None and (straight.pixels == DEEP).all()
    premultiplied = np.dstack([DEEP // 2, half])
    tifffile.imwrite(path, premultiplied, photometric="rgb", extrasamples=["assocalpha"])
    got = open_picture(path).pixels.astype(int)
    assert np.abs(got - DEEP).max() <= 2
    tifffile.imwrite(path, np.dstack([DEEP, half]), photometric="rgb", extrasamples=["unspecified"])
    assert open_picture(path).alpha is None


@pytest.mark.parametrize("compression", [None, "deflate", "lzw"])
@pytest.mark.parametrize("extra", ["unassalpha", "assocalpha", "unspecified"])
@pytest.mark.parametrize("colours", ["grey", "RGB"])
def test_planes_in_bytes_are_as_the_same_pixel_by_pixel(
    tmp_path: Path, colours, extra, compression
) -> None:
    alpha = 255 - RGB[..., 2:] // 2
    shown = np.minimum(RGB[..., :1] if colours == "grey" else RGB, alpha)
    pixels = np.dstack([shown, alpha])
    kind = {"photometric": "minisblack" if colours == "grey" else "rgb", "extrasamples": [extra]}
    tifffile.imwrite(tmp_path / "a.tif", pixels, planarconfig="contig", **kind)
    kind |= {"planarconfig": "separate", "compression": compression, "rowsperstrip": 8}
    tifffile.imwrite(tmp_path / "b.tif", pixels.transpose(2, 0, 1), **kind)
    want, got = open_picture(tmp_path / "a.tif"), open_picture(tmp_path / "b.tif")
    np.testing.assert_array_equal(got.pixels, want.pixels)
    np.testing.assert_array_equal(got.alpha, want.alpha)
    assert (got.alpha is None) == (extra == "unspecified") and got.note == want.note


@pytest.mark.parametrize("options", [{}, {"compression": "lzw"}, {"tile": (16, 16)}], ids=str)
def test_premultiplied_grey_in_bytes(tmp_path: Path, options) -> None:
    alpha = np.linspace(0, 255, 40).round().astype(np.uint8) + np.zeros((30, 1), np.uint8)
    stored = np.dstack([alpha // 2, alpha])
    grey = {"photometric": "minisblack", "extrasamples": ["assocalpha"]}
    tifffile.imwrite(tmp_path / "a.tif", stored, **grey, **options)
    picture = open_picture(tmp_path / "a.tif")
    assert (picture.alpha == alpha).all()
    clear = alpha > 40  # so that a half of it is told to a few levels
    assert np.abs(picture.pixels[clear].astype(int) - 127).max() <= 4
    tifffile.imwrite(tmp_path / "16.tif", stored.astype(np.uint16) * 257, **grey)
    deep = open_picture(tmp_path / "16.tif")
    assert np.abs(deep.as_float() - picture.as_float()).max() < 1.1 / 255


# ---- sizes and frames --------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (2, 20_000), (20_000, 3)])
def test_extreme_sizes(tmp_path: Path, size) -> None:
    pixels = colours(*size)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    picture = open_picture(tmp_path / "a.png")
    assert picture.extent == size and (picture.pixels == pixels).all()
    for name in ("a.png", "a.jpg"):
        Image.fromarray(pixels).save(tmp_path / name)
        overview, whole = open_overview(tmp_path / name, 100)
        assert whole == (size[1], size[0]) and 1 <= max(overview.shape[:2]) <= 100


def test_first_of_several_frames(tmp_path: Path) -> None:
    first, second = Image.fromarray(RGB), Image.fromarray(255 - RGB)
    for ending, kind in (
        ("png", "frames"),
        ("webp", "frames"),
        ("gif", "frames"),
        ("tif", "pages"),
    ):
        path = tmp_path / f"a.{ending}"
        options: dict[str, Any] = {"lossless": True} if ending == "webp" else {}
        first.save(path, save_all=True, append_images=[second, first], **options)
        picture = open_picture(path)
        assert picture.note == f"first of 3 {kind}"
        assert np.abs(picture.pixels.astype(int) - RGB).mean() < (12 if ending == "gif" else 0.5)


def test_pictures_beyond_pillows_own_limit(tmp_path: Path, monkeypatch) -> None:
    """Pillow refuses above 179 megapixels; its limit, lowered here, is as before when ours is done."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    Image.fromarray(RGB).save(tmp_path / "a.png")
    assert (open_picture(tmp_path / "a.png").pixels == RGB).all()
    assert Image.MAX_IMAGE_PIXELS == 100


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    start = b"\x89PNG\r\n\x1a\n" + chunk(
        b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    )
    return start + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def test_a_decompression_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_header(60_000, 60_000))
    with pytest.raises(ImageError, match="megapixels"):
        open_picture(path)
    path.write_bytes(png_header(10_000, 10_000))
    monkeypatch.setattr(files, "physical_memory", lambda: 1 << 28)
    with pytest.raises(ImageError, match=r"needs 0\.7 GB"):
        open_picture(path)


def test_what_no_memory_will_hold_is_refused_on_windows_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which tells its memory by another call than the others."""

    def tell(pointer: Any) -> int:
        assert pointer._obj.length == 64  # the size of MEMORYSTATUSEX, without which the call fails
        pointer._obj.total = 1 << 28
        return 1

    kernel = SimpleNamespace(GlobalMemoryStatusEx=tell)
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(kernel32=kernel), raising=False)
    monkeypatch.setattr(memory, "sys", SimpleNamespace(platform="win32"))
    # On Windows a long has 4 bytes, as what the call counts in has.
    monkeypatch.setattr(ctypes, "c_ulong", ctypes.c_uint32)
    (tmp_path / "large.png").write_bytes(png_header(10_000, 10_000))
    with pytest.raises(ImageError, match=r"needs 0\.7 GB, but this machine has 0\.3 GB"):
        open_picture(tmp_path / "large.png")


# ---- what is wrong with a file ------------------------------------------------------------------


@pytest.mark.parametrize("ask", [open_picture, lambda path: open_overview(path, 100)])
def test_what_is_no_picture_is_said_in_one_line(tmp_path: Path, ask) -> None:
    (tmp_path / "folder.png").mkdir()
    contents = {
        "empty.jpg": (b"", "empty"),
        "text.jpg": (b"hello", "format"),
        "drawing.svg": (b'<?xml version="1.0"?>\n<svg xmlns="x"/>', "SVG"),
        "paper.pdf": (b"%PDF-1.7", "PDF"),
        "phone.heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        "burst.heic": (b"\0\0\0\x18ftyphevc\0\0\0\0mif1hevc", "HEIC"),
        "scan.jpg": (imagecodecs.jpeg_encode(DEEP >> 4, bitspersample=12), "more than 8 bits"),
        "header.png": (b"\x89PNG\r\n\x1a\n", "cut short|damaged|format"),
    }
    for name, (data, _) in contents.items():
        (tmp_path / name).write_bytes(data)
    expected = {name: says for name, (_, says) in contents.items()}
    expected |= {"missing.png": "no file", "folder.png": "folder", "nul\0.png": "cannot be read"}
    said = set()
    for name, says in expected.items():
        with pytest.raises(ImageError, match=says) as caught:
            ask(tmp_path / name)
        message = str(caught.value)
        assert "\n" not in message and name.partition("\0")[0] in message
        said.add(message)
    assert len(said) == len(expected)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(ImageError, match="pipe"):
        open_picture(tmp_path / "a.png")


def test_an_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(RGB).save(path)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(
        "builtins.open", refuse
    )  # the super-user of a container may read everything
    with pytest.raises(ImageError, match="permission"):
        open_picture(path)


NOISE = np.random.default_rng(0).integers(0, 256, (200, 200, 3)).astype(np.uint8)


@pytest.mark.parametrize(
    "ending",
    ["jpg", "png", "tif", "lzw.tif", "webp", "gif", "bmp", "avif", "jp2", "16.png", "16.tif"],
)
@pytest.mark.parametrize("share", [0.5, 0.97, 0.01])
def test_files_cut_short_at_any_place(tmp_path: Path, ending, share) -> None:
    path = tmp_path / f"a.{ending}"
    if ending == "16.png":
        path.write_bytes(imagecodecs.png_encode(NOISE.astype(np.uint16) * 257))
    elif ending == "16.tif":
        tifffile.imwrite(path, NOISE.astype(np.uint16) * 257, photometric="rgb", compression="zlib")
    else:
        options = {"compression": "tiff_lzw"} if ending == "lzw.tif" else {}
        Image.fromarray(NOISE).save(path, **options)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ImageError) as caught:
        open_picture(path)
    message = str(caught.value)
    assert "\n" not in message and path.name in message
    if share > 0.1 and ending in ("jpg", "png", "webp", "gif", "bmp", "avif", "jp2"):
        assert "cut short" in message


def test_random_damage_never_raises_anything_else(tmp_path: Path) -> None:
    generator = np.random.default_rng(7)
    path = tmp_path / "a"
    said: list[str] = []
    for ending in ("jpeg", "png", "tiff", "webp", "gif", "bmp", "avif", "jpeg2000"):
        Image.fromarray(NOISE[:40, :40]).save(path, ending)
        whole = path.read_bytes()
        for _ in range(25):
            data = bytearray(whole)
            for place in generator.integers(0, min(len(data), 400), 4):
                data[place] = generator.integers(0, 256)
            path.write_bytes(data)
            try:
                open_picture(path)
            except ImageError as error:
                said.append(str(error))
    assert said and not any("\n" in message for message in said)


def test_warnings_of_the_decoder_stay_inside(tmp_path: Path) -> None:
    """The tests turn warnings into errors; a user would see lines on the terminal."""
    image = Image.fromarray(RGB).convert("P")
    image.save(tmp_path / "a.png", transparency=bytes(range(256)))
    before = list(warnings.filters)
    assert open_picture(tmp_path / "a.png").alpha is not None
    assert list(warnings.filters) == before


def test_threads_read_side_by_side(tmp_path: Path) -> None:
    before = (Image.MAX_IMAGE_PIXELS, list(warnings.filters))
    Image.fromarray(NOISE).save(tmp_path / "a.png")
    results: list[bool] = []

    def read() -> None:
        results.extend((open_picture(tmp_path / "a.png").pixels == NOISE).all() for _ in range(5))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 20
    assert (Image.MAX_IMAGE_PIXELS, list(warnings.filters)) == before


# ---- Picture and the first look -----------------------------------------------------------------


@pytest.mark.parametrize(
    "pixels", [RGB, DEEP, (DEEP / 65535).astype(np.float32)], ids=["8", "16", "float"]
)
def test_floats_of_a_part(pixels) -> None:
    full = 1.0 if pixels.dtype == np.float32 else np.iinfo(pixels.dtype).max
    picture = Picture.from_array(pixels, "a")
    part = picture.as_float((3, 5, 20, 11))
    assert part.dtype == np.float32 and np.allclose(part, pixels[5:11, 3:20] / full, atol=1e-7)
    assert picture.as_float().shape == (30, 40, 3)
    assert picture.value_at(7.99, 2.01) == pytest.approx((pixels[2, 7] / full).tolist())
    assert picture.value_at(-0.01, 2) is None and picture.value_at(40, 2) is None
    translucent = Picture.from_array(np.dstack([pixels, pixels[..., :1]]))
    values = translucent.as_float()
    assert values.shape == (30, 40, 4)
    straight = [
        *pixels[2, 7],
        pixels[2, 7, 0],
    ]  # as an editor shows them, not by how much they cover
    assert translucent.value_at(7, 2) == pytest.approx([v / full for v in straight])
    assert np.allclose(values[..., :3], pixels / full * (pixels[..., :1] / full), atol=1e-6)


def test_pictures_of_arrays() -> None:
    assert (Picture.from_array(RGB[..., 0]).pixels == RGB[..., :1]).all()
    grey = Picture.from_array(RGB[..., :2])
    assert grey.alpha is not None and (grey.alpha == RGB[..., 1]).all()
    for wrong in (
        np.zeros((3, 3, 5), np.uint8),
        np.zeros((3, 3, 3), int),
        np.zeros((0, 3, 3), np.uint8),
    ):
        with pytest.raises(ValueError, match=r"must be|a picture is"):
            Picture.from_array(wrong)


def test_overview_and_picture_agree(tmp_path: Path) -> None:
    big = np.asarray(Image.fromarray(RGB).resize((1600, 1200), Image.Resampling.BICUBIC))
    for name in ("a.jpg", "a.png"):
        Image.fromarray(big).save(tmp_path / name)
        overview, size = open_overview(tmp_path / name, 400)
        assert size == (1600, 1200) and 256 <= max(overview.shape) <= 400
        want = np.asarray(Image.fromarray(big).resize(overview.shape[1::-1], Image.Resampling.BOX))
        assert np.abs(overview.astype(int) - want).mean() < 3
        assert open_picture(tmp_path / name).extent == (1200, 1600)


def test_a_file_that_changes_after_its_overview_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(RGB).save(path)
    open_overview(path, 100)
    Image.fromarray(255 - RGB[:20]).save(path)
    assert (open_picture(path).pixels == 255 - RGB[:20]).all()


def test_real_pictures() -> None:
    folder = shared_path("data", "benchmark", "Set5")
    names = [p for p in sorted(folder.rglob("*")) if p.suffix in (".png", ".jpg", ".bmp")]
    assert names
    for path in names:
        with Image.open(path) as image:
            want = np.asarray(image.convert("RGB"))
        assert (open_picture(path).pixels == want).all()


@pytest.mark.parametrize("kind", ["sub-directories", "pages"])
@pytest.mark.parametrize("turn", [1, 6])
@pytest.mark.parametrize("compression", [None, "deflate", "jpeg"])
def test_the_first_look_at_a_pyramid_is_one_of_its_small_pictures(
    tmp_path: Path, kind: str, turn: int, compression: str | None
) -> None:
    """They have a colour of their own here, so that it shows which one was read."""
    import tifffile

    path = tmp_path / "pyramid.tif"
    sizes = [(640, 960), (320, 480), (160, 240), (80, 120)]
    levels = [np.full((*size, 3), 40 * (n + 1), np.uint8) for n, size in enumerate(sizes)]
    extra = [(274, "H", 1, turn, True)]
    with tifffile.TiffWriter(path) as out:
        nested = kind == "sub-directories"
        out.write(
            levels[0],
            photometric="rgb",
            tile=(128, 128),
            subifds=3 if nested else 0,
            extratags=extra,
        )
        for level in levels[1:]:
            out.write(level, photometric="rgb", subfiletype=1, metadata=None)
    pixels, size = open_overview(path, 200)
    assert size == ((960, 640) if turn == 1 else (640, 960))
    assert pixels.shape == ((133, 200, 3) if turn == 1 else (200, 133, 3))
    # 240 pixels wide: the smallest that is enough.
    assert np.abs(pixels.astype(int) - 120).max() <= 2
    assert np.abs(open_picture(path).pixels.astype(int) - 40).max() <= 2
    # Where none is near in size the large one is read.
    assert np.abs(open_overview(path, 1500)[0].astype(int) - 40).max() <= 2


def test_pages_of_another_shape_are_no_first_look(tmp_path: Path) -> None:
    import tifffile

    path = tmp_path / "scan.tif"
    with tifffile.TiffWriter(path) as out:
        out.write(np.full((300, 400, 3), 9, np.uint8), photometric="rgb")
        out.write(np.full((200, 200, 3), 99, np.uint8), photometric="rgb", subfiletype=1)
        out.write(np.full((150, 200, 3), 99, np.uint8), photometric="rgb")  # a page of its own
        out.write(np.full((150, 200), 99, np.uint16), subfiletype=1)
    assert set(np.unique(open_overview(path, 200)[0])) == {9}


def press_profile() -> bytes:
    """An ICC profile of a printing press: inks on paper, as a table of 9 steps (lut16Type of ICC.1:2001)."""
    steps = np.linspace(0, 1, 9)
    c, m, y, k = np.meshgrid(steps, steps, steps, steps, indexing="ij")
    rgb = np.stack([(1 - 0.9 * c) * (1 - k), (1 - 0.8 * m) * (1 - k), (1 - 0.85 * y) * (1 - k)], -1)
    lab = rgb2lab(rgb.reshape(-1, 1, 3) ** 0.8).reshape(-1, 3)
    table = np.clip(np.stack([lab[:, 0] * 652.8, *(lab[:, 1:].T * 256 + 32768)], 1), 0, 65535)
    ramp = struct.pack(">2H", 0, 65535)
    one = [struct.pack(">i", v * 65536) for v in (1, 0, 0, 0, 1, 0, 0, 0, 1)]
    lut = b"mft2" + bytes(4) + bytes([4, 3, 9, 0]) + b"".join(one) + struct.pack(">2H", 2, 2)
    lut += ramp * 4 + table.astype(">u2").tobytes() + ramp * 3
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    text = b"text" + bytes(4) + b"none\0"
    name = b"desc" + bytes(4) + struct.pack(">I", 6) + b"press\0" + bytes(78)
    tags = {b"desc": name, b"cprt": text, b"wtpt": white, b"A2B0": lut}
    body, index, place = b"", struct.pack(">I", len(tags)), 132 + 12 * len(tags)
    for tag, data in tags.items():
        index += tag + struct.pack(">2I", place + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(
        ">I4sI4s4s4s", place + len(body), b"none", 0x02400000, b"prtr", b"CMYK", b"Lab "
    )
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + index + body


def test_inks_with_a_profile_are_the_same_colours_at_every_depth(tmp_path: Path) -> None:
    """Not through a table of few steps, nor with a hundredth of the ink."""
    profile = press_profile()
    inks = np.random.default_rng(5).integers(0, 256, (40, 48, 4)).astype(np.uint8)
    exact = ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(io.BytesIO(profile)),
        ImageCms.createProfile("sRGB"),
        "CMYK",
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION | ImageCms.Flags.NOOPTIMIZE,
    )
    image = Image.frombytes("CMYK", (48, 40), inks.tobytes())
    want = np.asarray(ImageCms.applyTransform(image, exact)).astype(float)
    assert np.ptp(want) > 200
    image.save(tmp_path / "8.tif", icc_profile=profile)
    for name, values in (("16", inks.astype(np.uint16) * 257), ("32", inks / np.float32(255))):
        tifffile.imwrite(
            tmp_path / f"{name}.tif",
            values.astype(np.float32 if name == "32" else np.uint16),
            photometric="separated",
            iccprofile=profile,
        )
    for name in ("8", "16", "32"):
        picture = open_picture(tmp_path / f"{name}.tif")
        assert "converted from press" in picture.note
        shown = np.clip(picture.as_float(), 0, 1) * 255  # floats go beyond what a screen shows
        assert np.abs(shown - want).max() < 1.1, name


def test_a_file_that_is_replaced_while_it_is_looked_at_is_read_anew(tmp_path, monkeypatch) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(np.full((20, 30, 3), 10, np.uint8)).save(path)
    decoded = images._decoded

    def replaced(*arguments, **options):
        picture = decoded(*arguments, **options)
        Image.fromarray(np.full((21, 30, 3), 200, np.uint8)).save(path)
        monkeypatch.undo()
        return picture

    monkeypatch.setattr(images, "_decoded", replaced)
    open_overview(path, 100)
    assert (open_picture(path).pixels == 200).all()
