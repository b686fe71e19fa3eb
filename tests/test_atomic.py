"""Files that take the place of others."""

from __future__ import annotations

import os

import pytest

from gaussian_core.errors import OutputError
from gaussian_core.writing import atomic


@pytest.fixture
def held(monkeypatch):
    """Call it with a number and an error of Windows: so many times a file cannot be replaced for that reason."""
    replace = os.replace
    monkeypatch.setattr(atomic, "PAUSE", 0.0)

    def times(count, winerror):
        tries = []

        def refuse(source, target):
            tries.append(target)
            if len(tries) <= count:
                error = PermissionError(13, "Access is denied")
                error.winerror = winerror
                raise error
            replace(source, target)

        monkeypatch.setattr(os, "replace", refuse)
        return tries

    return times


@pytest.mark.parametrize("winerror", atomic.HELD_BY_OTHERS)
def test_a_file_that_another_program_reads_for_a_moment_is_replaced_after_it(
    tmp_path, held, winerror
):
    """As a scanner for viruses does on Windows, where nobody can replace it then."""
    target = tmp_path / "a.json"
    target.write_text("before")
    tries = held(3, winerror)
    atomic.atomic_write(target, "after")
    assert target.read_text() == "after" and len(tries) == 4
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_one_that_is_held_for_good_is_said_and_stays(tmp_path, held, monkeypatch):
    monkeypatch.setattr(atomic, "PATIENCE", 0.05)
    target = tmp_path / "a.json"
    target.write_text("before")
    held(10**9, 32)
    with pytest.raises(OutputError, match="Access is denied"):
        atomic.atomic_write(target, "after")
    assert target.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_what_the_system_forbids_is_not_tried_again(tmp_path, held):
    tries = held(10**9, None)
    with pytest.raises(OutputError):
        atomic.atomic_write(tmp_path / "a.json", "text")
    assert len(tries) == 1
