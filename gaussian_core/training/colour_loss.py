"""How far colours are from those of the original: of the channels and of the luminance.

An eye sees the luminance of a picture finer than its colours, and cameras and files keep it finer: so the colours of an
original tell a network less, and with more noise.
"""

from __future__ import annotations

import torch
from torch import Tensor

LUMA = (0.299, 0.587, 0.114)
"""Of red, green and blue in the luminance Y (ITU-R BT.601, section 2.5.1)."""
LEAST_SQUARE = 1e-6
"""Added to a crop's mean square: a quarter of a level of 255, within which a flat crop's errors count no more for being
so few."""


def colour_loss(seen: Tensor, wanted: Tensor, luminance: float, squares: bool = False) -> Tensor:
    """(1 - luminance) size(channels' difference) + luminance size(difference of Y), of colours (B, 3, h, w).

    luminance: between 0, every channel alike, and 1. squares: a size is the root of a crop's mean square, averaged over
    the crops, not the mean of all absolute values: what is in doubt is then shown as the mean of what it may be, not as
    the median, and few large errors cost more than many small ones, as in PSNR. Its compiled twins are in
    colour_loss_kernel.
    """
    difference = seen - wanted
    size = _root_mean_square if squares else _mean_absolute
    loss = size(difference)
    if luminance == 0:
        return loss
    luma = torch.tensor(LUMA).to(difference)
    y = torch.einsum("c,bchw->bhw", luma, difference)
    return (1 - luminance) * loss + luminance * size(y)


def _mean_absolute(difference: Tensor) -> Tensor:
    return difference.abs().mean()


def _root_mean_square(difference: Tensor) -> Tensor:
    return (difference.flatten(1).square().mean(1) + LEAST_SQUARE).sqrt().mean()
