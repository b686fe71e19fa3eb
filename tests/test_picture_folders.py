"""Which files of a folder are taken for pictures."""

from __future__ import annotations

import pytest

from gaussian_core.errors import ImageError
from gaussian_core.picture_folders import pictures, pictures_below


def test_hidden_files_and_folders_are_no_pictures(tmp_path):
    """Such as editors keep, and what a Mac lays beside each file on drives of other systems and in archives: 4 KB of
    its own, which no decoder reads."""
    for name in (".ipynb_checkpoints", "__MACOSX", "within", "c.png"):
        (tmp_path / name).mkdir()
    hidden = (
        "._a.png",
        "__MACOSX/._a.png",
        ".ipynb_checkpoints/a-checkpoint.png",
        "within/._d.JPG",
    )
    for name in (*hidden, "a.png", "b.png", "within/d.JPG"):
        (tmp_path / name).touch()
    wanted = [tmp_path / "a.png", tmp_path / "b.png"]
    assert pictures(tmp_path) == wanted
    assert pictures_below(tmp_path) == [*wanted, tmp_path / "within" / "d.JPG"]
    kept = tmp_path / ".kept"
    kept.mkdir()
    moved = [path.rename(kept / path.name) for path in wanted]
    assert pictures(kept) == pictures_below(kept) == moved  # it was named
    with pytest.raises(ImageError, match="holds no pictures"):
        pictures(tmp_path)
