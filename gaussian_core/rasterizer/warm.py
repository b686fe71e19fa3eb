"""Make the kernels of the viewer ready before the first frame needs them: those of the CPU, then those of the device.

`python -m gaussian_core.rasterizer.warm` compiles them into the cache on disk, see kernel_compiler.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from gaussian_core.errors import Cancelled, DeviceError
from gaussian_core.field import GaussianField
from gaussian_core.kernel_compiler import compile_apart, serve
from gaussian_core.parallel import Stop
from gaussian_core.rasterizer import Backend, cuda, cuda_use, rasterize
from gaussian_core.row_layout import ROW_PADDING
from gaussian_core.viewport import Viewport

MODULE = "gaussian_core.rasterizer.warm"


def warm_kernels(stop: Stop | None = None) -> None:
    """Have every CPU kernel of the viewer compiled and loaded when this returns. Raises Cancelled when stopped."""
    compile_apart(MODULE, stop)
    for use in PARTS:
        use()


def warm_device(stop: Stop | None = None) -> None:
    """Have the device, where there is one, ready to draw when this returns: torch loaded, the CUDA context made, the
    kernels compiled. That takes seconds, in which "auto" is the CPU if it was held back before (cuda_use.hold_back).

    A device that fails is given up, as by a frame. Raises Cancelled when stopped, between two frames.
    """
    try:
        if cuda_use.use.usable():
            _draw("cuda", stop)
    except DeviceError as error:
        cuda.give_up(error)
    finally:
        cuda_use.use.ready()


def _draw(backend: Backend, stop: Stop | None = None) -> None:
    """One tiny frame of every kind that the viewer shows."""
    for channels in (1, 3, 4):
        if stop is not None and stop():
            raise Cancelled("stopped between two kernels")
        _draw_channels(channels, backend)


def _draw_channels(channels: int, backend: Backend) -> None:
    field = GaussianField(
        [[1.0, 1.0]], [[0.2, 0.0, 0.2]], np.full((1, channels), 0.5), extent=(2, 2)
    )
    # Near 100 % the device draws in smaller blocks, by a kernel of their own.
    for scale in (1.0, 2.0):
        view = Viewport((0, 0), scale, (4, 4))
        rasterize(field, view, format="bgrx8", backend=backend)
        rasterize(field, view, backend=backend)
    field.in_rect((0, 0, 2, 2))


def _build() -> None:
    for channels in (3, 4):
        _build_a_tile(channels)
    _sort()
    from gaussian_core import difference_kernel, resampling
    from gaussian_core.amx import kernel as amx
    from gaussian_core.amx.unit import usable
    from gaussian_core.convolution import kernel as convolution
    from gaussian_core.models import assembly_kernel, picture_kernels

    resampling.warm()
    difference_kernel.warm()
    convolution.warm()
    if usable():
        amx.warm()
    assembly_kernel.warm()
    picture_kernels.warm()


def _build_a_tile(channels: int) -> None:
    from gaussian_core.builder import build_field

    field = build_field(np.full((2, 2, channels), 0.5, np.float32), "kernel")
    _ = field.index


def _sort() -> None:
    """Gaussians that drifted do not stand in the order of the cells that they are in: of arrays, and of a builder."""
    rows = np.ones((8, 2 + ROW_PADDING), np.float32)
    rows[:2, 0], rows[3] = 40, 0
    built = GaussianField.from_rows(rows, (64, 64))
    arrays = GaussianField(built.means, built.covariances, built.amplitudes, (64, 64))
    _ = built.index, arrays.index


PARTS = (
    partial(_draw_channels, 3, "cpu"),
    _build,
    partial(_draw_channels, 4, "cpu"),
    partial(_draw_channels, 1, "cpu"),
)
"""What calls every kernel of the CPU, also beside a CUDA device, which comes later and may fail: the longest first."""

if __name__ == "__main__":
    serve(MODULE, PARTS)
