"""Loads or compiles the kernels beside the window's start."""

from __future__ import annotations

import logging

from PySide6.QtCore import QObject, Signal

from viewer.ui.background import Worker

log = logging.getLogger(__name__)


class WarmUpWorker(Worker):
    """Seconds at the very first start, a moment later on."""

    ready = Signal()
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__("kernels", parent)
        self._started = False

    def start(self) -> None:
        if not self._started:
            self._started = True
            self._run(self._warm_up)

    def _warm_up(self) -> None:
        try:
            from gaussian_core import rasterizer

            rasterizer.warm_up()
        except Exception as error:
            log.exception("the kernels could not be prepared")
            self._emit(self.failed, f"The kernels could not be prepared: {error}")
        else:
            self._emit(self.ready)
