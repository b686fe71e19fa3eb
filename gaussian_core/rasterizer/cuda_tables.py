"""What a launch of the CUDA kernel reads beside the fields."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gaussian_core.lattice import lattice_corner
from gaussian_core.viewport import Viewport

if TYPE_CHECKING:
    import torch

    from gaussian_core.rasterizer.cuda_fields import DeviceField

# Where a Gaussian may be left out of a block, in standard deviations: below 1/1360 of its amplitude, as on the CPU.
REACH = 3.8
# Source pixels by which the search for cells is widened, as a part of the largest place: covers its rounding.
SLACK = 2.0**-20
# Device pixels of a bin: blocks in it share a list of the grid levels that may reach them.
BIN_WIDTH = 64
BIN_HEIGHT = 32


class Tables:
    """The grid levels of the fields, which of them may reach where, and where the blocks stand: in one buffer."""

    def __init__(
        self,
        fields: list[DeviceField],
        gains: tuple[float, ...],
        viewport: Viewport,
        pixel_sigma: float,
        block: tuple[int, int],
    ) -> None:
        """block: width and height of a block, device pixels; a bin is a whole number of them."""
        (sx, sy), (width, height) = viewport.scale, viewport.size
        (lx, phase_x), (ly, phase_y) = lattice_corner(viewport)
        # Blocks stand on the absolute lattice: the first may begin outside the viewport.
        self.left, self.top = -(lx % block[0]), -(ly % block[1])
        self.columns = math.ceil((width - self.left) / block[0])
        self.rows = math.ceil((height - self.top) / block[1])
        addresses = np.concatenate([field.addresses for field in fields])
        numbers = np.concatenate([field.numbers for field in fields])
        for axis, scale in ((0, sx), (1, sy)):
            variance = numbers[:, 3 + axis] + (pixel_sigma / scale) ** 2
            numbers[:, 3 + axis] = REACH * np.sqrt(variance) + SLACK * numbers[:, 5]
        numbers[:, 5] = np.repeat(gains, [len(field.addresses) for field in fields])
        cell = 1 / numbers[:, 2]
        self.bin_columns, across = _bins(
            numbers[:, 8] + numbers[:, 0] - numbers[:, 3],
            numbers[:, 8] + numbers[:, 0] + numbers[:, 6] * cell + numbers[:, 3],
            (sx, float(lx + self.left) + phase_x + 0.5),
            self.columns * block[0],
            BIN_WIDTH,
        )
        bin_rows, down = _bins(
            numbers[:, 9] + numbers[:, 1] - numbers[:, 4],
            numbers[:, 9] + numbers[:, 1] + numbers[:, 7] * cell + numbers[:, 4],
            (sy, float(ly + self.top) + phase_y + 0.5),
            self.rows * block[1],
            BIN_HEIGHT,
        )
        bins, listed = _lists(across, down, self.bin_columns, bin_rows)
        parts = (
            addresses.view(np.float32).ravel(),
            numbers.astype(np.float32).ravel(),
            _anchors(lx + self.left, phase_x, sx, block[0], self.columns),
            _anchors(ly + self.top, phase_y, sy, block[1], self.rows),
            bins.view(np.float32),
            listed.view(np.float32),
        )
        # Every part starts on 16 bytes, so that Triton compiles one kernel for all of them.
        sizes = [max(4, -(-part.size // 4) * 4) for part in parts]
        self._starts = [0, *np.cumsum(sizes).tolist()]
        self.buffer = np.zeros(self._starts[-1], np.float32)
        for part, start in zip(parts, self._starts, strict=False):
            self.buffer[start : start + part.size] = part

    def parts(self, buffer: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Of the buffer on the device: integers, numbers, anchors_x, anchors_y, bins and listed of the kernel."""
        import torch

        types = (torch.int64, torch.float32, torch.float32, torch.float32, torch.int32, torch.int32)
        ends = self._starts[1:]
        return tuple(
            buffer[start:end].view(kind)
            for start, end, kind in zip(self._starts, ends, types, strict=False)
        )


def _bins(
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    lattice: tuple[float, float],
    pixels: int,
    size: int,
) -> tuple[int, NDArray[np.int64]]:
    """How many bins of `size` pixels there are along an axis, and (2, levels) the first one that each level reaches and
    how many: low to high in source coordinates. lattice: the scale, and where the first pixel's centre is on it.
    """
    count = -(-pixels // size)
    scale, first = lattice
    # A pixel more on both sides, for what the kernel's single precision may find there.
    begin = np.floor(np.clip((low * scale - first - 1) / size, -1, count)).astype(np.int64)
    end = np.floor(np.clip((high * scale - first + 1) / size, -1, count)).astype(np.int64) + 1
    begin, end = np.maximum(begin, 0), np.minimum(end, count)
    return count, np.stack([begin, np.maximum(end - begin, 0)])


def _lists(
    across: NDArray[np.int64], down: NDArray[np.int64], columns: int, rows: int
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Where each bin's levels begin (and the last one's end), and the levels bin by bin, in ascending order: the order
    in which a pixel's Gaussians are added up does not depend on the viewport."""
    sizes = across[1] * down[1]
    level = np.repeat(np.arange(len(sizes)), sizes)
    within = np.arange(len(level)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    wide = across[1][level]
    bin_ = (down[0][level] + within // np.maximum(wide, 1)) * columns
    bin_ += across[0][level] + within % np.maximum(wide, 1)
    starts = np.zeros(columns * rows + 1, np.int32)
    np.cumsum(np.bincount(bin_, minlength=columns * rows), out=starts[1:])
    if len(starts) <= 1 << 16:
        bin_ = bin_.astype(np.uint16)  # NumPy sorts these by digits, three times as fast
    return starts, level[np.argsort(bin_, kind="stable")].astype(np.int32)


def _anchors(first: int, phase: float, scale: float, step: int, count: int) -> NDArray[np.float32]:
    """Source coordinate of the centre of every `step`-th lattice pixel from `first` on, as a float32 and its rest."""
    exact = (float(first) + np.arange(count, dtype=np.float64) * step + (phase + 0.5)) / scale
    exact = np.clip(exact, -1e30, 1e30)  # a view as far away as that is empty; float32 must hold it
    high = exact.astype(np.float32)
    return np.concatenate([high, (exact - high).astype(np.float32)])
