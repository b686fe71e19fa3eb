"""Interpolation of the stored pixels: nearest, bilinear, bicubic, Lanczos, antialiased below 100 %.

What the viewer shows below 100 %, and what the learned fields are compared with. Separable, in the same conventions as
`rasterize`: weights depend on a pixel's number on the absolute device lattice only, so parts of a viewport are the
same to the bit as the whole, and panning by whole device pixels shifts the picture exactly.
"""

# mypy: disable-error-code="call-arg,no-untyped-def"

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gaussian_core.compiled import compiled
from gaussian_core.display import CHECKER_DARK, CHECKER_LIGHT, CHECKER_SIZE
from gaussian_core.lattice import lattice
from gaussian_core.parallel import Stop, run_strips, worker_count
from gaussian_core.pyramid import Pyramid
from gaussian_core.rasterizer.vector_ir import pack_bgrx
from gaussian_core.viewport import Viewport

Method = Literal["nearest", "bilinear", "bicubic", "lanczos"]
METHODS: tuple[Method, ...] = ("nearest", "bilinear", "bicubic", "lanczos")


def kernel_value(method: Method, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The interpolation kernel at distances x, in pixels of the source or of the antialiased scale.

    bilinear: triangle. bicubic: Keys 1981 with a = -1/2. lanczos: sinc windowed by sinc, three lobes.
    """
    x = np.abs(x)
    if method == "bilinear":
        return np.maximum(1 - x, 0)
    if method == "bicubic":
        inner = (1.5 * x - 2.5) * x * x + 1
        outer = ((-0.5 * x + 2.5) * x - 4) * x + 2
        return np.where(x < 1, inner, np.where(x < 2, outer, 0))
    return np.where(x < 3, np.sinc(x) * np.sinc(x / 3), 0)


_RADIUS = {"bilinear": 1, "bicubic": 2, "lanczos": 3}


def resample(
    pyramid: Pyramid,
    viewport: Viewport,
    *,
    method: Method = "bicubic",
    format: Literal["float", "bgrx8"] = "float",
    out: NDArray[Any] | None = None,
    stop: Stop | None = None,
) -> NDArray[Any]:
    """Interpolate a picture at the pixels of a viewport.

    format "float": (H, W, C) float32, not clipped (C = 4: premultiplied RGB and alpha). "bgrx8": (H, W, 4) uint8 in the
    byte order of QImage.Format_RGB32, alpha shown over the checkerboard. Below 100 % the kernel is as wide as the
    device pixels' distance, so that nothing aliases ("nearest" is never antialiased). Pixels whose centre lies outside
    the picture are 0. Raises ValueError for an unknown method or an `out` that does not fit, Cancelled when stopped.
    """
    if method not in METHODS:
        raise ValueError(f"unknown method {method!r}: choose one of {', '.join(METHODS)}")
    width, height = viewport.size
    as_bytes = format == "bgrx8"
    shape, kind = (
        ((height, width, 4), np.uint8)
        if as_bytes
        else ((height, width, pyramid.channels), np.float32)
    )
    if out is None:
        out = np.empty(shape, kind)
    elif out.shape != shape or out.dtype != kind or not out.flags.c_contiguous:
        raise ValueError(f"out must be a contiguous {np.dtype(kind).name} array of shape {shape}")
    level = 0
    if method != "nearest":
        level = max(0, math.floor(math.log2(1 / max(viewport.scale)) + 1e-9))
    pixels = pyramid.level(level)
    size = 1 << level
    (lx, px), (ly, py) = (
        lattice(o, s) for o, s in zip(viewport.origin, viewport.scale, strict=True)
    )
    columns = _weights(method, lx, px, viewport.scale[0], width, pyramid.extent[1], size)
    rows = _weights(method, ly, py, viewport.scale[1], height, pyramid.extent[0], size)
    row_weights = rows[1] * np.float32(1 / pyramid.peak)
    strips = 4 * worker_count()
    strip = max(16, -(-height // strips))
    floats = np.empty((0, 0, 0), np.float32) if as_bytes else out
    packed = out if as_bytes else np.empty((0, 0, 0), np.uint8)

    def render(number: int) -> None:
        first = number * strip
        _resample_strip(
            pixels, columns[0], columns[1], rows[0], row_weights,
            first, min(first + strip, height), lx, ly, as_bytes, floats, packed,
        )  # fmt: skip

    run_strips(render, -(-height // strip), stop)
    return out


def _weights(
    method: Method, index: int, phase: float, scale: float, count: int, extent: int, size: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """First tap (count,) and weights (taps, count) of each device pixel along one axis.

    A first tap of -1 marks a pixel outside the picture. size: source pixels per pixel of the level.
    """
    # Counted from the source's own origin, so that a device pixel's weights do not depend on the viewport.
    centres = ((np.arange(count) + index) + 0.5 + phase) / scale
    outside = (centres < 0) | (centres >= extent)
    available = -(-extent // size)
    position = centres / size
    if method == "nearest":
        first = np.clip(np.floor(position), 0, available - 1).astype(np.int64)
        weights = np.ones((1, count))
    else:
        stretch = max(1.0, 1 / (scale * size))
        radius = _RADIUS[method] * stretch
        taps = min(math.ceil(2 * radius) + 1, available)
        first = np.ceil(position - 0.5 - radius).astype(np.int64)
        first = np.clip(first, 0, available - taps)
        distance = (first[None, :] + np.arange(taps)[:, None] + 0.5 - position) / stretch
        weights = kernel_value(method, distance)
        total = weights.sum(axis=0)
        weights /= np.where(total == 0, 1, total)
    weights[:, outside] = 0
    first[outside] = -1
    return first, np.ascontiguousarray(weights, np.float32)


@compiled(fastmath={"contract"})
def _resample_strip(
    pixels, first_x, weights_x, first_y, weights_y, top, bottom, lx, ly, as_bytes, floats, packed
):
    """Rows [top, bottom) of the output: down the columns first, over contiguous memory, then along the row."""
    channels = pixels.shape[2]
    width = first_x.size
    low, high = pixels.shape[1], 0
    for x in range(width):
        if first_x[x] >= 0:
            low = min(low, first_x[x])
            high = max(high, first_x[x] + weights_x.shape[0])
    used = max(0, high - low)
    flat = pixels.reshape(pixels.shape[0], pixels.shape[1] * channels)
    line = np.empty(used * channels, np.float32)
    row = np.empty((channels, width + 16), np.float32)
    starts = np.empty(width, np.int32)
    for x in range(width):
        starts[x] = max(0, first_x[x] - low) * channels if used > 0 else 0
    for y in range(top, bottom):
        row[:] = 0
        if first_y[y] >= 0 and used > 0:
            line[:] = 0
            for t in range(weights_y.shape[0]):
                weight = weights_y[t, y]
                source = flat[first_y[y] + t, low * channels : high * channels]
                for k in range(line.size):
                    line[k] += weight * np.float32(source[k])
            for c in range(channels):
                target = row[c]
                for t in range(weights_x.shape[0]):
                    shift = t * channels + c
                    weight_row = weights_x[t]
                    for x in range(width):
                        target[x] += weight_row[x] * line[starts[x] + shift]
        if as_bytes:
            _write_bytes(row, packed[y], lx, ly + y)
        else:
            for c in range(channels):
                for x in range(width):
                    floats[y, x, c] = row[c, x]


@compiled()
def _write_bytes(row, out, column, line):
    """One row of planes, padded by 16, to BGRX bytes, clipped and rounded; four planes over the checkerboard."""
    width = out.shape[0]
    if row.shape[0] == 4:
        for x in range(width):
            odd = ((column + x) // CHECKER_SIZE + line // CHECKER_SIZE) & 1
            grey = np.float32(CHECKER_DARK) if odd == 1 else np.float32(CHECKER_LIGHT)
            rest = (np.float32(1) - min(max(row[3, x], np.float32(0)), np.float32(1))) * grey
            for c in range(3):
                row[c, x] += rest
    whole = width & ~15
    target = out.ctypes.data
    red, green, blue = row[0].ctypes.data, row[1].ctypes.data, row[2].ctypes.data
    for x in range(0, whole, 16):
        pack_bgrx(red + 4 * x, green + 4 * x, blue + 4 * x, target + 4 * x)
    if whole < width:
        last = np.empty((16, 4), np.uint8)
        pack_bgrx(red + 4 * whole, green + 4 * whole, blue + 4 * whole, last.ctypes.data)
        out[whole:] = last[: width - whole]


def warm() -> None:
    """Compile or load what the viewer needs."""
    for channels in (3, 4):
        pixels = np.zeros((3, 3, channels), np.uint8)
        pyramid = Pyramid(_Bare(pixels[..., :3], pixels[..., 3] if channels == 4 else None))
        for scale in (0.4, 2.0):
            resample(pyramid, Viewport((0, 0), scale, (4, 4)), format="bgrx8")


class _Bare:
    def __init__(self, pixels: NDArray[np.generic], alpha: NDArray[np.generic] | None) -> None:
        self.pixels, self.alpha = pixels, alpha
