"""What grows with the picture, and what must not: figures against megapixels and against the zoom."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from gaussian_core.benchmarks.frames import FRAME
from gaussian_core.benchmarks.measuring import measure
from gaussian_core.benchmarks.memory import peak_memory_apart
from gaussian_core.benchmarks.subjects import Photo, all_tiles, tiles_in_view
from gaussian_core.builder import TILE, FieldBuilder, build_field
from gaussian_core.field import GaussianField
from gaussian_core.models.config import weights_path
from gaussian_core.rasterizer import rasterize

FLAT_ZOOM = 4.0
FLAT_SIZES = (1.0, 4.0, 16.0, 50.0, 100.0)  # megapixels
ONE_FIELD_SIZES = (1.0, 4.0, 12.0)
BUILD_SIZES = {"kernel": (1.0, 4.0, 16.0), "continuoussr": (0.25, 0.5, 1.0, 2.0)}
BUILT_BY = {"cpu": ("light",), "cuda": ("light", "base")}  # the shipped weights that are timed
CUDA_REPEATS = 9  # a build takes milliseconds there
# Source pixels: what the window builds at once, so that what is in view is soon there.
WINDOW_BLOCK = 384
MEMORY_SIZES = (1.0, 4.0, 16.0, 64.0)
MEMORY_ZOOMS = (1.0, 2.0, 4.0, 16.0, 64.0)
MEMORY_PICTURE = 12.0  # megapixels, where the zoom is what changes


@dataclass(frozen=True)
class Curve:
    """One line of a plot. x: what changes, in the unit that x_title says; y likewise. note: what it tells."""

    name: str
    x_title: str
    y_title: str
    xs: tuple[float, ...]
    ys: tuple[float, ...]
    note: str = ""

    def as_text(self) -> str:
        cells = "  ".join(f"{x:g}: {y:.4g}" for x, y in zip(self.xs, self.ys, strict=True))
        return f"{self.name} ({self.y_title} by {self.x_title})\n    {cells}" + (
            f"\n    {self.note}" if self.note else ""
        )


def frame_curves(repeats: int, check: Callable[[], None]) -> Iterator[Curve]:
    """Frame time at a fixed zoom as the picture grows: of the tiles around the view, and of one field of all of it."""
    yield _frame_curve(
        f"frame at {FLAT_ZOOM:g}x, tiles around the view",
        FLAT_SIZES,
        lambda photo: tiles_in_view(
            photo, photo.view(FLAT_ZOOM, FRAME), FieldBuilder(photo, "kernel")
        ),
        repeats,
        check,
    )
    yield _frame_curve(
        f"frame at {FLAT_ZOOM:g}x, all of the picture in one field",
        ONE_FIELD_SIZES,
        lambda photo: [build_field(photo, "kernel")],
        repeats,
        check,
    )


def _frame_curve(
    name: str,
    sizes: tuple[float, ...],
    fields_of: Callable[[Photo], list[GaussianField]],
    repeats: int,
    check: Callable[[], None],
) -> Curve:
    out = np.empty((FRAME[1], FRAME[0], 4), np.uint8)
    subjects = []
    for megapixels in sizes:
        check()
        photo = Photo(megapixels)
        subjects.append((fields_of(photo), photo.view(FLAT_ZOOM, FRAME)))
        del photo
    best = [float("inf")] * len(sizes)
    times: list[list[float]] = [[] for _ in sizes]
    # Size by size in turn, so that what disturbs the machine for a moment disturbs all of them.
    for _ in range(max(3, repeats)):
        for number, (fields, view) in enumerate(subjects):
            check()
            row = measure(
                "",
                lambda fields=fields, view=view: rasterize(  # type: ignore[misc]
                    fields, view, format="bgrx8", backend="cpu", out=out
                ),
                1,
            )
            times[number].append(row.median_ms)
            best[number] = min(best[number], row.median_ms)
    medians = [float(np.median(t)) for t in times]
    spread = 100 * (max(medians) / min(medians) - 1)
    least = 100 * (max(best) / min(best) - 1)
    note = f"from least to most {spread:.1f} % (medians), {least:.1f} % (best of each)"
    return Curve(name, "megapixels", "ms", sizes, tuple(medians), note)


def build_curves(check: Callable[[], None]) -> Iterator[Curve]:
    """Build time against megapixels, by method: in the tiles of files, the learned one in the window's blocks, too, and
    on CUDA by the light and the base weights. What is built there is left there: frames are drawn from it."""
    from gaussian_core.models.devices import is_cpu, pick_device

    device = "cpu" if is_cpu("auto") else pick_device("auto").type
    for method, sizes in BUILD_SIZES.items():
        learned = method != "kernel"
        where = "cpu" if not learned else device
        for weights in (None,) if not learned else BUILT_BY[device]:
            for tile in (TILE, WINDOW_BLOCK) if learned else (TILE,):
                times = []
                for megapixels in sizes:
                    check()
                    work = _build_work(Photo(megapixels), method, tile, weights, where)
                    repeats = CUDA_REPEATS if where == "cuda" else 1 if megapixels >= 2 else 2
                    times.append(measure("", work, repeats).median_ms)
                    gc.collect()
                rate = sizes[-1] / times[-1] * 1e3
                name = f"building, {method}"
                if learned:
                    name += f", {weights}, {tile} px at once on {where}"
                note = f"{rate:.2f} megapixels a second at the largest"
                yield Curve(name, "megapixels", "ms", sizes, tuple(times), note)


def _build_work(
    photo: Photo, method: str, tile: int, weights: str | None, device: str
) -> Callable[[], object]:
    """weights: a name of shipped ones, None for a method that needs none."""
    if weights is None:
        return lambda: all_tiles(photo, method)
    builder = FieldBuilder(photo, method, device, tile=tile, weights=weights_path(weights))

    def work() -> None:
        for key in builder.grid.keys():
            builder.build_tile(key)

    return work


def memory_curves(check: Callable[[], None]) -> Iterator[Curve]:
    """Peak memory of a process that shows one view, against the picture's size and against the zoom."""
    for title, name, places in (
        (
            f"memory of a view at {FLAT_ZOOM:g}x, kernel",
            "megapixels",
            [(mp, FLAT_ZOOM) for mp in MEMORY_SIZES],
        ),
        (
            f"memory of a view of {MEMORY_PICTURE:g} megapixels, kernel",
            "zoom",
            [(MEMORY_PICTURE, zoom) for zoom in MEMORY_ZOOMS],
        ),
    ):
        xs, ys = [], []
        for megapixels, zoom in places:
            check()
            peak = peak_memory_apart(megapixels, zoom, "kernel")
            if peak is None:
                return  # a system that does not tell
            xs.append(megapixels if name == "megapixels" else zoom)
            ys.append(peak)
        yield Curve(title, name, "MB", tuple(xs), tuple(ys), "the decoded picture included")
