"""The values of the source's pixels, written into them: the right ones, in their place, to be read."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter
from PySide6.QtTest import QTest

from gaussian_core import build_field
from gaussian_core.images import open_picture
from gaussian_core.imaging.picture import Picture
from tests.canvas_helpers import pixels
from tests.window_helpers import open_and_wait, save_picture, wait_until_idle
from viewer.model.frames.scene import Scene
from viewer.model.pixel_values import PixelValues, pixels_in_view, read_values
from viewer.model.view.view_state import ViewState
from viewer.ui.canvas.value_painter import paint_values, values_from


@pytest.fixture
def window(make_window, qtbot, tmp_path):
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png", 120, 90))
    return window


def painted(
    view: ViewState, values: np.ndarray, ratio: float = 1.0, font: QFont | None = None
) -> np.ndarray:
    """Where ink is (h, w), of the values of a whole picture: what is laid on black or on white changes either."""
    known = PixelValues(0, (0, 0, values.shape[1], values.shape[0]), values)
    ink = np.zeros(view.size[::-1], bool)
    for ground in (0, 255):
        image = QImage(*view.size, QImage.Format.Format_RGB32)
        image.fill(QColor(ground, ground, ground))
        painter = QPainter(image)
        paint_values(painter, view, known, font or QFont(), ratio)
        painter.end()
        ink |= (pixels(image) != ground).any(-1)
    return ink


def cell(ink: np.ndarray, view: ViewState, x: int, y: int) -> np.ndarray:
    u, v = (round(c) for c in view.to_device(x, y))
    side = int(view.scale)
    return ink[v : v + side, u : u + side]


def test_values_of_16_bits_are_told_in_bytes_and_alpha_is_too():
    deep = np.full((2, 3, 4), (65535, 32768, 257, 25700), np.uint16)
    scene = Scene((2, 3), picture=Picture.from_array(deep))
    assert (read_values(scene, (1, 0, 3, 2)).values == (255, 128, 1, 100)).all()


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_each_pixel_has_its_own_numbers_and_nothing_of_its_neighbours(qapp, channels, ratio):
    values = np.zeros((3, 4, channels), np.uint8)
    values[:] = np.arange(12).reshape(3, 4, 1) * 17 + np.arange(channels) * 5
    values[2, 3] = values[0, 1]
    scale = float(int(values_from(QFont(), channels, ratio)) + 1)
    view = ViewState((3, 4), (4 * int(scale), 3 * int(scale)), (0.0, 0.0), scale)
    ink = painted(view, values, ratio)
    found = {(x, y): cell(ink, view, x, y) for y in range(3) for x in range(4)}
    edge = max(1, int(ratio))
    for drawn in found.values():
        assert drawn.any()
        inner = drawn[edge:-edge, edge:-edge]
        assert inner.sum() == drawn.sum()  # no ink on the edge between two pixels
        rows = np.flatnonzero(drawn.any(1))
        gaps = np.flatnonzero(np.diff(rows) > 1)
        assert len(gaps) <= channels - 1 and rows[-1] - rows[0] < scale
    assert np.array_equal(found[3, 2], found[1, 0])
    others = [drawn for place, drawn in found.items() if place != (3, 2)]
    for i, one in enumerate(others):
        assert not any(np.array_equal(one, other) for other in others[:i])


def test_a_number_looks_as_it_does_in_text(qapp):
    """The three lines are red, green and blue from top to bottom."""
    scale = 90.0
    view = ViewState((1, 1), (90, 90), (0.0, 0.0), scale)
    one_by_one = [painted(view, np.array([[[v]]], np.uint8)) for v in (7, 86, 255)]
    together = painted(view, np.array([[[7, 86, 255]]], np.uint8))

    def cut(ink: np.ndarray) -> np.ndarray:
        rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
        return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]

    rows = np.flatnonzero(together.any(1))
    thirds = np.array_split(together[rows[0] : rows[-1] + 1], 3)
    for third, alone in zip(thirds, one_by_one, strict=True):
        wanted, seen = cut(alone), cut(third)
        assert seen.shape[1] == wanted.shape[1] and abs(seen.shape[0] - wanted.shape[0]) <= 2


def test_from_afar_there_is_no_room_and_nothing_is_written(qapp):
    values = np.zeros((4, 4, 3), np.uint8)
    least = values_from(QFont(), 3, 1.0)
    for scale, there in ((least - 0.5, False), (least + 1, True)):
        view = ViewState((4, 4), (300, 300), (0.0, 0.0), scale)
        assert painted(view, values).any() == there
    assert 20 < values_from(QFont(), 1, 1.0) < least < 100


def test_of_a_pixel_larger_than_the_view_the_numbers_are_in_view(qapp):
    values = np.full((9, 9, 3), 77, np.uint8)
    corner = ViewState((9, 9), (300, 200), (4.02, 4.75), 1000.0)
    ink = painted(corner, values)
    assert ink.any() and not ink[:, 0].any() and not ink[:, -1].any()
    assert np.flatnonzero(ink.any(1))[0] >= 0 and ink.sum() > 50
    # Two pixels of which one shows a sliver: that has no room for any.
    sliver = ViewState((9, 9), (300, 200), (3.995, 4.4), 1000.0)
    assert not painted(sliver, values)[:, :5].any()


def saved(path, array):
    Image.fromarray(array).save(path)
    return open_picture(path)


def test_they_are_those_of_the_file(tmp_path):
    numbers = np.random.default_rng(3)
    rgba = numbers.integers(0, 256, (20, 30, 4), np.uint8)
    deep = numbers.integers(0, 65536, (20, 30), np.uint16)
    part = (5, 3, 21, 17)
    cut = slice(3, 17), slice(5, 21)
    for picture, wanted in (
        (saved(tmp_path / "rgb.png", rgba[..., :3]), rgba[..., :3]),
        (saved(tmp_path / "rgba.png", rgba), rgba),
        (saved(tmp_path / "grey.png", rgba[..., 0]), rgba[..., :1]),
        (saved(tmp_path / "la.png", rgba[..., :2].copy()), rgba[..., :2]),
        (saved(tmp_path / "deep.png", deep), np.rint(deep[..., None] / 257)),
    ):
        read = read_values(Scene((20, 30), picture=picture), part)
        assert np.array_equal(read.values, wanted[cut].astype(np.uint8))
        assert read.rect == part and read.holds((6, 3, 21, 17)) and not read.holds((4, 3, 21, 17))


def test_what_is_in_view_is_asked_for_and_a_little_more():
    view = ViewState((50, 60), (300, 200), (10.2, 45.5), 50.0)
    assert pixels_in_view(view) == (10, 45, 17, 50)
    assert pixels_in_view(view, 8) == (2, 37, 25, 50)


def key_v(window):
    QTest.keyClick(window.canvas, Qt.Key.Key_V)


def shown(window, qtbot, scale):
    """What the canvas shows at a scale, without and with the values."""
    canvas = window.canvas
    canvas.set_view(canvas.view.set_scale(scale))
    wait_until_idle(qtbot, window)
    plain = pixels(canvas.grab().toImage())
    key_v(window)
    wait_until_idle(qtbot, window)
    canvas.grab()  # asks for what it paints
    wait_until_idle(qtbot, window)
    return plain, pixels(canvas.grab().toImage())


def test_a_key_writes_them_into_the_pixels_of_the_window(window, qtbot):
    plain, written = shown(window, qtbot, 80.0)
    view = window.canvas.view
    changed = (plain != written).any(-1)
    x0, y0, x1, y1 = pixels_in_view(view)
    inside = [(x, y) for x in range(x0 + 1, x1 - 1) for y in range(y0 + 1, y1 - 1)]
    assert len(inside) > 10
    assert all(cell(changed, view, x, y).mean() > 0.02 for x, y in inside)
    assert window.settings.pixel_values and not window.status.message
    copied = window.canvas.grab_frame()
    key_v(window)
    assert np.array_equal(pixels(window.canvas.grab().toImage()), plain)
    assert window.canvas.grab_frame() == copied


def test_after_a_pan_and_in_another_picture_they_are_the_ones_there(window, qtbot, tmp_path):
    _, _ = shown(window, qtbot, 80.0)
    canvas = window.canvas
    canvas.set_view(canvas.view.pan_by(-1600, -400))
    for path in (None, save_picture(tmp_path / "b.png", 120, 90, seed=8)):
        if path is not None:
            open_and_wait(qtbot, window, path)
            canvas.set_view(canvas.view.set_scale(80.0))
        canvas.grab()
        wait_until_idle(qtbot, window)
        written = pixels(canvas.grab().toImage())
        key_v(window)
        plain = pixels(canvas.grab().toImage())
        key_v(window)
        values = read_values(canvas.scene, (0, 0, 120, 90)).values
        ink = painted(canvas.view, values, canvas.devicePixelRatioF(), canvas.font())
        changed = (plain != written).any(-1)
        assert ink.mean() > 0.01 and not (changed & ~ink).any()
        assert (changed & ink).sum() > 0.9 * ink.sum()


def test_who_asks_for_them_from_too_far_is_told_when_they_appear(window, qtbot):
    canvas = window.canvas
    canvas.set_view(canvas.view.set_scale(10.0))
    key_v(window)
    assert window.status.message.startswith("The pixels' values appear from ")
    percent = int(window.status.message.split()[5].replace(",", ""))
    key_v(window)
    _, written = shown(window, qtbot, percent / 100)
    key_v(window)
    assert (pixels(canvas.grab().toImage()) != written).any()


def test_a_field_without_its_picture_has_none_and_that_is_said(window, qtbot, tmp_path):
    field = tmp_path / "a.safetensors"
    build_field(tmp_path / "a.png", "kernel").save(field)
    open_and_wait(qtbot, window, field)
    key_v(window)
    assert "no pixels" in window.status.message


def test_a_translucent_picture_is_read_as_its_file_has_it(tmp_path):
    array = np.full((4, 4, 4), (200, 100, 50, 128), np.uint8)
    picture = Picture.from_array(array)
    assert picture.value_at(1, 1) == pytest.approx([v / 255 for v in (200, 100, 50, 128)])
