"""Copy View: what rests on screen, exact, and with the alpha of transparent pictures."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QImage, QWheelEvent
from PySide6.QtWidgets import QApplication

from gaussian_core.builder import build_field
from gaussian_core.display import checkerboard
from gaussian_core.images import open_picture
from tests.window_helpers import LONG, open_and_wait, save_picture, wait_until_idle
from viewer.ui import app, view_copy
from viewer.ui.canvas.canvas import Canvas

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def window(make_window):
    made = make_window()
    made.change(animate=False)
    QGuiApplication.clipboard().clear()
    return made


@pytest.fixture
def cut_out(tmp_path):
    """Orange, transparent outside of a disc, half transparent in its lower half."""
    y, x = np.mgrid[:48, :64]
    pixels = np.empty((48, 64, 4), np.uint8)
    pixels[..., :3] = (240, 130, 20)
    pixels[..., 3] = np.where(np.hypot(y - 23.5, x - 31.5) < 18, np.where(y < 24, 255, 128), 0)
    path = tmp_path / "cut-out.png"
    Image.fromarray(pixels).save(path)
    return path


def press_copy(qtbot, window) -> QImage:
    window.activateWindow()
    qtbot.waitActive(window)
    qtbot.keyClick(window.canvas, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: not window.copier.running, timeout=30_000)
    return QGuiApplication.clipboard().image()


def rgba(image: QImage) -> np.ndarray:
    image = image.convertToFormat(QImage.Format.Format_RGBA8888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1, 4)
    return rows[:, : image.width()].astype(int)


def on_screen(window) -> np.ndarray:
    return rgba(window.canvas.grab_frame())


def over_checkerboard(window, copied: QImage) -> np.ndarray:
    """As the canvas shows it: the squares stand on the lattice of the picture's corner."""
    view = window.canvas.view
    left, top, _, _ = view.picture_rect
    u, v = view.to_device(0.0, 0.0)
    squares = checkerboard((left - round(u), top - round(v)), (copied.width(), copied.height()))
    pixels = rgba(copied)
    alpha = pixels[..., 3:] / 255
    return pixels[..., :3] * alpha + 255 * squares[..., None] * (1 - alpha)


