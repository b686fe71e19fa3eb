"""Deep features of any part of a picture, as the network gives them for the whole picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

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
        """Features of rect and `halo` pixels around it, as far as there is picture. At its right and lower border
        padding to whole windows belongs to them."""
        height, width = self.picture.extent
        x0, y0 = max(0, rect[0] - halo), max(0, rect[1] - halo)
        x1, y1 = min(width, rect[2] + halo), min(height, rect[3] + halo)
        if self.in_one:
            if self._whole is None:
                self._whole = self._encode((0, 0, width, height), check)
            left, top, made = 0, 0, self._whole
        else:
            left, top, right, bottom = self._surround((x0, y0, x1, y1))
            made = self._encode((left, top, right, bottom), check)
        lower = y1 - top if y1 < height else None
        right_end = x1 - left if x1 < width else None
        return Part(made[..., y0 - top : lower, x0 - left : right_end], (x0, y0))

    def _surround(self, rect: Rect) -> Rect:
        """What is encoded for rect: its reach, cut at the picture, or HALO to whole windows."""
        height, width = self.picture.extent
        step = self.encoder.lattice
        reach = HALO if self.encoder.reach is None else self.encoder.reach
        x0, y0 = (max(0, v - reach) // step * step for v in rect[:2])
        x1, y1 = (-(-(v + reach) // step) * step for v in rect[2:])
        return (x0, y0, min(x1, width), min(y1, height))

    def _encode(self, rect: Rect, check: Check) -> Tensor:
        pixels = self.picture.as_float(rect)
        image = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None]
        colours = image[:, :3] if image.shape[1] >= 3 else image[:, :1].expand(-1, 3, -1, -1)
        prepared = self.prepare(colours.to(self.device)).to(self.dtype)
        return self.encoder.deep(prepared, check)
