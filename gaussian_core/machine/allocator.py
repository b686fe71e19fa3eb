"""The C library's allocator, told to keep the large blocks that a network frees and asks for again at every layer."""

from __future__ import annotations

import ctypes
import functools
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # malloc.h of the GNU C library
LARGEST, KEPT = 64 << 20, 256 << 20  # bytes


@functools.cache
def keep_freed_blocks() -> None:
    """From now on blocks up to 64 MiB stay with the process when freed, up to 256 MiB in all.

    By default each is a mapping of its own, and the system clears every page again at its first touch: that was a
    quarter of the time of building a tile. Other C libraries than GNU's keep blocks by themselves or have no such
    switch; nothing is done there.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGEST)
        mallopt(M_TRIM_THRESHOLD, KEPT)
