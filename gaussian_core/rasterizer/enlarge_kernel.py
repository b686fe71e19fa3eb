"""From the samples of a lattice to those of one twice as fine: every second one is there, the others lie midway."""

# mypy: disable-error-code="call-arg,no-untyped-def"

from __future__ import annotations

from gaussian_core.compiled import compiled
from gaussian_core.rasterizer.enlarge_ir import (
    between_rough,
    between_smooth,
    between_smoothest,
    copy_16,
    widen_rough,
    widen_smooth,
    widen_smoothest,
)


@compiled()
def enlarge(
    source, source_row, source_channel, lines, skipped, between, target, target_row, target_channel,
    odd, width, height, channels, smoothness,
):  # fmt: skip
    """Fill `height` rows of `target`, `width` samples wide, from `lines` rows of `source`.

    source, between, target: addresses of float32 rows of `channels` planes, row_bytes and channel_bytes apart each;
    between: of `lines` rows like target's, to work in. source points to the sample that is the target's first column.
    The target's first row is the one of source's row `skipped`, or, with odd = 1, the one after it. smoothness: by how
    many steps the finest lattice drawn on is coarser than the source's, which says how many neighbours decide a sample
    (enlarge_ir.NEIGHBOURS). So many there must be around what is filled, and sixteen of anything at the ends of rows.
    """
    for y in range(lines):
        for c in range(channels):
            here = source + y * source_row + c * source_channel
            there = between + y * target_row + c * target_channel
            for x in range(0, width, 16):
                if smoothness == 0:
                    widen_rough(here + x * 2, there + x * 4)
                elif smoothness == 1:
                    widen_smooth(here + x * 2, there + x * 4)
                else:
                    widen_smoothest(here + x * 2, there + x * 4)
    for y in range(height):
        line = between + (skipped + ((y + odd) >> 1)) * target_row
        midway = (y + odd) & 1
        for c in range(channels):
            here = line + c * target_channel
            there = target + y * target_row + c * target_channel
            for x in range(0, width, 16):
                if midway == 0:
                    copy_16(here + x * 4, there + x * 4)
                elif smoothness == 0:
                    between_rough(here + x * 4, target_row, there + x * 4)
                elif smoothness == 1:
                    between_smooth(here + x * 4, target_row, there + x * 4)
                else:
                    between_smoothest(here + x * 4, target_row, there + x * 4)
