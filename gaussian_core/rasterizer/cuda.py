"""The CUDA rasterizer: fields are uploaded once, a frame is one launch of the Triton kernel and one copy back.

Importing this file needs neither torch nor Triton; a frame does. Devices that Triton does not serve (Apple's, or CUDA
on Windows) are drawn with the torch gather, which is right and far slower. When a program leaves frames to the device,
and when not any more, is in cuda_use.py.
"""

from __future__ import annotations

import functools
import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from gaussian_core.display import CHECKER_SIZE, frame_array
from gaussian_core.errors import Cancelled, DeviceError
from gaussian_core.lattice import lattice_corner
from gaussian_core.rasterizer import cuda_use
from gaussian_core.rasterizer.cuda_use import DEVICE_FILES as DEVICE_FILES
from gaussian_core.viewport import Viewport

if TYPE_CHECKING:
    import torch

    from gaussian_core.field import GaussianField
    from gaussian_core.parallel import Stop
    from gaussian_core.rasterizer.cuda_device import DrawingDevice
    from gaussian_core.rasterizer.cuda_fields import DeviceField

log = logging.getLogger(__name__)


def chosen() -> bool:
    """Whether backend "auto" is CUDA: there is a device, Triton serves it, it is ready and it works."""
    return cuda_use.use.chosen()


def remark() -> str:
    """What the user should know where the CPU draws in the device's place; else empty."""
    return cuda_use.use.remark


def held_back() -> bool:
    """Whether the CPU draws because the device is still being made ready."""
    return cuda_use.use.held_back


def give_up(error: DeviceError) -> None:
    """Make "auto" the CPU, for some seconds where the device's memory is full, else until the program ends; say so, and
    give back what frames hold on the device, which others may need more."""
    cuda_use.use.give_up(error)
    # A lost device cannot be told to give anything back; what is held there goes with the process.
    with suppress(RuntimeError):
        forget()


