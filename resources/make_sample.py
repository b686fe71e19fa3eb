"""Draw resources/sample.png, the picture that opens when none is named: `python -m resources.make_sample`.

A chart worth zooming into: a landscape and an eye (scenery.py), small print, a Siemens star, a zone plate, line fans,
curves, ramps and checks. Everything is drawn four times as large and averaged down. The fonts are the system's; with
others the print looks different, the rest does not.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from resources import scenery
from resources.scenery import Array

SIZE = (1200, 800)
OVER = 4
MARGIN, GAP = 16, 16
INK, PAPER, NIGHT, SLATE = (28, 32, 40), (246, 243, 236), (17, 20, 27), (24, 28, 40)
Draw = Callable[[int, int], Array]

FONTS = {
    "serif": ("DejaVuSerif.ttf", "P052-Roman.otf", "LiberationSerif-Regular.ttf"),
    "sans": ("DejaVuSans.ttf", "NimbusSans-Regular.otf", "LiberationSans-Regular.ttf"),
    "bold": ("DejaVuSans-Bold.ttf", "NimbusSans-Bold.otf", "LiberationSans-Bold.ttf"),
    "italic": ("P052-Italic.otf", "DejaVuSerif-Italic.ttf", "LiberationSerif-Italic.ttf"),
    "mono": ("DejaVuSansMono.ttf", "NimbusMonoPS-Regular.otf", "LiberationMono-Regular.ttf"),
}


def font(kind: str, pixels: float) -> ImageFont.FreeTypeFont:
    """A font of the system at a size in output pixels."""
    for name in FONTS[kind]:
        try:
            return ImageFont.truetype(name, pixels * OVER)
        except OSError:
            continue
    raise SystemExit(f"none of these fonts is installed: {', '.join(FONTS[kind])}")


def grid(width: int, height: int) -> tuple[Array, Array]:
    """x and y of every pixel in output pixels, from the middle."""
    y, x = np.mgrid[0:height, 0:width] + 0.5
    return (x - width / 2) / OVER, (y - height / 2) / OVER


def two_tone(t: Array) -> Array:
    """From INK at 0 to PAPER at 1."""
    a, b = (np.array(c, np.float64) / 255 for c in (INK, PAPER))
    return a + (b - a) * t[..., None]


def siemens_star(width: int, height: int) -> Array:
    x, y = grid(width, height)
    spokes = (np.sin(36 * np.arctan2(y, x)) > 0).astype(np.float64)
    radius = np.hypot(x, y)
    spokes[radius > 98] = 1
    spokes[np.abs(radius - 98) < 0.75] = 0
    spokes[np.abs(radius - 49) < 0.5] = 0
    return two_tone(spokes)


def zone_plate(width: int, height: int) -> Array:
    """cos(k r^2): the stripes are as fine as pixels can hold just at the sides' middles."""
    x, y = grid(width, height)
    edge = min(width, height) / OVER / 2
    phase = (x * x + y * y) * math.pi / (2 * edge)
    return two_tone(0.5 + 0.5 * np.cos(phase))


def on_paper(width: int, height: int, colour: tuple[int, int, int] = PAPER) -> Image.Image:
    return Image.new("RGB", (width, height), colour)


def as_array(image: Image.Image) -> Array:
    return np.asarray(image, np.float64) / 255


def line_fans(width: int, height: int) -> Array:
    image = on_paper(width, height)
    draw = ImageDraw.Draw(image)
    for k in range(31):  # from one corner, 90 degrees apart in all
        a = math.radians(3 * k)
        reach = 2 * width
        draw.line((0, 0, reach * math.cos(a), reach * math.sin(a)), INK, round(0.8 * OVER))
    draw.pieslice((-60 * OVER, -60 * OVER, 60 * OVER, 60 * OVER), 0, 90, fill=PAPER)
    right, bottom = width, height
    for k in range(41):
        t = k / 40
        colour = tuple(
            int(255 * c) for c in scenery.ramp(np.array(t), (0, "#c2352b"), (1, "#1b4f9c"))
        )
        draw.line((right, bottom * t, right * (1 - t), bottom), colour, round(0.9 * OVER))
    return as_array(image)


def curves(width: int, height: int) -> Array:
    image = on_paper(width, height, SLATE)
    draw = ImageDraw.Draw(image)
    cx, cy, size = width / 2, height / 2, 0.46 * min(width, height)
    t = np.linspace(0, 2 * math.pi, 6000)
    for k in range(9):
        shrink = 1 - 0.085 * k
        radius = size * shrink * (0.80 + 0.20 * np.cos(7 * t + 0.45 * k))
        colour = scenery.ramp(np.array(k / 8), (0, "#ff9e57"), (0.5, "#e24b7a"), (1, "#5f8bff"))
        points = np.stack([cx + radius * np.cos(t), cy + radius * np.sin(t)], axis=1)
        fill = tuple(int(255 * c) for c in colour)
        draw.line([tuple(p) for p in points], fill, round((1.7 - 0.15 * k) * OVER), joint="curve")
    inner = size * 0.16
    x, y = cx + inner * np.sin(5 * t), cy + inner * np.sin(4 * t + 0.4)
    draw.line([tuple(p) for p in np.stack([x, y], axis=1)], PAPER, round(0.6 * OVER), joint="curve")
    return as_array(image)


