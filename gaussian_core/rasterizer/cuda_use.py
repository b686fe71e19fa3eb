"""Whether frames of backend "auto" are drawn on the CUDA device just now, and what the user should know about it.

A device draws once it is ready and as long as it works. A full memory passes: the CPU draws for some seconds, then the
device is tried again. Any other failure (a lost device, a kernel that does not compile) is final, since the CUDA
context of a process does not come back. Nothing here loads torch before it has to.
"""

from __future__ import annotations

import functools
import importlib.util
import logging
import os
import sys
import threading
import time
from collections.abc import Callable

from gaussian_core.errors import DeviceError

log = logging.getLogger(__name__)

# What the drivers put there, and what a machine without a GPU can be told by before torch is loaded.
DEVICE_FILES = ("/dev/nvidiactl", "/dev/nvhost-gpu", "/dev/nvgpu", "/dev/dxg", "/dev/kfd")

FIRST_PAUSE = 10.0
"""Seconds that the CPU draws after the device's memory was full. Doubled each time that it is still full."""
LONGEST_PAUSE = 160.0

FULL = (
    "The GPU's memory is full: frames are drawn on the CPU, and on the GPU again when it has room."
)


class DeviceFull(DeviceError):
    """The device has too little free memory just now."""


class DeviceUse:
    """One for the process, `use`; thread-safe. clock: monotonic seconds; usable: whether there is a device at all."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        usable: Callable[[], bool] | None = None,
    ) -> None:
        self._clock = clock
        self._usable = usable or is_usable
        self._lock = threading.Lock()
        self._held_back = False
        self._lost = False
        self._full_until = float("-inf")
        self._pause = FIRST_PAUSE
        self._remark = ""

    def chosen(self) -> bool:
        """Whether "auto" is the device. Loads torch where there may be one, unless it is held back."""
        if self._held_back or self._lost or self._clock() < self._full_until:
            return False
        return self._usable()

    def usable(self) -> bool:
        """Whether there is a device at all. Loads torch where there may be one."""
        return self._usable()

    def hold_back(self) -> None:
        """Leave "auto" to the CPU until `ready`: somebody makes the device ready beside it, which takes seconds."""
        self._held_back = True

    def ready(self) -> None:
        """The device's kernels are there, or will never be: `hold_back` ends."""
        self._held_back = False

    @property
    def held_back(self) -> bool:
        return self._held_back

    def give_up(self, error: DeviceError) -> None:
        """Leave "auto" to the CPU: for a while where the memory is full, else until the program ends."""
        with self._lock:
            told = bool(self._remark)
            if isinstance(error, DeviceFull):
                self._full_until = self._clock() + self._pause
                self._pause = min(2 * self._pause, LONGEST_PAUSE)
                self._remark = self._remark or FULL
            else:
                told = told and self._lost
                self._lost = True
                # Of what the error advises, this is it already.
                what = str(error).removesuffix(": use the cpu backend.").rstrip(".")
                self._remark = f"{what}. Frames are drawn on the CPU."
            said = "" if told else self._remark
        if said:
            log.warning("%s", said)

    def worked(self) -> None:
        """A frame came out of the device."""
        if self._remark and not self._lost:
            with self._lock:
                self._remark, self._pause = "", FIRST_PAUSE
                self._full_until = float("-inf")
            log.warning("The GPU has room again: frames are drawn on it.")

    @property
    def remark(self) -> str:
        """Why the CPU draws in the device's place, for the user; empty where it does not, or is only early."""
        return self._remark


def is_possible() -> bool:
    """Whether there may be a device that Triton serves. Loads nothing."""
    if not sys.platform.startswith("linux") or importlib.util.find_spec("triton") is None:
        return False
    return "torch" in sys.modules or any(os.path.exists(path) for path in DEVICE_FILES)


@functools.cache
def is_usable() -> bool:
    """Whether torch finds a device that Triton serves. On machines without a driver's device file torch is not loaded
    to tell."""
    if not is_possible():
        return False
    import torch

    return torch.cuda.is_available()


use = DeviceUse()
