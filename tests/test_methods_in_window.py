"""The learned field is what opens; another method can be chosen, and takes over where the learned one cannot work."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

pytest.importorskip("torch")

from PySide6.QtWidgets import QProgressBar

from gaussian_core.methods import METHODS, open_drawing
from gaussian_core.models import weights
from tests.canvas_helpers import pixels
from tests.threads import left_running
from tests.window_helpers import (
    LONG,
    keep_what_is_told,
    open_and_wait,
    save_picture,
    wait_until_idle,
)
from viewer.model.documents.document import Document
from viewer.model.frames.frame_renderer import picture_viewport
from viewer.model.settings import Settings


def _tiles(window):
    return list(window.session.document.scene.tiles.values())


def _methods(window):
    return {tile.metadata["method"] for tile in _tiles(window)}


def test_the_learned_field_opens_by_default(make_window, qtbot, tmp_path):
    window = make_window(Settings())
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png", 300, 270))
    assert _methods(window) == {"continuoussr"}
    assert len(_tiles(window)) == 9  # small ones, so that those in view are there soon
    assert window.status.method.text == "ContinuousSR light"
    assert window.menus.actions["method.continuoussr"].isChecked()


def test_switching_keeps_the_view_and_is_remembered(make_window, qtbot, tmp_path):
    window = make_window(Settings())
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    window.canvas.zoom_to(8.0)
    wait_until_idle(qtbot, window)
    view, count = window.canvas.view, len(_tiles(window)[0])
    learned = window.canvas.grab_frame()
    window.menus.actions["method.kernel"].trigger()
    wait_until_idle(qtbot, window, lambda: _methods(window) == {"kernel"})
    assert window.canvas.view == view
    assert len(_tiles(window)[0]) < count
    assert window.status.method.text == "Kernel interpolation"
    assert window.canvas.grab_frame() != learned
    window.menus.actions["method.continuoussr"].trigger()
    wait_until_idle(qtbot, window, lambda: _methods(window) == {"continuoussr"})
    assert window.canvas.grab_frame() == learned
    window.menus.actions["method.kernel"].trigger()
    window.close()
    again = make_window()
    assert again.settings.method == "kernel"
    assert again.menus.actions["method.kernel"].isChecked()


def test_the_old_field_stays_until_the_new_one_begins(make_window, qtbot, tmp_path):
    window = make_window(Settings(centres=True))
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png", 200, 150))
    window.canvas.zoom_to(8.0)
    wait_until_idle(qtbot, window)
    overlays, old = window.canvas.overlays, window.canvas.scene
    shown = []
    window.session.scene_shown.connect(lambda: shown.append(window.canvas.scene))
    window.menus.actions["method.kernel"].trigger()
    assert window.canvas.scene is old
    assert window.status.method.text == "ContinuousSR light"  # which is what is on screen
    wait_until_idle(qtbot, window, lambda: _methods(window) == {"kernel"})
    assert shown
    assert all(scene.tiles and scene.method == "kernel" for scene in shown)
    assert window.canvas.overlays == overlays
    assert window.session.document.name == "a.png"


def test_what_one_waits_for_is_counted(make_window, qtbot, tmp_path):
    window = make_window(Settings())
    said = []
    window.session.build_progress.connect(lambda *_: said.append(window.status.message))
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png", 900, 700))
    counts = [re.fullmatch(r"Building the field: (\d+) of 48 tiles", text) for text in said]
    numbers = [int(match[1]) for match in counts if match]
    assert numbers[0] == 0
    assert numbers == sorted(numbers)
    assert len(set(numbers)) > 2
    assert not window.status.busy


def test_how_far_the_building_is_stays_on_screen_when_something_else_ends(
    make_window, qtbot, tmp_path, monkeypatch
):
    go_on, build_next = threading.Event(), Document.build_next

    def slowly(self, stop=None):
        time.sleep(0.1)  # each tile is told of: see REPORT_SECONDS
        if self.built >= 2:
            go_on.wait(LONG / 1000)
        return build_next(self, stop)

    monkeypatch.setattr(Document, "build_next", slowly)
    window = make_window(Settings(method="kernel"))
    window.open(save_picture(tmp_path / "a.png", 1100, 1100))
    said = "Building the field: 2 of 9 tiles"
    qtbot.waitUntil(lambda: window.status.message == said, timeout=LONG)
    bar = window.findChild(QProgressBar)
    for ended in (window.exporter.ended, window.session.read_ended, window.session.opening_ended):
        ended.emit()
        assert window.status.message == said
        assert (bar.value(), bar.maximum()) == (2, 9)
    go_on.set()
    wait_until_idle(qtbot, window)


def test_a_build_that_failed_is_tried_again_when_it_is_asked_for_and_not_before(
    make_window, qtbot, tmp_path, monkeypatch
):
    def fail(self, stop=None):
        raise RuntimeError("no luck")

    monkeypatch.setattr(Document, "build_next", fail)
    window = make_window(Settings(method="kernel"))
    told = keep_what_is_told(window, monkeypatch)
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    qtbot.waitUntil(lambda: len(told) == 1)
    window.menus.actions["overlay.centres"].trigger()
    wait_until_idle(qtbot, window)
    assert len(told) == 1 and not window.status.busy
    window.menus.actions["field.build"].trigger()
    qtbot.waitUntil(lambda: len(told) == 2)
    assert "no luck" in told[1][1]


def test_a_method_that_is_chosen_while_the_next_picture_is_seen_builds_nothing_of_the_last(
    make_window, qtbot, tmp_path, monkeypatch
):
    window = make_window(Settings(method="bicubic"))
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    go_on = threading.Event()
    monkeypatch.setattr(Document, "open", lambda *_, **__: go_on.wait(LONG / 1000))
    window.open(save_picture(tmp_path / "b.jpg", 300, 200))
    qtbot.waitUntil(lambda: window.session.covered, timeout=LONG)
    for name in ("method.kernel", "field.build"):
        window.menus.actions[name].trigger()
        assert not window.session.building
    window.session.cancel_opening()
    go_on.set()
    wait_until_idle(qtbot, window)
    assert window.session.document.name == "a.png" and _methods(window) == {"kernel"}


def test_after_a_switch_only_what_is_in_view_is_counted(make_window, qtbot, tmp_path):
    window = make_window(Settings(method="kernel", animate=False))
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png", 900, 700))
    window.canvas.zoom_to(16.0)
    wait_until_idle(qtbot, window)
    window.menus.actions["method.continuoussr"].trigger()
    match = re.fullmatch(r"Building the field: 0 of (\d+) tiles", window.status.message)
    assert match
    assert int(match[1]) < 9
    window.session.stop_building()


FIRST_FRAME = """
import sys, threading
from pathlib import Path

