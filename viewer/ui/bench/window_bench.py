"""Drives the real window through scripted movements, with real events at a display's rate, and times what it shows.

Every input has the time at which it was due, not at which a busy window came round to it: a stutter counts in full for
all inputs that it held up. A paint ends when the canvas has painted itself; what the system then does to bring that to
the screen is not in the figures.
"""

from __future__ import annotations

import math
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEvent, QEventLoop, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

from gaussian_core.errors import Cancelled, UserError
from gaussian_core.parallel import Stop
from viewer.model.frames.frame import Frame
from viewer.model.frames.frame_timing import Recorder
from viewer.model.settings import Settings, SettingsFile
from viewer.model.view.zoom_script import HERTZ, Drag, Rest, Step, ZoomTo
from viewer.ui.app import SWITCH_SECONDS
from viewer.ui.main_window import MainWindow
from viewer.ui.theme import Theme

PATIENCE = 10.0
"""Seconds that a movement or an exact frame may take: what takes longer has failed."""
AT = (0.58, 0.44)
"""Where on the canvas the cursor is: off its middle, so that zooming also moves the picture."""

clock = time.perf_counter


@dataclass
class Opened:
    """Seconds from asking for a picture to the first look at it on screen, and to its first exact frame."""

    first_look: float
    exact: float


