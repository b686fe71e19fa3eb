"""How much time a frame may take: coarser ones first, and what a newer request stops."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from viewer.model.frame_slot import FrameRequest, Slot
from viewer.model.view_state import ViewState

COARSE_SHARE = 0.6
"""A full frame takes about this share of what its coarse one's time per pixel suggests."""


NEAR = 4.0
"""Device pixels per source pixel from which a view is a close one."""


@dataclass
class Pacing:
    """When to render coarser first and when to give up a running frame.

    budget, near_budget: seconds a frame may take while the view moves (a coarser one goes first
        otherwise), and from NEAR on: 30 and 60 frames a second, less what painting takes.
    rest: seconds without events after which the full frame follows a coarser one.
    patience: a moving view shows a new frame at least this often (seconds), even if every one of
        them is out of date when it is finished.
    coarse_first: the setting; off, every frame is full.
    """

    budget: float = 0.028
    near_budget: float = 0.013
    rest: float = 0.03
    patience: float = 0.1
    coarse_first: bool = True
    max_level: int = 4

    def __post_init__(self) -> None:
        # Seconds per device pixel of a full frame, by kind (picture or field) and zoom octave:
        # the cost is nearly constant within an octave and differs a lot between far ones.
        self._cost: dict[tuple[bool, int], float] = {}

    def expected(self, request: FrameRequest) -> float | None:
        """Seconds that a full frame will take, from the last one at a similar state.

        An octave that has not been seen yet is judged by its neighbour: else a long zoom would
        stumble over one slow frame in each.
        """
        field, octave = self._kind(request.view)
        for near in (octave, octave - 1, octave + 1):
            cost = self._cost.get((field, near))
            if cost is not None:
                return cost * _area(request.view)
        return None

    def learn(self, view: ViewState, seconds: float, level: int = 1, complete: bool = True) -> None:
        """A frame took this long; an incomplete one (stopped) at least that."""
        kind = self._kind(view)
        # A frame of level n has 1/n^2 of the pixels, but more Gaussians reach each of them: while
        # nothing better is known it does not count in full. And a full frame takes at most n^2
        # times as long: one that was held up does not condemn all that follow to be coarse.
        if level > 1 and kind in self._cost:
            if complete:
                bound = seconds * level * level / max(_area(view), 1)
                self._cost[kind] = min(self._cost[kind], bound)
            return
        share = level * level if level == 1 else COARSE_SHARE * level * level
        cost = seconds * share / max(_area(view), 1)
        self._cost[kind] = cost if complete else max(cost, self._cost.get(kind, 0.0))

    def level(self, request: FrameRequest) -> int:
        """The level to render first: 1, or coarser when a moving view would wait too long."""
        expected = self.expected(request)
        if not (self.coarse_first and request.moving) or expected is None:
            return 1
        level = 1
        budget = self.near_budget if request.view.scale >= NEAR else self.budget
        while level < self.max_level and expected / (level * level) > budget:
            level *= 2
        return level

    def stopper(
        self,
        request: FrameRequest,
        level: int,
        slot: Slot[FrameRequest],
        last_shown: float,
        clock: Callable[[], float] = time.perf_counter,
        refining: bool = False,
    ) -> Callable[[], bool]:
        """The `stop` to poll while a request is rendered.

        A newer request stops it, unless it is so far on that finishing shows something sooner: past
        half of its expected time, or when nothing new has been shown for `patience`. Without that
        a steady spin of the wheel would cancel every frame. A frame for another picture is always
        dropped, and so is a refinement (the coarse frame for the newer view comes sooner).
        """
        began = clock()
        expected = self.expected(request)
        half = math.inf if expected is None else expected / (2 * level * level)
        may_go_coarse = self.coarse_first and request.moving and level == 1 and not refining
        limit = 3 * self.budget if may_go_coarse and expected is None else math.inf

        def stop() -> bool:
            if slot.closed:
                return True
            now = clock()
            if now - began > limit:
                return True  # the first frame of its kind turned out slow: show a coarser one
            newer = slot.peek()
            if newer is None:
                return False
            if refining or newer.scene.generation != request.scene.generation:
                return True
            return not (now - began > half or now - last_shown > self.patience)

        return stop

    @staticmethod
    def _kind(view: ViewState) -> tuple[bool, int]:
        return view.scale >= 1.0, math.floor(math.log2(view.scale))


def _area(view: ViewState) -> int:
    left, top, right, bottom = view.picture_rect
    return max(0, right - left) * max(0, bottom - top)
