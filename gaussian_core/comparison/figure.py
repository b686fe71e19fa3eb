"""Draws comparison figures: each crop is, pixel for pixel, what `render` makes of the region by that method."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gaussian_core.comparison.layout import Caption, layout
from gaussian_core.comparison.lettering import legible
from gaussian_core.comparison.measuring import Measuring
from gaussian_core.comparison.sheet import Sheet
from gaussian_core.errors import Cancelled, UserError
from gaussian_core.methods import METHODS, Drawing, Options
from gaussian_core.original import Original
from gaussian_core.paper import on_paper
from gaussian_core.parallel import Stop
from gaussian_core.viewport import Region, Viewport
from gaussian_core.writing.atomic import check_not_source
from gaussian_core.writing.file_renderer import (
    checked_region,
    checked_scales,
    open_source,
    strip_bounds,
    viewport_of,
)
from gaussian_core.writing.image_writer import ImageWriter

if TYPE_CHECKING:
    from gaussian_core.evaluation.metrics import Scores
    from gaussian_core.field import GaussianField
    from gaussian_core.images import PictureSource

Bytes = NDArray[np.uint8]
Progress = Callable[[int, int], object]

MOST_PIXELS = 200_000_000
"""Of a figure, which is made in memory."""
LOSSY = (".jpg", ".jpeg", ".webp")
FINER = 2
"""Levels, see `resample`: what goes into a file may take its time."""
ORIGINAL = "Original"
HEADING = "PSNR / SSIM"
FIGURES = "00.00 dB / 0.0000"
"""What there is room for below a crop before anything is measured."""
ANTIALIASED = "antialiased"
EVEN = 1e-3
"""How far two scales may be apart that are called the same: sides are rounded to whole pixels."""


@dataclass(frozen=True)
class Entry:
    """One method of a figure. title: below its crop. method: in METHODS, None: what the options' weights are for.
    made: its field of the picture, where there is one already."""

    title: str
    method: str | None
    options: Options = field(default_factory=Options)
    made: GaussianField | None = None

    @property
    def interpolates(self) -> bool:
        return self.method is not None and METHODS[self.method].interpolates


@dataclass(frozen=True)
class Cell:
    """One crop of a figure. box: (x0, y0, x1, y1) of its pixels. scores: None where nothing is measured."""

    title: str
    box: tuple[int, int, int, int]
    scores: Scores | None = None

    @property
    def figures(self) -> str:
        """PSNR and SSIM of Y, as they stand in the figure; "" where nothing is measured."""
        return "" if self.scores is None else figures_text(self.scores)


@dataclass(frozen=True)
class Figure:
    """What was written. size: (width, height). footnote: what is drawn and measured, as it stands below. notes, damage:
    see file_renderer.Rendered."""

    path: Path
    size: tuple[int, int]
    cells: tuple[Cell, ...]
    footnote: str
    notes: tuple[str, ...]
    damage: str = ""


class ComparisonFigure:
    """One region of a picture by several methods. What it says and its size are known before anything is drawn.

    entries: at least one. scale: output pixels per source pixel. region: (x, y, width, height) in source pixels, inside
    the picture; None is all of it. original: a picture of the same scene, of any size, which comes last; where it has
    at least as many pixels, methods are measured against it. original_title: below its crop. columns: of the grid,
    None: a good shape.

    Raises UserError for what cannot be drawn, ImageError for an original of another shape.
    """

    def __init__(
        self,
        picture: PictureSource,
        entries: Sequence[Entry],
        scale: float,
        *,
        region: Region | None = None,
        original: PictureSource | None = None,
        original_title: str = ORIGINAL,
        columns: int | None = None,
    ) -> None:
        if not entries:
            raise UserError("A comparison needs at least one method.")
        if columns is not None and columns < 1:
            raise UserError(f"A figure has at least one column, not {columns}.")
        region = checked_region(region)
        self.picture, self.entries, self._scale = picture, tuple(entries), scale
        self._below_one = max(checked_scales(scale)) < 1
        self.view = viewport_of(picture.extent, checked_scales(scale), region)
        height, width = picture.extent
        self._whole = (0.0, 0.0, float(width), float(height))
        self._region = region
        self.region = region or self._whole
        self.original = None if original is None else Original(original, picture.extent)
        self.original_title = original_title
        self.measuring: Measuring | None = None
        if self.original is not None and not self._below_one:
            self.measuring = Measuring.of(self.original, picture.extent, self.region)
        self._check_size(math.prod(self.view.size) * (len(entries) + (original is not None)))
        captions = [self._caption(entry, FIGURES) for entry in entries]
        if original is not None:
            captions.append(self._original_caption)
        self.layout = layout(
            self.view.size,
            captions,
            legible(self.footnote),
            columns,
            None if self.region == self._whole else (width, height),
            max(self.view.scale),
        )
        self._check_size(math.prod(self.layout.size))

    def _check_size(self, pixels: int) -> None:
        if pixels > MOST_PIXELS:
            raise UserError(
                f"The figure would have {pixels / 1e6:,.0f} megapixels, more than the {MOST_PIXELS / 1e6:.0f} that one "
                "may have: choose a smaller region or scale."
            )

    # ---- what it says -------------------------------------------------------------------------

    @property
    def footnote(self) -> str:
        """What is drawn, and what is measured of it."""
        x, y, width, height = self.region
        what = f"{width:g} x {height:g} pixels at {x:g}, {y:g}"
        if self.region == self._whole:
            what = f"the whole picture, {width:g} x {height:g} pixels"
        said = [f"x{self._scale:.4g} of {what}."]
        if self._resampled:
            closer = min(self.view.scale) >= (1 - EVEN) * min(self._factor)
            way = "interpolated" if closer else "reduced"
            said.append(f"{self._named} is x{self._factor_text}, {way} (bicubic).")
        if self.measuring is not None:
            across, down = self.measuring.size
            border = self.measuring.border
            against = "" if self.original_title == ORIGINAL else f" against {self.original_title}"
            cut = f", without the picture's outermost {border}" if border else ""
            said.append(
                f"PSNR and SSIM of Y (BT.601){against} at x{self._factor_text} over {across} x {down} pixels{cut}."
            )
        return " ".join(said)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is known before anything is drawn that the user should know."""
        said = [self.picture.note] if self.picture.note else []
        others = [e.title for e in self.entries if not self._drawn_as_asked(e)]
        if others:
            said.append(f"below x1 the antialiased picture stands for {', '.join(others)}")
        if self.original is not None and min(self._factor) < 1:
            said.append(f"{self._named} has fewer pixels than the picture: nothing is measured")
        elif self.original is not None and self.measuring is None:
            said.append("below x1 nothing is measured")
        elif (cut := self._multiple) is not None:
            named = "the original" if self.original_title == ORIGINAL else self.original_title
            said.append(
                f"all of {named} is taken, x{self._factor_text}: if the picture was made of its first "
                f"{cut[0]} x {cut[1]} pixels, at x{self._scale:.4g}, cut it to these"
            )
        if self.picture.has_alpha:
            said.append("what is transparent is laid on white")
        return tuple(said)

    def _drawn_as_asked(self, entry: Entry) -> bool:
        return not self._below_one or entry.interpolates

    def _caption(self, entry: Entry, figures: str) -> Caption:
        if not self._drawn_as_asked(entry):
            figures = ANTIALIASED
        elif self.measuring is None:
            figures = ""
        return Caption(legible(entry.title), figures)

    @property
    def _original_caption(self) -> Caption:
        title = self.original_title
        if self._resampled:
            title = f"{title} (from x{self._factor_text})"
        return Caption(legible(title), HEADING if self.measuring is not None else "")

    @property
    def _named(self) -> str:
        return "The original" if self.original_title == ORIGINAL else self.original_title

    @property
    def _factor(self) -> tuple[float, float]:
        return (1.0, 1.0) if self.original is None else self.original.factor

    @property
    def _factor_text(self) -> str:
        return f"{math.sqrt(math.prod(self._factor)):.3g}"

    @property
    def _multiple(self) -> tuple[int, int] | None:
        """(width, height) of the picture at its scale, where the original has that and a few pixels more: as sets for
        measuring are made, the picture is of that part of it, if not of all."""
        if self.original is None or self._factor == (self._scale, self._scale):
            return None
        height, width = self.picture.extent
        cut = round(width * self._scale), round(height * self._scale)
        more = self.original.picture.width - cut[0], self.original.picture.height - cut[1]
        return cut if any(more) and all(0 <= n < self._scale for n in more) else None

    @property
    def _resampled(self) -> bool:
        """Whether the original's crop is not made of its stored pixels."""
        if self.original is None:
            return False
        exact = Measuring.of(self.original, self.picture.extent, self.region)
        return exact is None or exact.view != self.view

    # ---- drawing ------------------------------------------------------------------------------

    def write(
        self,
        out: str | os.PathLike[str],
        *,
        progress: Progress | None = None,
        stop: Stop | None = None,
    ) -> Figure:
        """Draw it into an image file, whole or not at all. progress: called with (rows done, rows in all). stop: polled
        between parts; true raises Cancelled.

        Raises ImageError, OutputError, DeviceError, WeightsError.
        """
        for source in (self.picture, None if self.original is None else self.original.picture):
            check_not_source(out, source)
        cells: list[Cell] = []
        notes = dict.fromkeys((*self.notes, *_lossy(out)))
        count = _Count(self._rows, progress)
        with ImageWriter(out, *self.layout.size, channels=3) as writer:
            sheet = Sheet(self.layout)
            truth = self._truth(stop)
            for entry, box in zip(self.entries, self.layout.crops, strict=False):
                drawing = self._opened(entry)
                crop = _drawn(drawing, self.view, count, stop)
                scores = None
                if self.measuring is not None and truth is not None:
                    measured = crop
                    if self.measuring.view != self.view:
                        measured = _drawn(drawing, self.measuring.view, count, stop)
                    scores = self.measuring.scores(measured, truth)
                cell = Cell(entry.title, box, scores)
                sheet.put_crop(len(cells), crop, self._caption(entry, cell.figures))
                cells.append(cell)
                notes.update(dict.fromkeys((*drawing.notes, *_weights_used(entry, drawing))))
            if self.original is not None:
                crop = on_paper(self.original.draw(self.view, stop, FINER))
                sheet.put_crop(len(cells), crop, self._original_caption)
                cells.append(Cell(self.original_title, self.layout.crops[-1]))
            self._put_overview(sheet, stop)
            sheet.put_footnote()
            if stop is not None and stop():
                raise Cancelled("stopped before the file was finished")
            writer.write_rows(sheet.pixels)
        return Figure(
            Path(out),
            self.layout.size,
            tuple(cells),
            self.footnote,
            tuple(notes),
            self.picture.damage,
        )

    @property
    def _rows(self) -> int:
        """Of all that methods draw."""
        rows = self.view.size[1]
        if self.measuring is not None and self.measuring.view != self.view:
            rows += self.measuring.view.size[1]
        return rows * len(self.entries)

    def _opened(self, entry: Entry) -> Drawing:
        """What draws as `render` does."""
        options = entry.options
        if self._region is not None:
            options = replace(options, across=self._region[2])
        if entry.made is not None and not self._below_one:
            from gaussian_core.methods.fields import FieldDrawing

            return FieldDrawing(entry.made, options)
        # As asked for: that of the view differs from it by a rounded side, and may lie on the other side of 1.
        asked = checked_scales(self._scale)
        return open_source(self.picture, entry.method, options, asked, False)[1]

    def _truth(self, stop: Stop | None) -> Bytes | None:
        """The original's pixels in what is measured."""
        if self.original is None or self.measuring is None:
            return None
        return on_paper(self.original.draw(self.measuring.view, stop, FINER))

    def _put_overview(self, sheet: Sheet, stop: Stop | None) -> None:
        box = self.layout.overview
        if box is None:
            return
        height, width = self.picture.extent
        size = box[2] - box[0], box[3] - box[1]
        view = Viewport((0.0, 0.0), (size[0] / width, size[1] / height), size)
        whole = self.original if self.original is not None and min(self._factor) > 1 else None
        whole = whole or Original(self.picture, self.picture.extent)
        x, y, across, down = self.region
        (x0, y0), (x1, y1) = view.to_device(x, y), view.to_device(x + across, y + down)
        sheet.put_overview(on_paper(whole.draw(view, stop, FINER)), (x0, y0, x1, y1))


