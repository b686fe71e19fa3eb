"""A residual block and the heads of a network by the matrix unit, strip by strip, without the GIL.

What multiplies is bfloat16, as in training on such processors; sums, and the features from block to block, are float32.
The time of a block goes into its products; what lies between its two convolutions stays in the second-level cache.
"""

# mypy: disable-error-code="call-arg,no-untyped-def"

from __future__ import annotations

import numpy as np

from gaussian_core.amx.tiles_ir import (
    COLUMNS,
    CONFIGURATION,
    DEPTH,
    EIGHT,
    HIGH,
    ROWS,
    TILE,
    WIDE,
    configure,
    load_1,
    load_2,
    load_3,
    pair_lanes,
    products_1,
    products_2,
    products_3,
    release,
    round_lanes,
    store_1,
    store_2,
    store_3,
    sum_lanes,
    turn_words,
)
from gaussian_core.compiled import compiled
from gaussian_core.machine.cache_lines import half_lines, lines

PIXELS = HIGH * ROWS  # of a row that are convolved at once
TURNED = WIDE * COLUMNS  # pixels of the heads at once
ROWS_HELD = 3  # of a map: those that a row of its convolution needs

SET_UP = np.frombuffer(CONFIGURATION, np.uint8)


@compiled()
def _halves(count):
    """(count,) zeros of two bytes, from a cache line on."""
    made = half_lines(count)
    made[:] = 0
    return made


@compiled()
def load_sums(wide, start, down, across, row):
    """The registers of HIGH x wide sums as they are in memory, see tiles_ir; steps in bytes."""
    if wide == 3:
        load_3(start, down, across, row)
    elif wide == 2:
        load_2(start, down, across, row)
    else:
        load_1(start, down, across, row)


@compiled()
def store_sums(wide, start, down, across, row):
    """Memory as the registers of HIGH x wide sums are."""
    if wide == 3:
        store_3(start, down, across, row)
    elif wide == 2:
        store_2(start, down, across, row)
    else:
        store_1(start, down, across, row)


@compiled()
def add_products(wide, left, left_row, left_down, right, count):
    """The sums += `count` products, see tiles_ir."""
    if wide == 3:
        products_3(left, left_row, left_down, right, count)
    elif wide == 2:
        products_2(left, left_row, left_down, right, count)
    else:
        products_1(left, left_row, left_down, right, count)


@compiled()
def round_row(source, count, slope, target):
    """count bfloat16 at target = act(float32 at source), count a multiple of 16; act: negative values times slope."""
    for c in range(0, count, 16):
        round_lanes(source + 4 * c, slope, target + 2 * c)


@compiled()
def _convolve(held, step, row, first, filters, bias, wide, sums):
    """PIXELS pixels from `first` on of a row of a convolution, with its bias, to sums (PIXELS, C).

    held: address of ROWS_HELD rows of C bfloat16 a pixel, `step` bytes each, in which row y is number y mod ROWS_HELD;
    the convolution reads those from `row` on. filters: see arrays.arranged; wide: tiles of it side by side.
    """
    channels = len(bias)
    pixel = 2 * channels
    deep = filters.shape[2]
    for group in range(filters.shape[0]):
        start = 16 * wide * group
        load_sums(wide, bias.ctypes.data + 4 * start, 0, 64, 0)
        for i in range(3):
            there = held + (row + i) % ROWS_HELD * step + first * pixel
            add_products(wide, there, pixel, ROWS * pixel, filters[group, i].ctypes.data, deep)
        store_sums(wide, sums.ctypes.data + 4 * start, 16 * 4 * channels, 64, 4 * channels)


@compiled()
def residual_rows(x, first, first_bias, second, second_bias, wide, slope, padding, begin, end, y):
    """Rows begin .. end - 1 of y (H', W' C) = x + conv(act(conv(x))), H' = H - 4 + 4 padding, for x (H, W C), of which
    the middle is added where y is smaller.

    first, second: filters of both convolutions, see arrays.arranged, and their biases (C); wide: their tiles side
    by side. slope: of the activation below zero. padding: zeros around x and around what is between the convolutions, 0
    or 1. All but the filters float32 and contiguous.
    """
    channels = len(first_bias)
    height, width = x.shape[0], x.shape[1] // channels
    middle_height, middle_width = height - 2 + 2 * padding, width - 2 + 2 * padding
    pixel, size = 2 * channels, 4 * channels
    # Pixels beyond a row are read with those of its last block, and one more for the last step of products: zeros.
    blocks = (middle_width + PIXELS - 1) // PIXELS
    length = (blocks * PIXELS + 4) * channels
    seen, inner = _halves(ROWS_HELD * length), _halves(ROWS_HELD * length)
    sums = lines(PIXELS * channels)
    step = 2 * length
    one = np.float32(1)
    configure(SET_UP.ctypes.data)
    # The next rows of x, and between, to be held. Those above the picture are the zeros that are there.
    next_seen, next_inner = max(begin - 2 * padding, 0), max(begin - padding, 0)
    for row in range(begin, end):
        while next_inner <= min(row - padding + 2, middle_height - 1):
            # A row of what is between reads the rows from next_inner - padding on.
            while next_seen <= min(next_inner - padding + 2, height - 1):
                target = seen.ctypes.data + next_seen % ROWS_HELD * step + padding * pixel
                round_row(x[next_seen].ctypes.data, width * channels, one, target)
                next_seen += 1
            for k in range(next_seen, next_inner - padding + 3):  # below the picture
                for i in range(length):
                    seen[k % ROWS_HELD * length + i] = 0
            target = inner.ctypes.data + next_inner % ROWS_HELD * step + padding * pixel
            for block in range(blocks):
                start = block * PIXELS
                _convolve(
                    seen.ctypes.data, step, next_inner - padding + ROWS_HELD, start, first, first_bias, wide, sums
                )  # fmt: skip
                count = min(PIXELS, middle_width - start)
                round_row(sums.ctypes.data, count * channels, slope, target + start * pixel)
            next_inner += 1
        for k in range(next_inner, row - padding + 3):
            for i in range(length):
                inner[k % ROWS_HELD * length + i] = 0
        out_width = y.shape[1] // channels
        shift = 2 - 2 * padding
        source = x[row + shift].ctypes.data + shift * size
        target = y[row].ctypes.data
        for start in range(0, out_width, PIXELS):
            _convolve(
                inner.ctypes.data, step, row - padding + ROWS_HELD, start, second, second_bias, wide, sums
            )  # fmt: skip
            count = min(PIXELS, out_width - start)
            for c in range(0, count * size, 64):
                place = start * size + c
                sum_lanes(sums.ctypes.data + c, source + place, target + place)
    release()


