"""What a picture is to those who use one, and a decoded one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gaussian_core.imaging.finite import finite
from gaussian_core.imaging.losses import Losses

Rect = tuple[int, int, int, int]
Stored = tuple[NDArray[Any], NDArray[Any] | None]
"""Pixels (h, w, 3) and alpha (h, w) or None, as Picture has them."""


class PictureSource(ABC):
    """A picture, upright and sRGB-encoded, in the depth of its file: decoded (Picture), or read as it is asked for.

    name: what to call it. path: its file. note: what was done to it that its owner may want to know, "" for nothing.
    damage: what is missing of it, or wrong with parts that were read in spite of it (see open_picture and show_damage),
    "" for nothing.
    outdated: whether its file was written to after it was opened, so that what is read of it only now is lacking.
    unreduced: the picture that this is a reduced copy of, as it was opened; None as a rule. original: what enlarging
    the copy is to give, which is cut from that (see reduced_copy).
    losses: of its file, None where its pixels are as they were made.
    opened: whether it is from a file or the clipboard, and not of an array, whose maker knows what it is: its pixels
    may then decide the weights that it is seen by (see noise_of).
    """

    name: str
    path: str | None
    note: str
    damage: str = ""
    outdated: bool = False
    unreduced: PictureSource | None = None
    original: PictureSource | None = None
    losses: Losses | None = None
    opened: bool = False

    @abstractmethod
    def show_damage(self) -> None:
        """From now on a part that cannot be decoded comes as an even grey, and `damage` says so in a line, where
        otherwise whoever asks for it has an ImageError."""

    @property
    @abstractmethod
    def extent(self) -> tuple[int, int]:
        """(height, width)."""

    @property
    @abstractmethod
    def dtype(self) -> np.dtype[Any]:
        """Of a stored value: uint8, uint16 (both from 0 to the type's maximum) or float32 (1.0 is full)."""

    @property
    @abstractmethod
    def has_alpha(self) -> bool: ...

    @abstractmethod
    def stored(self, rect: Rect) -> Stored:
        """A part as it is stored, not to be written to.

        rect: (x0, y0, x1, y1) in source pixels, inside the picture. Raises ImageError where it is read from its file
        only now and cannot be.
        """

    @property
    def width(self) -> int:
        return self.extent[1]

    @property
    def height(self) -> int:
        return self.extent[0]

    @property
    def channels(self) -> int:
        """Of what `as_float` gives: 3, or 4 with alpha."""
        return 4 if self.has_alpha else 3

    @property
    def bits(self) -> int:
        """Of one channel: 8, 16 or 32 (float)."""
        return 8 * self.dtype.itemsize

    @property
    def full(self) -> float:
        """The stored value of full brightness."""
        return float(np.iinfo(self.dtype).max) if self.dtype.kind == "u" else 1.0

    def as_float(self, rect: Rect | None = None) -> NDArray[np.float32]:
        """float32 (h, w, 3) in [0, 1], beyond it only where stored floats are; with alpha (h, w, 4): premultiplied RGB
        and alpha.

        rect: (x0, y0, x1, y1) in source pixels, inside the picture; only that part is converted. None is all of it.
        Raises ValueError for one that is not, ImageError as `stored` does.
        """
        x0, y0, x1, y1 = rect if rect is not None else (0, 0, self.width, self.height)
        if not (0 <= x0 <= x1 <= self.width and 0 <= y0 <= y1 <= self.height):
            raise ValueError(
                f"{rect} is no (x0, y0, x1, y1) inside the picture of {self.width}x{self.height} pixels"
            )
        pixels, alpha = self.stored((x0, y0, x1, y1))
        scale = np.float32(1 / self.full)
        if alpha is None:
            return np.multiply(pixels, scale, dtype=np.float32, order="C")
        out = np.empty((*alpha.shape, 4), np.float32)
        np.multiply(alpha, scale, out=out[..., 3], dtype=np.float32)
        np.multiply(pixels, scale, out=out[..., :3], dtype=np.float32)
        out[..., :3] *= out[..., 3:]
        return out

    def value_at(self, x: float, y: float) -> tuple[float, ...] | None:
        """The pixel that holds the source point (x, y), with 1.0 for full: RGB, also beside an alpha straight. None
        outside the picture. Raises ImageError as `stored` does."""
        if not (0 <= x < self.width and 0 <= y < self.height):
            return None
        j, i = int(x), int(y)
        pixels, alpha = self.stored((j, i, j + 1, i + 1))
        values = [*pixels[0, 0].tolist(), *([] if alpha is None else [alpha[0, 0].item()])]
        return tuple(v / self.full for v in values)


def in_bytes(pixels: NDArray[Any], full: float) -> NDArray[np.uint8]:
    """Stored values as uint8, what is beyond 0 and `full` cut off; bytes come back as given."""
    if pixels.dtype == np.uint8:
        return pixels
    share = np.clip(np.nan_to_num(pixels.astype(np.float32) / np.float32(full)), 0, 1)
    return (share * 255 + np.float32(0.5)).astype(np.uint8)


def grey_as_rgb(grey: NDArray[Any]) -> NDArray[Any]:
    """(H, W, 1) seen as (H, W, 3), read-only: three equal channels in the memory of one. Others come back as given."""
    return np.broadcast_to(grey, (*grey.shape[:2], 3)) if grey.shape[2] == 1 else grey


@dataclass(frozen=True, eq=False)
class Picture(PictureSource):
    """A decoded picture.

    pixels: (H, W, 3) uint8, uint16 (both from 0 to the type's maximum) or float32 (1.0 is full; not clipped), RGB;
        a grey picture has three equal channels, which may share memory. Colours are straight, not premultiplied.
    alpha: (H, W) of the same type, None for an opaque picture.
    name: what to call it. path: its file. note: what was done to it that its owner may want to know, "" for nothing.
    damage: what is missing of it, "" for nothing.
    unreduced, original: see PictureSource.
    losses: of its file, None where its pixels are as they were made. opened: see PictureSource.
    """

    pixels: NDArray[Any]
    alpha: NDArray[Any] | None = None
    name: str = ""
    path: str | None = None
    note: str = ""
    unreduced: PictureSource | None = None
    original: PictureSource | None = None
    losses: Losses | None = None
    damage: str = ""
    opened: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.pixels, np.ndarray):
            raise ValueError(
                f"pixels must be an array, not a {type(self.pixels).__name__}: Picture.from_array takes that"
            )
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
        Floats that are no finite numbers become 0, or 1 where they are infinitely large.

        Raises ValueError for another shape or type.
        """
        array = np.asarray(array)
        if array.dtype.kind == "f":
            array = finite(array.astype(np.float32, copy=False))
        if array.ndim == 2:
            array = array[..., None]
        if array.ndim != 3 or array.shape[2] not in (1, 2, 3, 4):
            raise ValueError(f"a picture is (H, W) or (H, W, 1 to 4), not {array.shape}")
        channels = array.shape[2]
        colour = np.ascontiguousarray(array[..., : 1 if channels < 3 else 3])
        alpha = np.ascontiguousarray(array[..., -1]) if channels in (2, 4) else None
        return cls(grey_as_rgb(colour), alpha, name)

    def show_damage(self) -> None:
        """It is decoded: what there is of it is known."""

    @property
    def extent(self) -> tuple[int, int]:
        """(height, width)."""
        return int(self.pixels.shape[0]), int(self.pixels.shape[1])

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.pixels.dtype

    @property
    def has_alpha(self) -> bool:
        return self.alpha is not None

    def stored(self, rect: Rect) -> Stored:
        x0, y0, x1, y1 = rect
        part = slice(y0, y1), slice(x0, x1)
        return self.pixels[part], None if self.alpha is None else self.alpha[part]
