"""Whether this process may use the processor's matrix unit (AMX)."""

from __future__ import annotations

import ctypes
import functools
import logging
import platform
import sys

from gaussian_core.rasterizer.vector_ir import compiles_for

FEATURES = ("amx-tile", "amx-bf16", "avx512f")
ARCH_PRCTL, REQUEST_PERMISSION, TILE_DATA = 158, 0x1023, 18
"""Of x86-64 Linux: number of the system call, its ARCH_REQ_XCOMP_PERM, and the state that tiles are."""

log = logging.getLogger(__name__)


@functools.cache
def usable() -> bool:
    """Whether kernels may use AMX: the processor and Numba's settings know it, and the system permits it.

    Linux keeps the 8 KB of tile registers from a process until it asks for them, once for all of its threads. Other
    systems are not asked: they have the kernels for everybody.
    """
    if not sys.platform.startswith("linux") or platform.machine() != "x86_64":
        return False
    if not all(map(compiles_for, FEATURES)):
        return False
    library = ctypes.CDLL(None, use_errno=True)
    if library.syscall(ARCH_PRCTL, REQUEST_PERMISSION, TILE_DATA) == 0:
        return True
    log.info(
        "The system does not permit AMX (error %d): networks run in float32", ctypes.get_errno()
    )
    return False
