"""Text on a figure: in the font that comes with Pillow, so that a figure looks alike everywhere."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

SPELLED = str.maketrans({"×": "x", "–": "-", "—": "-", "∞": "exact", "ß": "ss"})
UNKNOWN = "?"
CUT = "..."


class Lettering:
    """Letters of one size, pixels."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.line = round(1.3 * size)
        """From one line to the next, pixels."""
        self.font = _font(size)

    def width(self, text: str) -> int:
        """Of a line, pixels."""
        return -int(-self.font.getlength(text) // 1)

    def wrapped(self, text: str, width: int, most: int) -> list[str]:
        """Lines that are no wider than `width`, `most` of them: what is too long loses its middle."""
        lines: list[str] = []
        for word in text.split():
            longer = f"{lines[-1]} {word}" if lines else word
            if lines and (self.width(longer) <= width or len(lines) == most):
                lines[-1] = longer
            else:
                lines.append(word)
        return [self._cut(line, width) for line in lines]

    def _cut(self, line: str, width: int) -> str:
        if self.width(line) <= width:
            return line
        kept = len(line)
        while kept > 1:
            kept -= 1
            shorter = line[: -(-kept // 2)] + CUT + line[len(line) - kept // 2 :]
            if self.width(shorter) <= width:
                return shorter
        return line[:1]


def legible(text: str) -> str:
    """In letters that the font has: without accents, and a question mark for each that is of another script."""
    plain = unicodedata.normalize("NFKD", text.translate(SPELLED))
    letters = (c for c in plain if not unicodedata.combining(c))
    return "".join(c if c.isascii() and c.isprintable() else UNKNOWN for c in letters)


@cache
def _font(size: int) -> FreeTypeFont:
    from PIL import ImageFont

    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)  # it is, where a size is given
    return font
