"""Which Gaussians are drawn on a lattice coarser than the screen's: all that are smooth there.

Seen from near, a Gaussian is many pixels wide, and sampling it at every pixel says the same thing many times over: of a
standard deviation of SMOOTH samples and more, samples twice as far apart hold all of it. So every Gaussian is drawn on
the coarsest of the lattices 2**j pixels apart, j = 0 .. COARSEST, on which it is smooth, and each lattice's sum is
enlarged to twice as many samples each way and added to the next finer one's (enlarge_kernel). What decides is the
narrowest that a row or a column of pixels sees of it: the conditional standard deviation along x and along y.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gaussian_core.spatial_index import GridLevel

SMOOTH = 1.25  # samples; the weights of enlarge_ir are made for it
COARSEST = 3
WORTH = 0.35  # share of the Gaussians that a lattice must take off the finer ones to be worth its enlargement


class Lattices(NamedTuple):
    """coarsest: the first lattice to draw on. of: for each grid level, the finest that its narrowest Gaussian needs."""

    coarsest: int
    of: tuple[int, ...]


def lattices(levels: Sequence[GridLevel], scale: tuple[float, float], footprint: float) -> Lattices:
    """What to draw on. scale: device pixels per source pixel. footprint: variance of a pixel, device pixels squared."""
    # Least variances, source pixels squared, of what is smooth on each lattice; a little on the safe side of the
    # kernel's own single precision.
    needed = [
        (1.002 * (SMOOTH * 2**j) ** 2 - footprint) / min(scale) ** 2 for j in range(COARSEST + 1)
    ]
    coarsest = COARSEST
    while coarsest > 0 and not _worth(levels, needed[coarsest]):
        coarsest -= 1
    of = (sum(level.narrowest[0] >= v for v in needed[1 : coarsest + 1]) for level in levels)
    return Lattices(coarsest, tuple(of))


def _worth(levels: Sequence[GridLevel], needed: float) -> bool:
    smooth = sum(
        level.count * sum(v >= needed for v in level.narrowest) / len(level.narrowest)
        for level in levels
        if level.narrowest[-1] >= needed
    )
    return smooth > 0 and smooth >= WORTH * sum(level.count for level in levels)
