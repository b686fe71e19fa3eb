"""What a launch of the CUDA kernel reads beside the fields."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gaussian_core.lattice import lattice_corner
from gaussian_core.viewport import Viewport

if TYPE_CHECKING:
    from gaussian_core.rasterizer.cuda_fields import DeviceField

# Where a Gaussian may be left out of a block, in standard deviations: below 1/1360 of its amplitude, as on the CPU.
REACH = 3.8
# Source pixels by which the search for cells is widened, as a part of the largest coordinate: covers its rounding.
SLACK = 2.0**-20


class Tables:
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
