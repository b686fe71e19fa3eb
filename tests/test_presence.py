"""Paths of which nobody can tell what is there: a name that is too long, a folder that may not be entered."""

from __future__ import annotations

import os

import numpy as np
import pytest

from gaussian_core import build_field, load_image
from gaussian_core.errors import FieldError, ImageError, OutputError, UserError, WeightsError
from gaussian_core.field import GaussianField
from gaussian_core.methods.weights import load_network
from gaussian_core.models.liif import LIIF
from gaussian_core.models.published.container import read_checkpoint
from gaussian_core.models.published.opening import open_weights
from gaussian_core.picture_folders import check_folder
from gaussian_core.presence import unreachable
from gaussian_core.writing.image_writer import write_image
from tests.window_helpers import keep_what_is_told, open_and_wait, save_picture, wait_until_idle
from viewer.model.documents.document import is_weights_file
from viewer.model.settings import Settings

LONG = "a" * 300


def test_why_nobody_can_tell_what_is_there(tmp_path):
    (tmp_path / "there").touch()
    for path in (tmp_path, tmp_path / "there", tmp_path / "none", tmp_path / "there" / "none"):
        assert unreachable(path) == ""
    assert "too long" in unreachable(tmp_path / LONG)
    assert unreachable("a\0b")


@pytest.mark.parametrize(
    ("reads", "error"),
    [
        (load_image, ImageError),
        (GaussianField.open, FieldError),
        (open_weights, WeightsError),
        (read_checkpoint, WeightsError),
        (lambda path: load_network(path, LIIF, "cpu"), WeightsError),
        (lambda path: build_field(np.zeros((4, 4, 3)), weights=path), UserError),
        (check_folder, ImageError),
        (lambda path: write_image(path / "a.png", np.zeros((2, 2, 3))), OutputError),
        (lambda path: write_image(path, np.zeros((2, 2, 3))), OutputError),
    ],
)
def test_a_name_that_is_too_long_is_said(tmp_path, reads, error):
    path = tmp_path / f"{LONG}.png"
    if error is FieldError or reads is open_weights:
        path = path.with_suffix(".safetensors")
    with pytest.raises(error, match="too long"):
        reads(path)
    assert not is_weights_file(path)


def test_a_name_as_long_as_a_file_system_allows_is_written(tmp_path):
    names = [f"{'é' * 118}{end}.png" for end in ("one", "two")]  # 243 bytes
    for name in names:
        write_image(tmp_path / name, np.zeros((2, 3, 3)))
    assert sorted(os.listdir(tmp_path)) == sorted(names)


def test_the_window_says_of_a_path_that_is_too_long_what_is_wrong(
    make_window, qtbot, tmp_path, monkeypatch
):
    window = make_window()
    told = keep_what_is_told(window, monkeypatch)
    for name in (LONG, f"{LONG}.png", f"{LONG}.safetensors"):
        window.open(tmp_path / name)
        qtbot.waitUntil(lambda: len(told) == 1)
        assert "too long" in told.pop()[1]


def test_of_several_files_those_that_can_be_read_are_opened(make_window, qtbot, tmp_path):
    window = make_window()
    there = [save_picture(tmp_path / name) for name in ("b.png", "c.png")]
    window.steps.enter([tmp_path / f"{LONG}.png", *there])
    wait_until_idle(qtbot, window, lambda: window.session.document is not None)
    assert window.session.document.name == "b.png"
    assert "too long" in window.status.message


@pytest.fixture
def shut(tmp_path):
    """A picture in a folder that may not be entered."""
    folder = tmp_path / "shut"
    folder.mkdir()
    save_picture(folder / "a.png")
    folder.chmod(0)
    if os.access(folder, os.R_OK):
        folder.chmod(0o700)
        pytest.skip("this user may read everything")
    yield folder / "a.png"
    folder.chmod(0o700)


def test_what_lies_in_a_folder_that_may_not_be_entered_is_kept_among_the_recent_files(
    make_window, qtbot, shut, monkeypatch
):
    window = make_window(Settings(method="kernel", recents=(str(shut),)))
    told = keep_what_is_told(window, monkeypatch)
    window.open(shut)
    qtbot.waitUntil(lambda: len(told) == 1)
    assert "no permission" in told[0][1]
    assert window.recents.paths == (str(shut),)
    shut.parent.chmod(0o700)
    open_and_wait(qtbot, window, shut)


def test_a_folder_that_may_not_be_read_is_left_out_among_others(make_window, qtbot, shut, tmp_path):
    window = make_window()
    window.steps.enter([shut.parent, save_picture(tmp_path / "b.png")])
    wait_until_idle(qtbot, window, lambda: window.session.document is not None)
    assert window.status.message == "b.png: 1 of 1; left out: shut"
