"""File > Save Field: what `build` writes, with progress and a way to stop; whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from gaussian_core.builder import build_field
from gaussian_core.field import GaussianField
from tests.window_helpers import (
    LONG,
    keep_what_is_told,
    open_and_wait,
    save_picture,
    wait_until_idle,
)
from viewer.model.exports import field_saving
from viewer.model.settings import Settings


@pytest.fixture
def picture(tmp_path):
    return save_picture(tmp_path / "photo.png")


@pytest.fixture
def window(make_window, monkeypatch):
    made = make_window()
    made.told = keep_what_is_told(made, monkeypatch)
    return made


def ask(window) -> QFileDialog:
    window.menus.actions["file.save_field"].trigger()
    return next(d for d in window.findChildren(QFileDialog) if d.windowTitle() == "Save Field")


def save(qtbot, window, path: Path) -> None:
    dialog = ask(window)
    dialog.fileSelected.emit(str(path))
    dialog.close()
    assert window.exporter.running and not window.menus.actions["file.save_field"].isEnabled()
    qtbot.waitUntil(lambda: not window.exporter.running, timeout=30_000)


def same(a: GaussianField, b: GaussianField) -> bool:
    names = ("means", "covariances", "amplitudes")
    return all(np.array_equal(getattr(a, n), getattr(b, n)) for n in names)


def test_the_field_that_is_saved_is_that_of_build(qtbot, window, picture, tmp_path):
    assert not window.menus.actions["file.save_field"].isEnabled()
    open_and_wait(qtbot, window, picture)
    dialog = ask(window)
    assert Path(dialog.selectedFiles()[0]).name == "photo.safetensors"
    assert dialog.defaultSuffix() == "safetensors"
    dialog.close()
    out = tmp_path / "out.safetensors"
    save(qtbot, window, out)
    field = GaussianField.open(out)
    assert same(field, build_field(picture, "kernel"))
    assert window.status.message == f"Saved out.safetensors, {len(field):,} Gaussians"
    # It opens, and a copy of it can be saved in turn.
    open_and_wait(qtbot, window, out)
    wait_until_idle(qtbot, window, lambda: window.session.document.path == out)
    assert field_saving.suggested_name(window.session.document) == "out copy.safetensors"
    save(qtbot, window, tmp_path / "copy.safetensors")
    assert same(GaussianField.open(tmp_path / "copy.safetensors"), field)
    assert not window.told


def test_the_learned_field_is_saved_by_the_weights_that_are_shown(
    qtbot, make_window, picture, tmp_path
):
    window = make_window(Settings(method="continuoussr", weights="light"))
    open_and_wait(qtbot, window, picture, LONG)
    save(qtbot, window, tmp_path / "out.safetensors")
    field = GaussianField.open(tmp_path / "out.safetensors")
    assert field.metadata["method"] == "continuoussr" and field.metadata["weights"] == "light"
    assert field.correction is not None and field.extent == (48, 64)


def test_it_can_be_stopped_and_leaves_nothing(qtbot, window, picture, tmp_path, monkeypatch):
    open_and_wait(qtbot, window, picture)

    def slow(source, progress, stop, **options):
        from gaussian_core.errors import Cancelled

        progress(1, 4)
        while not stop():
            pass
        raise Cancelled("stopped")

    monkeypatch.setattr("gaussian_core.builder.build_field", slow)
    out = tmp_path / "out.safetensors"
    window.status.tell("Something else", 60.0)
    window.exporter.save_field(window.session.document, str(out))
    qtbot.waitUntil(lambda: window.status.message == "Saving the field: 25 %")
    window.activateWindow()
    qtbot.waitActive(window)
    qtbot.keyClick(window.canvas, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not window.exporter.running)
    assert window.status.message == "Saving the field was stopped; no file was written"
    assert not out.exists() and not list(tmp_path.glob(".out*"))


def test_what_cannot_be_written_is_said_in_a_line(qtbot, window, picture, tmp_path, monkeypatch):
    open_and_wait(qtbot, window, picture)
    for path in (tmp_path / "no" / "a.safetensors", tmp_path / "a.png"):
        save(qtbot, window, path)

    def full(*arguments, **options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("safetensors.numpy.save_file", full)
    out = tmp_path / "out.safetensors"
    out.write_bytes(b"older")
    save(qtbot, window, out)
    titles, texts = zip(*window.told, strict=True)
    assert set(titles) == {"The file was not written"}
    assert "there is no folder" in texts[0] and "ends in .safetensors" in texts[1]
    assert "No space left on device" in texts[2]
    assert not any("\n" in text for text in texts)
    assert out.read_bytes() == b"older" and not list(tmp_path.glob(".out*"))


def test_without_gaussians_and_without_the_memory_no_file_is_asked_for(
    qtbot, window, picture, monkeypatch
):
    open_and_wait(qtbot, window, picture)
    monkeypatch.setattr(field_saving, "physical_memory", lambda: 200_000)
    window.menus.actions["file.save_field"].trigger()
    assert "64 × 48 pixels by Kernel interpolation, needs about" in window.told[-1][1]
    window.choosing.use_method("lanczos")
    wait_until_idle(qtbot, window)
    window.menus.actions["file.save_field"].trigger()
    assert window.told[-1][0] == "The field cannot be saved"
    assert window.told[-1][1].startswith("Lanczos shows the picture without a field")
    assert not window.findChildren(QFileDialog) and not window.exporter.running
