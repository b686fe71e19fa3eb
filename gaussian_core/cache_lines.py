"""Memory that begins with a cache line.

Steps of sixteen floats are as long as a line: from there on none touches two, which would cost it twice the time.
"""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numpy as np

from gaussian_core.compiled import compiled

LINE = 16  # float32 in a cache line of 64 bytes


@compiled()
def lines(count):
    """(count,) float32 with anything in it. For kernels and for Python."""
    memory = np.empty(count + LINE, np.float32)
    skip = -(memory.ctypes.data // 4) % LINE
    return memory[skip : skip + count]
