"""Rendering into files as the viewer's export uses it: progress, stop, bounded memory."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gaussian_core import (
    Cancelled,
    FieldError,
    GaussianField,
    OutputError,
    Picture,
    UserError,
    build_field,
    open_picture,
    render_file,
)
from gaussian_core.builder import TILE, FieldBuilder
from gaussian_core.methods import fields
from gaussian_core.methods.fields import TiledFieldDrawing, tile_for
from gaussian_core.writing import file_renderer


def noise(width: int, height: int) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (height, width, 3), np.uint8)


def read(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image).astype(int)


def test_colours_are_written_straight_and_where_nothing_is_black(tmp_path: Path) -> None:
    """A field's sum may go a little beyond full alpha, and below none."""
    flat = [[9.0, 0.0, 9.0]]
    for alpha, wanted in (
        (1.25, (255, 128, 0, 255)),
        (0.5, (255, 255, 0, 128)),
        (-0.1, (0, 0, 0, 0)),
    ):
        field = GaussianField([[4.0, 4.0]], flat, [[1.0, 0.5, 0.0, alpha]], (8, 8))
        render_file(field, tmp_path / "a.png", 9.0, region=(3.95, 3.95, 0.1, 0.1))
        assert np.abs(read(tmp_path / "a.png")[0, 0] - wanted).max() <= 1


