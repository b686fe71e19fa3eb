"""Numba kernels of the overlays: choosing and drawing marks without holding the GIL.

`python -m viewer.model.overlays.overlay_kernels` compiles them into the cache on disk.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from gaussian_core.compiled import compiled
from gaussian_core.kernel_compiler import compile_apart, serve

MODULE = "viewer.model.overlays.overlay_kernels"


@compiled()
def _classify(means, covariances, index, x0, y0, x1, y1, factor, least):  # type: ignore[no-untyped-def]
    large = np.empty(index.size, np.int64)
    sizes = np.empty(index.size, np.float32)
    keys = np.empty(index.size, np.float32)
    small = np.empty(index.size, np.int64)
    small_keys = np.empty(index.size, np.float32)
    n_large = 0
    n_small = 0
    n_within = 0
    for place in index:
        xx = covariances[place, 0]
        xy = covariances[place, 1]
        yy = covariances[place, 2]
        half = np.float32(0.5) * (xx + yy)
        skew = np.float32(0.5) * (xx - yy)
        radius = factor * math.sqrt(half + math.sqrt(skew * skew + xy * xy))
        x = means[place, 0]
        y = means[place, 1]
        within = x0 <= x < x1 and y0 <= y < y1
        if radius < least and not within:
            continue
        # MurmurHash3's finaliser: less mixing leaves the places of a lattice a pattern, which is seen as stripes.
        hashed = np.uint32(np.uint32(place) * np.uint32(2654435769))
        hashed = np.uint32((hashed ^ (hashed >> np.uint32(16))) * np.uint32(0x85EBCA6B))
        hashed = np.uint32((hashed ^ (hashed >> np.uint32(13))) * np.uint32(0xC2B2AE35))
        hashed ^= hashed >> np.uint32(16)
        noise = (np.float64(np.uint32(hashed)) + 0.5) * 2.0**-32
        key = math.log(noise) / max(radius * radius, 1e-12)
        if radius >= least:
            large[n_large] = place
            sizes[n_large] = radius
            keys[n_large] = key
            n_large += 1
            n_within += within
        else:
            small[n_small] = place
            small_keys[n_small] = key
            n_small += 1
    rings = large[:n_large], sizes[:n_large], keys[:n_large]
    return rings, (small[:n_small], small_keys[:n_small]), n_within


def classify(means, covariances, index, rect, factor, least):  # type: ignore[no-untyped-def]
    """Split Gaussians by the longer half-axis of their ellipse.

    means (N, 2), covariances (N, 3); index: the places to look at; rect: the view, source pixels;
    factor: k * scale, from standard deviations to device pixels; least: the smallest half-axis of
    an ellipse. Returns ((places, sizes, keys), (places, keys), within): those with an ellipse, their half-axes and
    their turn, those in view without, and theirs, and how many of the first have their centre in view.

    Those with the highest keys are a sample of all, as likely to hold a Gaussian as its area is large (Efraimidis and
    Spirakis 2006): the largest ones alone would fill the flat parts of a picture and leave its edges empty. The noise
    depends on the place only, so that the same Gaussians stay marked while the view moves.
    """
    x0, y0, x1, y1 = (float(v) for v in rect)
    return _classify(means, covariances, index, x0, y0, x1, y1, float(factor), float(least))


@compiled()
def select(covariances, index, asked, low, high, long):  # type: ignore[no-untyped-def]
    """Those places of index whose Gaussians lie within every range that is asked for, (5,) from low to high: of the
    variances xx and yy, the covariance xy, the axis ratio and the direction in degrees, which none rounder than
    `long` has."""
    out = np.empty(index.size, np.int64)
    count = 0
    axes = asked[3] or asked[4]
    for place in index:
        xx = np.float64(covariances[place, 0])
        xy = np.float64(covariances[place, 1])
        yy = np.float64(covariances[place, 2])
        if asked[0] and not low[0] <= xx <= high[0]:
            continue
        if asked[1] and not low[1] <= yy <= high[1]:
            continue
        if asked[2] and not low[2] <= xy <= high[2]:
            continue
        if axes:
            middle, radius = (xx + yy) / 2, math.hypot((xx - yy) / 2, xy)
            ratio = math.sqrt((middle + radius) / max(middle - radius, 1e-12))
            if asked[3] and not low[3] <= ratio <= high[3]:
                continue
            if asked[4]:
                angle = math.degrees(math.atan2(2 * xy, xx - yy) / 2)
                if not (ratio >= long and low[4] <= angle <= high[4]):
                    continue
        out[count] = place
        count += 1
    return out[:count]


@compiled()
def place(means, index, x0, y0, scale, out):  # type: ignore[no-untyped-def]
    """Centres in device pixels of a view with origin (x0, y0) into out (len(index), 2) float32.

    In float64 relative to the origin first: at scale 1000 a rounded product would be pixels off.
    """
    for n in range(index.size):
        out[n, 0] = (np.float64(means[index[n], 0]) - x0) * scale
        out[n, 1] = (np.float64(means[index[n], 1]) - y0) * scale


@compiled()
def colour(amplitudes, index, strongest, saturation, darkest, out):  # type: ignore[no-untyped-def]
    """Legible colours of amplitudes (N, C) into out (len(index), 3) uint8: their hue, its
    saturation multiplied, its brightness from `darkest` to 1 at the amplitude `strongest`."""
    colours = amplitudes.shape[1] >= 3
    for n in range(index.size):
        peak = 0.0
        for c in range(3):
            peak = max(peak, amplitudes[index[n], c if colours else 0])
        value = darkest + (1.0 - darkest) * min(peak / strongest, 1.0)
        for c in range(3):
            own = max(amplitudes[index[n], c if colours else 0], 0.0)
            hue = max(1.0 - saturation * (1.0 - own / max(peak, 1e-6)), 0.0)
            out[n, c] = np.uint8(hue * value * 255.0 + 0.5)


@compiled(inline="always")
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


@compiled(inline="always")
def _rim_grey(r, g, b):  # type: ignore[no-untyped-def]
    luma = np.float32(0.3) * r + np.float32(0.59) * g + np.float32(0.11) * b
    return np.float32(0) if luma > np.float32(80) else np.float32(235)


@compiled(inline="always")
def _coverage(edge):  # type: ignore[no-untyped-def]
    return min(max(edge + np.float32(0.5), np.float32(0)), np.float32(1))


@compiled(fastmath=True)
def draw_discs(out, top, bottom, points, colours, radius, rim_width, halo):  # type: ignore[no-untyped-def]
    """Discs into the rows [top, bottom) of a premultiplied (H, W, 4) BGRA image."""
    width = out.shape[1]
    reach = radius + rim_width + np.float32(0.5)
    for n in range(points.shape[0]):
        x, y = points[n, 0], points[n, 1]
        if not (-reach < x < width + reach and top - reach < y < bottom + reach):
            continue
        r = np.float32(colours[n, 0])
        g = np.float32(colours[n, 1])
        b = np.float32(colours[n, 2])
        rim = _rim_grey(r, g, b)
        for row in range(max(top, int(y - reach)), min(bottom, int(y + reach) + 1)):
            dy = row + np.float32(0.5) - y
            for column in range(max(0, int(x - reach)), min(width, int(x + reach) + 1)):
                dx = column + np.float32(0.5) - x
                distance = math.sqrt(dx * dx + dy * dy)
                alpha = _coverage(radius - distance)
                rim_alpha = halo * _coverage(radius + rim_width - distance)
                _blend(out, row, column, b, g, r, alpha, rim, rim_alpha)


@compiled(inline="always")
def _crossing(y, sxx, sxy, syy, side):  # type: ignore[no-untyped-def]
    """x of the ellipse's left (side -1) or right (+1) outline at height y, all from its centre."""
    t = sxx * syy - sxy * sxy
    inside = max(syy - y * y, 0.0)
    return (sxy * y + side * math.sqrt(t * inside)) / syy


