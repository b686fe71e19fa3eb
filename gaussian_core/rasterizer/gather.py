"""The differentiable rasterizer in torch: each block of pixels gathers the Gaussians that reach it.

It renders on devices that have no kernel of their own. Everything about which Gaussian reaches which block is integer
work without gradients; the values are plain tensor expressions, so any device and any dtype do.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gaussian_core.errors import Cancelled
from gaussian_core.viewport import Viewport

if TYPE_CHECKING:
    from gaussian_core.field import GaussianField
    from gaussian_core.parallel import Stop

BLOCK = 16  # device pixels along each side of a block
REACH = 4.5  # where a Gaussian is cut, in standard deviations: 1/25000 of its amplitude
CHUNK = 1 << 22  # (pixel, Gaussian) pairs that are evaluated at once: bounds the memory


def rasterize_torch(
    means: Tensor,  # (N, 2) x, y
    covariances: Tensor,  # (N, 3) sxx, sxy, syy
    amplitudes: Tensor,  # (N, C)
    viewport: Viewport,
    pixel_sigma: float = 0.3,
    stop: Stop | None = None,
) -> Tensor:
    """(H, W, C): the field at the viewport's pixels, differentiable in all three tensors.

    Units and footprint as in `rasterize`. The tensors share a device and a floating dtype, which the result has too.
    A Gaussian whose covariance is not positive definite, as rounding makes one of a very thin one, has no area: nothing
    is drawn of it, and its gradients are zeros. stop: polled between chunks of blocks; when true, Cancelled is raised.
    Raises ValueError for tensors of other shapes or types, for means or covariances that are not finite, and for a
    pixel_sigma that is no footprint.
    """
    _check(means, covariances, amplitudes)
    if not 0 <= pixel_sigma < math.inf:  # NaN comes here too
        raise ValueError(f"pixel_sigma must be zero or positive, got {pixel_sigma}")
    width, height = viewport.size
    sx, sy = viewport.scale
    # In device pixels from the viewport's corner; double precision, since a position may be large and its error not.
    wide = _widest(means.device)
    scale = means.new_tensor([sx, sy], dtype=wide)
    origin = means.new_tensor(viewport.origin, dtype=wide)
    places = (means.to(wide) - origin) * scale
    # Determinants, too: of a long, thin, slanted Gaussian they are what is left of numbers a million times as large.
    scaled = covariances.to(wide) * means.new_tensor([sx * sx, sx * sy, sy * sy], dtype=wide)
    footprint = pixel_sigma * pixel_sigma
    xx, xy, yy = scaled[:, 0] + footprint, scaled[:, 1], scaled[:, 2] + footprint
    before = scaled[:, 0] * scaled[:, 2] - xy * xy
    solid = (before > 0) & (scaled[:, 0] > 0)
    # The root's slope at 0 is infinite, and times nothing no number: what has no area is left out before it.
    xx, yy, before = (torch.where(solid, part, 1.0) for part in (xx, yy, before))
    determinant = torch.where(solid, before + footprint * (scaled[:, 0] + yy), 1.0)
    seen = torch.where(solid, torch.sqrt(before / determinant), 0.0)
    heights = amplitudes * seen.to(amplitudes.dtype)[:, None]
    # The exponent as that of dy and that of dx from where it is largest at this dy: of a long, thin, slanted Gaussian
    # the terms of dx^2, dx dy and dy^2 would be a million times their sum, which rounding could make positive.
    shapes = torch.stack([-0.5 / yy, xy / yy, -0.5 * yy / determinant], dim=1).to(means.dtype)

    columns, rows = -(-width // BLOCK), -(-height // BLOCK)
    with torch.no_grad():
        radii = REACH * torch.sqrt(torch.stack([xx, yy], dim=1).to(wide))
        members, counts = _members(places.detach(), radii, columns, rows)
    starts = torch.cumsum(counts, 0) - counts
    steps = torch.arange(BLOCK, device=means.device, dtype=wide) + 0.5

    blocks: list[Tensor] = []
    values: list[Tensor] = []
    for chosen, longest in _chunks(counts):
        if stop is not None and stop():
            raise Cancelled("stopped between blocks")
        slots = torch.arange(longest, device=means.device)
        present = slots[None, :] < counts[chosen][:, None]
        pair = (starts[chosen][:, None] + slots[None, :]).clamp_(max=max(0, len(members) - 1))
        which = members[pair]  # (B, K)
        left = (chosen % columns * BLOCK).to(wide)
        top = (torch.div(chosen, columns, rounding_mode="floor") * BLOCK).to(wide)
        offset_x = left[:, None] - places[which, 0]
        offset_y = top[:, None] - places[which, 1]
        dx = (offset_x[:, None, :] + steps[None, :, None]).to(means.dtype)  # (B, BLOCK, K)
        dy = (offset_y[:, None, :] + steps[None, :, None]).to(means.dtype)
        along_y, slope, along_x = shapes[which][:, None].unbind(3)  # (B, 1, K)
        away = dx[:, None, :, :] - (slope * dy)[:, :, None, :]
        exponent = along_x[:, None] * away * away + (along_y * dy * dy)[:, :, None, :]
        weight = torch.exp(exponent) * present[:, None, None, :]
        values.append(torch.einsum("byxk,bkc->byxc", weight, heights[which]))
        blocks.append(chosen)

    channels = amplitudes.shape[1]
    canvas = means.new_zeros((rows * columns, BLOCK, BLOCK, channels))
    if blocks:
        canvas = canvas.index_copy(0, torch.cat(blocks), torch.cat(values))
    else:  # beside all Gaussians there are gradients, too: none but zeros
        canvas = canvas + sum(t[:0].sum() for t in (means, covariances, amplitudes))
    picture = canvas.reshape(rows, columns, BLOCK, BLOCK, channels).transpose(1, 2)
    return picture.reshape(rows * BLOCK, columns * BLOCK, channels)[:height, :width]


def _check(*tensors: Tensor) -> None:
    if not all(isinstance(t, Tensor) for t in tensors):
        given = ", ".join(type(t).__name__ for t in tensors)
        raise ValueError(f"means, covariances and amplitudes must be tensors, not {given}")
    means, covariances, amplitudes = tensors
    count = len(means) if means.ndim else 0
    fits = means.shape == (count, 2) and covariances.shape == (count, 3)
    if not (fits and amplitudes.ndim == 2 and len(amplitudes) == count):
        shapes = ", ".join(str(tuple(t.shape)) for t in tensors)
        raise ValueError(
            f"means (N, 2), covariances (N, 3) and amplitudes (N, C) are needed, not {shapes}"
        )
    kinds = {(str(t.dtype), str(t.device)) for t in tensors}
    if len(kinds) > 1 or not means.is_floating_point():
        said = " and ".join(f"{dtype} on {device}" for dtype, device in sorted(kinds))
        raise ValueError(f"the tensors must share a floating dtype and a device, not {said}")
    for name, tensor in (("means", means), ("covariances", covariances)):
        if not torch.isfinite(tensor).all():
            raise ValueError(f"the {name} hold NaN or infinite values")


def _widest(device: torch.device) -> torch.dtype:
    """Double precision, which Apple's devices do not have."""
    return torch.float32 if device.type == "mps" else torch.float64


