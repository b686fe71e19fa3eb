"""Pages drawn by ourselves, exact where photographs are not: text, line art, interfaces, test charts, dead leaves."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from gaussian_core.training.dead_leaves import Colour, any_colour, leaves

LETTERS = "etaoinshrdlucmfwypvbgkqjxzETAOINSHRDLUCMFWYPVBGKQJXZ0123456789"
MARKS = ".,:;!?()[]{}<>+-=*/&%$#@\"'"
FONT_FOLDERS = ("/usr/share/fonts", "/Library/Fonts", "/System/Library/Fonts", "C:/Windows/Fonts")


@lru_cache(1)
def fonts() -> Sequence[str]:
    """Scalable fonts of this machine, sorted; empty where there are none (Pillow's own is used then)."""
    found: list[str] = []
    for folder in FONT_FOLDERS:
        found += [str(p) for p in sorted(Path(folder).rglob("*.ttf")) if "Fallback" not in p.name]
    return found


def _font(rng: random.Random, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    names = fonts()
    return ImageFont.truetype(rng.choice(names), size) if names else ImageFont.load_default(size)


def _words(rng: random.Random, count: int) -> str:
    words = []
    for _ in range(count):
        word = "".join(
            rng.choice(LETTERS[: rng.choice((20, 26, 62))]) for _ in range(rng.randint(1, 10))
        )
        words.append(word + (rng.choice(MARKS) if rng.random() < 0.2 else ""))
    return " ".join(words)


def _colours(rng: random.Random) -> tuple[Colour, Colour]:
    """Background and ink that can be told apart, often black on white or white on black."""
    kind = rng.random()
    if kind < 0.3:
        return (255, 255, 255), (0, 0, 0)
    if kind < 0.4:
        return (20, 20, 24), (235, 235, 235)
    while True:
        a, b = any_colour(rng), any_colour(rng)
        if abs(sum(a) - sum(b)) > 200:
            return a, b


def page(seed: int, size: int = 512) -> NDArray[np.uint8]:
    """One picture (size, size, 3) of text, lines and shapes; the same for the same seed, Pillow and fonts."""
    rng = random.Random(seed)
    kind = rng.choice(("text", "text", "lines", "interface", "weave", *["leaves"] * 8))
    if kind == "leaves":
        return leaves(rng, size)
    if kind == "weave":
        return _weave(rng, size)
    factor = (
        1 if kind == "text" else 4
    )  # Pillow smooths text, but not shapes: these are drawn larger and averaged
    side = size * factor
    ground, ink = _colours(rng)
    image = Image.new("RGB", (side, side), ground)
    draw = ImageDraw.Draw(image)
    if kind == "text":
        _text(rng, draw, side, ink)
    elif kind == "lines":
        _lines(rng, draw, side, ink)
    else:
        _interface(rng, draw, side, ink)
    if factor > 1:
        image = image.resize((size, size), Image.Resampling.BOX)
    return np.asarray(image)


def _weave(rng: random.Random, size: int) -> NDArray[np.uint8]:
    """Checkerboards and stripes with periods down to one pixel each way: dithering, grids, test charts."""
    ys, xs = np.mgrid[:size, :size]
    out = np.empty((size, size, 3), np.uint8)
    out[:] = _colours(rng)[0]
    for _ in range(rng.randint(10, 30)):
        x, y = rng.randrange(-40, size), rng.randrange(-40, size)
        w, h = rng.randint(6, 140), rng.randint(6, 140)
        across, down = (rng.choice((1, 1, 1, 2, 2, 3, 4, 6)) for _ in range(2))
        columns, rows = xs // across % 2, ys // down % 2
        pattern = rng.choice((columns ^ rows, columns, rows, columns & rows))
        colours = np.array(_colours(rng), np.uint8)
        part = (slice(max(y, 0), max(y + h, 0)), slice(max(x, 0), max(x + w, 0)))
        out[part] = colours[pattern[part]]
    return out


def _text(rng: random.Random, draw: ImageDraw.ImageDraw, side: int, ink: Colour) -> None:
    y = rng.randint(-10, 10)
    while y < side:
        size = round(8 * 2 ** rng.uniform(0.3, 3.2))
        x = rng.randint(-20, 30)
        draw.text((x, y), _words(rng, 2 + side // (3 * size)), fill=ink, font=_font(rng, size))
        y += round(size * rng.uniform(1.1, 1.7))


def _lines(rng: random.Random, draw: ImageDraw.ImageDraw, side: int, ink: Colour) -> None:
    for _ in range(rng.randint(15, 60)):
        a, b, c, d = (rng.uniform(-0.1, 1.1) * side for _ in range(4))
        box = (min(a, c), min(b, d), max(a, c), max(b, d))
        colour = ink if rng.random() < 0.6 else any_colour(rng)
        width = round(4 * 2 ** rng.uniform(0, 4))
        shape = rng.random()
        if shape < 0.45:
            draw.line((a, b, c, d), fill=colour, width=width)
        elif shape < 0.7:
            draw.arc(box, rng.uniform(0, 360), rng.uniform(0, 360), fill=colour, width=width)
        elif shape < 0.85:
            points = [(rng.uniform(0, side), rng.uniform(0, side)) for _ in range(3)]
            draw.polygon(points, fill=colour)
        else:
            draw.ellipse(box, outline=colour, width=width)


def _interface(rng: random.Random, draw: ImageDraw.ImageDraw, side: int, ink: Colour) -> None:
    for _ in range(rng.randint(8, 24)):
        x, y = rng.uniform(0, 0.9) * side, rng.uniform(0, 0.9) * side
        w, h = rng.uniform(0.05, 0.5) * side, rng.uniform(0.03, 0.2) * side
        ground, label = _colours(rng)
        radius = rng.choice((0, 0.2, 0.5)) * min(w, h)
        draw.rounded_rectangle(
            (x, y, x + w, y + h), radius, fill=ground, outline=ink, width=rng.choice((0, 4, 8))
        )
        size = max(24, round(h * rng.uniform(0.3, 0.7)))
        draw.text((x + 0.1 * w, y + 0.1 * h), _words(rng, 3), fill=label, font=_font(rng, size))
