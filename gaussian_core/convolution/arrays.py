"""Convolutions of 3 x 3 on arrays (pixels last but the channels), without torch: by the kernels, on all cores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gaussian_core.convolution import kernel
from gaussian_core.convolution.blocks import FEATURES
from gaussian_core.convolution.transforms import FILTER, POINTS
from gaussian_core.machine.cache_lines import from_a_line
from gaussian_core.parallel import run_strips, worker_count

Floats = NDArray[np.float32]
Run = Callable[[Callable[[int], None], int], object]

STRIP = 2 * kernel.CHUNK  # tiles that a worker takes at once
BOTH_AXES = np.kron(FILTER, FILTER).astype(np.float32)
"""(36, 9): G on the rows and the columns of a filter at once."""


def filters(weight: Floats, product: Callable[[Floats, Floats], Floats] = np.matmul) -> Floats:
    """(K, C, 3, 3) -> (36, C, K): G g G^T of each filter (Lavin and Gray 2016, equation 8).

    product: of two matrices. NumPy's wakes its library's threads, which then wait in the way of the kernels': where
    filters are made at every layer, as in training, that took more than half of the time.
    """
    k, c = weight.shape[:2]
    taps = weight.transpose(2, 3, 1, 0).reshape(9, c * k)
    return from_a_line(product(BOTH_AXES, taps)).reshape(POINTS, c, k)


def convolve(
    x: Floats,
    u: Floats,
    bias: Floats,
    padding: int,
    slope: float = 1.0,
    plus: Floats | None = None,
    run: Run = run_strips,
) -> Floats:
    """act(conv(x) + bias) + plus. x (B, H, W, C), its pixels and channels in one piece; u (36, C, K) of `filters`, C
    and K multiples of kernel.STEP; bias (K).

    padding: zeros around x, 0 or 1: the result is (B, H - 2 + 2 padding, .., K). slope: of the activation below zero,
    at most 1, and 1 for none. plus: (B, .., K) as large as the result or larger, then its middle. run: shares the
    strips among threads.
    """
    n, height, width, _ = x.shape
    height, width = height - 2 + 2 * padding, width - 2 + 2 * padding
    result = FEATURES.empty(n, height, width, u.shape[2])
    source, y = _lines(x), _lines(result)
    more = np.empty((n, 0, 0), np.float32) if plus is None else _lines(plus)
    shift = 0 if plus is None else (plus.shape[2] - width) // 2
    tiles = -(-height // 4) * -(-width // 4)
    strip = min(STRIP, -(-tiles * n // worker_count()))
    strips = -(-tiles // strip)

    def work(number: int) -> None:
        i, first = number // strips, number % strips * strip
        last = min(first + strip, tiles)
        kernel.forward(
            source[i], u, bias, padding, np.float32(slope), more[i], shift, first, last, y[i]
        )

    run(work, n * strips)
    return result


def with_biases(
    hidden: Floats, hidden_bias: Floats, weight: Floats, bias: Floats
) -> tuple[Floats, Floats]:
    """The layers of `heads`, hidden (hidden, C) and weight (O, hidden), each with what it adds."""
    # That is one more column: the kernel gives each pixel a one to multiply it with.
    one = np.zeros((1, hidden.shape[1] + 1), np.float32)
    one[0, -1] = 1
    first = np.concatenate([np.column_stack([hidden, hidden_bias]), one])
    return from_a_line(first), from_a_line(np.column_stack([weight, bias]))


def heads(x: Floats, first: Floats, second: Floats, run: Run = run_strips) -> Floats:
    """(O, P): weight relu(hidden x + hidden_bias) + bias for each pixel of x (P, C), in one piece.

    first, second: see with_biases. run: shares the strips among threads.
    """
    planes = FEATURES.empty(len(second), len(x))
    strip = 64 * kernel.PIXELS

    def work(number: int) -> None:
        begin, end = number * strip, min((number + 1) * strip, len(x))
        kernel.heads(x, first, second, begin, end, planes)

    run(work, -(-len(x) // strip))
    return planes


def _lines(x: Floats) -> NDArray[Any]:
    """(B, H, W, C) as (B, H, W C)."""
    return x.reshape(*x.shape[:2], -1)
