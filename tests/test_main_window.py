"""The window as its user meets it: opening by every way, bad files, keys, settings, closing."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QImage, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialogButtonBox, QFileDialog, QMenu, QToolButton

from gaussian_core.builder import build_field
from gaussian_core.errors import Cancelled
from tests.threads import left_running
from tests.window_helpers import WindowMaker, open_and_wait, save_picture, wait_until_idle
from viewer.model.actions import table
from viewer.model.exports.picture_export import ExportPlan, bytes_text
from viewer.model.settings import Settings
from viewer.ui.dialogs import dialogs
from viewer.ui.dialogs.dialogs import WIDTH
from viewer.ui.dialogs.export_dialog import ExportDialog


@pytest.fixture
def make(qapp, qtbot, tmp_path):
    maker = WindowMaker(qapp, tmp_path / "settings")
    before = set(threading.enumerate())
    yield maker
    maker.close()
    assert not left_running(before)


@pytest.fixture
def window(make):
    return make()


@pytest.fixture
def picture(tmp_path):
    return save_picture(tmp_path / "first.png")


def titles(menu: QMenu) -> list[str]:
    return [a.text() for a in menu.actions() if not a.isSeparator()]


def test_a_picture_opens_and_its_field_is_built(qtbot, window, picture):
    open_and_wait(qtbot, window, picture)
    document = window.session.document
    assert document.complete
    assert "first.png" in window.windowTitle()
    assert "64 × 48" in window.windowTitle()
    frame = window.canvas.grab_frame()
    assert frame.width() > 0


def test_what_is_on_screen_is_the_file(qtbot, window, picture):
    open_and_wait(qtbot, window, picture)
    window.change(animate=False)
    window.canvas.zoom_to(1.0)
    wait_until_idle(qtbot, window)
    shot = window.canvas.grab().toImage()
    source = QImage(str(picture))
    left, top, _, _ = window.canvas.view.picture_rect
    worst = 0
    for x, y in ((0, 0), (63, 47), (31, 20), (63, 0)):
        shown, wanted = shot.pixelColor(left + x, top + y), source.pixelColor(x, y)
        for channel in ("red", "green", "blue"):
            worst = max(worst, abs(getattr(shown, channel)() - getattr(wanted, channel)()))
    assert worst <= 1


def bad_files(folder):
    good = save_picture(folder / "good.jpg", 300, 200).read_bytes()
    made = {
        "empty.png": b"",
        "truncated.jpg": good[:100],  # nothing of the picture
        "text.png": b"this is no picture",
        "cut.safetensors": b"\x10\0\0\0\0\0\0\0{}",
    }
    for name, data in made.items():
        (folder / name).write_bytes(data)
    (folder / "folder.png").mkdir()
    return [*made, "folder.png", "missing.png"]


def test_bad_files_say_so_and_the_open_picture_stays(qtbot, window, picture, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(window.error_box, "tell", lambda title, text: said.append(text))
    open_and_wait(qtbot, window, picture)
    before = window.session.document
    for number, name in enumerate(bad_files(tmp_path), start=1):
        window.open(tmp_path / name)
        qtbot.waitUntil(lambda n=number: len(said) == n, timeout=30_000)
        wait_until_idle(qtbot, window)
        assert window.session.document is before
        assert "\n" not in said[-1].strip()
        assert len(said[-1]) > 10
    assert len(set(said)) == len(said)
    assert "first.png" in window.windowTitle()


def test_a_field_file_opens_and_one_with_nan_does_not(qtbot, window, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(window.error_box, "tell", lambda title, text: said.append(text))
    path = tmp_path / "field.safetensors"
    build_field(np.full((20, 30, 3), 0.5, np.float32), "kernel").save(path)
    open_and_wait(qtbot, window, path)
    assert "30 × 20" in window.windowTitle()
    assert not said


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1)])
def test_tiny_pictures_open(qtbot, window, tmp_path, size):
    open_and_wait(qtbot, window, save_picture(tmp_path / "tiny.png", *size))
    window.canvas.zoom_to(500.0)
    wait_until_idle(qtbot, window)
    assert window.session.document.complete


def test_dropping_a_file_opens_it(qtbot, window, picture):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(picture))])
    copy, left, none = (
        Qt.DropAction.CopyAction,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    enter = QDragEnterEvent(QPoint(50, 50), copy, data, left, none)
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(window, QDropEvent(QPointF(50, 50), copy, data, left, none))
    wait_until_idle(qtbot, window, lambda: window.session.document is not None)
    assert window.session.document.path == picture


def test_pasting_an_image_and_copying_the_view(qtbot, window):
    image = QImage(40, 30, QImage.Format.Format_RGB32)
    image.fill(0xFF3366CC)
    QGuiApplication.clipboard().setImage(image)
    window.intake.paste()
    wait_until_idle(qtbot, window, lambda: window.session.document is not None)
    assert window.session.document.extent == (30, 40)
    QGuiApplication.clipboard().clear()
    window.menus.actions["edit.copy"].trigger()
    qtbot.waitUntil(lambda: not QGuiApplication.clipboard().image().isNull())
    copied = QGuiApplication.clipboard().image()
    centre = copied.pixelColor(copied.width() // 2, copied.height() // 2)
    assert (centre.red(), centre.green(), centre.blue()) == pytest.approx((0x33, 0x66, 0xCC), abs=1)


def test_every_action_is_in_a_menu_with_its_keys(window):
    found = {}

    def walk(menu):
        for action in menu.actions():
            if action.menu() is not None:
                walk(action.menu())
            else:
                found[action] = menu

    for top in window.menuBar().actions():
        walk(top.menu())
    for spec in table.ACTIONS:
        action = window.menus.actions[spec.id]
        assert action in found, spec.id
        shown = [k.toString() for k in action.shortcuts()]
        assert shown[: len(spec.keys)] == list(spec.keys), spec.id


def test_keys_do_what_they_say(qtbot, window, picture):
    open_and_wait(qtbot, window, picture)
    window.activateWindow()
    qtbot.waitActive(window)
    window.canvas.setFocus()
    qtbot.keyClick(window.canvas, Qt.Key.Key_C)
    assert window.canvas.overlays.centres
    qtbot.keyClick(window.canvas, Qt.Key.Key_E)
    assert window.canvas.overlays.ellipses
    sigma = window.canvas.overlays.sigma
    qtbot.keyClick(window.canvas, Qt.Key.Key_BracketRight)
    assert window.canvas.overlays.sigma > sigma
    qtbot.keyClick(window.canvas, Qt.Key.Key_4)
    qtbot.waitUntil(lambda: window.canvas.view.scale == pytest.approx(8.0))
    qtbot.keyClick(window.canvas, Qt.Key.Key_1)
    qtbot.waitUntil(lambda: window.canvas.view.scale == pytest.approx(1.0))
    qtbot.keyClick(window.canvas, Qt.Key.Key_F)
    fit = min(window.canvas.width() / 64, window.canvas.height() / 48)
    qtbot.waitUntil(lambda: window.canvas.view.scale == pytest.approx(fit, rel=0.2))


def test_the_sheet_of_shortcuts_opens_and_closes(qtbot, window):
    window.side_windows.show_sheet()
    assert window.side_windows.sheet is not None
    assert window.side_windows.sheet.isVisible()
    window.side_windows.sheet.close()


def test_settings_and_recents_survive(qtbot, make, picture, tmp_path):
    one = make()
    open_and_wait(qtbot, one, picture)
    one.change(theme="dark", centres=True, sigma=2.0)
    one.close()
    two = make()
    assert two.theme.mode == "dark"
    assert two.canvas.overlays.centres
    assert two.canvas.overlays.sigma == 2.0
    assert two.recents.paths == (str(picture),)
    recent = titles(two.menus.menu("&File", "Open &Recent"))
    assert any("first.png" in title for title in recent)


def test_the_memory_for_tiles_is_a_setting(qtbot, make, tmp_path):
    window = make()
    open_and_wait(qtbot, window, save_picture(tmp_path / "large.png", 3000, 2000))
    plan = window.session.document.plan
    qtbot.waitUntil(lambda: plan.built == plan.total, timeout=60_000)
    assert window.menus.actions["memory.0"].isChecked()
    window.canvas.zoom_to(8.0)
    window.menus.actions["memory.256"].trigger()
    assert plan.budget == 256 << 20 and window.settings.tile_memory == 256
    assert sum(tile.nbytes for tile in window.session.document.scene.tiles.values()) <= 256 << 20
    window.close()
    again = make()
    assert again.menus.actions["memory.256"].isChecked()
    open_and_wait(qtbot, again, tmp_path / "large.png")
    assert again.session.document.plan.budget == 256 << 20


def test_more_memory_for_tiles_goes_on_building_where_it_is_seen(qtbot, make, tmp_path):
    window = make()
    open_and_wait(qtbot, window, save_picture(tmp_path / "large.png", 3000, 2000))
    plan = window.session.document.plan
    window.session.set_tile_memory(8 << 20)  # as if the picture were a large one
    window.canvas.zoom_to(8.0)
    wait_until_idle(qtbot, window)
    window.session.set_tile_memory(4 << 20)
    wait_until_idle(qtbot, window)
    assert plan.built < plan.total
    window.menus.actions["memory.256"].trigger()
    assert window.session.building and window.status.message.startswith("Building field")
    wait_until_idle(qtbot, window)
    assert plan.built == plan.total and not window.status.busy


@pytest.mark.parametrize("split", [True, False])
def test_the_memory_for_tiles_holds_for_the_method_before_too(qtbot, make, tmp_path, split):
    """Left of the line as on the shelf, where it waits to be seen again."""
    window = make()
    open_and_wait(qtbot, window, save_picture(tmp_path / "large.png", 1000, 700))
    session, before = window.session, window.session.document
    window.menus.actions["method.continuoussr"].trigger()
    if split:
        window.menus.actions["field.split"].trigger()
    window.canvas.set_view(window.canvas.view.centred_on(100, 100, 8.0))
    wait_until_idle(qtbot, window, lambda: session.document.complete, 170_000)

    def taken(document):
        return sum(tile.nbytes for tile in document.plan.tiles.values())

    scenes = (before, session.document)
    everything = sum(map(taken, scenes))
    allowed = 3 * everything // 10  # half of it holds what is wanted of either, but not all of it
    session.set_tile_memory(allowed)
    wait_until_idle(qtbot, window)
    assert 0 < taken(before) <= allowed // 2
    # Tiles are built by blocks: the last one may not fit in whole.
    assert 0 < taken(session.document) <= 1.1 * allowed / 2
    assert all(document.built < document.total for document in scenes)
    for document in scenes:  # nor does what is shown hold what was dropped
        assert document.scene.tiles.keys() == document.plan.tiles.keys()
    if split:
        assert window.canvas.scene_beside.tiles.keys() == before.plan.tiles.keys()
    session.set_tile_memory(2 * everything)
    wait_until_idle(qtbot, window, lambda: session.document.complete, 170_000)
    assert session.document.built == session.document.total


def test_a_broken_settings_file_is_ignored(make):
    make.file.path.parent.mkdir(parents=True, exist_ok=True)
    make.file.path.write_text('{"version": 1, "sigma": "wide", "theme": 7')
    assert make().canvas.overlays.sigma == 1.0


def test_a_recent_file_that_has_gone_is_taken_off_the_list(
    qtbot, window, picture, tmp_path, monkeypatch
):
    said = []
    monkeypatch.setattr(window.error_box, "tell", lambda title, text: said.append(text))
    open_and_wait(qtbot, window, picture)
    picture.unlink()
    window.open(picture)
    qtbot.waitUntil(lambda: bool(said))
    assert window.recents.paths == ()


def test_the_window_closes_while_a_field_is_being_built(qtbot, make, tmp_path, monkeypatch):
    begun = threading.Event()

    def never_done(self, keys, stop):
        begun.set()
        while not stop():
            time.sleep(0.002)
        raise Cancelled

    monkeypatch.setattr("gaussian_core.builder.FieldBuilder.build_tiles", never_done)
    window = make()
    window.open(save_picture(tmp_path / "a.png"))
    qtbot.waitUntil(begun.is_set)
    window.close()
    assert not window.isVisible() and not left_running(name="tiles")


def test_a_second_picture_replaces_the_first_while_it_is_being_read(qtbot, window, tmp_path):
    slow = save_picture(tmp_path / "slow.png", 3000, 2000)
    quick = save_picture(tmp_path / "quick.png", 20, 10)
    window.open(slow)
    window.open(quick)
    wait_until_idle(
        qtbot,
        window,
        lambda: window.session.document is not None and window.session.document.path == quick,
    )
    assert "quick.png" in window.windowTitle()


@pytest.mark.parametrize("width", [300, 420, 700, 1000, 1280, 1500])
def test_what_the_status_bar_says_never_makes_the_window_wider(make, width):
    window = make()
    window.resize(width, 500)
    QApplication.processEvents()
    status = window.status

    def check():
        QApplication.processEvents()
        assert window.width() == width
        if status.busy:
            bar, cancel = status._bar, status._cancel
            assert not bar.isVisible() or not bar.geometry().intersects(cancel.geometry())
            assert cancel.isVisible() and cancel.width() >= cancel.sizeHint().width()
        right = status.zoom.mapTo(window, status.zoom.rect().topRight()).x()
        assert right < width, "the zoom is always there"
        assert status._work.mapTo(window, status._work.rect().topLeft()).x() >= 0
        shown = [cell for cell in status.cells if cell.isVisible()]
        edges = [cell.mapTo(window, cell.rect().topRight()).x() for cell in shown]
        assert edges == sorted(edges)
        assert all(edge < status.zoom.mapTo(window, QPoint(0, 0)).x() for edge in edges)

    status.show_position((701.62, 474.5), 4.0)
    status.show_values((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    status.show_counts("99,991 of 726,712 drifts (longest)", capped=True)
    check()
    status.tell("Bicubic, while X is held", 60.0)
    check()
    status.show_progress("Building the field: 4 of 6 tiles", 4, 6)
    check()
    status.tell("")
    check()
    status.tell("A long message about something that went wrong with a picture, " * 3)
    check()
    status.end_progress()
    check()


def test_four_numbers_of_a_picture_with_alpha_are_legible(make, qtbot, tmp_path):
    window = make()
    window.resize(1280, 500)
    path = tmp_path / "alpha.png"
    pixels = np.full((48, 64, 4), 244, np.uint8)
    Image.fromarray(pixels).save(path)
    open_and_wait(qtbot, window, path)
    centre = QPointF(window.canvas.rect().center())
    event = QMouseEvent(
        QEvent.Type.MouseMove,
        centre,
        QPointF(window.canvas.mapToGlobal(centre)),
        Qt.MouseButton.NoButton,
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(window.canvas, event)
    wait_until_idle(qtbot, window, lambda: " " in window.status.source.text)
    cell = window.status.source
    assert cell.text.split()[3] == "244"
    room = (
        cell.width()
        - cell.sizeHint().width()
        + cell.fontMetrics().horizontalAdvance("255 255 255 255")
    )
    assert cell.fontMetrics().horizontalAdvance(cell.text) <= room
    narrow = cell.sizeHint().width()
    open_and_wait(qtbot, window, save_picture(tmp_path / "opaque.png"))
    qtbot.waitUntil(lambda: window.session.document.name == "opaque.png")
    assert cell.sizeHint().width() < narrow


def test_a_narrow_tool_bar_shows_that_there_is_more(make):
    window = make(Settings(method="kernel", theme="dark"))
    window.resize(420, 400)
    QApplication.processEvents()
    more = window.tool_bar.findChild(QToolButton, "qt_toolbar_ext_button")
    assert more.isVisible()
    image = more.grab().toImage()
    colours = {
        image.pixelColor(x, y).lightness()
        for x in range(image.width())
        for y in range(image.height())
    }
    assert max(colours) - min(colours) > 100, "light marks on the dark bar"


def test_the_lines_of_a_tool_bar_stay_thin_where_not_all_has_room(make):
    window = make()
    bar = window.tool_bar
    lines = [bar.widgetForAction(action) for action in bar.actions() if action.isSeparator()]
    for width in range(300, 1400, 20):
        window.resize(width, 500)
        QApplication.processEvents()
        seen = [line for line in lines if line.isVisible()]
        assert all(line.width() <= line.sizeHint().width() for line in seen), width


def test_no_picture_has_no_zoom(qtbot, window, picture):
    zoom = window.status.zoom
    assert (zoom.lineEdit().text(), zoom.isEnabled()) == ("", False)
    open_and_wait(qtbot, window, picture)
    assert zoom.isEnabled() and zoom.lineEdit().text().endswith(" %")
    window.menus.actions["file.close"].trigger()
    wait_until_idle(qtbot, window)
    assert (zoom.lineEdit().text(), zoom.isEnabled()) == ("", False)


def test_a_sheet_that_is_higher_than_the_screen_keeps_its_lines_whole(qtbot, window):
    window.side_windows.show_sheet()
    qtbot.waitExposed(window.side_windows.sheet)
    scroll = window.side_windows.sheet._scroll
    room = window.side_windows.sheet.screen().availableSize()
    if (
        scroll.verticalScrollBar().isVisible()
        and room.width() > window.side_windows.sheet.width() + 40
    ):
        assert not scroll.horizontalScrollBar().isVisible()
    window.side_windows.sheet.close()


def test_an_error_has_room_for_its_sentence(window, qtbot):
    for title in ("a.png was not opened", "b.png was not opened"):
        window.error_box.tell(title, "Something that takes a whole sentence to say. " * 3)
        qtbot.waitUntil(window.error_box.isVisible)
        assert window.error_box.width() >= WIDTH
    window.error_box.close()


def test_one_picture_is_exported_at_a_time(window, qtbot, picture, tmp_path):
    export = window.menus.actions["file.export"]
    assert not export.isEnabled()
    open_and_wait(qtbot, window, picture)
    assert export.isEnabled()
    plan = ExportPlan(8.0, (0.0, 0.0, 64.0, 48.0))
    window.exporter.export(window.session.document, plan, str(tmp_path / "out.png"))
    assert not export.isEnabled()
    qtbot.waitUntil(lambda: not window.exporter.running, timeout=60_000)
    assert export.isEnabled() and (tmp_path / "out.png").exists()


def test_a_name_without_an_ending_gets_that_of_the_chosen_kind(window, qtbot, tmp_path):
    got = []
    suggestion = str(tmp_path / "a.png")
    dialog = dialogs.ask_save(window, "Export", suggestion, dialogs.EXPORT_FILTERS, got.append)
    dialog.filterSelected.emit("TIFF (*.tif *.tiff)")
    assert dialog.defaultSuffix() == "tif"
    dialog.filterSelected.emit("JPEG (*.jpg *.jpeg)")
    assert dialog.defaultSuffix() == "jpg"
    dialog.reject()


def test_who_has_opened_nothing_yet_begins_among_their_pictures(window, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "user-dirs.dirs").write_text('XDG_PICTURES_DIR="$HOME/Bilder"\n')
    system_asks_home = sys.platform == "linux"
    if system_asks_home:
        assert dialogs.pictures() == str(tmp_path), "there is no such folder"
        (tmp_path / "Bilder").mkdir()
        assert dialogs.pictures() == str(tmp_path / "Bilder")
    opened = dialogs.ask_open(window, "", print)
    assert Path(opened.directory().absolutePath()) == Path(dialogs.pictures())
    assert opened.testOption(QFileDialog.Option.HideNameFilterDetails)
    opened.reject()
    there = dialogs.ask_open(window, str(tmp_path), print)
    assert Path(there.directory().absolutePath()) == tmp_path
    there.reject()


def test_another_kind_of_file_changes_the_ending_of_the_name(window, qtbot, tmp_path):
    suggestion = str(tmp_path / "a x4.png")
    dialog = dialogs.ask_save(window, "Export", suggestion, dialogs.EXPORT_FILTERS, print)
    qtbot.waitUntil(dialog.isVisible)
    dialog.filterSelected.emit("TIFF (*.tif *.tiff)")
    assert dialog.selectedFiles() == [str(tmp_path / "a x4.tif")]
    dialog.selectFile("b.tiff")
    dialog.filterSelected.emit("TIFF (*.tif *.tiff)")
    assert dialog.selectedFiles() == [str(tmp_path / "b.tiff")]
    dialog.reject()


def test_the_next_export_begins_with_what_was_chosen_last(window, qtbot, picture, tmp_path):
    open_and_wait(qtbot, window, picture)
    window.canvas.set_view(window.canvas.view.set_scale(30.0))
    (tmp_path / "there").mkdir()
    there = tmp_path / "there" / "of my own.tif"

    def ask():
        window.exporter.ask_export()
        return next(d for d in window.findChildren(ExportDialog) if d.isVisible())

    dialog = ask()
    assert dialog.whole.isChecked() and dialog.scale.currentText() == "400 %"
    height, width = window.session.document.extent
    size = dialog.file_label.text()
    assert size == f"up to about {bytes_text(48 * height * width)}, less where it compresses well"
    QTest.keyClicks(dialog.scale.lineEdit(), "900x")
    assert "gigapixel" in dialog.size_label.text() and "7.5 GB" in dialog.file_label.text()
    dialog.scale.setCurrentText("500.5.5")
    assert dialog.file_label.text() == ""
    dialog.view.setChecked(True)
    dialog.scale.setCurrentText("3x")
    dialog.buttons.button(QDialogButtonBox.StandardButton.Save).click()
    files = window.findChild(QFileDialog)
    files.selectFile(str(there))
    files.fileSelected.emit(str(there))
    files.close()
    qtbot.waitUntil(lambda: there.exists() and not window.exporter.running, timeout=60_000)
    qtbot.waitUntil(lambda: window.findChild(QFileDialog) is None)

    dialog = ask()
    assert dialog.view.isChecked() and dialog.scale.currentText() == "300 %"
    dialog.buttons.button(QDialogButtonBox.StandardButton.Save).click()
    files = window.findChild(QFileDialog)
    (suggested,) = files.selectedFiles()
    assert Path(suggested).parent == there.parent
    assert Path(suggested).name.startswith(f"{picture.stem} x3") and suggested.endswith(".tif")
    assert files.selectedNameFilter().startswith("TIFF")
    files.reject()


def test_marks_on_a_method_without_gaussians_are_explained(window, qtbot, picture):
    open_and_wait(qtbot, window, picture)
    window.choosing.use_method("bicubic")
    wait_until_idle(qtbot, window, lambda: window.canvas.scene.method == "bicubic")
    for mark in ("centres", "ellipses", "drifts"):
        window.status.tell("")
        window.menus.actions[f"overlay.{mark}"].trigger()
        assert "without Gaussians" in window.status.message
        window.status.tell("")
        window.menus.actions[f"overlay.{mark}"].trigger()
        assert window.status.message == "", "nothing is to be explained when they are taken away"


def test_weights_can_be_chosen_once_they_were_opened(window):
    assert not window.menus.actions["weights.use"].isEnabled()


def test_what_is_no_zoom_is_said(window, qtbot, picture):
    open_and_wait(qtbot, window, picture)
    window.status.zoom.begin_typing()
    qtbot.keyClicks(window.status.zoom.lineEdit(), "far")
    qtbot.keyClick(window.status.zoom.lineEdit(), Qt.Key.Key_Return)
    assert "far" in window.status.message


def test_of_a_large_picture_that_is_marked_all_that_is_in_view_is_built(
    make_window, qtbot, tmp_path, monkeypatch
):
    monkeypatch.setattr(
        "viewer.model.documents.document.AHEAD", 1
    )  # as if each tile were a large one
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png", 4000, 3000))
    document = window.session.document
    assert window.canvas.view.scale < 1 and 0 < document.built < document.total
    window.menus.actions["overlay.centres"].trigger()
    qtbot.waitUntil(lambda: document.built == document.total, timeout=60_000)
    wait_until_idle(qtbot, window)
    assert len(document.scene.tiles) == document.total
