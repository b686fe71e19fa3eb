"""The absolute lattice of device pixels that makes panning and tiling exact.

A viewport's corner, in device pixels from the source origin, is split into a whole lattice number and a phase. The
phase is rounded to 2**-16 of a device pixel: then panning by whole device pixels, or cutting a viewport into parts,
leaves the phase unchanged to the bit although origins are rounded, and renderers that work relative to the lattice
give the same pixels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gaussian_core.viewport import Viewport

STEPS = 1 << 16


def lattice(origin: float, scale: float) -> tuple[int, float]:
    """(index, phase) of one axis: origin * scale = index + phase, 0 <= phase < 1, phase a multiple of 2**-16.

    origin: source coordinate of the viewport's edge. scale: device pixels per source pixel on that axis.
    """
    steps = round(origin * scale * STEPS)
    index, rest = divmod(steps, STEPS)
    return index, rest / STEPS


def lattice_corner(viewport: Viewport) -> tuple[tuple[int, float], tuple[int, float]]:
    """(index, phase) of a viewport's top-left corner along x and along y."""
    (x, y), (sx, sy) = viewport.origin, viewport.scale
    return lattice(x, sx), lattice(y, sy)
