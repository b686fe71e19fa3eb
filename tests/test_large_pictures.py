"""The window on pictures that are read as they are looked at."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
import tifffile

from gaussian_core.imaging import lazy_tiff, tiff_segments
from tests.test_lazy_tiff import damaged_file
from tests.threads import left_running
from tests.window_helpers import open_and_wait, save_picture, wait_until_idle
from viewer.model.methods import Choice


@pytest.fixture
def lazy(monkeypatch):
    """Everything is a large picture, and its coarse levels take a passage through the file."""
    monkeypatch.setattr(lazy_tiff, "LAZY_FROM", 1)
    monkeypatch.setattr("gaussian_core.pyramid.lazy_levels.QUICK", 1)
    monkeypatch.setattr("gaussian_core.pyramid.lazy_levels.TILE", 64)


@pytest.fixture
def window(make_window):
    return make_window()


def plain_file(path, value=90, size=(3000, 3000)):
    pixels = np.full((*size, 3), value, np.uint8)
    tifffile.imwrite(path, pixels, photometric="rgb", tile=(512, 512), compression="deflate")
    return path


def slowed(monkeypatch, seconds, hold=None):
    """Every tile takes that long. hold: tiles wait until it is set. The tiles that are read are listed."""
    read, tiles = tiff_segments.Segments.read, []

    def slow(self, row, column):
        time.sleep(seconds)
        if hold is not None:
            hold.wait(60)
        tiles.append((row, column))
        return read(self, row, column)

    monkeypatch.setattr(tiff_segments.Segments, "read", slow)
    return tiles


def middle(window):
    image = window.canvas.grab_frame()
    return image.pixelColor(image.width() // 2, image.height() // 2).red()


def test_the_whole_comes_into_view_while_it_is_read(qtbot, window, lazy, tmp_path, monkeypatch):
    hold = threading.Event()
    slowed(monkeypatch, 0.0, hold)
    window.open(plain_file(tmp_path / "large.tif"))
    qtbot.waitUntil(lambda: window.session.reading and window.canvas.is_idle(), timeout=30_000)
    assert middle(window) == 0, "nothing is read yet, and the window does not wait for it"
    hold.set()
    wait_until_idle(qtbot, window)
    assert middle(window) == 90
    assert window.session.document.unread is None


def test_another_method_does_not_disturb_the_reading(qtbot, window, lazy, tmp_path, monkeypatch):
    slowed(monkeypatch, 0.01)
    window.open(plain_file(tmp_path / "large.tif"))
    qtbot.waitUntil(lambda: window.session.reading, timeout=30_000)
    window.session.set_choice(Choice("nearest"))
    wait_until_idle(qtbot, window)
    assert middle(window) == 90 and window.session.document.unread is None


def test_reading_stops_with_the_picture_and_goes_on_when_asked(
    qtbot, window, lazy, tmp_path, monkeypatch
):
    slowed(monkeypatch, 0.05)
    window.open(plain_file(tmp_path / "large.tif"))
    qtbot.waitUntil(lambda: window.session.reading, timeout=30_000)
    window.stop()
    assert not window.session.reading
    wait_until_idle(qtbot, window)
    assert window.session.document.unread is not None
    window.session.build()
    assert window.session.reading
    wait_until_idle(qtbot, window)
    assert middle(window) == 90


def test_closing_a_picture_ends_the_reading(qtbot, window, lazy, tmp_path, monkeypatch):
    hold = threading.Event()
    read = slowed(monkeypatch, 0.0, hold)
    window.open(plain_file(tmp_path / "large.tif"))
    qtbot.waitUntil(lambda: window.session.reading)
    window.session.close_document()
    hold.set()
    assert not left_running(name="levels")
    assert len(read) < 36, "not all of it"


def test_damage_is_said_once_and_the_rest_stays(qtbot, window, lazy, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(window.error_box, "tell", lambda title, text: said.append((title, text)))
    open_and_wait(qtbot, window, damaged_file(tmp_path))
    for scale in (0.4, 1.0, 8.0, 2.0):
        window.canvas.zoom_to(scale)
        wait_until_idle(qtbot, window)
    ((title, text),) = said
    assert "damaged.tif is damaged" in title and "shown grey" in text and "\n" not in text
    assert window.session.document.name == "damaged.tif"


def test_a_cut_file_leaves_the_last_picture_open(qtbot, window, lazy, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(window.error_box, "tell", lambda title, text: said.append(text))
    open_and_wait(qtbot, window, save_picture(tmp_path / "first.png"))
    path = plain_file(tmp_path / "cut.tif")
    path.write_bytes(path.read_bytes()[:100])  # not even where its strips are
    window.open(path)
    qtbot.waitUntil(lambda: bool(said), timeout=30_000)
    wait_until_idle(qtbot, window)
    assert window.session.document.name == "first.png" and "cut.tif is damaged" in said[0]


def test_the_overview_is_of_all_that_is_read(qtbot, window, lazy, tmp_path, monkeypatch):
    hold = threading.Event()
    slowed(monkeypatch, 0.0, hold)
    window.open(plain_file(tmp_path / "large.tif"))
    qtbot.waitUntil(lambda: window.session.reading and window.canvas.is_idle(), timeout=30_000)
    window.canvas.set_view(window.canvas.view.at_scale(1.0).aligned())
    hold.set()
    wait_until_idle(qtbot, window)
    places = [(x, y) for x in (0.02, 0.5, 0.98) for y in (0.02, 0.5, 0.98)]

    def seen():
        image = window.canvas.overview.image
        width, height = image.width(), image.height()
        return [image.pixelColor(int(x * width), int(y * height)).red() for x, y in places]

    qtbot.waitUntil(
        lambda: seen() == [90] * 9, timeout=30_000
    )  # the last strips come a moment later
