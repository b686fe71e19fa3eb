"""What is at a point of a view: the picture's value and the field's."""

from __future__ import annotations

from dataclasses import dataclass

from gaussian_core.viewport import Viewport
from viewer.model.frames.frame_renderer import FIELD_FROM, footprint
from viewer.model.frames.scene import Key, Scene

Value = tuple[float, ...]
"""RGB or grey, with alpha as another one."""


@dataclass(frozen=True)
class Probe:
    """Values at a source point, alpha straight; None where there is none.

    source: of the source pixel that holds the point, in [0, 1]. field: there, seen through one device pixel at the
    view's scale, not clipped; None also where it is not built.
    """

    generation: int
    point: tuple[float, float]
    source: Value | None
    field: Value | None


def probe(scene: Scene, scale: float, point: tuple[float, float]) -> Probe:
    """Both values at a source point (x, y) as it is seen at a scale. Not for the GUI thread: it draws a pixel.

    About 0.1 ms with the kernels warm; the field is left out before they are, so that this never waits for them.
    """
    x, y = point
    source, field = None, None
    if 0 <= x < scene.extent[1] and 0 <= y < scene.extent[0]:
        if scene.picture is not None:
            source = scene.picture.value_at(x, y)
        field = _field_value(scene, scale, x, y)
    if field is not None and len(field) == 4:
        field = _straight(field)
    return Probe(scene.generation, point, source, field)


def _straight(value: Value) -> Value:
    """Premultiplied RGB and alpha with the alpha divided out."""
    alpha = value[3]
    return (*(v / alpha if alpha > 1e-6 else 0.0 for v in value[:3]), alpha)


def _shown(scene: Scene, scale: float, key: Key, x: float, y: float) -> bool:
    """Whether a frame has the field at a point of a tile; below 100 %, where none has, whether nothing of it is missing
    in what a pixel sees, which reaches far there."""
    if scale < FIELD_FROM:
        return scene.drawable(key)
    return any(x0 <= x < x1 and y0 <= y < y1 for x0, y0, x1, y1 in scene.field_rects(key))


def _field_value(scene: Scene, scale: float, x: float, y: float) -> Value | None:
    from gaussian_core import rasterizer

    if not rasterizer.is_warm() or not scene.tiles:
        return None
    at = (x, y, x, y)
    if scene.grid is not None:
        at = (x, y, x + 1e-6, y + 1e-6)  # a rectangle of no size touches no tile
        key = next(iter(scene.grid.keys_in(at)), None)
        if key is None or not _shown(scene, scale, key, x, y):
            return None
    fields = scene.fields_reaching(at)
    pixel = Viewport((x - 0.5 / scale, y - 0.5 / scale), scale, (1, 1))
    value = rasterizer.rasterize(fields, pixel, pixel_sigma=footprint(scene, fields, scale))
    return tuple(float(v) for v in value[0, 0])
