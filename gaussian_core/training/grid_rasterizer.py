"""The fast differentiable rasterizer of training: samples on the lattice of cells, Gaussians of the cells around.

One sample a cell keeps every access contiguous: for each offset in the window a whole row of samples meets a row of
Gaussians. On the CPU the two passes are compiled; elsewhere the same sums run as tensor operations.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from gaussian_core.models.continuoussr import Cells

HALF_LOG2E = 0.5 / math.log(2.0)


def sample_cells(cells: Cells, positions: Tensor, pixel_sigma: Tensor, reach: int) -> Tensor:
    """The field at one position a cell.

    positions (B, 2, h - 2 reach, w - 2 reach): x, y in source pixels, each inside or near its own cell; row i, column
    j belongs to cell (i + reach, j + reach). pixel_sigma (B,): footprint in source pixels. -> (B, 3, same size).
    Gaussians beyond `reach` cells of the sample's own are left out.
    """
    xx, xy, yy = cells.covariances.unbind(1)
    blur = (pixel_sigma**2)[:, None, None]
    wx, wy = xx + blur, yy + blur
    before, after = (xx * yy - xy * xy).clamp_min(1e-10), wx * wy - xy * xy
    colours = cells.amplitudes * torch.sqrt(before / after)[:, None]
    k = -HALF_LOG2E / after
    conic = torch.stack([k * wy, -2 * k * xy, k * wx], 1)
    table = torch.cat([cells.means, conic, colours], 1)
    if table.device.type == "cpu" and table.dtype == torch.float32:
        return _Compiled.apply(table.contiguous(), positions.contiguous(), reach)
    return sample_table(table, positions, reach)


def sample_table(table: Tensor, positions: Tensor, reach: int) -> Tensor:
    """The sums as tensor operations: any device and type, twice differentiable.

    A row of the window at once: so a GPU is asked for a tenth of the operations that it would be for one Gaussian after
    the other, and to ask takes longer than most of these.
    """
    height, width = positions.shape[-2:]
    total = torch.zeros_like(table[:, 5:, :height, :width])
    at = positions[:, :, :, None]
    for i in range(2 * reach + 1):
        near = table[:, :, i : i + height].unfold(3, width, 1)  # (B, 8, h, 2 reach + 1, w)
        dx, dy = (at - near[:, :2]).unbind(1)
        power = near[:, 2] * dx * dx + near[:, 3] * dx * dy + near[:, 4] * dy * dy
        total = total + (torch.exp2(power)[:, None] * near[:, 5:]).sum(3)
    return total


@lru_cache(1)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(torch.get_num_threads(), "grid-rasterizer")


class _Compiled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, table: Tensor, positions: Tensor, reach: int) -> Tensor:
        from gaussian_core.training import grid_kernel

        out = torch.zeros(table.shape[0], 3, *positions.shape[-2:])
        g, p, o = table.numpy(), positions.numpy(), out.numpy()
        list(_pool().map(lambda i: grid_kernel.forward(g[i], p[i], o[i], reach), range(len(g))))
        ctx.save_for_backward(table, positions)
        ctx.reach = reach
        return out

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        from gaussian_core.training import grid_kernel

        table, positions = ctx.saved_tensors
        back = torch.zeros_like(table)
        g, p, o, b = table.numpy(), positions.numpy(), gradient.contiguous().numpy(), back.numpy()

        def run(i: int) -> None:
            grid_kernel.backward(g[i], p[i], o[i], b[i], ctx.reach)

        list(_pool().map(run, range(len(g))))
        return back, None, None
