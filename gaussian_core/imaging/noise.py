"""How much noise there is in a picture, told by its own flattest parts.

Where a picture is flat, noise is all that there is: its strength is that of the higher DCT coefficients of the flattest
blocks (N. Ponomarenko et al., "An automatic approach to lossy compression of AVIRIS images", IGARSS 2007; X. Liu, M.
Tanaka, M. Okutomi, "Single-image noise level estimation for blind denoising", IEEE TIP 22(12), 2013, on blocks of weak
texture). By strength alone grass, sand and cloth that fill a picture would be noise, and dithers. So what is found has
to behave as noise does, too: no flat block has much less of it than the others; the coefficients are normally
distributed, where those of detail are few and large; none of the directions is before the others; it takes all values
in its range, where a dither takes few; and towards high frequencies it falls off less than detail does, or else what
it is in one channel says nothing of the others. What is in doubt is no noise.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gaussian_core.errors import ImageError

if TYPE_CHECKING:
    from gaussian_core.imaging.picture import PictureSource, Rect

PATCH = 64
"""Pixels: a side of what is read at once. Patches begin where a file's tiles and the blocks of a coder do."""
COLUMNS, ROWS = 8, 4
"""Of patches, at most. Few rows: of a file in strips whole ones are read."""
BLOCK = 16
"""Pixels: a side of what is flat or not: four transforms of 8 x 8."""
LEAST, LEAST_SHARE = 24, 1 / 8
"""Blocks, and the share of all that are looked at, by which something can be told: of few none may be flat."""
CUT_OFF = 0.05
"""The share of a block's values at the ends of the range, from which it tells nothing: noise is cut off there."""
FLATTEST, FEWEST = 0.1, 6
"""The share of the blocks that are held to be flat, and the least number of them."""
EVENNESS = 0.6
"""By how much the strength in the flattest blocks of all may be less than in those of the flattest fifth."""
KURTOSIS = 3.3
"""Of the coefficients of flat blocks: 3 of noise, 4 and more of most detail."""
SLANT = 1.28
"""Times as strong they may be along rows as along columns, or the other way round."""
FALL = (0.95, 1.5)
"""Strength of middle frequencies, of the highest as a unit: 1 of noise, from 1.7 on of dense textures."""
TOGETHER = 0.4
"""Correlation of two channels, without its sign: 0 of noise in each channel for itself, nearly 1 of detail."""
VALUES = 2.5
"""Of how many values a block is at least, times the strength: 4 of noise, less than 2 of dithers."""
STRONGEST = 25.0
"""Levels of 255, beyond which it is no camera's noise, but a picture made of random pixels."""


def _waves() -> NDArray[Any]:
    """(8, 8): a column for each frequency of the DCT-II, orthonormal."""
    waves = np.cos(np.pi * np.outer(2 * np.arange(8) + 1, np.arange(8)) / 16) / 2
    waves[:, 0] /= np.sqrt(2)
    return waves.astype(np.float32)


_BRIGHTNESS = np.array([0.299, 0.587, 0.114], np.float32)  # of ITU-R BT.601
_WAVES: NDArray[np.float32] = _waves()
_SUM, _DIFFERENCE = np.add.outer(*[np.arange(8)] * 2), np.subtract.outer(*[np.arange(8)] * 2)
_MIDDLE, _UPPER, _HIGHEST = (_SUM > 2) & (_SUM < 6), (_SUM > 5) & (_SUM < 9), _SUM > 8
_ACROSS, _DOWN = (_SUM > 3) & (_DIFFERENCE < -2), (_SUM > 3) & (_DIFFERENCE > 2)


def noise_of(picture: PictureSource) -> float:
    """Standard deviation of the noise in a picture's brightness, levels of 255; 0 where there is none, and where what
    there is may be something else.

    Of white noise in each channel for itself the brightness has two thirds, of grey noise all. Of noise that reaches
    over some pixels what is finer than three of them counts: that is what a network takes for detail. Some dozens of
    parts of 64 x 64 pixels are looked at. What is cut off at black or white, or not opaque, tells nothing.
    """
    blocks = _blocks(picture)
    return _noise_in(blocks) if len(blocks) >= LEAST else 0.0


def _blocks(picture: PictureSource) -> NDArray[np.float32]:
    """(N, BLOCK, BLOCK, 3), levels of 255: those that can tell something. None at all where they are few, or most of
    the picture is of an even black or white: somebody drew on it, and what a drawing has of noise is meant."""
    found, even, seen = [np.empty((0, BLOCK, BLOCK, 3), np.float32)], 0, 0
    for rect in _patches(picture.extent):
        try:
            pixels, alpha = picture.stored(rect)
        except ImageError:  # of a damaged file: who needs that part is told
            continue
        part = _cut(pixels).astype(np.float32) * np.float32(255 / picture.full)
        at_end = (part <= 1) | (part >= 254)
        tells = (at_end.mean((1, 2)) < CUT_OFF).all(1)
        if alpha is not None:
            tells &= (_cut(alpha[..., None]) == picture.full).all((1, 2, 3))
        seen += len(part)
        even += int(np.count_nonzero((part == part[:, :1, :1]).all((1, 2, 3)) & ~tells))
        found.append(part[tells])
    blocks = np.concatenate(found)
    return blocks[:0] if 2 * even > seen or len(blocks) < LEAST_SHARE * seen else blocks


