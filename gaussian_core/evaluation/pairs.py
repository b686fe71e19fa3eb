"""The pictures of a benchmark: folders of originals, or of low and high resolution side by side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gaussian_core.errors import ImageError

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"}


@dataclass(frozen=True)
class Pair:
    """low (h, w, 3) and high (H, W, 3), float32 in [0, 1]."""

    name: str
    low: NDArray[np.float32]
    high: NDArray[np.float32]

    @property
    def scale(self) -> tuple[float, float]:
        """(sx, sy)."""
        return (self.high.shape[1] / self.low.shape[1], self.high.shape[0] / self.low.shape[0])


def pictures(folder: Path) -> list[Path]:
    """The pictures of a folder by name. Raises ImageError when there are none."""
    if not folder.is_dir():
        raise ImageError(f"There is no folder {folder}.")
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)
    if not found:
        raise ImageError(f"The folder {folder} holds no pictures.")
    return found


def reduced(high: NDArray[np.uint8], scale: float) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """(low, high): antialiased bicubic, 8 bits, after cropping high to what a whole number of low pixels covers."""
    h, w = (max(1, int(n / scale + 1e-9)) for n in high.shape[:2])
    high = high[: min(high.shape[0], round(h * scale)), : min(high.shape[1], round(w * scale))]
    low = Image.fromarray(high).resize((w, h), Image.Resampling.BICUBIC)
    return np.asarray(low), high


def pairs(folder: Path, scale: float, low_folder: Path | None = None) -> Iterator[Pair]:
    """Pairs of a folder of originals at one scale; with low_folder, its pictures of the same names instead of ours."""
    from gaussian_core.images import load_image

    for path in pictures(folder):
        high = np.round(load_image(path)[..., :3] * 255).astype(np.uint8)
        if low_folder is None:
            low, high = reduced(high, scale)
        else:
            low = _low(low_folder, path, scale)
            rows, columns = (round(n * scale) for n in low.shape[:2])
            if abs(rows - high.shape[0]) > scale or abs(columns - high.shape[1]) > scale:
                raise ImageError(f"{path.name} is not {scale:g} times its low resolution picture.")
            high = high[:rows, :columns]
        yield Pair(path.stem, _as_float(low), _as_float(high))


def _as_float(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.divide(pixels, 255, dtype=np.float32)


def _low(folder: Path, high: Path, scale: float) -> NDArray[np.uint8]:
    from gaussian_core.images import load_image

    for name in (high.stem, f"{high.stem}x{scale:g}"):
        for path in (folder / f"{name}{suffix}" for suffix in sorted(SUFFIXES)):
            if path.exists():
                return np.round(load_image(path)[..., :3] * 255).astype(np.uint8)
    raise ImageError(f"{folder} holds no low resolution picture for {high.name}.")
