"""Pictures that the window exports: the same pixels as the command `render` writes, in the depth of the picture."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
import pytest
import tifffile
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialogButtonBox, QLabel

from gaussian_core.writing.image_writer import write_image
from tests.window_helpers import (
    LONG,
    font_of,
    keep_what_is_told,
    open_and_wait,
    save_picture,
    wait_until_idle,
)
from viewer import cli
from viewer.model.documents.field_card import card_of
from viewer.model.exports.picture_export import ExportPlan, region_in_view
from viewer.model.settings import Settings
from viewer.ui.dialogs.export_dialog import ExportDialog


def exported(qtbot, window, plan, out):
    window.exporter.export(window.session.document, plan, str(out))
    qtbot.waitUntil(lambda: not window.exporter.running, timeout=LONG)
    return window.status.message


@dataclass(frozen=True)
class Held:
    """A job that is 40 % done until it may go on."""

    may_go_on: threading.Event
    out: str = "a.png"
    doing: str = "Exporting"
    too_large: str = ""

    def run(self, progress, stop):
        progress(2, 5)
        assert self.may_go_on.wait(60)
        return "Saved a.png"


def deep_picture(path, alpha):
    values = np.random.default_rng(2).integers(0, 65536, (30, 41, 4 if alpha else 3), np.uint16)
    write_image(path, values, bits=16)
    return path


@pytest.mark.parametrize("method", ["kernel", "continuoussr", "lanczos"])
@pytest.mark.parametrize("alpha", [False, True])
def test_the_part_in_view_of_a_deep_picture_is_what_render_writes(
    make_window, qtbot, tmp_path, method, alpha
):
    window = make_window(Settings(method=method))
    picture = deep_picture(tmp_path / "a.png", alpha)
    open_and_wait(qtbot, window, picture)
    window.canvas.set_view(window.canvas.view.centred_on(20.3, 11.7, 47.0))
    region = region_in_view(window.session.document.extent, window.canvas.view.source_rect)
    assert region is not None and region[2:] != (41.0, 30.0)
    said = exported(qtbot, window, ExportPlan(3.7, region), tmp_path / "window.tif")
    assert "; 16 bits a channel" in said
    part = ",".join(f"{value:g}" for value in region)
    command = ["render", str(picture), str(tmp_path / "command.tif"), "--scale", "3.7"]
    assert cli.main([*command, "--region", part, "--method", method, "--bits", "16"]) == 0
    ours, theirs = (tifffile.imread(tmp_path / f"{by}.tif") for by in ("window", "command"))
    assert ours.dtype == np.uint16 and ours.shape[2] == (4 if alpha else 3)
    assert np.array_equal(ours, theirs)


def test_of_a_split_view_the_dialog_tells_which_side_is_exported(make_window, qtbot, tmp_path):
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    window.canvas.set_view(window.canvas.view.at_scale(4.0))
    window.menus.actions["method.nearest"].trigger()
    window.menus.actions["field.split"].trigger()
    wait_until_idle(qtbot, window)
    window.menus.actions["file.export"].trigger()
    dialog = window.findChild(ExportDialog)
    assert dialog.method_label.text() == window.canvas.plates[1] == "Nearest neighbour"
    dialog.reject()


@pytest.mark.parametrize("points", [9, 15])
def test_nothing_that_is_said_of_a_scale_is_cut(make_window, qtbot, qapp, points):
    with font_of(qapp, points):
        method = f"{'a_name_of_weights_' * 12}.pth"
        dialog = ExportDialog(
            make_window(), (120, 128), (0.0, 0.0, 50.0, 40.0), 10 / 3, None, method
        )
        dialog.open()
        qtbot.waitExposed(dialog)
        assert dialog.width() < 800 and method == dialog.method_label.toolTip()
        assert dialog.scale.lineEdit().accessibleName() == "Scale"
        for text in ("4", "900000x", "much", "0.001x"):
            dialog.scale.setFocus()
            dialog.scale.lineEdit().selectAll()
            qtbot.keyClicks(dialog.scale, text)
            qtbot.wait(1)
            for label in dialog.findChildren(QLabel):
                assert label.width() >= label.sizeHint().width(), label.text()
        dialog.reject()


def test_a_scale_is_what_was_typed_and_is_offered_again_as_such(make_window, qtbot):
    """For who makes a series of sizes it is the experiment: 778 % is not 777.7 %."""
    dialog = ExportDialog(make_window(), (120, 128), (0.0, 0.0, 50.0, 40.0), 10 / 3)
    dialog.scale.setCurrentText("777.7%")
    plan = dialog.plan()
    assert plan == ExportPlan(7.777)
    again = ExportDialog(make_window(), (120, 128), (0.0, 0.0, 50.0, 40.0), 10 / 3, plan)
    assert again.scale.currentText() == "777.7 %" and again.plan() == plan
    again.scale.setCurrentText(again.scale.itemText(again.scale.count() - 1))
    assert again.scale.currentText() == "333.333 %" and again.plan() == ExportPlan(10 / 3)
    again.scale.setCurrentText("99999999%")
    assert again.plan() is None and "smaller scale" in again.size_label.text()


def test_formats_and_pictures_of_8_bits_get_8(make_window, qtbot, tmp_path):
    window = make_window()
    open_and_wait(qtbot, window, deep_picture(tmp_path / "a.png", False))
    assert "16 bits" not in exported(qtbot, window, ExportPlan(1.0), tmp_path / "b.jpg")
    with Image.open(tmp_path / "b.jpg") as written:
        assert written.size == (41, 30)
    open_and_wait(qtbot, window, save_picture(tmp_path / "c.png"))
    qtbot.waitUntil(lambda: window.session.document.name == "c.png")
    assert "16 bits" not in exported(qtbot, window, ExportPlan(1.0), tmp_path / "d.tif")
    assert tifffile.imread(tmp_path / "d.tif").dtype == np.uint8


def test_a_file_that_is_marked_read_only_stays(make_window, qtbot, tmp_path, monkeypatch, capsys):
    window = make_window()
    told = keep_what_is_told(window, monkeypatch)
    picture, master = save_picture(tmp_path / "a.png"), save_picture(tmp_path / "master.png")
    before = master.read_bytes()
    master.chmod(0o444)
    open_and_wait(qtbot, window, picture)
    exported(qtbot, window, ExportPlan(2.0), master)
    assert "read-only" in told[0][1]
    assert cli.main(["render", str(picture), str(master), "--scale", "2"]) == 1
    assert "read-only" in capsys.readouterr().err
    assert master.read_bytes() == before and sorted(p.name for p in tmp_path.glob("*.png")) == [
        "a.png",
        "master.png",
    ]


def test_a_fit_to_a_deep_picture_is_written_as_deep(make_window, qtbot, tmp_path):
    window = make_window(Settings(method="fit"))
    open_and_wait(qtbot, window, deep_picture(tmp_path / "a.png", False), LONG)
    window.canvas.set_view(window.canvas.view.at_scale(4.0))
    wait_until_idle(qtbot, window, lambda: window.session.document.whole is not None, LONG)
    assert "; 16 bits a channel" in exported(qtbot, window, ExportPlan(2.0), tmp_path / "f.tif")
    assert tifffile.imread(tmp_path / "f.tif").dtype == np.uint16


@pytest.mark.parametrize("method", ["kernel", "fit"])
def test_the_saved_field_of_a_deep_picture_is_written_as_deep(make_window, qtbot, tmp_path, method):
    window = make_window(Settings(method=method))
    open_and_wait(qtbot, window, deep_picture(tmp_path / "a.png", False), LONG)
    window.canvas.set_view(window.canvas.view.at_scale(4.0))
    document = window.session.document
    wait_until_idle(qtbot, window, lambda: method == "kernel" or document.whole is not None, LONG)
    window.exporter.save_field(document, str(tmp_path / "a.safetensors"))
    qtbot.waitUntil(lambda: not window.exporter.running, timeout=LONG)
    open_and_wait(qtbot, window, tmp_path / "a.safetensors")
    wait_until_idle(qtbot, window, lambda: window.session.document.picture is None)
    assert "; 16 bits a channel" in exported(qtbot, window, ExportPlan(2.0), tmp_path / "f.tif")
    assert tifffile.imread(tmp_path / "f.tif").dtype == np.uint16
    assert ("Picture", "16 bits a channel") in card_of(window.session.document).rows


def test_the_file_that_is_read_is_not_written_over(make_window, qtbot, tmp_path, monkeypatch):
    window = make_window()
    told = keep_what_is_told(window, monkeypatch)
    picture = save_picture(tmp_path / "a.png")
    before = picture.read_bytes()
    open_and_wait(qtbot, window, picture)
    exported(qtbot, window, ExportPlan(2.0), picture)
    window.menus.actions["reduced.2"].trigger()
    wait_until_idle(qtbot, window, lambda: window.session.document.factor == 2)
    exported(qtbot, window, ExportPlan(2.0), picture)
    assert [text for _, text in told] == [
        f"Cannot write {picture}: it is the file that is read. Choose another name."
    ] * 2
    assert picture.read_bytes() == before


def test_what_was_asked_for_is_written_though_another_picture_is_open_by_then(
    make_window, qtbot, tmp_path, monkeypatch
):
    window = make_window()
    first = save_picture(tmp_path / "a.png")
    open_and_wait(qtbot, window, first)
    window.menus.actions["file.export"].trigger()
    dialog = window.findChild(ExportDialog)
    open_and_wait(qtbot, window, save_picture(tmp_path / "b.png", 50, 40, 2))
    wait_until_idle(qtbot, window, lambda: window.session.document.name == "b.png")
    monkeypatch.setattr(
        "viewer.ui.dialogs.dialogs.ask_save", lambda *words: words[4](str(tmp_path / "out.png"))
    )
    dialog.buttons.button(QDialogButtonBox.StandardButton.Save).click()
    qtbot.waitUntil(lambda: not window.exporter.running, timeout=LONG)
    with Image.open(tmp_path / "out.png") as image:
        wide = image.width / 64
        assert image.size == (round(64 * wide), round(48 * wide)) and wide > 1


@pytest.mark.parametrize("scales", [(1.0, 4.0), (2.5, 2.5), (1.0, 7.3), (2.5, 4.0)])
def test_return_goes_on_at_the_scale_that_is_shown(make_window, qtbot, scales):
    of_view, before = scales
    dialog = ExportDialog(
        make_window(), (120, 128), (0.0, 0.0, 50.0, 40.0), of_view, ExportPlan(before)
    )
    plans = []
    dialog.chosen.connect(plans.append)
    dialog.show()
    qtbot.waitExposed(dialog)
    dialog.activateWindow()
    dialog.scale.setFocus()
    shown = dialog.scale.currentText()
    QTest.keyClick(dialog.scale, Qt.Key.Key_Return)
    assert dialog.scale.currentText() == shown and plans == [ExportPlan(before)]


def test_beside_the_button_that_stops_an_export_it_is_the_export_that_is_told_of(
    make_window, qtbot, tmp_path, monkeypatch
):
    """Not what a method that is looked at meanwhile is waiting for."""
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    monkeypatch.setattr("gaussian_core.rasterizer.is_warm", lambda: False)
    window.waiting.begin()
    assert "Preparing to draw" in window.status.message
    held = Held(threading.Event())
    try:
        window.exporter.begin(held)
        qtbot.waitUntil(lambda: window.status.message == "Exporting: 40 %")
        window.waiting.begin()
        assert window.status.message == "Exporting: 40 %"
    finally:
        held.may_go_on.set()
    qtbot.waitUntil(lambda: window.status.message == "Saved a.png")
    window.status.tell("")
    assert "Preparing to draw" in window.status.message
