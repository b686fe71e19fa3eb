"""What the readers of more than 8 bits a channel share: from numbers of any depth to a Picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gaussian_core.imaging import colour, orientation
from gaussian_core.imaging.picture import Picture, grey_as_rgb


def widened(values: NDArray[Any], top: int) -> NDArray[Any]:
    """Integers from 0 to `top` as uint8 or uint16, whichever holds them, over its whole range. Larger ones are full."""
    kind = np.uint8 if top < 256 else np.uint16
    full = np.iinfo(kind).max
    if top == full:
        return values.astype(kind, copy=False)
    return ((np.minimum(values, top).astype(np.uint32) * full + top // 2) // top).astype(kind)


def range_note(colours: NDArray[Any]) -> str:
    """Says that floats reach well beyond what a screen shows; they are kept as they are."""
    if colours.dtype.kind != "f":
        return ""
    low, high = float(colours.min()), float(colours.max())
    if low >= -0.01 and high <= 1.01:
        return ""
    return f"its values reach from {low:.3g} to {high:.3g}: below 0 is shown black, above 1 white"


def of_samples(
    path: Path, values: NDArray[Any], profile: bytes | None, turn: int, notes: list[str]
) -> Picture:
    """values: (H, W) or (H, W, C) as stored, C: 1 grey, 3 RGB, 2 and 4 with straight alpha. profile: of its colours."""
    values = values.reshape(*values.shape[:2], -1)
    channels = values.shape[2]
    alpha = values[..., -1] if channels in (2, 4) else None
    mode = "RGB" if channels >= 3 else "L"
    convert, note = colour.conversion(profile, mode)
    colours = colour.deep_to_srgb(values[..., : 3 if channels >= 3 else 1], mode, convert)
    return finished(path, colours, alpha, turn, [*notes, note])


def finished(
    path: Path, colours: NDArray[Any], alpha: NDArray[Any] | None, turn: int, notes: list[str]
) -> Picture:
    """Upright. colours: sRGB (H, W, 3) or grey (H, W, 1), uint8, uint16 or float32. alpha: (H, W), straight, in the
    colours' range. turn: the orientation, 1 to 8. notes: "" for nothing."""
    notes.append(range_note(colours))
    pixels = grey_as_rgb(orientation.turned_upright(colours, turn))
    if alpha is not None:
        alpha = orientation.turned_upright(alpha.astype(colours.dtype, copy=False), turn)
        full = 1.0 if alpha.dtype.kind == "f" else np.iinfo(alpha.dtype).max
        if alpha.min() >= full:  # it hides nothing, and would cost a channel in what follows
            alpha = None
    return Picture(pixels, alpha, path.name, str(path), "; ".join(n for n in notes if n))
