"""Fields whose cells are as large as the pixels: the view at 100 %, the most expensive of all.

There a Gaussian touches some twenty pixels and there are millions of them. Taken one by one, each costs its set-up and
stores of half-empty vectors. Here the lanes of a vector are the Gaussians of neighbouring cells, which all take
the same steps: they are set up side by side and write side by side. What bounds it: two products and three fused
multiply-adds for each pixel and Gaussian in the window that all of LANES x SLOTS Gaussians share.

Two blocks of neighbouring cells take turns, column by column: a vector that overlaps one just stored would wait for it.
Pairs of blocks are counted from the field's first cell, so that a Gaussian's neighbours, on which its window and its
turn depend, are the same in every tile.
"""

# mypy: disable-error-code="call-arg,no-untyped-def"

from __future__ import annotations

import math

import numpy as np

from gaussian_core.compiled import compiled
from gaussian_core.rasterizer.cells_ir import (
    AMPLITUDES,
    BOUNDS,
    LANES,
    SLOTS,
    add_column,
    advance_left,
    advance_right,
    begin_left,
    begin_right,
    clear_bounds,
    leftmost,
    lowest,
    prepare_slot,
    rightmost,
    topmost,
)

BLOCKS = 2  # that take turns
REACH_LIMIT = 6.0  # device pixels: where Gaussians reach further they are drawn one by one
NO_RING = 1 << 62  # bytes: more than there are
# Device pixels by which a block may stand out of the tile that it is drawn for: its own width and the windows, the
# one that reaches into the tile and the one that reaches out.
OVERHANG = BLOCKS * LANES + 2 * math.ceil(REACH_LIMIT + 2)
# The same above and below, where a block is one cell high.
OVERHANG_ROWS = 2 * math.ceil(REACH_LIMIT + 2)


@compiled(inline="always")
def one_pixel_a_cell(cell, sx, sy, variance_x, variance_y, footprint, reach):
    """Whether a level is drawn block by block: depends on the frame alone, not on the tile."""
    if cell * sx != 1.0 or cell * sy != 1.0:
        return False
    largest = max(variance_x, variance_y) * sx * sx
    return reach * math.sqrt(largest + footprint) < REACH_LIMIT


@compiled(inline="always")
def block_length(channels):
    """Four-byte values in the scratch block of one block of cells."""
    return (SLOTS * (AMPLITUDES + channels) + BOUNDS) * LANES


@compiled()
def prepare_block(
    scratch, rows, field_bytes, starts, cells, group, edge_x, edge_y, cell, scale,
    shifts_x, shift_y, footprint, reach, limit, gain, template,
):  # fmt: skip
    """Set up Gaussians group .. group + SLOTS - 1 of each of LANES cells; the arguments are those of prepare_slot.

    Returns those that have to be drawn by themselves: bit slot * LANES + lane.
    """
    alone = np.uint64(0)
    clear_bounds(scratch, template)
    for slot in range(SLOTS):
        bits = prepare_slot(
            rows, field_bytes, starts, cells, group + slot, slot, edge_x, edge_y, cell, scale,
            shifts_x, shift_y, footprint, reach, limit, gain, scratch, template,
        )  # fmt: skip
        alone |= np.uint64(bits) << np.uint64(slot * LANES)
    return alone


@compiled()
def add_blocks(
    here, column_bytes, row_bytes, channel_bytes, top, height, scratch, count, pixel_y, ring,
    ring_bytes, template,
):  # fmt: skip
    """Add `count` neighbouring blocks of cells, set up in as many scratch blocks one after the other, to pixels.

    here: address of the first cell's own pixel; column_bytes: from what the column n pixels from each cell's own is
    written to, to that of the next. pixel_y: row of the cells' own pixels; top .. top + height - 1 are wanted. ring,
    ring_bytes: see add_column. Returns the first and the last column written to.
    """
    block_bytes = block_length(len(template)) * 4
    first, last, upper, lower = 0, -1, 0, -1
    for n in range(count):
        block = scratch + n * block_bytes
        first = min(first, leftmost(block, template))
        last = max(last, rightmost(block, template))
        upper = min(upper, topmost(block, template))
        lower = max(lower, lowest(block, template))
    if pixel_y + lower < top or pixel_y + upper >= top + height:
        return 0, -1
    # The walk begins at the cell's own pixel, whatever the box; rows beyond the tile are not walked twice.
    upper = upper if pixel_y >= top else 0
    lower = lower if pixel_y < top + height else -1
    for x in range(last + 1):
        for n in range(count):
            block = scratch + n * block_bytes
            if x == 0:
                begin_right(block, template)
            else:
                advance_right(block, template)
            add_column(
                block, here + x * column_bytes + n * LANES * 4, row_bytes, channel_bytes, x, upper,
                lower, ring + x * column_bytes, ring_bytes, template,
            )  # fmt: skip
    for x in range(-1, first - 1, -1):
        for n in range(count):
            block = scratch + n * block_bytes
            if x == -1:
                begin_left(block, template)
            else:
                advance_left(block, template)
            add_column(
                block, here + x * column_bytes + n * LANES * 4, row_bytes, channel_bytes, x, upper,
                lower, ring + x * column_bytes, ring_bytes, template,
            )  # fmt: skip
    return first, last
