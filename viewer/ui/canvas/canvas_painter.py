"""Composes what the canvas shows, in device pixels: background, overview, newest frame, overlay."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QRegion

from viewer.model.frames.frame import Frame
from viewer.model.view.view_state import ViewState

Rect = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class Layer:
    """An image and where it lies on the source plane: (x0, y0, x1, y1) in source pixels."""

    image: QImage
    rect: Rect


def wrap_image(pixels: NDArray[np.uint8], image_format: QImage.Format) -> QImage:
    """A QImage over an (h, w, 4) uint8 array, without a copy; it keeps the array alive."""
    height, width = pixels.shape[:2]
    image = QImage(pixels.data, width, height, pixels.strides[0], image_format)
    image._pixels = pixels  # type: ignore[attr-defined]
    return image


def frame_layer(frame: Frame) -> Layer:
    """The frame's image and the part of the source plane that it covers."""
    left, top, right, bottom = frame.rect
    rect = (*frame.view.to_source(left, top), *frame.view.to_source(right, bottom))
    return Layer(wrap_image(frame.bgrx, QImage.Format.Format_RGB32), rect)


def compose(
    painter: QPainter,
    view: ViewState,
    background: QColor,
    overview: Layer | None,
    frame: Layer | None,
    overlay: Layer | None,
    rows: Layer | None = None,
    empty: QColor | None = None,
) -> None:
    """Paint a view; the painter's unit is the device pixel.

    The frame lies where its own view put it, under the transform from that view to this one; what
    it does not cover shows the overview. Both end at the picture's edge, which is pixel-aligned.
    rows: those of the next frame that are there already, on top of the frame. empty: where there is no frame and no
    overview of the picture; None: background.
    """
    canvas = QRect(0, 0, *view.size)
    left, top, right, bottom = view.picture_rect
    picture = QRect(left, top, max(0, right - left), max(0, bottom - top))
    outside = QRegion(canvas) - QRegion(picture)
    for rect in _rects(outside):
        painter.fillRect(rect, background)
    if picture.isEmpty():
        return
    uncovered = QRegion(picture)
    if frame is not None:
        uncovered -= QRegion(_covered(view, frame.rect).intersected(picture))
    if not uncovered.isEmpty():
        if overview is None:
            for rect in _rects(uncovered):
                painter.fillRect(rect, empty or background)
        else:
            for rect in _rects(uncovered):
                draw_layer(painter, view, overview, rect)
    if frame is not None:
        draw_layer(painter, view, frame, picture.intersected(_covered(view, frame.rect)))
    if rows is not None:
        draw_layer(painter, view, rows, picture.intersected(_covered(view, rows.rect)))
    if overlay is not None:
        # Marks under way to their next place need no smoothing, which costs 3 ms at 1080p.
        draw_layer(painter, view, overlay, canvas, smooth=False)


def draw_layer(
    painter: QPainter, view: ViewState, layer: Layer, clip: QRect, smooth: bool = True
) -> None:
    """Draw the part of a layer that falls into `clip` (device pixels): copied when it lies on the
    pixel grid at its own scale, else scaled, smoothly or quickly."""
    if clip.isEmpty():
        return
    x0, y0, x1, y1 = layer.rect
    u0, v0 = view.to_device(x0, y0)
    u1, v1 = view.to_device(x1, y1)
    image = layer.image
    width, height = image.width(), image.height()
    step_u, step_v = (u1 - u0) / width, (v1 - v0) / height
    left, top = round(u0), round(v0)
    if (
        abs(u1 - u0 - width) < 1e-3
        and abs(v1 - v0 - height) < 1e-3
        and abs(u0 - left) < 1e-3
        and abs(v0 - top) < 1e-3
    ):
        part = clip.intersected(QRect(left, top, width, height))
        painter.drawImage(part.topLeft(), image, part.translated(-left, -top))
        return
    # Only the image's pixels that reach the clip, on whole pixels: the mapping stays the same, and
    # no coordinate leaves the range of the raster engine however far a stale frame is magnified.
    k0 = max(0, math.floor((clip.left() - u0) / step_u) - 1)
    l0 = max(0, math.floor((clip.top() - v0) / step_v) - 1)
    k1 = min(width, math.ceil((clip.left() + clip.width() - u0) / step_u) + 1)
    l1 = min(height, math.ceil((clip.top() + clip.height() - v0) / step_v) + 1)
    if k1 <= k0 or l1 <= l0:
        return
    target = QRectF(u0 + k0 * step_u, v0 + l0 * step_v, (k1 - k0) * step_u, (l1 - l0) * step_v)
    painter.save()
    painter.setClipRect(clip, Qt.ClipOperation.IntersectClip)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
    painter.drawImage(target, image, QRectF(k0, l0, k1 - k0, l1 - l0))
    painter.restore()


def _rects(region: QRegion) -> list[QRect]:
    # PySide6 offers a region's rectangles by iteration only, and its type stubs do not know it.
    return list(region)  # type: ignore[call-overload]


def _covered(view: ViewState, rect: Rect) -> QRect:
    """The device pixels whose centres lie in a source rectangle, kept within the canvas."""
    u0, v0 = view.to_device(rect[0], rect[1])
    u1, v1 = view.to_device(rect[2], rect[3])
    width, height = view.size
    left, right = _first(u0, width), _first(u1, width)
    top, bottom = _first(v0, height), _first(v1, height)
    return QRect(left, top, max(0, right - left), max(0, bottom - top))


def _first(u: float, size: int) -> int:
    return min(max(math.ceil(u - 0.5 - 1e-6), 0), size)
