"""One rendered pixel is one physical pixel, under whole and fractional scale factors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("factor", ["1", "1.25", "1.5", "2"])
def test_pixels_are_physical_pixels(factor):
    environment = {
        **os.environ,
        "QT_SCALE_FACTOR": factor,
        "QT_QPA_PLATFORM": "offscreen",
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.hidpi_probe"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    ratio = float(factor)
    assert found["ratio"] == ratio
    assert 298 * ratio <= found["size"][0] < 298 * ratio + 2, "every pixel it touches"
    assert found["columns_in_step"], "every pixel is shown once, none twice"
    assert found["rows_in_step"]
    assert found["first"] == found["expected"], "the picture begins where the mouse thinks it does"
    assert found["drift"] < 1e-6
