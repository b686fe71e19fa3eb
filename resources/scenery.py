"""The photograph-like parts of the sample picture, from arithmetic alone: a mountain lake and a cat's eye.

Every function returns float64 sRGB-encoded (H, W, 3) in [0, 1] and takes its own random generator.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Array = NDArray[np.float64]


def rgb(text: str) -> Array:
    """'#rrggbb' as values in [0, 1]."""
    return np.array([int(text[i : i + 2], 16) for i in (1, 3, 5)], np.float64) / 255


def ramp(t: Array, *stops: tuple[float, str]) -> Array:
    """Colours along a gradient: stops are (position, '#rrggbb') with rising positions; (..., 3)."""
    places = [place for place, _ in stops]
    colours = np.stack([rgb(colour) for _, colour in stops])
    return np.stack([np.interp(t, places, colours[:, c]) for c in range(3)], axis=-1)


def smoothstep(low: float, high: float, x: Array) -> Array:
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def fractal(
    rng: np.random.Generator, shape: tuple[int, ...], slope: float, stretch: float = 1.0
) -> Array:
    """Noise whose amplitude falls as 1/frequency**slope, mean 0, deviation 1; stretch > 1 draws it out sideways."""
    axes = [np.fft.fftfreq(n) * n for n in shape]
    axes[-1] = axes[-1] * stretch * (shape[0] / shape[-1] if len(shape) == 2 else 1)
    radius = np.sqrt(sum(a**2 for a in np.meshgrid(*axes, indexing="ij")))
    spectrum = np.fft.fftn(rng.standard_normal(shape)) / np.maximum(radius, 1) ** slope
    noise = np.real(np.fft.ifftn(spectrum))
    return (noise - noise.mean()) / noise.std()


def mix(a: Array, b: Array, t: Array) -> Array:
    return a + (b - a) * t[..., None]


def lake(rng: np.random.Generator, width: int, height: int) -> Array:
    """A lake below mountains at sunrise, grass in front."""
    shore = int(height * 0.62)
    land = _sky(rng, width, shore)
    land = _mountains(rng, land)
    water = _reflection(rng, land, height - shore)
    return _grass(rng, np.concatenate([land, water]))


SUN = (0.655, 0.50)  # as shares of the width and of the sky's height


def _sky(rng: np.random.Generator, width: int, height: int) -> Array:
    v, u = np.mgrid[0:height, 0:width] / np.array([height, width]).reshape(2, 1, 1)
    sky = ramp(
        v, (0, "#1d3566"), (0.35, "#4a6aa3"), (0.6, "#a79bbd"), (0.8, "#f3b99a"), (1, "#ffd9a0")
    )
    distance = np.hypot((u - SUN[0]) * width / height, v - SUN[1])
    clouds = fractal(rng, (height, width), 1.65, stretch=4.0) + 0.22 * fractal(
        rng, (height, width), 1.1, stretch=2.0
    )
    cover = smoothstep(0.1, 1.5, clouds - 1.4 * np.abs(v - 0.42)) * 0.85
    lit = ramp(
        np.clip(v + 0.25 * np.exp(-4 * distance) - 0.05 * clouds, 0, 1),
        (0, "#6d83b5"),
        (0.45, "#d9b7c0"),
        (0.75, "#ffd2ac"),
        (1, "#fff0d0"),
    )
    sky = mix(sky, lit, cover)
    glow = 0.55 * np.exp(-7 * distance) + 0.5 * np.exp(-26 * distance)
    sky += glow[..., None] * np.array([1.0, 0.78, 0.45])
    disc = smoothstep(0.034, 0.030, distance)
    return np.clip(mix(sky, np.broadcast_to(rgb("#fffbe8"), sky.shape), disc), 0, 1)


def _mountains(rng: np.random.Generator, image: Array) -> Array:
    height, width, _ = image.shape
    rows = np.arange(height)[:, None]
    layers = (
        # base and relief as shares of the height, smoothness, colours at crest and foot, trees
        (0.66, 0.125, 1.55, "#8c8fb4", "#e8b9a2", 0),
        (0.75, 0.090, 1.45, "#666f9c", "#c79f9f", 0),
        (0.84, 0.060, 1.40, "#454f78", "#8f7f90", 0),
        (0.93, 0.035, 1.35, "#27324e", "#4a4d66", 170),
        (1.00, 0.020, 1.30, "#131c26", "#1c2530", 120),
    )
    for base, relief, slope, crest, foot, trees in layers:
        skyline = height * (base - relief * fractal(rng, (2 * width,), slope)[:width])
        if trees:
            skyline = _with_trees(rng, skyline, trees, height)
        depth = rows - skyline[None, :]
        inside = np.clip(depth + 0.5, 0, 1)
        texture = fractal(rng, (height, width), 1.75, stretch=0.8)
        # Ridges and gullies, lit from the right, where the sun is.
        gradient = (np.roll(texture, 3, axis=1) - texture) * (120 / width * 24)
        body = ramp(np.clip(depth / (height * 0.17), 0, 1), (0, crest), (1, foot))
        body += (0.03 * texture + 0.30 * np.tanh(gradient))[..., None] * (0.35 + 0.65 * body)
        rim = np.exp(-np.maximum(depth, 0) / (0.004 * height)) * 0.10
        body += rim[..., None] * np.array([1, 0.8, 0.55])
        image = mix(image, np.clip(body, 0, 1), inside)
    return image


def _with_trees(rng: np.random.Generator, skyline: Array, count: int, height: int) -> Array:
    """Pines on a ridge: their jagged outlines raise its skyline."""
    width = len(skyline)
    columns = np.arange(width)
    raised = skyline.copy()
    for centre, size in zip(
        rng.uniform(0, width, count), rng.gamma(6, 0.009 * height / 6 * 1.7, count), strict=True
    ):
        spread = size * 0.22
        away = np.abs(columns - centre) / spread
        boughs = 1 + 0.35 * np.sin(away * 16)
        top = skyline[min(int(centre), width - 1)] - size * 2
        outline = top + size * 2.6 * np.clip(away * boughs, 0, None)
        raised = np.where(away < 1.3, np.minimum(raised, outline), raised)
    return raised


def _reflection(rng: np.random.Generator, land: Array, height: int) -> Array:
    shore, width, _ = land.shape
    depth = np.arange(height)[:, None] / height
    waves = fractal(rng, (height, width), 1.0, stretch=12.0)
    rough = (0.3 + 2.2 * depth) * waves
    rows = shore - 1 - (np.arange(height)[:, None] * 1.5 + rough * height * 0.035).astype(int)
    columns = np.arange(width)[None, :] + (rough * width * 0.0025).astype(int)
    water = land[np.clip(rows, 0, shore - 1), np.clip(columns, 0, width - 1)]
    tint = ramp(np.broadcast_to(depth, (height, width)), (0, "#c9b3bb"), (1, "#20304f"))
    water = mix(water * 0.93, tint * 0.85, 0.15 + 0.5 * np.broadcast_to(depth, (height, width)))
    u = np.arange(width)[None, :] / width
    path = np.exp(-(((u - SUN[0]) / (0.02 + 0.07 * depth)) ** 2))
    sparkle = smoothstep(0.9, 2.0, fractal(rng, (height, width), 0.55, stretch=7.0) + 0.8 * path)
    water += (sparkle * path)[..., None] * np.array([1.0, 0.83, 0.6])
    return np.clip(water + 0.02 * waves[..., None], 0, 1)


def _grass(rng: np.random.Generator, image: Array) -> Array:
    height, width, _ = image.shape
    canvas = Image.fromarray((image * 255).astype(np.uint8))
    draw = ImageDraw.Draw(canvas)
    bank = 0.045 * fractal(rng, (2 * width,), 1.5)[:width]
    for near in np.linspace(0, 1, 26):
        for x in rng.uniform(-0.02, 1.02, 90) * width:
            lift = bank[int(np.clip(x, 0, width - 1))]
            edge = 0.10 * max(0.0, 1 - x / width) ** 1.5 + 0.02
            foot = height * (1.02 - (edge + lift * 0.5) * (1 - near) + 0.03 * near)
            length = height * rng.uniform(0.05, 0.13) * (0.6 + 0.5 * near)
            lean = rng.normal(0.25, 0.35)
            shade = rng.uniform(0.6, 1.25)
            colour = ramp(np.array(near), (0, "#1a2a26"), (0.6, "#2d4a25"), (1, "#4d6a25"))
            if rng.random() < 0.12:
                colour = rgb("#c9a45c") * (0.45 + 0.5 * near)
            fill = _bytes(colour * shade)
            _blade(draw, (x, foot), length, lean, width * 0.0016 * (0.7 + 0.6 * near), fill)
    for _ in range(34):
        x = rng.uniform(0, 0.62) * width
        foot = height * (1.0 - 0.09 * (1 - x / width))
        _flower(draw, rng, x, foot - height * rng.uniform(0.02, 0.07), height * 0.0075)
    return np.asarray(canvas, np.float64) / 255


def _bytes(colour: Array) -> tuple[int, int, int]:
    r, g, b = (int(v) for v in np.clip(colour * 255, 0, 255))
    return r, g, b


def _blade(
    draw: ImageDraw.ImageDraw,
    foot: tuple[float, float],
    length: float,
    lean: float,
    thick: float,
    fill: tuple[int, int, int],
) -> None:
    """A tapering leaf, bent more towards its tip."""
    left, right = [], []
    for t in np.linspace(0, 1, 7):
        x = foot[0] + lean * length * t * t
        y = foot[1] - length * t * (1 - 0.18 * lean * lean * t)
        half = thick * (1 - t) ** 0.8
        left.append((x - half, y))
        right.append((x + half, y))
    draw.polygon(left + right[::-1], fill=fill)


def _flower(
    draw: ImageDraw.ImageDraw, rng: np.random.Generator, x: float, y: float, size: float
) -> None:
    size *= rng.uniform(0.6, 1.2)
    colour = rgb(rng.choice(np.array(["#f2ecff", "#e7b3d8", "#f6dc6f"])))
    _blade(draw, (x, y + size * 7), size * 7, 0.05, size * 0.18, (44, 70, 36))
    turn = rng.uniform(0, 1)
    for k in range(7):
        a = 2 * math.pi * (k + turn) / 7
        cx, cy = x + size * 0.75 * math.cos(a), y + size * 0.6 * math.sin(a)
        r = size * 0.42
        draw.ellipse((cx - r, cy - r, cx + r, cy + r), fill=_bytes(colour * rng.uniform(0.85, 1)))
    r = size * 0.38
    draw.ellipse((x - r, y - r, x + r, y + r), fill=(226, 160, 44))


def eye(rng: np.random.Generator, width: int, height: int) -> Array:
    """A cat's eye among fur."""
    v, u = np.mgrid[0:height, 0:width].astype(np.float64)
    centre = (width * 0.5, height * 0.53)
    radius = height * 0.36
    x, y = (u - centre[0]) / radius, (v - centre[1]) / radius
    image = _iris(rng, x, y)
    # The lids: two arcs that meet in the corners, the inner corner lower.
    tilt = y + 0.16 * x
    upper = -0.86 * (1 - (np.abs(x) / 1.38) ** 2.0)
    lower = 0.84 * (1 - (np.abs(x) / 1.38) ** 2.2)
    opening = np.minimum(tilt - upper, lower - tilt)
    shadow = smoothstep(0.0, 0.75, tilt - upper)
    image *= (0.30 + 0.70 * shadow)[..., None]
    rim = smoothstep(-0.13, -0.02, opening)
    skin = np.broadcast_to(rgb("#17100e"), image.shape)
    skin = skin + smoothstep(0.05, 0.0, np.abs(opening + 0.03))[..., None] * 0.10
    image = mix(skin, image, smoothstep(-0.012, 0.012, opening))
    fur = _fur(rng, width, height, centre, radius, opening)
    return np.clip(mix(fur, image, rim), 0, 1)


