"""From the raw outputs of the heads to rows of Gaussians on the CPU: ContinuousSR.gaussians in one compiled pass."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from gaussian_core.field import ROW_PADDING
from gaussian_core.models.assembly_kernel import assemble_rows
from gaussian_core.models.continuoussr import (
    GEOMETRY_RATE,
    ContinuousSR,
    colours_of,
    structure_tensor,
)
from gaussian_core.parallel import Stop, run_strips

Rect = tuple[int, int, int, int]
STRIP = 8  # rows of source pixels


def can_assemble(model: ContinuousSR) -> bool:
    """Whether the kernel knows the model's covariances (the published, linear ones stay with torch)."""
    return model.config.covariance in ("log", "direct")


def assemble(
    model: ContinuousSR,
    outputs: Tensor,
    image: Tensor,
    origin: tuple[int, int],
    rect: Rect,
    stop: Stop | None = None,
    skip: int = 0,
) -> NDArray[np.float32]:
    """Rows (5 + C, N + padding) of the Gaussians of rect, pixel by pixel.

    outputs: of model.outputs, float32 or bfloat16, (.., H - 2 skip, W - 2 skip): they may lack `skip` pixels on each
    side. image (1, C, H, W) float32, the picture they were made for: 1, 3 or 4 channels. origin: source coordinates of
    its first pixel. rect: x0, y0, x1, y1 in its pixels.
    Raises Cancelled when stopped.
    """
    config = model.config
    g = config.cells
    colours = colours_of(image)
    stretch = torch.zeros(2, *image.shape[-2:])
    if config.elongation > 0:
        stretch = torch.cat(structure_tensor(colours)) * config.elongation
    enlarged = F.interpolate(image, scale_factor=g, mode="bicubic", align_corners=False)[0]
    if outputs.dtype == torch.bfloat16:
        raw = outputs.contiguous().view(torch.int16).numpy()  # NumPy has no bfloat16
    else:
        raw = outputs.float().contiguous().numpy()
    prior = model.prior.float().numpy()
    if config.covariance == "direct":
        prior = np.empty((0, 3), np.float32)
    x0, y0, x1, y1 = rect
    count = (x1 - x0) * (y1 - y0) * g * g
    rows = np.empty((5 + image.shape[1], count + ROW_PADDING), np.float32)
    rows[:, count:] = 0

    def strip(number: int) -> None:
        first = y0 + number * STRIP
        assemble_rows(
            first,
            min(first + STRIP, y1),
            raw,
            skip,
            prior,
            stretch.numpy(),
            enlarged.numpy(),
            rect,
            origin,
            g,
            np.float32(GEOMETRY_RATE),
            np.float32(config.spread**2),
            np.float32(config.drift),
            rows,
        )

    run_strips(strip, -(-(y1 - y0) // STRIP), stop)
    return rows


def part_of_rows(
    rows: NDArray[np.float32], rect: Rect, part: Rect, cells: int
) -> NDArray[np.float32]:
    """Rows of the pixels of `part`, from the rows of the pixels of `rect` around it."""
    n = cells * cells
    width, height = rect[2] - rect[0], rect[3] - rect[1]
    grid = rows[:, : width * height * n].reshape(len(rows), height, width * n)
    inner = grid[
        :, part[1] - rect[1] : part[3] - rect[1], (part[0] - rect[0]) * n : (part[2] - rect[0]) * n
    ]
    count = inner.shape[1] * inner.shape[2]
    out = np.zeros((len(rows), count + ROW_PADDING), np.float32)
    out[:, :count].reshape(inner.shape)[...] = inner
    return out
