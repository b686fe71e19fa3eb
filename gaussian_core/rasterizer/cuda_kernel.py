"""The CUDA rasterizer's kernel in Triton: one warp makes one small block of pixels, from the cells that reach it.

The pixels of a block live in the registers of every lane, and the lanes take one Gaussian each: a run of cells is read
in whole cache lines, a Gaussian is prepared once for all pixels of the block, and its amplitudes stay where they were
loaded. What is added up is one partial sum per pixel, channel and lane; the lanes are summed once, at the end. Nothing
is sorted, nothing is shared between blocks, and no two blocks write to one place.

What bounds it: the issue of instructions. Thirty-two Gaussians against sixteen pixels of three channels take some 185:
per pixel two multiply-adds and an exponential for the weight and a multiply-add per channel, the rest is loading and
set-up. The exponential unit, 16 a clock, needs nearly as long. Memory is far behind: every Gaussian in view is read
from DRAM once, then from the second-level cache by the blocks around it. Small blocks keep the loop short, because a
block meets every Gaussian that reaches any of its pixels: at zoom 1, with four Gaussians a pixel, 50 matter to a pixel;
in a block of 8x2 it meets 450 lanes, in one of 16x16 it would meet 1,800. From zoom 3 on it is 190 and hardly falls any
more. Flat blocks fill the lanes: Gaussians stand row by row of cells, so a wide block has long runs. The sum over the
lanes at the end costs as much as four rounds of the loop.

Everything is relative to a block's first pixel, and blocks stand on the absolute device lattice: a pixel gets the same
bits in any viewport that holds it. Positions are differences to an anchor in two float32 parts, so single precision is
enough, and every quantity below is a sum of positive terms, so that no determinant cancels.
"""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import triton
import triton.language as tl
from triton.runtime import JITFunction

from gaussian_core.display import CHECKER_DARK, CHECKER_LIGHT, CHECKER_SIZE

# Device pixels of a block, Gaussians that are taken at once, and grid levels that are looked at at once.
BLOCK_WIDTH = 8
BLOCK_HEIGHT = 2
LANES = 32
GROUP = 32
MAX_CHANNELS = 4  # of one launch: partial sums of more would not fit the registers

# Columns of the tables of grid levels, see cuda.py.
INTEGERS = (
    4  # address of the values, elements of one row of them, address of the cells' starts, unused
)
NUMBERS = (
    8  # x and y of the first cell, 1 / cell, margins along x and y, gain, columns, lines of cells
)

# Rows of a field's values: x, y, variance of y, slope of x on y, variance of x given y, amplitudes.
FIRST_AMPLITUDE = 5

# Globals that a kernel reads must be marked.
_GROUP = tl.constexpr(GROUP)
_INTEGERS = tl.constexpr(INTEGERS)
_NUMBERS = tl.constexpr(NUMBERS)
_FIRST_AMPLITUDE = tl.constexpr(FIRST_AMPLITUDE)
_CHECKER_SIZE = tl.constexpr(CHECKER_SIZE)
_CHECKER_LIGHT = tl.constexpr(CHECKER_LIGHT)
_CHECKER_DARK = tl.constexpr(CHECKER_DARK)
_ROOT_HALF_LOG2_E = tl.constexpr(0.8493218002880191)
_OPAQUE = tl.constexpr(-(1 << 24))  # 0xFF000000 as a signed number


@triton.jit
def _first_cell(low, inverse, count):
    """Number of the first cell that a range can touch; `count` when it lies beyond the last."""
    return tl.minimum(tl.maximum(tl.floor(low * inverse), 0.0), count).to(tl.int32)


@triton.jit
def _last_cell(high, inverse, count):
    """Number of the last cell that a range can touch; -1 when it lies before the first."""
    return tl.minimum(tl.maximum(tl.floor(high * inverse), -1.0), count - 1.0).to(tl.int32)


@triton.jit
def _level(value):
    """A value in 0 .. 1 as a byte, rounded and clipped."""
    return (tl.minimum(tl.maximum(value, 0.0), 1.0) * 255.0 + 0.5).to(tl.int32)