def forget() -> None:
    """Give back everything that frames hold on the device and do not use just now, and torch's reserve: for builders
    that need the memory.

    Frames go on: fields are uploaded again when they are drawn. Safe from any thread; loads nothing.
    """
    # Not imported here: who has not drawn by CUDA holds nothing.
    fields, torch = map(sys.modules.get, ("gaussian_core.rasterizer.cuda_fields", "torch"))
    if fields is not None:
        fields.forget()
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def rasterize_cuda(
    fields: tuple[GaussianField, ...],
    gains: tuple[float, ...],
    viewport: Viewport,
    pixel_sigma: float,
    as_bytes: bool,
    out: NDArray[Any] | None,
    stop: Stop | None,
    keep: bool = True,
) -> NDArray[Any]:
    """Sum the fields, the amplitudes of each times its gain; arguments as in `rasterize`.

    Returns `out`, or a new array, in pinned memory. Raises Cancelled when stopped (a frame that runs on the device is
    finished there, and not brought back), DeviceError when there is no device or it has failed, and of these DeviceFull
    when it has too little free memory.
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
                with device.active(), _reading(device) as read:
                    frame = _draw(
                        fields, gains, viewport, pixel_sigma, as_bytes, stop, device, read, keep
                    )
                    result = _to_host(frame, out, device)
                cuda_use.use.worked()
                return result
            except RuntimeError as error:
                if last_try or not _is_full(error):
                    raise
            forget()  # with the frame's own references gone
        raise AssertionError("unreachable")


def draw_on_device(field: GaussianField, viewport: Viewport) -> None:
    """Draw a frame of display bytes and leave it on the device: for timings. Raises DeviceError."""
    from gaussian_core.rasterizer import PIXEL_SIGMA

    with _failures_explained():
        device = _device()
        if device is None:
            raise DeviceError("Only a device that Triton serves keeps frames: use the cpu backend.")
        with device.active(), _reading(device) as read:
            _draw((field,), (1.0,), viewport, PIXEL_SIGMA, True, None, device, read)
            device.wait()


def draws_on(device: torch.device) -> bool:
    """Whether frames are drawn on that one of several devices."""
    drawing = _device()
    return drawing is not None and drawing.name == str(device)


def draw_for_builder(
    fields: Sequence[GaussianField], viewport: Viewport, pixel_sigma: float
) -> torch.Tensor:
    """(H, W, C) float32 on the device: the sum of fields, drawn in the stream that the caller has made current, which
    may still be at work on it. Nothing is kept for frames. Raises DeviceError, of these DeviceFull without memory."""
    with _failures_explained():
        device = _device()
        if device is None:
            raise DeviceError("Only a device that Triton serves keeps frames: use the cpu backend.")
        gains = (1.0,) * len(fields)
        # What it reads is of this very stream: given back too soon, it is not used anew before this is done.
        return _draw(tuple(fields), gains, viewport, pixel_sigma, False, None, device, [], False)


def _draw(
    fields: tuple[GaussianField, ...],
    gains: tuple[float, ...],
    viewport: Viewport,
    pixel_sigma: float,
    as_bytes: bool,
    stop: Stop | None,
    device: DrawingDevice,
    read: list[DeviceField],
    keep: bool = True,
) -> torch.Tensor:
    """The frame on the device, which may still be at work on it. Called where the device is active.

    read: gets what the frame is made of, to be held until the device is done.
    """
    import torch

    from gaussian_core.rasterizer import cuda_kernel as kernel
    from gaussian_core.rasterizer.cuda_fields import store
    from gaussian_core.rasterizer.cuda_tables import Tables

    width, height = viewport.size
    channels = fields[0].channels
    _poll(stop)
    read += store(device).get_all(fields, keep, lambda: _poll(stop))
    block = kernel.block_size(viewport.scale)
    tables = Tables(read, gains, viewport, pixel_sigma, block)
    on_device = torch.from_numpy(tables.buffer).to(device.name)
    shape = (height, width, 4 if as_bytes else channels)
    frame = torch.empty(shape, dtype=torch.uint8 if as_bytes else torch.float32, device=device.name)
    programs = min(tables.columns * tables.rows, device.programs)
    put_away = torch.empty(
        (programs, kernel.PAIRS, kernel.LANES), dtype=torch.int64, device=device.name
    )
    (lx, _), (ly, _) = lattice_corner(viewport)
    period = 2 * CHECKER_SIZE
    for first in range(0, channels, kernel.MAX_CHANNELS):
        kernel.render_blocks[(programs,)](
            frame.view(torch.int32) if as_bytes else frame,
            *tables.parts(on_device),
            put_away,
            tables.columns,
            tables.rows,
            tables.bin_columns,
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
            WIDTH=block[0],
            HEIGHT=block[1],
            LANES=kernel.LANES,
            num_warps=1,
            num_stages=1,
            enable_fp_fusion=True,
        )
    _poll(stop)
    return frame


@contextmanager
def _reading(device: DrawingDevice) -> Iterator[list[DeviceField]]:
    """A list for what a frame reads, which is held until the end. Nor does a frame that failed or was stopped still
    read then what may be given back."""
    read: list[DeviceField] = []
    try:
        yield read
    except BaseException:
        device.finish()
        raise
    finally:
        read.clear()


def _to_host(frame: torch.Tensor, out: NDArray[Any] | None, device: DrawingDevice) -> NDArray[Any]:
    """The frame in `out`, or in a new array in pinned memory; waits for the device, which then writes no more."""
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
    pinned.copy_(frame, non_blocking=True)
    device.wait()
    if host is None or out is None:
        return pinned.numpy()
    if pinned is not host:
        host.copy_(pinned)
    return out


def _device() -> DrawingDevice | None:
    from gaussian_core.rasterizer.cuda_device import drawing_device

    return drawing_device()


def _gather_device() -> str | None:
    from gaussian_core.rasterizer.cuda_device import gather_device

    return gather_device()


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


def _is_full(error: RuntimeError) -> bool:
    from gaussian_core.rasterizer.cuda_device import is_full

    return is_full(error)


def _failures_explained() -> AbstractContextManager[None]:
    try:
        from gaussian_core.rasterizer.cuda_device import failures_explained
    except (ImportError, OSError) as error:  # torch, which has libraries of its own
        raise DeviceError(f"torch cannot be loaded ({error}): use the cpu backend.") from error
    return failures_explained()
