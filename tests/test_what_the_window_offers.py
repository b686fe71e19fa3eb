"""What can be chosen is what would do something, what is said is of now, and nothing under way is lost unasked."""

from __future__ import annotations

import gc
import threading
import weakref

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible, QContextMenuEvent, QEnterEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox

from gaussian_core import GaussianField, build_field
from tests.canvas_helpers import mouse, screenshot
from tests.window_helpers import LONG, open_and_wait, save_picture, wait_until_idle
from viewer.model.actions.table import MENUS
from viewer.model.documents.document import Document
from viewer.model.exports.picture_export import Export


def enabled(window, *names):
    return [window.menus.actions[name].isEnabled() for name in names]


@pytest.fixture
def field_file(tmp_path):
    path = tmp_path / "field.safetensors"
    build_field(np.full((40, 50, 3), 0.5, np.float32), "kernel").save(path)
    return path


def test_of_a_field_file_no_other_method_can_be_chosen(make_window, qtbot, tmp_path, field_file):
    window = make_window()
    choices = ("method.bicubic", "method.kernel", "shipped.light", "reduced.2")
    open_and_wait(qtbot, window, field_file)
    assert enabled(window, *choices, "weights.use", "reduced.1", "field.build") == [False] * 7
    QTest.keyClick(window.canvas, Qt.Key.Key_M)
    assert window.settings.method == "kernel", "the next picture is shown as the ones before"
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    wait_until_idle(qtbot, window, lambda: window.session.document.picture is not None)
    assert enabled(window, *choices) == [True] * 4
    assert enabled(window, "weights.use", "reduced.1") == [False, False]