@compiled()
def heads(x, hidden, hidden_bias, out, out_bias, first, last, planes):
    """planes[:, first : last] = out relu(hidden x + hidden_bias) + out_bias, pixel by pixel.

    x (N, C); hidden, out: see arrays.packed_matrix, with as many rows as hidden_bias and out_bias (rows, 16), whose
    columns are alike; planes (O, N), O at most as many as the rows of out. float32 but the matrices; contiguous.
    """
    channels, middle, outputs = x.shape[1], len(hidden_bias), len(planes)
    deep, deep_2 = hidden.shape[1] // DEPTH, out.shape[1] // DEPTH
    # Pixels are columns here: the products then write planes. Right factors, of values in pairs down the column.
    seen = _halves(deep * WIDE * TILE // 2)
    inner = _halves(deep_2 * WIDE * TILE // 2)
    halves = _halves(TURNED * channels)
    sums = lines(HIGH * ROWS * TURNED)
    row_1, row_2 = 2 * hidden.shape[1], 2 * out.shape[1]
    row, across = 4 * TURNED, 4 * COLUMNS
    down = ROWS * row
    configure(SET_UP.ctypes.data)
    while first < last:
        count = min(TURNED, last - first)
        round_row(x[first].ctypes.data, count * channels, np.float32(1), halves.ctypes.data)
        for pair in range(0, channels // 2, EIGHT):
            place = seen.ctypes.data + (pair // 16 * WIDE * 16 + pair % 16) * 64
            for j in range(WIDE):
                source = halves.ctypes.data + j * COLUMNS * 2 * channels + 4 * pair
                turn_words(source, 2 * channels, place + j * TILE, 64)
        for top in range(0, middle, HIGH * ROWS):
            load_sums(WIDE, hidden_bias[top:].ctypes.data, TILE, 0, 64)
            add_products(
                WIDE, hidden[top:].ctypes.data, row_1, ROWS * row_1, seen.ctypes.data, deep
            )
            store_sums(WIDE, sums.ctypes.data, down, across, row)
            for i in range(0, HIGH * ROWS, 2):
                pair = (top + i) // 2
                for j in range(WIDE):
                    place = ((pair // 16 * WIDE + j) * 16 + pair % 16) * 64
                    source = sums.ctypes.data + i * row + j * across
                    pair_lanes(source, source + row, inner.ctypes.data + place)
        for top in range(0, len(out_bias), HIGH * ROWS):
            load_sums(WIDE, out_bias[top:].ctypes.data, TILE, 0, 64)
            add_products(
                WIDE, out[top:].ctypes.data, row_2, ROWS * row_2, inner.ctypes.data, deep_2
            )
            if count == TURNED and top + HIGH * ROWS <= outputs:
                to = planes.ctypes.data + (top * planes.shape[1] + first) * 4
                store_sums(WIDE, to, ROWS * 4 * planes.shape[1], across, 4 * planes.shape[1])
                continue
            store_sums(WIDE, sums.ctypes.data, down, across, row)
            for i in range(min(HIGH * ROWS, outputs - top)):
                for k in range(count):
                    planes[top + i, first + k] = sums[i * TURNED + k]
        first += count
    release()


def warm() -> None:
    """Compile what building needs, or load it from the cache. Where the unit is usable."""
    x, y = np.zeros((5, 5 * 16), np.float32), np.zeros((1, 16), np.float32)
    filters, bias = np.zeros((1, 3, 2, 1, 16, 32), np.uint16), np.zeros(16, np.float32)
    residual_rows(x, filters, bias, filters, bias, 1, np.float32(1), 0, 0, 1, y)
    matrix, biases = np.zeros((32, 32), np.uint16), np.zeros((32, 16), np.float32)
    heads(y, matrix, biases, matrix, biases, 0, 1, np.zeros((16, 1), np.float32))
