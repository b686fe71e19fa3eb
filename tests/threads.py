"""Threads that are to end."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection

PATIENCE = 60.0
"""Seconds: where the machine is busy the last drawing takes some."""


def left_running(before: Collection[threading.Thread] = (), name: str = "") -> set[str]:
    """Names of the threads that have begun since `before` and do not end, though they are given the time. name: only
    those of that name. Without the kernels' own pool, which lives as long as the process."""
    deadline = time.monotonic() + PATIENCE
    while True:
        threads = [t.name for t in threading.enumerate() if t not in before]
        left = {n for n in threads if not n.startswith("kernel") and name in ("", n)}
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.01)
