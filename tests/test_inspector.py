"""A click on a Gaussian tells what it is, and marks it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from gaussian_core.field import GaussianField
from tests.canvas_helpers import pixels
from tests.window_helpers import open_and_wait, save_picture, wait_until_idle
from viewer.model.frames.scene import Scene
from viewer.model.overlays.inspector import Inspected, nearest_gaussian


def scene_of(*fields):
    return Scene((40, 60), tiles=dict(enumerate(fields)))


def test_the_nearest_of_all_tiles_is_found_and_nothing_far_away():
    rng = np.random.default_rng(2)
    fields = []
    for _ in range(2):
        means = rng.uniform((0, 0), (60, 40), (300, 2))
        fields.append(
            GaussianField(means, [[0.2, 0.05, 0.1]] * 300, rng.random((300, 3)), (40, 60))
        )
    every = np.concatenate([f.means for f in fields]).astype(float)
    for x, y in rng.uniform((2, 2), (58, 38), (50, 2)):
        found = nearest_gaussian(scene_of(*fields), x, y)
        distances = np.hypot(*(every - (x, y)).T)
        if distances.min() > 1.0:
            assert found is None
        else:
            assert found.mean == pytest.approx(tuple(every[distances.argmin()]))
    assert nearest_gaussian(scene_of(*fields), -50.0, 10.0) is None


@pytest.mark.parametrize("angle", [-80.0, -30.0, 0.0, 45.0, 90.0])
def test_axes_and_angle_are_those_of_the_covariance(angle):
    t = math.radians(angle)
    turn = np.array([[math.cos(t), -math.sin(t)], [math.sin(t), math.cos(t)]])
    s = turn @ np.diag([0.5**2, 0.2**2]) @ turn.T
    found = Inspected((1.0, 2.0), (s[0, 0], s[0, 1], s[1, 1]), (0.1, -0.2, 0.3), (0.03, -0.04))
    assert found.sigmas == pytest.approx((0.5, 0.2))
    assert math.cos(2 * math.radians(found.angle - angle)) == pytest.approx(1.0)
    assert "σ 0.500 × 0.200 px at" in found.text
    assert found.text.endswith("adds +25.5 -51.0 +76.5; drifted 0.050 px")


def test_a_round_one_has_no_angle():
    found = Inspected((1.0, 2.0), (0.09, 0.0, 0.09), (0.5,), None)
    assert found.text == "Gaussian at 1.000, 2.000; σ 0.300 × 0.300 px; adds +127.5"


def test_nothing_is_minus_zero():
    found = Inspected((-0.0001, 2.0), (0.25, -0.0005, 0.04), (-0.0001,), None)
    assert found.text == "Gaussian at 0.000, 2.000; σ 0.500 × 0.200 px at 0°; adds +0.0"


@pytest.fixture
def window(make_window, qtbot, tmp_path):
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    window.canvas.set_view(window.canvas.view.centred_on(30.5, 20.5, 40.0))
    wait_until_idle(qtbot, window)
    return window


def click(canvas, x, y):
    u, v = canvas.view.to_device(x, y)
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(round(u), round(v)))


def test_a_click_tells_and_marks_where_marks_are_shown(window, qtbot):
    canvas = window.canvas
    plain = pixels(canvas.grab().toImage())
    click(canvas, 30.6, 20.4)
    assert np.array_equal(pixels(canvas.grab().toImage()), plain), "no marks, no telling"
    QTest.keyClick(canvas, Qt.Key.Key_C)
    wait_until_idle(qtbot, window)
    dotted = pixels(canvas.grab().toImage())
    click(canvas, 30.6, 20.4)
    assert window.status.message.startswith("Gaussian at 30.500, 20.500; σ 0.600 × 0.600 px; adds")
    marked = pixels(canvas.grab().toImage())
    rows, columns = np.nonzero((marked != dotted).any(-1))
    u, v = canvas.view.to_device(30.5, 20.5)
    assert (columns.min() + columns.max() + 1) / 2 == pytest.approx(u, abs=1)
    assert (rows.min() + rows.max() + 1) / 2 == pytest.approx(v, abs=1)
    assert np.ptp(columns) == pytest.approx(2 * 0.6 * 40, abs=6)
    assert np.array_equal(pixels(canvas.grab_frame()), plain), "it is not part of the picture"


def test_a_drag_is_no_click_and_the_mark_goes_with_what_it_marked(window, qtbot):
    canvas = window.canvas
    QTest.keyClick(canvas, Qt.Key.Key_C)
    told = []
    canvas.clicked.connect(lambda x, y: told.append((x, y)))
    place = QPoint(300, 200)
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=place)
    QTest.mouseMove(canvas, place + QPoint(40, 0))
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=place + QPoint(40, 0))
    QTest.mouseClick(canvas, Qt.MouseButton.MiddleButton, pos=place)
    assert not told
    click(canvas, 30.5, 20.5)
    assert canvas._mark is not None
    window.menus.actions["method.nearest"].trigger()
    wait_until_idle(qtbot, window)
    assert canvas._mark is None
