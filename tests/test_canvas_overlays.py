"""Overlays on the canvas: on their Gaussians, at rest and in motion, with counts."""

from __future__ import annotations

import dataclasses
import threading

import numpy as np
import pytest
from PySide6.QtCore import QEvent
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication

from gaussian_core.field import GaussianField
from tests.canvas_helpers import CountingRenderer, screenshot, wheel
from viewer.model.frames.scene import Scene
from viewer.model.overlays.overlay_options import OverlayOptions
from viewer.ui.canvas.canvas import Canvas

EXTENT = (60, 80)
MARK = (255, 0, 255)
CENTRES = OverlayOptions(centres=True, colour="#ff00ff")
POINTS = np.array([[20.25, 30.5], [60.5, 10.75], [41.0, 41.0]])


@pytest.fixture
def canvas(qtbot):
    before = set(threading.enumerate())
    field = GaussianField(POINTS, [[0.3, 0, 0.3]] * 3, np.full((3, 3), 0.5), EXTENT)
    widget = Canvas(render=CountingRenderer(), prepare=lambda: None)
    qtbot.addWidget(widget)
    widget.set_background(QColor(0, 0, 0))
    widget.set_glide(0.0)
    widget.resize(320, 240)
    widget.show()
    widget.set_scene(Scene(EXTENT, tiles={0: field}))
    qtbot.waitUntil(widget.is_idle)
    yield widget
    widget.shutdown()
    assert set(threading.enumerate()) <= before | {
        t for t in threading.enumerate() if t.name.startswith("kernel")
    }


def marked(canvas: Canvas, x: float, y: float) -> bool:
    """Whether a device pixel within one of a source point has the mark's colour, nearly."""
    u, v = (int(c) for c in canvas.view.to_device(x, y))
    colours = screenshot(canvas)[v - 1 : v + 2, u - 1 : u + 2].astype(int)
    return bool((np.abs(colours - MARK).max(-1) < 40).any())


@pytest.mark.parametrize("scale", [1.0, 4.0, 32.0, 300.0])
def test_centres_lie_on_their_gaussians_at_every_zoom(canvas, qtbot, scale):
    canvas.set_overlays(CENTRES)
    for x, y in POINTS:
        canvas.set_view(canvas.view.centred_on(x, y, scale))
        qtbot.waitUntil(canvas.is_idle)
        assert marked(canvas, x, y)
        assert not marked(canvas, x + 6 / scale, y + 6 / scale)


def test_marks_stay_on_their_gaussians_while_the_view_moves(canvas, qtbot):
    canvas.set_overlays(CENTRES)
    canvas.set_view(canvas.view.centred_on(41.0, 41.0, 8.0))
    qtbot.waitUntil(canvas.is_idle)
    canvas._overlay_painter.end()  # no new overlay comes
    wheel(canvas, (100, 100), 120 * 3)
    assert marked(canvas, 41.0, 41.0)
    canvas.set_view(canvas.view.pan_by(37, -21))
    assert marked(canvas, 41.0, 41.0)


def test_an_ellipse_passes_through_one_sigma(canvas, qtbot):
    canvas.set_overlays(OverlayOptions(ellipses=True, sigma=1.0, colour="#ff00ff"))
    canvas.set_view(canvas.view.centred_on(41.0, 41.0, 80.0))
    qtbot.waitUntil(canvas.is_idle)
    sigma = float(np.sqrt(0.3))
    for angle in np.linspace(0, 6.28, 12):
        assert marked(canvas, 41.0 + sigma * np.cos(angle), 41.0 + sigma * np.sin(angle))
    assert not marked(canvas, 41.0, 41.0)


def test_counts_are_told_with_and_without_marks(canvas, qtbot):
    found: list[tuple[int, int]] = []
    canvas.overlay_counts.connect(lambda shown, in_view: found.append((shown, in_view)))
    canvas.set_view(canvas.view.centred_on(20.0, 30.0, 20.0))
    qtbot.waitUntil(canvas.is_idle)
    assert found[-1] == (0, 1)
    canvas.set_overlays(CENTRES)
    qtbot.waitUntil(canvas.is_idle)
    assert found[-1] == (1, 1)
    canvas.set_view(canvas.view.fit())
    qtbot.waitUntil(canvas.is_idle)
    assert found[-1] == (3, 3)


def test_switching_marks_off_removes_them_at_once(canvas, qtbot):
    canvas.set_overlays(CENTRES)
    qtbot.waitUntil(canvas.is_idle)
    assert marked(canvas, 41.0, 41.0)
    canvas.set_overlays(OverlayOptions())
    assert not marked(canvas, 41.0, 41.0)
    qtbot.waitUntil(canvas.is_idle)
    assert not marked(canvas, 41.0, 41.0)


def test_marks_follow_a_change_of_the_screens_factor_that_changes_no_pixel(canvas, qtbot):
    """Of a window that fills a screen, when another scaling is chosen for it."""
    canvas.set_overlays(CENTRES)
    qtbot.waitUntil(canvas.is_idle)
    canvas._moving.grid = dataclasses.replace(canvas._moving.grid, ratio=2.0)
    with qtbot.waitSignal(canvas.overlay_counts):
        QApplication.sendEvent(canvas, QEvent(QEvent.Type.DevicePixelRatioChange))
