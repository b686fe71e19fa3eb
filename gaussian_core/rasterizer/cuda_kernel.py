"""The CUDA rasterizer's kernel in Triton: one warp makes one small block of pixels, from the cells that reach it.

It goes through the cells thirty-two Gaussians at a time, one a lane: each is prepared for this block, and those that
reach it by their own size are put side by side into a few lines of memory of the warp's own. These are then drawn one
after the other, every lane at its own pixels. A level of cells is as wide as its widest Gaussian: at zoom 4 a third, at
zoom 16 a sixth of what stands in the cells in reach really reaches a block, and the rest costs little more than its
loading. Nothing is added up between lanes, nothing is shared between blocks, and no two blocks write to one place.

What bounds it: the issue of instructions, and nearly as much the exponential unit. A round of 32 takes some 160 to
load, prepare, choose and put away, 75 where none is chosen. A Gaussian that is drawn takes about 10, and 6 for each
pixel of a lane: two multiply-adds and an exponential for the weight, a multiply-add per channel. Memory is behind:
every Gaussian in view is read from DRAM once, then from the second-level cache by the blocks around it, and what is put
away stays in the caches. A large block shares the preparation, but meets Gaussians that reach few of its pixels: where
they are some pixels wide, four pixels a lane are best (16x8), at zoom 1 two (8x8).

Everything is relative to a block's first pixel, and blocks stand on the absolute device lattice: a pixel gets the same
bits in any viewport that holds it. Positions are differences to an anchor in two float32 parts, so single precision is
enough, and every quantity below is a sum of positive terms, so that no determinant cancels.
"""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import math

import triton
import triton.language as tl
from triton.runtime import JITFunction

from gaussian_core.display import CHECKER_DARK, CHECKER_LIGHT, CHECKER_SIZE
from gaussian_core.rasterizer.cuda_tables import BIN_HEIGHT, BIN_WIDTH, REACH

# Device pixels of a block, width and height: below the scale at which a Gaussian is wide enough, and from it on.
SMALL_BLOCK = (8, 8)
LARGE_BLOCK = (16, 8)
LARGE_FROM = 1.5
LANES = 32  # of a warp, and Gaussians that are taken at once
MAX_CHANNELS = 4  # of one launch

# Columns of the tables of grid levels, see cuda_tables.py.
INTEGERS = 4
"""Address of the values, elements of one row of them, address of the cells' starts, unused."""
NUMBERS = 10
"""x and y of the first cell, 1 / cell, margins along x and y, gain, columns, lines of cells, origin x, y."""

# Rows of a field's values: x, y, variance of y, slope of x on y, variance of x given y, amplitudes.
FIRST_AMPLITUDE = 5
# What is put away of a Gaussian: pairs of float32, 8 bytes each. The last one or two hold the amplitudes.
PAIRS = 5

# Globals that a kernel reads must be marked.
_INTEGERS = tl.constexpr(INTEGERS)
_NUMBERS = tl.constexpr(NUMBERS)
_PAIRS = tl.constexpr(PAIRS)
_FIRST_AMPLITUDE = tl.constexpr(FIRST_AMPLITUDE)
_CHECKER_SIZE = tl.constexpr(CHECKER_SIZE)
_CHECKER_LIGHT = tl.constexpr(CHECKER_LIGHT)
_CHECKER_DARK = tl.constexpr(CHECKER_DARK)
_BIN_WIDTH = tl.constexpr(BIN_WIDTH)
_BIN_HEIGHT = tl.constexpr(BIN_HEIGHT)
_ROOT_HALF_LOG2_E = tl.constexpr(0.8493218002880191)
_FARTHEST = tl.constexpr(REACH * REACH * 0.5 * math.log2(math.e))  # as the exponent of 2
_OPAQUE = tl.constexpr(-(1 << 24))  # 0xFF000000 as a signed number


def block_size(scale: tuple[float, float]) -> tuple[int, int]:
    """Width and height of the blocks at a scale, device pixels."""
    return LARGE_BLOCK if scale[0] * scale[1] >= LARGE_FROM**2 else SMALL_BLOCK


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


