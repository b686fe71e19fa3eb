"""Where everything is on a comparison figure, in whole pixels: the whole picture at the left, the crops in a grid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gaussian_core.comparison.lettering import Lettering

Box = tuple[int, int, int, int]
"""x0, y0, x1, y1, the latter excluded."""

LETTERS = (13, 56)
"""Smallest and largest size of the letters, pixels."""
OF_A_CROP = 1 / 12
"""Of the side of a crop, what its letters have: 8 points in a figure of five crops over a page's width."""
NARROWEST, WIDEST = 7, 12
"""Of a column, in sizes of its letters: where crops are narrow their names need the room."""
NAME_LINES = 2
WANTED = 2.5
"""Width by height of a grid, as near as can be."""
OVERVIEW = 0.8
"""Of the grid's width, the most that the whole picture takes; a column, where that is more."""
LEAST_OVERVIEW = 6
"""Of its height, in sizes of the letters."""


@dataclass(frozen=True)
class Caption:
    """Below a crop. name: wrapped where it is long. figures: a line that is kept whole, "" for none."""

    name: str
    figures: str = ""


@dataclass(frozen=True)
class Layout:
    """size: (width, height) of the figure. crops: of the cells, row by row, all of the crops' size. captions: (x of the
    middle, y of the top) of the text below each. column: how wide that may be. overview: of the whole picture, None
    where it is left out. footnote: (x, y) of its lines."""

    size: tuple[int, int]
    crops: tuple[Box, ...]
    captions: tuple[tuple[int, int], ...]
    column: int
    overview: Box | None
    footnote: tuple[int, int]
    footnote_lines: tuple[str, ...]
    letters: Lettering
    small: Lettering

    @property
    def gap(self) -> int:
        return gap_of(self.letters)


def gap_of(letters: Lettering) -> int:
    """Between two cells, pixels."""
    return max(8, round(0.7 * letters.size))


def layout(
    crop: tuple[int, int],
    captions: Sequence[Caption],
    footnote: str,
    columns: int | None = None,
    overview: tuple[int, int] | None = None,
    most_overview: float = math.inf,
) -> Layout:
    """crop: (width, height) of each. columns: of the grid, None: as many as make it a good shape. overview: (width,
    height) of the whole picture, which is shown at `most_overview` times that at most; None: it is not."""
    width, height = crop
    size = round(OF_A_CROP * math.sqrt(width * height))
    letters = Lettering(min(max(size, LETTERS[0]), LETTERS[1]))
    small = Lettering(max(LETTERS[0] - 1, round(0.8 * letters.size)))
    gap, pad = gap_of(letters), max(4, round(0.35 * letters.size))
    column = _column(width, captions, letters)
    lines = max(
        len(letters.wrapped(c.name, column, NAME_LINES)) + bool(c.figures) for c in captions
    )
    below = pad + lines * letters.line
    count = len(captions)
    across = min(columns or best_columns(count, (column + gap, height + below + gap)), count)
    rows = -(-count // across)
    grid = across * (column + gap) - gap, rows * (height + below + gap) - gap
    seen = None
    left = gap
    if overview is not None:
        tall = grid[1] - below  # it ends with the last row of crops, unless these are tiny
        tall = tall if tall > LEAST_OVERVIEW * letters.size else grid[1]
        most = max(column, round(OVERVIEW * grid[0])), tall
        seen = _fitted(overview, most, most_overview)
        left += seen[0] + 2 * gap
    corners = [
        (
            left + (i % across) * (column + gap),
            gap + (i // across) * (height + below + gap),
        )
        for i in range(count)
    ]
    crops = tuple(
        (x + (column - width) // 2, y, x + (column - width) // 2 + width, y + height)
        for x, y in corners
    )
    full = left + grid[0] + gap
    note_lines = tuple(small.wrapped(footnote, full - 2 * gap, len(footnote)))
    bottom = gap + grid[1] + gap
    return Layout(
        (full, bottom + len(note_lines) * small.line + (gap if note_lines else 0)),
        crops,
        tuple((x + column // 2, y + height + pad) for x, y in corners),
        column,
        None if seen is None else (gap, gap, gap + seen[0], gap + seen[1]),
        (gap, bottom),
        note_lines,
        letters,
        small,
    )


def best_columns(count: int, cell: tuple[int, int]) -> int:
    """Of a grid of that many cells of (width, height), for a good shape with few places empty."""

    def cost(columns: int) -> float:
        rows = -(-count // columns)
        shape = columns * cell[0] / (rows * cell[1])
        return abs(math.log(shape / WANTED)) + 0.5 * (rows * columns - count)

    return min(range(1, count + 1), key=cost)


def _column(width: int, captions: Sequence[Caption], letters: Lettering) -> int:
    """As wide as the crops, or as what is below them needs."""
    widest = WIDEST * letters.size
    names = max(letters.width(caption.name) for caption in captions)
    figures = max(letters.width(caption.figures) for caption in captions)
    return max(width, figures, min(max(names, NARROWEST * letters.size), widest))


def _fitted(size: tuple[int, int], most: tuple[int, int], scale: float) -> tuple[int, int]:
    """(width, height) of what has that size, as large as it may be."""
    by = min(most[0] / size[0], most[1] / size[1], scale)
    return max(1, min(round(size[0] * by), most[0])), max(1, min(round(size[1] * by), most[1]))
