"""The CUDA rasterizer: fields are uploaded once, a frame is one launch of the Triton kernel and one copy back.

Importing this file needs neither torch nor Triton; a frame does. Devices that Triton does not serve (Apple's, or CUDA
on Windows) are drawn with the torch gather, which is right and far slower.
"""

from __future__ import annotations

import functools
import importlib.util
import logging
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gaussian_core.display import CHECKER_SIZE, frame_array
from gaussian_core.errors import Cancelled, DeviceError
from gaussian_core.lattice import lattice_corner
from gaussian_core.viewport import Viewport

if TYPE_CHECKING:
    import torch

    from gaussian_core.field import GaussianField
    from gaussian_core.parallel import Stop
    from gaussian_core.rasterizer.cuda_fields import DeviceField

log = logging.getLogger(__name__)

# Where a Gaussian may be left out of a block, in standard deviations: below 1/1360 of its amplitude, as on the CPU.
REACH = 3.8
# Source pixels by which the search for cells is widened, as a part of the largest coordinate: covers its rounding.
SLACK = 2.0**-20

# What the drivers put there, and what a machine without a GPU can be told by before torch is loaded.
DEVICE_FILES = ("/dev/nvidiactl", "/dev/nvhost-gpu", "/dev/nvgpu", "/dev/dxg", "/dev/kfd")

_given_up = False


def chosen() -> bool:
    """Whether backend "auto" is CUDA: there is a device, Triton serves it, and it has not failed before.

    On Linux, machines without a driver's device file are told without loading torch.
    """
    return not _given_up and _usable()


def give_up(error: DeviceError) -> None:
    """Make "auto" the CPU until the program ends, and say so, once."""
    global _given_up
    if not _given_up:
        log.warning("%s Frames are drawn on the CPU from now on.", error)
    _given_up = True


@functools.cache
def _usable() -> bool:
    if not sys.platform.startswith("linux") or importlib.util.find_spec("triton") is None:
        return False
    if "torch" not in sys.modules and not any(os.path.exists(path) for path in DEVICE_FILES):
        return False
    import torch

    return torch.cuda.is_available()


def rasterize_cuda(
    fields: tuple[GaussianField, ...],
    gains: tuple[float, ...],
    viewport: Viewport,
    pixel_sigma: float,
    as_bytes: bool,
    out: NDArray[Any] | None,
    stop: Stop | None,
) -> NDArray[Any]:
    """Sum the fields, the amplitudes of each times its gain; arguments as in `rasterize`.

    Returns `out`, or a new array, in pinned memory. Raises Cancelled when stopped (a frame that runs on the device is
    waited for), DeviceError when there is no device, or it has failed or run out of memory.
    """
    channels = fields[0].channels
    if out is not None:
        out = frame_array(viewport.size, channels, as_bytes, out)
    with _failures_explained():
        device = _device()
        if device is None:
            return _by_gather(fields, gains, viewport, pixel_sigma, as_bytes, out, stop)
        for last_try in (False, True):
            try:
                frame = _draw(fields, gains, viewport, pixel_sigma, as_bytes, stop, device)
                return _to_host(frame, out)
            except _out_of_memory():
                if last_try:
                    raise
                _release()
        raise AssertionError("unreachable")


def draw_on_device(field: GaussianField, viewport: Viewport) -> None:
    """Draw a frame of display bytes and leave it on the device: for timings. Raises DeviceError."""
    import torch

    from gaussian_core.rasterizer import PIXEL_SIGMA

    with _failures_explained():
        device = _device()
        if device is None:
            raise DeviceError("Only a device that Triton serves keeps frames: use the cpu backend.")
        frame = _draw((field,), (1.0,), viewport, PIXEL_SIGMA, True, None, device)
        if frame.is_cuda:
            torch.cuda.synchronize()


