"""The view: which part of the picture the canvas shows, at what scale. Immutable, float64, no Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from gaussian_core.viewport import Viewport

MAX_SCALE = 1000.0
"""Device pixels per source pixel at the closest zoom."""

ZOOM_OUT_ROOM = 4.0
"""How much smaller than the whole picture (or than 100 %, if that is smaller) one may go."""

PAN_MARGIN = 48.0
"""Device pixels of the picture that a pan always leaves in view."""

SMALL_PICTURE = 256.0
"""Pictures shorter than this open enlarged to it: a 16 px icon at 100 % is a speck."""


@dataclass(frozen=True)
class ViewState:
    """Where the canvas looks.

    extent: (height, width) of the picture in source pixels.
    size: (width, height) of the canvas in device (physical) pixels.
    origin: (x, y) of the canvas's top-left corner in source coordinates.
    scale: device pixels per source pixel.
    follow: "fit" or "fill" while the view stays fitted when the canvas is resized, else None.

    Every command returns a new state. Zooming keeps the source point under the given device point
    where it is, to rounding (about 2e-9 device pixels a step at scale 1000), for every device
    point that lies on the picture; off the picture it does so until the picture would leave the
    canvas.
    """

    extent: tuple[int, int]
    size: tuple[int, int]
    origin: tuple[float, float] = (0.0, 0.0)
    scale: float = 1.0
    follow: str | None = None

    # ---- limits -------------------------------------------------------------------------------

    @property
    def fit_scale(self) -> float:
        """The scale at which the whole picture just fits into the canvas."""
        height, width = self.extent
        return min(self.size[0] / width, self.size[1] / height)

    @property
    def fill_scale(self) -> float:
        """The scale at which the picture just covers the canvas."""
        height, width = self.extent
        return max(self.size[0] / width, self.size[1] / height)

    @property
    def min_scale(self) -> float:
        return min(self.fit_scale, 1.0) / ZOOM_OUT_ROOM

    @property
    def max_scale(self) -> float:
        return MAX_SCALE

    def clamped_scale(self, scale: float) -> float:
        return min(max(scale, self.min_scale), self.max_scale)

    # ---- geometry -----------------------------------------------------------------------------

    @property
    def centre(self) -> tuple[float, float]:
        """The device point in the middle of the canvas."""
        return self.size[0] / 2, self.size[1] / 2

    @property
    def viewport(self) -> Viewport:
        return Viewport(self.origin, self.scale, self.size)

    def to_source(self, u: float, v: float) -> tuple[float, float]:
        """Source coordinates of the continuous device point (u, v)."""
        return self.origin[0] + u / self.scale, self.origin[1] + v / self.scale

    def to_device(self, x: float, y: float) -> tuple[float, float]:
        """Continuous device coordinates of the source point (x, y)."""
        return (x - self.origin[0]) * self.scale, (y - self.origin[1]) * self.scale

    @property
    def source_rect(self) -> tuple[float, float, float, float]:
        """(x0, y0, x1, y1) of what the canvas shows, in source coordinates."""
        return (*self.origin, *self.to_source(*self.size))

    @property
    def picture_rect(self) -> tuple[int, int, int, int]:
        """(left, top, right, bottom): the canvas's device pixels that show the picture.

        These are the pixels whose centres lie on the picture, so its edge is always pixel-aligned;
        at least one pixel across, so that a 1 x 20,000 picture does not vanish when zoomed out.
        Empty (right <= left or bottom <= top) when the picture is out of view.
        """
        left, right = _pixels(self.origin[0], self.extent[1], self.scale)
        top, bottom = _pixels(self.origin[1], self.extent[0], self.scale)
        return (
            max(left, 0),
            max(top, 0),
            min(right, self.size[0]),
            min(bottom, self.size[1]),
        )

    # ---- commands -----------------------------------------------------------------------------

    @classmethod
    def opening(cls, extent: tuple[int, int], size: tuple[int, int]) -> ViewState:
        """How a picture is first shown: whole, at most 100 % (tiny ones enlarged), centred."""
        state = cls(extent, size)
        tiny = SMALL_PICTURE // max(extent)  # a whole number: pixels of one size, not blurred
        scale = min(state.fit_scale, max(1.0, float(tiny)))
        if scale == state.fit_scale:
            return state.fit()
        return state.centred(scale).aligned()

    def zoom_at(self, factor: float, at: tuple[float, float]) -> ViewState:
        """Zoom by a factor about the device point `at`, which keeps its source point."""
        return self.set_scale(self.scale * factor, at)

    def set_scale(self, scale: float, at: tuple[float, float] | None = None) -> ViewState:
        """Go to a scale about a device point (default: the middle of the canvas)."""
        at = self.centre if at is None else at
        scale = self.clamped_scale(scale)
        if scale == self.scale:
            return self
        x, y = self.to_source(*at)
        zoomed = replace(
            self, origin=(x - at[0] / scale, y - at[1] / scale), scale=scale, follow=None
        )
        # What is visible of the picture may shrink with the zoom but not because of it: about any
        # point on the picture the visible part scales by at least min(1, factor), so this never
        # moves the point under the cursor there.
        return zoomed._kept_in_view(self._visible(min(1.0, scale / self.scale)))

    def at_scale(self, scale: float, at: tuple[float, float] | None = None) -> ViewState:
        """Go to an exact scale, as by a command or a typed number, aligned to the device pixels.

        The point `at` may move by half a device pixel; a wheel never comes here.
        """
        return self.set_scale(scale, at).aligned()

    def aligned(self) -> ViewState:
        """The nearest view whose source origin lies on an edge between device pixels.

        At 100 % every source pixel then is one device pixel: the screen shows the file, to the bit.
        """
        x, y = (round(v * self.scale) / self.scale for v in self.origin)
        return self if (x, y) == self.origin else replace(self, origin=(x, y))

    @property
    def is_aligned(self) -> bool:
        return all(abs(v * self.scale - round(v * self.scale)) < 1e-6 for v in self.origin)

    def pan_by(self, dx: float, dy: float) -> ViewState:
        """Move the picture by (dx, dy) device pixels; some of it always stays in view."""
        x, y = self.origin
        moved = replace(self, origin=(x - dx / self.scale, y - dy / self.scale), follow=None)
        return moved._kept_in_view(self._visible(1.0))

    def centred(self, scale: float) -> ViewState:
        """The whole picture's middle in the middle of the canvas, at a scale."""
        return self.centred_on(self.extent[1] / 2, self.extent[0] / 2, scale)

    def centred_on(self, x: float, y: float, scale: float | None = None) -> ViewState:
        """The source point (x, y) in the middle of the canvas."""
        scale = self.clamped_scale(self.scale if scale is None else scale)
        u, v = self.centre
        return replace(self, origin=(x - u / scale, y - v / scale), scale=scale, follow=None)

    def framed(self, x0: float, y0: float, x1: float, y1: float) -> ViewState:
        """A source rectangle in the middle, as large as the canvas and the closest zoom allow: all of it is in view."""
        scale = min(self.size[0] / max(x1 - x0, 1e-9), self.size[1] / max(y1 - y0, 1e-9))
        return self.centred_on((x0 + x1) / 2, (y0 + y1) / 2, scale)

    def fit(self) -> ViewState:
        """The whole picture, as large as the canvas allows."""
        return replace(self.centred(self.fit_scale), follow="fit")

    def fill(self) -> ViewState:
        """As small as it can be with the canvas covered, centred."""
        return replace(self.centred(self.fill_scale), follow="fill")

    def resized(self, size: tuple[int, int]) -> ViewState:
        """The canvas has a new size: the source point in its middle stays; fitted views refit."""
        size = (max(1, size[0]), max(1, size[1]))
        if size == self.size:
            return self
        x, y = self.to_source(*self.centre)
        state = replace(self, size=size)
        if self.follow == "fit":
            return state.fit()
        if self.follow == "fill":
            return state.fill()
        moved = state.centred_on(x, y)
        return moved.aligned() if self.is_aligned else moved

    # ---- keeping the picture reachable --------------------------------------------------------

    def _visible(self, factor: float) -> tuple[float, float]:
        """How many device pixels of the picture must stay visible per axis after a command."""
        height, width = self.extent
        spans = ((self.origin[0], width, self.size[0]), (self.origin[1], height, self.size[1]))
        seen = []
        for origin, length, room in spans:
            start = -origin * self.scale
            seen.append(max(0.0, min(room, start + length * self.scale) - max(0.0, start)) * factor)
        return seen[0], seen[1]

    def _kept_in_view(self, visible: tuple[float, float]) -> ViewState:
        height, width = self.extent
        origin = (
            self._clamp_axis(self.origin[0], width, self.size[0], visible[0]),
            self._clamp_axis(self.origin[1], height, self.size[1], visible[1]),
        )
        return self if origin == self.origin else replace(self, origin=origin)

    def _clamp_axis(self, origin: float, length: int, room: int, visible: float) -> float:
        shown = length * self.scale
        keep = min(PAN_MARGIN, shown, room, visible)
        start = -origin * self.scale
        low, high = keep - shown, room - keep
        slack = 1e-6  # so that rounding alone never moves a view that lies on its limit
        if start < low - slack:
            return -low / self.scale
        if start > high + slack:
            return -high / self.scale
        return origin


def _pixels(origin: float, length: int, scale: float) -> tuple[int, int]:
    """Device pixels whose centres lie on [0, length) of one axis; at least one."""
    start, stop = -origin * scale, (length - origin) * scale
    first, last = math.ceil(start - 0.5 - 1e-9), math.ceil(stop - 0.5 - 1e-9)
    if last <= first:
        first = math.floor(start)
        last = first + 1
    return first, last
