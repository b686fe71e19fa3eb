"""The compiled passes of fitting: draw the Gaussians at 100 %, and their gradients with one step of Adam.

While fitting a Gaussian is what is *seen* of it through the pixels at 100 %: its covariance with the footprint added.
Parameters, a row each (8, N) float32: x, y of the mean in source pixels; l11, l21, l22 with covariance L L^T + floor I;
the amplitudes of three channels. With transparency there is a ninth, of alpha: pictures are then (H, W, 4), and `alpha`
is their last plane. Without it is None, and the passes are compiled as if there were none.
"""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numpy as np

from gaussian_core.compiled import compiled
from gaussian_core.exponential import LOG2E, exp2

CUT = np.float32(2 * np.log(512.0))  # of the exponent: where a Gaussian is 1/512 of its height
HALF = np.float32(0.5)
ONE = np.float32(1)
TWO = np.float32(2)


@compiled(inline="always", fastmath=True, error_model="numpy")
def _shape(params, i, floor):
    """(A, B, C, radius x, radius y): the inverse covariance, and how far the Gaussian reaches, pixels."""
    l11, l21, l22 = params[2, i], params[3, i], params[4, i]
    xx, xy, yy = l11 * l11 + floor, l11 * l21, l21 * l21 + l22 * l22 + floor
    det = ONE / (xx * yy - xy * xy)
    return yy * det, -xy * det, xx * det, np.sqrt(CUT * xx), np.sqrt(CUT * yy)


@compiled(fastmath=True, error_model="numpy")
def draw_rows(params, floor, order, starts, top, bottom, reach, out, alpha):
    """Rows top .. bottom - 1 of out (H, W, 3 or 4): the sum of all Gaussians there.

    order: the Gaussians by the row of their mean; starts (H + 1): where in it each row begins. reach: rows that the
    tallest Gaussian reaches.
    """
    height, width = out.shape[0], out.shape[1]
    out[top:bottom] = 0
    first, last = starts[max(0, top - reach)], starts[min(height, bottom + reach)]
    for place in range(first, last):
        i = order[place]
        a, b, c, rx, ry = _shape(params, i, floor)
        x, y = params[0, i] - HALF, params[1, i] - HALF
        y0, y1 = max(top, int(np.ceil(y - ry))), min(bottom, int(np.floor(y + ry)) + 1)
        x0, x1 = max(0, int(np.ceil(x - rx))), min(width, int(np.floor(x + rx)) + 1)
        red, green, blue = params[5, i], params[6, i], params[7, i]
        for row in range(y0, y1):
            dy = np.float32(row) - y
            for column in range(x0, x1):
                dx = np.float32(column) - x
                q = a * dx * dx + TWO * b * dx * dy + c * dy * dy
                if q < CUT:
                    w = exp2(-HALF * LOG2E * q)
                    out[row, column, 0] += w * red
                    out[row, column, 1] += w * green
                    out[row, column, 2] += w * blue
                    if alpha is not None:
                        alpha[row, column] += w * params[8, i]


@compiled(fastmath=True, error_model="numpy")
def amplitude_gradients(params, floor, first, last, residual, alpha, gradients):
    """gradients (3 or 4, N) for Gaussians first .. last - 1: sums over residual (H, W, 3 or 4), drawing transposed."""
    height, width = residual.shape[0], residual.shape[1]
    for i in range(first, last):
        a, b, c, rx, ry = _shape(params, i, floor)
        x, y = params[0, i] - HALF, params[1, i] - HALF
        y0, y1 = max(0, int(np.ceil(y - ry))), min(height, int(np.floor(y + ry)) + 1)
        x0, x1 = max(0, int(np.ceil(x - rx))), min(width, int(np.floor(x + rx)) + 1)
        red, green, blue, seen = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
        for row in range(y0, y1):
            dy = np.float32(row) - y
            for column in range(x0, x1):
                dx = np.float32(column) - x
                q = a * dx * dx + TWO * b * dx * dy + c * dy * dy
                if q < CUT:
                    w = exp2(-HALF * LOG2E * q)
                    red += w * residual[row, column, 0]
                    green += w * residual[row, column, 1]
                    blue += w * residual[row, column, 2]
                    if alpha is not None:
                        seen += w * alpha[row, column]
        gradients[0, i], gradients[1, i], gradients[2, i] = red, green, blue
        if alpha is not None:
            gradients[3, i] = seen


