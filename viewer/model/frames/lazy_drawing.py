"""A method that draws every view anew, opened when the first view is drawn: its network may take a second to load."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gaussian_core.errors import Cancelled
from gaussian_core.parallel import Stop
from viewer.model.torch_import import load_torch

if TYPE_CHECKING:
    from gaussian_core.field import GaussianField
    from gaussian_core.images import PictureSource
    from gaussian_core.viewport import Viewport
    from viewer.model.frames.frame import Frame

Rect = tuple[int, int, int, int]

PATIENCE = 0.3
"""Seconds of work before each frame, for a method that can show what it has so far."""
TURN = 0.02
"""Seconds after which a thread that waits for its turn asks again whether it is still wanted."""


class LazyDrawing:
    """Draws for one thread at a time: where the method goes from one side of a split view to the other, the threads of
    both want it for a moment. The overlays' thread may ask for kernels beside them.

    opened: what draws, where it is open already.
    """

    def __init__(self, picture: PictureSource, method: str, opened: Any = None) -> None:
        self.picture, self.method = picture, method
        self._drawing: Any = opened
        self._known = False
        self.kept: Frame | None = None
        """The newest exact frame, with memory of its own: who goes to another method and back need not wait again."""
        self._lock = threading.Lock()

    def draw(self, viewport: Viewport, stop: Stop | None = None) -> NDArray[np.float32]:
        """(h, w, C) float32. Raises Cancelled, and WeightsError when the method's weights cannot be used."""
        with self._turn(stop):
            frame: NDArray[np.float32] = self._opened(stop).draw(viewport, stop)
        self._known = True
        return frame

    def kernels(
        self, rect: Rect, stop: Stop | None = None, kept: bool = False
    ) -> GaussianField | None:
        """The Gaussians that the method uses within source pixels (x0, y0, x1, y1); None where it uses none, or more
        than it can make at once, and of a fit before it has drawn anything. kept: also where they would have to be
        made, which may take as long as a frame. Raises as draw."""
        if self.unknown and not kept and self.marked_unseen:
            with self._turn(stop):
                self._opened(stop)
            self._known = True
        kernels = getattr(self._drawing, "kernels", None)
        if kernels is None or not self._known:
            return None
        if kept and self.most_kernels is not None:
            return None
        found: GaussianField | None = kernels(rect, stop)
        return found

    @property
    def most_kernels(self) -> int | None:
        """Source pixels whose kernels can be made at once; None where those of all are kept, or there are none."""
        most: int | None = getattr(self._drawing, "most_kernels", None)
        return most

    @property
    def field(self) -> GaussianField | None:
        """The field of Gaussians that is drawn, where it is one, as it was drawn last."""
        found: GaussianField | None = getattr(self._drawing, "field", None)
        return found

    @property
    def marks_nothing(self) -> bool:
        """Whether the method has no kernels."""
        if self._drawing is not None:
            return not hasattr(self._drawing, "kernels")
        from gaussian_core.methods import METHODS

        return not METHODS[self.method].has_kernels

    @property
    def unknown(self) -> bool:
        """Whether it has kernels, but knows of none yet: it has drawn nothing, nor was it asked for marks."""
        return not self._known and not self.marks_nothing

    @property
    def marked_unseen(self) -> bool:
        """Whether its kernels can be marked before it has drawn anything: a network has them once it has read the
        picture, what is fitted has none before it is fitted, which it is while it draws."""
        from gaussian_core.methods import METHODS

        return METHODS[self.method].takes_weights

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know of the method and this picture; nothing while it is not open yet."""
        return tuple(getattr(self._drawing, "notes", ()))

    @property
    def unfinished(self) -> bool:
        """Whether another frame of the same view would show more."""
        return bool(getattr(self._drawing, "unfinished", False))

    @property
    def state(self) -> str:
        """What the method says of its progress; empty as a rule."""
        return str(getattr(self._drawing, "state", ""))

    @contextmanager
    def _turn(self, stop: Stop | None) -> Iterator[None]:
        while not self._lock.acquire(timeout=TURN):
            if stop is not None and stop():
                raise Cancelled("stopped while another thread drew")
        try:
            yield
        finally:
            self._lock.release()

    def _opened(self, stop: Stop | None) -> Any:
        if self._drawing is None:
            from gaussian_core.methods import METHODS, open_drawing

            if METHODS[self.method].needs_torch:
                load_torch()

            drawing = open_drawing(self.picture, self.method)
            if hasattr(drawing, "patience"):
                drawing.patience = PATIENCE
            else:
                drawing.encode(stop)
            self._drawing = drawing
        return self._drawing
