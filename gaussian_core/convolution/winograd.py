"""The convolution for torch: F.conv2d where its tensors suit, in half the time on CPUs of AVX2.

It is there for float32: training on CPUs that multiply bfloat16 natively is in that type, by torch's convolutions or
those of gaussian_core.amx.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gaussian_core.convolution import arrays, kernel
from gaussian_core.parallel import run_alone, run_strips


def is_fast(x: Tensor) -> bool:
    """Whether the kernels take such tensors."""
    return x.device.type == "cpu" and x.dtype == torch.float32


def suits(x: Tensor, weight: Tensor) -> bool:
    """Whether the kernel can stand in for F.conv2d(x, weight)."""
    return (
        is_fast(x)
        and is_fast(weight)
        and weight.shape[2:] == (3, 3)
        and weight.shape[0] % kernel.STEP == weight.shape[1] % kernel.STEP == 0
        and min(x.shape[-2:]) >= 3
    )


def filters(weight: Tensor) -> Tensor:
    """(K, C, 3, 3) -> (36, C, K), for `convolve`."""
    return torch.from_numpy(arrays.filters(weight.detach().numpy(), _product))


def convolve(
    x: Tensor,
    u: Tensor,
    bias: Tensor,
    padding: int,
    slope: float = 1.0,
    plus: Tensor | None = None,
) -> Tensor:
    """arrays.convolve for tensors (B, C, H, W) in float32, without a gradient. The result is channels_last."""
    more = None if plus is None else _pixels(plus)
    made = arrays.convolve(_pixels(x), u.numpy(), bias.numpy(), padding, slope, more, run_as_torch)
    # Not torch's permute: in-place changes of a view would stand in the way of the gradient.
    return torch.from_numpy(made.transpose(0, 3, 1, 2))


def conv3x3(
    layer: nn.Conv2d,
    x: Tensor,
    padding: int,
    slope: float = 1.0,
    plus: Tensor | None = None,
) -> Tensor:
    """act(conv(x) + bias) + plus, differentiable; by the kernel where that suits, else by torch.

    x (B, C, H, W). padding: zeros around x, 0 or 1, whatever the layer's own. slope: of the activation below zero; 1
    for none. plus: (B, K, ..) as large as the result or larger, then its middle. The result may be changed in place.
    """
    weight, bias = layer.weight, layer.bias
    assert bias is not None
    if not suits(x, weight):
        made = F.conv2d(x, weight, bias, padding=padding)
    elif torch.is_grad_enabled():
        made = _Convolution.apply(x, weight, bias, padding)
    else:
        return convolve(x, filters(weight), bias, padding, slope, plus)
    if slope != 1:
        made = F.leaky_relu_(made, slope) if slope else made.relu_()
    if plus is None:
        return made
    return made.add_(cropped(plus, (plus.shape[-1] - made.shape[-1]) // 2))


def cropped(x: Tensor, by: int) -> Tensor:
    """(.., H, W) without `by` pixels on each side."""
    return x[..., by:-by, by:-by] if by else x


def heads(x: Tensor, hidden: nn.Conv2d, weight: Tensor, bias: Tensor) -> Tensor:
    """(O, H, W): weight relu(hidden(x)) + bias for each pixel of x (1, C, H, W), on the CPU, without a gradient.

    hidden: a convolution of 1 x 1; weight (O, hidden); bias (O). All float32.
    """
    assert hidden.bias is not None
    height, width = x.shape[-2:]
    tensors = (hidden.weight.flatten(1), hidden.bias, weight, bias)
    layers = arrays.with_biases(*(t.detach().numpy() for t in tensors))
    planes = arrays.heads(_pixels(x).reshape(-1, x.shape[1]), *layers, run_as_torch)
    return torch.from_numpy(planes).view(-1, height, width)


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, padding: int) -> Tensor:
        u = filters(weight)
        ctx.save_for_backward(x, u)
        ctx.padding = padding
        return convolve(x, u, bias.detach(), padding)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        x, u = ctx.saved_tensors
        source, back = rows_of(x), rows_of(gradient)
        n, wanted = len(x), ctx.needs_input_grad[0]
        inputs = torch.zeros_like(x, memory_format=torch.channels_last) if wanted else None
        dx = np.empty((n, 0, 0), np.float32) if inputs is None else rows_of(inputs)
        du = np.zeros((n, *u.shape), np.float32)
        turned = np.ascontiguousarray(u.numpy().transpose(0, 2, 1))

        def work(i: int) -> None:
            kernel.backward(source[i], back[i], turned, ctx.padding, du[i], dx[i])

        run_as_torch(work, n)
        total = torch.from_numpy(du.sum(0)).flatten(1)
        weight = (
            (torch.from_numpy(arrays.BOTH_AXES).T @ total)
            .view(3, 3, *u.shape[1:])
            .permute(3, 2, 0, 1)
        )
        sums = gradient.sum((0, 2, 3))
        return inputs, weight, sums, None


def _product(a: arrays.Floats, b: arrays.Floats) -> arrays.Floats:
    made: arrays.Floats = (torch.from_numpy(a) @ torch.from_numpy(b)).numpy()
    return made


def run_as_torch(work: Callable[[int], None], count: int) -> None:
    """On as many threads as torch would take: one, where several processes or threads train side by side."""
    if torch.get_num_threads() > 1:
        run_strips(work, count)
        return
    run_alone(work, count)


def _pixels(x: Tensor) -> np.ndarray[Any, np.dtype[np.float32]]:
    """(B, C, H, W) as a contiguous (B, H, W, C), without a copy where it is channels_last."""
    return x.detach().permute(0, 2, 3, 1).contiguous().numpy()


def rows_of(x: Tensor) -> np.ndarray[Any, np.dtype[np.float32]]:
    """(B, C, H, W) as a contiguous (B, H, W C)."""
    pixels = _pixels(x)
    return pixels.reshape(*pixels.shape[:2], -1)
