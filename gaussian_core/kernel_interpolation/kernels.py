"""The compiled loops of kernel interpolation."""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from gaussian_core.compiled import compiled


@compiled(fastmath={"contract"})
def filter_rows(source, taps, target):
    """Filter (C, H, W + 2 R) along x into (C, H, W). taps (R + 1): symmetric, the middle one first."""
    radius = taps.size - 1
    width = target.shape[2]
    for c in range(target.shape[0]):
        for y in range(target.shape[1]):
            row = target[c, y]
            for x in range(width):
                row[x] = taps[0] * source[c, y, x + radius]
            for k in range(1, radius + 1):
                left = source[c, y, radius - k : radius - k + width]
                right = source[c, y, radius + k : radius + k + width]
                for x in range(width):
                    row[x] += taps[k] * (left[x] + right[x])


@compiled(fastmath={"contract"})
def filter_columns(source, taps, rows, sigma, left, top):
    """Filter (C, H + 2 R, W) along y and write the H W Gaussians, row by row, to rows (5 + C, H W + padding).

    left, top: source coordinates of the first pixel's corner.
    """
    radius = taps.size - 1
    height = source.shape[1] - 2 * radius
    width = source.shape[2]
    for y in range(height):
        place = y * width
        for x in range(width):
            rows[0, place + x] = left + x + 0.5
            rows[1, place + x] = top + y + 0.5
            rows[2, place + x] = sigma * sigma
            rows[3, place + x] = 0
            rows[4, place + x] = sigma * sigma
        for c in range(source.shape[0]):
            out = rows[5 + c, place : place + width]
            centre = source[c, y + radius]
            for x in range(width):
                out[x] = taps[0] * centre[x]
            for k in range(1, radius + 1):
                above = source[c, y + radius - k]
                below = source[c, y + radius + k]
                for x in range(width):
                    out[x] += taps[k] * (above[x] + below[x])
