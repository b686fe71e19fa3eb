"""What a block of tiles needs of the picture around it, for a network and for the correction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from gaussian_core import correction
from gaussian_core.field import origin_near
from gaussian_core.models.config import STRUCTURE_REACH, ModelConfig

if TYPE_CHECKING:
    from gaussian_core.builder import Rect

SURROUND = correction.HALO + 4  # source pixels: the correction, and what reaches into them
BASE_REACH = 3  # source pixels that the bicubic colour of a cell reads to each side


class Reaching(Protocol):
    """What decides how far a network looks, as of tile_builder.Network."""

    config: ModelConfig
    lattice: int
    encoder_reach: int
    inner: bool


@dataclass(frozen=True)
class Surroundings:
    """Rectangles (x0, y0, x1, y1) in source pixels.

    rect: of all tiles. near: whose Gaussians are needed. seen: the pixels, mirrored where there is no picture, that the
    network is given for them. corrected: where the picture is compared with what is shown.
    """

    extent: tuple[int, int]
    margin: int
    rect: Rect
    near: Rect
    seen: Rect

    @property
    def corrected(self) -> Rect:
        height, width = self.extent
        return _within(_widened(self.rect, correction.HALO, 1), (0, 0, width, height))

    @property
    def origin(self) -> tuple[int, int]:
        """What the Gaussians count from."""
        return origin_near(*self.rect[:2])

    def own(self, tile: Rect) -> Rect:
        """The pixels whose Gaussians a tile holds: its own, and the mirrored margin where it ends with the picture."""
        height, width = self.extent
        x0, y0, x1, y1 = tile
        by = self.margin
        return (
            x0 - by * (x0 == 0),
            y0 - by * (y0 == 0),
            x1 + by * (x1 == width),
            y1 + by * (y1 == height),
        )


def surroundings(network: Reaching, rects: Sequence[Rect], extent: tuple[int, int]) -> Surroundings:
    """Of rectangles that tile a rectangle of a picture of extent (height, width)."""
    height, width = extent
    margin = network.config.margin
    rect = around(rects)
    whole = (-margin, -margin, width + margin, height + margin)
    # Gaussians just outside matter too: the correction needs what the field shows there.
    near = _within(_widened(rect, SURROUND, network.lattice), whole)
    # The network sees as much around a tile as it reaches, everywhere: where the picture ends, its mirror image. That
    # is nearer to what goes on there than the zeros that it would pad with.
    seen = _seen_inside(network, near) if network.inner else _seen_padded(network, near)
    return Surroundings(extent, margin, rect, near, seen)


def moved(rect: Rect, origin: tuple[int, int]) -> Rect:
    """The rectangle as counted from origin (x, y)."""
    return rect[0] - origin[0], rect[1] - origin[1], rect[2] - origin[0], rect[3] - origin[1]


def around(rects: Sequence[Rect]) -> Rect:
    """The least rectangle that holds them."""
    x0, y0, x1, y1 = zip(*rects, strict=True)
    return min(x0), min(y0), max(x1), max(y1)


def _seen_inside(network: Reaching, rect: Rect) -> Rect:
    """What a network is given for rect where it does not pad: as much more as its encoder takes away, and sides of
    whole steps of its lattice."""
    least = max(BASE_REACH, STRUCTURE_REACH)
    reach = network.encoder_reach
    reach += max(0, -(-(least - reach) // network.lattice) * network.lattice)
    x0, y0 = (v - reach for v in rect[:2])
    x1, y1 = (
        first + -(-(last + reach - first) // network.lattice) * network.lattice
        for first, last in zip((x0, y0), rect[2:], strict=True)
    )
    return x0, y0, x1, y1


def _seen_padded(network: Reaching, rect: Rect) -> Rect:
    """What a network is given for rect where it pads: so much more that the padding does not tell in rect."""
    reach = max(network.encoder_reach + network.lattice - 1, STRUCTURE_REACH, BASE_REACH)
    return _widened(rect, reach, network.lattice)


def _widened(rect: Rect, by: int, lattice: int) -> Rect:
    """rect with `by` more on each side, to multiples of the lattice."""
    x0, y0 = ((v - by) // lattice * lattice for v in rect[:2])
    x1, y1 = (-(-(v + by) // lattice) * lattice for v in rect[2:])
    return x0, y0, x1, y1


def _within(rect: Rect, whole: Rect) -> Rect:
    """The part of rect that is in whole."""
    return (
        max(rect[0], whole[0]),
        max(rect[1], whole[1]),
        min(rect[2], whole[2]),
        min(rect[3], whole[3]),
    )
