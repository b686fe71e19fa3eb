"""A residual block of training by the matrix unit, crop by crop: its value and its gradients, without the GIL.

A crop is small: all that is made of it stays in the second-level cache. Its pixels lie one after the other, row by row
with a pixel of zeros on each side, and what is computed at those is thrown away. So a convolution, its transpose and
the gradient of its filters are each one long product.
"""

# mypy: disable-error-code="call-arg,no-untyped-def"

from __future__ import annotations

import numpy as np

from gaussian_core.amx.kernel import PIXELS, SET_UP, add_products, load_sums, round_row, store_sums
from gaussian_core.amx.tiles_ir import (
    COLUMNS,
    DEPTH,
    EIGHT,
    HIGH,
    ROWS,
    TILE,
    add_rounded,
    configure,
    masked_lanes,
    release,
    sum_lanes,
    turn_words,
    zip_lanes,
)
from gaussian_core.compiled import compiled
from gaussian_core.convolution.steps_ir import add_lanes
from gaussian_core.machine.cache_lines import half_lines, lines


@compiled()
def span(height, width):
    """Pixels of a crop that are convolved: its rows with two more at the end of each, in whole blocks."""
    count = height * (width + 2)
    return (count + PIXELS - 1) // PIXELS * PIXELS


@compiled()
def extent(height, width):
    """Pixels of a crop laid out with zeros around it, and those that are read beyond, in whole steps of products."""
    return (span(height, width) + 2 * (width + 2) + 5 + DEPTH) // DEPTH * DEPTH


@compiled()
def _clear_sides(laid, height, width, channels):
    """Zeros around the pixels of a crop laid out in laid (extent C,)."""
    step = width + 2
    laid[: (step + 1) * channels] = 0
    for y in range(height):
        first = ((y + 2) * step - 1) * channels
        laid[first : first + 2 * channels] = 0
    laid[((height + 1) * step) * channels :] = 0


@compiled()
def lay_out(x, channels, laid):
    """laid (extent C,) = x (H, W C) in bfloat16, with zeros around it."""
    width = x.shape[1] // channels
    for y in range(x.shape[0]):
        target = laid.ctypes.data + ((y + 1) * (width + 2) + 1) * channels * 2
        round_row(x[y].ctypes.data, width * channels, np.float32(1), target)
    _clear_sides(laid, x.shape[0], width, channels)


@compiled()
def _convolve(laid, width, first, filters, bias, wide, sums):
    """PIXELS pixels of a convolution of a crop that is laid out, from number `first` on, to sums (PIXELS, C).

    width: of the crop. filters, wide: see kernel.residual_rows. bias (C).
    """
    channels = len(bias)
    pixel = 2 * channels
    for group in range(filters.shape[0]):
        start = 16 * wide * group
        load_sums(wide, bias.ctypes.data + 4 * start, 0, 64, 0)
        for i in range(3):
            there = laid.ctypes.data + (first + i * (width + 2)) * pixel
            add_products(
                wide, there, pixel, ROWS * pixel, filters[group, i].ctypes.data, filters.shape[2]
            )  # fmt: skip
        store_sums(wide, sums.ctypes.data + 4 * start, 16 * 4 * channels, 64, 4 * channels)


@compiled()
def _add_rows(sums, first, x, y, channels):
    """y (H, W C) = x + sums (PIXELS, C) at those pixels from number `first` on that are the crop's."""
    width = x.shape[1] // channels
    size = 4 * channels
    for k in range(PIXELS):
        row, column = (first + k) // (width + 2), (first + k) % (width + 2)
        if row < x.shape[0] and column < width:
            for c in range(0, size, 64):
                place = column * size + c
                sum_lanes(
                    sums.ctypes.data + k * size + c, x[row].ctypes.data + place, y[row].ctypes.data + place
                )  # fmt: skip


@compiled()
def forward(x, first, first_bias, second, second_bias, wide, slope, seen, inner, y):
    """y (H, W C) = x + conv(act(conv(x))). seen, inner (extent C,): x and what is between, laid out, for `backward`.

    See kernel.residual_rows for the rest; padding is 1 here.
    """
    channels = len(first_bias)
    height, width = x.shape[0], x.shape[1] // channels
    sums = lines(PIXELS * channels)
    configure(SET_UP.ctypes.data)
    lay_out(x, channels, seen)
    for start in range(0, span(height, width), PIXELS):
        _convolve(seen, width, start, first, first_bias, wide, sums)
        target = inner.ctypes.data + (start + width + 3) * 2 * channels
        round_row(sums.ctypes.data, PIXELS * channels, slope, target)
    _clear_sides(inner, height, width, channels)
    for start in range(0, span(height, width), PIXELS):
        _convolve(inner, width, start, second, second_bias, wide, sums)
        _add_rows(sums, start, x, y, channels)
    release()


