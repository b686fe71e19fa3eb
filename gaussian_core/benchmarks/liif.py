"""One frame of LIIF against one of ours, of the same view.

LIIF here is the published network, EDSR-baseline and a decoder of 256 x 4, with random weights: what it costs does not
depend on them. Of its frame some rows are drawn and the rest is extrapolated: every row costs the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gaussian_core.benchmarks.frames import FRAME
from gaussian_core.benchmarks.measuring import measure
from gaussian_core.benchmarks.subjects import Photo, tiles_in_view
from gaussian_core.builder import FieldBuilder
from gaussian_core.rasterizer import rasterize

ROWS = 24
ZOOM = 4.0


@dataclass(frozen=True)
class Comparison:
    """Milliseconds. encode, build: once for the view's part of the picture. rows: how many were drawn of LIIF's."""

    liif_frame_ms: float
    liif_encode_ms: float
    ours_frame_ms: float
    ours_build_ms: float
    rows: int

    @property
    def factor(self) -> float:
        return self.liif_frame_ms / self.ours_frame_ms

    def as_text(self) -> str:
        return (
            f"LIIF (EDSR-baseline, 256x4) against the learned field, {FRAME[0]}x{FRAME[1]} at {ZOOM:g}x\n"
            f"    a frame: {self.liif_frame_ms:.0f} ms (from {self.rows} of {FRAME[1]} rows) against "
            f"{self.ours_frame_ms:.1f} ms: {self.factor:.0f} times\n"
            f"    once before: {self.liif_encode_ms:.0f} ms to encode what is in view against "
            f"{self.ours_build_ms:.0f} ms to build it"
        )


def compare(repeats: int, check: Callable[[], None]) -> Comparison:
    """Both on the CPU."""
    import torch

    from gaussian_core.models.liif import LIIF, LIIFConfig
    from gaussian_core.models.published.drawing import LIIFDrawing

    photo = Photo(1.0)
    view = photo.view(ZOOM, FRAME)
    builder = FieldBuilder(photo, "continuoussr", "cpu")
    # The first tile pays for loading torch and the weights.
    builder.build_tile((0, 0))
    began = time.perf_counter()
    fields = tiles_in_view(photo, view, builder)
    build_ms = 1e3 * (time.perf_counter() - began)
    out = np.empty((FRAME[1], FRAME[0], 4), np.uint8)
    ours = measure(
        "", lambda: rasterize(fields, view, format="bgrx8", backend="cpu", out=out), repeats
    )
    check()
    torch.manual_seed(0)
    model = LIIF(LIIFConfig()).eval()
    with torch.inference_mode():
        drawing = LIIFDrawing(photo, model, whole=0)
        began = time.perf_counter()
        x0, y0, x1, y1 = view.source_rect
        seen = (int(x0), int(y0), int(np.ceil(x1)), int(np.ceil(y1)))
        codes = drawing._encode(seen, None)
        encode_ms = 1e3 * (time.perf_counter() - began)
        check()
        middle = (FRAME[1] - ROWS) // 2
        part = view.part(0, middle, FRAME[0], ROWS)
        rows = measure("", lambda: model.render(codes, part, None), 2)
    frame_ms = rows.median_ms * FRAME[1] / ROWS
    return Comparison(frame_ms, encode_ms, ours.median_ms, build_ms, ROWS)
