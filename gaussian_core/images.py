"""Pictures: reading them with their orientation and colour put right."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gaussian_core.errors import ImageError

Rect = tuple[int, int, int, int]


@dataclass(frozen=True)
class Picture:
    """A decoded picture: pixels (H, W, 3) and alpha (H, W) or None, as stored, sRGB-encoded."""

    pixels: NDArray[np.generic]
    alpha: NDArray[np.generic] | None = None
    name: str = ""
    path: str | None = None
    note: str = ""

    @property
    def extent(self) -> tuple[int, int]:
        return (self.pixels.shape[0], self.pixels.shape[1])

    @property
    def width(self) -> int:
        return self.extent[1]

    @property
    def height(self) -> int:
        return self.extent[0]

    @property
    def bits(self) -> int:
        return 8 * self.pixels.dtype.itemsize

    @classmethod
    def from_array(cls, array: NDArray[np.generic], name: str = "") -> Picture:
        return cls(array[..., :3], array[..., 3] if array.shape[2] == 4 else None, name)

    def as_float(self, rect: Rect | None = None) -> NDArray[np.float32]:
        x0, y0, x1, y1 = rect or (0, 0, self.width, self.height)
        top = np.float32(1)
        if self.pixels.dtype.kind == "u":
            top = np.float32(np.iinfo(self.pixels.dtype).max)
        rgb = self.pixels[y0:y1, x0:x1].astype(np.float32) / top
        if self.alpha is None:
            return rgb
        alpha = self.alpha[y0:y1, x0:x1, None].astype(np.float32) / top
        return np.concatenate([rgb * alpha, alpha], axis=2)

    def value_at(self, x: float, y: float) -> tuple[float, ...] | None:
        j, i = int(np.floor(x)), int(np.floor(y))
        if not (0 <= j < self.width and 0 <= i < self.height):
            return None
        one = Picture(self.pixels[i : i + 1, j : j + 1])
        return tuple(float(v) for v in one.as_float()[0, 0])


def open_picture(path: str | os.PathLike[str]) -> Picture:
    from PIL import Image, ImageOps, UnidentifiedImageError

    source = Path(path)
    try:
        data = source.read_bytes()
    except FileNotFoundError:
        raise ImageError(f"There is no file {source}.") from None
    except IsADirectoryError:
        raise ImageError(f"{source} is a folder, not a picture.") from None
    except OSError as error:
        raise ImageError(f"Cannot read {source}: {error.strerror}.") from error
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            image = ImageOps.exif_transpose(image)
            alpha = "A" in image.getbands() or "transparency" in image.info
            array = np.asarray(image.convert("RGBA" if alpha else "RGB"))
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise ImageError(f"{source.name} is not a readable picture: {error}") from error
    return Picture(array[..., :3], array[..., 3] if alpha else None, source.name, str(source))


def load_image(path: str | os.PathLike[str]) -> NDArray[np.float32]:
    return Picture(open_picture(path).pixels).as_float()


def open_overview(
    path: str | os.PathLike[str], max_side: int
) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    from PIL import Image, ImageOps

    with Image.open(path) as image:
        image = ImageOps.exif_transpose(image)
        size = image.size
        image.thumbnail((max_side, max_side))
        return np.asarray(image.convert("RGB")), size
