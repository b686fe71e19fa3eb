"""Residual blocks and heads on arrays (pixels last but the channels) by the matrix unit, on all cores."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gaussian_core.amx import kernel
from gaussian_core.amx.tiles_ir import COLUMNS, DEPTH, HIGH, ROWS, WIDE
from gaussian_core.convolution.arrays import Run
from gaussian_core.convolution.blocks import FEATURES
from gaussian_core.machine.cache_lines import from_a_line, half_lines
from gaussian_core.parallel import run_strips

Floats = NDArray[np.float32]
Halves = NDArray[np.uint16]
"""bfloat16, as the upper halves of float32."""

STRIP = 24
"""Rows that a worker takes at once: two more of the first convolution are computed for each."""


class Convolution(NamedTuple):
    """3 x 3, from C channels to as many. filters: see arranged; bias (C); wide: tiles of a group."""

    filters: Halves
    bias: Floats
    wide: int


class Layer(NamedTuple):
    """1 x 1. matrix: see packed_matrix; bias (its rows, 16), one column as the other; outputs: rows that count."""

    matrix: Halves
    bias: Floats
    outputs: int


def halves(x: Floats) -> Halves:
    """x in bfloat16: the nearest one, the even one between two."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    return ((bits + (0x7FFF + (bits >> 16 & 1))) >> 16).astype(np.uint16)


def convolution(weight: Floats, bias: Floats) -> Convolution:
    """weight (C, C, 3, 3), C a multiple of 16; bias (C)."""
    wide = widest(len(weight))
    return Convolution(_halves_from_a_line(arranged(weight)), from_a_line(bias), wide)


def layer(weight: Floats, bias: Floats) -> Layer:
    """weight (O, C); bias (O)."""
    outputs = len(weight)
    high = -(-outputs // (HIGH * ROWS)) * HIGH * ROWS
    biases = np.zeros((high, COLUMNS), np.float32)
    biases[:outputs] = bias[:, None]
    return Layer(packed_matrix(weight, high), from_a_line(biases), outputs)


def widest(channels: int) -> int:
    """How many tiles side by side the outputs are computed by: all of a group's are in registers."""
    return next(n for n in range(WIDE, 0, -1) if channels // COLUMNS % n == 0)


def arranged(weight: NDArray[Any]) -> NDArray[Any]:
    """(groups of `widest` COLUMNS outputs, 3 rows of the filter, steps, widest, 16, 32): right factors of 3 C values
    each, of weight (K, C, 3, 3).

    Of neighbouring pixels the channels follow each other in memory: what a pixel reads of a row are 3 C values in a
    piece, the left factor, in steps of DEPTH. The last step may reach beyond them: zeros there.
    """
    outputs, channels = weight.shape[:2]
    wide = widest(outputs)
    steps = -(-3 * channels // DEPTH)
    taps = np.zeros((3, steps * DEPTH, outputs), weight.dtype)
    taps[:, : 3 * channels] = weight.transpose(2, 3, 1, 0).reshape(3, 3 * channels, outputs)
    # row, step, pair, of the pair, group, tile, column -> group, row, step, tile, pair, column, of the pair
    parts = taps.reshape(3, steps, DEPTH // 2, 2, -1, wide, COLUMNS)
    return parts.transpose(4, 0, 1, 5, 2, 6, 3).reshape(-1, 3, steps, wide, 16, DEPTH)


def packed_matrix(weight: Floats, rows: int) -> Halves:
    """(rows, a multiple of DEPTH): weight (O, C), a left factor, with zeros beyond it."""
    padded = np.zeros((rows, -(-weight.shape[1] // DEPTH) * DEPTH), np.float32)
    padded[: weight.shape[0], : weight.shape[1]] = weight
    return _halves_from_a_line(padded)


def residual_block(
    x: Floats, first: Convolution, second: Convolution, padding: int, slope: float
) -> Floats:
    """x + conv(act(conv(x))), or of x its middle. x (1, H, W, C), its pixels and channels in one piece.

    padding: zeros around x and around what is between, 0 or 1: the result is (1, H - 4 + 4 padding, .., C). slope: of
    the activation below zero, at most 1.
    """
    height, width, channels = x.shape[1:]
    height, width = height - 4 + 4 * padding, width - 4 + 4 * padding
    result = FEATURES.empty(1, height, width, channels)
    source, y = x.reshape(x.shape[1], -1), result.reshape(height, -1)

    def work(number: int) -> None:
        begin, end = number * STRIP, min((number + 1) * STRIP, height)
        kernel.residual_rows(
            source, first.filters, first.bias, second.filters, second.bias, first.wide,
            np.float32(slope), padding, begin, end, y,
        )  # fmt: skip

    run_strips(work, -(-height // STRIP))
    return result


def heads(x: Floats, hidden: Layer, out: Layer, run: Run = run_strips) -> Floats:
    """(O, P): out relu(hidden x) for each pixel of x (P, C), in one piece; C a multiple of 16. run: shares the strips
    among threads."""
    planes = FEATURES.empty(out.outputs, len(x))
    strip = 40 * kernel.TURNED

    def work(number: int) -> None:
        begin, end = number * strip, min((number + 1) * strip, len(x))
        kernel.heads(x, hidden.matrix, hidden.bias, out.matrix, out.bias, begin, end, planes)

    run(work, -(-len(x) // strip))
    return planes


def _halves_from_a_line(x: Floats) -> Any:
    made = half_lines(x.size).reshape(x.shape)
    made[:] = halves(x)
    return made
