"""A renderer with known pixels, and real events, for the tests of the canvas."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import (
    QColor,
    QImage,
    QMouseEvent,
    QNativeGestureEvent,
    QPointingDevice,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QWidget

from gaussian_core.errors import Cancelled
from viewer.model.frames.frame import Columns, Frame
from viewer.model.frames.frame_renderer import picture_viewport
from viewer.model.frames.scene import Scene
from viewer.model.view.view_state import ViewState
from viewer.ui.canvas.canvas import Canvas

BACKGROUND_RGB = (10, 200, 30)
BACKGROUND = QColor(*BACKGROUND_RGB)


class CountingRenderer:
    """Draws pixels that say where they are: red and green count the source pixel's column and row.

    seconds: how long a full frame takes (a coarse one a share of it), polling `stop` meanwhile.
    """

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.frames: list[tuple[ViewState, int]] = []
        self.cancelled = 0
        self.threads: set[str] = set()
        self.lock = threading.Lock()

    def __call__(
        self,
        scene: Scene,
        view: ViewState,
        level: int = 1,
        stop: Callable[[], bool] | None = None,
        allocate: Callable[[int, int], Any] | None = None,
        columns: Columns | None = None,
    ) -> Frame | None:
        viewport = picture_viewport(view, level)
        if viewport is None:
            return None
        self.threads.add(threading.current_thread().name)
        began = time.perf_counter()
        while time.perf_counter() - began < self.seconds / level**2:
            if stop is not None and stop():
                self.cancelled += 1
                raise Cancelled
            time.sleep(0.001)
        width, height = viewport.size
        out = allocate(width, height) if allocate else np.empty((height, width, 4), np.uint8)
        xs, ys = viewport.pixel_centres()
        out[..., 2] = (np.floor(xs).astype(int) % 256)[None, :]
        out[..., 1] = (np.floor(ys).astype(int) % 256)[:, None]
        out[..., 0] = 128
        out[..., 3] = 255
        with self.lock:
            self.frames.append((view, level))
        return Frame(
            out, view, view.picture_rect, level, 1.0, "test", scene.generation, scene.revision
        )


def wheel(
    widget: QWidget,
    at: tuple[float, float],
    angle: int | tuple[int, int] = 120,
    pixel: tuple[int, int] = (0, 0),
    modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
    phase: Qt.ScrollPhase = Qt.ScrollPhase.NoScrollPhase,
    device: QPointingDevice | None = None,
) -> None:
    dx, dy = angle if isinstance(angle, tuple) else (0, angle)
    position = QPointF(*at)
    arguments = (
        position,
        QPointF(widget.mapToGlobal(position)),
        QPoint(*pixel),
        QPoint(dx, dy),
        Qt.MouseButton.NoButton,
        modifiers,
        phase,
        False,
    )
    if device is None:
        event = QWheelEvent(*arguments)
    else:
        event = QWheelEvent(*arguments, Qt.MouseEventSource.MouseEventNotSynthesized, device)
    QApplication.sendEvent(widget, event)


def pinch(widget: QWidget, at: tuple[float, float], value: float) -> None:
    """A native pinch step at a widget position; its local position is wrong, as on some platforms."""
    wrong = QPointF(1.0, 1.0)
    event = QNativeGestureEvent(
        Qt.NativeGestureType.ZoomNativeGesture,
        QPointingDevice.primaryPointingDevice(),
        2,
        wrong,
        wrong,
        QPointF(widget.mapToGlobal(QPointF(*at))),
        value,
        QPointF(),
    )
    QApplication.sendEvent(widget, event)


def overview(width: int, height: int, colour: QColor | None = None) -> QImage:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(colour or QColor(200, 0, 200))
    return image


def screenshot(widget: QWidget) -> NDArray[np.uint8]:
    """(h, w, 3) RGB of what a widget shows."""
    return pixels(widget.grab().toImage())


def pixels(image: QImage) -> NDArray[np.uint8]:
    """(h, w, 3) RGB of an image."""
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    height, width = image.height(), image.width()
    flat = np.frombuffer(image.constBits(), np.uint8).reshape(height, image.bytesPerLine())
    bgrx = flat[:, : width * 4].reshape(height, width, 4)
    return bgrx[..., 2::-1].copy()


def settle(canvas: Canvas) -> None:
    """Wait until it shows what it is to show; for processes without pytest-qt."""
    until = time.perf_counter() + 240.0
    while time.perf_counter() < until:
        QApplication.processEvents()
        if canvas.is_idle():
            break
        time.sleep(0.005)  # the threads that are waited for want the processor, too
    QApplication.processEvents()


def mouse(
    widget: QWidget,
    kind: QEvent.Type,
    at: tuple[float, float],
    button: Qt.MouseButton = Qt.MouseButton.NoButton,
    buttons: Qt.MouseButton = Qt.MouseButton.NoButton,
    device: QPointingDevice | None = None,
    modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
) -> None:
    position = QPointF(*at)
    there = position, QPointF(widget.mapToGlobal(position))
    arguments = (kind, *there, button, buttons, modifiers)
    event = QMouseEvent(*arguments) if device is None else QMouseEvent(*arguments, device)
    QApplication.sendEvent(widget, event)


def drag(
    widget: QWidget,
    start: tuple[float, float],
    stop: tuple[float, float],
    button: Qt.MouseButton = Qt.MouseButton.LeftButton,
    modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
) -> None:
    none = Qt.MouseButton.NoButton
    mouse(widget, QEvent.Type.MouseButtonPress, start, button, button, modifiers=modifiers)
    mouse(widget, QEvent.Type.MouseMove, stop, none, button, modifiers=modifiers)
    mouse(widget, QEvent.Type.MouseButtonRelease, stop, button, none, modifiers=modifiers)
