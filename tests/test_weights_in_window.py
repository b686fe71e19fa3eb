"""Weights of the user's own or published ones, opened in the window."""

from __future__ import annotations

import pytest
import torch
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication

from gaussian_core.models.config import NAMES
from gaussian_core.models.published import picture_features
from gaussian_core.models.published.gaussiansr import NOTE
from gaussian_core.models.weights import weights_path
from tests.published_checkpoints import continuoussr_args, liif_args, random_tensors, save
from tests.test_published import Payload
from tests.test_published_gaussiansr import save as save_gaussiansr
from tests.window_helpers import (
    open_and_wait,
    save_picture,
    wait_until_idle,
)
from viewer.model.documents.field_card import card_of
from viewer.ui.status.status_cell import PADDING


@pytest.fixture
def window(make_window, tmp_path, qtbot):
    window = make_window()
    window.canvas.set_glide(0.0)
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png", 24, 20))
    window.canvas.zoom_to(8.0)
    wait_until_idle(qtbot, window)
    return window


def _checkpoint(folder, name, args):
    return save(folder / f"{name}.pth", name, args, random_tensors(name, args))


def _methods(window):
    return {tile.metadata["method"] for tile in window.session.document.scene.tiles.values()}


def _drop(window, path):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    copy, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    none = Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(50, 50), copy, data, left, none)
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(window, QDropEvent(QPointF(50, 50), copy, data, left, none))


def test_weights_that_are_left_and_chosen_again_while_a_picture_is_read_make_its_field(
    window, qtbot, tmp_path
):
    path = weights_path("light")
    window.menus.actions["field.split"].trigger()
    window.open(path)
    wait_until_idle(qtbot, window, lambda: window.session.document.weights == path)
    window.open(save_picture(tmp_path / "b.png", 30, 20))
    window.menus.actions["method.bicubic"].trigger()
    window.menus.actions["weights.use"].trigger()
    wait_until_idle(qtbot, window, lambda: window.session.document.name == "b.png")
    assert window.session.document.complete and _methods(window) == {"continuoussr"}
    assert window.canvas.split


def test_a_dropped_checkpoint_makes_the_field_and_the_view_stays(window, qtbot, tmp_path):
    view, before = window.canvas.view, window.canvas.grab_frame()
    path = _checkpoint(tmp_path, "continuous-gaussian", continuoussr_args())
    _drop(window, path)
    wait_until_idle(qtbot, window, lambda: window.session.document.weights == path)
    assert _methods(window) == {"continuoussr"}
    assert window.canvas.view == view
    assert window.canvas.grab_frame() != before
    assert window.status.method.text == path.name
    assert window.menus.actions["weights.use"].isChecked()
    assert window.settings.method == "kernel"  # weights are for this time

    # As published it is seen at points; through the pixels' area it is another picture.
    points = window.canvas.grab_frame()
    window.menus.actions["field.footprint"].trigger()
    wait_until_idle(qtbot, window)
    area = window.canvas.grab_frame()
    assert area != points
    window.menus.actions["field.footprint"].trigger()
    wait_until_idle(qtbot, window)
    assert window.canvas.grab_frame() == points

    # The next picture is made by them too; the menu goes back.
    open_and_wait(qtbot, window, save_picture(tmp_path / "b.png", 24, 20, seed=3))
    wait_until_idle(qtbot, window, lambda: window.session.document.name == "b.png")
    assert window.session.document.weights == path
    window.menus.actions["method.kernel"].trigger()
    wait_until_idle(qtbot, window, lambda: _methods(window) == {"kernel"})
    assert window.session.document.weights is None
    window.menus.actions["weights.use"].trigger()
    wait_until_idle(qtbot, window, lambda: _methods(window) == {"continuoussr"})


def test_liif_draws_the_view_without_a_field(window, qtbot, tmp_path):
    before = window.canvas.grab_frame()
    path = _checkpoint(tmp_path, "liif", liif_args())
    window.choosing.open_weights(path)
    wait_until_idle(qtbot, window, lambda: window.session.document.weights == path)
    assert not window.session.document.scene.tiles
    drawn = window.canvas.grab_frame()
    assert drawn.size() == before.size()
    assert drawn != before
    window.canvas.zoom_to(10.0)
    wait_until_idle(qtbot, window)
    assert window.canvas.grab_frame().size() != drawn.size()


