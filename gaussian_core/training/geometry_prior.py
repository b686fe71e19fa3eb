"""What the colours leave open is decided for geometry that follows the picture.

Many shapes and places of the Gaussians show nearly the same picture, so the colours alone hardly teach the geometry
anything: trained on them alone most Gaussians stay round, wherever the edges run. A weight of some thousandths does not
outvote the colours; it settles what they do not.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gaussian_core.models.continuoussr import Cells, structure_tensor


def geometry_prior(cells: Cells, image: Tensor) -> Tensor:
    """A number that is low where Gaussians are long along the edges of the image (B, 3, H, W), and near their cells.

    Mean over the Gaussians of -(elongation along the edge, in [-1, 1], times the edge's coherence) plus the distance
    from the cell's centre in source pixels.
    """
    xx, xy, yy = cells.covariances.unbind(1)
    height, width = xx.shape[-2:]
    cells_a_pixel = width // image.shape[-1]
    along, across = (
        v.repeat_interleave(cells_a_pixel, -1).repeat_interleave(cells_a_pixel, -2)
        for v in structure_tensor(image)
    )
    elongation = ((xx - yy) * along + 2 * xy * across) / (xx + yy)
    xs = (torch.arange(width, device=xx.device, dtype=xx.dtype) + 0.5) / cells_a_pixel
    ys = (torch.arange(height, device=xx.device, dtype=xx.dtype) + 0.5) / cells_a_pixel
    dx, dy = cells.means[:, 0] - xs, cells.means[:, 1] - ys[:, None]
    # Smooth at 0, where all Gaussians start.
    drift = torch.sqrt(dx * dx + dy * dy + 1e-4)
    return drift.mean() - elongation.mean()
