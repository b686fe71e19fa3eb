"""One rendered pixel is one physical pixel, under whole and fractional scale factors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def told_by(module: str, **variables: str):
    """What a probe prints, run in a process of its own: Qt takes these variables when it starts."""
    done = subprocess.run(
        [sys.executable, "-m", module],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("factor", ["1", "1.25", "1.5", "2"])
def test_pixels_are_physical_pixels(factor):
    found = told_by("tests.hidpi_probe", QT_SCALE_FACTOR=factor, QT_QPA_PLATFORM="offscreen")
    ratio = float(factor)
    assert found["ratio"] == ratio
    assert 298 * ratio <= found["size"][0] < 298 * ratio + 2, "every pixel it touches"
    assert found["columns_in_step"], "every pixel is shown once, none twice"
    assert found["rows_in_step"]
    assert found["first"] == found["expected"], "the picture begins where the mouse thinks it does"
    assert found["drift"] < 1e-6
    assert found["edge_of_menus"], "a line without gaps"


def test_a_window_that_goes_to_a_screen_of_another_factor_is_drawn_for_it(tmp_path):
    """Of screens that all have 640 x 480 pixels: only what is of a certain size for the eye changes."""
    screens = [
        {"name": name, "x": 700 * i, "y": 0, "width": 640, "height": 480}
        | {"logicalDpi": 96, "logicalBaseDpi": 96, "dpr": 1}
        for i, name in enumerate(("first", "second", "third"))
    ]
    (tmp_path / "screens.json").write_text(json.dumps({"screens": screens}))
    found = told_by(
        "tests.screens_probe",
        QT_SCREEN_SCALE_FACTORS="first=1;second=2;third=1.25",
        QT_SCALE_FACTOR_ROUNDING_POLICY="PassThrough",
        QT_QPA_PLATFORM=f"offscreen:configfile={tmp_path / 'screens.json'}",
    )
    assert [screen["ratio"] for screen in found] == [1, 2, 1.25]
    for screen in found:
        assert screen["size"] == screen["shown"] == [640, 480]
        assert screen["scale"] == 1.0, "100 % stays one source pixel on one pixel of the screen"
        assert screen["in_step"]
    small, large, middle = (screen["marked"] for screen in found)
    assert 0 < small < middle < large, "a mark is as large for the eye as before"
