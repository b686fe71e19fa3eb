"""Of a file that is cut short or damaged the window and the command line show what there is, and say so."""

from __future__ import annotations

import io
import zlib

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image, PngImagePlugin
from PySide6.QtCore import Qt

from gaussian_core import GaussianField, ImageError, load_image, open_picture, render_file
from gaussian_core.images import open_overview
from gaussian_core.imaging import lazy_tiff
from gaussian_core.resource_files import RESOURCES
from tests.window_helpers import keep_what_is_told, open_and_wait, wait_until_idle
from viewer.cli import main
from viewer.model.exports.picture_export import Export

GREY = 128


def photograph(width=200, height=160) -> Image.Image:
    return (
        Image.open(RESOURCES / "sample.png")
        .convert("RGB")
        .crop((0, 0, 640, 512))
        .resize((width, height))
    )


def encoded(kind: str) -> bytes:
    image, out = photograph(), io.BytesIO()
    if kind == "16 bits":
        return imagecodecs.png_encode(np.asarray(image).astype(np.uint16) * 257)
    if kind == "palette":
        image.convert("P", palette=Image.Palette.ADAPTIVE, colors=64).save(out, "PNG")
    elif kind == "1 bit":
        image.convert("1").save(out, "PNG")
    elif kind == "alpha":
        image.putalpha(Image.linear_gradient("L").resize(image.size))
        image.save(out, "PNG")
    elif kind in ("PNG", "GIF", "WEBP"):
        image.save(out, kind)
    else:
        options = {"progressive": True} if kind == "progressive" else {}
        if kind == "restarts":
            options = {"restart_marker_rows": 1}
        image.save(out, "JPEG", quality=90, **options)
    return out.getvalue()


JPEGS, PNGS = ["JPEG", "restarts"], ["PNG", "16 bits", "alpha", "palette"]


