"""Kernel interpolation of a picture's tiles, one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gaussian_core import kernel_interpolation as ki
from gaussian_core.errors import DeviceError
from gaussian_core.field import GaussianField, origin_near

if TYPE_CHECKING:
    from gaussian_core.builder import PictureLike, Rect
    from gaussian_core.parallel import Stop


class KernelTiles:
    """A builder.TileMethod: one Gaussian a source pixel. Raises DeviceError for other devices than the CPU."""

    def __init__(self, picture: PictureLike, device: str) -> None:
        if device not in ("auto", "cpu"):
            raise DeviceError(
                f"Kernel interpolation is built on the CPU, not on {device!r}: use --device cpu."
            )
        self.picture = picture

    def build(self, rect: Rect, stop: Stop | None = None) -> GaussianField:
        height, width = self.picture.extent
        x0, y0, x1, y1 = rect
        left, top = origin = origin_near(x0, y0)
        # At the borders of the picture the mirrored Gaussians outside it belong to the tile.
        x0 -= ki.GHOSTS * (x0 == 0)
        y0 -= ki.GHOSTS * (y0 == 0)
        x1 += ki.GHOSTS * (x1 == width)
        y1 += ki.GHOSTS * (y1 == height)
        columns = ki.mirrored(x0 - ki.RADIUS, x1 + ki.RADIUS, width)
        lines = ki.mirrored(y0 - ki.RADIUS, y1 + ki.RADIUS, height)
        first, above = int(columns.min()), int(lines.min())
        source = self.picture.as_float((first, above, int(columns.max()) + 1, int(lines.max()) + 1))
        padded = source[lines - above][:, columns - first]
        own = (x0 - left, y0 - top, x1 - left, y1 - top)
        rows = ki.interpolate_rect(padded, (own[0] - ki.RADIUS, own[1] - ki.RADIUS), own)
        return GaussianField.from_rows(rows, self.picture.extent, {"method": "kernel"}, origin)
