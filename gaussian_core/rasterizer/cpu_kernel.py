"""The CPU rasterizer's loops: the Gaussians that reach a tile, added to its pixels.

A tile gathers the Gaussians of the cells that reach it, prepares them sixteen at a time, and adds each one column by
column of pixels. What bounds it: at high zoom, three loads, fused multiply-adds and stores per sixteen pixels, the
stores above all; at low zoom, two vectors of exponentials, the set-up per Gaussian and half-empty vectors. Two kinds of
fields go faster ways: regular grids (regular_kernel), and any field where its cells are as large as the pixels
(cells_kernel) or up to twice as large (cells_ring).

Everything about a Gaussian's box, its columns and the restarts of its recurrences is laid out relative to its own
centre pixel on the absolute device lattice, never relative to the tile: a pixel gets the same bits in any tiling.
"""

# mypy: disable-error-code="call-arg,no-untyped-def"

from __future__ import annotations

import math

import numpy as np
from numba.cpython.unsafe.tuple import tuple_setitem

from gaussian_core.compiled import compiled
from gaussian_core.rasterizer.cells_ir import LANES, SLOTS, most_in_a_cell
from gaussian_core.rasterizer.cells_kernel import (
    BLOCKS,
    NO_RING,
    OVERHANG,
    add_blocks,
    block_length,
    one_pixel_a_cell,
    prepare_block,
)
from gaussian_core.rasterizer.cells_ring import (
    PLANES,
    RING,
    SPAN,
    cells_of_pixels,
    own_pixel,
    own_pixels,
    ring_of,
    take_rows,
)
from gaussian_core.rasterizer.coarse import SMOOTH
from gaussian_core.rasterizer.regular_kernel import add_regular
from gaussian_core.rasterizer.vector_ir import (
    BATCH,
    CENTRE_X,
    CENTRE_Y,
    FIRST_X,
    FIRST_Y,
    FRACTION_X,
    FRACTION_Y,
    HALF_HEIGHT,
    INVERSE_REACH_SQ,
    LAST_X,
    LAST_Y,
    LOG2_E,
    NORM,
    QUAD_XX,
    QUAD_XY,
    QUAD_YY,
    RATIO_YY,
    SLOPE,
    SPANS,
    WORST,
    column_direct,
    column_narrow,
    column_spans,
    column_wide,
    f32_at,
    i32_at,
    prepare,
)

# Where a Gaussian is cut, in standard deviations: below 1/1360 of its amplitude. The contract allows 1/512; the wider
# cut keeps the sum of many cut edges invisible.
REACH = 3.8

