"""Crops of threads, stripes and weaves, down to periods that the low resolution picture cannot hold.

What is too fine for a reduced picture comes through its filter weakened, as stripes of another period and direction
(aliasing). Cloth, fences and shutters of photographs are full of it, but they are too rare among the crops to learn
from: a network takes such stripes for what they seem, sharpens them, and is farther from the original than
interpolation. Here periods on both sides of that limit are frequent, so that what is in doubt is drawn soft.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gaussian_core.training.dataset import any_scale, reduced
from gaussian_core.training.drawn_crops import DrawnCrops

PERIODS = (0.9, 9.0)  # source pixels: short ones as often as long
FINEST = 2.3  # pixels of the original: the shortest period that it holds itself
SAMPLES = 2  # of a pixel of the original along each axis, averaged


def picture(rng: np.random.Generator, side: int, scale: float) -> NDArray[np.uint8]:
    """(side, side, 3): one to three pieces, `scale` of whose pixels are one of the reduced picture."""
    n = side * SAMPLES
    ys, xs = (np.mgrid[:n, :n] + 0.5).astype(np.float32) / SAMPLES
    ground = _colour(rng)
    out = np.broadcast_to(ground, (n, n, 3)).astype(np.float32)
    for _ in range(int(rng.integers(1, 4))):
        threads = _threads(rng, xs, ys, scale)[..., None]
        first, contrast = _colour(rng), rng.uniform(0.1, 1)
        second = first + np.float32(contrast) * (_colour(rng) - first)
        piece = first + threads * (second - first)
        within = _smooth(rng, n) > rng.normal(0, 0.5)
        out = np.where(within[..., None], piece, out)
    light = 0.85 + 0.15 * np.clip(_smooth(rng, n), -2, 2)
    whole = (out * light[..., None]).reshape(side, SAMPLES, side, SAMPLES, 3).mean((1, 3))
    return np.clip(np.rint(whole), 0, 255).astype(np.uint8)


def _colour(rng: np.random.Generator) -> NDArray[np.float32]:
    if rng.random() < 0.3:  # grey
        return np.full(3, rng.uniform(0, 255), np.float32)
    return rng.uniform(0, 255, 3).astype(np.float32)


def _smooth(rng: np.random.Generator, n: int) -> NDArray[np.float32]:
    """(n, n): normally distributed at four points to each side, and smooth between them."""
    coarse = Image.fromarray(rng.standard_normal((4, 4), np.float32))
    return np.asarray(coarse.resize((n, n), Image.Resampling.BICUBIC))


def _threads(
    rng: np.random.Generator, xs: NDArray[np.float32], ys: NDArray[np.float32], scale: float
) -> NDArray[np.float32]:
    """Values in 0 .. 1 at places in pixels of the original: stripes, or two of them across each other."""
    short, long = PERIODS
    period = max(short * (long / short) ** rng.random() * scale, FINEST)
    angle = rng.uniform(0, np.pi)
    side = xs.shape[0] / SAMPLES
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    folds = np.float32(rng.uniform(0, 0.03) * side) * _smooth(rng, xs.shape[0])
    waves: NDArray[np.float32] = _wave(rng, cos * xs + sin * ys + folds, period)
    if rng.random() < 0.4:  # a weave, or a check
        across = _wave(rng, cos * ys - sin * xs + folds, period)
        waves = waves * across if rng.random() < 0.5 else (waves + across) / np.float32(2)
    return (waves + np.float32(1)) / np.float32(2)


def _wave(rng: np.random.Generator, way: NDArray[np.float32], period: float) -> NDArray[np.float32]:
    """-1 .. 1, from a sine to bars, which need not be as wide as the gaps between them."""
    steep, middle = 0.3 * 20 ** rng.random(), rng.uniform(-0.5, 0.5)
    wave = np.sin(np.float32(2 * np.pi / period) * way + np.float32(rng.uniform(0, 2 * np.pi)))
    return np.tanh(np.float32(steep) * (wave + np.float32(middle)))


class Fabric(DrawnCrops):
    streams = 8, 9

    def crop(self, rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        patch = self.layout.patch
        side = round(patch * any_scale(rng))
        original = picture(rng, side, side / patch)
        return original, reduced(original, patch) if side > patch else original
