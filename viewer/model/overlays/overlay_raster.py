"""Draws centres, ellipse outlines and drifts into a transparent image, antialiased, off the GUI thread.

QPainter holds the GIL while it draws tens of thousands of curves (60 ms and more for 100,000), and
polylines are only nearly ellipses. The kernels release the GIL, evaluate the ellipse itself and
touch only the pixels near its outline.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gaussian_core.parallel import Stop, run_strips
from viewer.model.overlays import overlay_kernels
from viewer.model.overlays.overlay_geometry import OverlayGeometry

HALO = 0.6
"""Opacity of the dark (or for dark colours light) rim that keeps a mark legible on its own colour."""

HEAD = 2.0
"""Radius of the disc at a Gaussian that has drifted, logical pixels."""

STRIP = 64
"""Rows drawn as one piece of work."""


def draw_overlay(
    geometry: OverlayGeometry,
    size: tuple[int, int],
    ratio: float = 1.0,
    stop: Stop | None = None,
) -> NDArray[np.uint8]:
    """(height, width, 4) uint8 BGRA, premultiplied: QImage.Format_ARGB32_Premultiplied.

    size: (width, height) in device pixels. ratio: device pixels per logical pixel: lines and dots
    keep their apparent size on dense screens. Raises Cancelled when `stop`, polled between strips,
    says so.
    """
    width, height = size
    out = np.zeros((height, width, 4), np.uint8)
    crowd = math.sqrt(min(width * height, geometry.area) / max(1, len(geometry.points)))
    radius = min(max(0.17 * crowd, 0.75 * ratio), 3.0 * ratio)
    rings = (geometry.centres, geometry.shapes, geometry.ellipse_colours)
    ring_style = (np.float32(0.75 * ratio), np.float32(ratio), np.float32(HALO))
    lines = (geometry.lines, geometry.line_colours)
    # A line ends in a disc at the Gaussian, so that one sees which end is which.
    heads = (np.ascontiguousarray(geometry.lines[:, 2:]), geometry.line_colours)
    head = np.float32(HEAD * ratio)
    head_style = (head, np.float32(0.5) * head, np.float32(HALO))
    disc_style = (np.float32(radius), np.float32(min(ratio, 0.5 * radius)), np.float32(HALO))

    def strip(number: int) -> None:
        rows = (number * STRIP, min((number + 1) * STRIP, height))
        overlay_kernels.draw_rings(out, *rows, *rings, *ring_style)
        overlay_kernels.draw_lines(out, *rows, *lines, *ring_style)
        overlay_kernels.draw_discs(out, *rows, *heads, *head_style)
        overlay_kernels.draw_discs(out, *rows, geometry.points, geometry.point_colours, *disc_style)

    if len(geometry.centres) or len(geometry.points) or len(geometry.lines):
        run_strips(strip, -(-height // STRIP), stop)
    return out
