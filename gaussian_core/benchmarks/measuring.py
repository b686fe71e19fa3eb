"""How everything here is timed, and what it was timed on.

Every figure is a median over repeats in one run. Machines differ and other programs disturb, so beside the wall time
stands the processor time divided by the number of kernel threads: what the wall time would be with the cores to itself.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gaussian_core.parallel import worker_count


@dataclass(frozen=True)
class Row:
    """One figure: what was measured, median and best wall time, processor time per thread, all in milliseconds."""

    what: str
    median_ms: float
    best_ms: float
    cpu_ms: float
    repeats: int

    def as_text(self) -> str:
        return f"{self.what:<58}{self.median_ms:>10.1f}{self.best_ms:>10.1f}{self.cpu_ms:>10.1f}"


HEADER = f"{'':<58}{'median ms':>10}{'best':>10}{'cpu/thread':>10}"


def measure(what: str, work: Callable[[], object], repeats: int) -> Row:
    """Time `work`, once untimed and then `repeats` times."""
    work()
    walls, cpus = [], []
    for _ in range(repeats):
        cpu, wall = time.process_time(), time.perf_counter()
        work()
        walls.append(time.perf_counter() - wall)
        cpus.append((time.process_time() - cpu) / worker_count())
    median, best, cpu_ms = (
        1e3 * float(f(v)) for f, v in ((np.median, walls), (np.min, walls), (np.median, cpus))
    )
    return Row(what, median, best, cpu_ms, repeats)


def machine() -> dict[str, str | int]:
    """What the figures were taken on."""
    import numba

    from gaussian_core.amx.unit import usable

    return {
        "processor": _processor_name(),
        "matrix_unit": "AMX" if usable() else "none",
        "threads": worker_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "numba": numba.__version__,
        "load_average": f"{os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else "unknown",
    }


def _processor_name() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass  # not Linux: the platform module knows something
    return platform.processor() or platform.machine()
