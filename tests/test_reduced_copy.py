"""A reduced copy of a picture: the methods are shown beside the original, and how near they come is told."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog

from gaussian_core.errors import ImageError
from gaussian_core.evaluation.metrics import score
from gaussian_core.evaluation.pairs import reduced
from gaussian_core.imaging.picture import Picture
from gaussian_core.methods import Options, open_drawing
from gaussian_core.pyramid.reduced_copy import reduced_copy
from gaussian_core.viewport import Viewport
from gaussian_core.writing.image_writer import write_image
from tests.canvas_helpers import pixels
from tests.scenery import scenery
from tests.window_helpers import keep_what_is_told, open_and_wait, wait_until_idle
from viewer.model.documents.original import OriginalDrawing, measured_part, psnr_of_frames
from viewer.model.exports import field_saving
from viewer.model.exports.picture_export import ExportPlan, suggested_name
from viewer.model.methods import Choice
from viewer.model.view.view_state import ViewState


@pytest.mark.parametrize("factor", [2, 3, 8])
def test_a_copy_is_that_much_smaller_and_keeps_what_it_is_a_copy_of(factor):
    whole = scenery(101, 130)
    copy = reduced_copy(Picture(whole), factor)
    height, width = 101 // factor, 130 // factor
    assert copy.extent == (height, width)
    assert copy.original.extent == (height * factor, width * factor)
    assert np.array_equal(copy.original.pixels, whole[: height * factor, : width * factor])
    wanted = Image.fromarray(copy.original.pixels).resize((width, height), Image.Resampling.BICUBIC)
    assert np.array_equal(copy.pixels, np.asarray(wanted))


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_deep_pictures_are_copied_in_8_bits(dtype):
    copy = reduced_copy(Picture(scenery(40, 40, dtype)), 2)
    assert copy.dtype == np.uint8
    assert np.abs(copy.original.pixels.astype(int) - scenery(40, 40)).max() <= 1
    assert copy.note == "in 8 bits a channel"
    clear = reduced_copy(Picture(scenery(40, 40), np.zeros((40, 40), np.uint8)), 2)
    assert clear.note == "without transparency"
    assert not reduced_copy(Picture(scenery(40, 40)), 2).note


def test_pictures_too_small_or_too_large_are_refused(monkeypatch):
    with pytest.raises(ImageError, match="too small"):
        reduced_copy(Picture(scenery(30, 60)), 4)
    monkeypatch.setattr("gaussian_core.pyramid.reduced_copy.MOST", 1000)
    with pytest.raises(ImageError, match="too large"):
        reduced_copy(Picture(scenery(40, 60)), 2)


def test_at_the_scale_of_the_reduction_the_original_is_drawn_to_the_bit():
    copy = reduced_copy(Picture(scenery(60, 90)), 3)
    drawn = OriginalDrawing(copy.original, copy.extent).draw(Viewport((4.0, 2.0), 3.0, (45, 30)))
    assert np.array_equal(np.round(drawn * 255), copy.original.pixels[6:36, 12:57])


def test_the_psnr_of_frames_is_that_of_the_tables():
    a, b = scenery(80, 70), scenery(80, 70)
    b = np.clip(b.astype(int) + np.random.default_rng(1).integers(-9, 9, b.shape), 0, 255)
    b = b.astype(np.uint8)
    frames = [np.dstack([p[..., ::-1], np.full(p.shape[:2], 255, np.uint8)]) for p in (a, b)]
    assert psnr_of_frames(*frames) == pytest.approx(score(b / 255, a / 255, 0.0).psnr_y, abs=1e-6)
    assert math.isinf(psnr_of_frames(frames[0], frames[0]))


@pytest.fixture
def opened(make_window, qtbot, tmp_path):
    """A window with the picture that is to be reduced."""
    window = make_window()
    Image.fromarray(scenery(480, 720)).save(tmp_path / "a.png")
    open_and_wait(qtbot, window, tmp_path / "a.png")
    return window


def reduce(window, qtbot):
    window.menus.actions["reduced.4"].trigger()
    wait_until_idle(qtbot, window, lambda: window.session.document.extent == (120, 180))


@pytest.fixture
def window(opened, qtbot):
    reduce(opened, qtbot)
    return opened


def plates(window):
    return window.canvas.plates


def test_what_a_method_makes_of_the_copy_is_shown_beside_the_original(window, qtbot):
    canvas = window.canvas
    assert window.windowTitle().startswith("a.png, 1/4")
    assert canvas.split and window.menus.actions["field.split"].isChecked()
    canvas.set_view(canvas.view.at_scale(4.0))
    wait_until_idle(qtbot, window)
    seen = pixels(canvas.grab_frame())
    column = canvas.view.size[0] // 2
    x, y = (max(0, round(v * 4)) for v in canvas.view.origin)
    truth = scenery(480, 720)[y : y + seen.shape[0], x : x + seen.shape[1]]
    left = column - canvas.view.picture_rect[0]
    assert np.array_equal(seen[:, :left], truth[:, :left])
    qtbot.waitUntil(lambda: "dB" in plates(window)[1], timeout=30_000)
    told = plates(window)
    made = pixels_alone(window, qtbot)
    wanted = score(made / 255, truth / 255, 4.0).psnr_y
    assert told == ("Original", f"Kernel interpolation  {wanted:.2f} dB")
    assert wanted == pytest.approx(evaluated(scenery(480, 720), 4), abs=1e-3)


def evaluated(picture, factor):
    """The PSNR of kernel interpolation as `evaluate` has it."""
    low, high = reduced(picture, factor)
    drawing = open_drawing(Picture(np.ascontiguousarray(low)), "kernel", Options())
    size = (high.shape[1], high.shape[0])
    return score(drawing.draw(Viewport((0, 0), factor, size)), high / 255, factor).psnr_y


@pytest.mark.parametrize(
    ("origin", "scale", "part"),
    [
        ((-10.0, -20.0), 4.0, (slice(4, 396), slice(4, 596))),  # all of it, the border left out
        ((20.0, 20.0), 4.0, (slice(0, 316), slice(0, 516))),  # its right lower part
        ((50.0, 30.0), 10.0, (slice(0, 690), slice(0, 990))),
        ((50.0, 30.0), 40.0, (slice(0, 800), slice(0, 1200))),  # no border in view
        ((149.0, 30.0), 40.0, (slice(None), slice(None))),  # nothing but border
    ],
)
def test_the_outermost_pixels_of_the_copy_are_not_measured(origin, scale, part):
    view = ViewState((100, 150), (1200, 800), origin, scale)
    assert measured_part(view) == part


def pixels_alone(window, qtbot):
    """The right side over all of the view."""
    QTest.keyClick(window.canvas, Qt.Key.Key_S)
    wait_until_idle(qtbot, window)
    seen = pixels(window.canvas.grab_frame())
    QTest.keyClick(window.canvas, Qt.Key.Key_S)
    return seen


def test_the_picture_that_was_open_is_not_split_meanwhile(opened, qtbot):
    window, split = opened, []
    window.canvas.frame_shown.connect(
        lambda _: split.append((window.session.document.extent, window.canvas.split))
    )
    window.menus.actions["reduced.4"].trigger()
    assert not window.canvas.split and not window.menus.actions["field.split"].isChecked()
    wait_until_idle(qtbot, window, lambda: window.session.document.extent == (120, 180))
    assert window.canvas.split and window.menus.actions["field.split"].isChecked()
    assert ((480, 720), True) not in split


def test_the_original_stays_on_the_left_whatever_method_is_chosen(window, qtbot):
    canvas = window.canvas
    canvas.set_view(canvas.view.at_scale(4.0))
    for method in ("nearest", "lanczos"):
        window.menus.actions[f"method.{method}"].trigger()
        wait_until_idle(qtbot, window)
        assert canvas.scene_beside.method == "original"
        title = window.session.choice.title
        qtbot.waitUntil(lambda t=title: plates(window)[1].startswith(f"{t}  "), timeout=30_000)
    # The figure is of a view that rests: with the next one it goes, and comes anew.
    figure = plates(window)[1]
    canvas.set_view(canvas.view.at_scale(7.0))
    assert "dB" not in plates(window)[1]
    qtbot.waitUntil(lambda: "dB" in plates(window)[1], timeout=30_000)
    assert plates(window)[1] != figure
    QTest.keyPress(canvas, Qt.Key.Key_X)
    wait_until_idle(qtbot, window)
    assert canvas.scene.method == "original"
    QTest.keyRelease(canvas, Qt.Key.Key_X)
    wait_until_idle(qtbot, window)
    assert canvas.scene.method == "lanczos" and window.settings.method == "lanczos"


def test_from_one_copy_to_the_next_and_back_to_the_picture(window, qtbot):
    window.menus.actions["reduced.2"].trigger()
    wait_until_idle(qtbot, window, lambda: window.session.document.extent == (240, 360))
    assert window.windowTitle().startswith("a.png, 1/2")
    window.menus.actions["reduced.1"].trigger()
    wait_until_idle(qtbot, window, lambda: window.session.document.extent == (480, 720))
    assert window.windowTitle().startswith("a.png  ")
    assert not window.canvas.split and not window.menus.actions["field.split"].isChecked()


def test_a_copy_shows_the_place_that_was_looked_at_as_large_and_so_does_the_picture_after_it(
    opened, qtbot
):
    canvas, actions = opened.canvas, opened.menus.actions
    assert not actions["reduced.1"].isEnabled(), "that is what is open"
    canvas.set_view(canvas.view.centred_on(500.0, 120.0, 8.0).aligned())
    wait_until_idle(qtbot, opened)
    reduce(opened, qtbot)
    assert actions["reduced.1"].isEnabled()
    assert canvas.view.scale == pytest.approx(32.0)
    assert canvas.view.to_source(*canvas.view.centre) == pytest.approx((125.0, 30.0), abs=0.1)
    actions["reduced.1"].trigger()
    wait_until_idle(qtbot, opened, lambda: opened.session.document.extent == (480, 720))
    assert canvas.view.scale == pytest.approx(8.0)
    assert canvas.view.to_source(*canvas.view.centre) == pytest.approx((500.0, 120.0), abs=0.2)
    canvas.fit()
    qtbot.waitUntil(lambda: canvas.view.follow == "fit", timeout=30_000)
    reduce(opened, qtbot)
    assert canvas.view.fit_scale >= canvas.view.scale, "all of it was in view"


def test_back_from_a_copy_the_picture_is_what_its_file_is(make_window, qtbot, tmp_path):
    """All of its pixels, its 16 bits, its transparency; and another copy is one of that, too."""
    window = make_window()
    alpha = np.linspace(0, 65535, 101 * 131).astype(np.uint16).reshape(101, 131, 1)
    write_image(tmp_path / "a.png", np.dstack([scenery(101, 131, np.uint16), alpha]), bits=16)
    open_and_wait(qtbot, window, tmp_path / "a.png")
    before = window.session.document.picture
    for factor, extent in ((3, (33, 43)), (2, (50, 65)), (1, (101, 131))):
        window.menus.actions[f"reduced.{factor}"].trigger()
        wait_until_idle(qtbot, window, lambda e=extent: window.session.document.extent == e)
        said = "in 8 bits a channel and without transparency" in window.status.message
        assert said == (factor > 1)
    after = window.session.document.picture
    assert after.dtype == np.uint16 and after.has_alpha
    assert np.array_equal(after.pixels, before.pixels)
    assert np.array_equal(after.alpha, before.alpha)


def test_a_copy_is_seen_at_its_factor_times_the_scale_though_some_pixels_are_left_over(
    make_window, qtbot, tmp_path
):
    window = make_window()
    canvas = window.canvas
    Image.fromarray(scenery(401, 503)).save(tmp_path / "a.png")
    open_and_wait(qtbot, window, tmp_path / "a.png")
    canvas.set_view(canvas.view.centred_on(480.0, 300.0, 4.0).aligned())
    wait_until_idle(qtbot, window)
    for factor, extent in ((8, (50, 62)), (2, (200, 251)), (1, (401, 503))):
        window.menus.actions[f"reduced.{factor}"].trigger()
        wait_until_idle(qtbot, window, lambda e=extent: window.session.document.extent == e)
        assert canvas.view.scale == 4.0 * factor
        there = canvas.view.to_source(*canvas.view.centre)
        assert there == pytest.approx((480.0 / factor, 300.0 / factor), abs=0.2)


def test_what_is_opened_while_the_original_is_held_opens(window, qtbot, tmp_path, monkeypatch):
    Image.fromarray(scenery(60, 80)).save(tmp_path / "b.png")
    said = keep_what_is_told(window, monkeypatch)
    QTest.keyPress(window.canvas, Qt.Key.Key_X)
    wait_until_idle(qtbot, window)
    window.menus.actions["reduced.2"].trigger()
    wait_until_idle(qtbot, window, lambda: said or window.session.document.extent == (240, 360))
    QTest.keyRelease(window.canvas, Qt.Key.Key_X)
    QTest.keyPress(window.canvas, Qt.Key.Key_X)
    window.open(tmp_path / "b.png")
    wait_until_idle(qtbot, window, lambda: said or window.session.document.extent == (60, 80))
    QTest.keyRelease(window.canvas, Qt.Key.Key_X)
    wait_until_idle(qtbot, window)
    assert not said
    assert window.session.document.method == window.canvas.scene.method == "kernel"


def test_what_cannot_be_reduced_says_so_and_stays_open(window, qtbot, tmp_path):
    Image.fromarray(scenery(30, 40)).save(tmp_path / "small.png")
    open_and_wait(qtbot, window, tmp_path / "small.png")
    wait_until_idle(qtbot, window, lambda: window.session.document.extent == (30, 40))
    said = []
    window.error_box.tell = lambda title, text: said.append(text)
    window.menus.actions["reduced.8"].trigger()
    qtbot.waitUntil(lambda: bool(said), timeout=30_000)
    assert "too small" in said[0]
    assert window.session.document.extent == (30, 40)


@pytest.mark.parametrize("split", [False, True])
def test_another_picture_is_shown_as_those_before_the_copy(opened, qtbot, tmp_path, split):
    window = opened
    if split:
        window.menus.actions["field.split"].trigger()
    reduce(window, qtbot)
    assert window.canvas.split and window.menus.actions["field.split"].isChecked()
    Image.fromarray(scenery(60, 80)).save(tmp_path / "b.png")
    open_and_wait(qtbot, window, tmp_path / "b.png")
    wait_until_idle(qtbot, window, lambda: window.session.document.extent == (60, 80))
    assert window.canvas.split == split
    assert window.menus.actions["field.split"].isChecked() == split


def test_files_are_named_after_the_copy_and_the_method(window, qtbot):
    document = window.session.document
    assert document.stem == "a 1-4"
    assert field_saving.suggested_name(document) == "a 1-4.safetensors"
    window.exporter.ask_export_file(window.session.document, ExportPlan(4.0))
    dialog = next(d for d in window.findChildren(QFileDialog) if d.windowTitle() == "Export")
    assert Path(dialog.selectedFiles()[0]).name == "a 1-4 x4 Kernel interpolation.png"
    dialog.close()


def test_the_usual_method_is_not_named():
    assert suggested_name("a", 2.5, Choice()) == "a x2.5.png"
    assert suggested_name("a", 2.0, None) == "a x2.png"
    assert suggested_name("a", 2.0, Choice(shipped="base")) == "a x2 ContinuousSR base.png"
    assert suggested_name("a", 2.0, Choice(weights=Path("/b/my.pth"))) == "a x2 my.png"
