"""Low resolution pictures that are worse than reduced ones: with noise, or through a lossy file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gaussian_core.imaging.losses import Losses, through_file


@dataclass(frozen=True)
class Degradation:
    """What is done to a low resolution picture, in this order.

    noise: standard deviation of white noise in each channel, in levels of 255, the same in every run. jpeg, webp:
    quality, 1 to 100, at which it is saved as such a file and read again, None for no file.
    """

    noise: float = 0.0
    jpeg: int | None = None
    webp: int | None = None

    def __bool__(self) -> bool:
        return self != NONE

    def __str__(self) -> str:
        steps = (("noise", self.noise or None), ("JPEG", self.jpeg), ("WebP", self.webp))
        return ", ".join(f"{name} {value:g}" for name, value in steps if value is not None)

    def apply(
        self, pixels: NDArray[np.uint8], seed: int = 0
    ) -> tuple[NDArray[np.uint8], Losses | None]:
        """(H, W, 3) bytes made worse, and what the last file lost of them."""
        losses = None
        if self.noise:
            noise = np.random.default_rng(seed).normal(0, self.noise, pixels.shape)
            pixels = np.clip(np.rint(pixels + noise), 0, 255).astype(np.uint8)
        if self.jpeg is not None:
            # As most programs save it: colours at half the resolution.
            pixels, losses = through_file(
                pixels, format="JPEG", quality=self.jpeg, subsampling="4:2:0"
            )
        if self.webp is not None:
            pixels, losses = through_file(pixels, format="WEBP", quality=self.webp)
        return pixels, losses


NONE = Degradation()
