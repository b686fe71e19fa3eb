"""Comparison figures: every crop is what `render` writes, every figure what `evaluate` measures."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy.ndimage import gaussian_filter

from gaussian_core.builder import FieldBuilder
from gaussian_core.comparison.figure import ORIGINAL, ComparisonFigure, Entry
from gaussian_core.comparison.layout import Caption, layout
from gaussian_core.comparison.lettering import Lettering, legible
from gaussian_core.comparison.sheet import MARK
from gaussian_core.errors import Cancelled, ImageError, UserError
from gaussian_core.evaluation.metrics import luma, score
from gaussian_core.evaluation.pairs import pair_of
from gaussian_core.evaluation.runner import enlarge
from gaussian_core.imaging.picture import Picture
from gaussian_core.methods import METHODS, Options
from viewer.cli import main

QUICK = ("nearest", "bicubic", "kernel", "continuoussr")


def scenery(width: int, height: int, channels: int = 3) -> np.ndarray:
    """Soft noise with a hard edge in it, uint8."""
    noise = np.random.default_rng(8).random((height, width, channels))
    soft = gaussian_filter(noise, (1.5, 1.5, 0))
    values = np.round((soft - soft.min()) / np.ptp(soft) * 255).astype(np.uint8)
    values[:, width // 3 : width // 2, 0] = 240
    return values


@pytest.fixture
def original(tmp_path: Path) -> Path:
    Image.fromarray(scenery(240, 160)).save(tmp_path / "original.png")
    return tmp_path / "original.png"


@pytest.fixture
def photo(original: Path) -> Path:
    """A quarter of the original."""
    path = original.with_name("photo.png")
    with Image.open(original) as image:
        image.resize((60, 40), Image.Resampling.BICUBIC).save(path)
    return path


def run(*arguments: object) -> int:
    return main([str(a) for a in arguments])


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def cut(path: Path, cell) -> np.ndarray:
    x0, y0, x1, y1 = cell.box
    return pixels(path)[y0:y1, x0:x1]


def figure_of(picture: Path | Picture, scale: float, names=QUICK, **options) -> ComparisonFigure:
    from gaussian_core.images import open_picture

    picture = picture if isinstance(picture, Picture) else open_picture(picture)
    if isinstance(options.get("original"), Path):
        options["original"] = open_picture(options["original"])
    return ComparisonFigure(picture, [Entry(METHODS[n].title, n) for n in names], scale, **options)


# What is in it


@pytest.mark.parametrize(
    ("scale", "region"),
    [
        (3.7, (7, 5, 21, 17)),
        (1, (0, 0, 60, 40)),
        (0.5, (10, 4, 33, 30)),
        # On a whole number of pixels, these are seen on the other side of 1.
        (0.9, (10, 4, 4, 4)),
        (1.02, (10.3, 4.2, 14.2, 9.3)),
    ],
)
@pytest.mark.parametrize("alpha", [False, True])
def test_each_crop_is_what_render_writes(tmp_path, scale, region, alpha):
    photo, out, alone = (tmp_path / n for n in ("photo.png", "figure.png", "alone.bmp"))
    Image.fromarray(scenery(60, 40, 4 if alpha else 3)).save(photo)
    names = [name for name in METHODS if name != "fit"]
    done = figure_of(photo, scale, names, region=region).write(out)
    assert len(done.cells) == len(names)
    for name, cell in zip(names, done.cells, strict=True):
        # A format without transparency: what is transparent is laid on white there, too.
        part = ",".join(map(str, region))
        assert (
            run("render", photo, alone, "--scale", scale, "--region", part, "--method", name) == 0
        )
        assert np.array_equal(cut(out, cell), pixels(alone)), name


def test_a_crop_that_is_drawn_in_strips_is_the_same(photo, tmp_path, monkeypatch):
    out, strips = tmp_path / "out.png", tmp_path / "strips.png"
    figure_of(photo, 3.7).write(out)
    monkeypatch.setattr("gaussian_core.writing.file_renderer.STRIP_BYTES", 60 * 4 * 12 * 9)
    steps: list[tuple[int, int]] = []
    figure_of(photo, 3.7).write(strips, progress=lambda *step: steps.append(step))
    assert np.array_equal(pixels(out), pixels(strips))
    assert steps[0][0] == 0 and steps[-1][0] == steps[-1][1] == 4 * 148
    assert len(steps) > 40


def test_the_originals_crop_is_its_stored_pixels(photo, original, tmp_path):
    done = figure_of(photo, 4, original=original, region=(9, 6, 20, 14)).write(tmp_path / "a.png")
    last = done.cells[-1]
    assert last.title == ORIGINAL and last.scores is None
    assert np.array_equal(cut(done.path, last), pixels(original)[24:80, 36:116])


def test_the_figures_are_those_of_the_pixels_in_the_figure(photo, original, tmp_path):
    done = figure_of(photo, 4, original=original, region=(9, 6, 20, 14)).write(tmp_path / "a.png")
    truth = luma(cut(done.path, done.cells[-1]) / 255)
    assert "over 80 x 56 pixels." in done.footnote
    for cell in done.cells[:-1]:
        error = np.mean((luma(cut(done.path, cell) / 255) - truth) ** 2)
        assert cell.scores is not None
        assert cell.scores.psnr_y == pytest.approx(10 * np.log10(255**2 / error))
        assert cell.figures == f"{cell.scores.psnr_y:.2f} dB / {cell.scores.ssim_y:.4f}"
    assert done.cells[-1].figures == ""


@pytest.mark.parametrize("scale", [4, 8, 2.5])
def test_of_the_whole_picture_they_are_those_of_evaluate_at_every_scale(
    photo, original, tmp_path, scale
):
    """They are measured at the original's own scale, whatever the crops are drawn at."""
    done = figure_of(photo, scale, original=original).write(tmp_path / "a.png")
    pair = pair_of(original, 4.0)
    for name, cell in zip(QUICK, done.cells, strict=False):
        wanted = score(enlarge(pair, name, Options()).pixels, pair.high, 4.0)
        assert cell.scores.psnr_y == pytest.approx(wanted.psnr_y, abs=2e-3)
        assert cell.scores.ssim_y == pytest.approx(wanted.ssim_y, abs=1e-4)
    assert "at x4 over 232 x 152 pixels, without the picture's outermost 4." in done.footnote
    assert ("(bicubic)" in done.footnote) == (scale != 4)


