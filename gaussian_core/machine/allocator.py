"""The C library's allocator, told to keep the large blocks that a network frees and asks for again at every layer."""

from __future__ import annotations

import ctypes
import functools
import sys
from typing import Any

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # malloc.h of the GNU C library
LARGEST, KEPT = 64 << 20, 256 << 20  # bytes


@functools.cache
def keep_freed_blocks() -> None:
    """From now on blocks up to 64 MiB stay with the process when freed: up to 256 MiB at the end of each of the
    allocator's arenas, and whatever lies before a block that is still in use (see give_back_freed_blocks).

    By default each is a mapping of its own, and the system clears every page again at its first touch: that was a
    quarter of the time of building a tile. Other C libraries than GNU's keep blocks by themselves or have no such
    switch; nothing is done there.
    """
    mallopt = _c_function("mallopt")
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGEST)
        mallopt(M_TRIM_THRESHOLD, KEPT)


def give_back_freed_blocks() -> None:
    """Let the system have all memory that is not in use, also between blocks that are: of a picture of megapixels that
    is no longer open that can be gigabytes. Takes some tenths of a second, in which other threads go on; what they ask
    for next is cleared anew. Nothing is done where the C library isn't GNU's."""
    malloc_trim = _c_function("malloc_trim")
    if malloc_trim is not None:
        malloc_trim(ctypes.c_size_t(0))


def _c_function(name: str) -> Any:
    """That of the GNU C library; None where there is no such."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform.startswith("linux") else None
