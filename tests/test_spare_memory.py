"""What a picture that is no longer open took goes back to the system."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

from tests.window_helpers import open_and_wait, save_picture
from viewer.ui.workers.spare_memory import SpareMemory

glibc = pytest.mark.skipif(
    not sys.platform.startswith("linux") or not hasattr(ctypes.CDLL(None), "malloc_trim"),
    reason="the C library is not GNU's",
)

HOLES = """
import resource
from pathlib import Path
import numpy as np
from gaussian_core.machine.allocator import give_back_freed_blocks, keep_freed_blocks

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() >> 20

keep_freed_blocks()
before = resident()
blocks, between = [], []
for _ in range(300):
    blocks.append(np.ones(1 << 20, np.uint8))
    between.append(bytes(5000))
held = resident()
blocks.clear()
kept = resident()
give_back_freed_blocks()
print(held - before, kept - before, resident() - before)
"""


@glibc
def test_memory_between_blocks_that_are_in_use_goes_back():
    done = subprocess.run([sys.executable, "-c", HOLES], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    held, kept, left = map(int, done.stdout.split())
    assert held > 290 and kept > 250, "else there is nothing to be given back"
    assert left < 50


@pytest.fixture
def given(monkeypatch):
    """How often it was given back; a moment after something has gone."""
    times = []
    monkeypatch.setattr("viewer.ui.workers.spare_memory.REST", 1)
    monkeypatch.setattr(
        "viewer.ui.workers.spare_memory.give_back_freed_blocks", lambda: times.append(1)
    )
    return times


def test_a_closed_pictures_does(make_window, qtbot, tmp_path, given):
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    qtbot.waitUntil(lambda: bool(given))
    given.clear()
    window.menus.actions["file.close"].trigger()
    qtbot.waitUntil(lambda: bool(given))


def test_not_while_something_is_under_way_and_then_once(qtbot, qapp, given):
    looks = []

    def is_idle():
        looks.append(bool(given))
        return len(looks) > 3

    spare = SpareMemory(is_idle, qapp)
    spare.give_back()
    spare.give_back()
    qtbot.waitUntil(lambda: bool(given))
    assert spare.close(60) and looks == [False] * 4 and given == [1]