class WindowBench:
    """A window of its own with settings of its own. size: of the canvas, device pixels. Use as a context manager."""

    def __init__(self, method: str, size: tuple[int, int], stop: Stop) -> None:
        app = QApplication.instance() or QApplication(["bench"])
        assert isinstance(app, QApplication)
        self._app = app
        self._stop = stop
        self._switch = sys.getswitchinterval()
        sys.setswitchinterval(SWITCH_SECONDS)
        self._folder = tempfile.TemporaryDirectory(prefix="gaussian-zoom-")
        file = SettingsFile(Path(self._folder.name) / "settings.json")
        file.save(Settings(method=method))
        self._theme = Theme(app)
        self.window = MainWindow(self._theme, file)
        self.canvas = self.window.canvas
        self.recorder = Recorder()
        self.frame: Frame | None = None
        self._paints = 0
        self._loop = QEventLoop()
        self._timer = QTimer(singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._loop.quit)
        self.canvas.frame_shown.connect(self._frame_shown)
        self.canvas.painted.connect(self._painted)
        self.window.show()
        self._resize(size)

    def __enter__(self) -> WindowBench:
        return self

    def __exit__(self, *_: object) -> None:
        self.window.close()
        self._folder.cleanup()
        sys.setswitchinterval(self._switch)

    def _resize(self, size: tuple[int, int]) -> None:
        ratio = self.canvas.devicePixelRatioF()
        for _ in range(2):  # the bars' heights are known after the first
            frame = self.window.size() - self.canvas.size()
            self.window.resize(
                round(size[0] / ratio) + frame.width(), round(size[1] / ratio) + frame.height()
            )
            self.run_for(0.1)

    # ---- what happens -------------------------------------------------------------------------

    def _frame_shown(self, frame: Frame) -> None:
        self.frame = frame
        self.recorder.frame(frame)

    def _painted(self, seconds: float) -> None:
        self._paints += 1
        self.recorder.painted(clock(), seconds, self.canvas.view)

    # ---- steps --------------------------------------------------------------------------------

    def open(self, path: Path, timeout: float = 120.0) -> Opened:
        """Open a picture and wait for its first exact frame. Raises UserError when it cannot be opened."""
        failures: list[str] = []
        self.window.session.failed.connect(lambda title, message, _: failures.append(message))
        self.frame = None
        began = clock()
        self._paints = 0
        self.window.session.open(path)
        first = None

        def shown() -> bool:
            nonlocal first
            if failures:
                raise UserError(failures[0])
            # Whatever is painted after the picture's size is known is a look at it.
            extent = self.canvas.view.extent
            if first is None and extent != (1, 1) and self._paints:
                first = clock() - began
            elif first is None:
                self._paints = 0
            return self.frame is not None and self.frame.exact

        self.wait(shown, timeout, "the picture was not shown")
        exact = clock() - began
        return Opened(exact if first is None else first, exact)

    def wait_for_field(self, timeout: float) -> float:
        """Wait until the builder has nothing left to do here; the seconds it took."""
        began = clock()
        self.wait(
            lambda: self.window.session.document is not None and self.window.is_idle(),
            timeout,
            "the field was not finished",
        )
        return clock() - began

    def start_recording(self) -> None:
        """Forget what was recorded so far."""
        self.recorder = Recorder()

    def play(self, steps: Iterable[Step]) -> None:
        """Carry out the steps one after the other. Raises Cancelled when stopped."""
        for step in steps:
            if isinstance(step, ZoomTo):
                self._zoom(step)
            elif isinstance(step, Drag):
                self._drag(step)
            else:
                self._rest(step)

    def sharp_after_zoom(self, scale: float) -> float:
        """Zoom in by the wheel; seconds from the last event to the field, exact, all over the canvas."""
        self._zoom(ZoomTo(scale, 120))
        began = clock()
        self.wait(self.is_sharp, PATIENCE * 3, "the field did not become sharp")
        return clock() - began

    def is_sharp(self) -> bool:
        frame = self.frame
        return (
            frame is not None
            and frame.exact
            and frame.field_share > 0.999
            and frame.view == self.canvas.view
        )

    def _zoom(self, step: ZoomTo) -> None:
        target = self.canvas.view.fit_scale if step.scale is None else step.scale
        inwards = target > self.canvas.view.scale
        due = clock()
        end = due + PATIENCE
        while (self.canvas.view.scale < target * 0.999) == inwards:
            left = abs(math.log2(target / self.canvas.view.scale)) * 8 * 120
            if left < 0.5 or due > end:
                break
            angle = min(step.step, max(1, round(left)))
            due = self._until(due)
            self._send_wheel(angle if inwards else -angle)
            self.recorder.input(min(due, clock()), self.canvas.view)
            due += 1 / HERTZ
        self.recorder.rest()

    def _drag(self, step: Drag) -> None:
        at = QPointF(self.canvas.width() * AT[0], self.canvas.height() * AT[1])
        self._send_mouse(QEvent.Type.MouseButtonPress, at)
        due = clock()
        for number in range(step.inputs):
            way = 1 if number < step.inputs * 3 // 4 else -2
            at += QPointF(way * step.dx, way * step.dy)
            due = self._until(due)
            before = self.canvas.view
            self._send_mouse(QEvent.Type.MouseMove, at)
            if self.canvas.view != before:  # a pan ends at the picture's edge
                self.recorder.input(min(due, clock()), self.canvas.view)
            due += 1 / HERTZ
        self._send_mouse(QEvent.Type.MouseButtonRelease, at)
        self.recorder.rest()

    def _rest(self, step: Rest) -> None:
        self.run_for(step.seconds)
        self.wait(lambda: self.recorder.settled, PATIENCE, "the exact frame did not come")

    # ---- events -------------------------------------------------------------------------------

    def _send_wheel(self, angle: int) -> None:
        at = QPointF(self.canvas.width() * AT[0], self.canvas.height() * AT[1])
        event = QWheelEvent(
            at,
            QPointF(self.canvas.mapToGlobal(at)),
            QPoint(0, 0),
            QPoint(0, angle),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        self._app.sendEvent(self.canvas, event)

    def _send_mouse(self, kind: QEvent.Type, at: QPointF) -> None:
        none, left = Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton
        button = none if kind == QEvent.Type.MouseMove else left
        held = none if kind == QEvent.Type.MouseButtonRelease else left
        globally = QPointF(self.canvas.mapToGlobal(at))
        event = QMouseEvent(kind, at, globally, button, held, Qt.KeyboardModifier.NoModifier)
        self._app.sendEvent(self.canvas, event)

    def _until(self, due: float) -> float:
        """Run the window until then; returns `due`. Inputs that are overdue come one right after the other, as from a
        system's queue, which the window empties before it paints."""
        left = due - clock()
        if left > 0:
            self.run_for(left)
        elif self._stop():
            raise Cancelled("bench stopped")
        return due

    def run_for(self, seconds: float) -> None:
        """Let the window's own event loop run."""
        if self._stop():
            raise Cancelled("bench stopped")
        self._timer.start(int(1000 * seconds))
        self._loop.exec()

    def wait(self, until: Callable[[], bool], timeout: float, failure: str) -> None:
        end = clock() + timeout
        while not until():
            if clock() > end:
                raise UserError(f"The measurement gave up after {timeout:.0f} s: {failure}.")
            self.run_for(0.002)
