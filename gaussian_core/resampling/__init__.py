"""Interpolation of the stored pixels: nearest, bilinear, bicubic, Lanczos, antialiased below 100 %.

What the viewer shows below 100 %, and what the learned fields are compared with. Separable, in the same conventions as
`rasterize`: weights depend on a pixel's number on the absolute device lattice only, so parts of a viewport are the
same to the bit as the whole, and panning by whole device pixels shifts the picture exactly.
"""

from __future__ import annotations

import math
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from gaussian_core.display import frame_array
from gaussian_core.lattice import lattice_corner
from gaussian_core.parallel import Stop, run_strips, worker_count
from gaussian_core.pyramid import Levels, Pyramid, last_cover
from gaussian_core.rasterizer import Format
from gaussian_core.resampling.kernel import resample_strip
from gaussian_core.viewport import Viewport

Kernel = Literal["nearest", "bilinear", "bicubic", "lanczos"]
KERNELS: tuple[Kernel, ...] = get_args(Kernel)


def kernel_value(method: Kernel, x: NDArray[np.float64]) -> NDArray[np.float64]:
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
FARTHEST = 1 << 60  # device pixels from the source's origin


def resample(
    pyramid: Levels,
    viewport: Viewport,
    *,
    method: Kernel = "bicubic",
    finer: int = 0,
    format: Format = "float",
    out: NDArray[Any] | None = None,
    stop: Stop | None = None,
) -> NDArray[Any]:
    """Interpolate a picture at the pixels of a viewport.

    finer: below 100 %, how many levels of the pyramid finer than the coarsest that will do. What the levels are made by
    is a mean of pixels, which is felt the less the finer they are; each takes twice the taps along either axis.
    format "float": (H, W, C) float32, not clipped (C = 4: premultiplied RGB and alpha). "bgrx8": (H, W, 4) uint8 in the
    byte order of QImage.Format_RGB32, alpha shown over the checkerboard. Below 100 % the kernel is as wide as the
    device pixels' distance, so that nothing aliases ("nearest" is never antialiased). Pixels whose centre lies outside
    the picture are 0. Raises ValueError for an unknown method or format, an `out` that does not fit or what are no
    levels, Cancelled when stopped, and ImageError where the picture is read from its file only now and cannot be.
    """
    if method not in KERNELS:
        raise ValueError(f"unknown method {method!r}: choose one of {', '.join(KERNELS)}")
    if format not in get_args(Format):
        raise ValueError(f"unknown format {format!r}: choose float or bgrx8")
    if not hasattr(pyramid, "part"):
        raise ValueError(
            f"resample draws the levels of a picture (levels_of gives them), not {type(pyramid).__name__}"
        )
    if not isinstance(viewport, Viewport):
        raise ValueError(f"resample draws a Viewport of a picture, not {type(viewport).__name__}")
    width, height = viewport.size
    as_bytes = format == "bgrx8"
    target = frame_array(viewport.size, pyramid.channels, as_bytes, out)
    level = 0
    if method != "nearest":
        level = max(0, math.floor(math.log2(1 / max(viewport.scale)) + 1e-9) - finer)
    (lx, px), (ly, py) = (_near(*axis) for axis in lattice_corner(viewport))
    left, first_x, weights_x = _weights(
        method, lx, px, viewport.scale[0], width, pyramid.extent[1], level
    )
    above, first_y, weights_y = _weights(
        method, ly, py, viewport.scale[1], height, pyramid.extent[0], level
    )
    weights_y *= np.float32(1 / pyramid.peak)
    (x0, x1), (y0, y1) = _reach(first_x, weights_x), _reach(first_y, weights_y)
    pixels = pyramid.part(level, (x0, y0, x1, y1), stop)
    first_x, first_y = first_x - x0, first_y - y0
    strip = max(16, -(-height // (4 * worker_count())))
    floats = np.empty((0, 0, 0), np.float32) if as_bytes else target
    packed = target if as_bytes else np.empty((0, 0, 0), np.uint8)
    kind_of_pixel = pixels.dtype.type(0)

    def render(number: int) -> None:
        first = number * strip
        resample_strip(
            kind_of_pixel, pixels.itemsize, pixels.ctypes.data, pixels.strides[0], pyramid.channels,
            first_x, weights_x, left, first_y, weights_y, above,
            first, min(first + strip, height), lx, ly, as_bytes, floats, packed,
        )  # fmt: skip

    run_strips(render, -(-height // strip), stop)
    return target


def _near(index: int, phase: float) -> tuple[int, float]:
    """A lattice position that 64-bit integers hold; further out there is no picture anyway."""
    return max(-FARTHEST, min(index, FARTHEST)), phase


def _weights(
    method: Kernel, index: int, phase: float, scale: float, count: int, extent: int, level: int
) -> tuple[int, NDArray[np.int64], NDArray[np.float32]]:
    """The taps of the device pixels along one axis: (number of the first pixel inside the picture, first tap (n,) and
    weights (n, taps) of it and the n - 1 after it, the others being outside).

    index, phase: of the viewport's edge on the device lattice. extent: of the picture, in source pixels.
    """
    # Counted from the source's own origin, so that a device pixel's weights do not depend on the viewport.
    centres = ((np.arange(count) + index) + 0.5 + phase) / scale
    start, end = np.searchsorted(centres, (0, extent))
    size = 1 << level
    position = centres[start:end] / size
    available = -(-extent // size)
    if method == "nearest":
        first = np.minimum(np.floor(position), available - 1).astype(np.int64)
        return int(start), first, np.ones((len(first), 1), np.float32)
    stretch = max(1.0, 1 / (scale * size))
    radius = _RADIUS[method] * stretch
    # The last pixel of a level may cover less than the others: it counts for less, and its centre is further in, which
    # can bring it into reach of one tap more.
    last = last_cover(extent, level) / size
    taps = min(math.ceil(2 * radius) + (last < 1), available)
    first = np.ceil(position - 0.5 - radius).astype(np.int64)
    first = np.clip(first, 0, available - taps)
    tap = first[:, None] + np.arange(taps)
    partial = tap == available - 1
    distance = tap + np.where(partial, last / 2, 0.5) - position[:, None]
    weights = kernel_value(method, distance / stretch) * np.where(partial, last, 1.0)
    weights /= weights.sum(axis=1, keepdims=True)
    return int(start), first, weights.astype(np.float32)


def _reach(first: NDArray[np.int64], weights: NDArray[np.float32]) -> tuple[int, int]:
    """The source pixels of one axis that the taps touch: a single one where there are none."""
    return (int(first[0]), int(first[-1]) + weights.shape[1]) if len(first) else (0, 1)


def warm() -> None:
    """Compile or load what the viewer needs."""
    for channels in (3, 4):
        # In one piece each, as decoded pictures are: others are another version of a kernel.
        alpha = np.zeros((3, 3), np.uint8) if channels == 4 else None
        pyramid = Pyramid(_Bare(np.zeros((3, 3, 3), np.uint8), alpha))
        for scale in (0.4, 2.0):
            resample(pyramid, Viewport((0, 0), scale, (4, 4)), format="bgrx8")


class _Bare:
    def __init__(self, pixels: NDArray[np.generic], alpha: NDArray[np.generic] | None) -> None:
        self.pixels, self.alpha = pixels, alpha
