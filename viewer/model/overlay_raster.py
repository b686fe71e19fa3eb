"""Draws centres and ellipse outlines into a transparent image, antialiased, off the GUI thread.

QPainter holds the GIL while it draws tens of thousands of curves (60 ms and more for 100,000), and
polylines are only nearly ellipses. These kernels release the GIL, evaluate the ellipse itself and
touch only the pixels near its outline.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from viewer.model.overlay_geometry import OverlayGeometry

HALO = 0.6
"""Opacity of the dark (or for dark colours light) rim that keeps a mark legible on its own colour."""


def draw_overlay(
    geometry: OverlayGeometry, size: tuple[int, int], ratio: float = 1.0
) -> NDArray[np.uint8]:
    """(height, width, 4) uint8 BGRA, premultiplied: QImage.Format_ARGB32_Premultiplied.

    size: (width, height) in device pixels. ratio: device pixels per logical pixel: lines and dots
    keep their apparent size on dense screens.
    """
    width, height = size
    out = np.zeros((height, width, 4), np.uint8)
    if len(geometry.centres):
        _draw_rings(
            out,
            geometry.centres,
            geometry.shapes,
            geometry.ellipse_colours,
            np.float32(0.6 * ratio),
            np.float32(ratio),
            np.float32(HALO),
        )
    if len(geometry.points):
        crowd = math.sqrt(width * height / len(geometry.points))
        radius = min(max(0.17 * crowd, 0.75 * ratio), 2.2 * ratio)
        _draw_discs(
            out,
            geometry.points,
            geometry.point_colours,
            np.float32(radius),
            np.float32(min(ratio, 0.5 * radius)),
            np.float32(HALO),
        )
    return out


@njit(nogil=True, cache=True, inline="always")
def _blend(out, row, column, b, g, r, alpha, rim, rim_alpha):  # type: ignore[no-untyped-def]
    """Put a mark of opacity `alpha`, over a grey rim of opacity `rim_alpha`, over one pixel."""
    under = rim_alpha * (np.float32(1) - alpha)
    total = alpha + under
    if total <= np.float32(0.004):
        return
    keep = np.float32(1) - total
    half = np.float32(0.5)
    grey = rim * under
    out[row, column, 0] = np.uint8(b * alpha + grey + out[row, column, 0] * keep + half)
    out[row, column, 1] = np.uint8(g * alpha + grey + out[row, column, 1] * keep + half)
    out[row, column, 2] = np.uint8(r * alpha + grey + out[row, column, 2] * keep + half)
    out[row, column, 3] = np.uint8(np.float32(255) * total + out[row, column, 3] * keep + half)


@njit(nogil=True, cache=True, inline="always")
def _rim_grey(r, g, b):  # type: ignore[no-untyped-def]
    luma = np.float32(0.3) * r + np.float32(0.59) * g + np.float32(0.11) * b
    return np.float32(0) if luma > np.float32(80) else np.float32(235)


@njit(nogil=True, cache=True, inline="always")
def _coverage(edge):  # type: ignore[no-untyped-def]
    return min(max(edge + np.float32(0.5), np.float32(0)), np.float32(1))


@njit(nogil=True, cache=True)
def _draw_discs(out, points, colours, radius, rim_width, halo):  # type: ignore[no-untyped-def]
    height, width = out.shape[:2]
    reach = radius + rim_width + np.float32(0.5)
    for n in range(points.shape[0]):
        x, y = points[n, 0], points[n, 1]
        if not (-reach < x < width + reach and -reach < y < height + reach):
            continue
        r = np.float32(colours[n, 0])
        g = np.float32(colours[n, 1])
        b = np.float32(colours[n, 2])
        rim = _rim_grey(r, g, b)
        for row in range(max(0, int(y - reach)), min(height, int(y + reach) + 1)):
            dy = row + np.float32(0.5) - y
            for column in range(max(0, int(x - reach)), min(width, int(x + reach) + 1)):
                dx = column + np.float32(0.5) - x
                distance = math.sqrt(dx * dx + dy * dy)
                alpha = _coverage(radius - distance)
                rim_alpha = halo * _coverage(radius + rim_width - distance)
                _blend(out, row, column, b, g, r, alpha, rim, rim_alpha)


@njit(nogil=True, cache=True, inline="always")
def _crossing(y, sxx, sxy, syy, side):  # type: ignore[no-untyped-def]
    """x of the ellipse's left (side -1) or right (+1) outline at height y, all from its centre."""
    t = sxx * syy - sxy * sxy
    inside = max(syy - y * y, 0.0)
    return (sxy * y + side * math.sqrt(t * inside)) / syy


