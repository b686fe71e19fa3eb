"""A file that is read on a thread: of several, what was asked for last is what comes."""

from __future__ import annotations

from pathlib import Path

import pytest

from gaussian_core.errors import UserError
from viewer.ui.workers.file_reader import FileReader


def _read(path: Path) -> str:
    if path.suffix == ".bad":
        raise UserError("no good")
    return path.name


@pytest.fixture
def reader(qapp):
    reader = FileReader("reader", _read)
    yield reader
    reader.close()


@pytest.fixture
def told(reader):
    told = []
    for signal in (reader.opened, reader.failed):
        signal.connect(lambda path, answer: told.append((path.name, answer)))
    return told


def answer_under_way(reader, name):
    """The thread has read the file, and the GUI thread has not heard of it yet."""
    reader.open(Path(name))
    for thread in reader._threads:
        thread.join()


@pytest.mark.parametrize("first", ["a", "a.bad"])
@pytest.mark.parametrize("then", ["b", "b.bad", "a"])
def test_what_was_read_before_is_not_taken_for_what_was_asked_for_since(
    qtbot, reader, told, first, then
):
    answer_under_way(reader, first)
    reader.open(Path(then))
    qtbot.waitUntil(lambda: not reader.running)
    assert told == [(then, "no good" if then.endswith(".bad") else then)]


def test_what_is_no_longer_wanted_is_not_told(qtbot, reader, told):
    answer_under_way(reader, "a")
    reader.drop()
    answer_under_way(reader, "b")
    qtbot.waitUntil(lambda: not reader.running)
    assert told == [("b", "b")]
