"""Our CPU rasterizer against one written by hand in C++ with AVX-512 intrinsics, compiled here for this machine."""

from __future__ import annotations

import ctypes
import math
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gaussian_core.benchmarks.frames import FRAME, centred, synthetic_field
from gaussian_core.benchmarks.measuring import measure
from gaussian_core.errors import UserError
from gaussian_core.field import GaussianField
from gaussian_core.parallel import worker_count
from gaussian_core.rasterizer import PIXEL_SIGMA, rasterize
from gaussian_core.viewport import Viewport

SOURCE = Path(__file__).with_suffix(".cpp")
ZOOMS = (1.1, 1.5, 2.0, 3.0, 4.0, 8.0, 16.0, 64.0, 300.0)
COMPILERS = ("g++", "clang++", "c++")
FLAGS = ("-O3", "-march=native", "-std=c++17", "-shared", "-fPIC", "-pthread")
# Where it cuts a Gaussian, in standard deviations: at 1/512 of its amplitude, the earliest that the contract allows.
REACH = math.sqrt(2 * math.log(512))


@dataclass(frozen=True)
class Race:
    """One zoom: medians of both in turn, milliseconds."""

    zoom: float
    ours_ms: float
    by_hand_ms: float

    def as_text(self) -> str:
        ratio = self.ours_ms / self.by_hand_ms
        return (
            f"zoom {self.zoom:<6g} ours {self.ours_ms:8.1f} ms   C++ by hand {self.by_hand_ms:8.1f} ms"
            f"   {ratio:.2f} times its time"
        )


class HandWritten:
    """The compiled kernel. Raises UserError where this machine cannot compile or run it."""

    def __init__(self, folder: Path) -> None:
        _check_processor()
        compiler = next(filter(None, map(shutil.which, COMPILERS)), None)
        if compiler is None:
            raise UserError(f"The comparison with C++ needs a compiler: {' or '.join(COMPILERS)}.")
        made = folder / "handwritten.so"
        done = subprocess.run(
            [compiler, *FLAGS, "-o", str(made), str(SOURCE)], capture_output=True, text=True
        )
        if done.returncode:
            raise UserError(f"{compiler} did not compile {SOURCE.name}: {done.stderr.strip()}")
        self._draw = ctypes.CDLL(str(made)).draw_frame
        self._draw.restype = None

    def draw(self, field: GaussianField, view: Viewport, out: NDArray[np.uint8]) -> None:
        """A field of three channels, all its Gaussians under one source pixel wide, into out (H, W, 4): BGRX."""
        index = field.index
        (level,) = index.levels
        widest = math.sqrt(max(level.variance))
        pointer, whole, number = ctypes.c_void_p, ctypes.c_int64, ctypes.c_double
        self._draw(
            index.rows.ctypes.data_as(pointer),
            whole(index.rows.shape[1]),
            level.starts.ctypes.data_as(pointer),
            *map(whole, (*level.first, level.columns, level.rows)),
            *map(number, (level.cell, widest, *view.origin, view.scale[0])),
            *map(whole, view.size),
            number(PIXEL_SIGMA),
            number(REACH),
            whole(worker_count()),
            out.ctypes.data_as(pointer),
        )


def _check_processor() -> None:
    from llvmlite import binding

    if not binding.get_host_cpu_features().get("avx512f", False):
        raise UserError(
            "The comparison with C++ is for processors with AVX-512; this one has none."
        )


def races(repeats: int, check: Callable[[], None]) -> Iterator[Race]:
    """Frames of a synthetic field by both, in turn, so that what disturbs the machine disturbs both."""
    field = synthetic_field()
    ours, theirs = (np.empty((FRAME[1], FRAME[0], 4), np.uint8) for _ in range(2))
    with tempfile.TemporaryDirectory(prefix="gaussian-zoom-") as folder:
        by_hand = HandWritten(Path(folder))
        for zoom in ZOOMS:
            view = centred(field, zoom)
            times: tuple[list[float], list[float]] = ([], [])
            for _ in range(max(3, repeats)):
                check()
                for kept, work in zip(
                    times,
                    (
                        lambda view=view: rasterize(
                            field, view, format="bgrx8", backend="cpu", out=ours
                        ),
                        lambda view=view: by_hand.draw(field, view, theirs),
                    ),
                    strict=True,
                ):
                    kept.append(measure("", work, 1).median_ms)
            yield Race(zoom, float(np.median(times[0])), float(np.median(times[1])))