def _iris(rng: np.random.Generator, x: Array, y: Array) -> Array:
    r, angle = np.hypot(x, y), np.arctan2(y, x)
    turns = 2048
    fibres = fractal(rng, (256, turns), 0.75, stretch=0.12)
    rows = np.clip(r * 200 + 6 * np.sin(angle * 9), 0, 255).astype(int)
    columns = ((angle / (2 * math.pi) + 0.5) * (turns - 1)).astype(int)
    strand = fibres[rows, columns]
    base = ramp(
        r,
        (0.15, "#e9d27a"),
        (0.4, "#c9c452"),
        (0.65, "#7fa046"),
        (0.86, "#3f7350"),
        (0.97, "#16302c"),
        (1.03, "#0b1416"),
    )
    base *= (1 + 0.16 * strand * smoothstep(0.15, 0.4, r))[..., None]
    crypts = smoothstep(1.2, 2.2, fractal(rng, x.shape, 1.3) + 0.5 * strand)
    base *= (1 - 0.35 * crypts)[..., None]
    slit = np.hypot(x / 0.27, y / 0.80) + 0.012 * strand
    base = mix(np.broadcast_to(rgb("#050606"), base.shape), base, smoothstep(0.96, 1.05, slit))
    white = mix(base, np.broadcast_to(rgb("#b9a58f"), base.shape), smoothstep(1.01, 1.05, r) * 0.8)
    # A window's reflection with its cross, and a soft one of the sky.
    wx, wy = x + 0.34 + 0.12 * y, y + 0.38 - 0.10 * x
    pane = smoothstep(0.17, 0.155, np.abs(wx)) * smoothstep(0.20, 0.185, np.abs(wy))
    bars = np.maximum(
        smoothstep(0.026, 0.016, np.abs(wx)), smoothstep(0.024, 0.014, np.abs(wy + 0.02))
    )
    white += (0.80 * pane * (1 - 0.85 * bars))[..., None] * np.array([0.9, 0.97, 1.0])
    sky = np.exp(-(((x - 0.42) / 0.30) ** 2) - ((y - 0.42) / 0.22) ** 2)
    return white + 0.12 * sky[..., None]


