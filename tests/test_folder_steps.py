"""Next and previous picture: the order of a folder, its ends, broken files, the view, folders and files dropped."""

from __future__ import annotations

import ntpath
import os
import threading
import time
from pathlib import Path, PureWindowsPath
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PySide6.QtWidgets import QApplication

from gaussian_core.builder import build_field
from gaussian_core.images import load_image
from gaussian_core.picture_folders import SUFFIXES
from tests.window_helpers import keep_what_is_told, open_and_wait, save_picture, wait_until_idle
from viewer.model.documents import siblings
from viewer.model.documents.document import Document
from viewer.model.documents.siblings import pictures_in, place_after
from viewer.ui.dialogs.dialogs import PICTURES


@pytest.fixture
def folder(tmp_path):
    """img1.png, IMG2.png, img10.png and what is no picture."""
    there = tmp_path / "pictures"
    there.mkdir()
    for number, name in enumerate(("img10.png", "IMG2.png", "img1.png")):
        save_picture(there / name, seed=number)
    (there / "notes.txt").write_text("no picture")
    (there / ".hidden.png").write_bytes(b"")
    (there / "img3.png").mkdir()
    return there


@pytest.fixture
def window(make_window, monkeypatch):
    made = make_window()
    made.told = keep_what_is_told(made, monkeypatch)
    return made


def press(qtbot, window, key, wanted: str, times: int = 1) -> None:
    for _ in range(times):
        qtbot.keyClick(window.canvas, key)
    wait_until_idle(qtbot, window, lambda: window.session.document.name == wanted)


