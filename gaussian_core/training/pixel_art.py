"""Crops of pictures drawn pixel by pixel: dithering, sprites, stipples, hairlines, small bitmap fonts.

No reduction of a photograph has neighbouring pixels at full contrast, so a network that has seen nothing else does not
know what to make of them: its features grow from layer to layer, and it draws spots into flat ground many pixels away.
Here the picture is the low resolution one, and what is behind it are its pixels, as squares.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from gaussian_core.training.dataset import MAX_SCALE
from gaussian_core.training.drawn_crops import DrawnCrops

BAYER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) / 16


def picture(rng: np.random.Generator, size: int) -> NDArray[np.uint8]:
    """(size, size, 3): areas of patterns, hairlines and sprites on a flat or a dithered ground."""
    palette = _palette(rng)
    out = np.zeros((size, size), np.int64)
    if rng.random() < 0.2:
        out = _dithered(rng, size, len(palette))
    for _ in range(int(rng.integers(1, 7))):
        h, w = (int(n) for n in rng.integers(2, size, 2))
        y, x = int(rng.integers(size - h + 1)), int(rng.integers(size - w + 1))
        draw = _DRAWN[int(rng.choice(len(_DRAWN), p=_SHARES))]
        part = out[y : y + h, x : x + w]
        colour, other = rng.permutation(len(palette))[:2]
        drawn = draw(rng, h, w)
        if rng.random() < 0.5:
            part[...] = np.where(drawn, colour, other)
        else:  # on what is there
            part[drawn] = colour
    return palette[out]


def _palette(rng: np.random.Generator) -> NDArray[np.uint8]:
    colours = rng.integers(0, 256, (int(rng.integers(2, 6)), 3))
    if rng.random() < 0.4:
        colours = np.repeat(colours[:, :1], 3, 1)
    if rng.random() < 0.5:
        colours[:2] = [[0] * 3, [255] * 3]
        colours = rng.permutation(colours)
    return colours.astype(np.uint8)


def _dithered(rng: np.random.Generator, size: int, levels: int) -> NDArray[np.int64]:
    """A gradient over the palette's colours, of which there are so many, by ordered or by random dithering."""
    angle = rng.uniform(0, 2 * np.pi)
    ys, xs = np.mgrid[:size, :size] / size
    way = rng.uniform(0, 1) + np.cos(angle) * xs + np.sin(angle) * ys
    ordered = rng.random() < 0.7
    threshold = _repeated(BAYER, size, size) if ordered else rng.random((size, size))
    value = np.clip(way, 0, 1) * (levels - 1)
    return np.minimum((value + threshold).astype(np.int64), levels - 1)


def _repeated(tile: NDArray[Any], h: int, w: int) -> NDArray[Any]:
    return np.tile(tile, (-(-h // tile.shape[0]), -(-w // tile.shape[1])))[:h, :w]


def _tiled(rng: np.random.Generator, h: int, w: int) -> NDArray[np.bool_]:
    """Checkerboards, stripes, dots or anything else that repeats every few pixels."""
    ys, xs = np.mgrid[:h, :w]
    a, b = (int(rng.choice((1, 1, 1, 2, 3))) for _ in range(2))
    kind = int(rng.integers(6))
    if kind == 0:
        return (xs // a + ys // b) % 2 == 1
    if kind == 1:
        return (xs // a % 2 if rng.random() < 0.5 else ys // b % 2) == 1
    if kind == 2:
        return (xs % (a + 1) == 0) & (ys % (b + 1) == 0)
    if kind == 3:
        return (xs + (ys if rng.random() < 0.5 else -ys)) // a % 2 == 1
    tile = rng.random((int(rng.integers(1, 5)), int(rng.integers(1, 5)))) < 0.5
    return _repeated(tile, h, w)


def _noise(rng: np.random.Generator, h: int, w: int) -> NDArray[np.bool_]:
    return rng.random((h, w)) < rng.uniform(0.05, 0.95)


def _sprite(rng: np.random.Generator, h: int, w: int) -> NDArray[np.bool_]:
    """Blobs with hard corners, mirrored as sprites mostly are."""
    coarse = rng.random((-(-h // 2), -(-w // 2)))
    around = np.pad(coarse, 1, mode="edge")
    smooth = sum(
        around[i : i + coarse.shape[0], j : j + coarse.shape[1]] for i in range(3) for j in range(3)
    )
    half = np.asarray(smooth > np.median(smooth))
    if rng.random() < 0.5:
        return np.kron(half, np.ones((2, 2), bool))[:h, :w]
    mirrored = np.concatenate([half, half[:, ::-1]], 1)[:, :w]
    return np.concatenate([mirrored, mirrored[::-1]], 0)[:h]


def _glyphs(rng: np.random.Generator, h: int, w: int) -> NDArray[np.bool_]:
    """Lines of letters that no one can read, three by five pixels each."""
    rows, columns = -(-h // 7), -(-w // 4)
    letters = rng.random((rows, 5, columns, 3)) < 0.6
    return np.pad(letters, ((0, 0), (1, 1), (0, 0), (1, 0))).reshape(rows * 7, columns * 4)[:h, :w]


def _hairlines(rng: np.random.Generator, h: int, w: int) -> NDArray[np.bool_]:
    """Frames, lines and circles of one pixel, without any smoothing."""
    image = Image.new("1", (w, h))
    draw = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(1, 6))):
        (x0, x1), (y0, y1) = (sorted(int(v) for v in rng.integers(0, n, 2)) for n in (w, h))
        kind = int(rng.integers(3))
        if kind == 0:
            ends = (x0, y0, x1, y1) if rng.random() < 0.5 else (x0, y1, x1, y0)
            draw.line(ends, fill=1)
        elif kind == 1:
            draw.rectangle((x0, y0, x1, y1), outline=1)
        else:
            draw.ellipse((x0, y0, x1, y1), outline=1)
    return np.asarray(image)


_DRAWN = (_tiled, _noise, _sprite, _glyphs, _hairlines)
_SHARES = (0.5, 0.1, 0.15, 0.1, 0.15)


class PixelArt(DrawnCrops):
    streams = 3, 4

    def crop(self, rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        patch = self.layout.patch
        low = picture(rng, patch)
        side = round(patch * rng.uniform(1, MAX_SCALE))
        within = ((np.arange(side) + 0.5) / (side / patch)).astype(np.int64)
        return low[within][:, within], low
