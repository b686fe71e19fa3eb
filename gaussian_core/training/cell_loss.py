"""The loss of the learned field on the CPU, compiled from the heads' outputs to the number, with its gradient.

Its twin, of tensor operations and for every design, is in learners.ContinuousSRLearner; the tests compare them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gaussian_core.convolution.winograd import run_as_torch
from gaussian_core.models.config import GEOMETRY_RATE, ModelConfig
from gaussian_core.models.continuoussr import ContinuousSR
from gaussian_core.models.picture_kernels import bicubic_taps, enlarge_rows, structure_rows
from gaussian_core.training.dataset import Batch

LEAST_SPREAD = 0.05
"""Of Gaussians that start smaller the twin keeps the area from vanishing, which is not done here."""

Floats = NDArray[np.float32]


def suits(config: ModelConfig, batch: Batch) -> bool:
    """Whether this computes the loss of a network so described."""
    return (
        batch.low.device.type == "cpu"
        and batch.low.dtype == torch.float32
        and config.covariance == "log"
        and config.elongation == 0
        and config.spread >= LEAST_SPREAD
    )


def loss(
    model: ContinuousSR,
    raw: Tensor,
    batch: Batch,
    reach: int,
    follow: float,
    luminance: float = 0.0,
    squares: bool = False,
) -> Tensor:
    """How far the field is from the original's colours, plus `follow` times the prior on the geometry.

    raw (B, O, P): model.planes of the crops. reach: see grid_rasterizer.sample_cells. luminance, squares: see
    colour_loss.
    """
    prior = model.prior.numpy()
    made: Tensor = _Loss.apply(
        raw.float(), batch, model.config, prior, reach, follow, luminance, squares
    )
    return made


class _Loss(torch.autograd.Function):
    """The gradient is made with the value: at the cost of half a loss where nobody asks for it."""

    @staticmethod
    def forward(
        ctx: Any,
        raw: Tensor,
        batch: Batch,
        config: ModelConfig,
        prior: Floats,
        reach: int,
        follow: float,
        luminance: float,
        squares: bool,
    ) -> Tensor:
        from gaussian_core.training import cell_kernel, grid_kernel
        from gaussian_core.training.colour_loss_kernel import absolute_loss, square_loss

        g = config.cells
        n, _, height, width = batch.low.shape
        outputs = raw.detach().reshape(n, -1, g * g, height * width).contiguous().numpy()
        low, positions = batch.low.contiguous().numpy(), batch.positions.contiguous().numpy()
        wanted = batch.colours.contiguous().numpy()
        gradient = np.empty_like(outputs)
        rate, variance = np.float32(GEOMETRY_RATE), np.float32(config.spread**2)
        drift = np.float32(config.drift)
        blur = ((batch.cell * config.footprint) ** 2).float().numpy()
        gaussians = n * g * g * height * width
        sums = np.zeros((n, 2))
        firsts, weights = bicubic_taps(g)
        colour_loss = square_loss if squares else absolute_loss

        def work(i: int) -> None:
            enlarged = np.empty((3, g * height, g * width), np.float32)
            enlarge_rows(low[i], firsts, weights, 0, g * height, enlarged)
            edges = np.empty((2, height, width), np.float32)
            pixels = np.ascontiguousarray(low[i].transpose(1, 2, 0))
            structure_rows(pixels, np.float32(1), 0, height, edges)
            table = np.empty((8, g * height, g * width), np.float32)
            cell_kernel.table_of(
                outputs[i], g, width, enlarged, prior, rate, variance, blur[i], drift, table
            )
            seen = np.zeros_like(wanted[i])
            grid_kernel.forward(table, positions[i], seen, reach)
            back_seen, back = np.empty_like(seen), np.zeros_like(table)
            sums[i, 0] = colour_loss(
                seen, wanted[i], np.float32(luminance), np.float32(1 / wanted.size), back_seen
            )
            grid_kernel.backward(table, positions[i], back_seen, back, reach)
            sums[i, 1] = cell_kernel.raw_gradient(
                outputs[i], g, width, table, edges, back, prior, rate, variance, blur[i], drift,
                np.float32(follow / gaussians), gradient[i],
            )  # fmt: skip

        run_as_torch(work, n)
        ctx.gradient = torch.from_numpy(gradient).reshape(raw.shape)
        lost, prior_sum = sums.sum(0)
        return torch.tensor(float(lost / wanted.size + follow * prior_sum / gaussians))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        return ctx.gradient * gradient, *[None] * 7