def _draw(
    fields: tuple[GaussianField, ...],
    gains: tuple[float, ...],
    viewport: Viewport,
    pixel_sigma: float,
    as_bytes: bool,
    stop: Stop | None,
    device: str,
) -> torch.Tensor:
    """The frame on the device, which may still be at work on it."""
    import torch

    from gaussian_core.rasterizer import cuda_kernel as kernel
    from gaussian_core.rasterizer.cuda_fields import store

    width, height = viewport.size
    channels = fields[0].channels
    _poll(stop)
    held = []
    for field in fields:
        held.append(store(device).get(field))
        _poll(stop)
    tables = _Tables(held, gains, viewport, pixel_sigma)
    on_device = torch.from_numpy(tables.buffer).to(device, non_blocking=True)
    shape = (height, width, 4 if as_bytes else channels)
    frame = torch.empty(shape, dtype=torch.uint8 if as_bytes else torch.float32, device=device)
    (lx, _), (ly, _) = lattice_corner(viewport)
    period = 2 * CHECKER_SIZE
    for first in range(0, channels, kernel.MAX_CHANNELS):
        kernel.render_blocks[(tables.columns * tables.rows,)](
            frame.view(torch.int32) if as_bytes else frame,
            tables.integers(on_device),
            tables.numbers(on_device),
            tables.anchors_x(on_device),
            tables.anchors_y(on_device),
            tables.levels,
            tables.columns,
            tables.rows,
            tables.left,
            tables.top,
            width,
            height,
            lx % period,
            ly % period,
            first,
            channels,
            *viewport.scale,
            pixel_sigma * pixel_sigma,
            CHANNELS=min(kernel.MAX_CHANNELS, channels - first),
            AS_BYTES=as_bytes,
            WIDTH=kernel.BLOCK_WIDTH,
            HEIGHT=kernel.BLOCK_HEIGHT,
            LANES=kernel.LANES,
            num_warps=1,
            num_stages=1,
            enable_fp_fusion=True,
        )
    _poll(stop)
    return frame


def _to_host(frame: torch.Tensor, out: NDArray[Any] | None) -> NDArray[Any]:
    """The frame in `out`, or in a new array in pinned memory; waits for the device."""
    import torch

    if not frame.is_cuda:
        result: NDArray[Any] = frame.numpy()
        if out is not None:
            out[...] = result
        return result if out is None else out
    host = None if out is None else torch.from_numpy(out)
    # The device writes to pinned memory; into other memory the driver would copy in small pieces.
    pinned = host
    if pinned is None or not pinned.is_pinned():
        pinned = torch.empty(frame.shape, dtype=frame.dtype, pin_memory=True)
    pinned.copy_(frame)
    if host is None or out is None:
        return pinned.numpy()
    if pinned is not host:
        host.copy_(pinned)
    return out


