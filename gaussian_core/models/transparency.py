"""The Gaussians of pictures with transparent parts, whose colours and whose alpha must agree.

A field of them holds premultiplied colours and alpha. The network sharpens what it is shown: the colours alone
sharpened, and alpha not, would give the edge of a cut-out a fringe. So where alpha changes it is what the network is
shown, as a picture of greys, and the Gaussians are its own; their colour is that of the pixels there. Amplitudes are
then settled where Gaussians of both kinds meet. Elsewhere, where alpha is even, the Gaussians are the colours' own:
they gather along lines, and between them alpha would have holes that a backdrop is seen through. So what is even of
alpha has Gaussians of its own, a round one a pixel: see GaussianField.even_alpha.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gaussian_core.correction import make_rows
from gaussian_core.field import GaussianField
from gaussian_core.models.density import density
from gaussian_core.models.devices import drawn_by
from gaussian_core.models.plain_network import enlarged
from gaussian_core.parallel import Stop
from gaussian_core.rasterizer import Backend, rasterize
from gaussian_core.viewport import Viewport

if TYPE_CHECKING:
    from gaussian_core.models.tile_builder import Network

Floats = NDArray[np.float32]
Rect = tuple[int, int, int, int]

REACH = 3  # pixels from a change of alpha within which Gaussians are alpha's
FADING = 2  # pixels within which they change into the colours'
BLED = 3  # pixels by which colours go on beyond an edge: as far as their enlargement looks
UNEVEN = 2, 2
"""Reach and fading, likewise, of where these Gaussians hold alpha: hardly where they lie among the colours'."""
LEAST_CHANGE = 1.5 / 255  # of alpha: less is rounding
ROUNDS = 3  # of settling; each brings what is smooth to its place and halves the rest
EVEN_SIGMA = 0.65  # source pixels; a lattice of such Gaussians ripples by 0.05 % along an axis
BORDER = 3  # pixels beside the outermost, whose neighbours are missing, that are not settled
EVEN_DENSITY = 1 / (2 * math.pi * EVEN_SIGMA**2)  # amplitude at which a lattice of them shows 1
FIRST, ALPHA = 5, 8  # rows of the first amplitude and of alpha's


def rows_of_pixels(
    network: Network,
    pixels: Floats,
    origin: tuple[int, int],
    rect: Rect,
    stop: Stop | None,
    check: Callable[[], None],
) -> tuple[Floats, Floats | None]:
    """Network.rows of pixels (H, W, C); with C = 4, premultiplied RGB and alpha, the two agree, and what is even of
    alpha is in the amplitudes (h, w, 4) of a Gaussian of EVEN_SIGMA at each pixel of rect. None where there is none."""
    rows = network.rows(pixels, origin, rect, stop, check)
    if pixels.shape[2] != 4 or not pixels[..., 3].any():
        return rows, None
    alpha = np.ascontiguousarray(pixels[..., 3:])
    x0, y0, x1, y1 = rect
    part = nearness(pixels[..., 3])[y0:y1, x0:x1]
    even = np.zeros((*part.shape, 4), np.float32)
    uneven = nearness(pixels[..., 3], *UNEVEN)[y0:y1, x0:x1]
    even[..., 3] = alpha[y0:y1, x0:x1, 0] * (1 - uneven) * EVEN_DENSITY
    rows[ALPHA] = 0
    if not part.any():
        return rows, even
    lattice = _Lattice(origin, rect, network.config.cells, drawn_by(network.device))
    shape = network.rows(alpha, origin, rect, stop, check)
    colours = np.clip(lattice.of_pixels(straight_colours(pixels)), 0, 1)
    near = np.repeat(part, lattice.cells**2)
    # Clipped, or its overshoot would be a ring brighter than the colour.
    seen = np.clip(lattice.shown(shape, stop), 0, 1)
    wanted = np.concatenate([lattice.shown(rows, stop)[:3], seen])
    wanted[:3] += near * (seen * colours - wanted[:3])
    count = len(near)
    own = shape[:, :count]
    flat = np.concatenate([own[:FIRST], own[FIRST:] * colours, own[FIRST:]])
    rows[:, :count] += near * (flat - rows[:, :count])
    held = np.repeat(uneven, lattice.cells**2)
    rows[ALPHA, :count] = held * own[FIRST]
    wanted[3:] -= lattice.shown(make_rows(even, origin[0] + x0, origin[1] + y0, EVEN_SIGMA), stop)[
        3:
    ]
    return _settled(rows, wanted, held, lattice, stop), even


