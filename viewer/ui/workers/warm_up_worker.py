"""Loads or compiles the kernels beside the window's start."""

from __future__ import annotations

import logging
from contextlib import suppress

from PySide6.QtCore import QObject, Signal

from gaussian_core.errors import Cancelled
from viewer.model.torch_import import load_torch
from viewer.ui.workers.background import Worker

log = logging.getLogger(__name__)


class WarmUpWorker(Worker):
    """The CPU's kernels take seconds at the very first start, a moment later on; then frames are drawn. A CUDA device
    takes seconds every time, for torch and its context: it is made ready after them, and frames are the CPU's until it
    is."""

    ready = Signal()
    """The CPU's kernels are there."""
    marks_ready = Signal()
    """The overlays' kernels are there, or nothing more can be done for them."""
    device_ready = Signal()
    """What is done for the device is done: it draws from now on, or there is none that can."""
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__("kernels", parent)
        self._started = False

    def start(self) -> None:
        if not self._started:
            self._started = True
            self._hold_device_back()
            self._run(self._warm_up)

    def _hold_device_back(self) -> None:
        """Before any frame is asked for: the first would load torch and compile, and the window wait for it."""
        from gaussian_core.rasterizer import cuda_use

        if cuda_use.is_possible():
            cuda_use.use.hold_back()

    def _warm_up(self) -> None:
        try:
            from gaussian_core import rasterizer

            rasterizer.warm_up()
        except Exception as error:
            log.exception("the kernels could not be prepared")
            self._emit(self.failed, f"The kernels could not be prepared: {error}")
        else:
            self._emit(self.ready)
        self._warm_device()
        self._warm_marks()

    def _warm_marks(self) -> None:
        """Late, since they may never be asked for. Who asks sooner has them compiled at once (see overlay_painter)."""
        from viewer.model.overlays import overlay_kernels

        with suppress(Cancelled):
            overlay_kernels.warm_up(lambda: self.closing)
        self._emit(self.marks_ready)

    def _warm_device(self) -> None:
        from gaussian_core.rasterizer import cuda_use

        if not cuda_use.is_possible():
            return
        from gaussian_core.errors import DeviceError
        from gaussian_core.rasterizer import cuda, warm

        try:
            load_torch()
            warm.warm_device(lambda: self.closing)
        except Cancelled:
            return
        except ImportError as error:
            cuda.give_up(DeviceError(str(error)))
            cuda_use.use.ready()
        self._emit(self.device_ready)
