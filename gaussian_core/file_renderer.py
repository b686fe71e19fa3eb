"""Draw a picture or a field into an image file, of any size, in bounded memory.

The output is made in strips from top to bottom. Of a picture's field only the tiles that a strip can see exist at a
time, and finished rows go to the writer while the next strip is drawn: memory follows the width of the output, not its
area.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from gaussian_core.errors import Cancelled, FieldError, UserError
from gaussian_core.footprint import footprint_of
from gaussian_core.viewport import Viewport

if TYPE_CHECKING:
    from gaussian_core.builder import Precision
    from gaussian_core.field import GaussianField
    from gaussian_core.images import Picture
    from gaussian_core.resampling import Method

Rect = tuple[float, float, float, float]
Rows = NDArray[np.float32]
Stop = Callable[[], bool]
Progress = Callable[[int, int], object]

FIELD_SUFFIX = ".safetensors"
STRIP_BYTES = 32 << 20
"""Float rows drawn at a time: large enough to keep every core busy, small beside a picture."""

PAPER_WHITE = 1.0
"""What shows through a transparent picture in a format without alpha."""


@dataclass(frozen=True)
class Rendered:
    """What was written. size: (width, height), pixels. scale: (sx, sy) as drawn. notes: what the user should know."""

    path: Path
    size: tuple[int, int]
    scale: tuple[float, float]
    notes: tuple[str, ...] = ()


def render_file(
    source: str | os.PathLike[str] | Picture | GaussianField,
    out: str | os.PathLike[str],
    scale: float | tuple[float, float],
    *,
    method: str | None = None,
    device: str = "auto",
    region: Rect | None = None,
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
    method: a field's ("kernel") or an interpolation's name ("bicubic" ...); None is the default field. With both
        scales below 1 a picture's field is not needed: the antialiased picture is drawn.
    region: (x, y, width, height) in source pixels, inside the picture; None is all of it.
    bits: 8 or 16 a channel (16: PNG and TIFF).
    pixel_sigma: standard deviation of a pixel's footprint, device pixels; None is what the field was made for (0.3, or
        0 with the authors' weights).
    weights: a file of weights of ContinuousSR or LIIF to draw the picture with, in place of a method; precision: what
        the authors' are computed in.
    progress: called with (rows done, rows in all). stop: polled between tiles; true raises Cancelled.

    Transparency is kept where the format can hold it; elsewhere the picture is laid on white, and a note says so.
    Raises ImageError, FieldError, OutputError, DeviceError, WeightsError, UserError (method, scale or region).
    """
    from gaussian_core.image_writer import ImageWriter

    if pixel_sigma is not None and not 0 <= pixel_sigma <= 10:
        raise UserError(f"A pixel's footprint is 0 to 10 pixels wide, got {pixel_sigma:g}.")
    choice = Choice(method, device, pixel_sigma, weights, precision)
    drawing = _open(source, choice, _scales(scale))
    viewport = _viewport(drawing.extent, _scales(scale), region)
    width, height = viewport.size
    flatten = drawing.channels == 4 and not _holds_alpha(out)
    notes = list(drawing.notes)
    if flatten:
        notes.append(f"{Path(out).suffix} holds no transparency: laid on white")
    channels = 3 if flatten else drawing.channels

    if progress is not None:
        progress(0, height)
    with (
        ImageWriter(out, width, height, channels, bits=bits) as writer,
        ThreadPoolExecutor(1, thread_name_prefix="writer") as writing,
    ):
        # One strip is compressed while the next is drawn; never more than two exist.
        pending: Future[object] | None = None
        for top, rows in strip_bounds(width, height, drawing.channels):
            strip = drawing.draw(viewport.part(0, top, width, rows), stop)
            strip = _on_white(strip) if flatten else _straight_alpha(strip)
            if pending is not None:
                pending.result()
            pending = writing.submit(writer.write_rows, strip)
            if progress is not None:
                progress(top + rows, height)
        if pending is not None:
            pending.result()
        if stop is not None and stop():
            raise Cancelled("stopped before the file was finished")
    return Rendered(Path(out), (width, height), viewport.scale, tuple(notes))


