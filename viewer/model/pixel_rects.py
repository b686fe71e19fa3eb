"""Rectangles of pixels: (left, top, right, bottom), the last column and row excluded. They are the screen's, but where
the source is named."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TypeVar

PixelRect = tuple[int, int, int, int]
N = TypeVar("N", int, float)


def area(rect: tuple[N, N, N, N]) -> N:
    """How many pixels are in it; 0 where it is empty. Of one in source pixels, too."""
    left, top, right, bottom = rect
    return max(0, right - left) * max(0, bottom - top)


def is_empty(rect: PixelRect) -> bool:
    return rect[2] <= rect[0] or rect[3] <= rect[1]


def common(a: tuple[N, N, N, N], b: tuple[N, N, N, N]) -> tuple[N, N, N, N]:
    """What is in both; may be empty. Of two in source pixels, too."""
    return max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])


def moved(rect: PixelRect, by: tuple[int, int]) -> PixelRect:
    return rect[0] + by[0], rect[1] + by[1], rect[2] + by[0], rect[3] + by[1]


def grown(rect: tuple[N, N, N, N], by: N) -> tuple[N, N, N, N]:
    """Wider and higher by so much on each side. Of one in source pixels, too."""
    return rect[0] - by, rect[1] - by, rect[2] + by, rect[3] + by


def source_pixels(
    rect: tuple[float, float, float, float], extent: tuple[int, int]
) -> tuple[int, int, int, int]:
    """The pixels that a rectangle in source coordinates touches, of a picture of that extent, (height, width); may be
    empty."""
    height, width = extent
    x0, y0, x1, y1 = rect
    return (
        max(math.floor(x0), 0),
        max(math.floor(y0), 0),
        min(math.ceil(x1), width),
        min(math.ceil(y1), height),
    )


def around(outer: PixelRect, inner: PixelRect) -> list[PixelRect]:
    """Rectangles that cover `outer` without `inner`: rows above and below, then the two sides."""
    strips = [
        (outer[0], outer[1], outer[2], inner[1]),
        (outer[0], inner[3], outer[2], outer[3]),
        (outer[0], inner[1], inner[0], inner[3]),
        (inner[2], inner[1], outer[2], inner[3]),
    ]
    return [strip for strip in strips if not is_empty(strip)]


def without(rects: Iterable[PixelRect], holes: Iterable[PixelRect]) -> list[PixelRect]:
    """Rectangles that cover `rects` without the holes, which may reach beyond them."""
    pieces = list(rects)
    for hole in holes:
        pieces = [part for piece in pieces for part in _without(piece, hole)]
    return pieces


def _without(rect: PixelRect, hole: PixelRect) -> list[PixelRect]:
    inner = common(rect, hole)
    return [rect] if is_empty(inner) else around(rect, inner)


def joined(rects: Iterable[PixelRect]) -> list[PixelRect]:
    """Disjoint rectangles with neighbours joined, along rows and then down: fewer and larger ones."""
    pieces = list(rects)
    for near, far, low, high in ((0, 2, 1, 3), (1, 3, 0, 2)):
        pieces.sort(key=lambda r: (r[low], r[high], r[near]))
        out: list[PixelRect] = []
        for rect in pieces:
            if out:
                last = out[-1]
                if last[low] == rect[low] and last[high] == rect[high] and last[far] == rect[near]:
                    longer = list(last)
                    longer[far] = rect[far]
                    out[-1] = (longer[0], longer[1], longer[2], longer[3])
                    continue
            out.append(rect)
        pieces = out
    return pieces