@pytest.mark.parametrize("scale", [0.5, 1.0, 7.3])
def test_a_cut_out_keeps_its_alpha(qtbot, window, cut_out, scale):
    open_and_wait(qtbot, window, cut_out)
    window.canvas.zoom_to(scale)
    wait_until_idle(qtbot, window)
    copied = press_copy(qtbot, window)
    assert copied.hasAlphaChannel()
    pixels = rgba(copied)
    height, width = pixels.shape[:2]
    assert (width, height) == (
        window.canvas.grab_frame().width(),
        window.canvas.grab_frame().height(),
    )
    assert pixels[0, 0, 3] == 0 and pixels[-1, -1, 3] == 0
    assert pixels[height * 3 // 8, width // 2] == pytest.approx((240, 130, 20, 255), abs=3)
    assert pixels[height * 5 // 8, width // 2] == pytest.approx((240, 130, 20, 128), abs=4)
    assert "with their transparency" in window.status.message
    # Laid on the checkerboard it is what the window shows.
    off = abs(over_checkerboard(window, copied) - on_screen(window)[..., :3])
    assert off.max() <= 3


@pytest.mark.parametrize("method", ["fit", "gaussiansr"])
def test_methods_that_draw_every_view_keep_it_on_both_sides(qtbot, window, cut_out, method):
    open_and_wait(qtbot, window, cut_out)
    window.canvas.zoom_to(2.0)
    window.set_split(True)
    window.menus.actions[f"method.{method}"].trigger()
    wait_until_idle(qtbot, window, timeout=LONG)
    assert len(window.canvas.sides) == 2
    copied = press_copy(qtbot, window)
    pixels = rgba(copied)
    height, width = pixels.shape[:2]
    assert pixels[0, 0, 3] == 0 and pixels[-1, -1, 3] == 0
    for part in (2, 3):  # of five: left of the line, and right of it
        x = width * part // 5
        assert pixels[height * 3 // 8, x] == pytest.approx((240, 130, 20, 255), abs=12)
        assert pixels[height * 5 // 8, x] == pytest.approx((240, 130, 20, 128), abs=12)
    off = abs(over_checkerboard(window, copied) - on_screen(window)[..., :3])
    inside = np.ones(width, bool)
    inside[width // 2 - 20 : width // 2 + 20] = False  # but for the line
    assert off[height // 4 :, inside].max() <= 3


def test_a_field_file_and_a_split_view_keep_their_alpha(qtbot, window, cut_out, tmp_path):
    open_and_wait(qtbot, window, cut_out)
    window.set_split(True)
    wait_until_idle(qtbot, window)
    assert len(window.canvas.sides) == 2
    halves = rgba(press_copy(qtbot, window))
    assert (halves[0, :, 3] == 0).all() and (halves[halves.shape[0] * 3 // 8, :, 3] >= 250).any()
    window.set_split(False)
    path = tmp_path / "field.safetensors"
    build_field(open_picture(cut_out), "kernel").save(path)
    open_and_wait(qtbot, window, path)
    wait_until_idle(qtbot, window, lambda: window.session.document.path == path)
    pixels = rgba(press_copy(qtbot, window))
    height, width = pixels.shape[:2]
    assert pixels[0, 0, 3] == 0 and pixels[height * 3 // 8, width // 2, 3] >= 250


def test_an_opaque_picture_has_no_alpha(qtbot, window, tmp_path):
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    copied = press_copy(qtbot, window)
    assert not copied.hasAlphaChannel() or (rgba(copied)[..., 3] == 255).all()
    assert (rgba(copied) == on_screen(window)).all()
    assert "transparency" not in window.status.message


def test_the_exact_frame_is_waited_for_without_holding_up_the_window(
    qtbot, window, tmp_path, monkeypatch
):
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png", 300, 200))
    worker, go_on = window.canvas._pane.worker, threading.Event()
    render = worker._render

    def held_when_exact(scene, view, level=1, *arguments, **options):
        assert level > 1 or go_on.wait(60)
        return render(scene, view, level, *arguments, **options)

    monkeypatch.setattr(worker, "_render", held_when_exact)
    monkeypatch.setattr(
        worker.pacing, "level", lambda request, waited=0.0: 4 if request.moving else 1
    )
    monkeypatch.setattr(view_copy, "PATIENCE", 60.0)
    at, none = QPointF(400, 300), Qt.KeyboardModifier.NoModifier
    wheel = QWheelEvent(
        at,
        window.canvas.mapToGlobal(at),
        QPoint(),
        QPoint(0, 480),
        Qt.MouseButton.NoButton,
        none,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(window.canvas, wheel)
    frame = window.canvas._pane
    qtbot.waitUntil(lambda: frame.frame is not None and not frame.frame.exact)
    coarse = on_screen(window)
    window.menus.actions["edit.copy"].trigger()
    assert window.copier.running, "and the window is not held up"
    go_on.set()
    qtbot.waitUntil(lambda: not window.copier.running)
    copied = rgba(QGuiApplication.clipboard().image())
    wait_until_idle(qtbot, window)
    assert (copied == on_screen(window)).all() and (copied != coarse).any()
    assert "not finished" not in window.status.message


def test_where_it_takes_too_long_what_there_is_is_copied_and_said(
    qtbot, window, tmp_path, monkeypatch
):
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    monkeypatch.setattr(view_copy, "PATIENCE", 0.3)
    monkeypatch.setattr(Canvas, "rests", property(lambda canvas: False))
    assert (rgba(press_copy(qtbot, window)) == on_screen(window)).all()
    assert window.status.message.endswith("of a view that was not finished yet")


def test_nothing_in_view_is_said(qtbot, window, tmp_path):
    window.copier.start()
    assert window.status.message == "There is nothing in view to copy"
    assert not window.copier.running


MANAGER = """
import tkinter
root = tkinter.Tk()
root.withdraw()

def save(offset, length):
    print(root.selection_get(selection="CLIPBOARD", type="TARGETS"), flush=True)
    return ""

root.selection_handle(save, selection="CLIPBOARD_MANAGER", type="SAVE_TARGETS")
root.selection_own(selection="CLIPBOARD_MANAGER")
print("ready", flush=True)
root.mainloop()
"""


def test_a_mac_is_handed_what_was_copied_though_qt_says_that_it_has_it(
    qtbot, window, tmp_path, monkeypatch
):
    """Its picture is only promised there until somebody pastes it, or the application is taken apart."""
    assert not app._keeps_what_was_copied(False, window.copier.has_copied)
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    press_copy(qtbot, window)
    assert window.copier.has_copied
    for platform, keeps in {"darwin": True, "win32": False, "linux": False}.items():
        monkeypatch.setattr(app, "sys", SimpleNamespace(platform=platform))
        assert app._keeps_what_was_copied(False, True) == keeps
        assert app._keeps_what_was_copied(True, False)


def test_what_keeps_the_clipboard_is_offered_the_copy_when_the_program_ends(tmp_path):
    pytest.importorskip("tkinter")
    server = shutil.which("Xvfb")
    if server is None:
        pytest.skip("needs Xvfb")
    with ExitStack() as stack:
        own, given = os.pipe()
        x = subprocess.Popen(
            [server, "-displayfd", str(given), "-screen", "0", "1000x700x24"],
            pass_fds=[given],
            stderr=subprocess.DEVNULL,
        )
        stack.callback(x.wait)
        stack.callback(x.terminate)
        os.close(given)
        with os.fdopen(own) as told:
            display = f":{told.readline().strip()}"
        environment = {**os.environ, "DISPLAY": display, "XDG_CONFIG_HOME": str(tmp_path)}
        environment |= {"QT_QPA_PLATFORM": "xcb"}
        manager = subprocess.Popen(
            [sys.executable, "-c", MANAGER], env=environment, stdout=subprocess.PIPE, text=True
        )
        stack.enter_context(manager)
        stack.callback(manager.terminate)
        assert manager.stdout.readline() == "ready\n"
        picture = save_picture(tmp_path / "a.png")
        probe = [sys.executable, "-m", "tests.clipboard_probe", str(picture)]
        subprocess.run(probe, cwd=ROOT, env=environment, check=True, timeout=600)
        manager.terminate()
        assert "image/png" in manager.communicate()[0]
