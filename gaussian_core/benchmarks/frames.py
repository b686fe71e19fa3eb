"""Frames by zoom and backend, and the least that any rasterizer has to do for one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from gaussian_core.benchmarks.measuring import Row, measure
from gaussian_core.field import GaussianField
from gaussian_core.rasterizer import PIXEL_SIGMA, rasterize
from gaussian_core.viewport import Viewport

FRAME = (1920, 1080)
FRAMES = (FRAME, (3840, 2160))  # of a CUDA device
ZOOMS = (1.0, 1.1, 1.5, 2.0, 3.0, 4.0, 8.0, 16.0, 64.0, 300.0, 1000.0)


def synthetic_field(height: int = 1088, width: int = 1928) -> GaussianField:
    """Four Gaussians per source pixel, sigma 0.25 to 0.6 source pixels, |rho| < 0.6, three channels.

    By default it fills a FRAME from zoom 1 on, the larger of FRAMES from zoom 2 on.
    """
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0 : 2 * height, 0 : 2 * width].astype(np.float32) / 2 + 0.25
    means = np.stack([x.ravel(), y.ravel()], axis=1)
    sx, sy = rng.uniform(0.25, 0.6, (2, len(means)))
    rho = rng.uniform(-0.6, 0.6, len(means))
    covariances = np.stack([sx * sx, rho * sx * sy, sy * sy], axis=1)
    amplitudes = rng.uniform(0, 0.2, (len(means), 3))
    return GaussianField(means, covariances, amplitudes, (height, width))


def centred(field: GaussianField, zoom: float, size: tuple[int, int] = FRAME) -> Viewport:
    """The middle of a field, not on its lattice."""
    height, width = field.extent
    origin = ((width - size[0] / zoom) / 2 + 0.13, (height - size[1] / zoom) / 2 + 0.37)
    return Viewport(origin, zoom, size)


def frame_rows(repeats: int, check: Callable[[], None]) -> Iterator[Row]:
    """Frames of a synthetic field on the CPU, then on the CUDA device, where there is one."""
    field = synthetic_field()
    out = np.empty((FRAME[1], FRAME[0], 4), np.uint8)
    for zoom in ZOOMS:
        check()
        view = centred(field, zoom)
        yield measure(
            f"frame 1920x1080, 4 Gaussians a pixel, zoom {zoom:g}",
            lambda view=view: rasterize(field, view, format="bgrx8", backend="cpu", out=out),  # type: ignore[misc]
            repeats,
        )
    yield from cuda_rows(repeats, check)


@dataclass(frozen=True)
class Floor:
    """The least that any rasterizer has to do for a frame: bytes to move and floating-point operations."""

    bytes: int
    operations: int

    def as_text(self) -> str:
        return f"{self.bytes / 1e6:.0f} MB, {self.operations / 1e9:.2f} Gflop"


def floor(field: GaussianField, view: Viewport) -> Floor:
    """What a frame of display bytes asks for at least.

    Every Gaussian in view is read once and every pixel written once. Each of the C channels of a Gaussian takes a
    multiply-add at every pixel where it is over 1/512 of its amplitude, and its weight takes two more and an
    exponential, counted as one operation.
    """
    chosen = field.in_rect(view.source_rect)
    (sx, sy), (width, height) = view.scale, view.size
    xx, xy, yy = field.covariances[chosen].T.astype(np.float64)
    xx, xy, yy = xx * sx * sx + PIXEL_SIGMA**2, xy * sx * sy, yy * sy * sy + PIXEL_SIGMA**2
    area = 2 * np.pi * np.log(512) * np.sqrt(xx * yy - xy * xy)
    pairs = float(np.minimum(area, width * height).sum())
    each = 4 * (5 + field.channels)
    return Floor(len(chosen) * each + 4 * width * height, round(pairs * (5 + 2 * field.channels)))


def cuda_rows(repeats: int, check: Callable[[], None]) -> Iterator[Row]:
    """The same frames on the CUDA device, where there is one: drawn only, and brought back as an array."""
    from gaussian_core.rasterizer import cuda

    if not cuda.chosen():
        return
    field = synthetic_field()
    for size in FRAMES:
        for zoom in ZOOMS:
            check()
            view = centred(field, zoom, size)
            name = f"cuda {size[0]}x{size[1]}, zoom {zoom:g}"
            yield measure(
                f"{name}, drawn ({floor(field, view).as_text()})",
                lambda view=view: cuda.draw_on_device(field, view),  # type: ignore[misc]
                repeats,
            )
            yield measure(
                f"{name}, in host memory",
                lambda view=view: rasterize(field, view, format="bgrx8", backend="cuda"),  # type: ignore[misc]
                repeats,
            )
