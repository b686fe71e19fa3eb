"""A decoded picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rect = tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture, upright and sRGB-encoded, in the depth of its file.

    pixels: (H, W, 3) uint8, uint16 (both from 0 to the type's maximum) or float32 (1.0 is full; not clipped), RGB;
        a grey picture has three equal channels. Colours are straight, not premultiplied.
    alpha: (H, W) of the same type, None for an opaque picture.
    name: what to call it. path: its file. note: what was done to it that its owner may want to know, "" for nothing.
    """

    pixels: NDArray[Any]
    alpha: NDArray[Any] | None = None
    name: str = ""
    path: str | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if self.pixels.ndim != 3 or self.pixels.shape[2] != 3 or 0 in self.pixels.shape:
            raise ValueError(f"pixels must be (H, W, 3), not {self.pixels.shape}")
        if self.pixels.dtype not in (np.uint8, np.uint16, np.float32):
            raise ValueError(f"pixels must be uint8, uint16 or float32, not {self.pixels.dtype}")
        if self.alpha is not None and (
            self.alpha.shape != self.extent or self.alpha.dtype != self.pixels.dtype
        ):
            raise ValueError("alpha must be (H, W) and of the pixels' type")

    @classmethod
    def from_array(cls, array: NDArray[Any], name: str = "") -> Picture:
        """Of an array (H, W) or (H, W, C), uint8, uint16 or float. C: 1 grey, 3 RGB, 2 and 4 with straight alpha.

        Raises ValueError for another shape or type.
        """
        array = np.asarray(array)
        if array.dtype.kind == "f":
            array = array.astype(np.float32, copy=False)
        if array.ndim == 2:
            array = array[..., None]
        if array.ndim != 3 or array.shape[2] not in (1, 2, 3, 4):
            raise ValueError(f"a picture is (H, W) or (H, W, 1 to 4), not {array.shape}")
        channels = array.shape[2]
        colour = array[..., :1].repeat(3, axis=2) if channels < 3 else array[..., :3]
        alpha = np.ascontiguousarray(array[..., -1]) if channels in (2, 4) else None
        return cls(np.ascontiguousarray(colour), alpha, name)

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])

    @property
    def extent(self) -> tuple[int, int]:
        """(height, width)."""
        return self.height, self.width

    @property
    def bits(self) -> int:
        """Of one channel: 8, 16 or 32 (float)."""
        return 8 * self.pixels.dtype.itemsize

    def as_float(self, rect: Rect | None = None) -> NDArray[np.float32]:
        """float32 (h, w, 3) in [0, 1], with alpha (h, w, 4): premultiplied RGB and alpha.

        rect: (x0, y0, x1, y1) in source pixels, inside the picture; only that part is converted. None is all of it.
        """
        x0, y0, x1, y1 = rect if rect is not None else (0, 0, self.width, self.height)
        part = slice(y0, y1), slice(x0, x1)
        scale = np.float32(1)
        if self.pixels.dtype.kind == "u":
            scale = np.float32(1 / np.iinfo(self.pixels.dtype).max)
        if self.alpha is None:
            return np.multiply(self.pixels[part], scale, dtype=np.float32)
        out = np.empty((*self.alpha[part].shape, 4), np.float32)
        np.multiply(self.alpha[part], scale, out=out[..., 3], dtype=np.float32)
        np.multiply(self.pixels[part], scale, out=out[..., :3], dtype=np.float32)
        out[..., :3] *= out[..., 3:]
        return out

    def value_at(self, x: float, y: float) -> tuple[float, ...] | None:
        """The pixel that holds the source point (x, y), as `as_float` gives it; None outside the picture."""
        if not (0 <= x < self.width and 0 <= y < self.height):
            return None
        j, i = int(x), int(y)
        return tuple(float(v) for v in self.as_float((j, i, j + 1, i + 1))[0, 0])