class _Tables:
    """What one launch reads beside the fields: their grid levels and where the blocks stand, in one buffer."""

    def __init__(
        self,
        fields: list[DeviceField],
        gains: tuple[float, ...],
        viewport: Viewport,
        pixel_sigma: float,
    ) -> None:
        from gaussian_core.rasterizer import cuda_kernel as kernel

        (sx, sy), (width, height) = viewport.scale, viewport.size
        (lx, phase_x), (ly, phase_y) = lattice_corner(viewport)
        # Blocks stand on the absolute lattice: the first may begin outside the viewport.
        self.left, self.top = -(lx % kernel.BLOCK_WIDTH), -(ly % kernel.BLOCK_HEIGHT)
        self.columns = math.ceil((width - self.left) / kernel.BLOCK_WIDTH)
        self.rows = math.ceil((height - self.top) / kernel.BLOCK_HEIGHT)
        addresses = np.concatenate([field.addresses for field in fields])
        numbers = np.concatenate([field.numbers for field in fields])
        self.levels = len(addresses)
        for axis, scale in ((0, sx), (1, sy)):
            variance = numbers[:, 3 + axis] + (pixel_sigma / scale) ** 2
            numbers[:, 3 + axis] = REACH * np.sqrt(variance) + SLACK * numbers[:, 5]
        numbers[:, 5] = np.repeat(gains, [len(field.addresses) for field in fields])
        parts = (
            addresses.view(np.float32).ravel(),
            numbers.astype(np.float32).ravel(),
            _anchors(lx + self.left, phase_x, sx, kernel.BLOCK_WIDTH, self.columns),
            _anchors(ly + self.top, phase_y, sy, kernel.BLOCK_HEIGHT, self.rows),
        )
        # Every part starts on 16 bytes, so that Triton compiles one kernel for all of them.
        sizes = [-(-part.size // 4) * 4 for part in parts]
        self._starts = [0, *np.cumsum(sizes).tolist()]
        self.buffer = np.zeros(max(4, self._starts[-1]), np.float32)
        for part, start in zip(parts, self._starts, strict=False):
            self.buffer[start : start + part.size] = part

    def _part(self, buffer: Any, number: int) -> Any:
        return buffer[self._starts[number] :]

    def integers(self, buffer: Any) -> Any:
        import torch

        return self._part(buffer, 0)[: self._starts[1]].view(torch.int64)

    def numbers(self, buffer: Any) -> Any:
        return self._part(buffer, 1)

    def anchors_x(self, buffer: Any) -> Any:
        return self._part(buffer, 2)

    def anchors_y(self, buffer: Any) -> Any:
        return self._part(buffer, 3)


def _anchors(first: int, phase: float, scale: float, step: int, count: int) -> NDArray[np.float32]:
    """Source coordinate of the centre of every `step`-th lattice pixel from `first` on, as a float32 and its rest."""
    exact = (float(first) + np.arange(count, dtype=np.float64) * step + (phase + 0.5)) / scale
    exact = np.clip(exact, -1e30, 1e30)  # a view as far away as that is empty; float32 must hold it
    high = exact.astype(np.float32)
    return np.concatenate([high, (exact - high).astype(np.float32)])


@functools.cache
def _device() -> str | None:
    """Where the kernel runs, as torch calls it; None where only the gather can. Raises DeviceError without a device."""
    import torch

    if importlib.util.find_spec("triton") is not None:
        from gaussian_core.rasterizer import cuda_kernel

        if cuda_kernel.INTERPRETED:
            return "cpu"
        if torch.cuda.is_available():
            return "cuda"
    if _gather_device() is None:
        raise DeviceError("There is no CUDA device that torch can use here: use the cpu backend.")
    return None


def _gather_device() -> str | None:
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else None


@functools.cache
def _say_gather(device: str) -> None:
    log.warning(
        "There is no Triton for %s here: frames are drawn with torch, which is slow. The cpu backend may be faster.",
        device,
    )


def _by_gather(
    fields: tuple[GaussianField, ...],
    gains: tuple[float, ...],
    viewport: Viewport,
    pixel_sigma: float,
    as_bytes: bool,
    out: NDArray[Any] | None,
    stop: Stop | None,
) -> NDArray[Any]:
    from gaussian_core.correction import scaled
    from gaussian_core.display import to_bgrx
    from gaussian_core.rasterizer.gather import rasterize_fields

    device = _gather_device()
    assert device is not None
    _say_gather(device)
    weighted = tuple(scaled(f, gain) for f, gain in zip(fields, gains, strict=True))
    values = rasterize_fields(weighted, viewport, pixel_sigma, stop, device)
    (lx, _), (ly, _) = lattice_corner(viewport)
    target = frame_array(viewport.size, fields[0].channels, as_bytes, out)
    target[...] = to_bgrx(values, (lx, ly)) if as_bytes else values
    return target


def _poll(stop: Stop | None) -> None:
    if stop is not None and stop():
        raise Cancelled("stopped before the frame was drawn")


def _out_of_memory() -> type[Exception]:
    import torch

    kind: type[Exception] = torch.OutOfMemoryError
    return kind


def _release() -> None:
    """Give back everything on the device that no frame uses just now."""
    import torch

    from gaussian_core.rasterizer.cuda_fields import forget

    forget()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


@contextmanager
def _failures_explained() -> Iterator[None]:
    """Turn what torch, Triton and the driver raise into a DeviceError of one line."""
    try:
        yield
    except DeviceError:
        raise
    except _out_of_memory() as error:
        raise DeviceError(
            "The CUDA device has too little free memory for this frame: use the cpu backend, or close what else uses it."
        ) from error
    except (ImportError, OSError, RuntimeError, subprocess.SubprocessError) as error:
        raise _explained(error) from error
    except Exception as error:
        if type(error).__module__.partition(".")[0] != "triton":
            raise
        raise _explained(error) from error


def _explained(error: Exception) -> DeviceError:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = lines[0].rstrip(".") if lines else type(error).__name__
    return DeviceError(f"The CUDA device cannot be used ({said}): use the cpu backend.")
