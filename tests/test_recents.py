"""The list of recent files."""

from __future__ import annotations

import os

from viewer.model.recents import Recents


def test_the_newest_comes_first_and_each_once(tmp_path):
    recents = Recents()
    for name in ("a.png", "b.png", "a.png"):
        recents.add(tmp_path / name)
    assert recents.paths == (str(tmp_path / "a.png"), str(tmp_path / "b.png"))


def test_the_list_is_bounded(tmp_path):
    recents = Recents(limit=3)
    for number in range(5):
        recents.add(tmp_path / f"{number}.png")
    assert [os.path.basename(p) for p in recents.paths] == ["4.png", "3.png", "2.png"]
    assert len(Recents([str(n) for n in range(9)], limit=3).paths) == 3


def test_relative_paths_become_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    recents = Recents()
    recents.add("x.png")
    assert recents.paths == (str(tmp_path / "x.png"),)


def test_files_can_be_forgotten(tmp_path):
    recents = Recents([str(tmp_path / "a.png"), str(tmp_path / "b.png")])
    recents.remove(tmp_path / "a.png")
    assert recents.paths == (str(tmp_path / "b.png"),)
    recents.clear()
    assert recents.paths == ()


def test_equal_names_are_told_apart(tmp_path):
    recents = Recents([str(tmp_path / "x" / "a.png"), str(tmp_path / "y" / "a.png"), "/b.png"])
    labels = recents.labels()
    assert labels[0] == f"a.png  ({tmp_path / 'x'})"
    assert labels[1] == f"a.png  ({tmp_path / 'y'})"
    assert labels[2] == "b.png"


def test_long_names_leave_the_menu_on_the_screen_and_keep_their_ends():
    long = "a very long name " * 14 + "17.jpeg"
    recents = Recents([f"/x/{long}", f"/y/{long}", "/x/a\tb.png", "/x/写真.png"])
    labels = recents.labels()
    assert all(len(label) <= 60 + 100 + 4 for label in labels)
    assert labels[0].startswith("a very long name") and "17.jpeg  (" in labels[0]
    assert labels[2:] == ["a b.png", "写真.png"]
