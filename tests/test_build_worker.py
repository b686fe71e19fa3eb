"""Building tiles beside the window."""

from __future__ import annotations

import threading
import time

import pytest
from PySide6.QtCore import QObject

from gaussian_core.builder import TileGrid
from gaussian_core.errors import Cancelled
from tests.threads import left_running
from viewer.model.documents.document import Document
from viewer.model.documents.tile_plan import TilePlan
from viewer.model.frames.scene import Scene
from viewer.ui.workers import build_worker
from viewer.ui.workers.build_worker import BuildWorker


class Tile:
    nbytes = 100
    index = None


class SlowBuilder:
    """Takes its time over every tile and polls `stop` like the real ones. most: so many it builds, the next one takes
    for ever."""

    def __init__(self, extent: tuple[int, int], seconds: float = 0.0) -> None:
        self.grid = TileGrid(extent)
        self.seconds = seconds
        self.most = 10**9
        self.order: list = []
        self.error: Exception | None = None

    def build_tiles(self, keys, stop=None):
        return {key: self._build(key, stop) for key in keys}

    def _build(self, key, stop):
        end = time.monotonic() + self.seconds
        while time.monotonic() < end or len(self.order) >= self.most:
            if stop is not None and stop():
                raise Cancelled
            time.sleep(0.002)
        if self.error is not None:
            raise self.error
        self.order.append(key)
        return Tile()


def document(seconds: float = 0.0, side: int = 2048, budget: int | None = None) -> Document:
    builder = SlowBuilder((side, side), seconds)
    rects = {key: builder.grid.rect(key) for key in builder.grid.keys()}
    scene = Scene(extent=(side, side), grid=builder.grid)
    return Document("test", None, scene, None, builder, TilePlan(rects, budget))


@pytest.fixture
def worker(qapp):
    before = set(threading.enumerate())
    parent = QObject()
    worker = BuildWorker(parent)
    yield worker
    assert worker.close(60.0)
    assert not left_running(before)


def test_everything_is_built_and_reported(worker, qtbot):
    doc = document(0.005)
    reports: list[tuple[int, int]] = []
    worker.tiles_built.connect(lambda d: reports.append((d.built, d.total)))
    with qtbot.waitSignal(worker.finished, timeout=30_000):
        worker.start(doc)
    assert doc.complete
    assert doc.take_tiles()
    assert len(doc.scene.tiles) == 16
    assert reports[-1] == (16, 16)
    assert reports == sorted(reports)


def test_stopping_ends_a_tile_under_way_and_keeps_what_is_built(worker, qtbot):
    doc = document()
    doc.builder.most = 1
    worker.start(doc)
    qtbot.waitUntil(lambda: doc.built == 1)
    worker.stop()
    assert not left_running(name="tiles")
    assert doc.built == 1
    doc.builder.most = 16
    with qtbot.waitSignal(worker.finished, timeout=30_000):
        worker.start(doc)
    assert doc.complete
    assert len(doc.builder.order) == 16  # none was built twice


def test_the_newest_view_is_served_next(worker, qtbot):
    doc = document(0.03, side=4096)
    doc.look_at((0.0, 0.0, 10.0, 10.0))
    worker.start(doc)
    qtbot.waitUntil(lambda: doc.built >= 2, timeout=30_000)
    built = doc.built
    doc.look_at((4000.0, 4000.0, 4090.0, 4090.0))
    worker.wake()
    qtbot.waitUntil(lambda: doc.built >= built + 3, timeout=30_000)
    assert (7, 7) in doc.builder.order[: built + 3]


def test_a_view_wakes_a_builder_that_rests(worker, qtbot):
    doc = document(side=4096, budget=600)
    doc.look_at((0.0, 0.0, 10.0, 10.0))
    with qtbot.waitSignal(worker.finished, timeout=30_000):
        worker.start(doc)
    assert doc.built <= 6
    with qtbot.waitSignal(worker.finished, timeout=30_000):
        doc.look_at((4000.0, 4000.0, 4090.0, 4090.0))
        worker.wake()
    assert (7, 7) in doc.plan.tiles
    assert doc.built <= 6


def test_what_no_view_shows_waits_while_the_view_moves(worker, qtbot, monkeypatch):
    monkeypatch.setattr(build_worker, "HOLD_SECONDS", 600.0)
    doc = document(0.01, side=4096)
    doc.look_at((0.0, 0.0, 900.0, 900.0))
    worker.start(doc)
    qtbot.waitUntil(lambda: not doc.lacks_tiles)

    def move(rect, scale):
        doc.look_at(rect, scale)
        worker.wake()

    move((0.0, 0.0, 900.0, 900.0), 2.0)
    built = doc.built
    qtbot.wait(300)
    assert doc.built <= built + 1, "only what was under way may have ended"
    move((3000.0, 3000.0, 4000.0, 4000.0), 0.5)
    qtbot.wait(300)
    assert doc.built <= built + 1, "below 100 % no field is shown"
    move((3000.0, 3000.0, 4000.0, 4000.0), 2.0)
    qtbot.waitUntil(lambda: not doc.lacks_tiles)  # while it moves, as long as that may last
    assert doc.built >= built + 4 and not doc.complete
    with qtbot.waitSignal(worker.finished):
        monkeypatch.setattr(build_worker, "HOLD_SECONDS", 0.0)
        worker.wake()
    assert doc.complete


def test_a_view_that_moves_is_given_its_last_tile_at_once(worker, qtbot):
    doc = document(0.01, side=4096)
    doc.look_at((0.0, 0.0, 900.0, 900.0))
    told: list[bool] = []
    worker.tiles_built.connect(lambda d: told.append(d.take_tiles() and not d.lacks_tiles))
    worker.start(doc)

    def moves() -> bool:
        worker.wake()
        return any(told)

    # What is built beyond the view is held up, and telling of it would be too.
    qtbot.waitUntil(moves)


def test_a_tile_that_another_thread_built_last_is_told(worker, qtbot):
    doc = document()
    while doc.build_next():
        pass
    with qtbot.waitSignal(worker.tiles_built, timeout=30_000):
        worker.start(doc)
    assert doc.take_tiles() and len(doc.scene.tiles) == 16


def test_another_document_replaces_the_first(worker, qtbot):
    first, second = document(0.05), document(0.001)
    worker.start(first)
    with qtbot.waitSignal(worker.finished, timeout=30_000) as signal:
        worker.start(second)
    assert signal.args[0] is second
    assert not first.complete


def test_a_failure_is_told_once(worker, qtbot):
    doc = document()
    doc.builder.error = RuntimeError("no luck")
    with qtbot.waitSignal(worker.failed, timeout=30_000) as signal:
        worker.start(doc)
    assert "no luck" in signal.args[1]


def test_closing_ends_a_long_build(qapp, qtbot):
    worker, doc = BuildWorker(), document()
    doc.builder.most = 1
    worker.start(doc)
    qtbot.waitUntil(lambda: doc.built == 1)
    assert worker.close(60.0)
    assert doc.built == 1
