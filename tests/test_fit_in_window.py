"""A fit that is watched: its Gaussians are marked, counted, told of, saved and exported as they are on screen."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog

from gaussian_core import Viewport, rasterize
from gaussian_core.errors import Cancelled
from gaussian_core.field import GaussianField
from gaussian_core.images import Picture
from gaussian_core.methods.fit import FitDrawing
from tests.window_helpers import (
    LONG,
    keep_what_is_told,
    open_and_wait,
    save_picture,
    wait_until_idle,
)
from viewer.model.exports.picture_export import ExportPlan
from viewer.model.frames.lazy_drawing import LazyDrawing

HELD_AT = 30
"""Frames of one step each, after which the first ones have come to something."""


@pytest.fixture
def window(make_window, qtbot, tmp_path, monkeypatch):
    """A small picture at 800 %, which the field of kernel interpolation shows."""
    made = make_window()
    made.told = keep_what_is_told(made, monkeypatch)
    open_and_wait(qtbot, made, save_picture(tmp_path / "a.png", 40, 30))
    made.canvas.set_view(made.canvas.view.at_scale(8.0))
    wait_until_idle(qtbot, made)
    return made


@pytest.fixture
def fitted(window, qtbot):
    window.menus.actions["method.fit"].trigger()
    wait_until_idle(qtbot, window, lambda: window.session.document.whole is not None, LONG)
    return window


def saved(qtbot, window):
    qtbot.waitUntil(lambda: not window.exporter.running, timeout=30_000)
    return window.status.message


def test_what_is_fitted_is_saved_and_exported_as_it_is_shown(fitted, qtbot, tmp_path):
    field = fitted.session.document.whole
    state = fitted.canvas.scene.drawing.state
    fitted.exporter.save_field(fitted.session.document, str(tmp_path / "f.safetensors"))
    assert saved(qtbot, fitted) == f"Saved f.safetensors, {len(field):,} Gaussians; fitted: {state}"
    again = GaussianField.open(tmp_path / "f.safetensors")
    assert np.array_equal(again.means, field.means) and again.metadata["method"] == "fit"
    fitted.exporter.export(fitted.session.document, ExportPlan(3.0), str(tmp_path / "f.png"))
    assert saved(qtbot, fitted) == f"Saved f.png, 120 × 90; fitted: {state}"
    wanted = rasterize(field, Viewport((0, 0), 3.0, (120, 90)))
    pixels = np.asarray(Image.open(tmp_path / "f.png")).astype(float)
    assert np.abs(pixels - np.clip(wanted, 0, 1) * 255).max() <= 1
    assert not fitted.told


def test_what_is_not_fitted_yet_cannot_be_saved_and_says_when_it_is(window, qtbot):
    window.canvas.set_view(window.canvas.view.at_scale(0.5))
    window.menus.actions["method.fit"].trigger()
    wait_until_idle(qtbot, window)
    window.menus.actions["file.save_field"].trigger()
    assert window.told == [
        (
            "The field cannot be saved",
            "Nothing is fitted yet: it begins when the picture is seen at 100 % or closer.",
        )
    ]
    assert not window.findChildren(QFileDialog)


def test_its_gaussians_are_marked_counted_and_told_of(fitted, qtbot):
    fitted.status.tell("")
    fitted.menus.actions["overlay.centres"].trigger()
    assert "without Gaussians" not in fitted.status.message
    wait_until_idle(qtbot, fitted)
    count = len(fitted.session.document.whole)
    assert fitted.status.counts.text == f"{count:,} Gaussians"
    fitted.menus.actions["field.card"].trigger()
    rows = dict(fitted.side_windows.card.card.rows)
    assert rows["Gaussians"] == f"{count:,}"
    assert rows["So far"] == fitted.canvas.scene.drawing.state


def test_what_is_fitted_outlives_a_look_at_several_other_methods(fitted, qtbot):
    field = fitted.session.document.whole
    for method in ("nearest", "bicubic", "kernel"):
        fitted.menus.actions[f"method.{method}"].trigger()
        wait_until_idle(qtbot, fitted)
    fitted.menus.actions["method.fit"].trigger()
    wait_until_idle(qtbot, fitted)
    assert fitted.session.document.whole is field


def test_marks_follow_a_fit_while_the_view_rests(window, qtbot):
    drawn = []
    window.menus.actions["overlay.ellipses"].trigger()
    wait_until_idle(qtbot, window)
    window.canvas.overlay_counts.connect(
        lambda *_: drawn.append(window.canvas._overlay_painter.layer)
    )
    window.menus.actions["method.fit"].trigger()
    wait_until_idle(qtbot, window, lambda: window.session.document.whole is not None, LONG)
    field = window.session.document.whole
    assert window.status.counts.text.startswith(f"{len(field):,}")
    assert len(drawn) > 1
    left, canvas = drawn[-1], window.canvas
    canvas.set_overlays(replace(canvas.overlays, ellipses=False))
    canvas.set_overlays(replace(canvas.overlays, ellipses=True))
    wait_until_idle(qtbot, window)
    assert canvas._overlay_painter.layer.image == left.image, "those of the finished field"


def test_marks_of_a_network_appear_with_its_first_view(window, qtbot):
    pytest.importorskip("torch")
    window.menus.actions["overlay.centres"].trigger()
    window.menus.actions["method.gaussiansr"].trigger()
    wait_until_idle(qtbot, window, lambda: not window.waiting.undrawn, LONG)
    assert window.status.counts.text.startswith("1,200")


def test_where_a_network_would_have_to_make_too_many_kernels_that_is_said(window, qtbot, tmp_path):
    pytest.importorskip("torch")
    open_and_wait(qtbot, window, save_picture(tmp_path / "large.png", 1280, 1024))
    wait_until_idle(qtbot, window, lambda: window.session.document.name == "large.png")
    window.menus.actions["method.gaussiansr"].trigger()
    window.canvas.set_view(window.canvas.view.at_scale(16.0))
    wait_until_idle(qtbot, window, lambda: not window.waiting.undrawn, LONG)
    window.menus.actions["overlay.centres"].trigger()
    wait_until_idle(qtbot, window, timeout=LONG)
    assert "Gaussians" in window.status.counts.text and "less" not in window.status.message
    window.menus.actions["overlay.centres"].trigger()
    window.canvas.set_view(window.canvas.view.fit())
    wait_until_idle(qtbot, window)
    window.menus.actions["overlay.ellipses"].trigger()
    assert "to mark where less of so large a picture is in view" in window.status.message


def test_networks_without_kernels_say_that_there_is_nothing_to_mark(window, qtbot):
    pytest.importorskip("torch")
    window.menus.actions["method.liif"].trigger()
    wait_until_idle(qtbot, window, lambda: not window.waiting.undrawn, LONG)
    window.menus.actions["overlay.centres"].trigger()
    assert window.status.message == "LIIF shows the picture without Gaussians to mark"


def test_what_is_said_of_a_fit_is_of_the_gaussians_that_are_seen(
    window, qtbot, tmp_path, monkeypatch
):
    """Fitting goes on between two frames: the next one's figure is not yet that of what is seen, and saved."""
    advance = FitDrawing._advance
    frames, ahead, go_on = [], threading.Event(), threading.Event()

    def held_before_the_last(self, seconds, stop=None):
        frames.append(self)
        for _ in range(1 if len(frames) < HELD_AT else 20):
            advance(self, seconds, stop)
        if len(frames) == HELD_AT:
            ahead.set()
            go_on.wait(LONG / 1000)

    monkeypatch.setattr(FitDrawing, "_advance", held_before_the_last)
    monkeypatch.setattr("viewer.model.frames.lazy_drawing.PATIENCE", 1e-6)
    try:
        window.menus.actions["method.fit"].trigger()
        QTest.keyClick(window.canvas, Qt.Key.Key_S)
        qtbot.waitUntil(ahead.is_set, timeout=LONG)
        said = window.status.preview
        qtbot.waitUntil(lambda: "dB" in said.text, timeout=20_000)
        qtbot.wait(50)  # the frame before it is shown
        assert window.canvas.plates[1] == f"Fit to this picture  {said.text}"
        window.exporter.save_field(window.session.document, str(tmp_path / "f.safetensors"))
        assert saved(qtbot, window).endswith(f"; fitted so far: {said.text}")
    finally:
        go_on.set()


