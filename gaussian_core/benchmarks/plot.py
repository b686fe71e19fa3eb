"""Curves as a picture: one panel for each, both axes logarithmic."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from gaussian_core.benchmarks.curves import Curve
from gaussian_core.writing.atomic import whole_file

PANEL = (640, 400)
COLUMNS = 2
LEFT, TOP, RIGHT, BOTTOM = 76, 44, 24, 52
INK, FAINT, LINE = (30, 30, 34), (214, 214, 220), (20, 100, 190)


def plot_curves(path: Path, curves: Sequence[Curve]) -> None:
    """Write a PNG. Without curves it says that there are none."""
    rows = max(1, -(-len(curves) // COLUMNS))
    image = Image.new(
        "RGB", (PANEL[0] * min(COLUMNS, max(1, len(curves))), PANEL[1] * rows), "white"
    )
    draw = ImageDraw.Draw(image)
    if not curves:
        draw.text((PANEL[0] / 2, PANEL[1] / 2), "no curves were measured", INK, _font(16), "mm")
    for number, curve in enumerate(curves):
        _panel(draw, curve, number % COLUMNS * PANEL[0], number // COLUMNS * PANEL[1])
    with whole_file(path) as temporary:
        image.save(temporary, "PNG")


def _panel(draw: ImageDraw.ImageDraw, curve: Curve, left: int, top: int) -> None:
    x_axis = _Axis(curve.xs, left + LEFT, left + PANEL[0] - RIGHT)
    # At least a decade high, so that what is flat looks flat.
    y_axis = _Axis(curve.ys, top + PANEL[1] - BOTTOM, top + TOP, least=1.0)
    draw.text((left + LEFT, top + 14), f"{curve.name}, {curve.y_title}", INK, _font(16))
    for value in x_axis.ticks:
        u = x_axis.place(value)
        draw.line((u, y_axis.first, u, y_axis.last), FAINT)
        draw.text((u, y_axis.first + 8), f"{value:g}", INK, _font(13), "ma")
    for value in y_axis.ticks:
        v = y_axis.place(value)
        draw.line((x_axis.first, v, x_axis.last, v), FAINT)
        draw.text((x_axis.first - 8, v), f"{value:g}", INK, _font(13), "rm")
    middle = (x_axis.first + x_axis.last) / 2
    draw.text((middle, top + PANEL[1] - 22), curve.x_title, INK, _font(13), "ma")
    points = [(x_axis.place(x), y_axis.place(y)) for x, y in zip(curve.xs, curve.ys, strict=True)]
    draw.line(points, LINE, 3)
    for (u, v), y in zip(points, curve.ys, strict=True):
        draw.ellipse((u - 4, v - 4, u + 4, v + 4), LINE)
        draw.text((u, v - 8), f"{y:.3g}", INK, _font(12), "mb")


class _Axis:
    """Logarithmic, from one pixel to another. least: decades that it spans at least, about the middle."""

    def __init__(self, values: Sequence[float], first: float, last: float, least: float = 0.0):
        self.first, self.last = first, last
        low, high = math.log10(min(values)), math.log10(max(values))
        room = max(0.05 * (high - low), (least - (high - low)) / 2, 0.02)
        self._low, self._high = low - room, high + room

    def place(self, value: float) -> float:
        share = (math.log10(value) - self._low) / (self._high - self._low)
        return self.first + share * (self.last - self.first)

    @property
    def ticks(self) -> list[float]:
        """1, 2 and 5 times the powers of ten."""
        powers = range(math.floor(self._low), math.ceil(self._high) + 1)
        marks = [mark * 10.0**power for power in powers for mark in (1, 2, 5)]
        return [mark for mark in marks if self._low <= math.log10(mark) <= self._high]


def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)