importers = []

class Watch:
    def find_spec(self, name, *_):
        if name == "torch":
            importers.append(threading.current_thread().name)

sys.meta_path.insert(0, Watch())

from gaussian_core.models import devices
devices.is_cpu = lambda device: sys.argv[3] != "torch"

from PySide6.QtWidgets import QApplication
from viewer.model.settings import SettingsFile
from viewer.ui.main_window import MainWindow
from viewer.ui.theme import Theme

app = QApplication([])
window = MainWindow(Theme(app), SettingsFile(Path(sys.argv[2])))
window.resize(600, 400)
frames = []
worker = window.canvas._pane.worker
post = worker._post

def watch(frame):  # on the thread that renders: before the window can do anything about the frame
    frames.append(list(importers))
    post(frame)

worker._post = watch
window.session.build_ended.connect(app.quit)
window.open(sys.argv[1])
window.show()
app.exec()
tiles = window.session.document.scene.tiles.values()
assert {tile.metadata["method"] for tile in tiles} == {"continuoussr"}
assert frames[0] == [], frames
assert set(importers) == ({"tiles"} if sys.argv[3] == "torch" else set()), importers
window.close()
"""


@pytest.mark.parametrize("by", ["torch", "the kernels"])
def test_torch_comes_after_the_first_frame_and_not_on_the_windows_thread(tmp_path, by):
    """Where there may be a GPU; where there is none, it does not come at all."""
    path = save_picture(tmp_path / "a.png", 200, 150)
    done = subprocess.run(
        [sys.executable, "-c", FIRST_FRAME, path, tmp_path / "settings.json", by],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr


def test_a_view_that_moves_before_the_build_is_not_lost(make_window, qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr("viewer.model.torch_import.is_loaded", lambda: False)
    monkeypatch.setattr("gaussian_core.models.devices.is_cpu", lambda device: False)
    window = make_window(Settings(animate=False))
    session = window.session
    window.canvas.frame_shown.disconnect(session._builder._frame_shown)
    window.open(save_picture(tmp_path / "a.png", 900, 700))
    qtbot.waitUntil(lambda: session.building and window.canvas.is_idle(), timeout=LONG)
    window.canvas.zoom_to(16.0)
    assert session.document.built == 0
    assert session.document.in_view[1] < 9
    session._builder._begin()
    qtbot.waitUntil(lambda: session.document.in_view[0] > 0, timeout=LONG)
    assert session.document.built < session.document.total
    session.stop_building()


def _missing(path):
    pass


def _truncated(path):
    path.write_bytes(weights.weights_path().read_bytes()[:5000])


def _other_kind(path):
    import numpy as np
    from safetensors.numpy import save_file

    save_file({"a": np.zeros(3, np.float32)}, path)


@pytest.mark.parametrize("spoil", [_missing, _truncated, _other_kind])
def test_without_usable_weights_kernel_interpolation_is_shown_and_said(
    make_window, qtbot, tmp_path, monkeypatch, spoil
):
    path = tmp_path / "continuoussr-light.safetensors"
    spoil(path)
    monkeypatch.setattr("gaussian_core.models.tile_builder.weights_path", lambda *_: path)
    window = make_window(Settings())
    said = []
    window.session.fell_back.connect(said.append)
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png", 300, 270))
    assert _methods(window) == {"kernel"}
    assert window.session.document.complete
    assert window.status.method.text == "Kernel interpolation"
    assert len(said) == 1
    assert path.name in said[0]
    assert said[0].endswith("Kernel interpolation is shown instead.")
    assert said[0] in window.status.message
    # The choice stands: the next picture is tried again, and other settings do not bring the failure back.
    assert window.settings.method == "continuoussr"
    window.change(centres=True)
    wait_until_idle(qtbot, window)
    assert len(said) == 1
    # Chosen once more it is tried once more.
    window.menus.actions["method.continuoussr"].trigger()
    wait_until_idle(qtbot, window, lambda: len(said) == 2)
    assert _methods(window) == {"kernel"}
    monkeypatch.undo()
    window.menus.actions["method.continuoussr"].trigger()
    wait_until_idle(qtbot, window, lambda: _methods(window) == {"continuoussr"})
    assert len(said) == 2


def test_without_a_device_kernel_interpolation_is_shown_and_said(
    make_window, qtbot, tmp_path, monkeypatch, caplog
):
    from gaussian_core.errors import DeviceError

    def none(path, device):
        raise DeviceError("The device is gone.")

    monkeypatch.setattr("gaussian_core.models.tile_builder.open_network", none)
    window = make_window(Settings())
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    assert _methods(window) == {"kernel"}
    assert "The device is gone." in window.status.message
    assert "The device is gone." in caplog.text
    assert window.status.method.text == "Kernel interpolation"
    assert window.settings.method == "continuoussr"


def test_on_the_processor_the_learned_field_is_made_without_torch(tmp_path, monkeypatch):
    for module in ("devices", "tile_builder"):
        monkeypatch.setattr(f"gaussian_core.models.{module}.is_cpu", lambda device: True)
    monkeypatch.setitem(sys.modules, "torch", None)
    document = Document.open(save_picture(tmp_path / "a.png"))
    assert not document.needs_torch
    while document.build_next():
        pass
    document.take_tiles()
    assert document.method == "continuoussr"
    assert document.complete and not document.fallback


def test_without_torch_where_it_is_needed_the_field_is_made_all_the_same(tmp_path, monkeypatch):
    for module in ("devices", "tile_builder"):
        monkeypatch.setattr(f"gaussian_core.models.{module}.is_cpu", lambda device: False)
    monkeypatch.setitem(sys.modules, "torch", None)
    document = Document.open(save_picture(tmp_path / "a.png"))
    while document.build_next():
        pass
    document.take_tiles()
    assert document.method == "kernel"
    assert document.complete
    assert document.fallback.startswith("This method needs torch")


def test_a_failure_midway_drops_the_tiles_of_the_failed_method(tmp_path):
    """One picture is never shown by two methods at once."""
    from gaussian_core.errors import DeviceError

    document = Document.open(save_picture(tmp_path / "a.png", 600, 500))
    first = document.build_next()
    document.take_tiles()
    assert set(document.scene.tiles) == set(first)

    def fail(keys, stop=None):
        raise DeviceError("The device is lost.")

    document.builder.build_tiles = fail
    while document.build_next():
        document.take_tiles()
    document.take_tiles()
    assert {t.metadata["method"] for t in document.scene.tiles.values()} == {"kernel"}
    assert len(document.scene.tiles) == document.total


def test_closing_the_window_ends_a_learned_build(make_window, qtbot, tmp_path):
    window = make_window(Settings())
    window.open(save_picture(tmp_path / "a.png", 1600, 1200))
    qtbot.waitUntil(lambda: window.session.building and len(_tiles(window)) > 0, timeout=LONG)
    document = window.session.document
    window.close()
    assert not left_running(name="tiles")
    assert 0 < document.built < document.total, "it is not waited for"


@pytest.mark.parametrize("name", ["nearest", "bilinear", "bicubic", "lanczos"])
def test_interpolations_are_methods_like_the_others(make_window, qtbot, tmp_path, name):
    window = make_window(Settings())
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    window.canvas.zoom_to(8.0)
    wait_until_idle(qtbot, window)
    view = window.canvas.view
    window.menus.actions[f"method.{name}"].trigger()
    wait_until_idle(qtbot, window, lambda: window.canvas.scene.method == name)
    assert window.canvas.view == view
    assert window.status.method.text == METHODS[name].title
    assert not _tiles(window)
    wanted = open_drawing(window.session.document.picture, name).draw(picture_viewport(view))
    seen = pixels(window.canvas.grab_frame())[..., :3].astype(float)
    assert np.abs(seen - np.round(np.clip(wanted, 0, 1) * 255)).max() <= 1
    window.menus.actions["field.card"].trigger()
    assert "interpolated" in dict(window.side_windows.card.card.rows)["Gaussians"]
    window.menus.actions["method.kernel"].trigger()
    wait_until_idle(qtbot, window, lambda: _methods(window) == {"kernel"})
    assert window.canvas.scene.resampling == "bicubic"


@pytest.mark.parametrize("name", ["liif", "gaussiansr"])
def test_networks_that_answer_for_every_pixel_are_methods_too(make_window, qtbot, tmp_path, name):
    if not METHODS[name].available:
        pytest.skip(f"the weights of {name} are not there")
    window = make_window(Settings())
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png", 60, 50))
    window.canvas.zoom_to(4.0)
    wait_until_idle(qtbot, window)
    view, learned = window.canvas.view, window.canvas.grab_frame()
    window.menus.actions[f"method.{name}"].trigger()
    # It may be drawn coarse first; idle is when the exact one is there.
    shown = lambda: window.canvas.scene.method == name  # noqa: E731
    wait_until_idle(qtbot, window, shown, timeout=LONG)
    assert window.canvas.view == view and window.canvas.grab_frame() != learned
    assert window.status.method.text == METHODS[name].title
    picture = window.session.document.picture
    wanted = open_drawing(picture, name).draw(picture_viewport(view))
    shown = pixels(window.canvas.grab_frame())[..., :3].astype(float)
    assert np.abs(shown - np.round(np.clip(wanted, 0, 1) * 255)).max() <= 1
    fields = list(window.canvas.scene.fields_in(window.canvas.scene.bounds))
    # GaussianSR has a kernel for every source pixel, for the overlays; LIIF has none.
    assert [len(f) for f, _ in fields] == ([60 * 50] if name == "gaussiansr" else [])


def test_a_slow_method_is_refined_step_by_step():
    from types import SimpleNamespace

    from viewer.ui.canvas.frame_worker import _steps

    slow, fast = (SimpleNamespace(scene=SimpleNamespace(drawing=d)) for d in (object(), None))
    assert _steps(slow, 8) == [4, 2, 1] and _steps(slow, 5) == [4, 2, 1]
    assert _steps(slow, 2) == [1] and _steps(fast, 8) == [1]


def test_a_resting_view_gets_a_coarse_frame_of_a_slow_method_first(
    make_window, qtbot, tmp_path, monkeypatch
):
    if not METHODS["liif"].available:
        pytest.skip("the weights of liif are not there")
    monkeypatch.setattr("viewer.ui.canvas.frame_worker.FIRST_PIXELS", 512)
    window = make_window(Settings(animate=False))
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png", 60, 50))
    window.canvas.zoom_to(3.0)
    wait_until_idle(qtbot, window)
    worker, posted = window.canvas._pane.worker, []
    post = worker._post

    def watch(frame):
        posted.append((frame.view.scale, frame.level))
        post(frame)

    worker._post = watch
    window.menus.actions["method.liif"].trigger()
    wait_until_idle(qtbot, window, lambda: (3.0, 1) in posted, LONG)
    levels = [level for _, level in posted]
    assert levels[0] >= 4 and levels == sorted(levels, reverse=True)
    # A view that moves on takes over from any of the steps, and ends exact.
    del posted[:]
    window.canvas.zoom_to(3.5)
    qtbot.waitUntil(lambda: bool(posted), timeout=30_000)
    window.canvas.zoom_to(4.0)
    wait_until_idle(qtbot, window, lambda: (4.0, 1) in posted, LONG)
    assert posted[0][1] > 1
    assert posted[-1] == (4.0, 1)


def test_a_fit_is_watched_until_it_is_done(make_window, qtbot, tmp_path):
    window = make_window(Settings())
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png", 60, 50))
    window.canvas.zoom_to(4.0)
    wait_until_idle(qtbot, window)
    window.menus.actions["method.fit"].trigger()
    shown = lambda: window.canvas.scene.method == "fit"  # noqa: E731
    wait_until_idle(qtbot, window, shown, timeout=LONG)
    state = window.status.preview.text
    assert re.fullmatch(r"[\d.]+ dB", state), state
    assert (
        float(state.split()[0]) > 20
    )  # the picture is noise, which half as many Gaussians cannot be
    (field, _), *_ = window.canvas.scene.fields_in(window.canvas.scene.bounds)
    assert len(field) == pytest.approx(60 * 50 / 2, rel=0.05)