@compiled(fastmath=True)
def draw_rings(out, top, bottom, centres, shapes, colours, half_width, rim_width, halo):  # type: ignore[no-untyped-def]
    """Ellipse outlines into the rows [top, bottom) of a premultiplied (H, W, 4) BGRA image."""
    width = out.shape[1]
    reach = half_width + rim_width + 0.75
    outermost = half_width + rim_width + np.float32(0.5)
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
        if cy + tall + reach < top or cy - tall - reach > bottom:
            continue
        # Inverse of the shape matrix: the outline is m00 x^2 + 2 m01 x y + m11 y^2 = 1.
        m00 = np.float32(syy / determinant)
        m01 = np.float32(-sxy / determinant)
        m11 = np.float32(sxx / determinant)
        r = np.float32(colours[n, 0])
        g = np.float32(colours[n, 1])
        b = np.float32(colours[n, 2])
        rim = _rim_grey(r, g, b)
        # Rims of crowded small ellipses would only darken the picture.
        small = min(1.0, max(0.25, (min(tall, wide) - 1.0) / 6.0))
        rim_top = np.float32(halo * small)
        at_left = -sxy / wide  # heights where the outline is farthest left and right
        at_right = sxy / wide
        first = max(top, math.floor(cy - tall - reach))
        last = min(bottom, math.ceil(cy + tall + reach) + 1)
        for row in range(first, last):
            y = row + 0.5 - cy
            y32 = np.float32(y)
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
                x = np.float32(column + 0.5 - cx)
                gx, gy = m00 * x + m01 * y32, m01 * x + m11 * y32
                q = x * gx + y32 * gy
                # First-order distance to the outline rho = 1, |rho - 1| / |grad rho| with
                # rho = sqrt(q): exact for circles, where |q - 1| / |grad q| is not.
                rho = math.sqrt(q)
                slope = math.sqrt(gx * gx + gy * gy) + np.float32(1e-12)
                distance = abs(rho - np.float32(1)) * rho / slope
                if distance < outermost:
                    alpha = _coverage(half_width - distance)
                    rim_alpha = rim_top * _coverage(half_width + rim_width - distance)
                    _blend(out, row, column, b, g, r, alpha, rim, rim_alpha)
                column += 1


