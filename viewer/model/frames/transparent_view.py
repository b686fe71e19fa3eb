"""What a view shows of a picture with transparency, with its alpha and not over the checkerboard."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gaussian_core.parallel import Stop
from viewer.model.frames.frame_renderer import footprint, picture_viewport, split
from viewer.model.frames.scene import Scene
from viewer.model.view.view_state import ViewState


def transparent_view(
    scene: Scene, view: ViewState, stop: Stop | None = None
) -> NDArray[np.uint8] | None:
    """(h, w, 4) bytes, premultiplied, in the order of QImage.Format_ARGB32: of the canvas's pixels that show the
    picture (ViewState.picture_rect), as an exact frame shows them. None where it is out of view. Raises Cancelled."""
    from gaussian_core.rasterizer import rasterize
    from gaussian_core.resampling import resample

    viewport = picture_viewport(view)
    if viewport is None:
        return None
    width, height = viewport.size
    out = np.empty((height, width, 4), np.uint8)
    for (left, top, right, bottom), from_field in split(scene, view, viewport):
        part = viewport.part(left, top, right - left, bottom - top)
        if not from_field:
            values = resample(scene.pyramid, part, method=scene.resampling, stop=stop)  # type: ignore[arg-type]
        elif scene.drawing is not None:
            values = scene.drawing.draw(part, stop)
        else:
            fields = scene.fields_reaching(part.source_rect)
            sigma = footprint(scene, fields, view.scale)
            values = rasterize(fields, part, pixel_sigma=sigma, stop=stop)
        out[top:bottom, left:right] = _premultiplied_bytes(values)
    return out


def _premultiplied_bytes(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Rounded to nearest, no colour beyond 0 .. alpha, as `gaussian_core.display` has it."""
    values = np.nan_to_num(values)
    opaque = values.shape[2] < 4
    alpha = np.ones_like(values[..., :1]) if opaque else np.clip(values[..., 3:], 0, 1)
    out = np.empty((*values.shape[:2], 4), np.uint8)
    out[..., :3] = (np.clip(values[..., :3], 0, alpha) * 255 + 0.5).astype(np.uint8)[..., ::-1]
    out[..., 3:] = (alpha * 255 + 0.5).astype(np.uint8)
    return out
