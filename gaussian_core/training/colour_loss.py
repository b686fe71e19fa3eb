"""How far colours are from those of the original: L1, of the channels and of the luminance.

An eye sees the luminance of a picture finer than its colours, and cameras and files keep it finer: so the colours of an
original tell a network less, and with more noise.
"""

from __future__ import annotations

import torch
from torch import Tensor

LUMA = (0.299, 0.587, 0.114)
"""Of red, green and blue in the luminance Y (ITU-R BT.601, section 2.5.1)."""


def colour_loss(seen: Tensor, wanted: Tensor, luminance: float) -> Tensor:
    """(1 - luminance) mean |channels' difference| + luminance mean |difference of Y|, of colours (B, 3, h, w).

    luminance: between 0, every channel alike, and 1. Its compiled twin is cell_kernel.colour_loss.
    """
    difference = seen - wanted
    loss = difference.abs().mean()
    if luminance == 0:
        return loss
    luma = torch.tensor(LUMA).to(difference)
    y = torch.einsum("c,bchw->bhw", luma, difference)
    return (1 - luminance) * loss + luminance * y.abs().mean()
