"""What a block of tiles needs of the picture around it, for a network and for the correction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from gaussian_core import correction
from gaussian_core.field import origin_near
from gaussian_core.models import mean_colours
from gaussian_core.models.config import STRUCTURE_REACH, ModelConfig

if TYPE_CHECKING:
    from gaussian_core.builder import Rect

BESIDE = 1  # source pixels beside a tile whose Gaussians show so much in it that their colours, too, are to be right
# Source pixels: what a tile's colours and its correction depend on, and what reaches into that.
SURROUND = max(BESIDE + mean_colours.HALO, correction.HALO) + 4
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
    network is given for them. drawn: those of near whose Gaussians some tile holds. levelled: whose mean
    colours are made the picture's. compared: where for that it is compared with what near shows; corrected: where, for
    the correction, with what those drawn show.
    """

    extent: tuple[int, int]
    margin: int
    rect: Rect
    near: Rect
    seen: Rect

    @property
    def drawn(self) -> Rect:
        height, width = self.extent
        by = self.margin
        return _within(self.near, (-by, -by, width + by, height + by))

    @property
    def levelled(self) -> Rect:
        return _widened(self.own(self.rect), BESIDE, 1)

    @property
    def compared(self) -> Rect:
        return _widened(self.levelled, mean_colours.HALO, 1)

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
        return _own(tile, self.extent, self.margin)


def surroundings(network: Reaching, rects: Sequence[Rect], extent: tuple[int, int]) -> Surroundings:
    """Of rectangles that tile a rectangle of a picture of extent (height, width)."""
    rect = around(rects)
    # Gaussians just outside matter too: what the tiles' lack of the picture is seen with them. Where the picture ends
    # they are of its mirror image, of which the tiles hold a margin.
    near = _widened(_own(rect, extent, network.config.margin), SURROUND, network.lattice)
    # The network sees as much around a tile as it reaches, everywhere: where the picture ends, its mirror image. That
    # is nearer to what goes on there than the zeros that it would pad with.
    seen = _seen_inside(network, near) if network.inner else _seen_padded(network, near)
    return Surroundings(extent, network.config.margin, rect, near, seen)


def _own(rect: Rect, extent: tuple[int, int], margin: int) -> Rect:
    """The rectangle with a margin where it ends with the picture."""
    height, width = extent
    x0, y0, x1, y1 = rect
    return (
        x0 - margin * (x0 == 0),
        y0 - margin * (y0 == 0),
        x1 + margin * (x1 == width),
        y1 + margin * (y1 == height),
    )


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
