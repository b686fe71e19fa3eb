"""LIIF asked for colours at scattered places, one a source pixel or several: what training needs."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gaussian_core.models.liif import AREA_FLOOR, LIIF


def sample_liif(model: LIIF, image: Tensor, positions: Tensor, cell: Tensor) -> Tensor:
    """Colours (B, 3, h, w), not clipped, at positions (B, 2, h, w): x, y in source pixels of image (B, 3, H, W).

    cell (B,): side of an output pixel in source pixels. The sums of LIIF.query, place by place instead of by rows and
    columns (arXiv 2012.09161, equations 3 to 5).
    """
    codes = model.codes(model.encode(image)).values
    batch, channels, height, width = codes.shape
    flat = codes.permute(0, 2, 3, 1).reshape(-1, channels)
    first: nn.Linear = model.imnet.layers[0]  # type: ignore[assignment]
    place = first.weight[:, model.code_inputs :]
    start = torch.arange(batch, device=codes.device)[:, None, None] * (height * width)
    x, y = positions.unbind(1)
    answers, areas = [], []
    for row in _nearest(y, height, model.config.local_ensemble):
        for column in _nearest(x, width, model.config.local_ensemble):
            ry, rx = 2 * (y - row - 0.5), 2 * (x - column - 0.5)
            index = start + row.long() * width + column.long()
            coordinates = [ry, rx]
            if model.config.cell_decoding:
                size = (2 * cell)[:, None, None].expand_as(ry)
                coordinates += [size, size]
            z = flat[index] + torch.stack(coordinates, -1).to(flat.dtype) @ place.T.to(flat.dtype)
            answers.append(model.imnet.layers[1:](z).float())
            areas.append((ry * rx).abs() + AREA_FLOOR)
    areas.reverse()  # S_t is the area opposite to v_t
    total = torch.stack(areas).sum(0)
    seen = torch.stack([a * (s / total)[..., None] for a, s in zip(answers, areas, strict=True)])
    return seen.sum(0).permute(0, 3, 1, 2) * model.config.spread + model.config.offset


def _nearest(places: Tensor, length: int, ensemble: bool) -> list[Tensor]:
    """Numbers of the source pixels on one axis that answer for each place."""
    before = (places - 0.5).floor()
    nearest = [before, before + 1] if ensemble else [places.floor()]
    return [number.clamp(0, length - 1) for number in nearest]