def test_a_region_at_the_border_is_measured_without_the_pictures_outermost_pixels(
    photo, original, tmp_path
):
    done = figure_of(photo, 4, original=original, region=(40, 0, 20, 30)).write(tmp_path / "a.png")
    assert "over 76 x 116 pixels, without the picture's outermost 4." in done.footnote
    parts = [luma(cut(done.path, done.cells[i])[4:, :-4] / 255) for i in (1, -1)]
    error = np.mean((parts[0] - parts[1]) ** 2)
    assert done.cells[1].scores.psnr_y == pytest.approx(10 * np.log10(255**2 / error))


def test_of_a_small_region_all_is_measured_and_no_ssim(photo, original, tmp_path):
    done = figure_of(photo, 4, original=original, region=(58, 38, 2, 2)).write(tmp_path / "a.png")
    assert "over 8 x 8 pixels." in done.footnote
    assert done.cells[0].figures.endswith("dB / -")


@pytest.mark.parametrize("factor", [2.4, (2.41, 2.39)])
def test_an_original_at_an_odd_scale_is_measured_at_its_own_pixels(tmp_path, factor):
    fx, fy = factor if isinstance(factor, tuple) else (factor, factor)
    whole = scenery(round(60 * fx), round(40 * fy))
    picture = Picture(np.asarray(Image.fromarray(whole).resize((60, 40))))
    figure = figure_of(picture, 2.4, original=Picture(whole), region=(11, 9, 30, 20))
    done = figure.write(tmp_path / "a.png")
    first = (round(11 * whole.shape[1] / 60), round(9 * whole.shape[0] / 40))
    width, height = figure.measuring.size
    assert (width, height) == (72, 48)
    wanted = whole[first[1] : first[1] + height, first[0] : first[0] + width]
    assert np.array_equal(figure._truth(None), wanted)
    assert 10 < done.cells[1].scores.psnr_y < 60