@njit(nogil=True, cache=True)
def _draw_rings(out, centres, shapes, colours, half_width, rim_width, halo):  # type: ignore[no-untyped-def]
    height, width = out.shape[:2]
    reach = half_width + rim_width + 1.0
    for n in range(centres.shape[0]):
        cx, cy = np.float64(centres[n, 0]), np.float64(centres[n, 1])
        sxx = np.float64(shapes[n, 0])
        sxy = np.float64(shapes[n, 1])
        syy = np.float64(shapes[n, 2])
        determinant = sxx * syy - sxy * sxy
        if not determinant > 0.0:
            continue
        tall, wide = math.sqrt(syy), math.sqrt(sxx)
        if cx + wide + reach < 0 or cx - wide - reach > width:
            continue
        # Inverse of the shape matrix: the outline is m00 x^2 + 2 m01 x y + m11 y^2 = 1.
        m00, m01, m11 = syy / determinant, -sxy / determinant, sxx / determinant
        r = np.float32(colours[n, 0])
        g = np.float32(colours[n, 1])
        b = np.float32(colours[n, 2])
        rim = _rim_grey(r, g, b)
        # Rims of crowded small ellipses would only darken the picture.
        small = min(1.0, max(0.25, (min(tall, wide) - 1.0) / 6.0))
        rim_top = np.float32(halo * small)
        at_left = -sxy / wide  # heights where the outline is farthest left and right
        at_right = sxy / wide
        first = max(0, math.floor(cy - tall - reach))
        last = min(height, math.ceil(cy + tall + reach) + 1)
        for row in range(first, last):
            y = row + 0.5 - cy
            low, high = max(y - reach, -tall), min(y + reach, tall)
            if low > high:
                # Beyond the tip by more than its reach along y but not along the distance: rare.
                low = high = tall if y > 0 else -tall
            outer_left = _crossing(min(max(at_left, low), high), sxx, sxy, syy, -1.0)
            outer_right = _crossing(min(max(at_right, low), high), sxx, sxy, syy, 1.0)
            inner_left = max(
                _crossing(low, sxx, sxy, syy, -1.0), _crossing(high, sxx, sxy, syy, -1.0)
            )
            inner_right = min(
                _crossing(low, sxx, sxy, syy, 1.0), _crossing(high, sxx, sxy, syy, 1.0)
            )
            start = int(max(0.0, math.floor(cx + outer_left - reach)))
            stop = int(min(float(width), math.ceil(cx + outer_right + reach) + 1))
            gap_start, gap_stop = stop, stop
            if y - reach > -tall and y + reach < tall:
                a = cx + inner_left + reach
                z = cx + inner_right - reach
                if a < z - 1.0:
                    gap_start = int(min(max(math.ceil(a), float(start)), float(stop)))
                    gap_stop = int(min(max(math.floor(z), float(gap_start)), float(stop)))
            column = start
            while column < stop:
                if column == gap_start:
                    column = gap_stop
                    if column >= stop:
                        break
                x = column + 0.5 - cx
                gx, gy = m00 * x + m01 * y, m01 * x + m11 * y
                q = x * gx + y * gy
                slope = math.sqrt(gx * gx + gy * gy)
                # First-order distance to the outline: (rho - 1) / |grad rho|, rho = sqrt(q).
                if slope > 0.0:
                    rho = math.sqrt(q)
                    distance = np.float32(abs((rho - 1.0) * rho / slope))
                    alpha = _coverage(half_width - distance)
                    rim_alpha = rim_top * _coverage(half_width + rim_width - distance)
                    _blend(out, row, column, b, g, r, alpha, rim, rim_alpha)
                column += 1
