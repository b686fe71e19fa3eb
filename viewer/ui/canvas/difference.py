"""The difference of what two panes show, as an image that is painted in their place."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QImage, QPainter

from viewer.model.difference import GAIN, amplified_difference
from viewer.model.frames.frame import Frame
from viewer.model.frames.frame_renderer import previewed_by_picture
from viewer.model.view.view_state import ViewState
from viewer.ui.canvas.canvas_painter import Layer, draw_layer, frame_layer, wrap_image
from viewer.ui.canvas.scene_pane import ScenePane

POLL_MS = 5
SAMPLES = 1.5
"""Of a source pixel along either axis, at least, that a coarse frame has: with one or less what methods differ by is
lost. At 4 to 12 times the difference of two coarse frames of that many and more is where that of the exact ones is
(correlated by 0.77 to 0.94); that of a coarse and an exact one is more of the enlarging (0.4 to 0.9)."""


class Difference(QObject):
    """Of frames of the same view only: what two of different views differ by is mostly their views. So that there are
    such frames while the view moves, it is asked for anew when both panes have answered, not before (`holds_back`).

    layer: as it is to be painted; None before there was any.
    """

    next_due = Signal()
    """The view that was held back can be asked for."""

    def __init__(self, left: ScenePane, right: ScenePane, parent: QObject) -> None:
        super().__init__(parent)
        self._left, self._right = left, right
        self.gain = GAIN
        self.layer: Layer | None = None
        self._of: tuple[Frame, Frame] | None = None
        self._generation = 0
        self._memory: NDArray[np.uint8] | None = None
        # A pane is not heard of where there is nothing to show, or what was asked for was given up.
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._look)

    # ---- asking for frames --------------------------------------------------------------------

    @property
    def held_back(self) -> bool:
        """Whether a view is waiting to be asked for."""
        return self._timer.isActive()

    def holds_back(self) -> bool:
        """Whether the next view is to wait, for `next_due`: an answer to the one before is under way."""
        if self._left.answered and self._right.answered:
            return False
        self._timer.start()
        return True

    def let_go(self) -> None:
        """Nothing is held back any more: what is wanted is being asked for."""
        self._timer.stop()

    def in_full(self, view: ViewState) -> bool:
        """Whether coarse frames of a view tell nothing: they show the picture and not the method."""
        scenes = [pane.scene for pane in (self._left, self._right) if pane.scene is not None]
        return any(previewed_by_picture(scene, view) for scene in scenes)

    @property
    def by_network(self) -> bool:
        """Whether a side is by a network that is asked for every pixel, which goes from coarse to fine by itself."""
        scenes = [pane.scene for pane in (self._left, self._right)]
        return any(scene is not None and scene.drawing is not None for scene in scenes)

    def level(self, view: ViewState) -> int | None:
        """How coarse the first frames of a moving view are, on both sides: what differs is to be the methods. None:
        each has its own."""
        if self.by_network:
            return None
        level = max(pane.level(view) for pane in (self._left, self._right))
        while level > 1 and view.scale < SAMPLES * level:
            level //= 2
        return level

    def _look(self) -> None:
        if self._left.answered and self._right.answered:
            self._timer.stop()
            self.next_due.emit()

    # ---- the image ----------------------------------------------------------------------------

    def take(self) -> None:
        """A pane has another frame: where it is of the same view as the other's, the difference is of these."""
        if self.held_back:
            self._look()
        left, right = self._left.frame, self._right.frame
        if left is None or right is None or (self._of is not None and self._of == (left, right)):
            return
        if left.view != right.view or left.rect != right.rect or not self._comparable():
            return
        # Of two coarse ones they become exact one after the other: in between, they would differ by that above all.
        known = self._of is not None and self._of[0].view == left.view
        if left.level == right.level or not known or self.by_network:
            self._subtract(left, right)

    def set_gain(self, gain: int) -> None:
        if gain == self.gain:
            return
        self.gain, self._of = gain, None
        self.take()

    def clear(self) -> None:
        self.layer = self._of = self._memory = None
        self._timer.stop()

    def shown(self) -> Layer | None:
        """The newest of the picture that is shown."""
        scene = self._right.scene
        same = scene is not None and scene.generation == self._generation
        return self.layer if same else None

    def value_at(self, view: ViewState, x: float, y: float) -> tuple[float, ...] | None:
        """By how much the exact frames of a view differ at a source point, RGB in [0, 1]; None where they are not
        there."""
        frames = self._left.frame, self._right.frame
        if not all(f is not None and f.shows(view) for f in frames) or not self._comparable():
            return None
        u, v = view.to_device(x, y)
        values = []
        for frame in frames:
            assert frame is not None
            column, row = int(u) - frame.rect[0], int(v) - frame.rect[1]
            if not (0 <= row < frame.bgrx.shape[0] and 0 <= column < frame.bgrx.shape[1]):
                return None
            values.append(frame.bgrx[row, column, 2::-1].astype(float) / 255)
        return tuple(float(d) for d in abs(values[0] - values[1]))

    def _comparable(self) -> bool:
        """Whether the panes' frames are of what each of them is to show."""
        for pane in (self._left, self._right):
            scene, frame = pane.scene, pane.frame
            if scene is None or frame is None or not pane.frame_is_current:
                return False
            if frame.plain is False or (
                not frame.exact and previewed_by_picture(scene, frame.view)
            ):
                return False
        return True

    def _subtract(self, left: Frame, right: Frame) -> None:
        a, b = left.bgrx, right.bgrx
        if a.shape == b.shape:
            out = self._room(a.shape[1], a.shape[0])
        else:
            x0, y0, x1, y1 = left.rect
            out = self._room(x1 - x0, y1 - y0)
            images = [None if frame.exact else _enlarged(frame) for frame in (left, right)]
            a, b = (
                frame.bgrx if image is None else _pixels(image)
                for frame, image in zip((left, right), images, strict=True)
            )
        amplified_difference(a, b, self.gain, out)
        image = wrap_image(out, QImage.Format.Format_RGB32)
        self.layer = Layer(image, frame_layer(left).rect)
        self._of, self._generation = (left, right), right.generation

    def _room(self, width: int, height: int) -> NDArray[np.uint8]:
        """(height, width, 4): fresh memory for every difference would cost a page fault per 4 KiB."""
        needed = width * height * 4
        if self._memory is None or self._memory.size < needed:
            self._memory = np.empty(needed, np.uint8)
        return self._memory[:needed].reshape(height, width, 4)


def _pixels(image: QImage) -> NDArray[np.uint8]:
    """(h, w, 4) BGRX of an image of RGB32, good for as long as that is there."""
    pixels = np.frombuffer(image.constBits(), np.uint8)
    return pixels.reshape(image.height(), image.width(), 4)


def _enlarged(frame: Frame) -> QImage:
    """A pixel of the view each, as the canvas shows it."""
    left, top, right, bottom = frame.rect
    image = QImage(right - left, bottom - top, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    painter.translate(-left, -top)
    draw_layer(painter, frame.view, frame_layer(frame), image.rect().translated(left, top))
    painter.end()
    return image
