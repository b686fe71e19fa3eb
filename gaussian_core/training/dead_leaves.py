"""Dead leaves: shapes of all sizes that hide each other, as objects in photographs do, drawn exactly.

The occlusion model of Lee, Mumford and Huang (2001), whose statistics are near those of natural pictures; networks that
restore photographs have been trained on it alone (Achddou, Gousseau and Ladjal 2021). Here it adds clean, curved,
strong edges at every size, of which photographs kept as JPEG have few.
"""

from __future__ import annotations

import math
import random

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Colour = tuple[int, int, int]
Point = tuple[float, float]
FACTOR = 4  # drawn that much larger and averaged, which smooths the edges


def leaves(rng: random.Random, size: int) -> NDArray[np.uint8]:
    """One picture (size, size, 3) of shapes with radii between some 2 and 160 pixels by a power law."""
    side = size * FACTOR
    palette = [any_colour(rng) for _ in range(rng.randint(2, 6))]
    palette += [(12, 12, 14), (240, 240, 235)]
    image = Image.new("RGB", (side, side), _near(rng, palette))
    draw = ImageDraw.Draw(image)
    smallest, largest = rng.uniform(1.5, 6) * FACTOR, rng.uniform(40, 160) * FACTOR
    power = rng.uniform(1.2, 2.2)  # the density of radii falls as r^-(power + 1)
    for _ in range(rng.randint(500, 2500)):
        steep = smallest**-power + rng.random() * (largest**-power - smallest**-power)
        radius = steep ** (-1 / power)
        outline = _outline(rng, radius, side)
        if rng.random() < 0.15:
            width = max(2, int(min(0.4 * radius, rng.uniform(0.5, 5) * FACTOR)))
            draw.line([*outline, outline[0]], fill=_near(rng, palette), width=width, joint="curve")
        else:
            rim = _near(rng, palette) if rng.random() < 0.2 else None
            width = max(2, int(rng.uniform(0.5, 4) * FACTOR))
            draw.polygon(outline, fill=_near(rng, palette), outline=rim, width=width)
    if rng.random() < 0.4:  # as through a lens
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.15, 0.9) * FACTOR))
    image = image.resize((size, size), Image.Resampling.BOX)
    return _shaded(rng, np.asarray(image))


def _outline(rng: random.Random, radius: float, side: int) -> list[Point]:
    """A polygon, an ellipse or a wavy blob, somewhere, turned and stretched."""
    x, y = rng.uniform(-0.05, 1.05) * side, rng.uniform(-0.05, 1.05) * side
    turn, stretch, kind = rng.uniform(0, math.tau), math.exp(rng.gauss(0, 0.5)), rng.random()
    waves: list[tuple[float, float, int]] = []
    if kind < 0.25:
        angles = sorted(rng.uniform(0, math.tau) for _ in range(rng.choice((3, 4, 4, 5))))
    else:
        count = max(8, min(64, int(radius / 3)))
        angles = [math.tau * i / count for i in range(count)]
        if kind < 0.7:
            waves = [(rng.gauss(0, 0.25) / n, rng.uniform(0, math.tau), n) for n in (2, 3, 4, 5)]
    points = []
    for angle in angles:
        r = radius * (1 + sum(a * math.cos(n * angle + phase) for a, phase, n in waves))
        u, v = r * math.cos(angle) * stretch, r * math.sin(angle) / stretch
        cos, sin = math.cos(turn), math.sin(turn)
        points.append((x + u * cos - v * sin, y + u * sin + v * cos))
    return points


def _shaded(rng: random.Random, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Under uneven light, sometimes with a sensor's noise."""
    numbers = np.random.default_rng(rng.randrange(2**32))
    height, width = pixels.shape[:2]
    light = Image.fromarray(numbers.uniform(0.6, 1.2, (6, 6)).astype(np.float32))
    shade = np.asarray(light.resize((width, height), Image.Resampling.BICUBIC))
    noise = numbers.normal(0, rng.choice((0.0, 0.0, 1.0)), pixels.shape)
    return np.clip(np.round(pixels * shade[..., None] + noise), 0, 255).astype(np.uint8)


def any_colour(rng: random.Random) -> Colour:
    return rng.randrange(256), rng.randrange(256), rng.randrange(256)


def _near(rng: random.Random, palette: list[Colour]) -> Colour:
    spread = rng.uniform(0, 40)
    red, green, blue = (
        min(255, max(0, int(v + rng.uniform(-spread, spread)))) for v in rng.choice(palette)
    )
    return red, green, blue
