"""Holding a key shows the same view by the method that was chosen before; the shipped weights are a choice, too."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.canvas_helpers import pixels
from tests.shipped_copies import ship_copies
from tests.window_helpers import (
    LONG,
    keep_what_is_told,
    open_and_wait,
    save_picture,
    wait_until_idle,
)
from viewer.model.frames.frame_renderer import render_frame
from viewer.model.settings import Settings


@pytest.fixture
def base_weights(tmp_path, monkeypatch):
    """Weights shipped under the name "base": the same network with its colours a little apart."""
    pytest.importorskip("torch")
    folder = ship_copies(tmp_path, monkeypatch, {"light": 0.0, "base": 0.2})
    return folder / "continuoussr-base.safetensors"


def press(window, down=True, repeat=False):
    kind = QEvent.Type.KeyPress if down else QEvent.Type.KeyRelease
    event = QKeyEvent(kind, Qt.Key.Key_X, Qt.KeyboardModifier.NoModifier, "x", repeat)
    QApplication.sendEvent(window.canvas, event)


def shown(window):
    return pixels(window.canvas.grab_frame())


def test_holding_x_shows_the_method_before_and_letting_go_the_present_one(
    make_window, qtbot, tmp_path
):
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    window.canvas.set_view(window.canvas.view.set_scale(8.0))
    window.menus.actions["method.nearest"].trigger()
    assert "Hold X to see Kernel interpolation" in window.status.message
    wait_until_idle(qtbot, window)
    view, nearest = window.canvas.view, shown(window)
    kernel_tiles = window.session._compared.shelf.before.plan.tiles

    press(window)
    wait_until_idle(qtbot, window)
    assert window.canvas.view == view
    assert window.status.method.text == "Kernel interpolation"
    assert window.status.message == "Kernel interpolation, while X is held"
    scene = window.canvas.scene
    assert all(scene.tiles[key] is tile for key, tile in kernel_tiles.items()), "nothing is rebuilt"
    kernel = shown(window)
    wanted = render_frame(scene, view).bgrx[..., 2::-1]
    assert np.array_equal(kernel, wanted)
    assert not np.array_equal(kernel, nearest)
    for down in (False, True):
        press(window, down, repeat=True)  # a held key repeats
    assert window.session.comparing

    press(window, down=False)
    wait_until_idle(qtbot, window)
    assert np.array_equal(shown(window), nearest)
    assert window.status.method.text == "Nearest neighbour"
    assert window.status.message == ""
    assert window.settings.method == "nearest", "the choice is not touched"
    assert window.menus.actions["method.nearest"].isChecked()


def test_under_x11_a_held_key_is_held_also_where_its_repetitions_look_like_presses_of_their_own(
    make_window, qtbot, tmp_path, monkeypatch
):
    monkeypatch.setattr("PySide6.QtGui.QGuiApplication.platformName", lambda: "xcb")
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    window.menus.actions["method.nearest"].trigger()
    wait_until_idle(qtbot, window)
    ended = []
    window.session.compare_ended.connect(lambda: ended.append(True))
    press(window)
    for _ in range(5):
        for down in (False, True):
            press(window, down)
        assert window.session.comparing and not ended
    press(window, down=False)
    qtbot.waitUntil(lambda: bool(ended))
    assert window.session.document.method == "nearest"
    press(window)
    assert window.session.comparing, "pressed anew"


def test_marks_and_other_settings_can_be_switched_while_x_is_held(make_window, qtbot, tmp_path):
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    window.menus.actions["method.nearest"].trigger()
    wait_until_idle(qtbot, window)
    press(window)
    for action in ("overlay.centres", "view.minimap", "method.nearest"):
        window.menus.actions[action].trigger()
        assert window.session.comparing
        assert window.session.document.method == "kernel"
    press(window, down=False)
    assert window.session.document.method == "nearest"
    press(window)
    window.menus.actions["method.lanczos"].trigger()  # another one ends it
    assert not window.session.comparing
    assert window.session.document.method == "lanczos"
    press(window, down=False)
    assert window.session.document.method == "lanczos"


def test_while_kernels_are_prepared_no_method_is_said_to_be_seen(
    make_window, qtbot, tmp_path, monkeypatch
):
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    window.canvas.set_view(window.canvas.view.set_scale(8.0))
    wait_until_idle(qtbot, window)
    monkeypatch.setattr("gaussian_core.rasterizer.is_warm", lambda: False)
    window.waiting.begin()
    press(window)
    wait_until_idle(qtbot, window)
    assert "Preparing to draw" in window.status.message
    window.warm_up.ready.emit()
    assert window.status.message == "Bicubic, while X is held"
    press(window, down=False)
    assert window.status.message == ""


def test_with_no_method_before_bicubic_is_compared_and_bicubic_with_the_learned_field(
    make_window, qtbot, tmp_path
):
    window = make_window()
    press(window)
    press(window, down=False)
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    press(window)
    wait_until_idle(qtbot, window)
    assert window.status.method.text == "Bicubic"
    press(window, down=False)
    wait_until_idle(qtbot, window)
    assert window.status.method.text == "Kernel interpolation"
    assert window.session.compared.method == "bicubic"
    other = make_window(Settings(method="bicubic"))
    open_and_wait(qtbot, other, save_picture(tmp_path / "a.png"))
    assert other.session.compared.method == "continuoussr"


def test_a_comparison_ends_with_the_windows_focus_and_with_another_choice(
    make_window, qtbot, tmp_path
):
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    press(window)
    QApplication.sendEvent(window, QEvent(QEvent.Type.ActivationChange))
    if not window.isActiveWindow():
        assert not window.session.comparing
    press(window)
    window.menus.actions["method.lanczos"].trigger()
    press(window, down=False)
    wait_until_idle(qtbot, window)
    assert window.session.document.method == "lanczos"
    press(window)
    open_and_wait(qtbot, window, save_picture(tmp_path / "b.png", seed=2))
    qtbot.waitUntil(lambda: window.session.document.name == "b.png")
    press(window, down=False)
    wait_until_idle(qtbot, window)
    assert window.session.document.method == "lanczos"


def test_x_is_a_letter_in_the_zoom_field(make_window, qtbot, tmp_path):
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    window.status.zoom.begin_typing()
    field = QApplication.focusWidget() or window.status.zoom
    QTest.keyClicks(field, "4x")
    assert not window.session.comparing
    QTest.keyClick(field, Qt.Key.Key_Return)
    wait_until_idle(qtbot, window)
    assert window.canvas.view.scale == pytest.approx(4.0)


def test_one_set_of_weights_is_no_choice(make_window):
    from gaussian_core.models.config import shipped_weights

    window = make_window()
    menu = window.menus.menu("Fiel&d", "Wei&ghts").menuAction()
    assert menu.isVisible() == (len(shipped_weights()) > 1)


def test_the_shipped_weights_are_chosen_in_the_menu_kept_and_compared(
    make_window, qtbot, tmp_path, base_weights
):
    from viewer.model.documents.field_card import card_of

    window = make_window(Settings())
    assert window.menus.menu("Fiel&d", "Wei&ghts").menuAction().isVisible()
    assert window.menus.actions["shipped.auto"].isChecked()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png", 200, 150))
    window.canvas.set_view(window.canvas.view.set_scale(8.0))
    wait_until_idle(qtbot, window)
    light = shown(window)
    assert window.status.method.text == "ContinuousSR light"
    window.menus.actions["shipped.base"].trigger()
    wait_until_idle(qtbot, window, lambda: "base" in window.status.method.text)
    assert not np.array_equal(shown(window), light)
    assert dict(card_of(window.session.document).rows)["Weights"].startswith("base, ")
    assert window.settings.weights == "base"
    press(window)
    wait_until_idle(qtbot, window)
    assert np.array_equal(shown(window), light)
    assert window.status.method.text == "ContinuousSR light"
    press(window, down=False)
    wait_until_idle(qtbot, window)
    QTest.keyClick(window.canvas, Qt.Key.Key_S)
    wait_until_idle(qtbot, window)
    assert window.canvas._panes.names == ("ContinuousSR light", "ContinuousSR base")
    window.close()  # settings are written at the latest then

    again = make_window()
    assert again.menus.actions["shipped.base"].isChecked()
    open_and_wait(qtbot, again, save_picture(tmp_path / "a.png", 200, 150))
    assert again.status.method.text == "ContinuousSR base"
    tile = next(iter(again.session.document.scene.tiles.values()))
    assert tile.metadata["weights"] == "base"


def test_weights_that_were_chosen_and_are_not_there_are_said(
    make_window, qtbot, tmp_path, monkeypatch
):
    pytest.importorskip("torch")
    from gaussian_core.models import config

    window = make_window(Settings(weights="base"))
    monkeypatch.setattr(config, "RESOURCES", tmp_path)
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    assert "continuoussr-base.safetensors" in window.status.message
    assert window.status.method.text == "Kernel interpolation"


def test_the_weights_of_a_device(base_weights):
    from gaussian_core.models.config import default_weights, named_weights, shipped_weights

    assert shipped_weights() == ("light", "base")
    assert (default_weights("cpu"), default_weights("cuda")) == ("light", "base")
    assert named_weights("base") == base_weights
    assert named_weights("./base").name == "base" and named_weights("./base") != base_weights
    base_weights.unlink()
    assert default_weights("cuda") == "light"


@pytest.mark.parametrize("name", ["liif", "fit"])
def test_a_method_that_is_slow_to_begin_says_so_until_it_shows_something(
    make_window, qtbot, tmp_path, monkeypatch, name
):
    pytest.importorskip("torch")
    from viewer.model.frames.lazy_drawing import LazyDrawing

    begin = threading.Event()
    opened = LazyDrawing._opened

    def slowly(self, stop):
        begin.wait(20.0)
        return opened(self, stop)

    monkeypatch.setattr(LazyDrawing, "_opened", slowly)
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png", 24, 16))
    action = window.menus.actions[f"method.{name}"]
    title = action.text().replace("&", "")
    window.canvas.set_view(window.canvas.view.set_scale(0.9))
    action.trigger()
    assert "reads the picture" not in window.status.message, "below 100 % the picture is shown"
    window.canvas.set_view(window.canvas.view.set_scale(8.0))
    window.status.tell("")
    assert window.status.message.lower() == f"{title} reads the picture…".lower()
    press(window)
    press(window, down=False)
    assert window.status.message.lower() == f"{title} reads the picture…".lower()
    begin.set()
    wait_until_idle(qtbot, window, lambda: not window.waiting.undrawn, LONG)
    assert window.status.message == ""
    window.menus.actions["field.card"].trigger()
    assert window.side_windows.card.isVisible()


def test_what_is_to_be_known_of_a_picture_is_said_once(make_window, qtbot, tmp_path):
    frames = [Image.new("RGB", (48, 32), (80 * n, 0, 0)) for n in (1, 2, 3)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    window = make_window()
    open_and_wait(qtbot, window, tmp_path / "a.gif")
    assert "first of 3 frames" in window.status.message
    window.status.tell("")
    press(window)
    wait_until_idle(qtbot, window)
    press(window, down=False)
    wait_until_idle(qtbot, window)
    assert window.status.message == ""


def test_a_method_that_cannot_begin_is_waited_for_no_longer(
    make_window, qtbot, tmp_path, monkeypatch
):
    pytest.importorskip("torch")
    from gaussian_core.errors import WeightsError
    from viewer.model.frames.lazy_drawing import LazyDrawing

    def fail(self, stop):
        raise WeightsError("Its weights are damaged.")

    monkeypatch.setattr(LazyDrawing, "_opened", fail)
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png", 24, 16))
    window.canvas.set_view(window.canvas.view.set_scale(8.0))
    window.menus.actions["method.liif"].trigger()
    said = "This view could not be rendered: Its weights are damaged."
    qtbot.waitUntil(lambda: window.status.message == said)
    window.status.tell("")
    assert window.status.message == "", "nothing is waited for"
    assert window.status.method.text == "LIIF"


def test_a_view_that_cannot_be_drawn_is_said_until_another_is_seen(
    make_window, qtbot, tmp_path, monkeypatch
):
    from viewer.model.frames.lazy_drawing import LazyDrawing

    def fail(self, stop):
        raise ValueError("A fit takes smaller pictures.")

    monkeypatch.setattr(LazyDrawing, "_opened", fail)
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png", 24, 16))
    window.canvas.set_view(window.canvas.view.set_scale(8.0))
    wait_until_idle(qtbot, window)
    window.menus.actions["method.fit"].trigger()
    qtbot.waitUntil(lambda: "A fit takes" in window.status.message)
    assert window.status._timer.remainingTime() > 60_000, "longer than it takes to be read"
    window.menus.actions["method.kernel"].trigger()
    wait_until_idle(qtbot, window)
    assert "A fit takes" not in window.status.message


def test_kernels_that_cannot_be_compiled_are_waited_for_no_longer(make_window, monkeypatch):
    window = make_window()
    told = keep_what_is_told(window, monkeypatch)
    monkeypatch.setattr("gaussian_core.rasterizer.is_warm", lambda: False)
    window.waiting.begin()
    assert "Preparing to draw" in window.status.message
    window.warm_up.failed.emit("The kernels could not be prepared: no compiler.")
    assert told == [("Nothing can be drawn", "The kernels could not be prepared: no compiler.")]
    assert window.status.message == ""


def test_what_is_compared_is_named_when_it_is_seen(make_window, qtbot, tmp_path, monkeypatch):
    """A field that is still to be built leaves on screen what was there, and its name."""
    pytest.importorskip("torch")
    window = make_window(Settings(method="bicubic"))
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png", 300, 200))
    window.canvas.set_view(window.canvas.view.set_scale(8.0))
    wait_until_idle(qtbot, window)
    press(window)
    assert window.status.message.startswith("Building the field: 0 of ")
    assert window.status.method.text == "Bicubic"
    name = "ContinuousSR light"
    qtbot.waitUntil(lambda: window.status.message == f"{name}, while X is held", timeout=LONG)
    assert window.status.method.text == name
    press(window, down=False)
    wait_until_idle(qtbot, window)
    assert window.status.method.text == "Bicubic"


def test_the_command_line_knows_the_weights_by_name(tmp_path, base_weights):
    import argparse

    from gaussian_core.evaluation import command as evaluation
    from gaussian_core.field import GaussianField
    from viewer.cli import main

    photo = save_picture(tmp_path / "a.png", 24, 20)
    made = {}
    for name in ("light", "base"):
        out = tmp_path / f"{name}.safetensors"
        assert main(["build", str(photo), str(out), "--weights", name]) == 0
        made[name] = GaussianField.open(out)
        assert made[name].metadata["weights"] == name
    assert not np.allclose(made["light"].amplitudes, made["base"].amplitudes)
    drawn = tmp_path / "drawn.png"
    assert main(["render", str(photo), str(drawn), "--scale", "2", "--weights", "base"]) == 0
    parser = argparse.ArgumentParser()
    evaluation.add_arguments(parser)
    assert parser.parse_args(["folder", "--weights", "base"]).weights == [base_weights]
    base_weights.unlink()
    assert main(["render", str(photo), str(drawn), "--scale", "2", "--weights", "base"]) == 1


def test_the_method_before_keeps_little_out_of_view(make_window, qtbot, tmp_path, monkeypatch):
    from viewer.model.documents import shelf

    monkeypatch.setattr(shelf, "SHELVED_BYTES", 1)
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png", 1100, 600))
    document = window.session.document
    assert document.built == document.total == 6
    window.canvas.set_view(window.canvas.view.centred_on(100, 100, 8.0))
    wait_until_idle(qtbot, window)
    window.menus.actions["method.nearest"].trigger()
    assert 1 <= document.built < 6
    window.menus.actions["method.kernel"].trigger()
    assert window.session.document is document
    wait_until_idle(qtbot, window, lambda: document.built == 6)
    assert len(window.canvas.scene.tiles) == 6


def test_what_a_slow_method_has_drawn_is_there_at_once_after_a_look_at_another(
    make_window, qtbot, tmp_path
):
    pytest.importorskip("torch")
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png", 60, 40))
    canvas = window.canvas
    canvas.set_view(canvas.view.at_scale(4.0))
    window.menus.actions["method.liif"].trigger()
    wait_until_idle(qtbot, window, lambda: not window.waiting.undrawn, LONG)
    drawn = shown(window)
    press(window)
    wait_until_idle(qtbot, window)
    assert not np.array_equal(shown(window), drawn)
    frames = []
    canvas.frame_shown.connect(frames.append)
    press(window, down=False)
    wait_until_idle(qtbot, window)
    assert [frame.level for frame in frames] == [1], "no coarse one first"
    assert np.array_equal(shown(window), drawn)
    # On the other side of a split view, too.
    beside = []
    canvas.beside_shown.connect(beside.append)
    window.menus.actions["method.kernel"].trigger()
    QTest.keyClick(canvas, Qt.Key.Key_S)
    wait_until_idle(qtbot, window)
    assert [frame.level for frame in beside] == [1]
    column = canvas.view.size[0] // 2 - canvas.view.picture_rect[0]
    assert np.array_equal(shown(window)[:, :column], drawn[:, :column])
    # Another view is drawn anew.
    canvas.set_view(canvas.view.at_scale(4.5))
    wait_until_idle(qtbot, window, timeout=LONG)
    assert len(beside) > 1 and beside[1].level > 1
