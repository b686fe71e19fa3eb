"""The overview in the corner marks what is in view, goes where it is dragged, and is gone where it tells nothing."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QEnterEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.canvas_helpers import mouse, pixels
from tests.window_helpers import open_and_wait, wait_until_idle


@pytest.fixture
def window(make_window, qtbot, tmp_path):
    """A picture whose left half is red and whose right half is blue, at 800 %."""
    from PIL import Image

    picture = np.zeros((150, 300, 3), np.uint8)
    picture[:, :150, 0] = picture[:, 150:, 2] = 200
    Image.fromarray(picture).save(tmp_path / "a.png")
    window = make_window()
    open_and_wait(qtbot, window, tmp_path / "a.png")
    QTest.keyClick(window.canvas, Qt.Key.Key_N)
    window.canvas.set_view(window.canvas.view.centred_on(75, 75, 8.0))
    wait_until_idle(qtbot, window)
    return window


def test_it_shows_the_picture_and_what_is_in_view(window):
    minimap, view = window.minimap, window.canvas.view
    assert minimap.isVisible()
    assert minimap.width() / minimap.height() == pytest.approx(2.0, abs=0.05)
    seen = minimap.in_view()
    inner = minimap.width() - 4
    assert seen.center().x() - 2 == pytest.approx(inner * 75 / 300, abs=0.5)
    assert seen.width() == pytest.approx(inner * view.size[0] / 8.0 / 300, abs=0.5)
    drawn = pixels(minimap.grab().toImage())
    height, width = drawn.shape[:2]
    left, right = drawn[height // 2, width // 4], drawn[height // 2, 3 * width // 4]
    assert left[0] > 150 > left[2] and right[2] > right[0], (
        "in view it is as it is, elsewhere darker"
    )
    assert right[2] < 150


def test_over_it_there_is_no_place_of_the_picture_under_the_cursor(window, qtbot):
    mouse(window.canvas, QEvent.Type.MouseMove, (100, 80))
    qtbot.waitUntil(lambda: window.status.position.text != "")
    middle = QPointF(window.minimap.rect().center())
    QApplication.sendEvent(window.minimap, QEnterEvent(middle, middle, middle))
    wait_until_idle(qtbot, window, lambda: window.status.position.text == "")
    QTest.mouseClick(window.minimap, Qt.MouseButton.LeftButton)
    wait_until_idle(qtbot, window)
    assert window.status.position.text == window.status.source.text == ""
    mouse(window.canvas, QEvent.Type.MouseMove, (100, 80))
    qtbot.waitUntil(lambda: window.status.position.text != "")


def test_dragging_on_it_moves_the_view(window, qtbot):
    minimap, canvas = window.minimap, window.canvas
    y = minimap.height() // 2
    QTest.mousePress(
        minimap, Qt.MouseButton.LeftButton, pos=QPoint(2 + (minimap.width() - 4) // 2, y)
    )
    assert canvas.view.to_source(*canvas.view.centre)[0] == pytest.approx(150, abs=2)
    assert canvas.view.scale == 8.0
    QTest.mouseRelease(minimap, Qt.MouseButton.LeftButton, pos=QPoint(minimap.width() // 4, y))
    assert canvas.view.to_source(*canvas.view.centre)[0] == pytest.approx(150, abs=2)


def test_in_a_small_window_it_leaves_room_for_the_picture(window):
    window.resize(320, 240)
    minimap, canvas = window.minimap, window.canvas
    assert minimap.isVisible()
    assert minimap.width() <= 0.4 * canvas.width() + 4
    assert minimap.height() <= 0.4 * canvas.height() + 4
    assert canvas.rect().contains(minimap.geometry())


def test_the_wheel_zooms_on_when_it_comes_up_under_the_cursor(window):
    minimap, canvas = window.minimap, window.canvas
    at = minimap.mapTo(canvas, QPoint(20, 20))
    before = canvas.view.to_source(at.x() + 0.5, at.y() + 0.5)
    place = QPointF(minimap.mapTo(window, QPoint(20, 20)))
    QTest.wheelEvent(window.windowHandle(), place, QPoint(0, 120))
    assert canvas.view.scale > 8.0
    assert canvas.view.to_device(*before) == pytest.approx((at.x() + 0.5, at.y() + 0.5))


def test_at_100_percent_it_leads_to_whole_pixels(make_window, qtbot, tmp_path):
    from tests.window_helpers import save_picture

    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "b.png", 1500, 1301))
    QTest.keyClick(window.canvas, Qt.Key.Key_N)
    window.canvas.zoom_to(1.0)
    wait_until_idle(qtbot, window)
    for x in (30, 51, 77):
        QTest.mouseClick(window.minimap, Qt.MouseButton.LeftButton, pos=QPoint(x, 40))
        assert window.canvas.view.is_aligned


def test_a_finger_takes_hold_of_it_as_a_mouse_does(window):
    minimap, canvas = window.minimap, window.canvas
    screen = QTest.createTouchDevice()
    at = minimap.mapToGlobal(QPoint(minimap.width() // 2, 20))
    QTest.touchEvent(window, screen).press(0, at)
    QTest.touchEvent(window, screen).release(0, at)
    assert canvas.view.to_source(*canvas.view.centre)[0] == pytest.approx(150, abs=2)


def test_it_is_gone_where_all_is_in_view_and_when_switched_off(window, qtbot):
    window.canvas.set_view(window.canvas.view.fit())
    assert not window.minimap.isVisible()
    window.canvas.set_view(window.canvas.view.set_scale(4.0))
    assert window.minimap.isVisible()
    QTest.keyClick(window.canvas, Qt.Key.Key_N)
    assert not window.minimap.isVisible() and not window.settings.minimap
    QTest.keyClick(window.canvas, Qt.Key.Key_N)
    assert window.minimap.isVisible()
    window.menus.actions["file.close"].trigger()
    assert not window.minimap.isVisible()


def test_it_stays_in_the_corner(window):
    for size in ((700, 500), (1000, 700)):
        window.resize(*size)
        canvas, minimap = window.canvas, window.minimap
        assert canvas.width() - minimap.geometry().right() == 13
        assert canvas.height() - minimap.geometry().bottom() == 13


def test_who_asks_for_it_where_all_is_in_view_is_told_when_it_appears(window, qtbot):
    canvas = window.canvas
    QTest.keyClick(canvas, Qt.Key.Key_N)
    assert window.settings.minimap is False
    window.status.tell("")
    QTest.keyClick(canvas, Qt.Key.Key_N)
    assert "appears" not in window.status.message
    QTest.keyClick(canvas, Qt.Key.Key_N)
    canvas.set_view(canvas.view.fit())
    QTest.keyClick(canvas, Qt.Key.Key_N)
    assert window.minimap.isHidden()
    assert window.status.message == "The overview appears where not all of the picture is in view"
    canvas.set_view(canvas.view.set_scale(8.0))
    assert window.minimap.isVisible() and window.status.message == ""


@pytest.mark.parametrize("how", ["reduced", "reload"])
def test_it_is_there_for_a_picture_that_begins_close_up(window, qtbot, how):
    before = window.canvas.scene
    window.menus.actions["reduced.2" if how == "reduced" else "file.reload"].trigger()
    wait_until_idle(qtbot, window, lambda: window.canvas.scene.generation != before.generation)
    assert window.canvas.view.scale >= 8.0
    assert window.minimap.isVisible()
    assert window.canvas.overview is not None
    drawn = pixels(window.minimap.grab().toImage())
    height, width = drawn.shape[:2]
    assert drawn[height // 2, width // 4, 0] > drawn[height // 2, width // 4, 2]
    assert drawn[height // 2, 3 * width // 4, 2] > drawn[height // 2, 3 * width // 4, 0]


def test_an_overview_is_the_whole_picture_small():
    from gaussian_core.images import Picture
    from gaussian_core.pyramid import levels_of
    from viewer.model.documents.overview import SIDE, overview_of
    from viewer.model.frames.scene import Scene

    def scene_of(picture):
        return Scene(picture.extent, picture=picture, pyramid=levels_of(picture))

    picture = np.zeros((700, 3000, 3), np.float32)
    picture[:, :1500, 0] = picture[350:, :, 1] = 1.0
    source = Picture.from_array(picture, "a")
    frame = overview_of(scene_of(source))
    height, width = frame.bgrx.shape[:2]
    assert max(height, width) <= SIDE
    assert width / height == pytest.approx(3000 / 700, rel=0.01)
    colours = frame.bgrx[..., 2::-1]
    assert tuple(colours[height // 4, width // 4]) == (255, 0, 0)
    assert tuple(colours[3 * height // 4, 3 * width // 4]) == (0, 255, 0)
    small = Picture.from_array(picture[:40, :60], "b")
    assert overview_of(scene_of(small)).bgrx.shape == (40, 60, 4)
    assert overview_of(Scene((40, 60))) is None