PRINT = (
    ("bold", 31, "Zoom in."),
    ("italic", 20, "There are no pixels, only Gaussians."),
    ("serif", 15.5, "The quick brown fox jumps over the lazy dog"),
    ("sans", 13, "Sphinx of black quartz, judge my vow. 0123456789"),
    ("serif", 11, "Pack my box with five dozen liquor jugs; & then ship it?"),
    ("mono", 10, "for (k = 0; k < n; ++k) sum += a[k] * exp(-q[k] / 2);"),
    ("sans", 9, "How vexingly quick daft zebras jump: ÄÖÜ äöü ß éèê ñ ç å æ ø œ"),
    ("serif", 7.5, "A picture is a sum of bumps, each with a place, a shape and a colour of its own."),
    ("sans", 6, "If you can read this line without zooming, your eyes are sharper than the sampling theorem."),
    ("mono", 5, "I(p) = sum a exp(-1/2 (p-m)' S^-1 (p-m))    S' = S + (k/s)^2 I    a' = a sqrt(|S|/|S'|)"),
)  # fmt: skip


def small_print(width: int, height: int) -> Array:
    image = on_paper(width, height)
    draw = ImageDraw.Draw(image)
    y = 10.0
    for kind, pixels, text in PRINT:
        draw.text((14 * OVER, y * OVER), text, fill=INK, font=font(kind, pixels))
        y += pixels * 1.28 + 4.1
    # Light on dark, and colours that hardly differ in brightness.
    top = y + 3
    draw.rectangle((0, top * OVER, width, height), fill=SLATE)

    def say(
        x: float, y: float, text: str, kind: str, pixels: float, fill: tuple[int, int, int]
    ) -> None:
        draw.text((x * OVER, y * OVER), text, fill=fill, font=font(kind, pixels))

    red, green, amber = (214, 66, 52), (46, 128, 74), (250, 202, 96)
    say(14, top + 8, "Light on dark, 9 px", "sans", 9, PAPER)
    draw.rectangle([v * OVER for v in (128, top + 5, 202, top + 22)], fill=green)
    say(134, top + 8, "red on green", "bold", 9, red)
    say(216, top + 9, "6 px  3.14159265358979323846264338327950", "mono", 6, amber)
    say(
        14, top + 26, "e = 2.718281828459045235360287471352662497757247093699959", "mono", 10, amber
    )
    return as_array(image)


def checks_and_ramps(width: int, height: int) -> Array:
    x, y = grid(width, height)
    x, y = x + width / OVER / 2, y + height / OVER / 2
    full, tall = width / OVER, height / OVER
    image = np.broadcast_to(np.array(PAPER) / 255.0, (height, width, 3)).copy()

    def band(top: float, bottom: float, colours: Array) -> None:
        inside = (y >= top) & (y < bottom)
        image[inside] = colours[inside]

    # Checks and stripes of 8, 4, 2 and 1 pixels.
    cell = 2.0 ** (3 - np.clip(np.floor(x / (full / 4)), 0, 3))
    checks = (np.floor(x / cell) + np.floor(y / cell)) % 2
    stripes = np.floor((x + y * 0.4142) / cell) % 2
    band(0, 56, two_tone(checks))
    band(56, 104, two_tone(stripes))
    grey = x / full
    band(104, 130, np.repeat(grey[..., None], 3, axis=2))
    band(130, 152, np.repeat((np.floor(grey * 16) / 15)[..., None], 3, axis=2))
    hue = np.abs((grey[..., None] * 6 + np.array([0, 4, 2])) % 6 - 3) - 1
    band(152, 190, np.clip(hue, 0, 1) * (1 - 0.6 * ((y - 152) / 38)[..., None]))
    # A sine sweep, 64 to 2 pixels a period, its contrast falling downwards.
    period = 64 * (2 / 64) ** (x / full)
    phase = 2 * math.pi * np.cumsum(1 / period, axis=1) / OVER
    contrast = np.exp(-(y - 190) / (tall - 190) * 3)
    band(190, tall, two_tone(0.5 + 0.5 * contrast * np.sin(phase)))
    return image


def cards() -> list[tuple[tuple[int, int, int, int], Draw]]:
    """(left, top, width, height) in output pixels, and what draws it."""

    def landscape(w: int, h: int) -> Array:
        return scenery.lake(np.random.default_rng(7), w, h)

    def portrait(w: int, h: int) -> Array:
        return scenery.eye(np.random.default_rng(11), w, h)

    return [
        ((16, 16, 720, 480), landscape),
        ((752, 16, 208, 232), siemens_star),
        ((976, 16, 208, 232), zone_plate),
        ((752, 264, 208, 232), line_fans),
        ((976, 264, 208, 232), curves),
        ((16, 512, 400, 272), small_print),
        ((432, 512, 304, 272), checks_and_ramps),
        ((752, 512, 432, 272), portrait),
    ]


def make_sample() -> Image.Image:
    width, height = SIZE
    sheet = np.broadcast_to(np.array(NIGHT) / 255.0, (height, width, 3)).copy()
    for (left, top, w, h), draw in cards():
        large = np.clip(draw(w * OVER, h * OVER), 0, 1)
        small = large.reshape(h, OVER, w, OVER, 3).mean(axis=(1, 3))
        sheet[top : top + h, left : left + w] = small
    return Image.fromarray(np.round(sheet * 255).astype(np.uint8))


if __name__ == "__main__":
    target = Path(__file__).with_name("sample.png")
    make_sample().save(target, optimize=True)
    print(f"{target}: {target.stat().st_size / 1024:.0f} KiB")
