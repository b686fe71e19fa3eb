"""Deep features of any part of a picture, as the network gives them for the whole picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gaussian_core.kernel_interpolation import mirrored
from gaussian_core.models.published.encoder import Check, Encoder

if TYPE_CHECKING:
    from gaussian_core.builder import PictureLike, Rect

WHOLE = (
    1 << 20
)  # source pixels: a picture up to this size is encoded in one piece where its encoder sees all of it
HALO = 64  # source pixels around a part of a larger picture


class Part(NamedTuple):
    """Features (1, C, h, w) of the source pixels from origin (x, y) on."""

    features: Tensor
    origin: tuple[int, int]


class PictureFeatures:
    """The deep features of one picture, made where they are asked for. One thread at a time.

    bounds: the source pixels that have any, the picture's with the encoder's margin around it.

    An encoder of finite reach (EDSR, RDN) gives the same for a part with that much around it as for the whole picture.
    One with channel attention (HAT) has no finite reach: its statistics are means over all pixels; and SwinIR's windows
    add up to several hundred pixels. Their features are made once for the whole picture, up to `whole` pixels (None:
    WHOLE); of a larger picture each part is encoded by itself with HALO pixels around it, on the windows' lattice. That
    is how such networks are run on large pictures everywhere, and it is not exactly what the whole would give, which
    `note` says.

    prepare: from colours (1, 3, h, w) in [0, 1] to what the encoder sees.
    """

    def __init__(
        self,
        picture: PictureLike,
        encoder: Encoder,
        prepare: Callable[[Tensor], Tensor],
        device: torch.device,
        dtype: torch.dtype,
        whole: int | None = None,
    ) -> None:
        self.picture, self.encoder, self.prepare = picture, encoder, prepare
        self.device, self.dtype = device, dtype
        height, width = picture.extent
        by = encoder.margin
        self.bounds = (-by, -by, width + by, height + by)
        most = WHOLE if whole is None else whole
        self.in_one = encoder.reach is None and height * width <= most
        self._whole: Tensor | None = None

    @property
    def exact(self) -> bool:
        """Whether parts are what the whole picture would give."""
        return self.in_one or self.encoder.reach is not None

    @property
    def note(self) -> str:
        """What the user should know of it: parts that are not what the whole picture would give. Empty as a rule."""
        if self.exact:
            return ""
        height, width = self.picture.extent
        return (
            f"{type(self.encoder).__name__} sees a picture as a whole; {width:,} × {height:,} pixels are encoded in "
            "parts instead, which comes near to it and is not equal"
        )

    def around(self, rect: Rect, halo: int, check: Check) -> Part:
        """Features of rect and `halo` pixels around it, as far as there are any. At the right and lower border padding
        to whole windows belongs to them."""
        first_x, first_y, last_x, last_y = self.bounds
        x0, y0 = max(first_x, rect[0] - halo), max(first_y, rect[1] - halo)
        x1, y1 = min(last_x, rect[2] + halo), min(last_y, rect[3] + halo)
        if self.in_one:
            if self._whole is None:
                self._whole = self._encode(self.bounds, check)
            left, top, made = first_x, first_y, self._whole
        else:
            left, top, right, bottom = self._surround((x0, y0, x1, y1))
            made = self._encode((left, top, right, bottom), check)
        lower = y1 - top if y1 < last_y else None
        right_end = x1 - left if x1 < last_x else None
        return Part(made[..., y0 - top : lower, x0 - left : right_end], (x0, y0))

    def _surround(self, rect: Rect) -> Rect:
        """What is encoded for rect: its reach, cut at the bounds, or HALO to whole windows."""
        step = self.encoder.lattice
        reach = HALO if self.encoder.reach is None else self.encoder.reach
        x0, y0 = (
            max(first, (v - reach) // step * step)
            for v, first in zip(rect[:2], self.bounds[:2], strict=True)
        )
        x1, y1 = (
            min(last, -(-(v + reach) // step) * step)
            for v, last in zip(rect[2:], self.bounds[2:], strict=True)
        )
        return (x0, y0, x1, y1)

    def pixels(self, rect: Rect) -> NDArray[np.float32]:
        """As the picture's `as_float`, of a rectangle within the bounds: the picture mirrored at its borders."""
        height, width = self.picture.extent
        x0, y0, x1, y1 = rect
        if x0 >= 0 and y0 >= 0 and x1 <= width and y1 <= height:
            return self.picture.as_float(rect)
        columns, rows = mirrored(x0, x1, width), mirrored(y0, y1, height)
        left, top = int(columns.min()), int(rows.min())
        part = (left, top, int(columns.max()) + 1, int(rows.max()) + 1)
        return self.picture.as_float(part)[np.ix_(rows - top, columns - left)]

    def _encode(self, rect: Rect, check: Check) -> Tensor:
        pixels = self.pixels(rect)
        image = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None]
        colours = image[:, :3] if image.shape[1] >= 3 else image[:, :1].expand(-1, 3, -1, -1)
        prepared = self.prepare(colours.to(self.device)).to(self.dtype)
        return self.encoder.deep(prepared, check)
