"""What the window says about the field that it shows."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QDialogButtonBox, QLabel

from gaussian_core.errors import WeightsError
from gaussian_core.field import GaussianField
from gaussian_core.models.card import read_card
from gaussian_core.models.config import weights_path
from tests.window_helpers import LONG, font_of, open_and_wait, save_picture, wait_until_idle
from viewer.model.documents.document import Document
from viewer.model.documents.field_card import card_of, figures_of
from viewer.model.documents.tile_plan import TilePlan
from viewer.model.settings import Settings
from viewer.ui.dialogs.field_card_dialog import FieldCardDialog


def test_the_card_of_the_shipped_weights_is_complete():
    card = read_card(weights_path())
    assert card.parameters > 100_000
    assert card.size == weights_path().stat().st_size
    document = Document.open(weights_path().parent / "sample.png")
    rows = dict(card_of(document).rows)
    assert f"{card.parameters:,} parameters" in rows["Weights"]
    assert rows["Trained on"] == card.config.trained_on != ""
    assert rows["Licences"] == card.config.licences != ""
    assert rows["Taught by"] == card.config.teacher != ""
    figures = card_of(document).figures
    assert figures is not None
    shown = {
        f"{name} {scale.replace('×', 'x')}": value
        for name, values in figures.rows
        for scale, value in zip(figures.columns, values, strict=True)
        if value
    }
    assert shown == {key: f"{value:.2f}" for key, value in card.config.figures.items()}


@pytest.mark.parametrize("method", ["continuoussr", "kernel", "bicubic", "fit"])
def test_what_was_done_to_the_picture_on_reading_can_be_read_again(tmp_path: Path, method):
    """The status bar says it for some seconds only."""
    frames = [Image.new("RGB", (20, 16), colour) for colour in ("red", "green", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    rows = dict(card_of(Document.open(tmp_path / "a.gif", method)).rows)
    assert rows["Reading"] == "first of 3 frames" and len(rows) > 1


def test_figures_that_are_no_enlargements_are_left_out():
    assert figures_of({}) is None
    assert figures_of({"loss": 0.1}) is None
    figures = figures_of({"Set5 x2.5": 30.0, "B100 x4": 27.126, "loss": 0.1})
    assert figures is not None
    assert figures.columns == ("×2.5", "×4")
    assert figures.rows == (("B100", ("", "27.13")), ("Set5", ("30.00", "")))


@pytest.mark.parametrize("content", [None, b"", b"hello" * 100])
def test_a_card_that_cannot_be_read(tmp_path: Path, content: bytes | None):
    path = tmp_path / "w.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"w\.safetensors"):
        read_card(path)


def test_a_field_file_tells_what_it_carries(tmp_path: Path):
    path = tmp_path / "f.safetensors"
    means, covariances = np.array([[2.0, 3.0]]), np.array([[1.0, 0.0, 1.0]])
    metadata = {"method": "continuoussr", "weights": "light", "finest": "0.1"}
    GaussianField(means, covariances, np.ones((1, 3)), (8, 6), metadata).save(path)
    card = card_of(Document.open(path))
    assert dict(card.rows) == {
        "Gaussians": "1",
        "Method": "ContinuousSR",
        "Weights": "light",
        "Footprint from near": "0.1 source pixels (standard deviation)",
    }
    with pytest.raises(WeightsError):
        read_card(path)


def _texts(dialog) -> list[str]:
    return [label.text() for label in dialog.findChildren(QLabel) if label.isVisible()]


def test_the_dialog_follows_what_is_shown(make_window, qtbot, tmp_path):
    pytest.importorskip("torch")
    window = make_window(Settings())
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png", 30, 20))
    window.menus.actions["field.card"].trigger()
    dialog = window.side_windows.card
    qtbot.waitUntil(dialog.isVisible)
    texts = _texts(dialog)
    assert texts[0] == "ContinuousSR"
    assert any("parameters" in text for text in texts)
    assert read_card(weights_path()).config.licences in texts
    window.menus.actions["method.kernel"].trigger()
    wait_until_idle(qtbot, window, lambda: window.session.document.complete)
    qtbot.waitUntil(lambda: _texts(dialog)[0] == "Kernel interpolation")
    assert not any("parameters" in text for text in _texts(dialog))
    window.menus.actions["file.close"].trigger()
    assert not dialog.isVisible()


def test_the_dialog_says_why_it_is_another_method(make_window, qtbot, tmp_path, monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.setattr("gaussian_core.models.config.RESOURCES", tmp_path)
    window = make_window(Settings())
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png", 30, 20))
    window.menus.actions["field.card"].trigger()
    texts = _texts(window.side_windows.card)
    assert texts[0] == "Kernel interpolation"
    assert window.session.document.fallback in texts
    # The status bar makes room for the whole sentence.
    window.resize(1280, 700)
    qtbot.waitUntil(lambda: "…" not in window.status._message.text())
    assert window.session.document.fallback == window.status._message.text()
    assert window.status.method.isVisible()


def _luminance(colour: QColor) -> float:
    parts = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (colour.redF(), colour.greenF(), colour.blueF())
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_dialog_is_legible(make_window, qtbot, tmp_path, monkeypatch, theme):
    """Every text at least 4.5 : 1 against what it stands on (WCAG 2.2, AA)."""
    monkeypatch.setattr("gaussian_core.models.config.RESOURCES", tmp_path)
    window = make_window(Settings(theme=theme))
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png", 30, 20))
    window.menus.actions["field.card"].trigger()
    labels = [label for label in window.side_windows.card.findChildren(QLabel) if label.isVisible()]
    assert len(labels) >= 5
    for label in labels:
        palette = label.palette()
        ground = _luminance(window.side_windows.card.palette().color(QPalette.ColorRole.Window))
        text = _luminance(palette.color(label.foregroundRole()))
        ratio = (max(ground, text) + 0.05) / (min(ground, text) + 0.05)
        assert ratio >= 4.5, (label.text(), ratio)
        assert label.height() >= label.heightForWidth(label.width()), label.text()


@pytest.mark.parametrize(
    ("points", "screen"), [(9, (1024, 600)), (14, (1366, 768)), (18, (1024, 600))], ids=str
)
def test_nothing_of_it_is_cut_in_large_letters_and_on_small_screens(
    make_window, qtbot, qapp, tmp_path, monkeypatch, points, screen
):
    pytest.importorskip("torch")
    room = SimpleNamespace(availableSize=lambda: QSize(*screen))
    monkeypatch.setattr(FieldCardDialog, "screen", lambda _: room)
    with font_of(qapp, points):
        window = make_window(Settings())
        open_and_wait(qtbot, window, save_picture(tmp_path / "a.png", 30, 20))
        window.menus.actions["field.card"].trigger()
        card = window.side_windows.card
        qtbot.waitExposed(card)
        assert card.width() <= screen[0] and card.height() <= screen[1]
        assert card.rect().contains(card.buttons.geometry())
        labels = [label for label in card.findChildren(QLabel) if label.isVisible()]
        assert any(label.text() == "PSNR, dB" for label in labels)
        for label in labels:
            assert label.width() >= label.minimumSizeHint().width(), label.text()
            assert label.height() >= label.heightForWidth(label.width()), label.text()
        bar = card._scroll.verticalScrollBar()
        if bar.maximum() == 0:
            return
        # What is out of sight is reached by keys that else would move the picture, or open another.
        card.windowHandle().requestActivate()
        qtbot.waitUntil(lambda: QApplication.activeWindow() is card, timeout=LONG)
        card.buttons.button(QDialogButtonBox.StandardButton.Close).setFocus()
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        before = window.canvas.target_view
        for key in (Qt.Key.Key_Down, *[Qt.Key.Key_PageDown] * 10):
            qtbot.keyClick(QApplication.focusWidget(), key)
        assert bar.value() == bar.maximum() and window.canvas.target_view == before


def test_the_keys_of_the_window_work_in_it_and_its_own_closes_it(make_window, qtbot, tmp_path):
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png", 30, 20))
    window.menus.actions["field.card"].trigger()
    dialog = window.side_windows.card
    dialog.windowHandle().requestActivate()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is dialog, timeout=LONG)
    qtbot.keyClick(dialog, Qt.Key.Key_C)
    assert window.settings.centres and dialog.isVisible()
    qtbot.keyClick(dialog, Qt.Key.Key_I)
    assert not dialog.isVisible()


def test_of_a_field_that_is_built_where_it_is_looked_at_the_card_says_so(tmp_path):
    picture = save_picture(tmp_path / "a.png", 400, 300)
    document = Document.open(picture, "kernel")
    document.plan = TilePlan({k: document.scene.grid.rect(k) for k in [(0, 0), (1, 0)]}, None, 1)
    document.plan.set_view((0.0, 0.0, 10.0, 10.0))
    assert "so far" in dict(card_of(document).rows)["Gaussians"]
    document.build_next()
    document.take_tiles()
    assert document.complete
    said = dict(card_of(document).rows)["Gaussians"]
    assert "in 1 of 2 tiles; the others are built where they are looked at" in said