@compiled(fastmath=True)
def draw_lines(out, top, bottom, lines, colours, half_width, rim_width, halo):  # type: ignore[no-untyped-def]
    """Lines with round ends, (D, 4) as x y x y, into the rows [top, bottom) of a premultiplied (H, W, 4) BGRA image."""
    width = out.shape[1]
    reach = half_width + rim_width + np.float32(0.5)
    for n in range(lines.shape[0]):
        x0, y0, x1, y1 = lines[n]
        left, right = min(x0, x1) - reach, max(x0, x1) + reach
        upper, lower = min(y0, y1) - reach, max(y0, y1) + reach
        if not (right > 0 and left < width and lower > top and upper < bottom):
            continue
        r = np.float32(colours[n, 0])
        g = np.float32(colours[n, 1])
        b = np.float32(colours[n, 2])
        rim = _rim_grey(r, g, b)
        dx, dy = x1 - x0, y1 - y0
        square = max(dx * dx + dy * dy, np.float32(1e-12))
        for row in range(max(top, int(upper)), min(bottom, int(lower) + 1)):
            y = row + np.float32(0.5) - y0
            for column in range(max(0, int(left)), min(width, int(right) + 1)):
                x = column + np.float32(0.5) - x0
                t = min(max((x * dx + y * dy) / square, np.float32(0)), np.float32(1))
                ex, ey = x - t * dx, y - t * dy
                distance = math.sqrt(ex * ex + ey * ey)
                alpha = _coverage(half_width - distance)
                rim_alpha = halo * _coverage(half_width + rim_width - distance)
                _blend(out, row, column, b, g, r, alpha, rim, rim_alpha)


def warm_up(stop: Callable[[], bool]) -> None:
    """Have the kernels compiled: once, in a process of its own, since compiling holds the GIL for
    seconds. Raises Cancelled when `stop` says so. Blocking: not for the GUI thread."""
    compile_apart(MODULE, stop)


def _choose_one() -> None:
    rows = np.ones((5, 2), np.float32)
    rows[3] = 0
    single = np.ascontiguousarray(rows[:2].T)
    shapes = np.ascontiguousarray(rows[2:].T)
    # As tiles have them, files, and files of wide pictures: Numba compiles for each.
    kinds = (rows[:2, :1].T, rows[2:, :1].T), (single, shapes), (single.astype(np.float64), shapes)
    for means, covariances in kinds:
        index = np.zeros(1, np.int64)
        classify(means, covariances, index, (0, 0, 1, 1), 1.0, 1.0)
        place(means, index, 0.0, 0.0, 1.0, np.zeros((1, 2), np.float32))
        select(covariances, index, np.zeros(5, np.bool_), np.zeros(5), np.zeros(5), 1.0)
        colour(covariances, index, 1.0, 1.0, 1.0, np.zeros((1, 3), np.uint8))


def _draw_one() -> None:
    means = np.zeros((1, 2), np.float32)
    covariances = np.array([[1.0, 0.0, 1.0]], np.float32)
    colours = np.zeros((1, 3), np.uint8)
    image = np.zeros((4, 4, 4), np.uint8)
    one = np.float32(1)
    draw_rings(image, 0, 4, means, covariances, colours, one, one, one)
    draw_discs(image, 0, 4, means, colours, one, one, one)
    draw_lines(image, 0, 4, np.zeros((1, 4), np.float32), colours, one, one, one)


PARTS = (_draw_one, _choose_one)
"""What calls every kernel."""

if __name__ == "__main__":
    serve(MODULE, PARTS)
