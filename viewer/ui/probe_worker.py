"""Looks up what is under the cursor, beside the GUI thread."""

from __future__ import annotations

import logging
import threading

from PySide6.QtCore import QObject, Signal

from viewer.model.probe import probe
from viewer.model.scene import Scene
from viewer.ui.background import Worker

log = logging.getLogger(__name__)

Question = tuple[Scene, float, tuple[float, float]]
"""The scene, the view's scale, the source point."""


class ProbeWorker(Worker):
    """Answers the newest question; the ones in between are never looked at."""

    answered = Signal(object)
    """A Probe."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__("probe", parent)
        self._ready = threading.Condition()
        self._question: Question | None = None
        self._busy = False
        self._started = False

    def ask(self, scene: Scene, scale: float, point: tuple[float, float]) -> None:
        if self.closing:
            return
        with self._ready:
            self._question = (scene, scale, point)
            self._ready.notify()
        if not self._started:
            self._started = True
            self._run(self._serve)

    @property
    def idle(self) -> bool:
        with self._ready:
            return self._question is None and not self._busy

    def close(self, timeout: float = 0.8) -> bool:
        self._closing.set()
        with self._ready:
            self._ready.notify()
        return super().close(timeout)

    def _serve(self) -> None:
        question: Question | None
        while True:
            with self._ready:
                self._busy = False
                while self._question is None and not self.closing:
                    self._ready.wait()
                if self.closing or self._question is None:
                    return
                question, self._question = self._question, None
                self._busy = True
            try:
                answer = probe(*question)
            except Exception:  # a readout is not worth a dialog for every movement of the mouse
                log.exception("the values under the cursor could not be computed")
            else:
                self._emit(self.answered, answer)
            finally:
                question = None  # while the next is waited for the picture may be closed