def _members(places: Tensor, radii: Tensor, columns: int, rows: int) -> tuple[Tensor, Tensor]:
    """Which Gaussians reach which block: their numbers, block by block, and how many each block has."""
    limit = places.new_tensor([columns, rows])
    # A Gaussian reaches pixel centres from place - radius to place + radius.
    first = torch.floor((places - radii - 0.5) / BLOCK).clamp_(min=0)
    last = torch.floor((places + radii) / BLOCK)
    last = torch.minimum(last, limit - 1)
    spans = (last - first + 1).clamp_(min=0).long()
    first = torch.minimum(first, limit).long()
    each = spans[:, 0] * spans[:, 1]
    gaussian = torch.repeat_interleave(torch.arange(len(places), device=places.device), each)
    place = torch.arange(len(gaussian), device=places.device)
    place = place - torch.repeat_interleave(torch.cumsum(each, 0) - each, each)
    wide = spans[gaussian, 0]
    row = torch.div(place, wide, rounding_mode="floor")
    block = (first[gaussian, 1] + row) * columns + first[gaussian, 0] + place - row * wide
    order = torch.argsort(block, stable=True)
    return gaussian[order], torch.bincount(block, minlength=columns * rows)


def _chunks(counts: Tensor) -> Iterator[tuple[Tensor, int]]:
    """Blocks that have Gaussians, in groups of like number so that little is padded, within CHUNK pairs each."""
    order = torch.argsort(counts)
    order = order[counts[order] > 0]
    lengths = counts[order].tolist()
    first = 0
    while first < len(lengths):
        end = first + 1
        # Sorted, so the last of a group is its longest.
        while end < len(lengths) and (end + 1 - first) * lengths[end] * BLOCK * BLOCK <= CHUNK:
            end += 1
        yield order[first:end], lengths[end - 1]
        first = end


def rasterize_fields(
    fields: Sequence[GaussianField],
    viewport: Viewport,
    pixel_sigma: float = 0.3,
    stop: Stop | None = None,
    device: str | torch.device = "cpu",
) -> NDArray[np.float32]:
    """(H, W, C) float32: the sum of the fields, for `rasterize(backend="torch")`."""
    with torch.no_grad():
        # Single precision is enough for what lies near the origin.
        means = np.concatenate([f.means - np.array(viewport.origin) for f in fields])
        covariances = np.concatenate([f.covariances for f in fields])
        amplitudes = np.concatenate([f.amplitudes for f in fields])
        viewport = Viewport((0.0, 0.0), viewport.scale, viewport.size)
        means = means.astype(np.float32)
        tensors = [torch.from_numpy(p).to(device) for p in (means, covariances, amplitudes)]
        picture = rasterize_torch(tensors[0], tensors[1], tensors[2], viewport, pixel_sigma, stop)
        result: NDArray[np.float32] = picture.cpu().numpy()
        return result
