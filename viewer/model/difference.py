"""How far two methods are apart: the difference of what they show of a view, amplified to be seen."""

from __future__ import annotations

from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray

GAINS = (1, 2, 4, 8, 16, 32)
"""Powers of two."""
GAIN = 8
"""Levels that are told apart on a good screen, two or three of 255, are then as plain as day."""


class TwoAs(Enum):
    """How two scenes of a picture are shown."""

    SIDES = auto()
    """Left and right of a line."""
    PANES = auto()
    """All of the view by each, in two panes."""
    DIFFERENCE = auto()
    RIGHT_ALONE = auto()
    """The left one is kept ready."""


def amplified_difference(
    a: NDArray[np.uint8], b: NDArray[np.uint8], gain: int, out: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """min(255, gain |a - b|) of two frames (h, w, 4), BGRX, into a third one of their size, opaque, which may be one of
    them. All are in one piece. gain: of GAINS."""
    from gaussian_core.difference_kernel import subtract_frames

    return subtract_frames(a, b, gain.bit_length() - 1, out)


def difference_text(
    names: tuple[str, str], states: tuple[str, str], from_afar: tuple[bool, bool], gain: int
) -> str:
    """What is said of it. names: of the methods. states: what is lacking of what they show. from_afar: whether it is
    the picture that is seen in a method's place, below 100 %."""
    if all(from_afar):
        return f"The picture on both sides; {_minus(*names, gain)} from 100 %"
    left, right = ("the picture" if afar else n for n, afar in zip(names, from_afar, strict=True))
    later = "".join(f"; {n} from 100 %" for n, afar in zip(names, from_afar, strict=True) if afar)
    lacking = dict.fromkeys(filter(None, states))
    return "  ".join([_minus(left, right, gain) + later, *lacking])


def _minus(left: str, right: str, gain: int) -> str:
    amplified = f" × {gain}" if gain > 1 else ""
    return f"|{left} \N{MINUS SIGN} {right}|{amplified}"
