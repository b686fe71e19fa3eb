"""Large TIFFs are read tile by tile, and come out as if they were decoded whole."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile

from gaussian_core import ImageError, levels_of, load_image, open_picture, render_file
from gaussian_core.errors import Cancelled
from gaussian_core.images import open_overview
from gaussian_core.imaging import lazy_tiff, orientation, tiff_segments
from gaussian_core.imaging.byte_cache import ByteCache
from gaussian_core.imaging.lazy_tiff import LazyTiff
from gaussian_core.imaging.tiff_samples import ByteSamples

WIDE, HIGH = 331, 277
RECTS = [(0, 0, WIDE, HIGH), (5, 7, 6, 8), (60, 63, 200, 129), (250, 200, WIDE, HIGH)]
WIDE_GAMUT = imagecodecs.cms_profile(
    "rgb",
    whitepoint=[0.3127, 0.3290, 1.0],
    primaries=[0.64, 0.33, 1, 0.21, 0.71, 1, 0.15, 0.06, 1],
    gamma=2.19921875,
)


def smooth(channels: int, dtype: Any = np.uint8, size: tuple[int, int] = (HIGH, WIDE)) -> Any:
    """Colours that change from pixel to pixel, but gently enough for JPEG."""
    y, x = np.mgrid[: size[0], : size[1]]
    planes = [np.sin(x / (9 + 4 * c)) * np.cos(y / (13 - 2 * c)) for c in range(channels)]
    values = (np.stack(planes, -1) + 1) / 2
    if np.dtype(dtype).kind != "f":
        values = (values * np.iinfo(dtype).max).round()
    return values.astype(dtype)[..., 0] if channels == 1 else values.astype(dtype)


def both(monkeypatch: pytest.MonkeyPatch, path: Path) -> tuple[LazyTiff, Any]:
    """The file read as it is asked for, and decoded whole."""
    monkeypatch.setattr(lazy_tiff, "LAZY_FROM", 1 << 40)
    whole = open_picture(path)
    monkeypatch.setattr(lazy_tiff, "LAZY_FROM", 1)
    lazy = open_picture(path)
    assert isinstance(lazy, LazyTiff) and not isinstance(whole, LazyTiff)
    return lazy, whole


def agree(lazy: LazyTiff, whole: Any, rects: Any = RECTS) -> None:
    assert (lazy.extent, lazy.dtype, lazy.name) == (whole.extent, whole.dtype, whole.name)
    for rect in rects:
        got, wanted = lazy.stored(rect), whole.stored(rect)
        np.testing.assert_array_equal(got[0], wanted[0])
        assert got[0].dtype == wanted[0].dtype
        if wanted[1] is not None:
            assert got[1] is not None
            np.testing.assert_array_equal(got[1], wanted[1])
        np.testing.assert_array_equal(lazy.as_float(rect)[..., :3], whole.as_float(rect)[..., :3])


@pytest.mark.parametrize("layout", [{"tile": (64, 48)}, {"rowsperstrip": 16}, {"tile": (512, 512)}])
@pytest.mark.parametrize(
    "compression", [None, "deflate", "lzw", "jpeg", "zstd", "webp", "jpeg2000", "jpegxl", "lerc"]
)
def test_every_compression(tmp_path, monkeypatch, compression, layout) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, smooth(3), photometric="rgb", compression=compression, **layout)
    agree(*both(monkeypatch, path))


KINDS: dict[str, tuple[Any, dict[str, Any]]] = {
    "grey": (smooth(1), {"photometric": "minisblack"}),
    "white is zero": (smooth(1), {"photometric": "miniswhite"}),
    "palette": (
        smooth(1),
        {"photometric": "palette", "colormap": smooth(3, np.uint16, (16, 16)).reshape(256, 3).T},
    ),
    "straight alpha": (smooth(4), {"photometric": "rgb", "extrasamples": ["unassalpha"]}),
    "premultiplied": (
        np.minimum(smooth(4), smooth(4)[..., 3:]),
        {"photometric": "rgb", "extrasamples": ["assocalpha"]},
    ),
    "unspecified": (smooth(4), {"photometric": "rgb", "extrasamples": ["unspecified"]}),
    "grey and alpha": (smooth(2), {"photometric": "minisblack", "extrasamples": ["unassalpha"]}),
    "premultiplied grey": (
        np.minimum(smooth(2), smooth(2)[..., 1:]),
        {"photometric": "minisblack", "extrasamples": ["assocalpha"]},
    ),
    "CMYK": (smooth(4), {"photometric": "separated"}),
    "wide gamut": (smooth(3), {"photometric": "rgb", "iccprofile": WIDE_GAMUT}),
    "subsampled JPEG": (
        smooth(3),
        {"photometric": "ycbcr", "compression": "jpeg", "subsampling": (2, 2)},
    ),
    "16 bits": (smooth(3, np.uint16), {"photometric": "rgb"}),
    "16 bits, predictor": (
        smooth(3, np.uint16),
        {"photometric": "rgb", "compression": "deflate", "predictor": 2},
    ),
    "16 bits, alpha": (
        smooth(4, np.uint16),
        {"photometric": "rgb", "extrasamples": ["unassalpha"], "compression": "zstd"},
    ),
    "16 bits, premultiplied": (
        np.minimum(smooth(4, np.uint16), smooth(4, np.uint16)[..., 3:]),
        {"photometric": "rgb", "extrasamples": ["assocalpha"]},
    ),
    "16 bits, wide gamut": (
        smooth(3, np.uint16),
        {"photometric": "rgb", "iccprofile": WIDE_GAMUT, "compression": "lzw"},
    ),
    "16 bits, white is zero": (smooth(1, np.uint16), {"photometric": "miniswhite"}),
    "16 bits, planes": (
        np.moveaxis(smooth(3, np.uint16), -1, 0).copy(),
        {"photometric": "rgb", "planarconfig": "separate", "compression": "deflate"},
    ),
    "16 bits, plain planes": (
        np.moveaxis(smooth(3, np.uint16), -1, 0).copy(),
        {"photometric": "rgb", "planarconfig": "separate"},
    ),
    "16 bits, big-endian": (smooth(3, np.uint16), {"photometric": "rgb", "byteorder": ">"}),
    "32 bits": (smooth(1, np.uint32), {"photometric": "minisblack"}),
    "float": (smooth(3, np.float32), {"photometric": "rgb", "compression": "zstd"}),
    "half float": (smooth(1, np.float16), {"photometric": "minisblack"}),
    "16 bits, CMYK": (smooth(4, np.uint16), {"photometric": "separated"}),
    "BigTIFF": (smooth(3), {"photometric": "rgb", "bigtiff": True, "compression": "deflate"}),
}


@pytest.mark.parametrize("tiled", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_colour(tmp_path, monkeypatch, kind, tiled) -> None:
    pixels, options = KINDS[kind]
    path = tmp_path / "a.tif"
    layout: dict[str, Any] = {"tile": (64, 64)} if tiled else {}
    tifffile.imwrite(path, pixels, **options, **layout)
    agree(*both(monkeypatch, path))


@pytest.mark.parametrize("turn", range(1, 9))
def test_every_orientation(tmp_path, monkeypatch, turn) -> None:
    path = tmp_path / "a.tif"
    extra = [(274, "H", 1, turn, True)]
    for dtype in (np.uint8, np.uint16):
        tifffile.imwrite(path, smooth(3, dtype), photometric="rgb", tile=(64, 48), extratags=extra)
        lazy, whole = both(monkeypatch, path)
        high, wide = whole.extent
        agree(lazy, whole, [(0, 0, wide, high), (3, 40, 170, 41), (100, 90, wide, high)])
    upright = np.arange(12).reshape(3, 4)
    stored = orientation.stored_view(upright, turn)
    for x0, y0, x1, y1 in [(0, 0, 4, 3), (1, 0, 3, 1), (2, 1, 4, 3)]:
        a, b, c, d = orientation.stored_rect((x0, y0, x1, y1), (3, 4), turn)
        turned = orientation.turned_upright(stored[b:d, a:c], turn)
        np.testing.assert_array_equal(turned, upright[y0:y1, x0:x1])


def test_tiles_that_were_never_written_are_empty(tmp_path, monkeypatch) -> None:
    path = tmp_path / "a.tif"
    tiles = (None if n % 2 else np.full((64, 64, 3), n, np.uint16) for n in range(12))
    tifffile.imwrite(
        path, tiles, shape=(192, 256, 3), dtype=np.uint16, photometric="rgb",
        tile=(64, 64), compression="deflate",
    )  # fmt: skip
    lazy, whole = both(monkeypatch, path)
    agree(lazy, whole, [(0, 0, 256, 192), (60, 60, 70, 70)])
    assert not lazy.stored((64, 0, 128, 64))[0].any()


def test_what_is_small_or_in_one_piece_is_decoded_whole(tmp_path, monkeypatch) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, smooth(3), photometric="rgb", compression="deflate", rowsperstrip=HIGH)
    assert not isinstance(open_picture(path), LazyTiff)
    monkeypatch.setattr(lazy_tiff, "LAZY_FROM", 1)
    assert isinstance(open_picture(path), LazyTiff)
    monkeypatch.setattr(lazy_tiff, "LARGEST", 1000)
    assert not isinstance(open_picture(path), LazyTiff)
    tifffile.imwrite(path, smooth(3), photometric="rgb")  # uncompressed: any rows can be read
    monkeypatch.setattr(tiff_segments, "ROWS", 1000)
    assert isinstance(open_picture(path), LazyTiff)


def counted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Row and column of each tile or strip that is decoded from now on."""
    read: list[tuple[int, int]] = []
    decode = tiff_segments.Segments.read

    def count(self: Any, row: int, column: int) -> Any:
        read.append((row, column))
        return decode(self, row, column)

    monkeypatch.setattr(tiff_segments.Segments, "read", count)
    return read


