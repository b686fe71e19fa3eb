"""Compiled forward and backward passes of the training rasterizer (see grid_rasterizer)."""

# mypy: disable-error-code="no-untyped-def, call-arg"

from __future__ import annotations

import math

import numpy as np

from gaussian_core.compiled import compiled
from gaussian_core.exponential import exp2

LN2 = np.float32(math.log(2.0))


@compiled(fastmath=True, error_model="numpy")
def forward(g, p, out, reach):
    """g (8, H + 2r, W + 2r): x, y, conic (3), colour (3); p (2, H, W) positions; out (3, H, W), zeroed."""
    height, width = p.shape[1], p.shape[2]
    for i in range(height):
        px, py = p[0, i], p[1, i]
        o0, o1, o2 = out[0, i], out[1, i], out[2, i]
        for di in range(2 * reach + 1):
            for dj in range(2 * reach + 1):
                mx, my = g[0, i + di, dj:], g[1, i + di, dj:]
                qa, qb, qc = g[2, i + di, dj:], g[3, i + di, dj:], g[4, i + di, dj:]
                c0, c1, c2 = g[5, i + di, dj:], g[6, i + di, dj:], g[7, i + di, dj:]
                for j in range(width):
                    dx = px[j] - mx[j]
                    dy = py[j] - my[j]
                    e = exp2(qa[j] * dx * dx + qb[j] * dx * dy + qc[j] * dy * dy)
                    o0[j] += e * c0[j]
                    o1[j] += e * c1[j]
                    o2[j] += e * c2[j]


@compiled(inline="always", fastmath=True)
def _add(total, a, b, width):
    for j in range(width):
        total[j] += a[j] * b[j]


@compiled(inline="always", fastmath=True)
def _slope(total, t, u, q, r, width):
    for j in range(width):
        total[j] -= np.float32(2) * q[j] * t[j] + r[j] * u[j]


@compiled(fastmath=True, error_model="numpy")
def backward(g, p, go, gg, reach):
    """go (3, H, W): gradient of the output; gg like g, zeroed: receives the gradient."""
    height, width = p.shape[1], p.shape[2]
    ts = np.empty((5, width), np.float32)
    e, tx, ty, xs, ys = ts[0], ts[1], ts[2], ts[3], ts[4]
    for i in range(height):
        px, py = p[0, i], p[1, i]
        o0, o1, o2 = go[0, i], go[1, i], go[2, i]
        for di in range(2 * reach + 1):
            for dj in range(2 * reach + 1):
                k = i + di
                mx, my = g[0, k, dj:], g[1, k, dj:]
                qa, qb, qc = g[2, k, dj:], g[3, k, dj:], g[4, k, dj:]
                c0, c1, c2 = g[5, k, dj:], g[6, k, dj:], g[7, k, dj:]
                # One or two stores a loop: with more, the compiler no longer proves the rows apart and stays scalar.
                for j in range(width):
                    dx = px[j] - mx[j]
                    dy = py[j] - my[j]
                    e[j] = exp2(qa[j] * dx * dx + qb[j] * dx * dy + qc[j] * dy * dy)
                for j in range(width):
                    xs[j] = px[j] - mx[j]
                    ys[j] = py[j] - my[j]
                _add(gg[5, k, dj:], e, o0, width)
                _add(gg[6, k, dj:], e, o1, width)
                _add(gg[7, k, dj:], e, o2, width)
                for j in range(width):
                    t = e[j] * LN2 * (o0[j] * c0[j] + o1[j] * c1[j] + o2[j] * c2[j])
                    tx[j] = t * xs[j]
                    ty[j] = t * ys[j]
                _add(gg[2, k, dj:], tx, xs, width)
                _add(gg[3, k, dj:], tx, ys, width)
                _add(gg[4, k, dj:], ty, ys, width)
                _slope(gg[0, k, dj:], tx, ty, qa, qb, width)
                _slope(gg[1, k, dj:], ty, tx, qc, qb, width)
