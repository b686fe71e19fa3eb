"""How much time a frame may take: coarser ones first, and what a newer request stops."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from viewer.model.frames.frame_renderer import previewed_by_picture
from viewer.model.frames.frame_slot import FrameRequest, Slot
from viewer.model.pixel_rects import area
from viewer.model.view.view_state import ViewState

COARSE_SHARE = 0.6
"""A full frame takes about this share of what its coarse one's time per pixel suggests."""

STEPS = 4
"""Costs are kept by this many steps of zoom in an octave."""
REACH = 2 * STEPS
"""So many steps of zoom away another cost still tells something."""
FALL = 0.5 ** (1 / STEPS)
"""What a step closer is expected to make of a field's cost that is known for another zoom only. It falls by a half to
two thirds an octave, up to where everything is drawn on coarser lattices."""
BELIEF = 0.9
"""What each coarse frame leaves of the cost that called for it. A full frame that was held up by something else would
call for coarse ones for as long as the view moves; one full frame too many, now and then, costs less."""
SURE = 0.98
"""The same where the last two full frames took about as long, and so long that a third would be a stutter: nothing held
them up."""
AGREE = 1.5
"""Times one another's cost, at most, that two frames took about as long."""
LIMIT = 3
"""Times the budget after which a full frame of a moving view is a stutter: one that was to keep the budget is given up
for a coarser one."""
BAND_SECONDS = 0.2
"""Of one band of rows of a full frame that takes so long that it is shown band by band. Every band ends with a wait for
the slowest thread and sets up again what reaches over its edges: bands of 30 ms double the time of the whole."""
SLOW = 2 * BAND_SECONDS
QUICK = 0.06
"""Seconds: a view at rest waits for no coarse frame where the full one takes less."""

NEAR = 4.0
"""Device pixels per source pixel from which a view is a close one."""
CLOSEST = 16.0
"""From here a coarse frame takes most of a full one's time: nearly all is drawn on coarser lattices anyway."""


