"""transparency.rows_of_pixels on a device, by torch: what it explains is done here where the network runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from gaussian_core.models.density import tensor_density
from gaussian_core.models.transparency import (
    ALPHA,
    BLED,
    BORDER,
    EVEN_DENSITY,
    FADING,
    FIRST,
    LEAST_CHANGE,
    REACH,
    ROUNDS,
    UNEVEN,
)
from gaussian_core.viewport import Viewport

if TYPE_CHECKING:
    from gaussian_core.models.torch_network import TorchNetwork

Rect = tuple[int, int, int, int]
Draw = Callable[[Tensor, Viewport], Tensor]
"""(H, W, C): what rows (5 + C, N) of the pixels of rect show in a viewport."""


def rows_of_image(
    network: TorchNetwork,
    image: Tensor,
    origin: tuple[int, int],
    rect: Rect,
    check: Callable[[], None],
    draw: Draw,
    draw_even: Draw,
) -> tuple[Tensor, Tensor | None]:
    """TorchNetwork.device_rows of image (1, C, H, W), and the amplitudes (4, h, w) of even alpha, as
    transparency.rows_of_pixels has them. draw_even: what these show in a viewport."""
    rows = network.device_rows(image, origin, rect, check)
    if image.shape[1] != 4 or not bool(image[:, 3].any()):
        return rows, None
    x0, y0, x1, y1 = rect
    alpha = image[:, 3:]
    part = nearness(alpha[0, 0])[y0:y1, x0:x1]
    even = image.new_zeros(4, *part.shape)
    uneven = nearness(alpha[0, 0], *UNEVEN)[y0:y1, x0:x1]
    even[3] = alpha[0, 0, y0:y1, x0:x1] * (1 - uneven) * EVEN_DENSITY
    rows[ALPHA] = 0
    if not bool(part.any()):
        return rows, even
    lattice = _Lattice(origin, rect, network.config.cells, draw, image.device)
    shape = network.device_rows(alpha, origin, rect, check)
    colours = lattice.of_pixels(straight_colours(image[0])).clamp_(0, 1)
    near = part.reshape(-1).repeat_interleave(lattice.cells**2)
    seen = lattice.shown(shape).clamp_(0, 1)
    wanted = torch.cat([lattice.shown(rows)[:3], seen])
    wanted[:3] += near * (seen * colours - wanted[:3])
    flat = torch.cat([shape[:FIRST], shape[FIRST:] * colours, shape[FIRST:]])
    rows += near * (flat - rows)
    held = uneven.reshape(-1).repeat_interleave(lattice.cells**2)
    rows[ALPHA] = held * shape[FIRST]
    wanted[3:] -= lattice.seen(draw_even(even, lattice.viewport))[3:]
    return _settled(rows, wanted, held, lattice, check), even


class _Lattice:
    """As transparency's: the cells of the pixels of rect, in the order of rows."""

    def __init__(
        self,
        origin: tuple[int, int],
        rect: Rect,
        cells: int,
        draw: Draw,
        device: torch.device,
    ) -> None:
        self.cells, self._rect, self._draw = cells, rect, draw
        x0, y0, x1, y1 = rect
        size = (cells * (x1 - x0), cells * (y1 - y0))
        self.viewport = Viewport((origin[0] + x0, origin[1] + y0), cells, size)
        inside = torch.zeros(y1 - y0, x1 - x0, device=device)
        inside[BORDER:-BORDER, BORDER:-BORDER] = 1
        self.settled = inside.reshape(-1).repeat_interleave(cells * cells)

    def of_pixels(self, planes: Tensor) -> Tensor:
        """(C, N): the bicubic enlargement of (C, H, W)."""
        x0, y0, x1, y1 = (v * self.cells for v in self._rect)
        large = F.interpolate(
            planes[None], scale_factor=self.cells, mode="bicubic", align_corners=False
        )
        return self._ordered(large[0, :, y0:y1, x0:x1])

    def shown(self, rows: Tensor) -> Tensor:
        """(C, N): what Gaussians show at the cells' centres."""
        return self.seen(self._draw(rows, self.viewport))

    def seen(self, values: Tensor) -> Tensor:
        """(C, N) of (H, W, C), a value a cell."""
        return self._ordered(values.permute(2, 0, 1))

    def _ordered(self, planes: Tensor) -> Tensor:
        channels, height, width = planes.shape
        g = self.cells
        split = planes.reshape(channels, height // g, g, width // g, g).permute(0, 1, 3, 2, 4)
        return split.reshape(channels, -1)


def _settled(
    rows: Tensor, wanted: Tensor, held: Tensor, lattice: _Lattice, check: Callable[[], None]
) -> Tensor:
    each = tensor_density(rows[2:FIRST], lattice.cells) * lattice.settled
    densities = torch.stack([each, each, each, each * (held > 0)])
    for _ in range(ROUNDS):
        check()
        rows[FIRST:] += (wanted - lattice.shown(rows)) * densities
    return rows


def nearness(alpha: Tensor, reach: int = REACH, fading: int = FADING) -> Tensor:
    """transparency.nearness of (H, W)."""
    side = 2 * (reach + fading) + 1
    plane = alpha[None, None]
    largest = F.max_pool2d(plane, side, 1, side // 2)
    least = -F.max_pool2d(-plane, side, 1, side // 2)
    changes = (largest - least > LEAST_CHANGE).to(alpha.dtype)
    return F.avg_pool2d(F.pad(changes, (fading,) * 4, mode="replicate"), 2 * fading + 1, 1)[0, 0]


def straight_colours(image: Tensor) -> Tensor:
    """(3, H, W): transparency.straight_colours of premultiplied (4, H, W)."""
    seen = image[3:]
    known = (seen > 0).to(image.dtype)
    colours = torch.where(seen > 0, image[:3] / seen.clamp_min(1e-30), 0.0)
    for _ in range(BLED):
        around = F.avg_pool2d(
            torch.cat([colours * known, known])[None], 3, 1, 1, divisor_override=1
        )[0]
        new = (known == 0) & (around[3:] > 0)
        colours = torch.where(new, around[:3] / around[3:].clamp_min(1), colours)
        known = torch.maximum(known, new.to(known.dtype))
    return colours
