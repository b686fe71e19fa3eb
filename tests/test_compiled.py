"""The cache of compiled kernels."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = """
from gaussian_core.compiled import cache_folder, is_cached
from gaussian_core.rasterizer import is_warm, warm_up
from gaussian_core.rasterizer.cpu_kernel import render_strip
before = is_cached(render_strip), is_warm()
warm_up()
import numba
print(before, (is_cached(render_strip), is_warm()), dict(render_strip.stats.cache_misses), numba.config.CACHE_DIR or "-")
"""


def test_the_first_start_compiles_in_a_process_and_later_ones_load(tmp_path):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}

    def start():
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.split("\n")[0]

    # No misses in this process the first time either: another one compiled. The user's setting stays as it was.
    assert start() == f"(False, False) (True, True) {{}} {tmp_path}"
    assert start() == f"(True, False) (True, True) {{}} {tmp_path}"
    assert len(list(tmp_path.glob("kernels-*"))) == 1
