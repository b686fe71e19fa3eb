"""A picture file that the open picture is held against: the original of a small one, or what another program made."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog

from gaussian_core import build_field, load_image
from gaussian_core.errors import ImageError
from gaussian_core.evaluation.metrics import score
from gaussian_core.imaging.picture import Picture
from gaussian_core.methods import Options, open_drawing
from gaussian_core.original import factors
from gaussian_core.viewport import Viewport
from tests.canvas_helpers import pixels
from tests.scenery import scenery
from tests.window_helpers import keep_what_is_told, open_and_wait, wait_until_idle
from viewer.model.documents.counterparts import counterpart
from viewer.model.documents.document import Document
from viewer.model.documents.original import OriginalDrawing


@pytest.mark.parametrize(
    ("original", "extent", "wanted"),
    [
        ((480, 720), (120, 180), (4.0, 4.0)),
        ((321, 481), (160, 240), (2.0, 2.0)),  # what fills no pixel of the smaller one is left out
        ((120, 180), (120, 180), (1.0, 1.0)),
        ((288, 432), (120, 180), (2.4, 2.4)),
        ((289, 431), (120, 180), (431 / 180, 289 / 120)),
        ((60, 90), (120, 180), (0.5, 0.5)),
        ((1, 1), (3, 2), (0.5, 1 / 3)),  # within what a pixel may be rounded by
    ],
)
def test_any_size_of_the_same_shape_will_do(original, extent, wanted):
    assert factors(original, extent) == pytest.approx(wanted)


@pytest.mark.parametrize("original", [(480, 480), (720, 480), (130, 180), (120, 181 + 4)])
def test_another_shape_is_refused(original):
    assert factors(original, (120, 180)) is None
    with pytest.raises(ImageError, match="of the same scene"):
        OriginalDrawing(Picture(scenery(*original)), (120, 180))


@pytest.mark.parametrize(
    ("reference", "picture", "other", "wanted"),
    [
        ("HR/img1.png", "LR/img1.png", "LR/img2.jpg", "HR/img2.png"),
        ("HR/0801.png", "LR/0801x4.png", "LR/0802x4.png", "HR/0802.png"),
        ("out/a_x4_net.png", "a.png", "b.png", "out/b_x4_net.png"),
        ("HR/0801.png", "LR/0801x4.png", "LR/readme.png", None),
        ("HR/one.png", "LR/two.png", "LR/three.png", None),
    ],
)
def test_counterparts_go_by_their_names(reference, picture, other, wanted):
    found = counterpart(Path(reference), Path(picture), Path(other))
    assert found == (None if wanted is None else Path(wanted))


@pytest.fixture
def folders(tmp_path):
    """Two pictures and a third in small, and the first two in large."""
    for name in ("small", "large"):
        (tmp_path / name).mkdir()
    for number in (1, 2, 3):
        whole = scenery(240, 360, seed=number)
        small = Image.fromarray(whole).resize((180, 120), Image.Resampling.BICUBIC)
        small.save(tmp_path / "small" / f"p{number}x2.png")
        if number < 3:
            Image.fromarray(whole).save(tmp_path / "large" / f"p{number}.png")
    return tmp_path


@pytest.fixture
def window(make_window, qtbot, folders):
    window = make_window()
    open_and_wait(qtbot, window, folders / "small" / "p1x2.png")
    return window


def entry(window):
    return window.menus.actions["compare.file"]


def choose(window, qtbot, path):
    """By the menu and its dialog."""
    entry(window).trigger()
    dialog = window.findChild(QFileDialog)
    assert dialog.windowTitle() == "Compare With a Picture"
    dialog.selectFile(str(path))
    dialog.fileSelected.emit(str(path))
    dialog.close()
    window.activateWindow()  # as a window manager would
    qtbot.waitUntil(window.isActiveWindow)
    wait_until_idle(qtbot, window)


def seen_while_held(window, qtbot):
    """What the status bar calls what X shows."""
    QTest.keyPress(window.canvas, Qt.Key.Key_X)
    wait_until_idle(qtbot, window)
    name = window.status.method.text
    QTest.keyRelease(window.canvas, Qt.Key.Key_X)
    wait_until_idle(qtbot, window)
    return name


def left_side(window):
    """What is seen left of the line, and where that begins in the picture."""
    canvas = window.canvas
    seen = pixels(canvas.grab_frame())
    left, top = canvas.view.picture_rect[:2]
    x, y = canvas.view.to_source(left, top)
    return seen[:, : canvas.view.size[0] // 2 - left - 2], (x, y)


def test_the_original_is_shown_beside_the_picture_and_how_near_the_method_comes(
    window, qtbot, folders
):
    choose(window, qtbot, folders / "large" / "p1.png")
    canvas = window.canvas
    assert canvas.split and entry(window).isChecked() and entry(window).text().endswith("p1.png")
    canvas.set_view(canvas.view.at_scale(2.0).aligned())
    wait_until_idle(qtbot, window, lambda: canvas.plates[1].endswith("dB"))
    assert canvas.plates[0] == "p1.png"
    seen, (x, y) = left_side(window)
    truth = scenery(240, 360, seed=1)
    x, y = round(x * 2), round(y * 2)
    assert np.array_equal(seen, truth[y : y + seen.shape[0], x : x + seen.shape[1]])
    # Of all of it the figure is the tables' one.
    assert canvas.view.picture_rect[2] - canvas.view.picture_rect[0] == 360
    picture = window.session.document.picture
    drawn = open_drawing(picture, "kernel", Options()).draw(Viewport((0, 0), 2.0, (360, 240)))
    drawn = np.round(np.clip(drawn, 0, 1) * 255) / 255
    wanted = score(drawn, truth / 255, 2.0).psnr_y
    assert float(canvas.plates[1].split()[-2]) == pytest.approx(wanted, abs=0.011)


def test_how_near_the_method_before_came_is_not_said_of_the_next(
    window, qtbot, folders, monkeypatch
):
    choose(window, qtbot, folders / "large" / "p1.png")
    canvas = window.canvas
    canvas.set_view(canvas.view.at_scale(2.0).aligned())
    wait_until_idle(qtbot, window, lambda: canvas.plates[1].endswith("dB"))
    measures, goes_on = threading.Event(), threading.Event()

    def measured_late(a, b):
        measures.set()
        goes_on.wait(60)
        return 99.0

    monkeypatch.setattr("viewer.model.documents.original.psnr_of_frames", measured_late)
    canvas.set_view(canvas.view.pan_by(30, 0))
    qtbot.waitUntil(measures.is_set)
    monkeypatch.setattr("viewer.model.documents.original.psnr_of_frames", lambda a, b: 11.0)
    told = []
    window.session._compared.beside._closeness.measured.connect(told.append)
    window.menus.actions["method.bicubic"].trigger()
    goes_on.set()
    qtbot.waitUntil(lambda: 11.0 in told)
    assert canvas.plates[1] == "Bicubic  11.00 dB" and 99.0 not in told


def test_it_is_another_picture_below_100_percent_too(window, qtbot, folders):
    Image.fromarray(255 - scenery(240, 360, seed=1)).save(folders / "negative.png")
    choose(window, qtbot, folders / "negative.png")
    window.canvas.set_view(window.canvas.view.at_scale(0.5))
    wait_until_idle(qtbot, window)
    assert window.canvas.plates[0] == "negative.png"
    assert window.canvas.plates[1].startswith("The picture")
    seen, _ = left_side(window)
    small = Image.fromarray(255 - scenery(240, 360, seed=1)).resize(
        (90, 60), Image.Resampling.BICUBIC
    )
    off = np.abs(seen.astype(int) - np.asarray(small)[:, : seen.shape[1]])
    assert off.mean() < 4 and off.max() < 20  # antialiased in another way


def test_the_key_shows_it_alone(window, qtbot, folders):
    choose(window, qtbot, folders / "large" / "p1.png")
    QTest.keyClick(window.canvas, Qt.Key.Key_S)
    wait_until_idle(qtbot, window)
    assert not window.canvas.split
    window.canvas.set_view(window.canvas.view.at_scale(2.0).aligned())
    wait_until_idle(qtbot, window)
    own = window.canvas.grab_frame()
    QTest.keyPress(window.canvas, Qt.Key.Key_X)
    wait_until_idle(qtbot, window)
    assert np.array_equal(pixels(window.canvas.grab_frame()), scenery(240, 360, seed=1))
    assert window.status.method.text == "p1.png"
    assert "p1.png, while X is held" in window.status.message
    QTest.keyRelease(window.canvas, Qt.Key.Key_X)
    wait_until_idle(qtbot, window)
    assert window.canvas.grab_frame() == own


def test_one_that_is_read_while_the_key_is_held_ends_that(window, qtbot, folders):
    window.menus.actions["method.bicubic"].trigger()
    wait_until_idle(qtbot, window)
    QTest.keyPress(window.canvas, Qt.Key.Key_X)
    wait_until_idle(qtbot, window)
    window.reference.open(folders / "large" / "p1.png")
    wait_until_idle(qtbot, window)
    assert window.session.reference is not None and not window.session.comparing
    assert window.canvas._panes.names == ("p1.png", "Bicubic")
    QTest.keyRelease(window.canvas, Qt.Key.Key_X)
    QTest.keyPress(window.canvas, Qt.Key.Key_X)
    wait_until_idle(qtbot, window)
    assert window.status.method.text == "p1.png"
    QTest.keyRelease(window.canvas, Qt.Key.Key_X)
    wait_until_idle(qtbot, window)
    assert window.status.method.text == "Bicubic"


def test_all_methods_are_held_against_it_until_it_is_left(window, qtbot, folders):
    choose(window, qtbot, folders / "large" / "p1.png")
    window.menus.actions["method.bicubic"].trigger()
    wait_until_idle(qtbot, window)
    assert window.canvas._panes.names[0] == "p1.png" and "Bicubic" in window.canvas._panes.names[1]
    entry(window).trigger()
    wait_until_idle(qtbot, window)
    assert not entry(window).isChecked() and entry(window).text() == "A &Picture File..."
    assert window.session.reference is None and not window.canvas.split
    QTest.keyClick(window.canvas, Qt.Key.Key_S)
    wait_until_idle(qtbot, window)
    assert window.canvas._panes.names[0] == "Kernel interpolation"


def test_the_next_picture_of_the_folder_has_its_own(window, qtbot, folders):
    choose(window, qtbot, folders / "large" / "p1.png")
    QTest.keyClick(window.canvas, Qt.Key.Key_PageDown)
    wait_until_idle(qtbot, window, lambda: window.canvas._panes.names[0] == "p2.png")
    assert window.canvas.split
    QTest.keyClick(
        window.canvas, Qt.Key.Key_S
    )  # nothing is put beside the pictures after it either
    QTest.keyClick(window.canvas, Qt.Key.Key_PageDown)
    wait_until_idle(qtbot, window, lambda: window.session.document.name == "p3x2.png")
    qtbot.waitUntil(lambda: "no p3.png in large" in window.status.message)
    assert window.session.reference is None and not entry(window).isChecked()
    QTest.keyClick(window.canvas, Qt.Key.Key_PageUp)
    wait_until_idle(qtbot, window, lambda: window.session.reference is not None)
    assert window.reference.path.name == "p2.png" and not window.canvas.split


def test_a_picture_that_is_read_again_keeps_it(window, qtbot, folders):
    choose(window, qtbot, folders / "large" / "p1.png")
    before = window.session.reference
    QTest.keyClick(window.canvas, Qt.Key.Key_F5)
    wait_until_idle(qtbot, window, lambda: window.session.reference not in (None, before))
    assert window.canvas.split and window.canvas._panes.names[0] == "p1.png"


def test_a_picture_of_another_folder_and_a_reduced_copy_have_none(window, qtbot, folders):
    choose(window, qtbot, folders / "large" / "p1.png")
    window.menus.actions["reduced.2"].trigger()
    wait_until_idle(qtbot, window, lambda: window.session.document.factor == 2)
    assert window.canvas._panes.names[0] == "Original" and not entry(window).isEnabled()
    open_and_wait(qtbot, window, folders / "large" / "p1.png")
    wait_until_idle(qtbot, window, lambda: window.session.document.factor == 1)
    assert window.session.reference is None and entry(window).isEnabled()


def test_what_does_not_fit_or_cannot_be_read_leaves_what_is_there(
    window, qtbot, folders, monkeypatch
):
    told = keep_what_is_told(window, monkeypatch)
    choose(window, qtbot, folders / "large" / "p1.png")
    (folders / "text.png").write_text("no picture")
    Image.fromarray(scenery(90, 200)).save(folders / "wide.png")
    for name in ("text.png", "wide.png", "gone.png"):
        window.reference.open(folders / name)
        wait_until_idle(qtbot, window)
        title, message = told.pop()
        assert title == f"{name} was not opened" and message and not told
        assert window.canvas._panes.names[0] == "p1.png" and entry(window).isChecked()
        assert window.reference.path.name == "p1.png"
        # It is no longer being read, which is said a little later.
        qtbot.waitUntil(lambda: name not in window.status.message)  # noqa: B023
    QTest.keyClick(window.canvas, Qt.Key.Key_PageDown)
    wait_until_idle(qtbot, window, lambda: window.canvas._panes.names[0] == "p2.png")


def test_one_that_is_named_before_there_is_a_picture_waits_for_it(make_window, qtbot, folders):
    window = make_window()
    window.open(folders / "small" / "p2x2.png")
    window.reference.open(folders / "large" / "p2.png")
    wait_until_idle(qtbot, window, lambda: window.session.reference is not None)
    assert window.canvas.split and window.canvas._panes.names[0] == "p2.png"


@pytest.mark.parametrize("ends", ["fails", "is stopped"])
def test_one_that_is_chosen_while_another_picture_is_opened_is_held_against_what_stays(
    window, qtbot, folders, monkeypatch, ends
):
    go_on, read = threading.Event(), Document.open.__func__

    def slowly(cls, *arguments, **options):
        go_on.wait(60)
        return read(cls, *arguments, **options)

    monkeypatch.setattr(Document, "open", classmethod(slowly))
    told = keep_what_is_told(window, monkeypatch)
    bad = folders / "small" / "bad.png"
    bad.write_bytes(b"nothing of a picture")
    window.open(bad)
    window.reference.open(folders / "large" / "p1.png")
    if ends == "is stopped":
        window.session.cancel_opening()
    go_on.set()
    qtbot.waitUntil(lambda: not window.session.opening)
    assert len(told) == (ends == "fails")
    wait_until_idle(qtbot, window, lambda: window.session.reference is not None)
    assert window.reference.path.name == "p1.png" and window.canvas._panes.names[0] == "p1.png"


def test_a_field_file_says_that_it_has_no_picture_to_hold_one_against(make_window, qtbot, folders):
    field = folders / "field.safetensors"
    build_field(load_image(folders / "small" / "p3x2.png"), method="kernel").save(field)
    window = make_window()
    said = []
    window.reference.failed.connect(lambda title, message: said.append(message))
    # As --compare does, before anything is open.
    window.reference.open(folders / "large" / "p1.png")
    open_and_wait(qtbot, window, field)
    assert said == ["A field file has no picture to be held against another."]
    open_and_wait(qtbot, window, folders / "small" / "p1x2.png")
    assert not window.canvas.split and len(said) == 1


def test_it_is_no_method_to_go_back_to(window, qtbot, folders):
    """After it was looked at alone the method before is still the one before, and another file is shown as itself."""
    window.menus.actions["method.bicubic"].trigger()
    wait_until_idle(qtbot, window)
    for number in (1, 2):
        window.reference.open(folders / "large" / f"p{number}.png")
        wait_until_idle(qtbot, window, lambda: window.session.compared_title == f"p{number}.png")  # noqa: B023
        window.canvas.set_view(window.canvas.view.at_scale(2.0).aligned())
        QTest.keyPress(window.canvas, Qt.Key.Key_X)
        wait_until_idle(qtbot, window)
        seen = pixels(window.canvas.grab_frame())
        assert np.array_equal(
            seen, scenery(240, 360, seed=number)[: seen.shape[0], : seen.shape[1]]
        )
        QTest.keyRelease(window.canvas, Qt.Key.Key_X)
        wait_until_idle(qtbot, window)
    QTest.keyClick(window.canvas, Qt.Key.Key_F5)
    wait_until_idle(qtbot, window, lambda: not window.session.opening)
    entry(window).trigger()
    wait_until_idle(qtbot, window)
    assert window.session.reference is None
    assert seen_while_held(window, qtbot) == "Kernel interpolation"


def test_a_method_that_is_chosen_while_it_is_looked_at_follows_the_one_before(
    window, qtbot, folders
):
    choose(window, qtbot, folders / "large" / "p1.png")
    QTest.keyPress(window.canvas, Qt.Key.Key_X)
    wait_until_idle(qtbot, window)
    window.menus.actions["method.bicubic"].trigger()
    wait_until_idle(qtbot, window)
    QTest.keyRelease(window.canvas, Qt.Key.Key_X)
    assert window.canvas._panes.names == ("p1.png", "Bicubic")
    entry(window).trigger()  # no reference any more
    assert seen_while_held(window, qtbot) == "Kernel interpolation"


def test_a_reduced_copy_and_a_field_of_the_same_folder_leave_the_next_pictures_theirs(
    window, qtbot, folders
):
    choose(window, qtbot, folders / "large" / "p1.png")
    window.menus.actions["reduced.2"].trigger()
    wait_until_idle(qtbot, window, lambda: window.session.document.factor == 2)
    assert window.reference.path is None and window.canvas._panes.names[0] == "Original"
    window.menus.actions["reduced.1"].trigger()
    wait_until_idle(qtbot, window, lambda: window.canvas._panes.names[0] == "p1.png")
    small = folders / "small"
    build_field(load_image(small / "p2x2.png"), "kernel").save(small / "p2x2.safetensors")
    open_and_wait(qtbot, window, small / "p2x2.safetensors")
    wait_until_idle(qtbot, window, lambda: window.session.document.picture is None)
    assert not entry(window).isEnabled() and not entry(window).isChecked()
    window.open(small / "p2x2.png")
    wait_until_idle(qtbot, window, lambda: window.session.reference is not None)
    assert window.reference.path.name == "p2.png"


def test_that_it_has_changed_on_disk_is_said(window, qtbot, folders):
    path = folders / "large" / "p1.png"
    choose(window, qtbot, path)
    said = "p1.png has changed on disk: F5 reads it again"
    Image.fromarray(255 - scenery(240, 360, seed=1)).save(path)
    qtbot.waitUntil(lambda: window.status.message == said, timeout=60_000)
    before = window.session.reference
    QTest.keyClick(window.canvas, Qt.Key.Key_F5)
    wait_until_idle(qtbot, window, lambda: window.session.reference not in (None, before))
    assert window.status.message != said
    assert np.array_equal(window.session.reference.picture.pixels, 255 - scenery(240, 360, seed=1))


def test_of_what_was_pasted_the_file_beside_it_can_be_read_again(make_window, qtbot, folders):
    window = make_window()
    path = folders / "large" / "p1.png"
    QGuiApplication.clipboard().setImage(QImage(str(folders / "small" / "p1x2.png")))
    window.menus.actions["edit.paste"].trigger()
    wait_until_idle(qtbot, window, lambda: window.session.document is not None)
    assert not window.menus.actions["file.reload"].isEnabled()
    window.reference.open(path)
    wait_until_idle(qtbot, window, lambda: window.session.reference is not None)
    Image.fromarray(255 - scenery(240, 360, seed=1)).save(path)
    said = "p1.png has changed on disk: F5 reads it again"
    qtbot.waitUntil(lambda: window.status.message == said, timeout=60_000)
    before = window.session.reference
    QTest.keyClick(window.canvas, Qt.Key.Key_F5)
    wait_until_idle(qtbot, window, lambda: window.session.reference is not before)
    assert np.array_equal(window.session.reference.picture.pixels, 255 - scenery(240, 360, seed=1))
    assert window.status.message != said
    before = window.session.reference
    path.write_bytes(b"no picture")
    QTest.keyClick(window.canvas, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: window.status.message.startswith("p1.png: "))
    Image.fromarray(scenery(240, 360, seed=1)).save(path)
    QTest.keyClick(window.canvas, Qt.Key.Key_F5)
    wait_until_idle(qtbot, window, lambda: window.session.reference is not before)
    assert not window.status.message.startswith("p1.png: ")


def test_that_both_have_changed_is_still_said_of_the_picture_when_it_is_compared_no_more(
    window, qtbot, folders
):
    choose(window, qtbot, folders / "large" / "p1.png")
    for place, name in (("large", "p1.png"), ("small", "p1x2.png")):
        file = folders / place / name
        Image.fromarray(255 - np.asarray(Image.open(file))).save(file)
        said = f"{name} has changed on disk: F5 reads it again"
        qtbot.waitUntil(lambda: window.status.message == said, timeout=60_000)  # noqa: B023
    entry(window).trigger()
    window.status.tell("Something else")
    window.status.tell("")  # its time is over
    assert window.status.message == "p1x2.png has changed on disk: F5 reads it again"