@pytest.mark.parametrize("kind", [*JPEGS, *PNGS])
def test_what_there_is_is_shown_and_the_rest_is_grey(tmp_path, kind) -> None:
    path = tmp_path / "a.picture"
    path.write_bytes(encoded(kind))
    whole = open_picture(path)
    path.write_bytes(encoded(kind)[: len(encoded(kind)) // 2])
    part = open_picture(path, forgiving=True)
    assert part.extent == whole.extent and part.dtype == whole.dtype and part.note == ""
    there = next(
        row for row in range(part.height) if not np.array_equal(part.pixels[row], whole.pixels[row])
    )
    assert part.height * 0.2 < there < part.height * 0.8
    below = part.pixels[there + 32 :] / part.full * 255
    if kind != "palette":
        assert np.abs(below - GREY).max() <= 1
    if kind == "alpha":
        assert (part.alpha[there + 32 :] == 255).all(), "nothing shines through what is missing"
    missing = round(100 * (1 - there / part.height))
    assert part.damage.startswith("cut short: the last ")
    assert abs(int(part.damage.split()[4]) - missing) <= 100 * 16 / part.height
    # The first look and the picture agree, and who wants a whole picture gets none.
    look, size = open_overview(path, 1000)
    assert size == (part.width, part.height)
    assert np.abs(look[..., :3] - part.pixels / part.full * 255).max() <= 1
    for read in (open_picture, load_image):
        with pytest.raises(ImageError, match="cut short"):
            read(path)


def test_of_a_progressive_jpeg_a_coarse_version_is_there(tmp_path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(encoded("progressive"))
    whole = open_picture(path)
    path.write_bytes(encoded("progressive")[: len(encoded("progressive")) // 3])
    part = open_picture(path, forgiving=True)
    assert np.abs(part.pixels.astype(int) - whole.pixels).mean() < 20
    assert part.damage == "cut short: of the picture only a coarse version is there"


@pytest.mark.parametrize("kind", [*JPEGS, "progressive", "PNG", "16 bits"])
def test_where_only_the_end_of_the_file_is_missing_nothing_is(tmp_path, kind) -> None:
    path = tmp_path / "a.picture"
    data = encoded(kind)
    path.write_bytes(data)
    whole = open_picture(path)
    path.write_bytes(data[:-2] if data.startswith(b"\xff") else data[:-12])
    assert (open_picture(path).pixels == whole.pixels).all() and open_picture(path).damage == ""


def test_a_fault_inside_a_png_keeps_what_precedes_it_and_its_colours(tmp_path) -> None:
    path, out = tmp_path / "a.png", io.BytesIO()
    info = PngImagePlugin.PngInfo()
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
    Image.fromarray(noise).save(out, "PNG", pnginfo=info, exif=Image.Exif())
    data = bytearray(out.getvalue())
    middle = len(data) // 2
    data[middle : middle + 64] = bytes(64)
    path.write_bytes(data)
    part = open_picture(path, forgiving=True)
    assert (part.pixels[:80] == noise[:80]).all()
    assert part.damage.startswith("damaged: ")
    with pytest.raises(ImageError):
        open_picture(path)


def test_an_interlaced_png(tmp_path) -> None:
    """By hand: nothing here writes one. One byte a pixel, 8 x 8, the passes of Adam7 without filters."""
    values = np.arange(64, dtype=np.uint8).reshape(8, 8) * 3
    passes = [
        values[0::8, 0::8], values[0::8, 4::8], values[4::8, 0::4], values[0::4, 2::4],
        values[2::4, 0::2], values[0::2, 1::2], values[1::2, :],
    ]  # fmt: skip
    raw = b"".join(b"\0" + row.tobytes() for part in passes for row in part)

    def chunk(name: bytes, body: bytes) -> bytes:
        whole = name + body
        return len(body).to_bytes(4, "big") + whole + zlib.crc32(whole).to_bytes(4, "big")

    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", bytes([0, 0, 0, 8, 0, 0, 0, 8, 8, 0, 0, 0, 1]))
    path = tmp_path / "a.png"
    packed = zlib.compress(raw, 0)
    path.write_bytes(head + chunk(b"IDAT", packed) + chunk(b"IEND", b""))
    assert (open_picture(path).pixels[..., 0] == values).all()
    path.write_bytes(head + chunk(b"IDAT", packed)[:-30])
    part = open_picture(path, forgiving=True).pixels[..., 0]
    assert (part[0::2] == values[0::2]).all() and (part[7] == GREY).all()


@pytest.mark.parametrize("kind", ["JPEG", "progressive", "PNG", "16 bits", "1 bit", "GIF", "WEBP"])
def test_random_damage_is_shown_or_said(tmp_path, kind) -> None:
    generator = np.random.default_rng(3)
    path, whole, shown = tmp_path / "a", encoded(kind), 0
    said: list[str] = []
    for _ in range(25):
        data = bytearray(whole[: generator.integers(20, len(whole))])
        for place in generator.integers(0, len(data), 3):
            data[place] = generator.integers(0, 256)
        path.write_bytes(data)
        try:
            picture = open_picture(path, forgiving=True)
            look = open_overview(path, 64)
        except ImageError as error:
            said.append(str(error))
        else:
            shown += 1
            assert look is not None and 0 not in picture.extent
    assert shown > 5 and not any("\n" in message for message in said)


@pytest.mark.parametrize("interlace", [0, 1])
@pytest.mark.parametrize("colours", [2, 16, 255])
def test_of_a_gif_that_is_cut_short_the_first_frame_is_shown(tmp_path, colours, interlace) -> None:
    path = tmp_path / "a.gif"
    frame = photograph().quantize(colours)
    frame.save(
        path, interlace=interlace, save_all=True, append_images=[frame.rotate(90)] * 2, duration=50
    )
    whole, data = open_picture(path), path.read_bytes()
    seen = []
    for share in (0.1, 0.2, 0.3, 0.6, 0.95):
        path.write_bytes(data[: int(len(data) * share)])
        part = open_picture(path, forgiving=True)
        assert part.extent == whole.extent
        same = (part.pixels == whole.pixels).all(axis=2)
        seen.append(float(same.mean()))
        if not part.damage:
            assert same.all()
            continue
        percent = int(part.damage.split()[2])
        assert part.damage.startswith("cut short: ") and "shown in one colour" in part.damage
        if colours == 255:
            assert abs(percent - 100 * (1 - same.mean())) < 2
        if not interlace:
            there = part.height * (100 - percent - 1) // 100
            assert same[:there].all()
        with pytest.raises(ImageError, match="cut short"):
            open_picture(path)
    assert seen == sorted(seen) and seen[0] < 1 and seen[-1] == 1


WEBPS = {
    "lossy": {},
    "coarse": {"quality": 20},
    "lossless": {"lossless": True},
    "profile": {"icc_profile": imagecodecs.cms_profile("srgb")},
    "alpha": {},
}


@pytest.mark.parametrize("kind", WEBPS)
def test_of_a_webp_that_is_cut_short_the_rows_that_are_there_are_shown(tmp_path, kind) -> None:
    path, image = tmp_path / "a.webp", photograph()
    if kind == "alpha":
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    image.save(path, **WEBPS[kind])
    whole, data = open_picture(path), path.read_bytes()
    seen = []
    for share in (0.6, 0.7, 0.8, 0.9):
        path.write_bytes(data[: int(len(data) * share)])
        part = open_picture(path, forgiving=True)
        assert part.extent == whole.extent and part.damage.startswith("cut short: the last ")
        assert part.losses == whole.losses and (part.losses is None) == (kind == "lossless")
        missing = int(part.damage.split()[4])
        same = (part.pixels == whole.pixels).all(axis=2).all(axis=1)
        there = part.height * (100 - missing - 1) // 100
        assert same[:there].all()
        assert (part.pixels[part.height * (100 - missing + 1) // 100 :] == GREY).all()
        if kind == "alpha":
            assert (part.alpha[:there] == whole.alpha[:there]).all()
        seen.append(there)
        with pytest.raises(ImageError, match="cut short"):
            open_picture(path)
    assert seen == sorted(seen) and seen[-1] > part.height * 0.6


def test_of_a_webp_animation_that_is_cut_short_the_first_frame_is_shown(tmp_path) -> None:
    path, frame = tmp_path / "a.webp", photograph()
    frame.save(path, save_all=True, append_images=[frame.rotate(90), frame.rotate(20)], duration=50)
    whole, data = open_picture(path), path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    part = open_picture(path)
    assert (part.pixels == whole.pixels).all() and not part.damage
    path.write_bytes(data[: len(data) // 6])
    with pytest.raises(ImageError, match="cut short"):
        open_picture(path, forgiving=True)


def test_a_webp_without_what_follows_its_pixels_is_whole(tmp_path) -> None:
    path = tmp_path / "a.webp"
    photograph().save(path, exif=b"Exif\0\0" + bytes(500), lossless=True)
    whole = open_picture(path)
    path.write_bytes(path.read_bytes()[:-100])
    assert (open_picture(path).pixels == whole.pixels).all() and open_picture(path).damage == ""


TIFFS = {
    "plain": {},
    "strips": {"compression": "lzw", "rowsperstrip": 16},
    "tiles": {"compression": "deflate", "tile": (32, 32)},
    "JPEG": {"compression": "jpeg", "rowsperstrip": 16},
    "16 bits": {"compression": "zstd", "rowsperstrip": 8},
}


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("kind", TIFFS)
def test_of_a_tiff_that_is_cut_short_the_whole_parts_are_shown(
    tmp_path, monkeypatch, kind, large
) -> None:
    path = tmp_path / "a.tif"
    pixels = np.asarray(photograph())
    if kind == "16 bits":
        pixels = pixels.astype(np.uint16) * 257
    tifffile.imwrite(path, pixels, photometric="rgb", **TIFFS[kind])
    whole, data = open_picture(path), path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    if large:
        monkeypatch.setattr(lazy_tiff, "LAZY_FROM", 1)
    part = open_picture(path, forgiving=True)
    assert isinstance(part, lazy_tiff.LazyTiff) == large
    assert part.extent == whole.extent and part.dtype == whole.dtype and part.bits == whole.bits
    values = part.stored((0, 0, part.width, part.height))[0]
    same = (values == whole.pixels).all(axis=2)
    assert 0.3 < same.mean() < 0.8 and same[:32].all()
    assert np.abs(values[~same] / part.full * 255 - GREY).max() <= 1
    missing = round(100 * (1 - same.mean()))
    assert part.damage.startswith("cut short: ") and "missing and shown grey" in part.damage
    assert abs(int(part.damage.split()[2]) - missing) <= 8
    assert open_overview(path, 1000) is not None or large
    for read in (open_picture, load_image):
        with pytest.raises(ImageError, match="cut short"):
            read(path)


def test_a_tiff_in_one_piece_or_of_measurements_is_refused_when_it_is_cut_short(tmp_path) -> None:
    path, pixels = tmp_path / "a.tif", np.asarray(photograph())
    for values, options in (
        (pixels, {"compression": "lzw", "rowsperstrip": len(pixels)}),
        (pixels[..., 0] / np.float32(3), {}),
    ):
        tifffile.imwrite(path, values, **options)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with pytest.raises(ImageError, match="cut short"):
            open_picture(path, forgiving=True)


def test_a_tiff_that_makes_no_picture_is_not_called_another_format(tmp_path) -> None:
    path = tmp_path / "a.tif"
    for values, colours in (
        (np.zeros((9, 9), np.complex64), "minisblack"),
        (np.zeros((9, 9, 3), np.uint8), "icclab"),
    ):
        tifffile.imwrite(path, values, photometric=colours, planarconfig="contig")
        with pytest.raises(ImageError, match="a TIFF whose channels or numbers"):
            open_picture(path)


# ---- the command line ---------------------------------------------------------------------------


@pytest.fixture
def cut(tmp_path):
    path = tmp_path / "cut.jpg"
    path.write_bytes(encoded("JPEG")[: len(encoded("JPEG")) // 2])
    return path


def test_render_draws_what_there_is_and_warns(cut, tmp_path, capsys) -> None:
    out = tmp_path / "out.png"
    assert main(["render", str(cut), str(out), "--scale", "2", "--method", "kernel"]) == 3
    said = capsys.readouterr()
    assert said.out.startswith(str(out))
    assert said.err.count("\n") == 1 and "cut.jpg: cut short: the last" in said.err
    drawn = np.asarray(Image.open(out)).astype(int)
    assert drawn.shape == (320, 400, 3)
    assert np.abs(drawn[-20:] - GREY).max() <= 1 and drawn[:60].std() > 10
    with pytest.raises(ImageError, match="cut short"):
        render_file(cut, out, 2)


def test_build_takes_what_there_is_and_warns(cut, tmp_path, capsys) -> None:
    out = tmp_path / "out.safetensors"
    assert main(["build", str(cut), str(out), "--method", "kernel"]) == 3
    assert "cut short: the last" in capsys.readouterr().err
    assert GaussianField.open(out).extent == (160, 200)


def test_evaluate_leaves_it_out(cut, tmp_path, capsys) -> None:
    photograph().save(tmp_path / "whole.png")
    command = ["evaluate", str(tmp_path), "--methods", "bicubic", "--scales", "2"]
    assert main(command) == 1
    said = capsys.readouterr()
    assert "cut.jpg" in said.out + said.err and "cut short" in said.out + said.err


# ---- the window -------------------------------------------------------------------------------


def test_the_window_shows_it_and_says_what_is_missing(
    qtbot, make_window, cut, tmp_path, monkeypatch
):
    photograph().save(tmp_path / "a_whole_one.png")
    window = make_window()
    told = keep_what_is_told(window, monkeypatch)
    open_and_wait(qtbot, window, cut)
    assert window.status.message.startswith("cut.jpg: cut short: the last ")
    image = window.canvas.grab_frame()
    low = image.pixelColor(image.width() // 2, image.height() // 2 + 60)
    assert {low.red(), low.green(), low.blue()} == {GREY}
    # Stepping through a folder does not pass over it.
    window.canvas.setFocus()
    qtbot.keyClick(window.canvas, Qt.Key.Key_PageUp)
    wait_until_idle(qtbot, window, lambda: window.session.document.name == "a_whole_one.png")
    qtbot.keyClick(window.canvas, Qt.Key.Key_PageDown)
    wait_until_idle(qtbot, window, lambda: window.session.document.name == "cut.jpg")
    assert "cut short: the last" in window.status.message
    assert not told
    export = Export(window.session.document.picture, str(tmp_path / "e.png"), 1.0, method="kernel")
    assert "cut short: the last" in export.run(lambda *_: None, lambda: False)
