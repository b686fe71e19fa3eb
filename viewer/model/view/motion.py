"""Short glides for discrete zoom and pan commands. The wheel never goes through here."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from viewer.model.view.view_state import ViewState

GLIDE_SECONDS = 0.15


def between(start: ViewState, target: ViewState, part: float) -> ViewState:
    """The view a part (0..1) of the way from one to the other: motion in log-zoom.

    Two views of different scale have one device point in common (the fixed anchor of the zoom that
    leads from one to the other). About a fixed anchor the origin is linear in 1/scale, so this
    keeps that point still all the way and needs no special case for a zoom about the cursor; with
    equal scales it is a straight pan.
    """
    if part <= 0.0:
        return start
    if part >= 1.0:
        return target
    ratio = math.log(target.scale / start.scale)
    # (1/s(part) - 1/s0) / (1/s1 - 1/s0), written with expm1 so that it stays exact as ratio -> 0.
    along = math.expm1(-ratio * part) / math.expm1(-ratio) if abs(ratio) > 1e-12 else part
    (x0, y0), (x1, y1) = start.origin, target.origin
    return replace(
        target,
        origin=(x0 + (x1 - x0) * along, y0 + (y1 - y0) * along),
        scale=start.scale * math.exp(ratio * part),
        follow=None,
    )


class Glide:
    """A glide from one view to another, read from a clock that a test can replace.

    clock: seconds, monotonic. seconds: the duration; 0 arrives at once.
    """

    def __init__(
        self,
        start: ViewState,
        target: ViewState,
        clock: Callable[[], float],
        seconds: float = GLIDE_SECONDS,
    ) -> None:
        self.start = start
        self.target = target
        self._clock = clock
        self._began = clock()
        self._seconds = seconds

    @property
    def progress(self) -> float:
        """0 at the start, 1 when the time is over."""
        if self._seconds <= 0.0:
            return 1.0
        return min(1.0, max(0.0, (self._clock() - self._began) / self._seconds))

    @property
    def finished(self) -> bool:
        return self.progress >= 1.0

    def view(self) -> ViewState:
        """The view now. Fast at first, slowing into the target: an answer is seen at once."""
        rest = 1.0 - self.progress
        return between(self.start, self.target, 1.0 - rest**3)