def test_a_field_file_is_not_built_of_tiles_whose_memory_could_be_another(
    make_window, qtbot, tmp_path, field_file
):
    window = make_window()
    open_and_wait(qtbot, window, field_file)
    window.menus.actions["memory.256"].trigger()
    window.menus.actions["field.footprint"].trigger()  # it is to be drawn anew
    wait_until_idle(qtbot, window)
    frame = window.canvas.grab_frame()
    assert abs(frame.pixelColor(frame.width() // 2, frame.height() // 2).red() - 128) <= 1
    window.exporter.save_field(window.session.document, str(tmp_path / "copy.safetensors"))
    wait_until_idle(qtbot, window)
    copy, field = (GaussianField.open(tmp_path / f"{n}.safetensors") for n in ("copy", "field"))
    assert np.array_equal(copy.means, field.means)


def test_without_a_picture_there_is_nowhere_to_go_but_a_method_to_choose(
    make_window, qtbot, tmp_path
):
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    places = ("zoom.in", "zoom.fit", "zoom.type", "zoom.to_100", "pan.left", "file.close")
    assert all(enabled(window, *places))
    window.menus.actions["file.close"].trigger()
    assert not any(enabled(window, *places, "field.build", "reduced.4"))
    assert all(enabled(window, "method.bicubic", "file.open", "edit.paste"))


def test_building_can_be_gone_on_with_only_where_some_is_left(make_window, qtbot, tmp_path):
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    assert window.session.document.complete and enabled(window, "field.build") == [False]
    window.menus.actions["method.bicubic"].trigger()
    wait_until_idle(qtbot, window)
    assert enabled(window, "field.build") == [False]


def test_what_is_said_while_a_key_is_held_goes_with_it(make_window, qtbot, tmp_path):
    window = make_window()
    path = save_picture(tmp_path / "a.png")
    for end in ("close", "choose", "let go"):
        open_and_wait(qtbot, window, path)
        QTest.keyPress(window.canvas, Qt.Key.Key_X)
        qtbot.waitUntil(lambda: "while X is held" in window.status.message, timeout=30_000)
        if end == "close":
            window.menus.actions["file.close"].trigger()
        elif end == "choose":
            window.menus.actions["method.lanczos"].trigger()
        QTest.keyRelease(window.canvas, Qt.Key.Key_X)
        assert "held" not in window.status.message, end


def test_what_was_said_of_a_picture_is_not_said_of_the_next(make_window, qtbot, tmp_path):
    from PIL import Image

    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "two.gif", save_all=True, append_images=frames[1:])
    window = make_window()
    open_and_wait(qtbot, window, tmp_path / "two.gif")
    assert "first of 2 frames" in window.status.message
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    wait_until_idle(qtbot, window, lambda: window.session.document.extent == (48, 64))
    assert "frames" not in window.status.message


def marked(window, qtbot):
    """A click at a Gaussian, with the centres shown."""
    window.change(centres=True)
    window.canvas.set_view(window.canvas.view.centred_on(20.5, 20.5, 16.0))
    wait_until_idle(qtbot, window)
    at = window.canvas.view.to_device(20.5, 20.5)
    ratio = window.canvas.devicePixelRatioF()
    QTest.mouseClick(
        window.canvas,
        Qt.MouseButton.LeftButton,
        pos=QPoint(round(at[0] / ratio), round(at[1] / ratio)),
    )
    assert window.canvas.mark is not None and window.status.message.startswith("Gaussian at")


def test_a_mark_and_what_is_said_of_it_go_together(make_window, qtbot, tmp_path):
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    marked(window, qtbot)
    QTest.keyClick(window.canvas, Qt.Key.Key_Escape)
    assert window.canvas.mark is None and window.status.message == ""
    marked(window, qtbot)
    window.change(centres=False)
    assert window.canvas.mark is None and window.status.message == ""
    marked(window, qtbot)
    open_and_wait(qtbot, window, save_picture(tmp_path / "b.png", 50, 50, seed=2))
    wait_until_idle(qtbot, window, lambda: window.session.document.extent == (50, 50))
    assert window.canvas.mark is None and "Gaussian at" not in window.status.message


def test_a_zoom_that_was_none_is_forgotten_with_the_next_that_is_one(make_window, qtbot, tmp_path):
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    window.status.zoom.refused.emit("lots")
    assert "lots is no zoom" in window.status.message
    window.status.zoom.zoom_chosen.emit(4.0)
    assert "is no zoom" not in window.status.message and window.canvas.view.scale == 4.0
    for done in (window.status.zoom.fit_chosen, window.status.zoom.fill_chosen):
        window.status.zoom.refused.emit("lots")
        done.emit()
        assert "is no zoom" not in window.status.message


def test_escape_leaves_full_screen_before_it_stops_anything(make_window, qtbot, tmp_path):
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    stopped = []
    window.session.stop_building = lambda: stopped.append(True)
    window.menus.actions["view.full_screen"].trigger()
    assert window.isFullScreen() and enabled(window, "view.tool_bar") == [False]
    window.session._builder._running = True
    QTest.keyClick(window.canvas, Qt.Key.Key_Escape)
    assert not window.isFullScreen() and not stopped
    assert enabled(window, "view.tool_bar") == [True]
    QTest.keyClick(window.canvas, Qt.Key.Key_Escape)
    assert stopped
    window.session._builder._running = False


def test_full_screen_by_the_system_is_the_same_as_by_our_own_key(make_window):
    window = make_window()
    window.setWindowState(Qt.WindowState.WindowFullScreen)  # as a window manager does
    assert window.menus.actions["view.full_screen"].isChecked()
    assert not window.tool_bar.isVisible() and not window.menuBar().isVisible()
    window.setWindowState(Qt.WindowState.WindowNoState)
    assert not window.menus.actions["view.full_screen"].isChecked()
    assert window.tool_bar.isVisible() and window.menuBar().isVisible()


def test_the_tool_bar_is_hidden_by_its_setting_alone(make_window, qapp):
    window = make_window()
    bar = window.menuBar()
    at = QPoint(bar.width() - 5, bar.height() // 2)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, bar.mapToGlobal(at))
    qapp.sendEvent(bar, event)
    assert qapp.activePopupWidget() is None


def test_the_invitation_goes_when_a_picture_is_being_read_and_comes_back_if_it_cannot_be(
    make_window, qtbot, tmp_path
):
    window = make_window()
    assert window.welcome.isVisible()
    said = []
    window.error_box.tell = lambda title, text: said.append(text)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    window.open(broken)
    assert not window.welcome.isVisible()
    qtbot.waitUntil(lambda: bool(said), timeout=30_000)
    assert window.welcome.isVisible()


def test_the_invitation_is_read_whole_in_a_small_window(make_window, qtbot):
    window = make_window()
    window.resize(260, 300)
    label = window.welcome
    qtbot.waitUntil(lambda: label.width() < 260)
    assert label.heightForWidth(label.width()) <= label.height()
    shown = screenshot(label)
    ground = shown[0, 0]
    assert (shown[:, 0] == ground).all() and (shown[:, -1] == ground).all()


def test_the_cursor_has_no_place_in_a_picture_that_was_closed(make_window, qtbot, tmp_path):
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    mouse(window.canvas, QEvent.Type.MouseMove, (200, 150))
    qtbot.waitUntil(lambda: window.status.position.text != "", timeout=30_000)
    window.menus.actions["file.close"].trigger()
    qtbot.waitUntil(lambda: window.status.position.text == "", timeout=30_000)


def test_after_a_menu_the_place_under_the_cursor_is_told_before_it_moves(
    make_window, qtbot, tmp_path
):
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    mouse(window.canvas, QEvent.Type.MouseMove, (200, 150))
    qtbot.waitUntil(lambda: window.status.position.text != "", timeout=30_000)
    told = window.status.position.text
    QApplication.sendEvent(window.canvas, QEvent(QEvent.Type.Leave))
    qtbot.waitUntil(lambda: window.status.position.text == "", timeout=30_000)
    at = QPointF(200, 150)
    QApplication.sendEvent(window.canvas, QEnterEvent(at, at, at))
    qtbot.waitUntil(lambda: window.status.position.text == told, timeout=30_000)


@pytest.mark.parametrize("width", [500, 640, 760, 900, 1100])
def test_in_a_narrow_window_no_cell_is_seen_where_a_more_important_one_is_not(
    make_window, qtbot, tmp_path, width
):
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    window.resize(width, 500)
    qtbot.waitUntil(lambda: window.width() == width, timeout=30_000)
    status = window.status
    seen = {cell.rank for cell in status.cells if not cell.isHidden()}
    missing = {cell.rank for cell in status.cells if cell.isHidden()}
    assert not seen or not missing or max(seen) < min(missing)
    assert status.source.isHidden() == status.field.isHidden()


def test_marks_that_are_waited_for_say_so(make_window, qtbot, tmp_path, monkeypatch):
    from viewer.model.overlays import overlay_kernels

    compiled = threading.Event()
    monkeypatch.setattr(overlay_kernels, "warm_up", lambda stop: compiled.wait(20.0))
    window = make_window()
    window.open(save_picture(tmp_path / "a.png"))
    qtbot.waitUntil(lambda: window.session.document is not None, timeout=30_000)
    window.canvas.set_view(window.canvas.view.set_scale(16.0))
    assert "marks" not in window.status.message, "nobody asked for any"
    QTest.keyClick(window.canvas, Qt.Key.Key_C)
    qtbot.waitUntil(lambda: window.status.message.startswith("Preparing the marks"), timeout=60_000)
    compiled.set()
    qtbot.waitUntil(lambda: "marks" not in window.status.message, timeout=30_000)
    wait_until_idle(qtbot, window)
    assert window.canvas.overlays.centres


# ---- leaving -----------------------------------------------------------------------------------


@pytest.fixture
def exporting(make_window, qtbot, tmp_path, monkeypatch):
    """A window that exports until it is stopped or told to end."""
    import gaussian_core

    end = threading.Event()

    def render(*arguments, stop, **options):
        from gaussian_core.errors import Cancelled

        while not end.is_set():
            if stop():
                raise Cancelled("stopped")
            end.wait(0.01)
        raise AssertionError("only stopped in these tests")

    monkeypatch.setattr(gaussian_core, "render_file", render)
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    window.exporter.start(Export(window.session.document.picture, str(tmp_path / "out.png"), 2.0))
    return window


def question(window):
    return next((box for box in window.findChildren(QMessageBox) if box.isVisible()), None)


def click(box, text):
    next(b for b in box.buttons() if b.text() == text).click()


def test_what_is_opened_while_a_picture_is_exported_is_not_said_to_be_opening_for_ever(
    exporting, qtbot, tmp_path
):
    window = exporting
    window.exporter.progress.emit(3, 10)
    assert window.status.message == "Exporting: 30 %"
    other = save_picture(tmp_path / "b.png", seed=2)
    window.open(other)
    assert window.status.message == "Opening b.png"
    qtbot.waitUntil(lambda: window.session.document.path == other)
    qtbot.waitUntil(lambda: window.status.message == "Exporting: 30 %")
    window.exporter.stop()


def test_leaving_while_a_picture_is_exported_asks_first(exporting, qtbot):
    window = exporting
    assert not window.close() and window.isVisible() and window.exporter.running
    click(question(window), "Go On Exporting")
    assert window.isVisible() and window.exporter.running
    window.close()
    click(question(window), "Stop and Quit")
    assert not window.isVisible()
    assert window.exporter._stop.is_set()


def test_nothing_is_asked_of_an_export_that_has_ended(exporting, qtbot):
    window = exporting
    window.close()
    assert question(window)
    window.exporter.stop()
    qtbot.waitUntil(lambda: not window.exporter.running, timeout=30_000)
    assert question(window) is None and window.isVisible()


def test_an_export_that_ended_with_the_program_is_no_fault(exporting, qtbot, monkeypatch, caplog):
    """Python takes its threads away while the export's still runs: it fails then in its own ways."""
    import gaussian_core

    def torn(*arguments, stop, **options):
        stopped.wait(5.0)
        raise RuntimeError("cannot schedule new futures after shutdown")

    window, stopped = exporting, threading.Event()
    window.exporter.stop()
    qtbot.waitUntil(lambda: not window.exporter.running, timeout=30_000)
    monkeypatch.setattr(gaussian_core, "render_file", torn)
    window.exporter.start(Export(window.session.document.picture, "out.png", 2.0))
    with qtbot.waitSignal(window.exporter.cancelled, timeout=30_000):
        window.exporter.stop()
        stopped.set()
    assert "cannot schedule" not in caplog.text


def test_who_listens_hears_which_picture_the_keyboard_is_at(make_window, qtbot, tmp_path):
    window = make_window()
    heard = QAccessible.queryAccessibleInterface(window.canvas)
    assert heard.text(QAccessible.Text.Description) == ""
    open_and_wait(qtbot, window, save_picture(tmp_path / "sea.png", 64, 48))
    assert heard.text(QAccessible.Text.Description) == "sea.png, 64 × 48"
    qtbot.keyClick(window, Qt.Key.Key_W, Qt.KeyboardModifier.ControlModifier)
    assert heard.text(QAccessible.Text.Description) == ""


def test_all_that_can_be_used_has_a_name_to_be_read_out(make_window, qtbot, tmp_path):
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    window.status.show_progress("Building", 1, 2)
    role = QAccessible.Role
    used = {role.Button, role.CheckBox, role.ComboBox, role.EditableText, role.Slider}
    used |= {role.MenuItem, role.ProgressBar}
    seen, unnamed = set(), []

    def walk(interface) -> None:
        if interface.state().invisible:
            return
        if interface.role() in used:
            seen.add(interface.role())
            if not interface.text(QAccessible.Text.Name):
                unnamed.append(interface.object())
        for place in range(interface.childCount()):
            if interface.child(place) is not None:
                walk(interface.child(place))

    walk(QAccessible.queryAccessibleInterface(window))
    assert seen == used
    assert not unnamed


def test_messages_and_values_are_read_out_whole(make_window, qtbot, tmp_path):
    window = make_window()
    window.resize(320, 300)
    said = "Something that is far too long for the little room that there is in this window"
    window.status.tell(said)
    interface = QAccessible.queryAccessibleInterface(window.status._message)
    assert "…" in window.status._message.text()
    assert interface.text(QAccessible.Text.Name) == said
    window.status.tell("")
    assert interface.text(QAccessible.Text.Name) == ""


def test_a_long_message_stays_for_as_long_as_it_takes_to_read(make_window):
    status = make_window().status
    status.tell("Copied")
    assert status._timer.interval() == 6000
    status.tell("x" * 240)
    assert status._timer.interval() == 22_000
    status.tell("x" * 240, 60.0)
    assert status._timer.interval() == 60_000


def test_who_sets_the_size_of_ellipses_that_are_not_shown_is_told_how_they_are(make_window, qtbot):
    window = make_window()
    qtbot.waitUntil(window.isActiveWindow)
    QTest.keyClick(window.canvas, Qt.Key.Key_BracketRight)
    assert window.status.message == "Ellipses of 1.25 σ; E shows them"
    QTest.keyClick(window.canvas, Qt.Key.Key_E)
    assert window.status.message == "", "they are shown"
    QTest.keyClick(window.canvas, Qt.Key.Key_BracketLeft)
    assert window.settings.sigma == 1.0
    for key, most in ((Qt.Key.Key_BracketRight, 3.0), (Qt.Key.Key_BracketLeft, 0.5)):
        for _ in range(12):
            QTest.keyClick(window.canvas, key)
        assert window.settings.sigma == most
    assert window.status.message == ""


def test_while_the_next_picture_is_seen_none_of_the_last_is_offered(
    make_window, qtbot, tmp_path, monkeypatch
):
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    names = ("file.export", "file.save_field", "file.export_comparison", "reduced.2", "field.card")
    assert all(enabled(window, *names))
    counted = window.status.counts.text
    assert counted
    go = threading.Event()
    read = Document.open.__func__

    def slow(cls, *arguments, **options):
        go.wait(20)
        return read(cls, *arguments, **options)

    monkeypatch.setattr(Document, "open", classmethod(slow))
    window.open(save_picture(tmp_path / "b.jpg", 300, 200))
    qtbot.waitUntil(lambda: window.session.covered, timeout=30_000)
    assert enabled(window, *names) == [False] * 5 and enabled(window, "zoom.in") == [True]
    assert [cell.text for cell in window.status.cells] == [""] * 8, "nothing is said of it either"
    window.session.cancel_opening()
    wait_until_idle(qtbot, window)
    assert all(enabled(window, *names)) and window.status.method.text == "Kernel interpolation"
    assert window.status.counts.text == counted and window.status.time.text
    window.open(tmp_path / "b.jpg")
    qtbot.waitUntil(lambda: window.session.covered, timeout=30_000)
    go.set()
    wait_until_idle(qtbot, window, lambda: window.session.document.name == "b.jpg")
    assert all(enabled(window, *names))


@pytest.mark.parametrize(
    "how",
    [
        "closed",
        "split, and another is opened",
        "drawn by a fit, and closed",
        "drawn by a fit, and another is opened",
    ],
)
def test_a_picture_that_is_no_longer_open_is_not_kept(make_window, qtbot, tmp_path, how):
    """It may have a gigabyte; and Windows lets no file be replaced that is held open."""
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    QTest.mouseMove(window.canvas, QPoint(200, 200))
    if "split" in how:
        for _ in range(2):
            QTest.keyClick(window.canvas, Qt.Key.Key_S)
            wait_until_idle(qtbot, window)
    if "fit" in how:
        drawn = []
        window.canvas.frame_shown.connect(lambda frame: drawn.append(frame.field_share > 0))
        window.menus.actions["method.fit"].trigger()
        qtbot.waitUntil(lambda: any(drawn) and window.waiting.undrawn == "", timeout=LONG)
        window.menus.actions["method.kernel"].trigger()  # for what is opened next
    left = weakref.ref(window.session.document.picture)
    if "closed" in how:
        window.menus.actions["file.close"].trigger()
    else:
        open_and_wait(qtbot, window, save_picture(tmp_path / "b.png", 2000, 40))  # from afar
        wait_until_idle(qtbot, window, lambda: window.session.document.name == "b.png")

    def is_gone():
        gc.collect()
        return left() is None

    qtbot.waitUntil(is_gone, timeout=LONG)


def test_in_full_screen_all_menus_are_reached_by_the_keyboard(make_window, qtbot, tmp_path, qapp):
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    window.menus.actions["view.full_screen"].trigger()
    qtbot.waitUntil(window.isActiveWindow)
    assert not window.menuBar().isVisible()
    QTest.keyClick(window.canvas, Qt.Key.Key_F10)
    popup = qapp.activePopupWidget()
    assert [entry.text() for entry in window.menus._all.actions()] == list(MENUS)
    for key in (Qt.Key.Key_Escape, Qt.Key.Key_Escape):
        if qapp.activePopupWidget() is not None:
            QTest.keyClick(qapp.activePopupWidget(), key)
    assert popup is not None and qapp.activePopupWidget() is None
    assert window.isFullScreen() and window.canvas.hasFocus()
    # The key that is there for it, and the right button.
    for reason in (QContextMenuEvent.Reason.Keyboard, QContextMenuEvent.Reason.Mouse):
        at = window.canvas.rect().center()
        qapp.sendEvent(window.canvas, QContextMenuEvent(reason, at, window.canvas.mapToGlobal(at)))
        popup = qapp.activePopupWidget()
        assert popup is window.menus._all
        for key in (Qt.Key.Key_O, Qt.Key.Key_C):  # Overlays, Centres
            QTest.keyClick(qapp.activePopupWidget(), key)
        assert qapp.activePopupWidget() is None
    assert not window.settings.centres, "shown, and hidden again"
    assert window.isFullScreen()


def test_a_menus_letter_opens_it_with_and_without_a_bar(make_window, qtbot, qapp):
    window = make_window()
    qtbot.waitUntil(window.isActiveWindow)
    alt = Qt.KeyboardModifier.AltModifier
    for full in (False, True, False):
        if window.isFullScreen() is not full:
            window.set_full_screen(full)
        assert window.menuBar().isVisible() is not full
        for letter, title in ((Qt.Key.Key_O, "&Overlays"), (Qt.Key.Key_D, "Fiel&d")):
            QTest.keyClick(window.canvas, letter, alt)
            assert qapp.activePopupWidget() is window.menus.menu(title)
            while (popup := qapp.activePopupWidget()) is not None:
                QTest.keyClick(popup, Qt.Key.Key_Escape)
            if not full:
                QTest.keyClick(window.menuBar(), Qt.Key.Key_Escape)
        assert window.canvas.hasFocus() and window.isFullScreen() is full
    # And a letter of an entry chooses it.
    window.set_full_screen(True)
    QTest.keyClick(window.canvas, Qt.Key.Key_O, alt)
    QTest.keyClick(qapp.activePopupWidget(), Qt.Key.Key_C)
    assert window.settings.centres and qapp.activePopupWidget() is None


def test_with_a_bar_of_menus_its_key_opens_the_first(make_window, qtbot, qapp):
    window = make_window()
    qtbot.waitUntil(window.isActiveWindow)
    QTest.keyClick(window.canvas, Qt.Key.Key_F10)
    assert qapp.activePopupWidget() is window.menus.menu("&File")
    QTest.keyClick(qapp.activePopupWidget(), Qt.Key.Key_Escape)
    QTest.keyClick(window.menuBar(), Qt.Key.Key_Escape)
    assert qapp.activePopupWidget() is None
    assert window.canvas.hasFocus()


def test_the_right_button_opens_the_menus_but_where_it_lets_go_of_a_rectangle(
    make_window, qtbot, tmp_path, qapp
):
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    canvas, handle = window.canvas, window.windowHandle()
    left, right, shift = (
        Qt.MouseButton.LeftButton,
        Qt.MouseButton.RightButton,
        Qt.KeyboardModifier.ShiftModifier,
    )
    place = canvas.mapTo(window, QPoint(100, 100))
    QTest.mousePress(handle, left, shift, place)
    assert canvas._hand._box is not None
    QTest.mousePress(handle, right, shift, place)
    assert canvas._hand._box is None and qapp.activePopupWidget() is None
    QTest.mouseRelease(handle, right, shift, place)
    QTest.mouseRelease(handle, left, shift, place)
    QTest.mousePress(handle, right, pos=place)
    assert qapp.activePopupWidget() is window.menus._all
    QTest.keyClick(window.menus._all, Qt.Key.Key_Escape)
    QTest.mouseRelease(handle, right, pos=place)
    assert qapp.activePopupWidget() is None
