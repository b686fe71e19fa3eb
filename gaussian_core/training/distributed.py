"""Training by several processes, as torchrun starts them: one a GPU (or a share of the CPU's cores).

Each draws batches of its own and all take the same step by the mean of their gradients, so that n processes train as
one with an n times larger batch would.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor

from gaussian_core.errors import UserError

PATIENCE = timedelta(days=1)
"""How long the others wait for one, before they take it for dead: the first validates and saves meanwhile, on whatever
set it was given. torch's own ten minutes (with GPUs) would end a training there. Of a process that ends torchrun ends
the others at once."""


@dataclass(frozen=True)
class Group:
    """rank: 0 .. size - 1; the first one reports and saves."""

    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def share(self, tensors: Iterable[Tensor]) -> None:
        """Everyone gets the first one's values."""
        if self.size > 1:
            for tensor in tensors:
                dist.broadcast(tensor, 0)

    def average_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Replace each gradient by its mean over the group, in one exchange."""
        if self.size == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([g.reshape(-1) for g in gradients])
        dist.all_reduce(flat)
        flat /= self.size
        place = 0
        for gradient in gradients:
            gradient.copy_(flat[place : place + gradient.numel()].view_as(gradient))
            place += gradient.numel()

    def any(self, flag: bool, device: torch.device) -> bool:
        """Whether any of the group says so: all stop at the same step, or some would wait for ever."""
        if self.size == 1:
            return flag
        count = torch.tensor([float(flag)], device=device)
        dist.all_reduce(count)
        return bool(count.item() > 0)


@contextmanager
def joined(device: torch.device) -> Iterator[tuple[Group, torch.device]]:
    """The group that torchrun's environment describes, or one of one, and this process's device in it. Raises UserError
    where there are more processes than devices."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield Group(), device
        return
    if device.type == "cuda":
        number, there = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
        if number >= there:
            raise UserError(
                f"Process {number + 1} of this machine finds no GPU of its own, there are {there}: ask torchrun for "
                f"--nproc-per-node {there}, or train with --device cpu."
            )
        device = torch.device("cuda", number)
        torch.cuda.set_device(device)
    # An optimizer's first step imports it, and imported while there is a group it holds on to it: gloo's threads would
    # outlive destroy_process_group, and every so often one aborts the process on its way out.
    importlib.import_module("torch._dynamo")
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
    try:
        yield Group(dist.get_rank(), size), device
        dist.barrier()  # or the first to leave would end what the others still listen to
    finally:
        dist.destroy_process_group()
