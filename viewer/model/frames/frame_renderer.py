"""Renders one frame: the antialiased picture below 100 %, the Gaussian field from 100 % up."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gaussian_core.parallel import Stop, run_strips
from gaussian_core.viewport import Viewport
from viewer.model.frames.frame import Columns, Frame, seen_rect
from viewer.model.frames.scene import Scene
from viewer.model.pixel_rects import PixelRect, common, is_empty, joined, without
from viewer.model.view.view_state import ViewState

if TYPE_CHECKING:
    from gaussian_core.field import GaussianField

Allocate = Callable[[int, int], NDArray[np.uint8]]
ShowRows = Callable[[Frame], None]

FIELD_FROM = 1.0 - 1e-9
"""The scale from which the field is drawn: below it there is nothing between the pixels to show."""

ROUNDING = 1e-6
"""Device pixels that places in a view are off by, at most."""

MIN_BAND = 32
"""Rows of a band, at least: what reaches into two bands is set up in both."""

GREY_ROWS = 16
"""Rows at a time that are laid on grey: what NumPy makes on the way stays in the cache."""

PICTURE_PREVIEW_BELOW = 4.0
"""The scale up to which a coarse frame is the picture, resampled: what a frame of the field costs there goes by the
number of Gaussians and hardly by the number of pixels."""


def render_frame(
    scene: Scene,
    view: ViewState,
    level: int = 1,
    stop: Stop | None = None,
    allocate: Allocate | None = None,
    bands: Sequence[tuple[int, int]] | None = None,
    show: ShowRows | None = None,
    columns: Columns | None = None,
) -> Frame | None:
    """Render what `view` shows of the scene at 1/level of its resolution per axis.

    From 100 % up the tiles that are built show the field, to a little before neighbours that are
    not, and the rest the resampled picture, split to the pixel. None when the picture is out of
    view. Between 100 % and PICTURE_PREVIEW_BELOW a coarse frame is the resampled picture, in full
    resolution. Raises gaussian_core.errors.Cancelled when `stop` says so between tiles.

    bands: rows of the frame (first, one past the last) to render one after the other, such that those rendered so far
    are always neighbours; after each but the last `show` gets a frame of these rows, in the same memory.

    columns: no more than these of the view; None when the picture is not in them.
    """
    began = time.perf_counter()
    rect = seen_rect(view, columns)
    preview = level > 1 and previewed_by_picture(scene, view)
    viewport = picture_viewport(view, 1 if preview else level, columns)
    if viewport is None:
        return None
    width, height = viewport.size
    out = (allocate or _allocate)(width, height)
    parts = [((0, 0, width, height), False)] if preview else split(scene, view, viewport)
    field_area = 0
    backend = "picture"

    def frame(first: int, end: int) -> Frame:
        return Frame(
            bgrx=out[first:end],
            view=view,
            rect=(rect[0], rect[1] + first, rect[2], rect[1] + end) if bands else rect,
            level=level,
            ms=(time.perf_counter() - began) * 1e3,
            backend=backend,
            generation=scene.generation,
            revision=scene.revision,
            field_share=field_area / (width * height),
            plain=scene.plain if scene.transparent else None,
        )

    first, end = height, 0  # the rows that are rendered
    for low, high in bands or [(0, height)]:
        for piece, from_field in parts:
            left, top, right, bottom = common(piece, (0, low, width, high))
            if bottom <= top or right <= left:
                continue
            part = viewport.part(left, top, right - left, bottom - top)
            target = out[top:bottom, left:right]
            if from_field:
                field_area += (right - left) * (bottom - top)
                backend = _rasterize(scene, part, target, level, stop)
            else:
                _resample(scene, part, target, stop)
        first, end = min(first, low), max(end, high)
        if show is not None and (first, end) != (0, height):
            show(frame(first, end))
    return frame(0, height)


def bands_about(row: float, height: int, count: int) -> list[tuple[int, int]]:
    """`count` bands of a frame's rows, about: first the one about a row, then outwards, above and below in turn."""
    size = max(MIN_BAND, math.ceil(height / max(count, 1)))
    low = min(max(round(row) - size // 2, 0), max(height - size, 0))
    high = min(low + size, height)
    bands = [(low, high)]
    while low > 0 or high < height:
        if high < height:
            bands.append((high, min(high + size, height)))
            high = bands[-1][1]
        if low > 0:
            bands.append((max(low - size, 0), low))
            low = bands[-1][0]
    return bands


def picture_viewport(
    view: ViewState, level: int = 1, columns: Columns | None = None
) -> Viewport | None:
    """The viewport of the canvas's pixels that show the picture, in those columns; None when there are none.

    At level n it covers the same rectangle with 1/n of the pixels per axis (rounded up, which makes
    the scale a little larger than 1/n): none of them reaches over the picture's edge.
    """
    left, top, right, bottom = seen_rect(view, columns)
    if right <= left or bottom <= top:
        return None
    x, y = view.to_source(left, top)
    size = (math.ceil((right - left) / level), math.ceil((bottom - top) / level))
    scale_x = view.scale if level == 1 else view.scale * size[0] / (right - left)
    scale_y = view.scale if level == 1 else view.scale * size[1] / (bottom - top)
    # A picture thinner than a device pixel still shows as one: put the pixel's centre on it.
    if view.extent[1] * scale_x < 1.0 and size[0] == 1:
        x = view.extent[1] / 2 - 0.5 / scale_x
    if view.extent[0] * scale_y < 1.0 and size[1] == 1:
        y = view.extent[0] / 2 - 0.5 / scale_y
    return Viewport((x, y), (scale_x, scale_y), size)


def previewed_by_picture(scene: Scene, view: ViewState) -> bool:
    """Whether a coarse frame of this view of the field is the picture, resampled."""
    field_shown = bool(scene.tiles) and scene.drawing is None
    return (
        field_shown
        and scene.pyramid is not None
        and FIELD_FROM <= view.scale < PICTURE_PREVIEW_BELOW
    )


def split(scene: Scene, view: ViewState, viewport: Viewport) -> list[tuple[PixelRect, bool]]:
    """Disjoint pixel rectangles that cover the viewport, each with whether the field is drawn.

    The decision goes by the view's scale, not by the viewport's: a coarse frame shows the same
    parts as the full one that follows it.
    """
    width, height = viewport.size
    whole = (0, 0, width, height)
    if scene.drawing is not None:
        return [(whole, view.scale >= FIELD_FROM or not scene.replaced_from_afar)]
    if scene.pyramid is None:
        return [(whole, True)]
    if view.scale < FIELD_FROM or not scene.tiles:
        return [(whole, False)]
    if scene.grid is None:
        return [(whole, True)]
    keys = list(scene.grid.keys_in(viewport.source_rect))
    if all(scene.drawable(key) for key in keys):
        return [(whole, bool(keys))]
    drawn: list[PixelRect] = []
    rest: list[PixelRect] = []
    for key in keys:
        rect = _tile_pixels(viewport, scene.grid.rect(key), scene.extent)
        if is_empty(rect):
            continue
        ready = [
            common(rect, _tile_pixels(viewport, part, scene.extent))
            for part in scene.field_rects(key)
        ]
        ready = [part for part in ready if not is_empty(part)]
        drawn += ready
        rest += without([rect], ready)
    return [(rect, False) for rect in joined(rest)] + [(rect, True) for rect in joined(drawn)]


def _tile_pixels(
    viewport: Viewport, rect: tuple[float, float, float, float], extent: tuple[int, int]
) -> PixelRect:
    """The viewport's pixels whose centres lie in a tile. Tiles at the picture's edge have the rest."""
    width, height = viewport.size
    x0, y0, x1, y1 = rect
    u0, v0 = viewport.to_device(x0, y0)
    u1, v1 = viewport.to_device(x1, y1)
    return (
        _first_pixel(u0, width) if x0 > 0 else 0,
        _first_pixel(v0, height) if y0 > 0 else 0,
        _first_pixel(u1, width) if x1 < extent[1] else width,
        _first_pixel(v1, height) if y1 < extent[0] else height,
    )


def _first_pixel(u: float, size: int) -> int:
    # A pixel whose centre lies on the edge belongs to the tile after it, however the view's origin is rounded: a
    # panned view is put together from pieces that decide for themselves.
    return min(max(math.ceil(u - 0.5 - ROUNDING), 0), size)


def _rasterize(
    scene: Scene, viewport: Viewport, target: NDArray[np.uint8], level: int, stop: Stop | None
) -> str:
    from gaussian_core import rasterizer

    if scene.drawing is not None:
        if _plain(scene):
            _lay_on_grey(scene.drawing.draw(viewport, stop), target)
        else:
            target[...] = _drawn(scene, viewport, level, stop)
        return _backend_name()  # networks run where frames are drawn
    fields = scene.fields_reaching(viewport.source_rect)
    sigma = footprint(scene, fields, min(viewport.scale))
    _into(target, rasterizer.rasterize, fields, viewport, stop, _plain(scene), pixel_sigma=sigma)
    return rasterizer.last_backend()


def footprint(scene: Scene, fields: Sequence[GaussianField], scale: float) -> float:
    """Standard deviation of the pixels' footprint that the scene is seen by at a scale, device pixels."""
    from gaussian_core.footprint import footprint_of
    from gaussian_core.rasterizer import PIXEL_SIGMA

    if scene.pixel_sigma is not None:
        return scene.pixel_sigma
    return footprint_of(fields[0], scale) if fields else PIXEL_SIGMA


def _drawn(scene: Scene, viewport: Viewport, level: int, stop: Stop | None) -> NDArray[np.uint8]:
    from gaussian_core.display import CHECKER_SIZE, to_bgrx
    from gaussian_core.lattice import lattice_corner

    (x, _), (y, _) = lattice_corner(viewport)
    # What is coarse is seen for seconds: squares as large as they will be then, beside those of the other side.
    square = max(1, CHECKER_SIZE // level)
    return to_bgrx(scene.drawing.draw(viewport, stop), (x, y), square)


def _resample(
    scene: Scene, viewport: Viewport, target: NDArray[np.uint8], stop: Stop | None
) -> None:
    from gaussian_core.resampling import resample

    _into(target, resample, scene.pyramid, viewport, stop, _plain(scene), method=scene.resampling)


def _into(
    target: NDArray[np.uint8],
    render: Callable[..., Any],
    source: Any,
    viewport: Viewport,
    stop: Stop | None,
    plain: bool,
    **options: Any,
) -> None:
    """Render as BGRX bytes into `target`, directly where its memory is contiguous. plain: on grey."""
    if plain:
        _lay_on_grey(render(source, viewport, stop=stop, **options), target)
    elif target.flags.c_contiguous:
        render(source, viewport, format="bgrx8", out=target, stop=stop, **options)
    else:
        target[...] = render(source, viewport, format="bgrx8", stop=stop, **options)


def _plain(scene: Scene) -> bool:
    return scene.plain and scene.transparent


def _lay_on_grey(values: NDArray[np.float32], target: NDArray[np.uint8]) -> None:
    """Premultiplied RGB and alpha (h, w, 4), laid on what the squares are in the mean, as BGRX bytes."""
    from gaussian_core.display import CHECKER_DARK, CHECKER_LIGHT, over, to_bgrx

    grey = (CHECKER_DARK + CHECKER_LIGHT) / 2

    def strip(number: int) -> None:
        rows = slice(number * GREY_ROWS, (number + 1) * GREY_ROWS)
        target[rows] = to_bgrx(over(values[rows], grey))

    run_strips(strip, math.ceil(len(values) / GREY_ROWS))


def _backend_name() -> str:
    from gaussian_core.rasterizer import cuda

    return "cuda" if cuda.chosen() else "cpu"


def _allocate(width: int, height: int) -> NDArray[np.uint8]:
    return np.empty((height, width, 4), np.uint8)