def test_gaussiansr_draws_the_view_and_what_differs_is_said(window, qtbot, tmp_path):
    before = window.canvas.grab_frame()
    path = save_gaussiansr(tmp_path / "gsr.pth")
    _drop(window, path)
    # It is said for a while, in which a kernel may have to be compiled.
    said = lambda: path.name in window.status.message and NOTE in window.status.message  # noqa: E731
    qtbot.waitUntil(said, timeout=60_000)
    wait_until_idle(qtbot, window, lambda: window.session.document.weights == path, 120_000)
    document = window.session.document
    assert document.method == path.name and not document.scene.tiles
    assert window.canvas.grab_frame() != before
    assert ("Note", NOTE) in card_of(document).rows
    # The next picture is drawn by them, too, and it is said again.
    window.status.tell("")
    window.open(save_picture(tmp_path / "b.png", 24, 20, seed=3))
    qtbot.waitUntil(lambda: NOTE in window.status.message, timeout=60_000)
    wait_until_idle(qtbot, window, lambda: window.session.document.name == "b.png")


def test_a_large_picture_encoded_in_parts_is_said(window, qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr(picture_features, "WHOLE", 24 * 20 - 1)
    path = _checkpoint(tmp_path, "continuous-gaussian", continuoussr_args())
    window.choosing.open_weights(path)
    wait_until_idle(qtbot, window, lambda: _methods(window) == {"continuoussr"})
    assert "24 × 20 pixels are encoded in parts" in window.status.message


def test_our_own_weights_open_as_weights_and_not_as_a_field(window, qtbot):
    window.open(weights_path())
    wait_until_idle(qtbot, window, lambda: window.session.document.weights is not None)
    assert window.session.document.name == "a.png"
    assert _methods(window) == {"continuoussr"}


def _wrong_shape(path):
    tensors = random_tensors("liif", liif_args())
    save(path, "liif", liif_args(), {**tensors, "encoder.head.0.weight": torch.zeros(8, 3, 5, 5)})


def _unknown_name(path):
    save(path, "metasr", {}, {})


def _code(path):
    torch.save({"model": Payload(path.with_name("made by the payload"))}, path)


@pytest.mark.parametrize(
    "content",
    [b"", b"\x80\x02garbage", b"PK\x03\x04cut", _wrong_shape, _unknown_name, _code],
)
def test_bad_weights_are_told_and_nothing_changes(window, qtbot, tmp_path, monkeypatch, content):
    said = []
    monkeypatch.setattr(window.error_box, "tell", lambda title, text: said.append((title, text)))
    before, document = window.canvas.grab_frame(), window.session.document
    path = tmp_path / "bad.pth"
    path.write_bytes(content) if isinstance(content, bytes) else content(path)
    window.open(path)
    qtbot.waitUntil(lambda: bool(said), timeout=30_000)
    wait_until_idle(qtbot, window)
    assert said[0][0] == "bad.pth was not opened"
    assert "\n" not in said[0][1]
    assert not path.with_name("made by the payload").exists()
    assert window.session.document is document
    assert window.canvas.grab_frame() == before
    assert window.menus.actions["method.kernel"].isChecked()
    assert not window.menus.actions["weights.use"].isChecked()


def test_weights_that_go_away_later_are_said_and_the_picture_opens(window, qtbot, tmp_path):
    path = _checkpoint(tmp_path, "continuous-gaussian", continuoussr_args())
    window.choosing.open_weights(path)
    wait_until_idle(qtbot, window, lambda: window.session.document.weights == path)
    path.unlink()
    said = []
    window.session.fell_back.connect(said.append)
    open_and_wait(qtbot, window, save_picture(tmp_path / "b.png", 24, 20))
    wait_until_idle(qtbot, window, lambda: window.session.document.name == "b.png")
    assert len(said) == 1
    assert _methods(window) == {"kernel"}


@pytest.mark.parametrize("name", NAMES)
def test_the_status_bar_has_room_for_the_names_of_all_shipped_weights(window, name):
    """None is elided: they tell what is looked at."""
    cell = window.status.method
    cell.show_value(f"ContinuousSR {name}")
    assert cell.fontMetrics().horizontalAdvance(cell.text) + 2 * PADDING <= cell.width()
