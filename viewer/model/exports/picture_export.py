"""What an export would write, and the job that writes it. No Qt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gaussian_core.parallel import Stop
from gaussian_core.viewport import Region
from viewer.model.documents.document import Document
from viewer.model.exports.field_saving import fitted
from viewer.model.frames.scene import Rect
from viewer.model.methods import Choice
from viewer.model.pixel_rects import is_empty, source_pixels

MAX_SIDE = 10_000_000


@dataclass(frozen=True)
class ExportPlan:
    """scale: output pixels per source pixel. region: (x, y, width, height), source pixels; None is all."""

    scale: float
    region: Region | None = None


def suggested_name(stem: str, scale: float, choice: Choice | None) -> str:
    """A name for the file. stem: of what is open. choice: what the picture is shown by, None for a field file: any but
    the usual one is named, for the files of several methods are held against each other."""
    by = ""
    if choice is not None and choice != Choice():
        by = " " + (choice.title if choice.weights is None else Path(choice.title).stem)
    return f"{stem} x{scale:g}{by}.png"


def export_size(extent: tuple[int, int], plan: ExportPlan) -> tuple[int, int] | None:
    """(width, height) of the output; None where a side is beyond every format."""
    if plan.region is None:
        height, width = float(extent[0]), float(extent[1])
    else:
        width, height = plan.region[2:]
    size = max(1, round(width * plan.scale)), max(1, round(height * plan.scale))
    return size if max(size) <= MAX_SIDE else None


def bytes_text(count: int) -> str:
    """So many bytes, short: how many it will be is known but roughly beforehand."""
    size, unit, larger = count / 1e3, "kB", ["MB", "GB", "TB"]
    while size >= 999.5 and larger:
        size, unit = size / 1e3, larger.pop(0)
    return f"{size:.1f} {unit}" if 0.95 <= size < 9.95 else f"{max(round(size), 1):,} {unit}"


def region_in_view(extent: tuple[int, int], source_rect: Rect) -> Region | None:
    """The part of the picture in view as (x, y, width, height), widened to whole pixels; None if there is none."""
    pixels = source_pixels(source_rect, extent)
    if is_empty(pixels):
        return None
    left, top, right, bottom = pixels
    return float(left), float(top), float(right - left), float(bottom - top)


@dataclass(frozen=True)
class Export:
    """A job for ExportWorker. source: a Picture or a GaussianField. region: (x, y, width, height) in source pixels;
    None is all of it. note: what is to be said when it is written. deep: the picture, or what the field was made of,
    has more than 8 bits a channel; it is written with 16 where the format holds them.
    """

    source: Any
    out: str
    scale: float
    region: Region | None = None
    method: str | None = None
    weights: Path | None = None
    pixel_sigma: float | None = None
    note: str = ""
    deep: bool = False
    doing: str = "Exporting"
    too_large: str = "There is not enough memory for this size: choose a smaller scale."

    def run(self, progress: Callable[[int, int], object], stop: Stop) -> str:
        from gaussian_core import render_file
        from gaussian_core.writing.image_writer import most_bits

        deep = self.deep and most_bits(self.out) > 8
        result = render_file(
            self.source,
            self.out,
            self.scale,
            method=self.method,
            weights=self.weights,
            pixel_sigma=self.pixel_sigma,
            region=self.region,
            bits=16 if deep else 8,
            progress=progress,
            stop=stop,
        )
        width, height = result.size
        depth = "16 bits a channel" if deep else ""
        notes = "".join(
            f"; {note}" for note in (depth, *result.notes, result.damage, self.note) if note
        )
        return f"Saved {result.path.name}, {width:,} × {height:,}{notes}"


def exporting(document: Document, plan: ExportPlan, out: str) -> Export:
    """The job that draws a document into a file. What need not be built, as a field file's field, is drawn as it is."""
    whole = document.whole
    weights = document.choice.file if whole is None else None
    return Export(
        document.picture if whole is None else whole,
        out,
        plan.scale,
        plan.region,
        None if whole is not None or weights else document.method,
        weights,
        document.scene.pixel_sigma,
        fitted(document),
        document.deep,
    )
