"""Where a user has looked, to go back there and forward again. No Qt."""

from __future__ import annotations

import math

from viewer.model.view.view_state import ViewState

MOST = 100
"""Views that are remembered; the oldest goes first."""
SAME = 0.75
"""Device pixels that a view may be elsewhere and still be the same: aligning moves it by half of one."""


def look_the_same(a: ViewState, b: ViewState) -> bool:
    """Whether two views of a picture show the same of it, were they of one canvas: that of b."""
    a = a.resized(b.size)
    if a.extent != b.extent or not math.isclose(a.scale, b.scale, rel_tol=1e-6):
        return False
    away = (abs(p - q) * b.scale for p, q in zip(a.origin, b.origin, strict=True))
    return max(away) <= SAME


class ViewHistory:
    """Of one picture, or of several of the same size: a row of views, and which of them is the present one.

    What is remembered comes after the present one, in the place of what came after it, as in a browser. The view that a
    user sees may be another than the present one of the row: it is given to every question as `now`.
    """

    def __init__(self) -> None:
        self._views: list[ViewState] = []
        self._at = -1

    def __len__(self) -> int:
        return len(self._views)

    def begin(self, now: ViewState) -> None:
        """Another picture: nothing is remembered but how it is seen."""
        self._views, self._at = [now], 0

    def clear(self) -> None:
        self._views, self._at = [], -1

    def remember(self, now: ViewState) -> None:
        """A view that is worth to be found again. One that looks like the present one takes its place."""
        if self._is_present(now):
            self._views[self._at] = now
            return
        self._views[self._at + 1 :] = [now]
        del self._views[:-MOST]
        self._at = len(self._views) - 1

    def can_go_back(self, now: ViewState) -> bool:
        return self._at > 0 or (self._at == 0 and not self._is_present(now))

    def can_go_forward(self, now: ViewState) -> bool:
        return self._at < len(self._views) - 1 and self._is_present(now)

    def back(self, now: ViewState) -> ViewState | None:
        """The view before `now`, which is remembered for `forward`; None where there is none."""
        if not self.can_go_back(now):
            return None
        self.remember(now)
        return self._step(-1, now)

    def forward(self, now: ViewState) -> ViewState | None:
        """The view that `back` led away from; None where there is none, or where `now` was come to since."""
        return self._step(1, now) if self.can_go_forward(now) else None

    def _step(self, by: int, now: ViewState) -> ViewState:
        self._at += by
        return self._views[self._at].resized(now.size)

    def _is_present(self, now: ViewState) -> bool:
        return self._at >= 0 and look_the_same(self._views[self._at], now)
