"""Timings that anybody can repeat: frames, fields, memory.

Every figure is a median over repeats in one run. Machines differ and other programs disturb, so beside the wall time
stands the processor time divided by the number of kernel threads: what the wall time would be with the cores to itself.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import numpy as np

from gaussian_core.builder import FieldBuilder, Key, build_field
from gaussian_core.errors import Cancelled
from gaussian_core.field import GaussianField
from gaussian_core.parallel import Stop, run_strips, worker_count
from gaussian_core.rasterizer import PIXEL_SIGMA, rasterize
from gaussian_core.viewport import Viewport

FRAME = (1920, 1080)
LEARNED_TILE = 384  # source pixels: what the window builds at once
FRAMES = (FRAME, (3840, 2160))  # of a CUDA device
ZOOMS = (1.0, 1.5, 2.0, 3.0, 4.0, 8.0, 16.0, 64.0, 300.0, 1000.0)


@dataclass(frozen=True)
class Row:
    """One figure: what was measured, median and best wall time, processor time per thread, all in milliseconds."""

    what: str
    median_ms: float
    best_ms: float
    cpu_ms: float
    repeats: int

    def as_text(self) -> str:
        return f"{self.what:<58}{self.median_ms:>10.1f}{self.best_ms:>10.1f}{self.cpu_ms:>10.1f}"


HEADER = f"{'':<58}{'median ms':>10}{'best':>10}{'cpu/thread':>10}"


def measure(what: str, work: Callable[[], object], repeats: int) -> Row:
    """Time `work`, once untimed and then `repeats` times."""
    work()
    walls, cpus = [], []
    for _ in range(repeats):
        cpu, wall = time.process_time(), time.perf_counter()
        work()
        walls.append(time.perf_counter() - wall)
        cpus.append((time.process_time() - cpu) / worker_count())
    median, best, cpu_ms = (
        1e3 * float(f(v)) for f, v in ((np.median, walls), (np.min, walls), (np.median, cpus))
    )
    return Row(what, median, best, cpu_ms, repeats)


def synthetic_field(height: int = 640, width: int = 1024, seed: int = 0) -> GaussianField:
    """Four Gaussians per source pixel, sigma 0.25 to 0.6 source pixels, |rho| < 0.6, three channels."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0 : 2 * height, 0 : 2 * width].astype(np.float32) / 2 + 0.25
    means = np.stack([x.ravel(), y.ravel()], axis=1)
    sx, sy = rng.uniform(0.25, 0.6, (2, len(means)))
    rho = rng.uniform(-0.6, 0.6, len(means))
    covariances = np.stack([sx * sx, rho * sx * sy, sy * sy], axis=1)
    amplitudes = rng.uniform(0, 0.2, (len(means), 3))
    return GaussianField(means, covariances, amplitudes, (height, width))


class _Photo:
    """Noise in the place of a photograph: kernel interpolation takes the same time for any picture."""

    def __init__(self, megapixels: float) -> None:
        width = round((megapixels * 1e6 * 4 / 3) ** 0.5)
        height = round(width * 3 / 4)
        self.extent = (height, width)
        rng = np.random.default_rng(0)
        self.pixels = rng.integers(0, 256, (height, width, 3), np.uint8)

    def as_float(self, rect: tuple[int, int, int, int] | None = None) -> np.ndarray:
        x0, y0, x1, y1 = rect or (0, 0, self.extent[1], self.extent[0])
        return self.pixels[y0:y1, x0:x1] * np.float32(1 / 255)


def _tiles(photo: _Photo) -> dict[Key, GaussianField]:
    builder = FieldBuilder(photo, "kernel")
    keys = list(builder.grid.keys())
    tiles: dict[Key, GaussianField] = {}

    def build(number: int) -> None:
        tiles[keys[number]] = builder.build_tile(keys[number])

    run_strips(build, len(keys))
    return tiles


def run(repeats: int = 9, stop: Stop | None = None) -> Iterator[Row]:
    """All rows, one after the other, as they are measured. Raises Cancelled when stopped."""

    def check() -> None:
        if stop is not None and stop():
            raise Cancelled("bench stopped")

    field = synthetic_field()
    out = np.empty((FRAME[1], FRAME[0], 4), np.uint8)
    height, width = field.extent
    for zoom in ZOOMS:
        check()
        origin = ((width - FRAME[0] / zoom) / 2 + 0.13, (height - FRAME[1] / zoom) / 2 + 0.37)
        view = Viewport(origin, zoom, FRAME)
        yield measure(
            f"frame 1920x1080, 4 Gaussians a pixel, zoom {zoom:g}",
            lambda view=view: rasterize(field, view, format="bgrx8", backend="cpu", out=out),  # type: ignore[misc]
            repeats,
        )
    for megapixels in (1.0, 12.0):
        check()
        photo = _Photo(megapixels)
        yield measure(
            f"kernel interpolation of {megapixels:g} megapixels, as the viewer's tiles",
            lambda photo=photo: _tiles(photo),  # type: ignore[misc]
            3,
        )
    check()
    yield measure(
        "kernel interpolation of 12 megapixels, as one field",
        lambda: build_field(photo, "kernel").index,
        2,
    )
    check()
    learned = FieldBuilder(_Photo(1.0), "continuoussr", tile=LEARNED_TILE)
    yield measure(
        "learned field of 1 megapixel, in tiles",
        lambda: [learned.build_tile(key) for key in learned.grid.keys()],
        3,
    )
    tiles = list(_tiles(photo).values())
    height, width = photo.extent
    for zoom in (1.0, 2.0, 4.0, 16.0):
        check()
        view = Viewport((width / 3 + 0.13, height / 3 + 0.37), zoom, FRAME)
        near = [t for t in tiles if _reaches(t, view)]
        yield measure(
            f"frame 1920x1080 of a 12-megapixel photo's tiles, zoom {zoom:g}",
            lambda view=view, near=near: rasterize(  # type: ignore[misc]
                near, view, format="bgrx8", backend="cpu", out=out
            ),
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
    field = synthetic_field(1088, 1928)  # fills the frame, the larger one from zoom 2 on
    height, width = field.extent
    for size in FRAMES:
        for zoom in ZOOMS:
            check()
            origin = ((width - size[0] / zoom) / 2 + 0.13, (height - size[1] / zoom) / 2 + 0.37)
            view = Viewport(origin, zoom, size)
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


def _reaches(tile: GaussianField, view: Viewport) -> bool:
    x0, y0, x1, y1 = view.source_rect
    bounds = tile.index.levels[0].bounds
    return bounds[0] < x1 + 3 and bounds[2] > x0 - 3 and bounds[1] < y1 + 3 and bounds[3] > y0 - 3


def machine() -> dict[str, str | int]:
    """What the figures were taken on."""
    import numba

    return {
        "processor": _processor_name(),
        "threads": worker_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "numba": numba.__version__,
        "load_average": f"{os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else "unknown",
    }


def _processor_name() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass  # not Linux: the platform module knows something
    return platform.processor() or platform.machine()


def peak_memory_mb() -> float | None:
    """Largest resident memory of this process so far, in megabytes; None where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if platform.system() == "Darwin" else 1e3)


def report(rows: list[Row]) -> dict[str, object]:
    """Everything as plain data, for JSON."""
    return {
        "machine": machine(),
        "rows": [asdict(row) for row in rows],
        "peak_memory_mb": peak_memory_mb(),
    }
