"""Draw a picture or a field into an image file, of any size, in bounded memory.

The output is made in strips from top to bottom. Of a picture's field only the tiles that a strip can see exist at a
time, and finished rows go to the writer while the next strip is drawn: memory follows the width of the output, not its
area.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gaussian_core.display import over
from gaussian_core.errors import Cancelled, UserError
from gaussian_core.field import is_field_file
from gaussian_core.methods import (
    METHODS,
    Drawing,
    Options,
    check_name,
    method_of_weights,
    open_drawing,
)
from gaussian_core.parallel import Stop
from gaussian_core.rasterizer import LEAST_SCALE, MOST_SCALE
from gaussian_core.viewport import Region, Scale, Viewport, both_axes
from gaussian_core.writing.atomic import check_not_source, led_to

if TYPE_CHECKING:
    from gaussian_core.builder import Precision
    from gaussian_core.field import GaussianField
    from gaussian_core.images import PictureSource

Rows = NDArray[np.float32]
Progress = Callable[[int, int], object]

STRIP_BYTES = 16 << 20
"""Float rows drawn at a time: large enough to keep every core busy, small beside a picture."""
WIDEST = 1 << 24
"""Pixels: memory is as bounded as a strip of one row is."""

PAPER_WHITE = 1.0
"""What shows through a transparent picture in a format without alpha."""


@dataclass(frozen=True)
class Rendered:
    """What was written. size: (width, height), pixels. scale: (sx, sy) as drawn. notes: what the user should know.
    damage: what is missing of the picture and was drawn grey, "" for nothing. weights: the name of those that a field
    was made by, as their card has it, "" for none."""

    path: Path
    size: tuple[int, int]
    scale: tuple[float, float]
    notes: tuple[str, ...] = ()
    damage: str = ""
    weights: str = ""


def render_file(
    source: str | os.PathLike[str] | PictureSource | GaussianField,
    out: str | os.PathLike[str],
    scale: Scale,
    *,
    method: str | None = None,
    device: str = "auto",
    region: Region | None = None,
    bits: int = 8,
    pixel_sigma: float | None = None,
    weights: str | os.PathLike[str] | None = None,
    precision: Precision = "float32",
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> Rendered:
    """Draw `source` at `scale` into the image file `out`, whole or not at all.

    source: a picture's path, a field file's path (.safetensors), a Picture or a GaussianField.
    scale: device pixels per source pixel, one number or (sx, sy). The output has round(side * scale) pixels a side, at
        least 1, and the picture's borders are its borders: where a side does not come out even, the scale gives way by
        less than half a pixel over the whole side.
    method: a name in gaussian_core.methods.METHODS ("bicubic", "liif" ...); None is the one that the weights are for,
        or the default field. With both scales below 1 the antialiased picture is drawn: there is nothing to add.
    region: (x, y, width, height) in source pixels, inside the picture; None is all of it.
    bits: 8 or 16 a channel (16: PNG and TIFF).
    pixel_sigma: standard deviation of a pixel's footprint, device pixels; None is what the field was made for (0.3, or
        0 with the authors' weights).
    weights: what to draw the picture with in place of the default weights, the name of shipped ones ("light", "base",
        "jpeg", "photo") or a file; precision: what the authors' are computed in.
    progress: called with (rows done, rows in all). stop: polled between tiles; true raises Cancelled.

    Transparency is kept where the format can hold it; elsewhere the picture is laid on white, and a note says so.
    Raises ValueError for what is no source, ImageError, FieldError, OutputError, DeviceError, WeightsError, UserError
    (method, scale or region).
    """
    return render_files(
        source,
        [(out, scale)],
        method=method,
        device=device,
        region=region,
        bits=bits,
        pixel_sigma=pixel_sigma,
        weights=weights,
        precision=precision,
        progress=progress,
        stop=stop,
    )[0]


def render_files(
    source: str | os.PathLike[str] | PictureSource | GaussianField,
    outputs: Sequence[tuple[str | os.PathLike[str], Scale]],
    *,
    method: str | None = None,
    device: str = "auto",
    region: Region | None = None,
    bits: int = 8,
    pixel_sigma: float | None = None,
    weights: str | os.PathLike[str] | None = None,
    precision: Precision = "float32",
    progress: Progress | None = None,
    stop: Stop | None = None,
    forgiving: bool = False,
) -> list[Rendered]:
    """As render_file, at several scales: outputs are (file, scale). The files grow side by side down the picture, so
    that its field is built once, tile by tile, and all of them appear or none. forgiving: of a damaged file draw what
    there is (see open_picture), as is done of a picture that has been told to `show_damage`.
    """
    region = checked_region(region)
    if pixel_sigma is not None and not 0 <= pixel_sigma <= 10:
        raise UserError(f"A pixel's footprint is 0 to 10 pixels wide, got {pixel_sigma:g}.")
    if len({led_to(out) for out, _ in outputs}) < len(outputs):
        if len({scale for _, scale in outputs}) < len(outputs):
            raise UserError("The same scale is asked for twice.")
        raise UserError("Several scales cannot go into one file: put {scale} into its name.")
    for out, _ in outputs:
        check_not_source(out, source)
    # A region that makes no sense is refused below, once the picture's size is known.
    across = region[2] if region is not None and 0 < region[2] < math.inf else None
    options = Options(device, weights, precision, pixel_sigma, across)
    scales = [checked_scales(scale) for _, scale in outputs]
    largest = max(scales, key=max)
    picture, drawing = open_source(source, method, options, largest, forgiving)
    small = [picture is not None and _antialiased(method, scale) for scale in scales]
    drawings = [drawing] * len(scales)
    if picture is not None and any(small) and not all(small):  # where all are, that was opened
        antialiased = open_drawing(picture, "bicubic", options)
        drawings = [antialiased if s else drawing for s in small]
    with ExitStack() as stack:
        files = [
            stack.enter_context(_File(out, drawn_by, scale, region, bits, len(outputs)))
            for (out, _), drawn_by, scale in zip(outputs, drawings, scales, strict=True)
        ]
        total = sum(file.viewport.size[1] for file in files)
        done = 0
        if progress is not None:
            progress(0, total)
        # Whichever is highest in the picture goes next.
        while (file := min(files, key=lambda f: f.next_top)).next_top < math.inf:
            done += file.draw(stop)
            if progress is not None:
                progress(done, total)
        for file in files:
            file.finish()
        if stop is not None and stop():
            raise Cancelled("stopped before the file was finished")
    # What there is to say may come up while it works.
    read = [picture.note] if picture is not None and picture.note else []
    damage = "" if picture is None else picture.damage
    return [
        file.rendered(
            [*read, *_without_effect(options, method, file.drawing, s), *file.drawing.notes], damage
        )
        for file, s in zip(files, small, strict=True)
    ]


def _without_effect(
    options: Options, method: str | None, drawing: Drawing, antialiased: bool
) -> Iterator[str]:
    """What was asked for and changes nothing in a file, in words."""
    if antialiased and (method is not None or options.weights is not None):
        asked = "the weights" if method is None else METHODS[method].title
        yield f"below x1 the antialiased picture stands for {asked}"
    if options.pixel_sigma is not None and not getattr(drawing, "has_footprint", False):
        yield "a pixel's footprint is for fields of Gaussians: it changes nothing here"


class _File:
    """One output on its way: strips are drawn from top to bottom, one is compressed while the next is drawn."""

    def __init__(
        self,
        out: str | os.PathLike[str],
        drawing: Drawing,
        scale: tuple[float, float],
        region: Region | None,
        bits: int,
        among: int,
    ) -> None:
        self.out, self.drawing, self.bits = Path(out), drawing, bits
        self.viewport = viewport_of(drawing.extent, scale, region)
        self._flatten = drawing.channels == 4 and not _holds_alpha(out)
        width, height = self.viewport.size
        if width > WIDEST:
            raise UserError(
                f"{self.out.name} would be {width:,} pixels wide, more than the {WIDEST:,} that are drawn at most: choose "
                "a smaller scale or region."
            )
        self._strips = strip_bounds(width, height, drawing.channels * among)
        self._next = next(self._strips, None)
        self._pending: Future[object] | None = None

    def __enter__(self) -> _File:
        from gaussian_core.writing.image_writer import ImageWriter

        width, height = self.viewport.size
        channels = 3 if self._flatten else self.drawing.channels
        with ExitStack() as stack:
            self._writer = stack.enter_context(
                ImageWriter(self.out, width, height, channels, bits=self.bits)
            )
            self._writing = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="writer"))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.__exit__(*error)

    @property
    def next_top(self) -> float:
        """Where the next strip begins, source pixels; infinity when all are drawn."""
        if self._next is None:
            return math.inf
        return self.viewport.origin[1] + self._next[0] / self.viewport.scale[1]

    def draw(self, stop: Stop | None) -> int:
        """Draw the next strip; its number of rows."""
        assert self._next is not None
        top, rows = self._next
        strip = self.drawing.draw(self.viewport.part(0, top, self.viewport.size[0], rows), stop)
        strip = over(strip, PAPER_WHITE) if self._flatten else _straight_alpha(strip)
        self.finish()  # never more than two strips exist
        self._pending = self._writing.submit(self._writer.write_rows, strip)
        self._next = next(self._strips, None)
        return rows

    def finish(self) -> None:
        """Wait until what was drawn is written. Raises OutputError."""
        if self._pending is not None:
            self._pending.result()
            self._pending = None

    def rendered(self, notes: Sequence[str], damage: str) -> Rendered:
        if self._flatten:
            notes = [*notes, f"{self.out.suffix} holds no transparency: laid on white"]
        viewport, weights = self.viewport, getattr(self.drawing, "weights", "")
        return Rendered(self.out, viewport.size, viewport.scale, tuple(notes), damage, str(weights))


def strip_bounds(width: int, height: int, channels: int) -> Iterator[tuple[int, int]]:
    """(top, rows) of the strips that a picture of width x height is drawn in."""
    rows = max(1, STRIP_BYTES // (width * channels * 4))
    for top in range(0, height, rows):
        yield top, min(rows, height - top)


def open_source(
    source: str | os.PathLike[str] | PictureSource | GaussianField,
    method: str | None,
    options: Options,
    scale: tuple[float, float],
    forgiving: bool,
) -> tuple[PictureSource | None, Drawing]:
    """The picture, None for a field, and what draws it at that scale: below 1 the antialiased picture.

    Raises ValueError for what is no source, UserError for what does not go together, ImageError, FieldError,
    WeightsError, DeviceError.
    """
    from gaussian_core.field import GaussianField
    from gaussian_core.images import PictureSource, open_picture

    if method is not None and not check_name(method).takes_weights and options.weights is not None:
        raise UserError(f"{method} takes no weights: leave --method out, or --weights.")
    if not isinstance(source, GaussianField | PictureSource):
        if not isinstance(source, str | os.PathLike):
            raise ValueError(
                "a file is drawn from a path, a picture (Picture.from_array makes one) or a field, not from a "
                f"{type(source).__name__}"
            )
        if is_field_file(source):
            source = GaussianField.open(source)
        else:
            source = open_picture(source, forgiving=forgiving)
            if forgiving:
                source.show_damage()
    if isinstance(source, GaussianField):
        from gaussian_core.methods.fields import FieldDrawing

        if method is not None:
            raise UserError("A field file is drawn as it is: --method is for pictures.")
        if options.weights is not None:
            raise UserError("A field file is drawn as it is: --weights is for pictures.")
        return None, FieldDrawing(source, options)
    if _antialiased(method, scale):
        if options.weights is not None:
            method_of_weights(options.weights)  # unusable ones are an error here too
        return source, open_drawing(source, "bicubic", options)
    return source, open_drawing(source, method, options)


def _antialiased(method: str | None, scale: tuple[float, float]) -> bool:
    """Whether at that scale the antialiased picture is drawn in the place of the method, None: of a learned one."""
    return max(scale) < 1 and not (method and METHODS[method].interpolates)


def _told(sx: float, sy: float) -> str:
    return " and ".join(dict.fromkeys(f"{s:g}" for s in (sx, sy)))


def checked_scales(scale: Scale) -> tuple[float, float]:
    """(sx, sy). Raises UserError for a scale that nothing is drawn at."""
    sx, sy = both_axes(scale)
    if not all(math.isfinite(s) and s > 0 for s in (sx, sy)):
        raise UserError(f"The scale must be a positive number, got {_told(sx, sy)}.")
    if min(sx, sy) < LEAST_SCALE or max(sx, sy) > MOST_SCALE:
        raise UserError(
            f"The scale must lie between {LEAST_SCALE:g} and {MOST_SCALE:g}, got {_told(sx, sy)}."
        )
    return sx, sy


def checked_region(region: Region | None) -> Region | None:
    """As floats, of any sequence of four numbers. Raises UserError for anything else."""
    if region is None:
        return None
    try:
        x, y, width, height = map(float, region)
    except (TypeError, ValueError):
        raise UserError(
            f"A region is (x, y, width, height) in source pixels, not {region}."
        ) from None
    return x, y, width, height


def viewport_of(
    extent: tuple[int, int], scale: tuple[float, float], region: Region | None
) -> Viewport:
    """The whole region, None: the picture of that extent, on a whole number of pixels a side. Raises UserError for one
    that does not lie inside the picture, or has so little of a pixel that nothing can be drawn of it."""
    height, width = extent
    x, y, w, h = region or (0.0, 0.0, float(width), float(height))
    inside = x >= 0 and y >= 0 and w > 0 and h > 0 and x + w <= width and y + h <= height
    if not inside:  # NaN comes here too
        raise UserError(
            f"The region {x:g},{y:g},{w:g},{h:g} does not lie inside the picture of {width}x{height} pixels; "
            "it is X,Y,WIDTH,HEIGHT in source pixels."
        )
    size = (max(1, round(w * scale[0])), max(1, round(h * scale[1])))
    drawn = size[0] / w, size[1] / h
    if max(drawn) > MOST_SCALE:
        raise UserError(
            f"The region {x:g},{y:g},{w:g},{h:g} is too small to be drawn: choose a larger one."
        )
    return Viewport((x, y), drawn, size)


def _holds_alpha(out: str | os.PathLike[str]) -> bool:
    return Path(out).suffix.lower() in (".png", ".tif", ".tiff", ".webp")


def _straight_alpha(rows: Rows) -> Rows:
    """Premultiplied RGBA as files hold it: colour by itself, black where nothing is left of it. In place."""
    if rows.shape[2] == 4:
        alpha = np.clip(rows[..., 3:], 0, 1, out=rows[..., 3:])
        np.divide(rows[..., :3], alpha, out=rows[..., :3], where=alpha > 0)
        rows[..., :3] *= alpha > 0
    return rows
