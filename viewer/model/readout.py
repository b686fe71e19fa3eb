"""What is under the cursor: the picture's value and the field's, at one point."""

from __future__ import annotations

from dataclasses import dataclass

from gaussian_core.viewport import Viewport
from viewer.model.frame_renderer import footprint
from viewer.model.scene import Scene


@dataclass(frozen=True)
class Readout:
    """Values at a source point.

    x, y: source coordinates. source: the source pixel that holds the point, in [0, 1], None off the
    picture or without one. field: the field there, seen through one device pixel at the view's
    scale (not clipped), None where it is not built. Both RGB (or grey), with alpha as a fourth.
    """

    x: float
    y: float
    source: tuple[float, ...] | None
    field: tuple[float, ...] | None


def read_point(scene: Scene, scale: float, x: float, y: float) -> Readout:
    """Read both values at the source point (x, y) as it is seen at `scale`.

    About 0.1 ms with the kernels warm; the field is left out before they are, so that this never
    waits for them. Callers throttle it to about 30 Hz.
    """
    source = None
    inside = 0 <= x < scene.extent[1] and 0 <= y < scene.extent[0]
    if scene.picture is not None and inside:
        source = scene.picture.value_at(x, y)
    return Readout(x, y, source, _field_value(scene, scale, x, y) if inside else None)


def _field_value(scene: Scene, scale: float, x: float, y: float) -> tuple[float, ...] | None:
    from gaussian_core import rasterizer

    if not rasterizer.is_warm() or not scene.tiles:
        return None
    point = (x, y, x, y)
    if scene.grid is not None:
        key = next(iter(scene.grid.keys_in((x, y, x + 1e-6, y + 1e-6))), None)
        if key is None or not scene.drawable(key):
            return None
    fields = scene.fields_reaching(point if scene.grid is None else (x, y, x + 1e-6, y + 1e-6))
    pixel = Viewport((x - 0.5 / scale, y - 0.5 / scale), scale, (1, 1))
    value = rasterizer.rasterize(fields, pixel, pixel_sigma=footprint(scene, fields, scale))
    return tuple(float(v) for v in value[0, 0])
