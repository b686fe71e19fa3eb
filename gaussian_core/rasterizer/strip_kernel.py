"""One strip of the viewport: tiles that stay in a near cache, drawn and written to the frame, without the GIL.

A tile may be drawn on coarser lattices first (see coarse.py), each enlarged to twice the samples and added to by the
Gaussians of the next finer one. Lattices are absolute: sample K of a lattice is sample 2 K of the next finer one and
pixel 2**j K of the device lattice, whatever tile or viewport asks, so that a pixel has the same bits in all of them.
What bounds such a tile, where nearly everything is drawn on a coarse lattice: the last enlargement and the bytes.
"""

# mypy: disable-error-code="call-arg,no-untyped-def"

from __future__ import annotations

import numpy as np

from gaussian_core.compiled import compiled
from gaussian_core.display import CHECKER_DARK, CHECKER_LIGHT, CHECKER_SIZE
from gaussian_core.machine.cache_lines import lines
from gaussian_core.rasterizer.cells_kernel import (
    BLOCKS,
    OVERHANG_ROWS,
    block_length,
    one_pixel_a_cell,
)
from gaussian_core.rasterizer.cells_ring import zero_room
from gaussian_core.rasterizer.coarse import COARSEST
from gaussian_core.rasterizer.cpu_kernel import (
    G_CELL,
    G_LATTICE,
    G_VARIANCE_X,
    G_VARIANCE_Y,
    PAD,
    REACH,
    gather,
    spread_cells,
)
from gaussian_core.rasterizer.enlarge_ir import MOST_NEIGHBOURS
from gaussian_core.rasterizer.enlarge_kernel import enlarge
from gaussian_core.rasterizer.vector_ir import BATCH, SCRATCH_ROWS, pack_bgrx


@compiled()
def _draw_coarse(
    tile, row_bytes, channel_bytes, left, top, width, height, room, between, scratch, blocks, ring,
    grids, sizes, sx, sy, lx, ly, px, py, footprint, template, coarsest, finest,
):  # fmt: skip
    """Draw what is smooth on the lattices coarsest .. 1 and fill the tile with its enlargement.

    room: memory for all of them. finest: lattice of the narrowest Gaussian.
    """
    channels = len(template)
    reach = MOST_NEIGHBOURS
    # What every lattice must hold so that the next finer one can be made of it: first column and row, absolute, and
    # size.
    region = np.empty((COARSEST + 1, 4), np.int64)
    region[0] = (left + int(lx), top + int(ly), width, height)
    for j in range(1, coarsest + 1):
        x, y, w, h = region[j - 1]
        first = (((x >> 1) - reach + 1) >> 4) << 4
        line = (y >> 1) - reach + 1
        region[j] = (
            first, line, ((x + w - 1) >> 1) + reach + 1 - first, ((y + h - 1) >> 1) + reach + 1 - line,
        )  # fmt: skip
    used, above, above_line = 0, room[:0].reshape((0, channels, 0)), 0
    for j in range(coarsest, -1, -1):
        x, y, w, h = region[j]
        if j == 0:
            here, here_row, here_channel = tile, row_bytes, channel_bytes
        else:
            line = (w + 15) // 16 * 16 + 2 * PAD
            count = h * channels * line
            plane = room[used : used + count].reshape((h, channels, line))
            used += count
            here, here_row, here_channel = plane, channels * line * 4, line * 4
        if j == coarsest:
            here[:] = 0
        else:
            enlarge(
                above.ctypes.data + (PAD + (x >> 1) - region[j + 1, 0]) * 4,
                channels * above_line * 4, above_line * 4, region[j + 1, 3],
                (y >> 1) - region[j + 1, 1], between.ctypes.data,
                here.ctypes.data + PAD * 4, here_row, here_channel, y & 1, w, h, channels,
                max(0, finest - (j + 1)),
            )  # fmt: skip
        if j > 0:
            step = 1 << j
            gather(
                here, here.ctypes.data, here_row, here_channel,
                x - (int(lx) >> j), y - (int(ly) >> j), w, h, scratch, blocks, ring, grids, sizes,
                sx / step, sy / step, float(int(lx) >> j), float(int(ly) >> j),
                (px + 0.5) / step - 0.5, (py + 0.5) / step - 0.5,
                footprint / (step * step), template, j, coarsest,
            )  # fmt: skip
            above, above_line = plane, line


