"""A rendered picture of one view, and the buffers it lives in."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viewer.model.view.view_state import ViewState

Columns = tuple[int, int]
"""The first of a view's device columns and one past the last: those that are seen where the view is split."""


def seen_rect(view: ViewState, columns: Columns | None) -> tuple[int, int, int, int]:
    """The device pixels (left, top, right, bottom) that show the picture in those columns; None: in all."""
    left, top, right, bottom = view.picture_rect
    if columns is None:
        return left, top, right, bottom
    return max(left, columns[0]), top, min(right, columns[1]), bottom


def seen_source(view: ViewState, columns: Columns | None) -> tuple[float, float, float, float]:
    """(x0, y0, x1, y1) of what the canvas shows in those columns, in source coordinates; None: in all."""
    left, right = columns or (0, view.size[0])
    return (*view.to_source(left, 0), *view.to_source(right, view.size[1]))


@dataclass(frozen=True, eq=False)
class Frame:
    """Pixels made for one view state.

    bgrx: (h, w, 4) uint8, the layout of QImage.Format_RGB32. Valid until the next frame is shown.
    view: the state it was made for; rect: the device pixels (left, top, right, bottom) of that
        view that it covers: the picture's part of it, or of what is seen of a split one.
    level: 1 is one pixel per device pixel; n is one per n x n, made first when time is short.
    exact: level == 1: every pixel is what the field (or below 100 % the picture) is there.
    backend: what made it: "picture" where only the pyramid was asked, else the rasterizer's.
    field_share: how much of its area shows the field (1 at 100 % and above once tiles are built).
    ms: what rendering took.
    plain: whether transparent parts stand on one grey and not on squares; None where none is transparent.
    """

    bgrx: NDArray[np.uint8]
    view: ViewState
    rect: tuple[int, int, int, int]
    level: int
    ms: float
    backend: str
    generation: int
    revision: int
    field_share: float = 0.0
    plain: bool | None = None

    @property
    def exact(self) -> bool:
        return self.level == 1

    def shows(self, view: ViewState, columns: Columns | None = None) -> bool:
        """Whether it is the exact frame of that view, in those device columns (None: all)."""
        left, top, right, bottom = seen_rect(view, columns)
        mine = self.rect
        across = right <= left or (mine[0] <= left and mine[2] >= right)
        return self.exact and self.view == view and across and mine[1] <= top and mine[3] >= bottom


class FrameBuffers:
    """Three pixel buffers for frames: one shown, one finished and waiting, one being written.

    Fresh memory for every frame would cost a page fault per 4 KiB (about 2 ms at 1080p). Taken by
    the worker, given back by whoever drops the frame. Thread-safe. It is memory that a CUDA device
    writes to itself where one draws; what was taken before it did is not used again.
    """

    COUNT = 3

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._free: list[NDArray[np.uint8]] = []

    def take(self, width: int, height: int) -> NDArray[np.uint8]:
        """A C-contiguous (height, width, 4) array that nobody else has. Contents undefined."""
        from gaussian_core.rasterizer.frame_memory import frame_memory, is_suitable

        needed = width * height * 4
        with self._lock:
            for index, buffer in enumerate(self._free):
                if needed <= buffer.size <= 4 * needed and is_suitable(buffer):
                    del self._free[index]
                    break
            else:
                if len(self._free) >= self.COUNT:
                    self._free.pop(0)
                buffer = frame_memory(needed)
        return buffer[:needed].reshape(height, width, 4)

    def give_back(self, pixels: NDArray[np.uint8]) -> None:
        """Offer the memory of an array got from `take` for use again; others are ignored."""
        base = pixels
        while isinstance(base.base, np.ndarray):
            base = base.base
        if base.ndim != 1:
            return
        with self._lock:
            if len(self._free) < self.COUNT and not any(base is b for b in self._free):
                self._free.append(base)