@triton.jit
def _pair(first, second):
    """Two float32 as one number of 8 bytes: they are put away and read together."""
    low = first.to(tl.int32, bitcast=True).to(tl.int64) & 0xFFFFFFFF
    return (second.to(tl.int32, bitcast=True).to(tl.int64) << 32) | low


@triton.jit
def _first(pair):
    return pair.to(tl.int32).to(tl.float32, bitcast=True)


@triton.jit
def _second(pair):
    return (pair >> 32).to(tl.int32).to(tl.float32, bitcast=True)


# Numbers that happen to be 1 or a multiple of 16 must not each compile a kernel of their own.
@triton.jit(
    do_not_specialize=[
        "columns",
        "rows",
        "bin_columns",
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
    bins,  # int32: where the levels of each bin begin in `listed`, and where those of the last end
    listed,  # int32: the grid levels of all fields that may reach a bin, bin by bin
    put_away,  # int64 (programs, PAIRS, LANES): memory of each program's own
    columns,  # of blocks
    rows,
    bin_columns,
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
    WIDTH: tl.constexpr,  # of a block
    HEIGHT: tl.constexpr,
    LANES: tl.constexpr,
):
    # The pixels of a lane stand in one row of the block.
    spot = tl.arange(0, WIDTH * HEIGHT)
    in_lane = spot % LANES
    per_row: tl.constexpr = LANES // HEIGHT
    spot_x = in_lane % per_row + spot // LANES * per_row
    spot_y = in_lane // per_row
    px = spot_x.to(tl.float32)
    py = spot_y.to(tl.float32)
    lane = tl.arange(0, LANES)
    half_x: tl.constexpr = (WIDTH - 1) / 2
    half_y: tl.constexpr = (HEIGHT - 1) / 2
    own = put_away + tl.program_id(0) * (_PAIRS * LANES)

    # Source pixels from the first pixel's centre to the last one's.
    reach_x = (WIDTH - 1) / scale_x
    reach_y = (HEIGHT - 1) / scale_y
    square_x = scale_x * scale_x
    square_y = scale_y * scale_y
    shear = scale_x / scale_y

    for block in range(tl.program_id(0), columns * rows, tl.num_programs(0)):
        block_x = block % columns
        block_y = block // columns
        x_high = tl.load(anchors_x + block_x)
        x_rest = tl.load(anchors_x + columns + block_x)
        y_high = tl.load(anchors_y + block_y)
        y_rest = tl.load(anchors_y + rows + block_y)
        sum0 = tl.zeros([WIDTH * HEIGHT], tl.float32)
        sum1 = tl.zeros([WIDTH * HEIGHT], tl.float32)
        sum2 = tl.zeros([WIDTH * HEIGHT], tl.float32)
        sum3 = tl.zeros([WIDTH * HEIGHT], tl.float32)

        in_bin = block_y * HEIGHT // _BIN_HEIGHT * bin_columns + block_x * WIDTH // _BIN_WIDTH
        for entry in range(tl.load(bins + in_bin), tl.load(bins + in_bin + 1)):
            level = tl.load(listed + entry)
            table = numbers + level * _NUMBERS
            inverse = tl.load(table + 2)
            # Exact: places of a level count from its origin, which is a whole number, and near to what is seen of it.
            x_near = x_high - tl.load(table + 8)
            y_near = y_high - tl.load(table + 9)
            from_x = x_near - tl.load(table) + x_rest
            from_y = y_near - tl.load(table + 1) + y_rest
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
            if column0 > column1:
                row1 = row0 - 1

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
                    # exp(-1/2 ...) = 2**(-u*u - v*v), u = u_x * dx - u_y * dy, v = v_y * dy
                    u_x = inverse_x * _ROOT_HALF_LOG2_E
                    u_y = u_x * leaning * kept_y
                    v_y = inverse_y * _ROOT_HALF_LOG2_E
                    x = (x - x_near - x_rest) * scale_x
                    y = (y - y_near - y_rest) * scale_y
                    # The least that u and v are anywhere in the block, each for itself.
                    least_u = tl.abs(u_x * (half_x - x) - u_y * (half_y - y))
                    least_u = tl.maximum(least_u - u_x * half_x - tl.abs(u_y) * half_y, 0.0)
                    least_v = v_y * tl.maximum(tl.abs(half_y - y) - half_y, 0.0)
                    near = valid & (least_u * least_u + least_v * least_v <= _FARTHEST)
                    chosen = near.to(tl.int32)
                    count = tl.sum(chosen, axis=0)
                    if count > 0:
                        kept_x = before_x * inverse_x * inverse_x
                        height_kept = tl.sqrt(kept_x * kept_y) * gain
                        spare = own + tl.cumsum(chosen, axis=0) - 1
                        tl.store(spare, _pair(u_x, u_y), mask=near)
                        tl.store(spare + LANES, _pair(u_y * y - u_x * x, v_y), mask=near)
                        a = tl.load(amplitudes + k, mask=near, other=0.0) * height_kept
                        tl.store(spare + 2 * LANES, _pair(v_y * y, a), mask=near)
                        if CHANNELS > 1:
                            a = tl.load(amplitudes + stride + k, mask=near, other=0.0)
                            b = a
                            if CHANNELS > 2:
                                b = tl.load(amplitudes + 2 * stride + k, mask=near, other=0.0)
                            pair = _pair(a * height_kept, b * height_kept)
                            tl.store(spare + 3 * LANES, pair, mask=near)
                        if CHANNELS > 3:
                            a = tl.load(amplitudes + 3 * stride + k, mask=near, other=0.0)
                            a *= height_kept
                            tl.store(spare + 4 * LANES, _pair(a, a), mask=near)
                        tl.debug_barrier()  # every lane reads what the others have put away
                        for i in range(count):
                            steep = tl.load(own + i)
                            place_x = tl.load(own + LANES + i)
                            place_y = tl.load(own + 2 * LANES + i)
                            u = _first(steep) * px + (_first(place_x) - _second(steep) * py)
                            v = _second(place_x) * py - _first(place_y)
                            lower = -(v * v)
                            weight = tl.exp2(lower - u * u)
                            sum0 += weight * _second(place_y)
                            if CHANNELS > 1:
                                more = tl.load(own + 3 * LANES + i)
                                sum1 += weight * _first(more)
                                if CHANNELS > 2:
                                    sum2 += weight * _second(more)
                            if CHANNELS > 3:
                                sum3 += weight * _first(tl.load(own + 4 * LANES + i))
                        tl.debug_barrier()  # nobody still reads when the next are put there

        column = left + block_x * WIDTH + spot_x
        scanline = top + block_y * HEIGHT + spot_y
        inside = (column >= 0) & (column < width) & (scanline >= 0) & (scanline < height)
        position = scanline.to(tl.int64) * width + column
        if AS_BYTES:
            red = sum0
            green = sum0
            blue = sum0
            if CHANNELS > 1:
                green = sum1
                blue = sum2
            if CHANNELS == 4:
                odd = (
                    (column + lattice_x + _CHECKER_SIZE) // _CHECKER_SIZE
                    + (scanline + lattice_y + _CHECKER_SIZE) // _CHECKER_SIZE
                ) & 1
                grey = tl.where(odd == 1, _CHECKER_DARK, _CHECKER_LIGHT)
                alpha = tl.minimum(tl.maximum(sum3, 0.0), 1.0)
                behind = (1.0 - alpha) * grey
                red = tl.minimum(tl.maximum(red, 0.0), alpha) + behind
                green = tl.minimum(tl.maximum(green, 0.0), alpha) + behind
                blue = tl.minimum(tl.maximum(blue, 0.0), alpha) + behind
            packed = (_level(red) << 16) | (_level(green) << 8) | _level(blue) | _OPAQUE
            tl.store(out + position, packed, mask=inside)
        else:
            target = out + position * all_channels + first_channel
            tl.store(target, sum0, mask=inside)
            if CHANNELS > 1:
                tl.store(target + 1, sum1, mask=inside)
            if CHANNELS > 2:
                tl.store(target + 2, sum2, mask=inside)
            if CHANNELS > 3:
                tl.store(target + 3, sum3, mask=inside)


# With TRITON_INTERPRET=1 Triton runs kernels on the CPU, slowly: that is how they are tested without a GPU.
INTERPRETED = not isinstance(render_blocks, JITFunction)