@compiled()
def render_strip(
    grids, sizes, sx, sy, lx, ly, px, py, footprint, coarsest, template,
    top, height, width, tile_width, as_bytes, floats, packed,
):  # fmt: skip
    """Render rows [top, top + height) of a viewport `width` pixels wide.

    (lx, ly) + (px, py): the viewport's corner on the device lattice, whole part and phase. coarsest: the lattice to
    begin with. template: a tuple of C float32 zeros (its length selects the specialisation). Results go to `floats`
    (H, W, C) or, as_bytes, to `packed` (H, W) 32-bit pixels; the array that is not asked for may be empty.
    """
    channels = len(template)
    line = tile_width + 2 * PAD
    over = 0  # rows above and below, where blocks of cells stand out of the tile
    for g in range(grids.shape[0]):
        if one_pixel_a_cell(
            sizes[g, G_CELL], sx, sy, sizes[g, G_VARIANCE_X], sizes[g, G_VARIANCE_Y], footprint,
            REACH,
        ):  # fmt: skip
            over = OVERHANG_ROWS
    cells = spread_cells(grids, sizes, sx, footprint, tile_width) if coarsest == 0 else 0
    ring = zero_room(cells, channels) if cells > 0 else np.empty(0, np.float32)
    total = height + 2 * over
    padded = lines(total * channels * line).reshape((total, channels, line))
    # Once: what blocks leave there is never read as pixels.
    padded[:over] = 0
    padded[over + height :] = 0
    tile = padded[over : over + height]
    scratch = np.empty(SCRATCH_ROWS * BATCH, np.int32)
    blocks = np.empty(BLOCKS * block_length(channels), np.float32)
    pixels = np.empty(line, np.int32)
    row_bytes = channels * line * 4
    room, between, finest = np.empty(0, np.float32), padded[:0], 0
    if coarsest > 0:
        # Each lattice is half as large as the one before, and a margin wider; all together less than the tile twice.
        w, h, floats_all = tile_width, height, 0
        for _ in range(coarsest):
            w, h = (w // 2 + 2 * MOST_NEIGHBOURS + 32) // 16 * 16, h // 2 + 2 * MOST_NEIGHBOURS
            floats_all += h * channels * (w + 2 * PAD)
        room = lines(floats_all)
        half = height // 2 + 2 * MOST_NEIGHBOURS
        between = lines(half * channels * line).reshape((half, channels, line))
        finest = grids[:, G_LATTICE].min()
    # Tiles stand on multiples of 16 of the absolute lattice: the first may begin left of the viewport.
    left = -(int(lx) % 16)
    while left < width:
        here = min(tile_width, width - left)
        if coarsest == 0:
            tile[:] = 0
        else:
            _draw_coarse(
                tile, row_bytes, line * 4, left, top, here, height, room, between,
                scratch.ctypes.data, blocks.ctypes.data, ring, grids, sizes, sx, sy, lx, ly, px, py,
                footprint, template, coarsest, finest,
            )  # fmt: skip
        gather(
            tile, tile.ctypes.data, row_bytes, line * 4, left, top, here, height,
            scratch.ctypes.data, blocks.ctypes.data, ring, grids, sizes, sx, sy, lx, ly, px, py,
            footprint, template, 0, coarsest,
        )  # fmt: skip
        first = max(0, -left)
        for y in range(height):
            if as_bytes:
                if channels == 4:
                    _over_checkerboard(tile[y], here, left + int(lx), top + y + int(ly))
                blue = min(2, channels - 1)
                green = min(1, channels - 1)
                address = tile[y].ctypes.data + PAD * 4
                for x in range(0, here, 16):
                    pack_bgrx(
                        address + x * 4,
                        address + (green * line + x) * 4,
                        address + (blue * line + x) * 4,
                        pixels.ctypes.data + x * 4,
                    )
                packed[top + y, left + first : left + here] = pixels[first:here]
            else:
                for c in range(channels):
                    for x in range(first, here):
                        floats[top + y, left + x, c] = tile[y, c, PAD + x]
        left += tile_width


@compiled()
def _over_checkerboard(row, count, column, line):
    """Show premultiplied RGB + alpha (4, PAD + count + PAD) over the checkerboard; see display.over."""
    for x in range(count):
        odd = ((column + x) // CHECKER_SIZE + line // CHECKER_SIZE) & 1
        grey = np.float32(CHECKER_DARK) if odd == 1 else np.float32(CHECKER_LIGHT)
        alpha = min(max(row[3, PAD + x], np.float32(0)), np.float32(1))
        for c in range(3):
            colour = min(max(row[c, PAD + x], np.float32(0)), alpha)
            row[c, PAD + x] = colour + (np.float32(1) - alpha) * grey
