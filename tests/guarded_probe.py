"""Draws fields whose tables end where the process may read no further: it ends by a signal where a kernel does."""

from __future__ import annotations

import ctypes
import mmap
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gaussian_core import GaussianField, Viewport, build_field, rasterize, spatial_index
from tests.fields import random_field

mprotect = ctypes.CDLL(None, use_errno=True).mprotect
mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
kept: list[mmap.mmap] = []


def guarded(shape: Any, dtype: Any) -> np.ndarray:
    """Zeros that end with the last page that may be read."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    readable = -(-size // mmap.PAGESIZE) * mmap.PAGESIZE
    memory = mmap.mmap(-1, readable + mmap.PAGESIZE)
    kept.append(memory)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    assert mprotect(start + readable, mmap.PAGESIZE, 0) == 0, ctypes.get_errno()
    return np.frombuffer(memory, np.uint8, size, readable - size).view(dtype).reshape(shape)


class GuardedNumPy:
    """NumPy, whose zeros are guarded."""

    zeros = staticmethod(guarded)

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


def crowded() -> GaussianField:
    """Four Gaussians in each cell of one row, and hundreds in one beside the last sixteen."""
    columns = 64
    x = np.repeat(np.arange(columns), 4) + np.tile([0.2, 0.4, 0.6, 0.8], columns)
    x = np.concatenate([x, np.full(400, 40.5)])
    means = np.stack([x, np.full(x.size, 0.5)], axis=1)
    return GaussianField(
        means,
        np.tile([0.1, 0.0, 0.1], (x.size, 1)),
        np.full((x.size, 3), 0.01),
        extent=(1, columns),
    )


def draw() -> int:
    made = [
        random_field(count, channels, (43, 61)) for count in (1, 60, 3000) for channels in (1, 3)
    ]
    made += [crowded(), build_field(np.random.default_rng(1).random((21, 37, 3)), "kernel")]
    for field in made:
        for scale in (0.9, 1.0, 1.3, 1.7, 2.3, 4.0, 9.0, 40.0):
            for origin in ((0, 0), (-3.4, -2.6)):
                frame = rasterize(field, Viewport(origin=origin, scale=scale, size=(131, 97)))
                assert np.isfinite(frame).all()
    return len(made)


draw()  # what is compiled is compiled with NumPy itself
spatial_index.np = GuardedNumPy()  # type: ignore[assignment]
print("drawn", draw())