@pytest.mark.parametrize(("scale", "told"), [(2.4, True), (2.0, False), (2.6, False)])
def test_of_an_original_that_is_a_little_more_than_the_scale_says_both_ways_are_told(scale, told):
    low = Picture(np.zeros((40, 60, 3), np.uint8))
    original = Picture(scenery(145, 97))  # 144 x 96 at x2.4
    said = " ".join(figure_of(low, scale, ["nearest"], original=original).notes)
    assert ("its first 144 x 96 pixels, at x2.4, cut it to these" in said) is told
    for exact in (
        scenery(144, 96),
        scenery(121, 81),
    ):  # the latter is x2 and a rest, which is left out
        assert "cut it" not in " ".join(figure_of(low, scale, original=Picture(exact)).notes)


def test_the_same_picture_is_exact_and_a_smaller_one_measures_nothing(photo, original, tmp_path):
    done = figure_of(photo, 3, ["nearest"], original=photo, columns=1).write(tmp_path / "a.png")
    assert done.cells[0].figures == "exact / 1.0000"
    done = figure_of(original, 3, ["nearest"], original=photo).write(tmp_path / "a.png")
    assert done.cells[0].scores is None and "fewer pixels" in " ".join(done.notes)


def test_below_one_nothing_is_said_to_be_what_it_is_not(photo, original, tmp_path):
    figure = figure_of(photo, 0.5, ["nearest", "liif"], original=original)
    done = figure.write(tmp_path / "a.png")
    assert all(cell.scores is None for cell in done.cells)
    assert [figure._caption(e, "figures").figures for e in figure.entries] == ["", "antialiased"]
    assert "the antialiased picture stands for LIIF" in " ".join(done.notes)


def test_a_method_is_encoded_once_also_where_it_is_drawn_twice(
    photo, original, tmp_path, monkeypatch
):
    built: Counter[object] = Counter()
    build_tiles = FieldBuilder.build_tiles

    def count(self, keys, stop=None):
        built.update(keys)
        return build_tiles(self, keys, stop)

    monkeypatch.setattr(FieldBuilder, "build_tiles", count)
    figure_of(photo, 7, ["kernel"], original=original).write(tmp_path / "a.png")
    assert built and set(built.values()) == {1}


def test_the_region_is_marked_in_the_whole_picture(tmp_path):
    grey = Picture(np.full((60, 120, 3), 128, np.uint8))
    figure = figure_of(grey, 6, ["nearest"], region=(40, 20, 30, 20))
    x0, y0, x1, y1 = figure.layout.overview
    figure.write(tmp_path / "a.png")
    seen = pixels(tmp_path / "a.png")[y0:y1, x0:x1]
    rows, columns = np.nonzero((seen == MARK).all(axis=2))
    by = (x1 - x0) / 120
    inner = seen[int(20 * by) + 2 : int(40 * by) - 2, int(40 * by) + 2 : int(70 * by) - 2]
    assert (inner == 128).all()
    assert abs(columns.min() + 1 - 40 * by) < 3 and abs(columns.max() + 1 - 70 * by) < 4
    assert abs(rows.min() + 1 - 20 * by) < 3 and abs(rows.max() + 1 - 40 * by) < 4


def test_a_single_pixel_is_marked_too_and_all_of_it_needs_no_mark(photo, tmp_path):
    for place in ((0, 0), (59, 39), (30, 20)):
        done = figure_of(photo, 8, region=(*place, 1, 1)).write(tmp_path / "a.png")
        assert (pixels(done.path) == MARK).all(axis=2).sum() >= 30
    assert figure_of(photo, 4).layout.overview is None


# How it is laid out


