"""The paper that a comparison figure is put on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gaussian_core.comparison.layout import NAME_LINES, Box, Caption, Layout

if TYPE_CHECKING:
    from gaussian_core.comparison.lettering import Lettering

Bytes = NDArray[np.uint8]
Rect = tuple[float, float, float, float]

PAPER, INK, SOFT, LINE = (255, 255, 255), (20, 20, 22), (95, 97, 102), (205, 207, 211)
MARK = (225, 25, 30)
"""Of the region in the whole picture."""
LEAST_MARK = 5
"""Pixels: a side of what the mark is drawn around."""


class Sheet:
    """Takes each part of a figure to its place."""

    def __init__(self, layout: Layout) -> None:
        from PIL import Image, ImageDraw

        self._layout = layout
        self._image = Image.new("RGB", layout.size, PAPER)
        self._draw = ImageDraw.Draw(self._image)

    @property
    def pixels(self) -> Bytes:
        """(height, width, 3) of the figure."""
        return np.asarray(self._image)

    def put_crop(self, number: int, crop: Bytes, caption: Caption) -> None:
        """crop: (h, w, 3), as it is."""
        layout, letters = self._layout, self._layout.letters
        self._paste(crop, layout.crops[number])
        middle, y = layout.captions[number]
        names = letters.wrapped(caption.name, layout.column, NAME_LINES)
        for line in names:
            self._write(line, (middle - letters.width(line) // 2, y), letters, INK)
            y += letters.line
        if caption.figures:
            x = middle - letters.width(caption.figures) // 2
            self._write(caption.figures, (x, y), letters, SOFT)

    def put_overview(self, pixels: Bytes, region: Rect) -> None:
        """pixels: (h, w, 3) of the whole picture. region: (x0, y0, x1, y1) in it, which is marked."""
        box = self._layout.overview
        assert box is not None
        self._paste(pixels, box)
        mark = _grown(region, pixels.shape[1], pixels.shape[0])
        inside = mark[0] + box[0], mark[1] + box[1], mark[2] + box[0], mark[3] + box[1]
        line = max(2, round(self._layout.letters.size / 9))
        self._frame(inside, line + 2, PAPER, 1)  # so that the mark is seen on red
        self._frame(inside, line, MARK)

    def put_footnote(self) -> None:
        x, y = self._layout.footnote
        for line in self._layout.footnote_lines:
            self._write(line, (x, y), self._layout.small, SOFT)
            y += self._layout.small.line

    def _paste(self, pixels: Bytes, box: Box) -> None:
        from PIL import Image

        assert pixels.shape == (box[3] - box[1], box[2] - box[0], 3)
        self._image.paste(Image.fromarray(pixels), box[:2])
        self._frame(box, 1, LINE)  # what is white is seen to end there

    def _frame(self, box: Box, width: int, colour: tuple[int, int, int], inwards: int = 0) -> None:
        """Around a box: none of its pixels but `inwards` to each side."""
        x0, y0, x1, y1 = box
        self._draw.rectangle(
            (x0 - width + inwards, y0 - width + inwards, x1 + width - inwards - 1, y1 + width - inwards - 1),
            outline=colour,
            width=width,
        )  # fmt: skip

    def _write(
        self, text: str, at: tuple[int, int], letters: Lettering, colour: Sequence[int]
    ) -> None:
        self._draw.text(at, text, fill=tuple(colour), font=letters.font)


def _grown(region: Rect, width: int, height: int) -> Box:
    """Whole pixels of the picture that hold the region, and enough of them to be seen."""
    x0, x1 = _axis(region[0], region[2], width)
    y0, y1 = _axis(region[1], region[3], height)
    return x0, y0, x1, y1


def _axis(first: float, end: float, length: int) -> tuple[int, int]:
    start, stop = int(first), -int(-end // 1)
    lacking = LEAST_MARK - (stop - start)
    if lacking > 0:
        start -= lacking // 2
        stop = start + LEAST_MARK
    start = max(0, min(start, length - (stop - start)))
    return start, min(stop, length)
