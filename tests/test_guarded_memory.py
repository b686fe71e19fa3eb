"""Kernels read no further than their tables go: beyond may be memory that is nobody's, and the program be gone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(
    os.name != "posix", reason="pages are protected by a call that this system lacks"
)
def test_no_kernel_reads_beyond_the_tables_of_a_field():
    probe = Path(__file__).with_name("guarded_probe.py")
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", str(probe)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[:2000]
    assert done.stdout == "drawn 8\n"
