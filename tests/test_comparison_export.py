"""Comparison figures out of the window: the same as the command `figure` writes."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialogButtonBox, QFileDialog, QLabel
from scipy.ndimage import gaussian_filter

from gaussian_core.resource_files import RESOURCES
from tests.window_helpers import (
    LONG,
    font_of,
    keep_what_is_told,
    open_and_wait,
    save_picture,
    wait_until_idle,
)
from viewer import cli
from viewer.model.exports import picture_export
from viewer.model.exports.comparison_export import ComparisonPlan, candidates, exporting, figure_of
from viewer.model.methods import OFFERED, ORIGINAL, Choice
from viewer.ui.dialogs.comparison_dialog import NO_REFERENCE, ComparisonDialog

ACTION = "file.export_comparison"


def scenery(width, height):
    noise = np.random.default_rng(5).random((height, width, 3))
    soft = gaussian_filter(noise, (1.5, 1.5, 0))
    return np.round((soft - soft.min()) / np.ptp(soft) * 255).astype(np.uint8)


@pytest.fixture
def folder(tmp_path):
    """large.png, and a quarter of it, small.png."""
    whole = Image.fromarray(scenery(240, 160))
    whole.save(tmp_path / "large.png")
    whole.resize((60, 40), Image.Resampling.BICUBIC).save(tmp_path / "small.png")
    return tmp_path


@pytest.fixture
def window(make_window, qtbot, folder):
    window = make_window()
    open_and_wait(qtbot, window, folder / "small.png")
    window.canvas.set_view(window.canvas.view.centred_on(30.0, 20.0, 24.0))
    wait_until_idle(qtbot, window)
    return window


def opened(window, qtbot):
    """The dialog, by its shortcut."""
    QTest.keyClick(window, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)  # fmt: skip
    qtbot.waitUntil(lambda: window.findChild(ComparisonDialog) is not None)
    return window.findChild(ComparisonDialog)


def row_of(dialog, text):
    titles = [dialog.methods.item(i).text() for i in range(dialog.methods.count())]
    return titles.index(text)


def ticked(dialog):
    items = [dialog.methods.item(i) for i in range(dialog.methods.count())]
    return [item.text() for item in items if item.checkState() == Qt.CheckState.Checked]


def click(dialog, text):
    """The box of a method."""
    box = dialog.methods.visualItemRect(dialog.methods.item(row_of(dialog, text)))
    QTest.mouseClick(
        dialog.methods.viewport(),
        Qt.MouseButton.LeftButton,
        pos=QPoint(box.left() + 10, box.center().y()),
    )


def save_button(dialog):
    return dialog.buttons.button(QDialogButtonBox.StandardButton.Save)


def choose_file(window, dialog, path):
    QTest.mouseClick(save_button(dialog), Qt.MouseButton.LeftButton)
    asked = window.findChild(QFileDialog)
    suggested = asked.selectedFiles()[0]
    asked.fileSelected.emit(str(path))
    asked.close()
    window.activateWindow()
    return suggested


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image)


def test_what_is_in_view_by_the_two_of_a_split_view_and_bicubic(window, qtbot, folder):
    window.menus.actions["method.lanczos"].trigger()
    window.menus.actions["field.split"].trigger()
    wait_until_idle(qtbot, window)
    dialog = opened(window, qtbot)
    assert ticked(dialog) == ["Bicubic", "Lanczos", "Kernel interpolation"]
    assert dialog.reference_label.text() == NO_REFERENCE
    click(dialog, "Bicubic")
    click(dialog, "ContinuousSR")
    QTest.keyClick(dialog.methods, Qt.Key.Key_Home)
    QTest.keyClick(dialog.methods, Qt.Key.Key_Space)
    assert ticked(dialog) == ["Nearest neighbour", "Lanczos", "Kernel interpolation", "ContinuousSR"]  # fmt: skip
    plan = dialog.plan()
    assert plan.scale == 24.0 and plan.region[2:] != (60.0, 40.0)
    size = dialog.size_label.text()
    dialog.scale.setCurrentText("450%")
    assert dialog.size_label.text() != size
    out = folder / "window.png"
    assert choose_file(window, dialog, out).endswith("small x4.5 comparison.png")
    wait_until_idle(qtbot, window, out.exists, timeout=LONG)
    assert window.status.message.startswith("Saved window.png, ")
    part = ",".join(f"{value:g}" for value in plan.region)
    command = ["figure", str(folder / "small.png"), str(folder / "command.png"), "--scale", "4.5"]
    names = "nearest,lanczos,kernel,continuoussr"
    assert cli.main([*command, "--region", part, "--methods", names]) == 0
    ours, theirs = pixels(out), pixels(folder / "command.png")
    assert np.array_equal(ours, theirs)
    width, height = (f"{side:,}" for side in ours.shape[1::-1])
    assert f"{width} × {height}" in window.status.message
    # Who exports many wants them alike, and what is shown is among them.
    again = opened(window, qtbot)
    assert ticked(again) == ["Nearest neighbour", "Lanczos", "Kernel interpolation", "ContinuousSR"]  # fmt: skip
    again.reject()


def test_the_original_that_the_picture_is_held_against_comes_last(window, qtbot, folder):
    window.reference.open(folder / "large.png")
    wait_until_idle(qtbot, window, lambda: window.session.reference is not None)
    dialog = opened(window, qtbot)
    assert dialog.reference_label.text() == "large.png, 240 × 160"
    assert ticked(dialog) == ["Bicubic", "Kernel interpolation"]
    document = window.session.document
    figure = figure_of(document, ComparisonPlan((Choice("kernel"),), 4.0, dialog.plan().region))
    done = figure.write(folder / "a.png")
    dialog.reject()
    assert [cell.title for cell in done.cells] == ["Kernel interpolation", "large.png"]
    assert "against large.png at x4" in done.footnote and done.cells[0].scores.psnr_y > 20


def test_a_reduced_copy_has_its_original_and_the_figures_of_the_plate(window, qtbot, folder):
    open_and_wait(qtbot, window, folder / "large.png")
    wait_until_idle(qtbot, window, lambda: window.session.document.name == "large.png")
    window.menus.actions["reduced.4"].trigger()
    wait_until_idle(qtbot, window, lambda: window.session.document.factor == 4)
    window.canvas.set_view(window.canvas.view.at_scale(2.0).aligned())
    wait_until_idle(qtbot, window)
    window.canvas.set_view(window.canvas.view.at_scale(4.0).aligned())
    wait_until_idle(qtbot, window, lambda: window.canvas.plates[1].endswith("dB"))
    plate = float(window.canvas.plates[1].split()[-2])
    dialog = opened(window, qtbot)
    assert dialog.reference_label.text() == "The picture itself, 240 × 160"
    plan = dialog.plan()
    dialog.reject()
    assert plan.scale == 4.0 and plan.region == (0.0, 0.0, 60.0, 40.0)
    done = figure_of(window.session.document, plan).write(folder / "a.png")
    assert done.cells[-1].title == "Original"
    kernel = next(cell for cell in done.cells if cell.title == "Kernel interpolation")
    assert kernel.scores.psnr_y == pytest.approx(plate, abs=0.011)


def test_escape_stops_it_and_nothing_is_left(window, qtbot, folder):
    dialog = opened(window, qtbot)
    click(dialog, "LIIF (slow)")
    dialog.scale.setCurrentText("40x")
    before = sorted(folder.iterdir())
    choose_file(window, dialog, folder / "slow.png")
    assert window.exporter.running and not window.menus.actions[ACTION].isEnabled()
    qtbot.waitUntil(lambda: "Exporting the comparison" in window.status.message)
    QTest.keyClick(window, Qt.Key.Key_Escape)
    wait_until_idle(qtbot, window, timeout=LONG)
    assert "was stopped; no file was written" in window.status.message
    assert sorted(folder.iterdir()) == before
    assert window.menus.actions[ACTION].isEnabled()


def test_what_makes_no_figure_is_said_and_cannot_be_chosen(window, qtbot):
    dialog = opened(window, qtbot)
    click(dialog, "Bicubic")
    click(dialog, "Kernel interpolation")
    assert ticked(dialog) == [] and dialog.size_label.text() == "Tick a method"
    assert not save_button(dialog).isEnabled()
    click(dialog, "LIIF (slow)")
    assert save_button(dialog).isEnabled()
    for scale, said in (("many", "Type a scale"), ("900x", "megapixels")):
        dialog.scale.setCurrentText(scale)
        assert said in dialog.size_label.text() and not save_button(dialog).isEnabled()
    dialog.scale.setCurrentText("50%")
    assert save_button(dialog).isEnabled()
    assert dialog.note_label.text() == "Below x1 the antialiased picture stands for LIIF"
    dialog.scale.setCurrentText("2x")
    assert not dialog.note_label.isVisible()
    dialog.reject()


@pytest.mark.parametrize(
    ("scale", "points"), [("400%", 9), ("30%", 9), ("900x", 9), ("much", 9), ("30%", 15)]
)
def test_nothing_of_the_dialog_is_cut_off_or_covered(window, qtbot, qapp, scale, points):
    with font_of(qapp, points):
        _look_for_what_is_cut(opened(window, qtbot), scale)


def test_a_long_name_leaves_the_dialog_as_it_is(window, qtbot, folder):
    usual = opened(window, qtbot)
    width = usual.width()
    usual.reject()
    qtbot.waitUntil(lambda: window.findChild(ComparisonDialog) is None)
    window.activateWindow()
    name = f"scanned_{'in_the_summer_' * 12}at_the_sea.png"
    (folder / "large.png").rename(folder / name)
    window.reference.open(folder / name)
    wait_until_idle(qtbot, window, lambda: window.session.reference is not None)
    dialog = opened(window, qtbot)
    assert dialog.width() == width
    label = dialog.reference_label
    assert label.text().startswith("scanned_in") and label.text().endswith("240 × 160")
    assert name in label.toolTip() and name in label.accessibleName()
    _look_for_what_is_cut(dialog, "400%")


def _look_for_what_is_cut(dialog, scale):
    for method in ("LIIF (slow)", "GaussianSR (slow)"):
        click(dialog, method)
    for text in (scale, "200%", scale):
        dialog.scale.setCurrentText(text)
        QTest.qWait(0)
        shown = [label for label in dialog.findChildren(QLabel) if label.isVisible()]
        for label in shown:
            assert label.height() >= label.heightForWidth(label.width()) or not label.wordWrap()
            assert label.width() >= label.sizeHint().width() or label.wordWrap()
        parts = [*shown, dialog.scale, dialog.methods, dialog.buttons]
        for i, part in enumerate(parts):
            assert dialog.rect().contains(part.geometry())
            assert not any(part.geometry().intersects(other.geometry()) for other in parts[:i])
    assert not dialog.methods.verticalScrollBar().isVisible()
    last = dialog.methods.visualItemRect(dialog.methods.item(dialog.methods.count() - 1))
    assert dialog.methods.viewport().rect().contains(last)
    dialog.reject()


def test_a_field_file_has_no_methods_to_compare(window, qtbot, folder):
    assert window.menus.actions[ACTION].isEnabled()
    window.exporter.save_field(window.session.document, str(folder / "a.safetensors"))
    wait_until_idle(qtbot, window)
    open_and_wait(qtbot, window, folder / "a.safetensors")
    wait_until_idle(qtbot, window, lambda: window.session.document.picture is None)
    assert not window.menus.actions[ACTION].isEnabled()
    window.session.close_document()
    assert not window.menus.actions[ACTION].isEnabled()


def test_another_picture_that_was_opened_meanwhile_is_not_cut_wrongly(
    window, qtbot, folder, monkeypatch
):
    told = keep_what_is_told(window, monkeypatch)
    plan = ComparisonPlan((Choice("nearest"),), 2.0, (50.0, 30.0, 10.0, 10.0))
    open_and_wait(qtbot, window, save_picture(folder / "tiny.png", 20, 16))
    wait_until_idle(qtbot, window, lambda: window.session.document.name == "tiny.png")
    window.figures.write(window.session.document, plan, str(folder / "a.png"))
    assert "does not lie inside" in told[0][1] and not window.exporter.running
    assert not (folder / "a.png").exists()


def test_all_methods_are_there_in_the_order_of_lists_and_what_is_shown_besides():
    base, file = Choice(shipped="base"), Choice(weights=RESOURCES / "liif-light.safetensors")
    found = candidates([file, base, Choice("kernel"), Choice(ORIGINAL.name)], "light")
    assert len(found) == len(OFFERED) + 2 and found[-1] == file
    names = [choice.title for choice in found]
    assert names[:5] == [
        "Nearest neighbour",
        "Bilinear",
        "Bicubic",
        "Lanczos",
        "Kernel interpolation",
    ]
    learned = names.index("ContinuousSR light")
    assert sorted(names[learned : learned + 2]) == ["ContinuousSR base", "ContinuousSR light"]
    assert candidates([Choice(shipped="light")], "light") == candidates([], "light")


def test_weights_of_a_file_and_two_of_one_method_are_drawn_by_their_own(window, folder):
    file = Choice(weights=RESOURCES / "liif-light.safetensors")
    choices = (Choice(shipped="light"), Choice(shipped="jpeg"), Choice("liif"), file)
    plan = ComparisonPlan(choices, 3.0, (10.0, 10.0, 20.0, 15.0))
    job = exporting(window.session.document, plan, str(folder / "a.png"))
    assert job.needs_torch and "Saved a.png" in job.run(lambda *_: None, lambda: False)
    cells = [pixels(folder / "a.png")[y0:y1, x0:x1] for x0, y0, x1, y1 in job.figure.layout.crops]
    assert not np.array_equal(cells[0], cells[1])
    assert np.array_equal(cells[2], cells[3])


def test_fields_are_seen_by_the_footprint_that_is_chosen(window, folder):
    drawn = []
    for sigma in (0.9, None):
        window.session.set_footprint(sigma)
        document, region = window.session.document, (10.0, 10.0, 20.0, 15.0)
        job = exporting(
            document, ComparisonPlan((Choice("kernel"),), 4.0, region), str(folder / "a.png")
        )
        job.run(lambda *_: None, lambda: False)
        ((x0, y0, x1, y1),) = job.figure.layout.crops
        drawn.append(pixels(folder / "a.png")[y0:y1, x0:x1])
        whole = picture_export.exporting(
            document, picture_export.ExportPlan(4.0, region), str(folder / "b.png")
        )
        whole.run(lambda *_: None, lambda: False)
        assert np.array_equal(drawn[-1], pixels(folder / "b.png"))
    assert not np.array_equal(*drawn)


def test_what_is_fitted_already_is_not_fitted_again(window, qtbot, folder):
    window.canvas.set_view(window.canvas.view.at_scale(4.0))
    window.menus.actions["method.fit"].trigger()
    fits = window.session.document.fits
    qtbot.waitUntil(lambda: "fit" in fits and fits["fit"].field is not None, timeout=LONG)
    # On a busy machine there is a field before it is known how good that is.
    qtbot.waitUntil(lambda: fits["fit"].state != "starting", timeout=LONG)
    document = window.session.document
    plan = ComparisonPlan((Choice("fit"),), 3.0, (10.0, 10.0, 20.0, 15.0))
    entry = figure_of(document, plan).entries[0]
    assert entry.made is not None and entry.title.startswith("Fit to this picture")
    assert entry.title.endswith("%") == document.fits["fit"].unfinished
    assert figure_of(document, plan).write(folder / "a.png").cells[0].box
    window.menus.actions["method.kernel"].trigger()
    wait_until_idle(qtbot, window)
