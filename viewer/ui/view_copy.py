"""Copies what rests on screen to the clipboard: the exact frame, with the alpha of transparent pictures."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QPoint, QRect, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QImage, QPainter

from viewer.model.frames.frame_renderer import FIELD_FROM
from viewer.model.frames.transparent_view import transparent_view
from viewer.model.view.view_state import ViewState
from viewer.ui.canvas.canvas import Canvas
from viewer.ui.canvas.canvas_painter import wrap_image
from viewer.ui.canvas.panes import Side
from viewer.ui.files.session import Session
from viewer.ui.workers.background import Worker

log = logging.getLogger(__name__)

PATIENCE = 1.5
"""Seconds that a copy waits for the exact frame of a view that rests; then what there is has to do."""
TICK_MS = 15


@dataclass(frozen=True, eq=False)
class _Copy:
    """image: the canvas's pixels that show the picture. sides: transparent scenes, each with the columns of the view
    that it is shown in."""

    image: QImage
    view: ViewState
    sides: tuple[Side, ...]
    finished: bool


class ViewCopy(Worker):
    said = Signal(str)
    rendered = Signal(object, object)
    """What is being copied, and for each of its sides the pixels (see transparent_view)."""
    failed = Signal(object, str)

    def __init__(self, canvas: Canvas, session: Session, parent: QObject | None = None) -> None:
        super().__init__("copy", parent)
        self._canvas, self._session = canvas, session
        self.has_copied = False
        """Whether a view was put on the clipboard."""
        self._deadline = 0.0
        self._copy: _Copy | None = None
        self._ticks = QTimer(self)
        self._ticks.setInterval(TICK_MS)
        self._ticks.timeout.connect(self._look)
        self.rendered.connect(self._take)
        self.failed.connect(self._fail)

    def start(self) -> None:
        """Copy the view as soon as it rests; at once where it does."""
        self._copy = None  # what was asked for last counts
        self._deadline = time.monotonic() + PATIENCE
        self._ticks.start()
        self._look()

    @property
    def running(self) -> bool:
        return self._ticks.isActive() or self._copy is not None

    def close(self, timeout: float = 0.05) -> bool:
        self._ticks.stop()
        self._copy = None
        return super().close(timeout)

    def _look(self) -> None:
        """Whether the time has come."""
        finished = self._canvas.rests and not self._field_awaited
        if not finished and time.monotonic() < self._deadline and self._canvas.has_picture:
            return
        self._ticks.stop()
        view, image = self._canvas.view, self._canvas.grab_frame()
        # A difference is of what is seen, and hides all that is behind it.
        shown = () if self._canvas.differs else self._canvas.sides
        sides = tuple(side for side in shown if side.scene.transparent)
        copy = _Copy(image, view, sides, finished)
        if image.isNull():
            self.said.emit("There is nothing in view to copy")
        elif sides:
            self._copy = copy
            self._run(self._render, copy)
        else:
            self._put(copy)

    @property
    def _field_awaited(self) -> bool:
        """Whether the view will show more of the field; below 100 % it shows none."""
        if self._canvas.view.scale < FIELD_FROM:
            return False
        document = self._session.document
        beside = self._canvas.split and self._session.building_beside
        return beside or (document is not None and document.lacks_tiles)

    def _render(self, copy: _Copy) -> None:
        def stop() -> bool:
            return self.closing or self._copy is not copy

        try:
            pixels = [transparent_view(side.scene, copy.view, stop) for side in copy.sides]
        except Exception as error:
            # Cancelled too, of which nobody takes notice; the window goes on.
            if not stop():
                log.exception("copying the view failed")
            self._emit(self.failed, copy, f"The view was not copied: {error}")
        else:
            self._emit(self.rendered, copy, pixels)

    def _take(self, copy: _Copy, pixels: list[NDArray[np.uint8] | None]) -> None:
        if copy is not self._copy:
            return
        self._copy = None
        image = copy.image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
        left, _, right, _ = copy.view.picture_rect
        painter = QPainter(image)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
        for side, own in zip(copy.sides, pixels, strict=True):
            if own is not None:
                there = wrap_image(own, QImage.Format.Format_ARGB32_Premultiplied)
                part = QRect(side.first - left, 0, side.end - side.first, there.height())
                part = part.intersected(there.rect())
                at = side.pane * (
                    image.width() - (right - left)
                )  # the right pane ends where the image does
                painter.drawImage(QPoint(part.left() + at, 0), there, part)
        painter.end()
        image = image.convertToFormat(QImage.Format.Format_ARGB32)
        self._put(_Copy(image, copy.view, copy.sides, copy.finished))

    def _put(self, copy: _Copy) -> None:
        self.has_copied = True
        QGuiApplication.clipboard().setImage(copy.image)
        text = f"Copied {copy.image.width():,} × {copy.image.height():,} pixels"
        text += " with their transparency" if copy.sides else ""
        self.said.emit(text if copy.finished else f"{text}, of a view that was not finished yet")

    def _fail(self, copy: _Copy, message: str) -> None:
        if copy is self._copy:
            self._copy = None
            self.said.emit(message)