def test_tiles_are_built_once_and_dropped_behind_the_strips(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tall picture of ten tiles: no more exist at a time than a strip can see."""
    picture = Picture.from_array(noise(48, 5000), "tall")
    built: Counter[object] = Counter()
    most = 0
    build_tiles = FieldBuilder.build_tiles
    draw = TiledFieldDrawing.draw

    def count(self: FieldBuilder, keys: Any, stop: Any = None) -> dict[Any, GaussianField]:
        built.update(keys)
        return build_tiles(self, keys, stop)

    def watch(self: TiledFieldDrawing, *arguments: Any) -> np.ndarray:
        nonlocal most
        rows = draw(self, *arguments)
        most = max(most, len(self.tiles))
        return rows

    monkeypatch.setattr(FieldBuilder, "build_tiles", count)
    monkeypatch.setattr(TiledFieldDrawing, "draw", watch)
    monkeypatch.setattr(file_renderer, "STRIP_BYTES", 48 * 12 * 100)
    out = tmp_path / "out.png"
    render_file(picture, out, 1, method="kernel")
    assert len(built) == 10 and set(built.values()) == {1}
    assert most <= 4
    assert np.abs(read(out) - picture.pixels).max() <= 1


def test_a_wide_picture_has_low_tiles_and_looks_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the two rows of tiles that a strip needs stay within what they may take."""
    assert tile_for(1000) == TILE and tile_for(8000) == TILE // 4 and tile_for(10**6) == 64
    assert tile_for(12_000) * 12_000 * fields.PIXEL_BYTES <= fields.ROW_BYTES
    picture = Picture.from_array(noise(700, 90), "wide")
    one, many = tmp_path / "one.png", tmp_path / "many.png"
    render_file(picture, one, 1.5, method="kernel")
    monkeypatch.setattr(fields, "ROW_BYTES", 700 * 64 * fields.PIXEL_BYTES)
    assert tile_for(700) == 64
    monkeypatch.setattr(file_renderer, "STRIP_BYTES", 1050 * 12 * 20)
    render_file(picture, many, 1.5, method="kernel")
    assert np.abs(read(one) - read(many)).max() <= 1


def test_progress_counts_rows_up_to_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_renderer, "STRIP_BYTES", 60 * 12 * 7)
    seen: list[tuple[int, int]] = []
    render_file(
        Picture.from_array(noise(20, 10), "a"),
        tmp_path / "out.png",
        3,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert [done for done, _ in seen] == [0, 7, 14, 21, 28, 30]
    assert {total for _, total in seen} == {30}


@pytest.mark.parametrize("after", [0, 1, 5])
def test_stopped_it_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    monkeypatch.setattr(file_renderer, "STRIP_BYTES", 60 * 12 * 7)
    out = tmp_path / "out.png"
    out.write_bytes(b"the one before")
    rows: list[int] = []
    with pytest.raises(Cancelled):
        render_file(
            Picture.from_array(noise(20, 10), "a"),
            out,
            3,
            progress=lambda done, total: rows.append(done),
            stop=lambda: len(rows) > after,
        )
    assert len(rows) <= after + 1
    assert list(tmp_path.iterdir()) == [out]
    assert out.read_bytes() == b"the one before"


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gaussian_core import ImageWriter, OutputError

    def full(self: ImageWriter, rows: np.ndarray) -> None:
        raise OutputError("No space left on the device.")

    monkeypatch.setattr(ImageWriter, "write_rows", full)
    with pytest.raises(OutputError, match="No space"):
        render_file(Picture.from_array(noise(20, 10), "a"), tmp_path / "out.png", 3)
    assert list(tmp_path.iterdir()) == []


def test_a_field_in_memory_and_a_grey_one(tmp_path: Path) -> None:
    image = noise(20, 10).astype(np.float32) / np.float32(255)
    colour, grey = tmp_path / "colour.png", tmp_path / "grey.png"
    done = render_file(build_field(image, "kernel"), colour, (2.0, 3.0))
    assert done.size == (40, 30) and done.path == colour and done.notes == ()
    render_file(build_field(image[..., :1], "kernel"), grey, 1)
    assert np.abs(read(grey) - np.round(image[..., 0] * 255)).max() <= 1


def test_scales_out_of_a_numpy_loop_are_numbers(tmp_path: Path) -> None:
    field = build_field(noise(20, 10).astype(np.float32) / np.float32(255), "kernel")
    for scale in (np.float32(1.5), np.int64(2)):
        done = render_file(field, tmp_path / "a.png", scale)
        assert done.size == (20 * scale, 10 * scale)
    with pytest.raises(ValueError, match="scale is a number"):
        render_file(field, tmp_path / "b.png", (1, 2, 3))


def test_a_field_of_other_channels_is_no_picture(tmp_path: Path) -> None:
    field = GaussianField([[5, 5]], [[1, 0, 1]], [[1, 1]], extent=(10, 10))
    with pytest.raises(FieldError, match="2 channels"):
        render_file(field, tmp_path / "out.png", 1)


def test_odd_sizes_are_covered_to_the_border(tmp_path: Path) -> None:
    """A white picture is white to its last row and column at any scale: no dark edge."""
    out = tmp_path / "out.png"
    white = Picture.from_array(np.full((13, 17, 3), 255, np.uint8), "white")
    for scale in (0.03, 0.37, 0.99, 1.0, 1.03, 2.51, 7.77):
        done = render_file(white, out, scale)
        assert done.size == (max(1, round(17 * scale)), max(1, round(13 * scale)))
        assert read(out).min() >= 254, scale


def test_several_scales_are_one_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = Picture.from_array(noise(70, 1300))
    built: Counter[object] = Counter()
    build_tiles = FieldBuilder.build_tiles

    def count(self: FieldBuilder, keys: Any, stop: Any = None) -> dict[Any, GaussianField]:
        built.update(keys)
        return build_tiles(self, keys, stop)

    monkeypatch.setattr(FieldBuilder, "build_tiles", count)
    monkeypatch.setattr(file_renderer, "STRIP_BYTES", 100_000)
    scales = [1.5, 4.0, 0.6, 2.25]
    outputs = [(tmp_path / f"{scale}.png", scale) for scale in scales]
    steps: list[tuple[int, int]] = []
    done = file_renderer.render_files(
        picture, outputs, method="kernel", progress=lambda n, of: steps.append((n, of))
    )
    assert set(built.values()) == {1} and len(built) == 3
    assert [d.size for d in done] == [(round(70 * s), round(1300 * s)) for s in scales]
    assert steps[-1][0] == steps[-1][1] == sum(round(1300 * s) for s in scales)
    monkeypatch.undo()
    for (path, scale), whole in zip(outputs, done, strict=True):
        alone = render_file(picture, tmp_path / "alone.png", scale, method="kernel")
        assert alone.size == whole.size
        difference = np.asarray(Image.open(path)).astype(int) - np.asarray(
            Image.open(tmp_path / "alone.png")
        )
        assert np.abs(difference).max() <= 1


def test_several_scales_appear_together_or_not_at_all(tmp_path: Path) -> None:
    picture = Picture.from_array(noise(20, 30))
    with pytest.raises(UserError, match=r"put \{scale\}"):
        file_renderer.render_files(picture, [(tmp_path / "a.png", 2), (tmp_path / "a.png", 3)])
    drawn = []

    def stop() -> bool:
        drawn.append(1)
        return len(drawn) > 3

    with pytest.raises(Cancelled):
        file_renderer.render_files(
            picture, [(tmp_path / "a.png", 2), (tmp_path / "b.png", 3)], method="bicubic", stop=stop
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("scale", [1e-300, 1e-9, 1e9, 1e300])
def test_scales_at_which_no_field_is_drawn_are_said(tmp_path, scale):
    with pytest.raises(UserError, match="must lie between"):
        render_file(
            Picture(np.zeros((8, 8, 3), np.uint8)),
            tmp_path / "a.png",
            scale,
            region=(0, 0, 1e-300, 1e-300),
        )
    assert not list(tmp_path.iterdir())


def test_below_one_it_is_the_antialiased_picture_also_among_others(tmp_path: Path) -> None:
    picture = Picture.from_array(noise(40, 60))
    outputs = [(tmp_path / "small.png", 0.5), (tmp_path / "large.png", 2.0)]
    file_renderer.render_files(picture, outputs, method="kernel")
    for path, scale in outputs:
        render_file(picture, tmp_path / "alone.png", scale, method="kernel")
        assert path.read_bytes() == (tmp_path / "alone.png").read_bytes()


def test_a_picture_knows_its_file(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray((noise(9, 11) * 255).astype(np.uint8)).save(path)
    before = path.read_bytes()
    with pytest.raises(OutputError, match="it is the file that is read"):
        render_file(open_picture(path), path, 2.0, method="bicubic")
    assert path.read_bytes() == before


def test_what_changes_nothing_is_said_of_the_files_that_it_is_true_of(tmp_path: Path) -> None:
    picture = Picture.from_array(noise(20, 30))
    outputs = [(tmp_path / "small.png", 0.5), (tmp_path / "large.png", 2.0)]
    small, large = file_renderer.render_files(picture, outputs, method="kernel", pixel_sigma=0.4)
    assert [note.partition(":")[0] for note in small.notes] == [
        "below x1 the antialiased picture stands for Kernel interpolation",
        "a pixel's footprint is for fields of Gaussians",
    ]
    assert large.notes == ()


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="needs links")
def test_two_names_of_one_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "real.png").write_bytes(b"before")
    (tmp_path / "link.png").symlink_to(tmp_path / "real.png")
    outputs = [(tmp_path / "real.png", 2.0), (tmp_path / "link.png", 3.0)]
    with pytest.raises(UserError, match="cannot go into one file"):
        file_renderer.render_files(Picture.from_array(noise(20, 30)), outputs, method="nearest")
    assert (tmp_path / "real.png").read_bytes() == b"before"