@compiled(fastmath=True, error_model="numpy")
def gradients_of(params, floor, first, last, residual, alpha, out):
    """out (8 or 9, N), for Gaussians first .. last - 1: derivatives of half the sum of squares of residual (H, W, 3 or
    4)."""
    height, width = residual.shape[0], residual.shape[1]
    for i in range(first, last):
        a, b, c, rx, ry = _shape(params, i, floor)
        x, y = params[0, i] - HALF, params[1, i] - HALF
        y0, y1 = max(0, int(np.ceil(y - ry))), min(height, int(np.floor(y + ry)) + 1)
        x0, x1 = max(0, int(np.ceil(x - rx))), min(width, int(np.floor(x + rx)) + 1)
        pr, pg, pb = params[5, i], params[6, i], params[7, i]
        gr, gg, gb, ga = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
        gx, gy = np.float32(0), np.float32(0)
        sxx, sxy, syy = np.float32(0), np.float32(0), np.float32(0)
        for row in range(y0, y1):
            dy = np.float32(row) - y
            for column in range(x0, x1):
                dx = np.float32(column) - x
                q = a * dx * dx + TWO * b * dx * dy + c * dy * dy
                if q < CUT:
                    w = exp2(-HALF * LOG2E * q)
                    r, g, u = (
                        residual[row, column, 0],
                        residual[row, column, 1],
                        residual[row, column, 2],
                    )
                    gr += w * r
                    gg += w * g
                    gb += w * u
                    s = w * (r * pr + g * pg + u * pb)
                    if alpha is not None:
                        ga += w * alpha[row, column]
                        s += w * alpha[row, column] * params[8, i]
                    gx += s * (a * dx + b * dy)
                    gy += s * (b * dx + c * dy)
                    sxx += s * dx * dx
                    sxy += s * dx * dy
                    syy += s * dy * dy
        # d(-q/2)/dSigma = Sigma^-1 d d^T Sigma^-1 / 2.
        ux, uy = a * sxx + b * sxy, a * sxy + b * syy
        vx, vy = b * sxx + c * sxy, b * sxy + c * syy
        mxx, mxy, myy = (
            HALF * (ux * a + uy * b),
            HALF * (ux * b + uy * c),
            HALF * (vx * b + vy * c),
        )
        l11, l21, l22 = params[2, i], params[3, i], params[4, i]
        out[0, i], out[1, i] = gx, gy
        out[2, i] = TWO * (mxx * l11 + mxy * l21)
        out[3, i] = TWO * (mxy * l11 + myy * l21)
        out[4, i] = TWO * myy * l22
        out[5, i], out[6, i], out[7, i] = gr, gg, gb
        if alpha is not None:
            out[8, i] = ga


@compiled(fastmath=True, error_model="numpy")
def adam_step(params, gradients, mean, square, rates, count, first, last, limits):
    """One step of Adam (betas 0.9, 0.99) for Gaussians first .. last - 1, in place.

    mean, square: its moments, as params. rates: of each row. count: the step's number from 1. limits: (width, height,
    largest of |L|): means stay in the picture, Gaussians small.
    """
    fix1 = ONE / (ONE - np.float32(0.9) ** np.float32(count))
    fix2 = ONE / (ONE - np.float32(0.99) ** np.float32(count))
    for k in range(params.shape[0]):
        for i in range(first, last):
            g = gradients[k, i]
            m = np.float32(0.9) * mean[k, i] + np.float32(0.1) * g
            v = np.float32(0.99) * square[k, i] + np.float32(0.01) * g * g
            mean[k, i], square[k, i] = m, v
            value = params[k, i] - rates[k] * m * fix1 / (np.sqrt(v * fix2) + np.float32(1e-12))
            if k < 2:
                value = min(max(value, np.float32(0)), limits[k])
            elif k < 5:
                value = min(max(value, -limits[2]), limits[2])
            params[k, i] = value


@compiled(fastmath=True)
def dither(density):
    """(H, W) bool: about density.sum() dots, spread evenly (Floyd and Steinberg 1976, rows run to and fro).

    density (H, W) float32 in [0, 1]; overwritten.
    """
    height, width = density.shape
    dots = np.zeros((height, width), np.bool_)
    for y in range(height):
        step = 1 if y % 2 == 0 else -1
        for n in range(width):
            x = n if step == 1 else width - 1 - n
            dots[y, x] = density[y, x] >= HALF
            error = density[y, x] - np.float32(dots[y, x])
            if 0 <= x + step < width:
                density[y, x + step] += error * np.float32(7 / 16)
            if y + 1 < height:
                density[y + 1, x] += error * np.float32(5 / 16)
                if 0 <= x - step < width:
                    density[y + 1, x - step] += error * np.float32(3 / 16)
                if 0 <= x + step < width:
                    density[y + 1, x + step] += error * np.float32(1 / 16)
    return dots
