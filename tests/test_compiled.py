"""The cache of compiled kernels."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gaussian_core.errors import Cancelled

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = """
from gaussian_core.kernel_compiler import is_ready
from gaussian_core.rasterizer import is_warm, warm_up
from gaussian_core.rasterizer.warm import MODULE
before = is_ready(MODULE), is_warm()
warm_up()
import numba
from gaussian_core.rasterizer.strip_kernel import render_strip
compiled_here = sum(render_strip.stats.cache_misses.values())
print(before, (is_ready(MODULE), is_warm()), compiled_here, numba.config.CACHE_DIR)
"""


def test_a_cache_depends_on_every_file_that_its_kernels_use(tmp_path):
    """An edit to what a kernel imports, even by way of another file, names another folder; other edits do not."""
    package = tmp_path / "program" / "gaussian_core"
    shutil.copytree(ROOT / "gaussian_core", package, ignore=shutil.ignore_patterns("__pycache__"))
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    script = (
        "from pathlib import Path; import gaussian_core.compiled as c;"
        "print(c.cache_folder(Path('gaussian_core/rasterizer/cpu_kernel.py').resolve()).name)"
    )

    def folder():
        command = [sys.executable, "-c", script]
        done = subprocess.run(
            command, cwd=package.parent, env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    first = folder()
    for name, matters in (
        ("rasterizer/cpu_kernel.py", True),
        ("rasterizer/vector_ir.py", True),
        ("models/config.py", False),
    ):
        file = package / name
        file.write_text(file.read_text() + "\n")
        assert (folder() != first) is matters
        first = folder()


def test_kernels_are_compiled_once_in_a_process_of_their_own_and_later_starts_load_them(tmp_path):
    """Of two that start together the first is killed while it compiles: its compiling process goes too, and the second
    takes over. No misses in the programs themselves: another process compiled. The user's setting stays as it was."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}

    def start() -> subprocess.Popen[str]:
        command = [sys.executable, "-c", SCRIPT]
        return subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
        )

    first = start()
    deadline = time.monotonic() + 30
    while not list(tmp_path.glob("*/*.lock")) and time.monotonic() < deadline:
        time.sleep(0.05)
    second = start()
    first.kill()
    first.communicate()
    out, _ = second.communicate(timeout=170)
    assert out.strip() == f"(False, False) (True, True) 0 {tmp_path}"
    out, _ = start().communicate(timeout=60)
    assert out.strip() == f"(True, False) (True, True) 0 {tmp_path}"
    assert len(list(tmp_path.glob("kernels-*/*.ready"))) == 1


def test_stopping_ends_the_wait(tmp_path, monkeypatch):
    from gaussian_core import kernel_compiler

    monkeypatch.setattr(kernel_compiler, "cache_folder", lambda source: tmp_path)
    with pytest.raises(Cancelled):
        kernel_compiler.compile_apart("gaussian_core.rasterizer.warm", stop=lambda: True)