@dataclass
class Pacing:
    """When to render coarser first and when to give up a running frame.

    budget, near_budget, closest_budget: seconds a frame may take while the view moves (a coarser one goes first
        otherwise), from NEAR and from CLOSEST on: 30 and 60 frames a second, less what painting takes.
    rest: seconds without events after which a view counts as one at rest, whose full frame follows
        a coarser one: a little longer than the inputs of a moving one are apart.
    patience: a moving view shows a new frame at least this often (seconds), even if every one of
        them is out of date when it is finished.
    coarse_first: the setting; off, every frame is full.
    """

    budget: float = 0.028
    near_budget: float = 0.013
    closest_budget: float = 0.016
    rest: float = 0.02
    patience: float = 0.1
    coarse_first: bool = True
    max_level: int = 4

    def __post_init__(self) -> None:
        # Seconds per device pixel of a full frame, by kind (picture or field) and step of zoom:
        # between 1x and 4x that of the field falls by three quarters within an octave.
        self._cost: dict[tuple[bool, int], float] = {}
        # What the last full frame took, whatever coarse ones have made of that since, and where two slow ones agreed.
        self._taken: dict[tuple[bool, int], float] = {}
        self._sure: set[tuple[bool, int]] = set()

    def expected(self, request: FrameRequest) -> float | None:
        """Seconds that a full frame will take, from the last one at a similar state.

        A zoom that has not been seen yet is judged by its neighbours: else a long ride would stumble
        over slow frames on its way.
        """
        cost = self._known(self._kind(request.view))
        return None if cost is None else cost * request.pixels

    def _known(self, kind: tuple[bool, int]) -> float | None:
        field, step = kind
        for away in range(REACH + 1):
            for near in (step - away, step + away):
                cost = self._cost.get((field, near))
                if cost is not None:
                    return cost * FALL ** (step - near) if field else cost
        return None

    def learn(
        self,
        view: ViewState,
        seconds: float,
        level: int = 1,
        complete: bool = True,
        pixels: int | None = None,
    ) -> None:
        """A frame took this long; an incomplete one (stopped) at least that. pixels: of it; None: all of the view's."""
        pixels = area(view.picture_rect) if pixels is None else pixels
        kind = self._kind(view)
        # A frame of level n has 1/n^2 of the pixels, but more Gaussians reach each of them: while
        # nothing better is known it does not count in full. And a full frame takes at most n^2
        # times as long: one that was held up does not condemn all that follow to be coarse.
        if level > 1 and self._known(kind) is not None:
            if complete and kind in self._cost:
                bound = seconds * level * level / max(pixels, 1)
                belief = SURE if kind in self._sure else BELIEF
                self._cost[kind] = min(belief * self._cost[kind], bound)
            return
        share = level * level if level == 1 else COARSE_SHARE * level * level
        cost = seconds * share / max(pixels, 1)
        if level == 1:
            agree = self._agrees(kind, cost, complete) and seconds > LIMIT * self.budget
            (self._sure.add if agree else self._sure.discard)(kind)
        self._cost[kind] = cost if complete else max(cost, self._cost.get(kind, 0.0))

    def _agrees(self, kind: tuple[bool, int], cost: float, complete: bool) -> bool:
        """Whether a full frame's cost (that of a stopped one: or more) is about that of the one before."""
        before = self._taken.get(kind, 0.0)
        self._taken[kind] = cost if complete else max(cost, before)
        return cost <= AGREE * before and (before <= AGREE * cost or not complete)

    def level(self, request: FrameRequest, waited: float = 0.0) -> int:
        """The level to render first: 1, or coarser when a moving view would wait too long.

        waited: seconds since the request. One that no newer has replaced for so long is at rest.
        """
        if not (self.coarse_first and request.moving):
            return 1
        expected = self.expected(request)
        if expected is None:
            # The field of a whole photo is slow to draw where the picture makes a good preview.
            return 2 if previewed_by_picture(request.scene, request.view) else 1
        if waited >= self.rest and expected <= QUICK:
            return 1
        level = 1
        budget = self._budget(request.view)
        while level < self.max_level and expected / (level * level) > budget:
            level *= 2
        return level

    def _budget(self, view: ViewState) -> float:
        if view.scale >= CLOSEST:
            return self.closest_budget
        return self.near_budget if view.scale >= NEAR else self.budget

    def pause(self, request: FrameRequest) -> float:
        """Seconds after a request until its full frame is begun where a coarser one went first.

        A full frame that a newer request stops has held that up for as long as one of its strips
        takes, a tenth of its time or more: the quicker it is, the sooner it may be tried.
        """
        expected = self.expected(request)
        return self.rest if expected is None else min(self.rest, expected / 4)

    def bands(self, request: FrameRequest) -> int:
        """In how many bands of rows a full frame that follows a coarse one is rendered and shown; 1: at once."""
        expected = self.expected(request) or 0.0
        return math.ceil(expected / BAND_SECONDS) if expected > SLOW else 1

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
        dropped, and so is a refinement (the coarse frame for the newer view comes sooner). A request for the same view
        with more tiles stops nothing.
        """
        began = clock()
        expected = self.expected(request)
        half = math.inf if expected is None else expected / (2 * level * level)
        may_go_coarse = self.coarse_first and request.moving and level == 1 and not refining
        within = expected is None or expected <= self.budget
        limit = LIMIT * self.budget if may_go_coarse and within else math.inf

        def stop() -> bool:
            if slot.given_up:
                return True
            now = clock()
            if now - began > limit:
                return True  # the first frame of its kind, or one held to be quick, is slow: show a coarser one
            newer = slot.peek()
            if newer is None:
                return False
            if newer.at_the_same_place(request) and newer.scene.differs_by_tiles(request.scene):
                return False  # to be finished with what the new tiles change
            if refining or newer.scene.generation != request.scene.generation:
                return True
            if newer.scene.drawing is not request.scene.drawing:
                return True  # a network's frame takes up to a minute, and it was left for another method
            return not (now - began > half or now - last_shown > self.patience)

        return stop

    @staticmethod
    def _kind(view: ViewState) -> tuple[bool, int]:
        return view.scale >= 1.0, math.floor(STEPS * math.log2(view.scale))
