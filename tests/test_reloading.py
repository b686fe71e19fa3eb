"""Reading the open file again: what is kept, what is noticed of a file that changes, and what a broken one does."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage

from gaussian_core.builder import build_field
from gaussian_core.images import load_image
from gaussian_core.imaging import lazy_tiff
from tests.window_helpers import keep_what_is_told, open_and_wait, save_picture, wait_until_idle
from viewer.ui.workers import file_watch
from viewer.ui.workers.open_worker import OpenWorker

SAID = "a.png has changed on disk: F5 reads it again"


@pytest.fixture
def window(make_window, monkeypatch):
    made = make_window()
    made.told = keep_what_is_told(made, monkeypatch)
    return made


def flat(path: Path, level: int, width: int = 160, height: int = 120) -> Path:
    Image.new("RGB", (width, height), (level, level, level)).save(path)
    return path


def shown(window) -> int:
    """The level of the middle of the picture as it is seen."""
    image = window.canvas.grab_frame()
    return image.pixelColor(image.width() // 2, image.height() // 2).red()


def reload(qtbot, window) -> None:
    before = window.session.document
    qtbot.keyClick(window.canvas, Qt.Key.Key_F5)
    wait_until_idle(qtbot, window, lambda: window.session.document is not before)


def told_of_change(qtbot, window, text: str = SAID) -> None:
    qtbot.waitUntil(lambda: window.status.message == text, timeout=60_000)


def test_f5_reads_it_again_and_keeps_how_it_is_seen(qtbot, window, tmp_path) -> None:
    path = flat(tmp_path / "a.png", 40)
    open_and_wait(qtbot, window, path)
    window.menus.actions["method.lanczos"].trigger()
    window.menus.actions["method.kernel"].trigger()
    window.menus.actions["field.split"].trigger()
    window.menus.actions["overlay.centres"].trigger()
    window.canvas.set_view(window.canvas.view.set_scale(6.0))
    window.canvas.pan(37, 21)
    wait_until_idle(qtbot, window)
    view, names = window.canvas.view, window.canvas.sides
    assert shown(window) == 40 and names[0][0].method == "lanczos"

    flat(path, 200)
    reload(qtbot, window)
    assert shown(window) == 200
    assert window.canvas.view == view
    assert [side[0].method for side in window.canvas.sides] == ["lanczos", "kernel"]
    assert window.settings.centres and window.canvas.overlays.centres
    assert window.session.compared.method == "lanczos"
    assert not window.told and window.recents.paths == (str(path),)


def test_of_another_size_it_is_seen_whole(qtbot, window, tmp_path) -> None:
    path = flat(tmp_path / "a.png", 40)
    open_and_wait(qtbot, window, path)
    window.canvas.set_view(window.canvas.view.set_scale(16.0))
    flat(path, 90, 300, 100)
    reload(qtbot, window)
    assert window.session.document.extent == (100, 300)
    assert window.canvas.view.source_rect[0] <= 0 and window.canvas.view.source_rect[2] >= 300
    assert "300 × 100" in window.windowTitle()


def in_place(path: Path, new: bytes) -> None:
    path.write_bytes(new)


def by_rename(path: Path, new: bytes) -> None:
    (path.parent / ".a.png.tmp").write_bytes(new)
    (path.parent / ".a.png.tmp").replace(path)


def after_a_while(path: Path, new: bytes) -> None:
    path.unlink()
    path.write_bytes(new)


def with_its_folder(path: Path, new: bytes) -> None:
    shutil.rmtree(path.parent)
    path.parent.mkdir()
    path.write_bytes(new)


@pytest.mark.parametrize("write", [in_place, by_rename, after_a_while, with_its_folder])
def test_a_change_is_said_and_nothing_is_read_behind_ones_back(
    qtbot, window, tmp_path, write
) -> None:
    (tmp_path / "out").mkdir()
    path = flat(tmp_path / "out" / "a.png", 40)
    open_and_wait(qtbot, window, path)
    for level in (200, 90):  # what was put in its place is watched, too
        write(path, flat(tmp_path / "new.png", level).read_bytes())
        told_of_change(qtbot, window)
        before = shown(window)
        assert before != level and window.session.document.state is not None
        reload(qtbot, window)
        assert shown(window) == level
        assert "changed" not in window.status.message
    assert not window.told


def test_it_is_said_once_for_all_that_is_written_and_stands_until_it_is_read(
    qtbot, window, tmp_path
) -> None:
    path = flat(tmp_path / "a.png", 40)
    open_and_wait(qtbot, window, path)
    said: list[str] = []
    window.reloading.said.connect(lambda text, *_: said.append(text))
    for level in (50, 60, 70):
        by_rename(path, flat(tmp_path / "b.png", level).read_bytes())
        qtbot.wait(file_watch.SETTLED_MS // 4)
    told_of_change(qtbot, window)
    by_rename(path, flat(tmp_path / "b.png", 80).read_bytes())
    qtbot.wait(3 * file_watch.SETTLED_MS)
    assert said == [SAID]
    window.status.tell("Something else")
    window.status.tell("")  # its time is over
    assert window.status.message == SAID
    reload(qtbot, window)
    assert shown(window) == 80 and "changed" not in window.status.message


def test_a_file_that_is_being_written_is_not_offered_yet(qtbot, window, tmp_path) -> None:
    path = flat(tmp_path / "a.png", 40)
    open_and_wait(qtbot, window, path)
    said: list[str] = []
    window.reloading.said.connect(lambda text, *_: said.append(text))
    new = save_picture(tmp_path / "new.png", 160, 120).read_bytes()
    step = len(new) // 8 + 1
    with open(path, "wb") as file:
        qtbot.wait(3 * file_watch.SETTLED_MS)  # emptied, and nothing written yet
        for start in range(0, len(new), step):
            assert not said
            file.write(new[start : start + step])
            file.flush()
            qtbot.wait(file_watch.SETTLED_MS // 4)
    told_of_change(qtbot, window)


def test_one_that_has_gone_is_waited_for(qtbot, window, tmp_path) -> None:
    path = flat(tmp_path / "a.png", 40)
    open_and_wait(qtbot, window, path)
    path.rename(tmp_path / "away.png")
    qtbot.wait(3 * file_watch.SETTLED_MS)
    assert "changed" not in window.status.message and shown(window) == 40
    qtbot.keyClick(window.canvas, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: bool(window.told), timeout=30_000)
    (title, text), *more = window.told
    assert title == "a.png was not read again" and "There is no file" in text and not more
    assert "still shown" in text and shown(window) == 40
    flat(path, 200)
    told_of_change(qtbot, window)


def test_after_a_reading_that_is_given_up_another_change_is_said_again(
    qtbot, window, tmp_path, monkeypatch
) -> None:
    path = flat(tmp_path / "a.png", 40)
    open_and_wait(qtbot, window, path)
    said: list[str] = []
    window.reloading.said.connect(lambda text, *_: said.append(text))
    flat(path, 200)
    told_of_change(qtbot, window)
    go_on, read = threading.Event(), OpenWorker._document

    def held(self, opening):
        assert go_on.wait(60)
        return read(self, opening)

    monkeypatch.setattr(OpenWorker, "_document", held)
    qtbot.keyClick(window.canvas, Qt.Key.Key_F5)
    assert window.session.reloading
    qtbot.keyClick(window.canvas, Qt.Key.Key_Escape)
    go_on.set()
    wait_until_idle(qtbot, window)
    assert shown(window) == 40 and said == [SAID]
    flat(path, 90)
    qtbot.waitUntil(lambda: said == [SAID, SAID])
    reload(qtbot, window)
    wait_until_idle(qtbot, window)
    assert shown(window) == 90


def test_a_broken_version_leaves_the_old_one_open(qtbot, window, tmp_path) -> None:
    path = save_picture(tmp_path / "a.png", 160, 120)
    whole = path.read_bytes()
    open_and_wait(qtbot, window, path)
    window.canvas.set_view(window.canvas.view.set_scale(6.0))
    wait_until_idle(qtbot, window)
    view, frame, document = window.canvas.view, shown(window), window.session.document
    for new, why in ((whole[: len(whole) // 2], "is cut short"), (b"no picture" * 9, "not a pict")):
        path.write_bytes(new)
        told_of_change(qtbot, window)
        qtbot.keyClick(window.canvas, Qt.Key.Key_F5)
        qtbot.waitUntil(lambda: bool(window.told), timeout=30_000)
        (title, text), *more = window.told
        assert title == "a.png was not read again" and why in text and "\n" not in text
        assert not more
        window.told.clear()
        wait_until_idle(qtbot, window)
        assert window.session.document is document
        assert (window.canvas.view, shown(window)) == (view, frame)
        assert str(path) in window.recents.paths
        assert window.status.message == SAID, "it can still be read again"
    path.write_bytes(whole)
    reload(qtbot, window)
    assert window.canvas.view == view and not window.told


def test_of_what_was_damaged_before_there_may_be_more_now(qtbot, window, tmp_path) -> None:
    path = save_picture(tmp_path / "a.png", 160, 120)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 3])
    open_and_wait(qtbot, window, path)
    path.write_bytes(whole[: 2 * len(whole) // 3])
    reload(qtbot, window)
    assert "the last 3" in window.session.document.picture.damage and not window.told
    path.write_bytes(whole)
    reload(qtbot, window)
    assert not window.session.document.picture.damage


def test_a_reduced_copy_is_made_anew(qtbot, window, tmp_path) -> None:
    path = flat(tmp_path / "a.png", 40)
    open_and_wait(qtbot, window, path)
    window.menus.actions["reduced.2"].trigger()
    wait_until_idle(qtbot, window, lambda: window.session.document.extent == (60, 80))
    window.menus.actions["field.split"].trigger()  # off, against what a copy begins with
    flat(path, 200)
    told_of_change(qtbot, window)
    reload(qtbot, window)
    document = window.session.document
    assert document.extent == (60, 80) and document.name == "a.png, 1/2"
    assert shown(window) == 200 and not window.session.split
    assert document.picture.original.value_at(3, 3) == pytest.approx((200 / 255,) * 3)


def test_a_field_file_is_read_again(qtbot, window, tmp_path) -> None:
    path = tmp_path / "a.safetensors"
    build_field(load_image(flat(tmp_path / "a.png", 40)), "kernel").save(path)
    open_and_wait(qtbot, window, path)
    build_field(load_image(flat(tmp_path / "a.png", 200)), "kernel").save(path)
    told_of_change(qtbot, window, SAID.replace("a.png", "a.safetensors"))
    reload(qtbot, window)
    assert abs(shown(window) - 200) <= 1


def test_files_dropped_together_stay_together(qtbot, window, tmp_path) -> None:
    a, b = flat(tmp_path / "a.png", 40), flat(tmp_path / "c.png", 60)
    flat(tmp_path / "b.png", 50)  # between them, but not one of them
    window.steps.enter([a, b])
    wait_until_idle(qtbot, window, lambda: window.session.document is not None)
    reload(qtbot, window)
    a.write_bytes(b"no picture")
    qtbot.keyClick(window.canvas, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: bool(window.told), timeout=30_000)
    assert window.session.document.name == "a.png", (
        "a step passes over what is broken, this does not"
    )
    qtbot.keyClick(window.canvas, Qt.Key.Key_PageDown)
    wait_until_idle(qtbot, window, lambda: window.session.document.name == "c.png")


def test_of_a_large_tiff_that_changed_the_rest_is_grey_and_f5_offered(
    qtbot, window, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(lazy_tiff, "LAZY_FROM", 1)
    monkeypatch.setattr(lazy_tiff, "CACHE", 1 << 20)  # not all of what was read is kept
    window.menus.actions["method.bicubic"].trigger()  # nothing is read but what is looked at
    path = tmp_path / "a.tif"
    layout = {"photometric": "rgb", "tile": (64, 64)}
    old, new = (np.full((1600, 1600, 3), level, np.uint8) for level in (40, 200))
    tifffile.imwrite(path, old, **layout)
    open_and_wait(qtbot, window, path)
    window.canvas.set_view(window.canvas.view.set_scale(8.0))
    wait_until_idle(qtbot, window)
    assert shown(window) == 40 and not window.session.document.picture.outdated
    tifffile.imwrite(tmp_path / "b.tif", new, **layout)
    path.write_bytes((tmp_path / "b.tif").read_bytes())
    window.canvas.set_view(window.canvas.view.centred_on(1200, 900, 8.0))
    told_of_change(qtbot, window, SAID.replace("a.png", "a.tif"))
    wait_until_idle(qtbot, window)
    assert window.session.document.picture.outdated
    assert abs(shown(window) - 127) <= 1 and not window.told
    reload(qtbot, window)
    assert abs(shown(window) - 200) <= 1 and not window.session.document.picture.outdated


def test_there_is_nothing_to_reload_of_what_was_pasted(qtbot, window, tmp_path) -> None:
    entry = window.menus.actions["file.reload"]
    assert not entry.isEnabled()
    open_and_wait(qtbot, window, flat(tmp_path / "a.png", 40))
    assert entry.isEnabled()
    image = QImage(20, 20, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.red)
    QGuiApplication.clipboard().setImage(image)
    window.intake.paste()
    wait_until_idle(qtbot, window, lambda: window.session.document.path is None)
    assert not entry.isEnabled()
    window.session.close_document()
    flat(tmp_path / "a.png", 90)
    qtbot.wait(3 * file_watch.SETTLED_MS)
    assert "changed" not in window.status.message