def _patches(extent: tuple[int, int]) -> Iterator[Rect]:
    """All over the picture."""
    height, width = extent
    for y in _places(height, ROWS):
        for x in _places(width, COLUMNS):
            yield x, y, min(x + PATCH, width), min(y + PATCH, height)


def _places(side: int, most: int) -> list[int]:
    """Where patches begin along a side of the picture: at multiples of PATCH, as far from each other as can be."""
    there = -(-side // PATCH)
    count = min(most, there)
    return [(2 * number + 1) * there // (2 * count) * PATCH for number in range(count)]


def _cut(part: NDArray[Any]) -> NDArray[Any]:
    """(H, W, C) as (N, BLOCK, BLOCK, C), without what fills no block."""
    rows, columns, channels = part.shape[0] // BLOCK, part.shape[1] // BLOCK, part.shape[2]
    kept = part[: rows * BLOCK, : columns * BLOCK]
    blocks = kept.reshape(rows, BLOCK, columns, BLOCK, channels).swapaxes(1, 2)
    return blocks.reshape(rows * columns, BLOCK, BLOCK, channels)


def _noise_in(blocks: NDArray[np.float32]) -> float:
    """Of what is in the flattest ones, levels of 255; 0 where it does not behave as noise."""
    channels = [_transformed(blocks[..., channel]) for channel in range(3)]
    busy = np.sqrt(sum(np.square(c)[..., _SUM > 2].mean((1, 2)) for c in channels))
    order = np.argsort(busy)
    least, usual = busy[order[len(order) // 50]], busy[order[len(order) // 5]]
    flat = order[: max(FEWEST, int(FLATTEST * len(order)))]
    red, green, blue = (c[flat] for c in channels)
    grey = np.tensordot(_BRIGHTNESS, np.stack([red, green, blue]), 1)
    middle, upper, highest = (_strength(grey, part) for part in (_MIDDLE, _UPPER, _HIGHEST))
    if least < EVENNESS * usual or not 0 < upper <= STRONGEST:
        return 0.0
    white = FALL[0] * highest <= middle <= FALL[1] * highest and _kurtosis(grey) < KURTOSIS
    across, down = _strength(grey, _ACROSS), _strength(grey, _DOWN)
    pairs = ((red, green), (green, blue), (blue, red))
    apart = all(abs(_correlation(one, other)) < TOGETHER for one, other in pairs)
    is_noise = (
        (white or (apart and _kurtosis(_whitened(grey)) < KURTOSIS))
        and max(across, down) < SLANT * min(across, down)
        and _values(blocks[flat]) > VALUES * _strength(np.stack([red, green, blue]), _UPPER)
    )
    return upper if is_noise else 0.0


def _transformed(channel: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, BLOCK, BLOCK) as (N, 4, 8, 8): the DCT-II, orthonormal, of blocks of 8 x 8, vertical frequencies first."""
    small = channel.reshape(-1, 2, 8, 2, 8).swapaxes(2, 3).reshape(-1, 8)
    along = (small @ _WAVES).reshape(-1, 8, 8).swapaxes(1, 2).reshape(-1, 8)
    made: NDArray[Any] = along @ _WAVES
    return made.reshape(-1, 4, 8, 8).swapaxes(2, 3)


def _strength(coefficients: NDArray[np.float32], part: NDArray[np.bool_]) -> float:
    """Root of the mean square of those in a part of the frequencies (8, 8)."""
    return float(np.sqrt(np.square(coefficients[..., part]).mean()))


def _correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Of two channels in the frequencies that count."""
    one, other = one[..., _UPPER], other[..., _UPPER]
    power = np.square(one).sum() * np.square(other).sum()
    return float((one * other).sum() / np.sqrt(power)) if power > 0 else 1.0


def _whitened(coefficients: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, 4, 8, 8), as strong in each frequency."""
    squares = np.square(coefficients).mean((0, 1))
    return coefficients / np.sqrt(np.maximum(squares, np.finfo(np.float32).tiny))


def _kurtosis(coefficients: NDArray[np.float32]) -> float:
    """Of (N, 4, 8, 8) without the low frequencies, a block's own strength as the unit."""
    squares = np.square(coefficients[..., _SUM > 3]).reshape(len(coefficients), -1)
    unit = np.maximum(squares.mean(1, keepdims=True), np.finfo(np.float32).tiny)
    return float(np.mean((squares / unit) ** 2))


def _values(blocks: NDArray[np.float32]) -> float:
    """How many levels of 255 a block is of: the median of the richest channel's."""
    levels = np.sort(np.rint(blocks).reshape(len(blocks), -1, blocks.shape[3]), axis=1)
    return float(np.median(1 + np.count_nonzero(np.diff(levels, axis=1), axis=1).max(1)))