def figures_text(scores: Scores) -> str:
    """PSNR and SSIM of Y."""
    psnr = "exact" if math.isinf(scores.psnr_y) else f"{scores.psnr_y:.2f} dB"
    ssim = "-" if math.isnan(scores.ssim_y) else f"{scores.ssim_y:.4f}"
    return f"{psnr} / {ssim}"


class _Count:
    """Rows that are drawn, for whoever waits."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._done, self._total, self._progress = 0, total, progress
        self.add(0)

    def add(self, rows: int) -> None:
        self._done += rows
        if self._progress is not None:
            self._progress(self._done, self._total)


def _drawn(drawing: Drawing, view: Viewport, count: _Count, stop: Stop | None) -> Bytes:
    """(h, w, 3) of a viewport, in the strips that `render` draws it in."""
    width, height = view.size
    out = np.empty((height, width, 3), np.uint8)
    for top, rows in strip_bounds(width, height, drawing.channels):
        out[top : top + rows] = on_paper(drawing.draw(view.part(0, top, width, rows), stop))
        count.add(rows)
    return out


def _weights_used(entry: Entry, drawing: Drawing) -> list[str]:
    """Which ones were taken of several that a method has, where nobody chose."""
    name = getattr(drawing, "weights", "") if entry.options.weights is None else ""
    return [f"{entry.title} is drawn by its weights {name!r}"] if name else []


def _lossy(out: str | os.PathLike[str]) -> list[str]:
    suffix = Path(out).suffix.lower()
    if suffix not in LOSSY:
        return []
    return [f"{suffix} files lose a little: PNG and TIFF hold the pixels as they were measured"]
