"""How much memory this machine has, and how much of it this process has taken."""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from pathlib import Path


def physical_memory() -> int:
    """Bytes that this machine has."""
    if sys.platform == "win32":
        import ctypes

        class Status(ctypes.Structure):
            _fields_ = [
                ("length", ctypes.c_ulong),
                ("load", ctypes.c_ulong),
                *((name, ctypes.c_ulonglong) for name in ("total", "b", "c", "d", "e", "f", "g")),
            ]

        status = Status()
        status.length = ctypes.sizeof(Status)
        ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
        return int(status.total)
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def peak_memory_mb() -> float | None:
    """Largest resident memory of this process so far, in megabytes; None where the system does not tell."""
    if sys.platform == "win32":
        import ctypes

        class Counters(ctypes.Structure):
            _fields_ = [
                ("length", ctypes.c_ulong),
                ("faults", ctypes.c_ulong),
                *((name, ctypes.c_size_t) for name in ("peak", "b", "c", "d", "e", "f", "g", "h")),
            ]

        counters = Counters()
        counters.length = ctypes.sizeof(Counters)
        this = ctypes.c_void_p(-1)  # what GetCurrentProcess answers
        told = ctypes.windll.kernel32.K32GetProcessMemoryInfo(
            this, ctypes.byref(counters), counters.length
        )
        return int(counters.peak) / 1e6 if told else None
    import resource

    # Linux's getrusage counts the process that started this one, as large as it was then.
    with suppress(OSError):
        status = Path("/proc/self/status").read_text(errors="replace")
        if found := re.search(r"VmHWM:\s*(\d+) kB", status):
            return int(found[1]) / 1e3
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)