def strip_bounds(width: int, height: int, channels: int) -> Iterator[tuple[int, int]]:
    """(top, rows) of the strips that a picture of width x height is drawn in."""
    rows = max(1, STRIP_BYTES // (width * channels * 4))
    for top in range(0, height, rows):
        yield top, min(rows, height - top)


@dataclass(frozen=True)
class Choice:
    """How a picture is drawn, as render_file takes it."""

    method: str | None
    device: str
    pixel_sigma: float | None
    weights: str | os.PathLike[str] | None
    precision: Precision


class Drawing(Protocol):
    """Something that can be drawn part by part. draw: (h, w, channels) float32, four channels premultiplied."""

    extent: tuple[int, int]
    channels: int
    notes: tuple[str, ...]

    def draw(self, viewport: Viewport, stop: Stop | None) -> Rows: ...


class FieldDrawing:
    """A field that is there already."""

    notes: tuple[str, ...] = ()

    def __init__(self, field: GaussianField, backend: str, pixel_sigma: float | None) -> None:
        if field.channels not in (1, 3, 4):
            raise FieldError(
                f"The field has {field.channels} channels; a picture needs 1 (grey), 3 (RGB) or 4 (RGB and alpha)."
            )
        self.extent = field.extent
        self.channels = field.channels
        self._field = field
        sigma = footprint_of(field) if pixel_sigma is None else pixel_sigma
        self._options: dict[str, Any] = {"backend": backend, "pixel_sigma": sigma}

    def draw(self, viewport: Viewport, stop: Stop | None) -> Rows:
        from gaussian_core.rasterizer import rasterize

        return rasterize(self._field, viewport, stop=stop, **self._options)


class TiledDrawing:
    """A picture's field, built tile by tile as the strips come down and dropped behind them."""

    def __init__(self, picture: Picture, method: str, choice: Choice) -> None:
        from gaussian_core.builder import FieldBuilder

        self.extent = picture.extent
        self.channels = 3 if picture.alpha is None else 4
        self.notes = _notes(picture)
        self._builder = FieldBuilder(
            picture,
            method,
            choice.device,
            weights=choice.weights,
            precision=choice.precision,
        )
        self._tiles: dict[Hashable, GaussianField] = {}
        self._choice = choice

    def draw(self, viewport: Viewport, stop: Stop | None) -> Rows:
        from gaussian_core.rasterizer import rasterize

        keys = self._reaching(viewport.source_rect)
        # Strips only move down: what this one does not need, no later one will.
        self._tiles = {key: tile for key, tile in self._tiles.items() if key in keys}
        for key in keys:
            if key not in self._tiles:
                self._tiles[key] = self._builder.build_tile(key, stop)
        fields = [self._tiles[key] for key in keys]
        given = self._choice.pixel_sigma
        sigma = footprint_of(fields[0]) if given is None else given
        backend = cast("Any", self._choice.device)
        return rasterize(fields, viewport, pixel_sigma=sigma, backend=backend, stop=stop)

    def _reaching(self, rect: Rect) -> list[Any]:
        grid = self._builder.grid
        keys: dict[Any, None] = {}
        for key in grid.keys_in(rect):
            keys[key] = None
            keys.update(dict.fromkeys(grid.neighbours(key)))
        return list(keys)


class ResampledDrawing:
    """The picture itself, interpolated; antialiased where it shrinks."""

    def __init__(self, picture: Picture, method: str) -> None:
        from gaussian_core.pyramid import Pyramid

        self.extent = picture.extent
        self.channels = 3 if picture.alpha is None else 4
        self.notes = _notes(picture)
        self._method = cast("Method", method)
        self._pyramid = Pyramid(picture)

    def draw(self, viewport: Viewport, stop: Stop | None) -> Rows:
        from gaussian_core.resampling import resample

        return resample(self._pyramid, viewport, method=self._method, stop=stop)


def _open(
    source: str | os.PathLike[str] | Picture | GaussianField,
    choice: Choice,
    scale: tuple[float, float],
) -> Drawing:
    from gaussian_core.builder import DEFAULT_METHOD, METHODS
    from gaussian_core.field import GaussianField
    from gaussian_core.images import Picture, open_picture
    from gaussian_core.resampling import METHODS as INTERPOLATIONS

    method = choice.method
    if method is not None and choice.weights is not None:
        raise UserError("The weights decide the method: leave --method out, or --weights.")
    if method is not None and method not in METHODS and method not in INTERPOLATIONS:
        known = ", ".join([*INTERPOLATIONS, *METHODS])
        raise UserError(f"There is no method {method!r}. Methods: {known}.")
    if not isinstance(source, GaussianField | Picture):
        is_field = Path(source).suffix.lower() == FIELD_SUFFIX
        source = GaussianField.open(source) if is_field else open_picture(source)
    if isinstance(source, GaussianField):
        if method is not None:
            raise UserError("A field file is drawn as it is: --method is for pictures.")
        if choice.weights is not None:
            raise UserError("A field file is drawn as it is: --weights is for pictures.")
        return FieldDrawing(source, choice.device, choice.pixel_sigma)
    if choice.weights is not None:
        from gaussian_core.models.published.drawing import liif_drawing

        drawing = liif_drawing(source, choice.weights, choice.device, choice.precision)
        if drawing is not None:
            return drawing
    chosen = method or DEFAULT_METHOD
    if chosen in INTERPOLATIONS:
        return ResampledDrawing(source, chosen)
    if max(scale) < 1:
        return ResampledDrawing(source, "bicubic")
    return TiledDrawing(source, chosen, choice)


def _scales(scale: float | tuple[float, float]) -> tuple[float, float]:
    sx, sy = (scale, scale) if isinstance(scale, int | float) else scale
    if not all(math.isfinite(s) and s > 0 for s in (sx, sy)):
        raise UserError(f"The scale must be a positive number, got {sx:g} and {sy:g}.")
    return float(sx), float(sy)


def _viewport(extent: tuple[int, int], scale: tuple[float, float], region: Rect | None) -> Viewport:
    """The whole region on a whole number of pixels a side."""
    height, width = extent
    x, y, w, h = region or (0.0, 0.0, float(width), float(height))
    inside = x >= 0 and y >= 0 and w > 0 and h > 0 and x + w <= width and y + h <= height
    if not inside:  # NaN comes here too
        raise UserError(
            f"The region {x:g},{y:g},{w:g},{h:g} does not lie inside the picture of {width}x{height} pixels; "
            "it is X,Y,WIDTH,HEIGHT in source pixels."
        )
    size = (max(1, round(w * scale[0])), max(1, round(h * scale[1])))
    return Viewport((x, y), (size[0] / w, size[1] / h), size)


def _notes(picture: Picture) -> tuple[str, ...]:
    return (picture.note,) if picture.note else ()


def _holds_alpha(out: str | os.PathLike[str]) -> bool:
    return Path(out).suffix.lower() in (".png", ".tif", ".tiff", ".webp")


def _straight_alpha(rows: Rows) -> Rows:
    """Premultiplied RGBA as files hold it: colour by itself, black where nothing is left of it. In place."""
    if rows.shape[2] == 4:
        alpha = np.clip(rows[..., 3:], 0, 1, out=rows[..., 3:])
        np.divide(rows[..., :3], alpha, out=rows[..., :3], where=alpha > 0)
        rows[..., :3] *= alpha > 0
    return rows


def _on_white(rows: Rows) -> Rows:
    alpha = np.clip(rows[..., 3:], 0, 1)
    return rows[..., :3] + (1 - alpha) * np.float32(PAPER_WHITE)