def test_the_card_follows_a_fit(window, qtbot):
    window.menus.actions["method.fit"].trigger()
    window.menus.actions["field.card"].trigger()
    wait_until_idle(qtbot, window, lambda: window.session.document.whole is not None, LONG)
    assert dict(window.side_windows.card.card.rows)["So far"] == window.canvas.scene.drawing.state
    assert "%" not in dict(window.side_windows.card.card.rows)["So far"]


def test_two_threads_take_turns_at_a_drawing():
    """As both sides of a split view do while a method goes from one to the other."""
    pixels = np.random.default_rng(3).integers(0, 256, (40, 50, 3), np.uint8)
    drawing = LazyDrawing(Picture.from_array(pixels), "fit")
    view = Viewport((0, 0), 1.0, (50, 40))
    drawing.draw(view)  # opened, and its kernels are there
    failed = []

    def draw():
        try:
            while drawing.unfinished:
                drawing.draw(view)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=draw) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failed and not drawing.unfinished
    with drawing._lock, pytest.raises(Cancelled):
        drawing.draw(view, stop=lambda: True)  # who waits for a turn can be stopped


def test_out_of_sight_it_rests_and_the_window_goes_on(window, qtbot, monkeypatch):
    """Beyond the line of a split view, and below 100 %, where the picture is seen in its place."""
    window.menus.actions["method.fit"].trigger()
    qtbot.waitUntil(lambda: window.session.document.whole is not None, timeout=LONG)
    drawing = window.canvas.scene.drawing
    # As one that is never done.
    monkeypatch.setattr(LazyDrawing, "unfinished", property(lambda self: self is drawing))
    drawing.kept = None  # as of one that was done already there may be
    QTest.keyClick(window.canvas, Qt.Key.Key_S)
    view = window.canvas.view.at_scale(8.0)
    beyond = view.centred_on(20 + view.size[0] / 2 / 8, 15)  # all of it lies left of the line
    for away in (beyond, view.at_scale(0.5)):
        window.canvas.set_view(away)
        qtbot.waitUntil(window.canvas.is_idle, timeout=LONG)
        shown = []
        window.canvas.frame_shown.connect(shown.append)
        qtbot.wait(200)
        assert not shown
        window.canvas.set_view(view)
        qtbot.waitUntil(lambda: bool(shown), timeout=LONG)  # noqa: B023
        window.canvas.frame_shown.disconnect(shown.append)


def test_of_a_picture_too_large_to_be_fitted_kernel_interpolation_is_shown_and_said(
    window, qtbot, tmp_path, monkeypatch, caplog
):
    monkeypatch.setattr("gaussian_core.methods.fit.MOST_PIXELS", 1000)  # of 1200
    window.menus.actions["method.continuoussr"].trigger()
    wait_until_idle(qtbot, window, timeout=LONG)
    window.menus.actions["method.fit"].trigger()
    wait_until_idle(qtbot, window)
    assert window.status.method.text == "Kernel interpolation"
    assert "megapixels" in window.status.message and "is shown instead" in window.status.message
    scene = window.canvas.scene
    assert scene.method == "kernel" and scene.tiles
    assert not caplog.records and not window.told
    # The choice stands for the next picture, which is smaller.
    open_and_wait(qtbot, window, save_picture(tmp_path / "b.png", 30, 30))
    wait_until_idle(qtbot, window, lambda: window.session.document.whole is not None, LONG)
    assert window.status.method.text == "Fit to this picture"
