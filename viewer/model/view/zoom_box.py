"""The rectangle that is dragged over the canvas to be seen as large as it goes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from viewer.model.view.view_state import ViewState

LEAST = 5.0
"""Logical pixels of both sides from which it is a rectangle: less is a hand that has trembled."""


@dataclass(frozen=True)
class ZoomBox:
    """start, end: two corners of it, logical pixels of the canvas."""

    start: tuple[float, float]
    end: tuple[float, float]

    def to(self, x: float, y: float, size: tuple[float, float]) -> ZoomBox:
        """Its second corner elsewhere, kept within a canvas of (width, height)."""
        return replace(self, end=(min(max(x, 0.0), size[0]), min(max(y, 0.0), size[1])))

    @property
    def counts(self) -> bool:
        """Whether it is large enough to be meant."""
        return all(abs(a - b) >= LEAST for a, b in zip(self.start, self.end, strict=True))

    def edges(self, ratio: float, shift: tuple[float, float]) -> tuple[int, int, int, int]:
        """(left, top, right, bottom) between device pixels, of which a logical one has `ratio`; shift: of the canvas's
        corner, see DeviceGrid."""
        (left, right), (top, bottom) = (
            sorted(round(v * ratio + s) for v in ends)
            for *ends, s in zip(self.start, self.end, shift, strict=True)
        )
        return left, top, right, bottom


def view_of(view: ViewState, edges: tuple[int, int, int, int]) -> ViewState | None:
    """The view that shows what lies between edges of device pixels of another; None where there is no picture."""
    x0, y0 = view.to_source(*edges[:2])
    x1, y1 = view.to_source(*edges[2:])
    height, width = view.extent
    if x1 <= 0 or y1 <= 0 or x0 >= width or y0 >= height:
        return None
    return view.framed(x0, y0, x1, y1)
