"""Files that the system asks the program to open, as macOS does for the Finder and for `open -a`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication

from tests.window_helpers import open_and_wait, save_picture, wait_until_idle

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def window(make_window, qapp):
    window = make_window()
    qapp.serve(window.open_files)
    yield window
    qapp.serve(lambda paths: None)


def test_a_file_is_opened_in_the_window_that_is_there(window, qapp, qtbot, tmp_path):
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    other = save_picture(tmp_path / "ü b.png", seed=2)
    assert QApplication.sendEvent(qapp, QFileOpenEvent(str(other)))
    wait_until_idle(qtbot, window, lambda: window.session.document.path == other)
    assert window.settings.recents[0] == str(other)


def test_files_that_were_chosen_together_are_stepped_through(window, qapp, qtbot, tmp_path):
    paths = [tmp_path / name / "a.png" for name in ("p", "q")]
    for path in paths:
        path.parent.mkdir()
        save_picture(path)
        QApplication.sendEvent(qapp, QFileOpenEvent(QUrl.fromLocalFile(str(path))))
    wait_until_idle(qtbot, window, lambda: window.session.document is not None)
    assert window.session.document.path == paths[0]
    assert "1 of 2" in window.status.message


def test_what_the_command_line_names_is_opened_by_who_reads_it(
    window, qapp, qtbot, tmp_path, monkeypatch
):
    """macOS sends it when the program begins; from then on the same file may be asked for."""
    picture = save_picture(tmp_path / "a.png")
    monkeypatch.setattr(qapp, "_named", ["main.py", str(picture)])
    for name in ("main.py", str(picture)):
        assert QApplication.sendEvent(qapp, QFileOpenEvent(name))
    qtbot.wait(50)
    assert not window.session.opening and window.is_idle()
    QApplication.sendEvent(qapp, QFileOpenEvent(str(picture)))
    wait_until_idle(qtbot, window, lambda: window.session.document is not None)


def test_what_is_no_file_is_left_to_others(window, qapp):
    event = QFileOpenEvent(QUrl("https://example.org/a.png"))
    assert not QApplication.sendEvent(qapp, event)


def test_a_file_that_is_asked_for_before_the_window_is_there_is_opened_in_it(tmp_path):
    picture = save_picture(tmp_path / "asked for.png")
    environment = {
        **os.environ,
        "XDG_CONFIG_HOME": str(tmp_path),
        "QT_QPA_PLATFORM": "offscreen",
        "PICTURE": str(picture),
    }
    ran = subprocess.run(
        [sys.executable, "-m", "tests.file_open_probe"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split("\n")[0] == picture.name
