"""What a device does wrong while a network runs on it: out of memory, lost, a library of it that fails.

torch says all of it by RuntimeErrors of many lines. Here they are told apart and said in one.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from gaussian_core.errors import DeviceError
from gaussian_core.models.devices import give_up
from gaussian_core.rasterizer import cuda

Made = TypeVar("Made")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Fault:
    """Why a device failed. memory: it ran out of it, and may do with less. lost: nothing will work on it until the
    program is started anew. said: in one line, no full stop.

    It holds nothing of the exception, whose traceback would keep all that the failed work had on the device.
    """

    memory: bool
    lost: bool
    said: str


def _fault_of(error: RuntimeError) -> Fault:
    """Why the device failed; one that is lost is given up."""
    import torch

    from gaussian_core.rasterizer.cuda_device import in_one_line, is_full

    memory, said = is_full(error), in_one_line(error)
    # The driver's own errors stay: after one of them every call fails. A library's are of one call.
    lost = isinstance(error, torch.AcceleratorError) or "CUDA error" in str(error)
    lost = lost and not memory
    if lost:
        give_up(said)
    return Fault(memory, lost, said)


def attempt(work: Callable[[], Made], device: str) -> Made | Fault:
    """What work makes on a device, or why the device failed. On the CPU errors are raised as they are."""
    try:
        return work()
    except RuntimeError as error:
        if device == "cpu":
            raise
        fault = _fault_of(error)
        log.warning("%s failed: %s", device, fault.said, exc_info=not fault.memory)
        return fault


def attempt_twice(work: Callable[[], Made], device: str) -> Made | Fault:
    """As attempt; where memory runs out once more, after what can be had again is given back."""
    made = attempt(work, device)
    if isinstance(made, Fault) and made.memory:
        free_memory()
        made = attempt(work, device)
    return made


def free_memory() -> None:
    """Give back what the device holds and nobody needs just now: the fields that frames were drawn from, which come
    back with the next frame, those that were built there, which go to the host, and torch's reserve."""
    resident = sys.modules.get("gaussian_core.resident_field")
    if resident is not None:
        resident.residents.make_room(0)
    with contextlib.suppress(RuntimeError):  # a device that is lost has nothing to give back
        cuda.forget()


@contextlib.contextmanager
def explained(device: str) -> Iterator[None]:
    """Turn what torch raises of a device into a DeviceError of one line. On the CPU errors are raised as they are."""
    try:
        yield
    except RuntimeError as error:
        if device == "cpu":
            raise
        raise explanation(_fault_of(error)) from error


@contextlib.contextmanager
def failures_of_training(device: str) -> Iterator[None]:
    """Turn a lack of memory on a device, and its loss, into a DeviceError of one line that says what a training can do
    then. All other errors are raised as they are, and all of the CPU."""
    try:
        yield
    except RuntimeError as error:
        if device == "cpu":
            raise
        fault = _fault_of(error)
        if fault.memory:
            raise DeviceError(
                "The GPU has too little free memory for a step: ask for a smaller --batch, --patch or network, or close "
                "what else uses it."
            ) from error
        if fault.lost:
            raise DeviceError(
                f"The GPU cannot be used any more ({fault.said}): the same command goes on from the last checkpoint."
            ) from error
        raise


def explanation(fault: Fault) -> DeviceError:
    """What is raised of it where the device was asked for: nothing goes on in its place."""
    if fault.memory:
        return DeviceError(
            "The GPU has too little free memory for this network: use --device cpu, or close what else uses it."
        )
    return DeviceError(f"The GPU cannot be used ({fault.said}): use --device cpu.")


def note_of(fault: Fault) -> str:
    """What the user is told where the CPU goes on with what a device began."""
    why = "is out of memory" if fault.memory else f"cannot be used ({fault.said})"
    return f"The GPU {why}: the field is built on the CPU, which is slower."