@compiled()
def _zip_pixels(laid, start, count, channels, wide, zipped):
    """zipped (count / DEPTH, C / 16, 16, 16): pairs of neighbouring pixels from `start` on of laid, as right factors in
    groups of `wide` tiles: of each 16 pairs of 16 channels, group by group."""
    tiles = channels // COLUMNS
    steps = count // DEPTH
    for pair in range(count // 2):
        source = laid.ctypes.data + (start + 2 * pair) * 2 * channels
        step, row = pair // ROWS, pair % ROWS
        for tile in range(tiles):
            group, j = tile // wide, tile % wide
            number = (group * steps + step) * wide + j
            place = zipped.ctypes.data + number * TILE + row * 64
            zip_lanes(source + 32 * tile, source + 2 * channels + 32 * tile, place)


@compiled()
def _planes(laid, channels, planes):
    """planes (C, P) = the channels of laid (P C,), P a multiple of DEPTH, one after the other."""
    count = planes.shape[1]
    pitch = 2 * count
    zipped = lines(ROWS * channels)
    for first in range(0, count, DEPTH):
        source = laid.ctypes.data + first * 2 * channels
        for pair in range(ROWS):
            for c in range(0, channels, 16):
                place = source + 4 * channels * pair + 2 * c
                target = zipped.ctypes.data + (pair * channels + c) * 4
                zip_lanes(place, place + 2 * channels, target)
        for c in range(0, channels, EIGHT):
            target = planes.ctypes.data + c * pitch + 2 * first
            turn_words(zipped.ctypes.data + 4 * c, 4 * channels, target, pitch)


@compiled()
def _places(number, planes, width, gradient):
    """Of the tile with that number, of ROWS channels of a tap, where it begins in the planes and in the gradient."""
    channels = len(planes)
    tap, first = number // (channels // ROWS), number % (channels // ROWS) * ROWS
    shift = tap // 3 * (width + 2) + tap % 3
    left = planes.ctypes.data + (first * planes.shape[1] + shift) * 2
    return left, gradient.ctypes.data + (tap * channels + first) * channels * 4


@compiled()
def _filter_gradient(planes, zipped, width, count, channels, wide, gradient):
    """gradient (9, C, C) = of the filters, row and column of the tap first, then of which channel, then for which.

    planes (C, P): what was convolved; zipped: the gradient of what came of it, see _zip_pixels.
    """
    pitch = 2 * planes.shape[1]
    tiles = channels // ROWS
    total = 9 * tiles
    for number in range(0, total, HIGH):
        # Where there is an odd number of tiles the last one is computed twice.
        other = min(number + 1, total - 1)
        left, target = _places(number, planes, width, gradient)
        left_2, target_2 = _places(other, planes, width, gradient)
        down = target_2 - target
        for group in range(tiles // wide):
            right = zipped.ctypes.data + group * (count // DEPTH) * wide * TILE
            start = 64 * wide * group
            load_sums(wide, target + start, down, 64, 4 * channels)
            add_products(wide, left, pitch, left_2 - left, right, count // DEPTH)
            store_sums(wide, target + start, down, 64, 4 * channels)


@compiled()
def backward(gy, seen, inner, first, second, wide, slope, dx, du, dv, db, dc):
    """Gradients of one crop: dx (H, W C) of x, du and dv (9, C, C) of the filters, db and dc (C) of both biases.

    gy (H, W C): of the result. seen, inner: as `forward` left them. first, second: the filters transposed, see
    learning.packed. du .. dc: zeroed. Of the slope only that it is above zero counts for what `inner` tells.
    """
    channels = len(db)
    height, width = gy.shape[0], gy.shape[1] // channels
    count, size = span(height, width), extent(height, width)
    sums, none = lines(PIXELS * channels), lines(channels)
    none[:] = 0
    back, between = half_lines(size * channels), half_lines(size * channels)
    planes = np.empty((channels, size), np.uint16)
    zipped = lines(count * channels // 2)
    origin = width + 3  # number of the first pixel of a crop that is laid out
    configure(SET_UP.ctypes.data)
    lay_out(gy, channels, back)
    for y in range(height):
        for place in range(0, width * channels * 4, 4 * channels):
            for c in range(0, 4 * channels, 64):
                add_lanes(gy[y].ctypes.data + place + c, dc.ctypes.data + c)
    for start in range(0, count, PIXELS):
        _convolve(back, width, start, second, none, wide, sums)
        place = (start + origin) * 2 * channels
        for k in range(0, PIXELS * channels, 16):
            masked_lanes(
                sums.ctypes.data + 4 * k, inner.ctypes.data + place + 2 * k, slope,
                between.ctypes.data + place + 2 * k,
            )  # fmt: skip
    _clear_sides(between, height, width, channels)
    for start in range(0, count, PIXELS):
        _convolve(between, width, start, first, none, wide, sums)
        _add_rows(sums, start, gy, dx, channels)
    _zip_pixels(back, origin, count, channels, wide, zipped)
    _planes(inner, channels, planes)
    _filter_gradient(planes, zipped, width, count, channels, wide, dv)
    _zip_pixels(between, origin, count, channels, wide, zipped)
    _planes(seen, channels, planes)
    _filter_gradient(planes, zipped, width, count, channels, wide, du)
    _sum_pixels(between, channels, db)
    release()


@compiled()
def _sum_pixels(laid, channels, total):
    """total (C) += the pixels of laid (P C,)."""
    for p in range(0, len(laid), channels):
        for c in range(0, channels, 16):
            add_rounded(laid.ctypes.data + 2 * (p + c), total.ctypes.data + 4 * c)