# Numbers that happen to be 1 or a multiple of 16 must not each compile a kernel of their own.
@triton.jit(
    do_not_specialize=[
        "levels",
        "columns",
        "rows",
        "left",
        "top",
        "width",
        "height",
        "lattice_x",
        "lattice_y",
        "first_channel",
        "all_channels",
    ]
)
def render_blocks(
    out,  # int32 pixels (H, W) when AS_BYTES, else float32 (H, W, all_channels)
    integers,  # (levels, INTEGERS) int64
    numbers,  # (levels, NUMBERS) float32
    anchors_x,  # (2, columns) float32: source x of the first pixel of each column of blocks, rounded, and the rest of it
    anchors_y,  # (2, rows) float32, the same for rows of blocks
    levels,  # grid levels of all fields together
    columns,  # of blocks
    rows,
    left,  # column of the first block's first pixel in the viewport, zero or less
    top,
    width,  # of the viewport
    height,
    lattice_x,  # the viewport's corner on the device lattice, modulo two squares of the checkerboard
    lattice_y,
    first_channel,
    all_channels,
    scale_x,
    scale_y,
    footprint,  # variance of a pixel, device pixels squared
    CHANNELS: tl.constexpr,  # that this launch makes, 1 to 4
    AS_BYTES: tl.constexpr,
    WIDTH: tl.constexpr,  # BLOCK_WIDTH
    HEIGHT: tl.constexpr,  # BLOCK_HEIGHT
    LANES: tl.constexpr,
):
    block = tl.program_id(0)
    block_x = block % columns
    block_y = block // columns
    x_high = tl.load(anchors_x + block_x)
    x_rest = tl.load(anchors_x + columns + block_x)
    y_high = tl.load(anchors_y + block_y)
    y_rest = tl.load(anchors_y + rows + block_y)
    # Source pixels from the first pixel's centre to the last one's.
    reach_x = (WIDTH - 1) / scale_x
    reach_y = (HEIGHT - 1) / scale_y

    pixel = tl.arange(0, WIDTH * HEIGHT)[:, None]
    px = (pixel % WIDTH).to(tl.float32)
    py = (pixel // WIDTH).to(tl.float32)
    lane = tl.arange(0, LANES)[None, :]
    sum0 = tl.zeros([WIDTH * HEIGHT, LANES], tl.float32)
    sum1 = tl.zeros([WIDTH * HEIGHT, LANES], tl.float32)
    sum2 = tl.zeros([WIDTH * HEIGHT, LANES], tl.float32)
    sum3 = tl.zeros([WIDTH * HEIGHT, LANES], tl.float32)

    square_x = scale_x * scale_x
    square_y = scale_y * scale_y
    shear = scale_x / scale_y

    for group in range(0, levels, _GROUP):
        # Which of these levels have cells in reach: one lane looks at one level.
        number = group + tl.arange(0, _GROUP)
        known = number < levels
        line = numbers + number * _NUMBERS
        line_x = x_high - tl.load(line, mask=known, other=0.0) + x_rest
        line_y = y_high - tl.load(line + 1, mask=known, other=0.0) + y_rest
        per_cell = tl.load(line + 2, mask=known, other=1.0)
        wide = tl.load(line + 3, mask=known, other=0.0)
        high = tl.load(line + 4, mask=known, other=0.0)
        in_x = tl.load(line + 6, mask=known, other=0.0)
        in_y = tl.load(line + 7, mask=known, other=0.0)
        start_x = _first_cell(line_x - wide, per_cell, in_x)
        start_y = _first_cell(line_y - high, per_cell, in_y)
        some_x = start_x <= _last_cell(line_x + reach_x + wide, per_cell, in_x)
        some_y = start_y <= _last_cell(line_y + reach_y + high, per_cell, in_y)
        waiting = tl.where(known & some_x & some_y, number, levels)
        level = tl.min(waiting, axis=0)
        while level < levels:
            table = numbers + level * _NUMBERS
            inverse = tl.load(table + 2)
            from_x = x_high - tl.load(table) + x_rest
            from_y = y_high - tl.load(table + 1) + y_rest
            margin_x = tl.load(table + 3)
            margin_y = tl.load(table + 4)
            gain = tl.load(table + 5)
            cells_x = tl.load(table + 6)
            cells_y = tl.load(table + 7)
            column0 = _first_cell(from_x - margin_x, inverse, cells_x)
            column1 = _last_cell(from_x + reach_x + margin_x, inverse, cells_x)
            row0 = _first_cell(from_y - margin_y, inverse, cells_y)
            row1 = _last_cell(from_y + reach_y + margin_y, inverse, cells_y)
            in_row = cells_x.to(tl.int32)

            addresses = integers + level * _INTEGERS
            values = tl.load(addresses).to(tl.pointer_type(tl.float32))
            stride = tl.load(addresses + 1)
            starts = tl.load(addresses + 2).to(tl.pointer_type(tl.int32))
            amplitudes = values + (_FIRST_AMPLITUDE + first_channel) * stride

            for row in range(row0, row1 + 1):
                first = tl.load(starts + (row * in_row + column0))
                end = tl.load(starts + (row * in_row + column1 + 1))
                for place in range(first, end, LANES):
                    k = place + lane
                    valid = k < end
                    x = tl.load(values + k, mask=valid, other=0.0)
                    y = tl.load(values + stride + k, mask=valid, other=0.0)
                    variance_y = tl.load(values + 2 * stride + k, mask=valid, other=1.0)
                    slope = tl.load(values + 3 * stride + k, mask=valid, other=0.0)
                    variance_x = tl.load(values + 4 * stride + k, mask=valid, other=1.0)
                    # The covariance on the device, the footprint added, as variance of y, slope of x on y, variance
                    # of x given y: each a sum or product of positive terms, however thin the Gaussian is.
                    before_y = variance_y * square_y
                    before_x = variance_x * square_x
                    leaning = slope * shear
                    inverse_y = tl.rsqrt(before_y + footprint)
                    kept_y = before_y * inverse_y * inverse_y
                    seen_x = before_x + footprint + leaning * leaning * kept_y * footprint
                    inverse_x = tl.rsqrt(seen_x)
                    kept_x = before_x * inverse_x * inverse_x
                    # exp(-1/2 ...) = 2**(-u*u - v*v)
                    u_x = inverse_x * _ROOT_HALF_LOG2_E
                    u_y = u_x * leaning * kept_y
                    v_y = inverse_y * _ROOT_HALF_LOG2_E
                    height_kept = tl.sqrt(kept_x * kept_y) * gain
                    height_kept = tl.where(valid, height_kept, 0.0)
                    x = (x - x_high - x_rest) * scale_x
                    y = (y - y_high - y_rest) * scale_y

                    dx = px - x
                    dy = py - y
                    u = u_x * dx - u_y * dy
                    v = v_y * dy
                    weight = tl.exp2(-(u * u) - v * v)
                    a = tl.load(amplitudes + k, mask=valid, other=0.0)
                    sum0 += weight * (a * height_kept)
                    if CHANNELS > 1:
                        a = tl.load(amplitudes + stride + k, mask=valid, other=0.0)
                        sum1 += weight * (a * height_kept)
                    if CHANNELS > 2:
                        a = tl.load(amplitudes + 2 * stride + k, mask=valid, other=0.0)
                        sum2 += weight * (a * height_kept)
                    if CHANNELS > 3:
                        a = tl.load(amplitudes + 3 * stride + k, mask=valid, other=0.0)
                        sum3 += weight * (a * height_kept)
            level = tl.min(tl.where(waiting > level, waiting, levels), axis=0)

    spot = tl.arange(0, WIDTH * HEIGHT)
    column = left + block_x * WIDTH + spot % WIDTH
    scanline = top + block_y * HEIGHT + spot // WIDTH
    inside = (column >= 0) & (column < width) & (scanline >= 0) & (scanline < height)
    position = scanline.to(tl.int64) * width + column
    red = tl.sum(sum0, axis=1)
    if AS_BYTES:
        green = red
        blue = red
        if CHANNELS > 1:
            green = tl.sum(sum1, axis=1)
            blue = tl.sum(sum2, axis=1)
        if CHANNELS == 4:
            odd = (
                (column + lattice_x + _CHECKER_SIZE) // _CHECKER_SIZE
                + (scanline + lattice_y + _CHECKER_SIZE) // _CHECKER_SIZE
            ) & 1
            grey = tl.where(odd == 1, _CHECKER_DARK, _CHECKER_LIGHT)
            alpha = tl.minimum(tl.maximum(tl.sum(sum3, axis=1), 0.0), 1.0)
            behind = (1.0 - alpha) * grey
            red = tl.minimum(tl.maximum(red, 0.0), alpha) + behind
            green = tl.minimum(tl.maximum(green, 0.0), alpha) + behind
            blue = tl.minimum(tl.maximum(blue, 0.0), alpha) + behind
        packed = (_level(red) << 16) | (_level(green) << 8) | _level(blue) | _OPAQUE
        tl.store(out + position, packed, mask=inside)
    else:
        target = out + position * all_channels + first_channel
        tl.store(target, red, mask=inside)
        if CHANNELS > 1:
            tl.store(target + 1, tl.sum(sum1, axis=1), mask=inside)
        if CHANNELS > 2:
            tl.store(target + 2, tl.sum(sum2, axis=1), mask=inside)
        if CHANNELS > 3:
            tl.store(target + 3, tl.sum(sum3, axis=1), mask=inside)


# With TRITON_INTERPRET=1 Triton runs kernels on the CPU, slowly: that is how they are tested without a GPU.
INTERPRETED = not isinstance(render_blocks, JITFunction)
