"""Files that take the place of others."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from gaussian_core.errors import OutputError
from gaussian_core.writing import atomic
from gaussian_core.writing.image_writer import write_image


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


def test_a_drive_whose_files_are_all_anothers_is_written_to(tmp_path, monkeypatch):
    """As one of FAT or NTFS is that was mounted for everybody: all may write, and nobody change what others may."""

    def refuse(path, mode):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", refuse)
    write_image(tmp_path / "a.png", np.zeros((2, 3), np.uint8))
    atomic.atomic_write(tmp_path / "a.json", "{}")
    assert sorted(p.suffix for p in tmp_path.iterdir()) == [".json", ".png"]


@pytest.mark.skipif(os.name == "nt", reason="permissions of another kind")
def test_a_writer_that_grants_less_than_the_umask_takes_nothing_away(tmp_path):
    before = os.umask(0o022)
    try:
        with atomic.whole_file(tmp_path / "a.json") as temporary:
            temporary.unlink()
            temporary.touch(0o600)
    finally:
        os.umask(before)
    assert (tmp_path / "a.json").stat().st_mode & 0o777 == 0o644
