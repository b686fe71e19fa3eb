"""Attention in windows: what SwinIR (arXiv 2108.10257) and HAT (arXiv 2205.04437) share. Maps are (B, H, W, C)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gaussian_core.errors import WeightsError
from gaussian_core.models.published.encoder import Check

MASKED = (
    -100.0
)  # added to a logit of two places that are not neighbours in the picture, as published
BAND = 1 << 15  # places that attention and perceptrons take at a time: their scratch stays small


def position_index(window: int, other: int | None = None) -> Tensor:
    """(window^2, other^2): entry of the bias table for each query and key of one window, as the files number them.

    other: side of the window of the keys. Numbers may be negative where it is larger: they count from the end.
    """
    outer = other or window
    q, k = torch.arange(window), torch.arange(outer)
    if other is None:
        offset = q[:, None] - k[None, :] + window - 1
    else:
        offset = k[None, :] - q[:, None] + window - outer + 1
    width = window + outer - 1
    index = offset[:, None, :, None] * width + offset[None, :, None, :]
    return index.reshape(window * window, outer * outer)


def split(x: Tensor, window: int) -> Tensor:
    """(B, H, W, C) -> (B windows, window^2, C), windows row by row."""
    b, h, w, c = x.shape
    x = x.reshape(b, h // window, window, w // window, window, c)
    return x.permute(0, 1, 3, 2, 4, 5).reshape(-1, window * window, c)


def join(x: Tensor, window: int, height: int, width: int) -> Tensor:
    """The inverse of split: (B, height, width, C)."""
    x = x.reshape(-1, height // window, width // window, window, window, x.shape[-1])
    return x.permute(0, 1, 3, 2, 4, 5).reshape(-1, height, width, x.shape[-1])


def shift_labels(length: int, window: int, shift: int, device: torch.device) -> Tensor:
    """(length,): which stretch of the picture a place of the rolled axis comes from; different ones do not attend."""
    place = torch.arange(length, device=device)
    return (place >= length - window).long() + (place >= length - shift).long()


def shift_mask(height: int, width: int, window: int, shift: int) -> Tensor:
    """(windows, window^2, window^2): 0 or MASKED, as files carry it."""
    device = torch.device("cpu")
    rows = shift_labels(height, window, shift, device)
    columns = shift_labels(width, window, shift, device)
    labels = split((3 * rows[:, None] + columns)[None, :, :, None], window)[..., 0]
    return (labels[:, None, :] != labels[:, :, None]) * MASKED


def bands(length: int, step: int, width: int) -> list[tuple[int, int]]:
    """Stretches of whole steps of `length` rows of `width` places, each about BAND places."""
    rows = max(1, BAND // (step * width)) * step
    return [(top, min(top + rows, length)) for top in range(0, length, rows)]


def mirrored(x: Tensor, window: int) -> Tensor:
    """(B, C, H, W) continued to whole windows at the right and the bottom, mirrored without repeating the border."""

    def places(length: int) -> Tensor:
        full = -(-length // window) * window
        period = max(1, 2 * (length - 1))
        place = torch.arange(full, device=x.device) % period
        return torch.minimum(place, period - place) if length > 1 else place * 0

    if x.shape[-2] % window == 0 and x.shape[-1] % window == 0:
        return x
    return x[..., places(x.shape[-2]), :][..., places(x.shape[-1])]


def check_heads(channels: int, heads: int) -> None:
    if channels % heads:
        raise WeightsError(f"{heads} heads of attention do not divide {channels} channels")


def attend(q: Tensor, k: Tensor, v: Tensor, heads: int, bias: Tensor, scale: float) -> Tensor:
    """softmax(s q k^T + bias) v by head: (N, n, C), (N, m, C) twice, bias (1 | N, heads, n, m) -> (N, n, C)."""

    def by_head(x: Tensor) -> Tensor:
        return x.reshape(x.shape[0], x.shape[1], heads, -1).transpose(1, 2)

    out = F.scaled_dot_product_attention(
        by_head(q), by_head(k), by_head(v), attn_mask=bias, scale=scale
    )
    return out.transpose(1, 2).reshape(q.shape)


class Perceptron(nn.Module):
    """fc2(gelu(fc1(x)))."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(channels, hidden)
        self.fc2 = nn.Linear(hidden, channels)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.fc2(F.gelu(self.fc1(x)))
        return out


def add_perceptron(x: Tensor, norm: nn.Module, mlp: nn.Module, check: Check) -> Tensor:
    """x + mlp(norm(x)), band by band and in place."""
    for top, bottom in bands(x.shape[1], 1, x.shape[2]):
        x[:, top:bottom] += mlp(norm(x[:, top:bottom]))
        check()
    return x


class WindowAttention(nn.Module):
    """Multi-head self-attention in windows with a learnt bias for relative positions (Swin, arXiv 2103.14030)."""

    def __init__(
        self, channels: int, window: int, heads: int, bias: bool, scale: float | None
    ) -> None:
        super().__init__()
        check_heads(channels, heads)
        self.window, self.heads = window, heads
        self.scale = scale or (channels // heads) ** -0.5
        self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * window - 1) ** 2, heads))
        self.qkv = nn.Linear(channels, 3 * channels, bias=bias)
        self.proj = nn.Linear(channels, channels)

    def bias(self) -> Tensor:
        """(1, heads, n, n), n = window^2."""
        index = position_index(self.window).to(self.relative_position_bias_table.device)
        return self.relative_position_bias_table[index].permute(2, 0, 1)[None].contiguous()

    def forward(self, x: Tensor, shift: int, check: Check) -> Tensor:
        """x (B, H, W, C), sides whole numbers of windows; shift: by which the windows are moved."""
        height, width = x.shape[1:3]
        if shift:
            x = x.roll((-shift, -shift), (1, 2))
        out = torch.empty_like(x)
        bias = self.bias()
        for top, bottom in bands(height, self.window, width):
            windows = split(x[:, top:bottom], self.window)
            q, k, v = self.qkv(windows).chunk(3, -1)
            added = bias
            if shift:
                added = bias + self._mask(x, top, bottom, shift)
            made = self.proj(attend(q, k, v, self.heads, added, self.scale))
            out[:, top:bottom] = join(made, self.window, bottom - top, width)
            check()
        return out.roll((shift, shift), (1, 2)) if shift else out

    def _mask(self, x: Tensor, top: int, bottom: int, shift: int) -> Tensor:
        """(B windows, 1, n, n) of the rows top .. bottom - 1."""
        rows = shift_labels(x.shape[1], self.window, shift, x.device)[top:bottom]
        columns = shift_labels(x.shape[2], self.window, shift, x.device)
        labels = (3 * rows[:, None] + columns).expand(x.shape[0], -1, -1)[..., None]
        flat = split(labels, self.window)[..., 0]
        return ((flat[:, None, :] != flat[:, :, None]) * MASKED).to(x.dtype)[:, None]
