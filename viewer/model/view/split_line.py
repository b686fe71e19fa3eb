"""The line that splits the view: left of it the method before, right of it the present one."""

from __future__ import annotations

from dataclasses import dataclass, replace

REACH = 6.0
"""Logical pixels to each side of the line within which it can be taken hold of."""
LEAST = 8.0
"""Logical pixels that it keeps from the sides, so that it can always be taken hold of again."""


@dataclass(frozen=True)
class SplitLine:
    """share: of the canvas's width that lies left of it."""

    share: float = 0.5

    def x(self, width: float) -> float:
        """Where it is on a canvas of that width, in the same unit."""
        return self.share * width

    def column(self, width: int) -> int:
        """The first device pixel right of it, of `width` ones: no pixel is of both sides."""
        return min(max(round(self.share * width), 0), width)

    def is_at(self, x: float, width: float, reach: float = REACH) -> bool:
        """Whether a place on a canvas of that width takes hold of it, logical pixels."""
        return abs(x - self.x(width)) <= reach

    def moved_to(self, x: float, width: float) -> SplitLine:
        """Drawn to a place on a canvas of that width, logical pixels."""
        least = min(LEAST, width / 2)
        return replace(self, share=min(max(x, least), width - least) / max(width, 1.0))