def overlap(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


@given(
    crop=st.tuples(st.integers(1, 700), st.integers(1, 700)),
    names=st.lists(st.text("abcdefgh ij", min_size=1, max_size=70), min_size=1, max_size=10),
    whole=st.none() | st.tuples(st.integers(1, 5000), st.integers(1, 5000)),
    columns=st.none() | st.integers(1, 12),
)
def test_nothing_overlaps_and_nothing_is_cut_off(crop, names, whole, columns):
    captions = [Caption(name, "28.42 dB / 0.8123") for name in names]
    made = layout(crop, captions, "a footnote of several words " * 6, columns, whole, 8.0)
    width, height = made.size
    boxes = list(made.crops)
    for (middle, top), caption in zip(made.captions, captions, strict=True):
        lines = [*made.letters.wrapped(caption.name, made.column, 2), caption.figures]
        assert all(made.letters.width(line) <= made.column for line in lines)
        left = middle - made.column // 2
        boxes.append((left, top, left + made.column, top + len(lines) * made.letters.line))
    if made.overview is not None:
        boxes.append(made.overview)
        grid = made.crops
        assert made.overview[2] - made.overview[0] <= max(b[2] for b in grid) - min(
            b[0] for b in grid
        ) + 2 * (made.column - crop[0])
        assert made.overview[3] <= made.footnote[1]
    for i, box in enumerate(boxes):
        assert box[0] >= 1 and box[1] >= 1 and box[2] <= width - 1
        assert box[3] <= made.footnote[1]
        assert not any(overlap(box, other) for other in boxes[:i])
    assert all(b[2] - b[0] == crop[0] and b[3] - b[1] == crop[1] for b in made.crops)
    assert all(made.small.width(line) <= width for line in made.footnote_lines)
    assert made.footnote[1] + len(made.footnote_lines) * made.small.line <= height


@pytest.mark.parametrize(("count", "rows"), [(1, 1), (3, 1), (5, 1), (6, 2), (8, 2), (10, 2)])
def test_the_grid_has_a_good_shape(count, rows):
    made = layout((240, 176), [Caption("Bicubic", "28.42 dB / 0.8123")] * count, "")
    assert len({box[1] for box in made.crops}) == rows
    assert len({box[0] for box in layout((240, 176), [Caption("a")] * 6, "", 2).crops}) == 2


def test_letters_are_never_boxes():
    lettering = Lettering(20)
    missing = bytes(lettering.font.getmask("\uffff"))
    for text in ("Bicubic ×4", "ümläut żółć – ∞", "Кириллица 你好", "a\tb"):
        assert legible(text)
        for letter in legible(text):
            assert bytes(lettering.font.getmask(letter)) != missing, letter
    assert legible("ümläut ×4") == "umlaut x4"


def test_long_names_lose_their_middle():
    lettering = Lettering(20)
    lines = lettering.wrapped("ContinuousSR " + "a_long_name" * 9 + "_end", 180, 2)
    assert len(lines) == 2 and lines[0] == "ContinuousSR"
    assert lines[1].startswith("a_lo") and lines[1].endswith("end") and "..." in lines[1]


# What goes wrong


@pytest.mark.parametrize("region", [(50, 30, 20, 20), (-1, 0, 5, 5), (3, 3, 0, 5), (0, 0, 61, 40)])
def test_a_region_beyond_the_picture_is_said(photo, region):
    with pytest.raises(UserError, match="does not lie inside the picture of 60x40"):
        figure_of(photo, 4, region=region)


def test_what_makes_no_figure_is_said_before_anything_is_drawn(photo, tmp_path):
    with pytest.raises(UserError, match="at least one method"):
        figure_of(photo, 4, [])
    with pytest.raises(UserError, match="megapixels"):
        figure_of(photo, 500)
    with pytest.raises(UserError, match="column"):
        figure_of(photo, 4, columns=0)
    with pytest.raises(ImageError, match="of the same scene"):
        figure_of(photo, 4, original=Picture(scenery(50, 50)))


@pytest.mark.parametrize("after", [0, 2, 7])
def test_stopped_it_leaves_what_was_there(photo, original, tmp_path, after):
    out = tmp_path / "out.png"
    out.write_bytes(b"the one before")
    before = sorted(tmp_path.iterdir())
    asked = []

    def stop() -> bool:
        asked.append(1)
        return len(asked) > after

    with pytest.raises(Cancelled):
        figure_of(photo, 6, original=original).write(out, stop=stop)
    assert sorted(tmp_path.iterdir()) == before and out.read_bytes() == b"the one before"


# The command


def test_the_command_writes_and_tells_the_figures(photo, original, tmp_path, capsys):
    out = tmp_path / "out.tif"
    arguments = [photo, out, "--scale", 4, "--region", "9,6,20,14", "--reference", original]
    assert run("figure", *arguments) == 0
    said = capsys.readouterr().out
    wanted = figure_of(photo, 4, ["bicubic", "kernel", "continuoussr"], original=original,
                       region=(9.0, 6.0, 20.0, 14.0)).write(tmp_path / "wanted.png")  # fmt: skip
    assert np.array_equal(pixels(out), pixels(wanted.path))
    assert f"{out}: {wanted.size[0]} x {wanted.size[1]} pixels" in said
    assert "PSNR and SSIM of Y (BT.601) at x4 over 80 x 56 pixels." in said
    for cell in wanted.cells[:-1]:
        assert f"{cell.title:<20}  {cell.figures}" in said


def test_one_crop_for_each_file_of_weights(photo, tmp_path, capsys):
    out = tmp_path / "out.png"
    arguments = [photo, out, "--scale", 2, "--weights", "light", "--weights", "jpeg"]
    assert run("figure", *arguments, "--reference", photo) == 0
    said = capsys.readouterr().out
    assert [line.split("  ")[0].strip() for line in said.splitlines()[2:]] == [
        "Bicubic",
        "ContinuousSR light",
        "ContinuousSR jpeg",
    ]
    out.unlink()
    assert run("figure", *arguments, "--methods", "nearest") == 1
    assert "which --methods leaves out" in capsys.readouterr().err and not out.exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--region", "0,0,600,400"], "does not lie inside"),
        (["--methods", "bicubix"], "no method 'bicubix'"),
        (["--methods", ","], "--methods names none"),
        (["--columns", "0"], "at least one column"),
        (["--reference", "nowhere.png"], "nowhere.png"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(photo, tmp_path, capsys, more, said):
    assert run("figure", photo, tmp_path / "out.png", "--scale", 4, *more) == 1
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1
    assert not (tmp_path / "out.png").exists()


def test_a_field_and_an_unknown_format_are_refused(photo, tmp_path, capsys):
    assert run("figure", tmp_path / "a.safetensors", tmp_path / "out.png", "--scale", 4) == 1
    assert "field file" in capsys.readouterr().err
    assert run("figure", photo, tmp_path / "out.xyz", "--scale", 4) == 1
    assert ".xyz is not an image format" in capsys.readouterr().err


def test_of_a_damaged_picture_there_is_a_figure_and_a_warning(original, tmp_path, capsys):
    broken = tmp_path / "broken.png"
    broken.write_bytes(original.read_bytes()[:30_000])
    arguments = [tmp_path / "out.png", "--scale", 2, "--methods", "nearest"]
    assert run("figure", broken, *arguments) == 3
    assert "warning: " in capsys.readouterr().err and (tmp_path / "out.png").exists()
    assert run("figure", original, *arguments, "--reference", broken) == 3
    assert str(broken) in capsys.readouterr().err


def test_which_weights_were_taken_and_that_a_format_loses_something_is_said(
    photo, tmp_path, capsys
):
    with Image.open(photo) as image:
        image.save(tmp_path / "photo.jpg", quality=60)
    for picture, name in ((photo, "light"), (tmp_path / "photo.jpg", "jpeg")):
        arguments = [picture, tmp_path / "a.png", "--scale", 2, "--device", "cpu"]
        assert run("figure", *arguments, "--methods", "continuoussr,kernel") == 0
        said = capsys.readouterr().err
        assert said == f"note: ContinuousSR is drawn by its weights '{name}'\n"
    assert run("figure", photo, tmp_path / "a.jpg", "--scale", 2, "--weights", "jpeg") == 0
    assert capsys.readouterr().err.startswith("note: .jpg files lose a little")


def test_an_original_that_is_shifted_by_part_of_a_pixel_is_not_called_reduced(photo, original):
    footnote = figure_of(photo, 4, original=original, region=(10.1, 6.1, 20, 14)).footnote
    assert "x4, interpolated (bicubic)" in footnote
    assert "x4, reduced (bicubic)" in figure_of(photo, 2, original=original).footnote
