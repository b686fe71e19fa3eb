"""What a moving view costs its user: frames, delays and coarseness by band of zoom. No Qt.

A recorder is told what happened and when; the report is distributions, never means, since what disturbs is the tail.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from viewer.model.frames.frame import Frame
from viewer.model.view.view_state import ViewState

BANDS = ((0.0, 1.0), (1.0, 2.0), (2.0, 4.0), (4.0, 16.0), (16.0, 64.0), (64.0, math.inf))
"""Device pixels per source pixel: from the first to below the second."""

PAUSE = 0.25
"""Seconds between two inputs from which the movement counts as interrupted: no frame is missing in a pause."""


def band_name(band: tuple[float, float]) -> str:
    low, high = band
    if low == 0:
        return "below 1x"
    return f"{low:g}x and closer" if high == math.inf else f"{low:g}x to {high:g}x"


@dataclass(frozen=True)
class Distribution:
    """Of some milliseconds. count 0: nothing was measured and the figures are NaN."""

    count: int
    median: float
    p90: float
    p99: float
    worst: float

    @classmethod
    def of(cls, milliseconds: Sequence[float]) -> Distribution:
        if not milliseconds:
            return cls(0, *4 * (math.nan,))
        median, p90, p99 = (float(v) for v in np.percentile(milliseconds, (50, 90, 99)))
        return cls(len(milliseconds), median, p90, p99, max(milliseconds))

    def as_text(self) -> str:
        if not self.count:
            return f"{'-':>28}"
        return "".join(f"{value:7.1f}" for value in (self.median, self.p90, self.p99, self.worst))

    def as_data(self) -> dict[str, float | int]:
        if not self.count:
            return {"count": 0}
        values = {"median": self.median, "p90": self.p90, "p99": self.p99, "worst": self.worst}
        return {"count": self.count, **{name: round(value, 3) for name, value in values.items()}}


@dataclass
class Band:
    """What was seen at the scales of one band, milliseconds.

    frame: rendering. interval: from one new frame on screen to the next while the view moves. delay: from an input to
    the paint that shows the view moved by it. fresh: from an input to the paint that shows a frame rendered for it or
    for a later one. paint: one paint event. rest: from the last input of a movement to the exact frame on screen.
    frames, coarse: how many were shown, and how many of them coarser than the screen.
    """

    frame: list[float] = field(default_factory=list)
    interval: list[float] = field(default_factory=list)
    delay: list[float] = field(default_factory=list)
    fresh: list[float] = field(default_factory=list)
    paint: list[float] = field(default_factory=list)
    rest: list[float] = field(default_factory=list)
    frames: int = 0
    coarse: int = 0


MEASURES = {
    "frame": "rendering a frame",
    "interval": "new frame to new frame",
    "delay": "input to paint",
    "fresh": "input to its own frame",
    "paint": "painting",
    "rest": "rest to exact",
}


@dataclass(frozen=True)
class _Input:
    at: float
    scale: float


class Recorder:
    """Told of inputs, frames and paints in the order in which they happen. Times in seconds, on one clock."""

    def __init__(self) -> None:
        self.bands = {band: Band() for band in BANDS}
        self._numbers: dict[ViewState, int] = {}  # of the input that led to a view
        self._inputs: list[_Input] = []
        self._unpainted: list[_Input] = []
        self._stale: list[tuple[int, _Input]] = []  # inputs that no frame has answered yet
        self._frame: Frame | None = None  # shown and not painted yet
        self._last_new: float | None = None
        self._rested: _Input | None = None

    def input(self, at: float, view: ViewState) -> None:
        """An input was due at that time; it has led to this view."""
        now = _Input(at, view.scale)
        if self._inputs and at - self._inputs[-1].at > PAUSE:
            self._last_new = None
        self._numbers[view] = len(self._inputs)
        self._stale.append((len(self._inputs), now))
        self._inputs.append(now)
        self._unpainted.append(now)
        self._rested = None

    def frame(self, frame: Frame) -> None:
        """A frame is about to be painted."""
        band = self._band(frame.view.scale)
        band.frame.append(frame.ms)
        band.frames += 1
        band.coarse += not frame.exact
        self._frame = frame

    def rest(self) -> None:
        """The movement is over with the last input."""
        self._rested = self._inputs[-1] if self._inputs else None

    @property
    def settled(self) -> bool:
        """Whether the exact frame of the view at rest is on screen."""
        return self._rested is None and not self._unpainted

    def painted(self, at: float, seconds: float, view: ViewState) -> None:
        """A paint has ended; it took that long and showed that view."""
        self._band(view.scale).paint.append(1e3 * seconds)
        for earlier in self._unpainted:
            self._band(earlier.scale).delay.append(1e3 * (at - earlier.at))
        self._unpainted.clear()
        frame, self._frame = self._frame, None
        if frame is None:
            return
        moving = bool(self._inputs) and at - self._inputs[-1].at < PAUSE
        if self._last_new is not None and moving:
            self._band(frame.view.scale).interval.append(1e3 * (at - self._last_new))
        self._last_new = at
        number = self._numbers.get(frame.view, -1)
        for order, answered in self._stale:
            if order <= number:
                self._band(answered.scale).fresh.append(1e3 * (at - answered.at))
        self._stale = [item for item in self._stale if item[0] > number]
        if self._rested is not None and frame.exact and frame.view == view:
            self._band(view.scale).rest.append(1e3 * (at - self._rested.at))
            self._rested = None
            self._last_new = None

    def _band(self, scale: float) -> Band:
        return next(band for (low, high), band in self.bands.items() if low <= scale < high)

    # ---- report -------------------------------------------------------------------------------

    def over(self, measure: str, bands: Iterable[tuple[float, float]] = BANDS) -> Distribution:
        """A measure over some bands together."""
        return Distribution.of([ms for band in bands for ms in getattr(self.bands[band], measure)])

    def as_data(self) -> list[dict[str, object]]:
        return [
            {
                "from": low,
                "to": None if high == math.inf else high,
                "frames": band.frames,
                "coarse": band.coarse,
                **{name: Distribution.of(getattr(band, name)).as_data() for name in MEASURES},
            }
            for (low, high), band in self.bands.items()
        ]

    def as_text(self) -> str:
        """A table for each measure: a line for each band."""
        lines = []
        for name, title in MEASURES.items():
            head = "".join(f"{word:>7}" for word in ("median", "p90", "p99", "worst"))
            lines.append(f"{title + ', ms':<30}{'count':>7}{head}")
            for key, band in self.bands.items():
                values = Distribution.of(getattr(band, name))
                lines.append(f"  {band_name(key):<28}{values.count:>7}{values.as_text()}")
        lines.append("coarse frames")
        for key, band in self.bands.items():
            share = f"{100 * band.coarse / band.frames:.0f} %" if band.frames else "-"
            lines.append(f"  {band_name(key):<28}{band.frames:>7}{share:>7}")
        return "\n".join(lines)