def _fur(
    rng: np.random.Generator,
    width: int,
    height: int,
    centre: tuple[float, float],
    radius: float,
    opening: Array,
) -> Array:
    """Hairs laid from the back to the front along a flow that leaves the eye."""
    ground = ramp(fractal(rng, (height, width), 1.4) * 0.2 + 0.4, (0, "#3a2417"), (1, "#8d6038"))
    canvas = Image.fromarray((np.clip(ground, 0, 1) * 255).astype(np.uint8))
    draw = ImageDraw.Draw(canvas)
    swirl = fractal(rng, (height, width), 2.0) * 0.35
    stripes = fractal(rng, (height, width), 1.9, stretch=2.0)
    count = 15000
    xs, ys = rng.uniform(-0.05, 1.05, count) * width, rng.uniform(-0.05, 1.05, count) * height
    order = np.argsort(-np.hypot(xs - centre[0], (ys - centre[1]) * 1.1))
    for px, py in zip(xs[order], ys[order], strict=True):
        i, j = int(np.clip(py, 0, height - 1)), int(np.clip(px, 0, width - 1))
        if opening[i, j] > -0.10:
            continue
        away = math.atan2(py - centre[1], px - centre[0])
        angle = away + swirl[i, j] + rng.normal(0, 0.10) + 0.35 * math.sin(2 * away)
        dark = 1 / (1 + math.exp(-(stripes[i, j] - 0.2) * 3.5))
        rim = math.exp(-((opening[i, j] + 0.22) ** 2) / 0.012)
        tone = np.clip(0.75 - 0.55 * dark + 0.45 * rim + rng.normal(0, 0.12), 0, 1)
        colour = ramp(
            np.array(tone), (0, "#1d120c"), (0.35, "#5d3c22"), (0.7, "#bd8c55"), (1, "#f4e3c4")
        )
        length = radius * rng.uniform(0.16, 0.34)
        bend = rng.normal(0, 0.25)
        thick = radius * 0.0058 * rng.uniform(0.6, 1.4)
        points = []
        for t in np.linspace(0, 1, 5):
            a = angle + bend * t
            points.append((px + length * t * math.cos(a), py + length * t * math.sin(a), t))
        normal = (-math.sin(angle), math.cos(angle))
        left = [
            (qx + normal[0] * thick * (1 - t), qy + normal[1] * thick * (1 - t))
            for qx, qy, t in points
        ]
        right = [
            (qx - normal[0] * thick * (1 - t), qy - normal[1] * thick * (1 - t))
            for qx, qy, t in points
        ]
        draw.polygon(left + right[::-1], fill=_bytes(colour))
    return np.asarray(canvas, np.float64) / 255
