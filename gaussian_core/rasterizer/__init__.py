"""One function in front of all rasterizers: `rasterize(field, viewport)`.

- reference: float64 NumPy, every Gaussian at every pixel. Slow and obviously right; the others are tested against it.
- torch: the differentiable gather, for devices without a kernel of their own.
- cpu: Numba with vector instructions, for the viewer.
- cuda: Triton, where there is a device.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args, overload

import numpy as np
from numpy.typing import NDArray

from gaussian_core.display import frame_array
from gaussian_core.errors import Cancelled, DeviceError

if TYPE_CHECKING:
    from gaussian_core.field import GaussianField
    from gaussian_core.parallel import Stop
    from gaussian_core.viewport import Viewport

Backend = Literal["auto", "reference", "torch", "cpu", "cuda"]
Format = Literal["float", "bgrx8"]

# Standard deviation of a pixel's footprint, device pixels (a box pixel has 0.289).
PIXEL_SIGMA = 0.3
# Device pixels per source pixel. Beyond these a place is no number of single precision any more; before the least a
# footprint spans millions of Gaussians.
LEAST_SCALE, MOST_SCALE = 1e-6, 1e6

_last = threading.local()
_warm = threading.Event()
_warming = threading.Lock()


@overload
def rasterize(
    field: GaussianField | Sequence[GaussianField],
    viewport: Viewport,
    *,
    pixel_sigma: float = ...,
    backend: Backend = ...,
    format: Literal["float"] = ...,
    out: NDArray[np.float32] | None = ...,
    stop: Stop | None = ...,
    keep: bool = ...,
) -> NDArray[np.float32]: ...


@overload
def rasterize(
    field: GaussianField | Sequence[GaussianField],
    viewport: Viewport,
    *,
    pixel_sigma: float = ...,
    backend: Backend = ...,
    format: Literal["bgrx8"],
    out: NDArray[np.uint8] | None = ...,
    stop: Stop | None = ...,
    keep: bool = ...,
) -> NDArray[np.uint8]: ...


def rasterize(
    field: GaussianField | Sequence[GaussianField],
    viewport: Viewport,
    *,
    pixel_sigma: float = PIXEL_SIGMA,
    backend: Backend = "auto",
    format: Format = "float",
    out: NDArray[Any] | None = None,
    stop: Stop | None = None,
    keep: bool = True,
) -> NDArray[Any]:
    """Sample a field, or the sum of several fields of one picture, at the pixels of a viewport.

    Each device pixel sees the field through a Gaussian footprint of `pixel_sigma` device pixels (0: point sampling);
    the one that a field was made for is footprint_of(field, scale), which `render` and the window use.
    format "float": (H, W, C) float32, not clipped. "bgrx8": (H, W, 4) uint8 in the byte order of QImage.Format_RGB32;
    1 channel is grey, 3 are RGB, 4 are premultiplied RGB and alpha, shown over a checkerboard.
    out: array of that shape and type to write into. stop: polled between tiles; when true, Cancelled is raised.
    keep: whether cuda keeps the fields on the device for frames that follow; without, those of others stay there.

    A field's correction is added as far as it shows at this scale, see GaussianField.
    Outside every Gaussian's reach the field is 0. The cpu and cuda backends drop a Gaussian beyond 3.8 standard
    deviations (1/1360 of its amplitude), not before. "auto" is cuda where torch has such a device and Triton is
    installed, else cpu; when the device fails it says so in the log and goes on with the CPU (see cuda_use.py). Frames
    that cuda makes without `out` lie in pinned memory, which is the faster way off the device.
    Raises ValueError for arguments that do not fit together and for scales beyond LEAST_SCALE and MOST_SCALE, and
    DeviceError for a backend that is not usable here.
    """
    from gaussian_core.correction import scaled, with_gains
    from gaussian_core.field import GaussianField
    from gaussian_core.viewport import Viewport

    fields = tuple(field) if isinstance(field, Iterable) else (field,)
    if not fields:
        raise ValueError("rasterize needs at least one field")
    if others := [type(f).__name__ for f in fields if not isinstance(f, GaussianField)]:
        raise ValueError(
            f"rasterize draws Gaussian fields (build_field makes one), not {others[0]}"
        )
    if not isinstance(viewport, Viewport):
        raise ValueError(f"rasterize draws a Viewport of a field, not {type(viewport).__name__}")
    if format not in get_args(Format):
        raise ValueError(f"unknown format {format!r}: choose float or bgrx8")
    channels = fields[0].channels
    if any(f.channels != channels for f in fields):
        raise ValueError("fields that are summed must have the same number of channels")
    if min(viewport.scale) < LEAST_SCALE or max(viewport.scale) > MOST_SCALE:
        raise ValueError(
            f"a field is drawn at {LEAST_SCALE:g} to {MOST_SCALE:g} device pixels per source pixel, not {viewport.scale}"
        )
    sigma = _number(pixel_sigma)
    if not 0 <= sigma < math.inf:  # NaN comes here too
        raise ValueError(
            f"pixel_sigma must be zero or positive, got {pixel_sigma}: footprint_of(field, scale) is what the field was "
            "made for"
        )
    as_bytes = format == "bgrx8"
    if as_bytes and channels not in (1, 3, 4):
        raise ValueError(f"a display needs 1, 3 or 4 channels, this field has {channels}")
    fields, gains = with_gains(fields, viewport.scale)
    if backend in ("auto", "cuda"):
        from gaussian_core.rasterizer import cuda

        if backend == "cuda" or cuda.chosen():
            try:
                frame = cuda.rasterize_cuda(
                    fields, gains, viewport, sigma, as_bytes, out, stop, keep
                )
                _last.backend = "cuda"
                return frame
            except DeviceError as error:
                if backend == "cuda":
                    raise
                cuda.give_up(error)
    target = frame_array(viewport.size, channels, as_bytes, out)
    if backend in ("auto", "cpu"):
        from gaussian_core.rasterizer.cpu import rasterize_cpu

        rasterize_cpu(fields, gains, viewport, sigma, as_bytes, target, stop)
        _last.backend = "cpu"
        return target
    fields = tuple(scaled(f, gain) for f, gain in zip(fields, gains, strict=True))
    if backend == "reference":
        from gaussian_core.rasterizer.reference import rasterize_reference

        values: NDArray[np.floating] = rasterize_reference(fields, viewport, sigma)
    elif backend == "torch":
        from gaussian_core.rasterizer.gather import rasterize_fields

        values = rasterize_fields(fields, viewport, sigma, stop)
    else:
        raise ValueError(f"unknown backend {backend!r}")
    if as_bytes:
        from gaussian_core.display import to_bgrx
        from gaussian_core.lattice import lattice_corner

        (lx, _), (ly, _) = lattice_corner(viewport)
        target[...] = to_bgrx(values, (lx, ly))
    else:
        target[...] = values
    return target


def _number(value: Any) -> float:
    """NaN for what is none."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def last_backend() -> Backend:
    """What this thread's last frame of backend "auto" was drawn with: "cpu" or "cuda"."""
    backend: Backend = getattr(_last, "backend", "cpu")
    return backend


def is_warm() -> bool:
    """Whether the kernels of the viewer are compiled and loaded."""
    return _warm.is_set()


def warm_up(stop: Stop | None = None) -> None:
    """Compile the viewer's kernels or load them from the cache.

    Blocking: call it from a background thread; a second caller waits for the first. Raises Cancelled when `stop`, which
    is polled, says so.
    """
    from gaussian_core.rasterizer.warm import warm_kernels

    while not _warming.acquire(timeout=0.05):
        if stop is not None and stop():
            raise Cancelled("stopped waiting for the kernels")
    try:
        if not _warm.is_set():
            warm_kernels(stop)
            _warm.set()
    finally:
        _warming.release()