def test_only_the_tiles_that_are_asked_for_are_decoded(tmp_path, monkeypatch) -> None:
    path = pyramid_file(tmp_path, 3)
    monkeypatch.setattr(lazy_tiff, "LAZY_FROM", 1)
    read = counted(monkeypatch)
    picture = open_picture(path)
    assert not read
    for _ in range(3):
        assert picture.as_float((70, 70, 120, 190)).shape == (120, 50, 3)
    assert sorted(read) == [(1, 1), (2, 1)], "each tile once, then from the cache"
    read.clear()
    out = tmp_path / "part.png"
    render_file(path, out, 2.0, method="bicubic", region=(70, 70, 40, 40))
    assert set(read) == {(1, 1)}


def pyramid_file(folder: Path, levels: int, nested: bool = True, **options: Any) -> Path:
    """A TIFF of so many levels; each is brighter than the one before would make it: it shows which is read."""
    path = folder / "pyramid.tif"
    with tifffile.TiffWriter(path, bigtiff=True) as out:
        pixels = smooth(3).astype(np.float64) / 2
        for level in range(levels):
            data = (pixels + 20 * level).astype(np.uint8)
            kind = {"subifds": levels - 1} if level == 0 and nested else {}
            if level > 0:
                kind["subfiletype"] = 1
            out.write(data, photometric="rgb", tile=(64, 64), metadata=None, **kind, **options)
            pixels = pixels[: len(pixels) // 2 * 2, : pixels.shape[1] // 2 * 2]
            pixels = pixels.reshape(len(pixels) // 2, 2, -1, 2, 3).mean(axis=(1, 3))
    return path


@pytest.mark.parametrize("nested", [True, False])
def test_the_levels_of_the_file_are_used(tmp_path, monkeypatch, nested) -> None:
    path = pyramid_file(tmp_path, 3, nested)
    lazy, whole = both(monkeypatch, path)
    assert lazy.page_levels == (0, 1, 2)
    levels, made = levels_of(lazy), levels_of(whole)
    for number, brighter in ((0, 0), (1, 20), (2, 40), (3, 40), (5, 40)):
        rect = (0, 0, -(-WIDE // 2**number), -(-HIGH // 2**number))
        got = levels.part(number, rect).astype(int)
        wanted = made.part(number, rect).astype(int) + brighter
        # The file has left out the last odd row and column.
        assert np.abs(got - wanted)[:-1, :-1].max(initial=0) <= 2
        assert got.shape == wanted.shape


@pytest.mark.parametrize("held", [1 << 30, 10_000])
@pytest.mark.parametrize("layout", [{"tile": (64, 48)}, {"rowsperstrip": 16}])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_levels_that_the_file_lacks_are_the_same_as_of_the_whole(
    tmp_path, monkeypatch, channels, layout, held
) -> None:
    path = tmp_path / "a.tif"
    extra = {"extrasamples": ["unassalpha"]} if channels == 4 else {}
    colours = "minisblack" if channels == 1 else "rgb"
    tifffile.imwrite(
        path, smooth(channels, size=(700, 611)), photometric=colours, **extra, **layout
    )
    monkeypatch.setattr("gaussian_core.pyramid.lazy_levels.HELD", held)
    monkeypatch.setattr("gaussian_core.pyramid.lazy_levels.TILE", 32)
    monkeypatch.setattr("gaussian_core.pyramid.lazy_levels.STRIP_READ", 1 << 17)
    monkeypatch.setattr("gaussian_core.pyramid.lazy_levels.QUICK", 1000)
    lazy, whole = both(monkeypatch, path)
    made = levels_of(whole)
    for filled in (False, True):
        levels = type(lazy.levels)(lazy)
        assert levels.slow
        if filled:
            done: list[int] = []
            levels.fill(progress=lambda *counts: done.append(max(counts)))  # noqa: B023
            assert levels.complete and max(done) == len(done)
        for number in (3, 1, 2, 0, 4, 7, 10, 15):
            high, wide = (-(-side // 2**number) for side in (700, 611))
            for rect in [(wide // 3, high // 2, wide // 3 + 1, high), (0, 0, wide, high)]:
                got = levels.part(number, rect)
                np.testing.assert_array_equal(got, made.part(number, rect))
                np.testing.assert_array_equal(got, levels.part(number, rect, wait=not filled))


def test_a_window_does_not_wait_for_the_whole_file(tmp_path, monkeypatch) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.full((600, 600, 3), 90, np.uint8), photometric="rgb", tile=(64, 64))
    monkeypatch.setattr("gaussian_core.pyramid.lazy_levels.TILE", 32)
    monkeypatch.setattr("gaussian_core.pyramid.lazy_levels.QUICK", 1000)
    lazy, _ = both(monkeypatch, path)
    shown = lazy.levels.as_far_as_read()
    assert not shown.part(3, (0, 0, 75, 75)).any()
    assert (shown.part(0, (100, 100, 164, 164)) == 90).all(), "what is read at once is there"
    done: list[int] = []
    with pytest.raises(Cancelled):
        lazy.levels.fill(lambda: len(done) > 2, lambda number, total: done.append(number))
    part = shown.part(1, (0, 0, 300, 300))
    assert set(np.unique(part)) == {0, 90}
    assert (lazy.levels.part(1, (0, 0, 300, 300)) == 90).all(), "who waits has all of it"
    lazy.levels.fill()
    assert (shown.part(4, (0, 0, 38, 38)) == 90).all()


def test_the_first_look_is_a_level_of_the_file(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(lazy_tiff, "LAZY_FROM", 1)
    path = tmp_path / "deep.tif"
    with tifffile.TiffWriter(path) as out:
        out.write(smooth(3, np.uint16, (640, 960)), photometric="rgb", tile=(64, 64), subifds=1)
        out.write(np.full((160, 240, 3), 99 * 257, np.uint16), photometric="rgb", tile=(64, 64))
    look = open_overview(path, 200)
    assert look is not None
    assert look[0].shape == (80, 120, 3) and set(np.unique(look[0])) == {99}
    assert look[1] == (960, 640)
    tifffile.imwrite(path, smooth(3), photometric="rgb", tile=(64, 64))
    assert open_overview(path, 200) is None


# ---- measurements -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "layout", [{"tile": (64, 48)}, {"rowsperstrip": 16}], ids=["tiles", "strips"]
)
@pytest.mark.parametrize("kind", [np.int16, np.int32, np.float32, np.float64])
def test_heights_are_shown_from_black_to_white_as_in_a_small_file(
    tmp_path, monkeypatch, kind, layout
) -> None:
    heights = (300 + 2500 * smooth(1, np.float64)).round().astype(kind)
    heights[40:50, 60:70] = -9999
    path = tmp_path / "a.tif"
    grey = {"photometric": "minisblack", "compression": "deflate"}
    tifffile.imwrite(path, heights, **grey, **layout)
    lazy, whole = both(monkeypatch, path)
    agree(lazy, whole)
    shown, _, gaps = whole.note.partition(";")
    assert lazy.note == f"{shown}, as a sample of them reaches;{gaps}" and "measured" in gaps


def test_a_sample_of_the_tiles_tells_what_heights_are_shown_from_and_to(
    tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(lazy_tiff, "SAMPLED", 24 * 32 * 32 * 2)  # of 256 tiles
    y, x = np.mgrid[:512, :512]
    heights = (x + y).astype(np.int16)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, heights, photometric="minisblack", tile=(32, 32), compression="deflate")
    monkeypatch.setattr(lazy_tiff, "LAZY_FROM", 1)
    read = counted(monkeypatch)
    picture = open_picture(path)
    assert len(read) == 24
    pixels = picture.as_float()[..., 0]
    assert np.abs(pixels - heights / heights.max()).max() < 0.15
    assert pixels.min() == 0 and pixels.max() == 1
    assert (picture.as_float() == open_picture(path).as_float()).all()


def test_the_smallest_level_tells_what_heights_are_shown_from_and_to(tmp_path, monkeypatch) -> None:
    heights = (1000 * smooth(1, np.float32, (512, 512))).astype(np.int16)
    path = tmp_path / "a.tif"
    options = {"photometric": "minisblack", "tile": (32, 32), "compression": "deflate"}
    with tifffile.TiffWriter(path) as tiff:
        tiff.write(heights, subifds=1, **options)
        tiff.write(heights[::8, ::8], subfiletype=1, **options)
    monkeypatch.setattr(lazy_tiff, "LAZY_FROM", 1)
    read = counted(monkeypatch)
    picture = open_picture(path)
    assert len(read) == 4
    low, high = heights[::8, ::8].min(), heights[::8, ::8].max()
    assert f"from {low} (black) to {high} (white)" in picture.note
    want = np.clip((heights - float(low)) / (high - low), 0, 1)
    assert np.abs(picture.as_float()[..., 1] - want).max() < 1e-5


def test_floats_that_are_brightness_stay_as_they_are_in_a_large_file(tmp_path, monkeypatch) -> None:
    bright = 4 * smooth(3, np.float32)
    tifffile.imwrite(tmp_path / "a.tif", bright, photometric="rgb", tile=(64, 64))
    monkeypatch.setattr(lazy_tiff, "LAZY_FROM", 1)
    picture = open_picture(tmp_path / "a.tif")
    assert (picture.stored((0, 0, WIDE, HIGH))[0] == bright).all() and picture.note == ""


def test_a_broken_tile_of_heights_is_said_where_it_is_looked_at(tmp_path, monkeypatch) -> None:
    heights = (1000 * smooth(1, np.float32, (256, 256))).astype(np.int16)
    monkeypatch.setattr(lazy_tiff, "LAZY_FROM", 1)
    picture = open_picture(damaged_file(tmp_path, heights, "minisblack"))
    assert picture.as_float((0, 0, 64, 64)).max() > 0.9
    with pytest.raises(ImageError, match="damaged"):
        picture.as_float((64, 64, 128, 128))


# ---- damage -----------------------------------------------------------------------------------


def damaged_file(folder: Path, pixels: Any = None, photometric: str = "rgb") -> Path:
    """Of 4 x 4 tiles that of row 1 and column 1 is broken. pixels: noise, unless given."""
    path = folder / "damaged.tif"
    if pixels is None:
        pixels = np.random.default_rng(1).integers(0, 255, (256, 256, 3), np.uint8)
    tifffile.imwrite(path, pixels, photometric=photometric, tile=(64, 64), compression="deflate")
    with tifffile.TiffFile(path) as tiff:
        offset, count = tiff.pages.first.dataoffsets[5], tiff.pages.first.databytecounts[5]
    data = bytearray(path.read_bytes())
    data[offset : offset + count] = bytes(count)
    path.write_bytes(data)
    return path


def test_a_broken_tile_is_said_in_one_line(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(lazy_tiff, "LAZY_FROM", 1)
    path = damaged_file(tmp_path)
    picture = open_picture(path)
    assert picture.stored((0, 0, 64, 64))[0].any(), "the other tiles are there"
    for ask in (
        lambda: picture.as_float((60, 60, 70, 70)),
        lambda: load_image(path),
        lambda: levels_of(picture).part(2, (0, 0, 64, 64)),
        lambda: render_file(path, tmp_path / "out.png", 0.5),
    ):
        with pytest.raises(ImageError, match="damaged") as caught:
            ask()
        assert "\n" not in str(caught.value) and str(path) in str(caught.value)
    assert not (tmp_path / "out.png").exists()


def test_a_window_shows_a_broken_tile_grey(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(lazy_tiff, "LAZY_FROM", 1)
    picture = open_picture(damaged_file(tmp_path))
    assert isinstance(picture, LazyTiff)
    picture.show_damage()
    assert picture.note == ""
    pixels, _ = picture.stored((0, 64, 192, 128))
    assert (pixels[:, 64:128] == 127).all() and pixels[:, :64].std() > 50
    assert "shown grey" in picture.damage and picture.note == ""


def test_colours_that_cannot_be_converted_are_said_and_shown_grey(tmp_path, monkeypatch) -> None:
    path = damaged_file(tmp_path)
    monkeypatch.setattr(lazy_tiff, "LAZY_FROM", 1)
    strict, window = open_picture(path), open_picture(path)
    window.show_damage()

    def fail(*_args: Any) -> None:
        raise ValueError("conversion not supported")

    monkeypatch.setattr(ByteSamples, "convert", fail)
    with pytest.raises(ImageError, match="conversion not supported"):
        strict.stored((0, 0, 8, 8))
    pixels, _ = window.stored((0, 0, 8, 8))
    assert (pixels == pixels[0, 0]).all() and "conversion not supported" in window.damage


@pytest.mark.parametrize("share", [0.2, 0.6, 0.99])
def test_a_file_that_is_cut_short_is_not_opened(tmp_path, monkeypatch, share) -> None:
    monkeypatch.setattr(lazy_tiff, "LAZY_FROM", 1)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, smooth(3), photometric="rgb", tile=(64, 64), compression="deflate")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ImageError, match=r"cut short|damaged"):
        open_picture(path)


def test_a_file_that_shrinks_while_it_is_open(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(lazy_tiff, "LAZY_FROM", 1)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, smooth(3), photometric="rgb", tile=(64, 64))
    picture = open_picture(path)
    with open(path, "r+b") as file:
        file.truncate(20_000)
    with pytest.raises(ImageError, match="has changed since it was opened"):
        picture.as_float()


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_what_is_written_over_it_is_not_mixed_with_what_was_read(
    tmp_path, monkeypatch, compression
):
    """Another picture of the same size and layout in its place, in the same file."""
    monkeypatch.setattr(lazy_tiff, "LAZY_FROM", 1)
    path = tmp_path / "a.tif"
    layout = {"photometric": "rgb", "tile": (64, 64), "compression": compression}
    tifffile.imwrite(path, smooth(3), **layout)
    strict, window = open_picture(path), open_picture(path)
    window.show_damage()
    before = window.stored((0, 0, 64, 64))[0].copy()
    data = path.read_bytes()
    with open(path, "r+b") as file:  # as a program does that opens it again and writes
        tifffile.imwrite(tmp_path / "b.tif", 255 - smooth(3), **layout)
        file.write((tmp_path / "b.tif").read_bytes())
    assert path.stat().st_ino and path.read_bytes() != data
    with pytest.raises(ImageError, match="has changed since it was opened") as caught:
        strict.as_float()
    assert "\n" not in str(caught.value) and not strict.outdated
    assert not window.outdated
    there = window.stored((0, 0, 128, 64))[0]
    np.testing.assert_array_equal(there[:, :64], before)
    assert (there[:, 64:] == 127).all()
    assert window.outdated and "has changed since it was opened" in window.damage


def test_a_file_put_in_its_place_does_not_disturb_it(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(lazy_tiff, "LAZY_FROM", 1)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, smooth(3), photometric="rgb", tile=(64, 64))
    picture = open_picture(path)
    tifffile.imwrite(tmp_path / "b.tif", 255 - smooth(3), photometric="rgb", tile=(64, 64))
    (tmp_path / "b.tif").replace(path)
    assert (picture.stored((0, 0, WIDE, HIGH))[0] == smooth(3)).all()


# ---- threads and memory -----------------------------------------------------------------------


def test_threads_read_side_by_side(tmp_path, monkeypatch) -> None:
    path = pyramid_file(tmp_path, 2, compression="deflate")
    lazy, whole = both(monkeypatch, path)
    faults: list[object] = []

    def look(seed: int) -> None:
        rng = np.random.default_rng(seed)
        for _ in range(20):
            x0, x1 = sorted(rng.choice(WIDE + 1, 2, replace=False).tolist())
            y0, y1 = sorted(rng.choice(HIGH + 1, 2, replace=False).tolist())
            got = lazy.stored((x0, y0, x1, y1))[0]
            if not (got == whole.stored((x0, y0, x1, y1))[0]).all():
                faults.append((x0, y0, x1, y1))

    threads = [threading.Thread(target=look, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults


def test_the_cache_keeps_to_its_bytes_and_what_was_asked_for_last() -> None:
    cache: ByteCache[bytes] = ByteCache(100, len)
    made: list[str] = []

    def ask(key: str, size: int = 40) -> None:
        def make() -> bytes:
            made.append(key)
            return bytes(size)

        assert len(cache.get(key, make)) == size

    for key in ("a", "b", "a", "c", "a", "b"):
        ask(key)
    assert made == ["a", "b", "c", "b"] and cache.held == 80
    ask("large", 101)
    assert cache.held == 80

    def fails() -> bytes:
        raise OSError("no")

    for _ in range(2):
        with pytest.raises(OSError, match="no"):
            cache.get("x", fails)
    ask("x")


def test_threads_that_want_the_same_make_it_once() -> None:
    cache: ByteCache[bytes] = ByteCache(100, len)
    start = threading.Barrier(8)
    made: list[int] = []
    hold = threading.Event()

    def make() -> bytes:
        made.append(1)
        hold.wait(0.2)
        return b"abc"

    def ask() -> None:
        start.wait()
        assert cache.get("k", make) == b"abc"

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


def test_more_at_once_than_there_is_memory_is_refused(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(lazy_tiff, "LAZY_FROM", 1000)
    monkeypatch.setattr("gaussian_core.imaging.files.physical_memory", lambda: 100_000)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, smooth(3), photometric="rgb", tile=(64, 64))
    picture = open_picture(path)
    assert picture.as_float((0, 0, 30, 30)).shape == (30, 30, 3)
    with pytest.raises(ImageError, match="needs"):
        picture.as_float()


def test_more_than_a_gigapixel_opens(tmp_path) -> None:
    path = tmp_path / "wide.tif"
    tiles = (None if n else np.zeros((8192, 1024), np.uint8) for n in range(35 * 8))
    tifffile.imwrite(
        path, tiles, shape=(8 * 8192, 35 * 1024), dtype=np.uint8, photometric="minisblack",
        tile=(8192, 1024), compression="deflate",
    )  # fmt: skip
    picture = open_picture(path)
    assert picture.width * picture.height > 1 << 31
    assert not picture.as_float((35_000, 65_000, 35_010, 65_010)).any()


def test_values_that_are_no_numbers_are_as_when_it_is_read_whole(tmp_path, monkeypatch):
    values = smooth(3, np.float32)
    values[200, 100], values[3, 300] = np.nan, np.inf
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb", tile=(64, 64))
    lazy, whole = both(monkeypatch, tmp_path / "a.tif")
    agree(lazy, whole)
    assert np.isfinite(lazy.as_float()).all()
    assert "no finite numbers" in lazy.note and "no finite numbers" in whole.note
