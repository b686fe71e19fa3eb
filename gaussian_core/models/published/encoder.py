"""What the published encoders have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from torch import Tensor, nn

from gaussian_core.errors import WeightsError

Check = Callable[[], None]
"""Called between steps; raises Cancelled where the work is no longer wanted."""


def no_check() -> None:
    """Never stops."""


class Encoder(nn.Module, ABC):
    """From a picture to features: `deep` at the resolution of the picture, then `enlarge` where there is a tail.

    out_dim: channels of the features. factor: features per source pixel and axis, 1 where there is no tail.
    reach: source pixels to each side that decide a deep feature; None: the whole picture does. lattice: side of the
    windows that attention works in, 1 without. tail_reach: source pixels that the tail sees to each side. margin:
    source pixels of mirrored picture that it is given around a picture.
    """

    out_dim: int
    factor: int = 1
    reach: int | None
    lattice: int = 1
    tail_reach: int = 0
    margin: int = 0

    @abstractmethod
    def deep(self, image: Tensor, check: Check = no_check) -> Tensor:
        """(B, 3, H, W) -> (B, C, H', W'), H' >= H and W' >= W: padding to whole windows is kept for the tail."""

    def enlarge(self, features: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, out_dim, factor H, factor W)."""
        return features

    def forward(self, image: Tensor, check: Check = no_check) -> Tensor:
        """(B, 3, H, W) -> (B, out_dim, factor H, factor W)."""
        height, width = image.shape[-2:]
        features = self.enlarge(self.deep(image, check))
        return features[..., : self.factor * height, : self.factor * width]

    def derived(self) -> dict[str, Tensor]:
        """Tensors that files carry although they follow from the architecture, by their names."""
        return {}


def conv(inputs: int, outputs: int, size: int = 3) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, size, padding=size // 2)


def shuffles(scale: int, channels: int, first: int | None = None) -> list[nn.Module]:
    """Sub-pixel convolutions (arXiv 1609.05158) that enlarge `channels` channels: x2 steps, or one x3 step."""
    if scale == 3:
        steps: Sequence[int] = (3,)
    elif scale >= 1 and scale & (scale - 1) == 0:
        steps = (2,) * (scale.bit_length() - 1)
    else:
        raise WeightsError(f"an enlargement by {scale} is not known here")
    layers: list[nn.Module] = []
    inputs = first or channels
    for step in steps:
        layers += [conv(inputs, step * step * channels), nn.PixelShuffle(step)]
        inputs = channels
    return layers