class _Lattice:
    """The cells of the pixels of rect, in the order of rows: pixel by pixel. origin: of the first pixel that rect
    counts from, in source pixels. backend: what draws."""

    def __init__(
        self, origin: tuple[int, int], rect: Rect, cells: int, backend: Backend = "auto"
    ) -> None:
        self.cells, self._rect, self._backend = cells, rect, backend
        x0, y0, x1, y1 = rect
        size = (cells * (x1 - x0), cells * (y1 - y0))
        self._viewport = Viewport((origin[0] + x0, origin[1] + y0), cells, size)
        inside = np.zeros((y1 - y0, x1 - x0), bool)
        inside[BORDER:-BORDER, BORDER:-BORDER] = True
        self.settled = np.repeat(inside, cells * cells)

    def of_pixels(self, image: Floats) -> Floats:
        """(C, N): the bicubic enlargement of (H, W, C)."""
        x0, y0, x1, y1 = (v * self.cells for v in self._rect)
        planes = np.ascontiguousarray(image.transpose(2, 0, 1))
        return self._ordered(enlarged(planes, self.cells)[:, y0:y1, x0:x1])

    def shown(self, rows: Floats, stop: Stop | None) -> Floats:
        """(C, N): what Gaussians show at the cells' centres."""
        width, height = self._viewport.size
        extent = (height // self.cells, width // self.cells)
        field = GaussianField.from_rows(rows, extent)
        seen = rasterize(field, self._viewport, backend=self._backend, stop=stop, keep=False)
        return self._ordered(seen.transpose(2, 0, 1))

    def _ordered(self, planes: Floats) -> Floats:
        channels, height, width = planes.shape
        g = self.cells
        split = planes.reshape(channels, height // g, g, width // g, g).transpose(0, 1, 3, 2, 4)
        return split.reshape(channels, -1)


def _settled(
    rows: Floats, wanted: Floats, held: Floats, lattice: _Lattice, stop: Stop | None
) -> Floats:
    """The rows with amplitudes such that their Gaussians show about what is wanted at the cells' centres. held: the
    part of alpha that is theirs."""
    count = wanted.shape[1]
    each = density(rows[2:FIRST, :count], lattice.cells) * lattice.settled
    densities = np.stack([each, each, each, each * (held > 0)])
    for _ in range(ROUNDS):
        rows[FIRST:, :count] += (wanted - lattice.shown(rows, stop)) * densities
    return rows


def nearness(alpha: Floats, reach: int = REACH, fading: int = FADING) -> Floats:
    """(H, W) from 0 to 1: 1 where alpha (H, W) changes within `reach` pixels, 0 from reach + 2 fading on."""
    by = reach + fading
    changes = _extreme(alpha, np.maximum, by) - _extreme(alpha, np.minimum, by) > LEAST_CHANGE
    near = changes.astype(np.float32)
    for axis in (0, 1):
        near = _neighbours(near, axis, fading).mean(0, dtype=np.float32)
    return near


def straight_colours(pixels: Floats) -> Floats:
    """(H, W, 3) of premultiplied pixels (H, W, 4). They go on a little into what is transparent, and are black further
    on."""
    seen = pixels[..., 3:]
    colours = np.divide(pixels[..., :3], seen, out=np.zeros_like(pixels[..., :3]), where=seen > 0)
    known = (seen > 0).astype(np.float32)
    for _ in range(BLED):
        sums = _sums_of_nine(np.concatenate([colours * known, known], 2))
        new = (known == 0) & (sums[..., 3:] > 0)
        colours = np.where(new, sums[..., :3] / np.maximum(sums[..., 3:], 1), colours)
        known = np.maximum(known, new)
    return np.asarray(colours, np.float32)


def _extreme(values: Floats, which: np.ufunc, reach: int) -> Floats:
    """The largest or smallest value within `reach` pixels along both axes."""
    for axis in (0, 1):
        values = which.reduce(_neighbours(values, axis, reach))
    return values


def _neighbours(values: Floats, axis: int, reach: int) -> Floats:
    """(2 reach + 1, H, W): each pixel's neighbours along an axis."""
    padded = np.pad(values, [(reach * (axis == a),) * 2 for a in range(2)], mode="edge")
    count = values.shape[axis]
    return np.stack([padded.take(range(k, k + count), axis) for k in range(2 * reach + 1)])


def _sums_of_nine(values: Floats) -> Floats:
    """Of each pixel (H, W, C) and the eight around it."""
    padded = np.pad(values, ((1, 1), (1, 1), (0, 0)))
    lines = padded[:-2] + padded[1:-1] + padded[2:]
    return np.asarray(lines[:, :-2] + lines[:, 1:-1] + lines[:, 2:])
