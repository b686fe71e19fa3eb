"""The device that frames are drawn on, its stream, and what its failures mean."""

from __future__ import annotations

import functools
import importlib.util
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import torch

from gaussian_core.errors import DeviceError
from gaussian_core.rasterizer.cuda_use import DeviceFull

RESIDENT = {(7, 5): 16, (8, 6): 16, (8, 7): 16, (8, 9): 24, (12, 0): 24, (12, 1): 24}
"""How many blocks of threads a multiprocessor runs at a time, at most, by compute capability (CUDA C++ Programming
Guide, table of technical specifications); 32 where it is not told. More programs would wait for a second round."""
# Of the driver, cuBLAS and cuDNN, where torch's own allocator has not been asked.
_MEMORY_WORDS = ("out of memory", "alloc_failed", "cudaerrormemoryallocation")
HIGH = -1  # priority: whatever waits in this stream goes before what others have waiting


class DrawingDevice:
    """name: as torch calls it, with its number. Everything of a frame, and every upload, is done in one stream of its
    own, in order: nothing of it waits for a network that runs at the same time, memory that a frame gave back is not
    used before the frame is done with it, and no event has to guard it. What a builder has made in its stream is
    complete before it is drawn, and held by who draws it until the frame is done: torch's own way, to note the stream
    at the memory (record_stream), ends the program where the memory of a lost device is given back. Only what a
    builder draws for itself (draw_for_builder) is drawn in the builder's stream. Safe from several threads.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._stream = torch.cuda.Stream(name, priority=HIGH) if name != "cpu" else None
        self.programs = 2
        """How many of the kernel's programs the device runs at a time; each makes many blocks."""
        if name != "cpu":
            properties = torch.cuda.get_device_properties(name)
            resident = RESIDENT.get((properties.major, properties.minor), 32)
            self.programs = resident * properties.multi_processor_count

    @contextmanager
    def active(self) -> Iterator[None]:
        """Within, this thread allocates, copies and launches on this device, in this stream."""
        if self._stream is None:
            yield
            return
        with torch.cuda.device(self.name), torch.cuda.stream(self._stream):
            yield

    def wait(self) -> None:
        """Until what this thread has put into the stream is done."""
        if self._stream is not None:
            done = torch.cuda.Event()
            done.record(self._stream)
            done.synchronize()

    def finish(self) -> None:
        """The same where something has failed, perhaps the device itself."""
        with suppress(RuntimeError):
            self.wait()

    def memory(self) -> tuple[int, int]:
        """Bytes that can still be allocated (what torch holds in reserve included), and of the device altogether."""
        free, total = torch.cuda.mem_get_info(self.name)
        reserve = torch.cuda.memory_reserved(self.name) - torch.cuda.memory_allocated(self.name)
        return free + reserve, total


def drawing_device() -> DrawingDevice | None:
    """Where the kernel runs; None where only the gather can. Raises DeviceError without a device.

    The number is settled here, once: a thread's current device may be another one at the next frame.
    """
    with _finding:  # two threads at once must not end up with a stream each
        return _find()


_finding = threading.Lock()


@functools.cache
def _find() -> DrawingDevice | None:
    if importlib.util.find_spec("triton") is not None:
        from gaussian_core.rasterizer import cuda_kernel

        if cuda_kernel.INTERPRETED:
            return DrawingDevice("cpu")
        if torch.cuda.is_available():
            return DrawingDevice(f"cuda:{torch.cuda.current_device()}")
    if gather_device() is None:
        raise DeviceError("There is no CUDA device that torch can use here: use the cpu backend.")
    return None


def gather_device() -> str | None:
    """Where the torch gather can run other than on the CPU."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else None


def is_full(error: BaseException) -> bool:
    """Whether an error says that the device, or the memory that it can reach, has no room: torch has a kind for it, the
    driver, its libraries and Triton's launches only a text."""
    if isinstance(error, torch.OutOfMemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(word in text for word in _MEMORY_WORDS)


def in_one_line(error: Exception) -> str:
    """What an error says, of whose many lines the first tells most; no full stop."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else type(error).__name__


@contextmanager
def failures_explained() -> Iterator[None]:
    """Turn what torch, Triton and the driver raise into a DeviceError of one line; DeviceFull where it may pass."""
    try:
        yield
    except DeviceError:
        raise
    except (ImportError, OSError, RuntimeError, subprocess.SubprocessError) as error:
        raise _explained(error) from error
    except Exception as error:
        if type(error).__module__.partition(".")[0] != "triton":
            raise
        raise _explained(error) from error


def _explained(error: Exception) -> DeviceError:
    if is_full(error):
        return DeviceFull(
            "The CUDA device has too little free memory for this frame: use the cpu backend, or close what else uses it."
        )
    said = in_one_line(error)
    return DeviceError(f"The CUDA device cannot be used ({said}): use the cpu backend.")