# Floats on either side of a tile's rows, whole vectors, so that a column may start or end outside the tile.
PAD = max(16, (OVERHANG + 15) // 16 * 16)
REGULAR_BELOW = 6.0  # device pixels a cell up to which a regular grid is summed axis by axis
SEGMENT = 32  # rows after which a recurrence starts anew: float32 errors stay under 1e-4
# Exponents (of 2) from which a recurrence can start without touching subnormal numbers.
DEEPEST = -120.0
# An exponent in the worst corner of a box, too: that of a slanted ellipse of axes of 1 to 30. Of thinner ones the terms
# of an exponent are thousands of times their sum, whose rounding would show.
THINNEST = -8192.0

# Bounds for the quadratic terms of exponents, per sample squared, of Gaussians that are smooth on a lattice and on the
# next coarser one. Lattices differ by powers of two, so that both bounds are the same one to the bit.
SMOOTH_HERE = np.float32(-0.5 * LOG2_E / SMOOTH**2)
SMOOTH_ON_THE_NEXT = np.float32(SMOOTH_HERE / 4)
EVERY_LEAST, EVERY_MOST = np.float32(-np.inf), np.float32(1)


# Columns of the integer and the float table that describe the grid levels of all fields (see cpu.py).
(
    G_ROWS, G_ROW_BYTES, G_STARTS, G_FIRST_X, G_FIRST_Y, G_COLUMNS, G_LINES, G_REGULAR, G_LATTICE,
    G_SPREADS,
) = range(10)  # fmt: skip
(
    G_CELL, G_VARIANCE_X, G_VARIANCE_Y, G_X0, G_Y0, G_X1, G_Y1, G_GAIN, G_SHIFT_X, G_SHIFT_Y,
) = range(10)  # fmt: skip


@compiled()
def _deepest(da, db, dya, dyb, xx, xy, yy):
    """The least exponent in a block of pixels: a concave function has it in a corner."""
    e00 = xx * da * da + xy * da * dya + yy * dya * dya
    e01 = xx * da * da + xy * da * dyb + yy * dyb * dyb
    e10 = xx * db * db + xy * db * dya + yy * dya * dya
    e11 = xx * db * db + xy * db * dyb + yy * dyb * dyb
    return min(min(e00, e01), min(e10, e11))


@compiled()
def _splat_large(
    tile, row_bytes, channel_bytes, left, top, width, height, scratch,
    cx, cy, x0, x1, y0, y1, fx, fy, xx, xy, yy, ratio, slope, half, inverse_sq, worst, amplitudes,
):  # fmt: skip
    """Add a Gaussian that is more than one column wide: only the columns and rows that its ellipse touches.

    Columns are 16 pixels of the absolute lattice, and `left` is on it, so that every load and store is aligned.
    """
    spans = scratch + SPANS * BATCH * 4
    along_x = inverse_sq * np.float32(-0.5 * LOG2_E * REACH * REACH)
    # First column that holds both tile and box, relative to the centre pixel.
    a = max(left, left + ((cx + x0 - left) >> 4) * 16) - cx
    end = min(x1, left + width - 1 - cx)
    while a <= end:
        column_spans(
            np.int32(a), np.int32(x0), np.int32(x1), np.int32(y0), np.int32(y1),
            fx, fy, slope, half, inverse_sq, spans,
        )  # fmt: skip
        for m in range(min(BATCH, ((end - a) >> 4) + 1)):
            ya = np.int64(i32_at(spans, m))
            yb = np.int64(i32_at(spans, BATCH + m))
            first = max(ya, top - cy)
            last = min(yb, top + height - 1 - cy)
            if first > last:
                continue
            here = a + 16 * m
            lane = max(0, x0 - here)
            count = min(15, x1 - here) - lane + 1
            dx = np.float32(here) - fx
            place = tile + (cx + here - left + PAD) * 4
            start = ya + ((first - ya) // SEGMENT) * SEGMENT
            while start <= last:
                stop = min(yb, start + SEGMENT - 1)
                begin = max(start, first)
                rows = min(stop, last) - begin + 1
                dy = np.float32(start) - fy
                pixels = place + (cy + begin - top) * row_bytes
                if worst > DEEPEST or (worst > THINNEST and _deepest(
                    dx + np.float32(lane), dx + np.float32(lane + count - 1),
                    dy, np.float32(stop) - fy, xx, xy, yy,
                ) > DEEPEST):  # fmt: skip
                    column_wide(
                        pixels, row_bytes, channel_bytes, begin - start, rows,
                        np.int32(lane), np.int32(count), dx, dy, xx, xy, yy, ratio, amplitudes,
                    )  # fmt: skip
                else:
                    column_direct(
                        pixels, row_bytes, channel_bytes, begin - start, rows,
                        np.int32(lane), np.int32(count), dx, dy, along_x, slope, yy, ratio,
                        amplitudes,
                    )  # fmt: skip
                start += SEGMENT
        a += 16 * BATCH


@compiled()
def _amplitudes(template, rows, row_bytes, number, norm):
    """The C amplitudes of a Gaussian, scaled; unrolled by the length of the template tuple."""
    out = template
    for c in range(len(template)):
        value = f32_at(rows + (5 + c) * row_bytes, number) * norm
        out = tuple_setitem(out, c, value)
    return out


@compiled()
def _accumulate(
    tile, row_bytes, channel_bytes, left, top, width, height, scratch,
    rows, field_bytes, gain, first, last, sx, sy, px, py, footprint, template, least, most,
):  # fmt: skip
    """Add Gaussians of first .. last - 1 of one field to a tile, their amplitudes times gain.

    Those whose exponents' quadratic terms are both at least `least` and not both at least `most`: see coarse.py.
    """
    s = scratch
    while first < last:
        prepare(rows, field_bytes, first, sx, sy, px, py, footprint, REACH, s)
        for k in range(min(BATCH, last - first)):
            cy = np.int64(i32_at(s, CENTRE_Y * BATCH + k))
            y0 = np.int64(i32_at(s, FIRST_Y * BATCH + k))
            y1 = np.int64(i32_at(s, LAST_Y * BATCH + k))
            if cy + y1 < top or cy + y0 >= top + height:
                continue
            cx = np.int64(i32_at(s, CENTRE_X * BATCH + k))
            x0 = np.int64(i32_at(s, FIRST_X * BATCH + k))
            x1 = np.int64(i32_at(s, LAST_X * BATCH + k))
            if cx + x1 < left or cx + x0 >= left + width or x1 < x0 or y1 < y0:
                continue
            fx = f32_at(s, FRACTION_X * BATCH + k)
            fy = f32_at(s, FRACTION_Y * BATCH + k)
            xx = f32_at(s, QUAD_XX * BATCH + k)
            xy = f32_at(s, QUAD_XY * BATCH + k)
            yy = f32_at(s, QUAD_YY * BATCH + k)
            narrower = min(xx, yy)
            if narrower < least or narrower >= most:
                continue
            ratio = f32_at(s, RATIO_YY * BATCH + k)
            norm = f32_at(s, NORM * BATCH + k) * gain
            amplitudes = _amplitudes(template, rows, field_bytes, first + k, norm)
            worst = f32_at(s, WORST * BATCH + k)
            if worst > DEEPEST and x1 - x0 < 16 and y1 - y0 < SEGMENT:
                begin = max(y0, top - cy)
                count = min(y1, top + height - 1 - cy) - begin + 1
                here = tile + (cx + x0 - left + PAD) * 4 + (cy + begin - top) * row_bytes
                dx = np.float32(x0) - fx
                dy = np.float32(y0) - fy
                if x1 - x0 < 8:
                    column_narrow(
                        here, row_bytes, channel_bytes, begin - y0, count, np.int32(0),
                        np.int32(x1 - x0 + 1), dx, dy, xx, xy, yy, ratio, amplitudes,
                    )  # fmt: skip
                else:
                    column_wide(
                        here, row_bytes, channel_bytes, begin - y0, count, np.int32(0),
                        np.int32(x1 - x0 + 1), dx, dy, xx, xy, yy, ratio, amplitudes,
                    )  # fmt: skip
            else:
                _splat_large(
                    tile, row_bytes, channel_bytes, left, top, width, height, s,
                    cx, cy, x0, x1, y0, y1, fx, fy, xx, xy, yy, ratio,
                    f32_at(s, SLOPE * BATCH + k), f32_at(s, HALF_HEIGHT * BATCH + k),
                    f32_at(s, INVERSE_REACH_SQ * BATCH + k), worst, amplitudes,
                )  # fmt: skip
        first += BATCH


@compiled()
def _add_alone(
    alone, count, first, starts, tile, row_bytes, channel_bytes, left, top, width, height, scratch,
    rows, field_bytes, gain, scale, px, py, footprint, template,
):  # fmt: skip
    """Add those Gaussians of `count` neighbouring blocks of cells that prepare_block has left: of each block the bits
    slot * LANES + lane. first: the number within its cell of what slot 0 holds."""
    for n in range(count):
        bits = alone[n]
        if bits == 0:
            continue
        for bit in range(SLOTS * LANES):
            if (bits >> np.uint64(bit)) & np.uint64(1):
                number = np.int64(i32_at(starts, n * LANES + bit % LANES)) + first + bit // LANES
                _accumulate(
                    tile, row_bytes, channel_bytes, left, top, width, height, scratch, rows,
                    field_bytes, gain, number, number + 1, scale, scale, px, py, footprint,
                    template, EVERY_LEAST, EVERY_MOST,
                )  # fmt: skip


@compiled()
def _add_cells(
    tile, row_bytes, channel_bytes, left, top, width, height, scratch, blocks,
    rows, field_bytes, starts, columns, first_x, first_y, c0, c1, r0, r1, cell, gain,
    sx, lx, ly, px, py, footprint, template,
):  # fmt: skip
    """Add cells c0 .. c1 of rows r0 .. r1 of a level whose cells are as large as pixels, see cells_kernel.

    (first_x, first_y): number of the level's first cell. blocks: BLOCKS scratch blocks of cells_ir.
    """
    # A cell's own pixel is the one whose centre is nearest to the cell's.
    back_x, back_y = 1 if px > 0.5 else 0, 1 if py > 0.5 else 0
    shift_y = np.float32(0.5 + py - back_y)
    shifts_x = np.full(LANES, np.float32(0.5 + px - back_x), np.float32)
    corner = tile + (PAD - left) * 4 - top * row_bytes
    # A window may be one pixel wider than the reach of the Gaussian that it is of.
    c0, c1 = max(c0 - 1, 0), min(c1 + 1, columns - 1)
    channels = len(template)
    block_bytes = block_length(channels) * 4
    wide = BLOCKS * LANES
    alone = np.zeros(BLOCKS, np.uint64)
    for r in range(r0, r1 + 1):
        pixel_y = first_y + r - int(ly) - back_y
        edge_y = np.float32((first_y + r) * cell)
        for c in range(c0 // wide * wide, c1 + 1, wide):
            count = min(BLOCKS, (columns - c + LANES - 1) // LANES)
            most = 0
            for n in range(count):
                here = c + n * LANES
                cells = starts + (r * columns + here) * 4
                most = max(most, most_in_a_cell(cells, min(LANES, columns - here)))
            pixel = corner + (first_x + c - int(lx) - back_x) * 4 + pixel_y * row_bytes
            for group in range(0, most, SLOTS):
                for n in range(count):
                    here = c + n * LANES
                    cells = starts + (r * columns + here) * 4
                    alone[n] = prepare_block(
                        blocks + n * block_bytes, rows, field_bytes, cells,
                        min(LANES, columns - here), group, np.float32((first_x + here) * cell),
                        edge_y, np.float32(cell), np.float32(sx), shifts_x.ctypes.data, shift_y,
                        np.float32(footprint), np.float32(REACH), np.float32(OVERHANG), gain,
                        template,
                    )  # fmt: skip
                add_blocks(
                    pixel, 4, row_bytes, channel_bytes, top, height, blocks, count, pixel_y,
                    0, NO_RING, template,
                )  # fmt: skip
                _add_alone(
                    alone, count, group, starts + (r * columns + c) * 4, tile, row_bytes,
                    channel_bytes, left, top, width, height, scratch, rows, field_bytes, gain,
                    sx, lx + px, ly + py, footprint, template,
                )  # fmt: skip


@compiled()
def _add_spread_cells(
    planes, tile, row_bytes, channel_bytes, left, top, width, height, scratch, blocks, ring,
    rows, field_bytes, starts, columns, first_x, first_y, c0, c1, r0, r1, cell, gain,
    scale, lx, ly, px, py, footprint, template,
):  # fmt: skip
    """As _add_cells, for a level whose cells are a little larger than pixels, see cells_ring.

    planes: what tile is the address of. ring: memory of cells_ring.zero_room.
    """
    c0, c1 = max(c0 - 1, 0), min(c1 + 1, columns - 1)
    channels = len(template)
    block_bytes = block_length(channels) * 4
    wide = BLOCKS * LANES
    begin = c0 // wide * wide
    cells_here = (c1 // wide + 1) * wide - begin
    pixels, shifts_x = own_pixels(first_x + begin, cells_here, cell * scale, px)
    reached, own, after = cells_of_pixels(pixels, left + int(lx), width)
    sums = ring_of(ring, channels, cells_here)
    here = sums.ctypes.data + SPAN * sums.strides[0]
    alone = np.zeros(BLOCKS, np.uint64)
    used = (0, -1)  # columns that hold something
    done = -(1 << 62)  # rows of pixels before this one are in the tile
    for r in range(r0, r1 + 1):
        edge = (first_y + r) * cell
        own_y, shift_y = own_pixel(first_y + r, cell * scale, py)
        pixel_y = own_y - int(ly)
        if r == r0:
            done = pixel_y - SPAN
        take_rows(sums, used, done, pixel_y - SPAN, reached, own, after, planes, PAD, top, height)
        done = pixel_y - SPAN
        for c in range(begin, c1 + 1, wide):
            count = min(BLOCKS, (columns - c + LANES - 1) // LANES)
            most = 0
            for n in range(count):
                cells = starts + (r * columns + c + n * LANES) * 4
                most = max(most, most_in_a_cell(cells, min(LANES, columns - c - n * LANES)))
            place = here + (pixel_y % RING) * sums.strides[1] + (c - begin) * 4
            for group in range(0, most, SLOTS):
                for n in range(count):
                    number = c + n * LANES
                    cells = starts + (r * columns + number) * 4
                    alone[n] = prepare_block(
                        blocks + n * block_bytes, rows, field_bytes, cells,
                        min(LANES, columns - number), group,
                        np.float32((first_x + number) * cell), np.float32(edge), np.float32(cell),
                        np.float32(scale), shifts_x.ctypes.data + (number - begin) * 4, shift_y,
                        np.float32(footprint), np.float32(REACH), np.float32(SPAN), gain, template,
                    )  # fmt: skip
                first, last = add_blocks(
                    place, sums.strides[0], sums.strides[1], sums.strides[2], top, height, blocks,
                    count, pixel_y, here, RING * sums.strides[1], template,
                )  # fmt: skip
                used = (min(used[0], first), max(used[1], last))
                _add_alone(
                    alone, count, group, starts + (r * columns + c) * 4, tile, row_bytes,
                    channel_bytes, left, top, width, height, scratch, rows, field_bytes, gain,
                    scale, lx + px, ly + py, footprint, template,
                )  # fmt: skip
    take_rows(sums, used, done, done + PLANES, reached, own, after, planes, PAD, top, height)


@compiled(inline="always")
def _clamped(position, first, count):
    return int(min(max(math.floor(position) - first, 0.0), count - 1.0))


@compiled(inline="always")
def _margin(variance, scale, footprint):
    """Source pixels from a centre on that a Gaussian may reach."""
    # One device pixel of slack covers every rounding below.
    return REACH * math.sqrt(variance + footprint / (scale * scale)) + 1.0 / scale


@compiled()
def spread_cells(grids, sizes, scale, footprint, tile_width):
    """Cells of a row that may reach a tile, the most of any level that is drawn by _add_spread_cells; 0: none is."""
    most = 0
    for g in range(grids.shape[0]):
        if grids[g, G_SPREADS]:
            reached = tile_width / scale + 2 * _margin(sizes[g, G_VARIANCE_X], scale, footprint)
            most = max(most, int(reached / sizes[g, G_CELL]) + 4)
    return most


@compiled()
def gather(
    planes, tile, row_bytes, channel_bytes, left, top, width, height, scratch, blocks, ring,
    grids, sizes, sx, sy, lx, ly, px, py, footprint, template, lattice, coarsest,
):  # fmt: skip
    """Add to a tile the Gaussians of every grid level whose cut ellipse can reach it, and that the lattice is for.

    left, top: of the tile, on the device lattice; (lx, ly) is the viewport's corner there. `tile` is the address of
    `planes` (H, C, PAD + W + PAD). ring: memory for _add_spread_cells.

    A level's places count from its own origin, G_SHIFT device pixels from the source's, and so does its corner here.
    """
    step = 1 << lattice
    for g in range(grids.shape[0]):
        finest = grids[g, G_LATTICE]
        if lattice < finest or (grids[g, G_REGULAR] and lattice > finest):
            continue
        margin_x = _margin(sizes[g, G_VARIANCE_X], sx, footprint)
        margin_y = _margin(sizes[g, G_VARIANCE_Y], sy, footprint)
        corner_x = lx - sizes[g, G_SHIFT_X] / step + px
        corner_y = ly - sizes[g, G_SHIFT_Y] / step + py
        x0 = (left + corner_x) / sx - margin_x
        x1 = (left + corner_x + width) / sx + margin_x
        y0 = (top + corner_y) / sy - margin_y
        y1 = (top + corner_y + height) / sy + margin_y
        if x1 < sizes[g, G_X0] or x0 > sizes[g, G_X1]:
            continue
        if y1 < sizes[g, G_Y0] or y0 > sizes[g, G_Y1]:
            continue
        cell = sizes[g, G_CELL]
        columns = grids[g, G_COLUMNS]
        # Of cells many pixels wide few Gaussians are seen, and the tables of taps cost more than these.
        if grids[g, G_REGULAR] and max(sx, sy) * cell < REGULAR_BELOW:
            add_regular(
                planes, PAD, left, top, width, height, grids[g, G_ROWS], grids[g, G_ROW_BYTES],
                columns, grids[g, G_LINES], cell, sizes[g, G_X0], sizes[g, G_Y0],
                sizes[g, G_VARIANCE_X], sizes[g, G_VARIANCE_Y], sizes[g, G_GAIN],
                sx, sy, corner_x, corner_y, footprint, REACH,
            )  # fmt: skip
            continue
        c0 = _clamped(x0 / cell, grids[g, G_FIRST_X], columns)
        c1 = _clamped(x1 / cell, grids[g, G_FIRST_X], columns)
        r0 = _clamped(y0 / cell, grids[g, G_FIRST_Y], grids[g, G_LINES])
        r1 = _clamped(y1 / cell, grids[g, G_FIRST_Y], grids[g, G_LINES])
        starts = grids[g, G_STARTS]
        whole_x, whole_y = math.floor(corner_x), math.floor(corner_y)
        if coarsest == 0 and grids[g, G_SPREADS]:
            _add_spread_cells(
                planes, tile, row_bytes, channel_bytes, left, top, width, height, scratch, blocks,
                ring, grids[g, G_ROWS], grids[g, G_ROW_BYTES], starts, columns,
                grids[g, G_FIRST_X], grids[g, G_FIRST_Y], c0, c1, r0, r1, cell,
                np.float32(sizes[g, G_GAIN]), sx, whole_x, whole_y, corner_x - whole_x,
                corner_y - whole_y, footprint, template,
            )  # fmt: skip
            continue
        if coarsest == 0 and one_pixel_a_cell(
            cell, sx, sy, sizes[g, G_VARIANCE_X], sizes[g, G_VARIANCE_Y], footprint, REACH
        ):
            _add_cells(
                tile, row_bytes, channel_bytes, left, top, width, height, scratch, blocks,
                grids[g, G_ROWS], grids[g, G_ROW_BYTES], starts, columns,
                grids[g, G_FIRST_X], grids[g, G_FIRST_Y], c0, c1, r0, r1, cell,
                np.float32(sizes[g, G_GAIN]), sx, whole_x, whole_y, corner_x - whole_x,
                corner_y - whole_y, footprint, template,
            )  # fmt: skip
            continue
        least = EVERY_LEAST if lattice == finest else SMOOTH_HERE
        most = SMOOTH_ON_THE_NEXT
        if lattice == coarsest or grids[g, G_REGULAR]:
            most = EVERY_MOST
        for r in range(r0, r1 + 1):
            _accumulate(
                tile, row_bytes, channel_bytes, left, top, width, height, scratch,
                grids[g, G_ROWS], grids[g, G_ROW_BYTES], np.float32(sizes[g, G_GAIN]),
                np.int64(i32_at(starts, r * columns + c0)),
                np.int64(i32_at(starts, r * columns + c1 + 1)),
                sx, sy, corner_x, corner_y, footprint, template, least, most,
            )  # fmt: skip