def drop(window, *paths: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    action = Qt.DropAction.CopyAction
    QApplication.sendEvent(window, QDragEnterEvent(QPoint(50, 50), action, data, left, none))
    QApplication.sendEvent(window, QDropEvent(QPointF(50, 50), action, data, left, none))


def active(qtbot, window) -> None:
    window.activateWindow()
    qtbot.waitActive(window)
    window.canvas.setFocus()


NEXT, PREVIOUS = Qt.Key.Key_PageDown, Qt.Key.Key_PageUp


def test_the_order_is_natural_and_only_pictures_are_in_it(folder):
    build_field(load_image(folder / "img1.png"), "kernel").save(folder / "img1.safetensors")
    save_picture(folder / "img.png")
    names = [path.name for path in pictures_in(folder)]
    assert names == ["img.png", "img1.png", "img1.safetensors", "IMG2.png", "img10.png"]
    assert PICTURES.split() == [f"*{suffix}" for suffix in SUFFIXES]


def test_what_has_gone_has_its_place_still():
    paths = [Path(f"/a/{n}.png") for n in (1, 2, 10, 11)]
    here = Path("/a/3.png")
    assert (place_after(paths, here, 1), place_after(paths, here, -1)) == (2, 1)
    assert place_after(paths, paths[2], 1) == 3
    assert place_after(paths, Path("/a/99.png"), 1) == 4


@pytest.mark.parametrize("typed", ["dsc_2.jpg", "DSC_2.JPG", "Dsc_2.Jpg"])
def test_on_windows_a_name_in_another_case_is_the_same_place(monkeypatch, typed):
    """As it may be typed; a camera's are in capitals."""
    monkeypatch.setattr(siblings.os.path, "normcase", ntpath.normcase)
    names = [PureWindowsPath("C:/a", f"DSC_{k}.JPG") for k in (1, 2, 10)]
    here = PureWindowsPath("C:/a", typed)
    assert [place_after(names, here, steps) for steps in (-1, 1)] == [0, 2]


@pytest.mark.parametrize("typed", ["Caf\u00e9.png", "Cafe\u0301.png", "CAF\u00c9.PNG"])
def test_on_a_mac_an_accent_may_be_written_in_two_ways(monkeypatch, typed):
    """In folders from elsewhere it is a letter of its own; dialogs give it as one with the letter that it is on."""
    monkeypatch.setattr(siblings, "sys", SimpleNamespace(platform="darwin"))
    names = sorted(
        (Path("/a", name) for name in ("Cafa.png", "Cafe\u0301.png", "Cafz.png", "B\u00e4r.png")),
        key=siblings.natural_key,
    )
    assert [path.name[-5] for path in names] == ["r", "a", "z", "\u0301"]
    assert [place_after(names, Path("/a", typed), steps) for steps in (-1, 1)] == [2, 4]


def test_ten_thousand_files_are_read_in_a_moment(tmp_path):
    for number in range(10_000):
        os.close(os.open(tmp_path / f"{number}.jpg", os.O_CREAT))
    began = time.process_time()
    paths = pictures_in(tmp_path)
    assert place_after(paths, tmp_path / "4999.jpg", 1) == 5000
    assert len(paths) == 10_000 and time.process_time() - began < 2.0


def test_keys_go_to_the_next_and_the_previous_picture_and_the_ends_say_so(qtbot, window, folder):
    open_and_wait(qtbot, window, folder / "img1.png")
    recents = window.recents.paths
    active(qtbot, window)
    press(qtbot, window, NEXT, "IMG2.png")
    assert "IMG2.png: 2 of 3" in window.status.message
    press(qtbot, window, NEXT, "img10.png")
    press(qtbot, window, NEXT, "img10.png")
    assert window.status.message == "img10.png is the last of 3 pictures"
    press(qtbot, window, PREVIOUS, "IMG2.png")
    # The folder is read anew each time.
    save_picture(folder / "img1b.png")
    (folder / "IMG2.png").unlink()
    press(qtbot, window, PREVIOUS, "img1b.png")
    press(qtbot, window, PREVIOUS, "img1.png")
    press(qtbot, window, PREVIOUS, "img1.png")
    assert window.status.message == "img1.png is the first of 3 pictures"
    assert window.recents.paths == recents == (str(folder / "img1.png"),)
    assert not window.told


def test_broken_files_are_passed_over_and_what_is_wrong_is_said(qtbot, window, folder):
    (folder / "img4.png").write_bytes(b"this is no picture")
    (folder / "img5.jpg").write_bytes(b"")
    open_and_wait(qtbot, window, folder / "IMG2.png")
    active(qtbot, window)
    press(qtbot, window, NEXT, "img10.png")
    said = window.status.message
    assert said.startswith("img10.png: 5 of 5; passed over: ")
    assert "img4.png" in said and "img5.jpg" in said and str(folder) not in said
    (folder / "img11.png").write_bytes(b"this is no picture")
    press(qtbot, window, NEXT, "img10.png")
    qtbot.waitUntil(lambda: "the last of 6 pictures; passed over: " in window.status.message)
    assert "img11.png" in window.status.message
    assert not window.told


def test_the_view_is_kept_where_the_size_is_the_same(qtbot, window, folder):
    save_picture(folder / "img11.png", 200, 30)
    open_and_wait(qtbot, window, folder / "IMG2.png")
    window.canvas.set_view(window.canvas.view.at_scale(30.0).pan_by(100, 50))
    wait_until_idle(qtbot, window)
    view = window.canvas.view
    active(qtbot, window)
    press(qtbot, window, NEXT, "img10.png")
    assert window.canvas.view == view
    press(qtbot, window, NEXT, "img11.png")
    assert window.canvas.view == view.opening((30, 200), view.size)
    # What is opened by its name begins with all of it, whatever was open before.
    open_and_wait(qtbot, window, folder / "img10.png")
    window.canvas.set_view(view)
    window.open(folder / "IMG2.png")
    wait_until_idle(qtbot, window, lambda: window.session.document.name == "IMG2.png")
    assert window.canvas.view != view


def test_presses_that_come_faster_than_pictures_open_are_all_counted(qtbot, window, tmp_path):
    for number in range(40):
        save_picture(tmp_path / f"{number}.png", seed=number)
    open_and_wait(qtbot, window, tmp_path / "0.png")
    active(qtbot, window)
    opened = []
    window.session.opening_began.connect(opened.append)
    press(qtbot, window, NEXT, "30.png", times=30)
    assert len(opened) < 15  # no pile of pictures to be read
    press(qtbot, window, PREVIOUS, "0.png", times=50)


def test_without_a_folder_there_is_no_next_picture(qtbot, window, folder):
    entries = [window.menus.actions[name] for name in ("file.next", "file.previous")]
    assert not any(entry.isEnabled() for entry in entries)
    open_and_wait(qtbot, window, folder / "img1.png")
    assert all(entry.isEnabled() and entry.toolTip() for entry in entries)
    image = QImage(40, 30, QImage.Format.Format_RGB32)
    image.fill(0xFF3366CC)
    QGuiApplication.clipboard().setImage(image)
    window.intake.paste()
    wait_until_idle(qtbot, window, lambda: window.session.document.path is None)
    assert not any(entry.isEnabled() for entry in entries)
    window.intake.open_sample()
    wait_until_idle(qtbot, window, lambda: window.session.document.path is not None)
    assert not any(entry.isEnabled() for entry in entries)


def test_a_reduced_copy_has_its_place_where_the_picture_has_it(qtbot, window, folder):
    open_and_wait(qtbot, window, folder / "IMG2.png")
    window.intake.open_reduced(2)
    wait_until_idle(qtbot, window, lambda: window.session.document.path is None)
    active(qtbot, window)
    press(qtbot, window, NEXT, "img10.png")


def test_of_a_folder_the_first_picture_opens(qtbot, window, folder, tmp_path):
    window.open(str(folder))  # as the command line does
    wait_until_idle(qtbot, window, lambda: window.session.document is not None)
    assert window.session.document.name == "img1.png"
    assert window.recents.paths == (str(folder / "img1.png"),)
    empty = tmp_path / "empty"
    empty.mkdir()
    drop(window, empty)
    qtbot.waitUntil(lambda: bool(window.told))
    assert window.told == [("empty was not opened", "There is no picture that can be opened.")]
    assert window.session.document.name == "img1.png"
    other = tmp_path / "other"
    other.mkdir()
    save_picture(other / "b.png")
    (other / "a.png").write_bytes(b"this is no picture")
    drop(window, other)
    wait_until_idle(qtbot, window, lambda: window.session.document.name == "b.png")
    assert "passed over" in window.status.message and len(window.told) == 1


@pytest.fixture
def slow_first(folder, monkeypatch):
    """The folder's first picture is not there before the test is done; how often it was asked for."""
    asked, done, open_at_once = [], threading.Event(), Document.open

    def open_slowly(path, *rest, **more):
        if Path(path).name == "img1.png":
            asked.append(path)
            done.wait(60)
        return open_at_once(path, *rest, **more)

    monkeypatch.setattr(Document, "open", open_slowly)
    yield asked
    done.set()


def test_a_step_goes_past_the_first_picture_of_a_folder_that_takes_its_time(
    qtbot, window, folder, tmp_path, slow_first
):
    open_and_wait(qtbot, window, save_picture(tmp_path / "other.png", 50, 40))
    active(qtbot, window)
    window.open(folder)
    qtbot.waitUntil(lambda: bool(slow_first))
    press(qtbot, window, NEXT, "IMG2.png")
    assert len(slow_first) == 1, "it is not begun with anew"
    assert not window.told


def test_who_gives_up_a_folder_goes_on_from_what_is_open(
    qtbot, window, folder, tmp_path, slow_first
):
    there = tmp_path / "there"
    there.mkdir()
    for name in "abc":
        save_picture(there / f"{name}.png")
    open_and_wait(qtbot, window, there / "b.png")
    active(qtbot, window)
    window.open(folder)
    qtbot.waitUntil(lambda: bool(slow_first))
    qtbot.keyClick(window.canvas, Qt.Key.Key_Escape)
    assert not window.session.opening
    press(qtbot, window, NEXT, "c.png")
    assert "c.png: 3 of 3" in window.status.message


def test_next_and_previous_go_through_the_files_that_were_dropped(qtbot, window, folder, tmp_path):
    elsewhere = save_picture(tmp_path / "img5.png")
    drop(window, folder / "img10.png", folder / "notes.txt", elsewhere, folder / "img1.png")
    wait_until_idle(qtbot, window, lambda: window.session.document is not None)
    assert window.session.document.name == "img1.png"
    assert window.status.message == "img1.png: 1 of 3; left out: notes.txt"
    active(qtbot, window)
    press(qtbot, window, NEXT, "img5.png")
    press(qtbot, window, NEXT, "img10.png")
    press(qtbot, window, NEXT, "img10.png")
    assert "the last of 3 pictures" in window.status.message
    # What is opened by its name has its folder beside it again.
    open_and_wait(qtbot, window, folder / "img10.png")
    wait_until_idle(qtbot, window)
    press(qtbot, window, PREVIOUS, "IMG2.png")


def test_a_folder_that_has_gone_is_said(qtbot, window, folder):
    open_and_wait(qtbot, window, folder / "img1.png")
    folder.rename(folder.with_name("gone"))
    active(qtbot, window)
    qtbot.keyClick(window.canvas, NEXT)
    qtbot.waitUntil(lambda: "cannot be read" in window.status.message)
    assert "pictures" in window.status.message and not window.told


@pytest.mark.parametrize("how", ["open", "F5"])
def test_what_opens_takes_away_what_was_said_of_what_did_not(qtbot, window, folder, how):
    open_and_wait(qtbot, window, folder / "img1.png")
    folder.rename(folder.with_name("gone"))
    active(qtbot, window)
    qtbot.keyClick(window.canvas, NEXT)
    qtbot.waitUntil(lambda: "cannot be read" in window.status.message)
    folder.with_name("gone").rename(folder)
    shown = window.session.document
    if how == "F5":
        qtbot.keyClick(window.canvas, Qt.Key.Key_F5)
    else:
        drop(window, folder / "IMG2.png")
    wait_until_idle(qtbot, window, lambda: window.session.document is not shown)
    assert window.status.message == ""


def test_of_a_long_name_the_middle_goes_and_what_is_said_of_it_stays(qtbot, window, tmp_path):
    long = tmp_path / ("averyverylongname" * 12)
    long.mkdir()
    name = f"{'averyverylongname' * 12}.png"
    open_and_wait(qtbot, window, save_picture(long / name))
    active(qtbot, window)
    qtbot.keyClick(window.canvas, NEXT)
    qtbot.waitUntil(lambda: window.status.message == f"{name} is the only picture here")
    label = window.status._message
    assert label.text().startswith("avery") and label.text().endswith(" is the only picture here")
    assert "…" in label.text() and label.accessibleName() == label.toolTip()
    long.rename(tmp_path / "gone")
    qtbot.keyClick(window.canvas, NEXT)
    qtbot.waitUntil(lambda: f"{long} cannot be read" in window.status.message)
    assert "…" in label.text() and " cannot be read: No such file" in label.text()
    assert label.accessibleName() == window.status.message


def test_pictures_are_compared_by_the_methods_that_those_before_were(qtbot, window, folder):
    open_and_wait(qtbot, window, folder / "img1.png")
    active(qtbot, window)
    window.menus.actions["method.lanczos"].trigger()
    window.menus.actions["method.kernel"].trigger()
    qtbot.keyClick(window.canvas, Qt.Key.Key_S)
    wait_until_idle(qtbot, window)
    for key, name in ((NEXT, "IMG2.png"), (NEXT, "img10.png"), (Qt.Key.Key_F5, "img10.png")):
        press(qtbot, window, key, name)
        assert window.canvas.plates == ("Lanczos", "Kernel interpolation")
    window.menus.actions["method.lanczos"].trigger()
    wait_until_idle(qtbot, window)
    press(qtbot, window, Qt.Key.Key_PageUp, "IMG2.png")
    assert window.canvas.plates == ("Kernel interpolation", "Lanczos")


@pytest.mark.parametrize("follow", ["fit", "fill"])
def test_a_picture_of_another_size_is_fitted_as_the_one_before_was(qtbot, window, folder, follow):
    save_picture(folder / "img11.png", 200, 30)
    save_picture(folder / "img12.png", 3000, 2000)  # which is fitted without being asked
    save_picture(folder / "img13.png", 50, 30)
    open_and_wait(qtbot, window, folder / "img10.png")
    active(qtbot, window)
    plain = window.canvas.view
    assert plain.follow is None
    window.menus.actions[f"zoom.{follow}"].trigger()
    wait_until_idle(qtbot, window)
    for name in ("img11.png", "img12.png", "img13.png"):
        press(qtbot, window, NEXT, name)
        view = window.canvas.view
        assert view.follow == follow
        assert view.scale == (view.fit_scale if follow == "fit" else view.fill_scale)
    window.canvas.zoom_to(2.0)
    wait_until_idle(qtbot, window)
    press(qtbot, window, Qt.Key.Key_PageUp, "img12.png")
    press(qtbot, window, Qt.Key.Key_PageUp, "img11.png")
    assert window.canvas.view.follow is None, "fitted by itself"


def test_what_a_larger_window_has_fitted_was_not_asked_for(qtbot, window, folder):
    save_picture(folder / "img11.png", 1200, 800)
    save_picture(folder / "img12.png", 150, 100)
    open_and_wait(qtbot, window, folder / "img11.png")
    active(qtbot, window)
    assert window.canvas.view.follow == "fit"
    window.resize(1700, 1200)
    qtbot.waitUntil(lambda: window.canvas.view.scale > 1)
    press(qtbot, window, NEXT, "img12.png")
    view = window.canvas.view
    assert view == view.opening((100, 150), view.size)


def test_what_was_compared_outlives_that_no_picture_is_open(qtbot, window, folder):
    open_and_wait(qtbot, window, folder / "img1.png")
    for method in ("lanczos", "bilinear", "kernel"):
        window.menus.actions[f"method.{method}"].trigger()
        wait_until_idle(qtbot, window)
    window.menus.actions["file.close"].trigger()
    open_and_wait(qtbot, window, folder / "IMG2.png")
    assert window.session.compared_title == "Bilinear"
