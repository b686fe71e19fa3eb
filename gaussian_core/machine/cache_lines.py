"""Memory that begins with a cache line.

Steps of sixteen floats are as long as a line: from there on none touches two, which would cost it twice the time.
"""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gaussian_core.compiled import compiled

LINE = 16  # float32 in a cache line of 64 bytes


@compiled()
def lines(count):
    """(count,) float32 with anything in it. For kernels and for Python."""
    memory = np.empty(count + LINE, np.float32)
    skip = -(memory.ctypes.data // 4) % LINE
    return memory[skip : skip + count]


@compiled()
def half_lines(count):
    """(count,) values of two bytes with anything in them. For kernels and for Python."""
    return lines((count + 1) // 2).view(np.uint16)[:count]


def from_a_line(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """A copy, contiguous, that begins with a cache line."""
    made: NDArray[np.float32] = lines(x.size).reshape(x.shape)
    made[:] = x
    return made
