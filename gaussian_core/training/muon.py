"""Muon: momentum whose direction is orthogonalised per weight matrix (K. Jordan et al., 2024).

For hidden convolutions; Adam keeps the first and last layers and all vectors.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import Tensor

A, B, C = 3.4445, -4.7750, 2.0315  # of Muon's quintic: X <- (A + B X X' + C (X X')^2) X


def orthogonalise(matrices: Tensor, steps: int = 5) -> Tensor:
    """About the nearest semi-orthogonal matrix of each of (..., m, n): the quintic Newton-Schulz iteration of Muon.

    Every step multiplies X from the left by a polynomial of X X', and so X X' from both sides. So the steps
    are taken by that product alone, whose sides are the shorter one of X, and X itself is multiplied once.
    """
    x = matrices / (torch.linalg.matrix_norm(matrices, keepdim=True) + 1e-7)
    tall = x.shape[-2] > x.shape[-1]
    x = x.mT if tall else x
    gram = x @ x.mT
    kept = A * torch.eye(gram.shape[-1]).to(gram)
    total = None
    for _ in range(steps):
        step = kept + B * gram + C * gram @ gram
        total = step if total is None else step @ total
        gram = step @ gram @ step
    x = x if total is None else total @ x
    return x.mT if tall else x


class Muon(torch.optim.Optimizer):
    """Weights of two dimensions or more, read as (outputs, everything else)."""

    def __init__(self, params: Iterable[Tensor], lr: float = 0.01, momentum: float = 0.95) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            # The matrices of a network are many, small and of few shapes: those of one shape go side by side.
            alike: defaultdict[torch.Size, list[Tensor]] = defaultdict(list)
            for p in group["params"]:
                if p.grad is not None:
                    alike[p.shape].append(p)
            for shape, members in alike.items():
                gradients = [p.grad for p in members if p.grad is not None]
                buffers = [self._momentum(p) for p in members]
                torch._foreach_lerp_(buffers, gradients, 1 - group["momentum"])
                directions = torch._foreach_lerp(gradients, buffers, group["momentum"])
                stacked = torch.stack([direction.reshape(shape[0], -1) for direction in directions])
                updates = orthogonalise(stacked).view(-1, *shape)
                rate = group["lr"] * max(1.0, shape[0] / stacked.shape[2]) ** 0.5
                torch._foreach_add_(members, list(updates.unbind()), alpha=-rate)

    def _momentum(self, p: Tensor) -> Tensor:
        state = self.state[p]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(p)
        buffer: Tensor = state["momentum"]
        return buffer
