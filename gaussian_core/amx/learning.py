"""Residual blocks for torch by the matrix unit, with their gradients: what training spends most of its time on."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gaussian_core.amx import learning_kernel as kernel
from gaussian_core.amx.arrays import arranged, halves, widest
from gaussian_core.amx.unit import usable
from gaussian_core.convolution.kernel import STEP
from gaussian_core.convolution.winograd import rows_of, run_as_torch
from gaussian_core.machine.cache_lines import half_lines

LEAST_SIDE = 2  # pixels


def suits(x: Tensor, weight: Tensor, slope: float) -> bool:
    """Whether the kernels can stand in for a residual block of such weights: where torch multiplies bfloat16, too."""
    return (
        slope > 0  # what is between tells by its sign where it was below zero
        and x.device.type == weight.device.type == "cpu"
        and torch.is_autocast_enabled("cpu")
        and torch.get_autocast_dtype("cpu") == torch.bfloat16
        and weight.shape[0] == weight.shape[1]
        and weight.shape[0] % STEP == 0
        and min(x.shape[-2:]) >= LEAST_SIDE
        and usable()
    )


def residual_block(x: Tensor, first: nn.Conv2d, second: nn.Conv2d, slope: float) -> Tensor:
    """x + conv(act(conv(x))) in float32, with zeros around, differentiable once. x (B, C, H, W)."""
    made: Tensor = _Block.apply(
        x.float(), first.weight, first.bias, second.weight, second.bias, slope
    )
    return made


class _Block(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, u: Tensor, b: Tensor, v: Tensor, c: Tensor, slope: float
    ) -> Tensor:
        source = rows_of(x)
        count, height = source.shape[:2]
        channels = len(b)
        width = source.shape[2] // channels
        size = kernel.extent(height, width) * channels
        seen, inner = (half_lines(count * size).reshape(count, size) for _ in range(2))
        y = np.empty_like(source)
        filters = [packed(w.detach().numpy(), False) for w in (u, v)]
        biases = [w.detach().numpy() for w in (b, c)]

        def work(i: int) -> None:
            kernel.forward(
                source[i], filters[0], biases[0], filters[1], biases[1], widest(channels),
                np.float32(slope), seen[i], inner[i], y[i],
            )  # fmt: skip

        run_as_torch(work, count)
        ctx.save_for_backward(u, v)
        ctx.kept = seen, inner, slope
        return _picture(y, channels)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        u, v = ctx.saved_tensors
        seen, inner, slope = ctx.kept
        gy, channels = rows_of(gradient), len(u)
        dx = np.empty_like(gy)
        count = len(gy)
        du, dv = (np.zeros((count, 9, channels, channels), np.float32) for _ in range(2))
        db, dc = (np.zeros((count, channels), np.float32) for _ in range(2))
        turned = [packed(w.detach().numpy(), True) for w in (u, v)]

        def work(i: int) -> None:
            kernel.backward(
                gy[i], seen[i], inner[i], turned[0], turned[1], widest(channels), np.float32(slope),
                dx[i], du[i], dv[i], db[i], dc[i],
            )  # fmt: skip

        run_as_torch(work, count)
        filters = [
            torch.from_numpy(d.sum(0)).view(3, 3, channels, channels).permute(3, 2, 0, 1)
            for d in (du, dv)
        ]
        biases = [torch.from_numpy(d.sum(0)) for d in (db, dc)]
        return _picture(dx, channels), filters[0], biases[0], filters[1], biases[1], None


def packed(weight: NDArray[np.float32], turned: bool) -> NDArray[np.uint16]:
    """arrays.arranged in bfloat16, of weight (C, C, 3, 3) or of its transpose, which takes gradients back."""
    places = _places(len(weight), turned)
    values = np.append(halves(weight.reshape(-1)), np.uint16(0))
    made: NDArray[np.uint16] = half_lines(places.size).reshape(places.shape)
    np.take(values, places, out=made, mode="clip")  # or every place would be looked at twice
    return made


@functools.lru_cache(8)
def _places(channels: int, turned: bool) -> NDArray[np.int64]:
    """Where in a weight, its values in a line and one zero after them, those of arranged are: a network is packed
    at every step."""
    count = channels * channels * 9
    numbers = np.arange(1, count + 1).reshape(channels, channels, 3, 3)
    if turned:
        numbers = numbers.transpose(1, 0, 2, 3)[:, :, ::-1, ::-1]
    # Zero is what is beyond the filter.
    return (arranged(numbers) - 1) % (count + 1)


def _picture(rows: NDArray[np.float32], channels: int) -> Tensor:
    """(B, H, W C) as (B, C, H, W)."""
    n, height = rows.shape[:2]
    return torch.from_numpy(rows.reshape(n, height, -1, channels).transpose(0, 3, 1, 2))
