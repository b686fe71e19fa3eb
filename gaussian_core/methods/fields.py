"""Drawings of fields of Gaussians: of one that is there, and of a picture's, built tile by tile."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from gaussian_core.errors import FieldError
from gaussian_core.footprint import footprint_of
from gaussian_core.methods.interface import Options
from gaussian_core.parallel import Stop
from gaussian_core.viewport import Viewport

ROW_BYTES = 192 << 20
"""What the tiles of one row may take: a strip of a file needs two rows at a time, and memory follows it."""
PIXEL_BYTES = 160
"""Of a field, per source pixel: four Gaussians of eight floats, and one more that makes it the file at 100 %."""
BLOCK = 4
"""Tiles of a row that are built at once, at most: what a network sees around them it computes only once."""
REACH = 16.0
"""Source pixels beyond its own pixel that a Gaussian may show, without the footprint it is seen through."""
FOOTPRINTS = 4.0
"""Standard deviations of that footprint which come on top."""

if TYPE_CHECKING:
    from gaussian_core.builder import Key
    from gaussian_core.field import GaussianField
    from gaussian_core.images import PictureSource


class FieldDrawing:
    """A field that is there already. Raises FieldError when its channels make no picture."""

    has_footprint = True
    notes: tuple[str, ...] = ()

    def __init__(self, field: GaussianField, options: Options) -> None:
        if field.channels not in (1, 3, 4):
            raise FieldError(
                f"The field has {field.channels} channels; a picture needs 1 (grey), 3 (RGB) or 4 (RGB and alpha)."
            )
        self.extent = field.extent
        self.channels = field.channels
        self._field = field
        self._options = options

    def encode(self, stop: Stop | None = None) -> None:
        self._field.index  # noqa: B018  built on first use

    def draw(self, viewport: Viewport, stop: Stop | None = None) -> NDArray[np.float32]:
        return draw_fields([self._field], viewport, self._options, stop)


class TiledFieldDrawing:
    """A picture's field by one of the builder's methods.

    After `encode` all of its tiles are held. Without it they are built as viewports ask for them and dropped when one
    begins below them: memory follows what is drawn where strips come down a picture. The wider the picture, the lower
    its tiles.
    """

    has_footprint = True

    def __init__(self, picture: PictureSource, method: str, options: Options) -> None:
        from gaussian_core.builder import FieldBuilder

        self.extent = picture.extent
        self.channels = picture.channels
        self.builder = FieldBuilder(
            picture,
            method,
            options.device,
            tile=tile_for(min(picture.width, math.ceil(options.across or picture.width))),
            weights=options.weights,
            precision=options.precision,
        )
        self.tiles: dict[Key, GaussianField] = {}
        self._options = options
        self._whole = False
        self._reach = 0.0

    @property
    def notes(self) -> tuple[str, ...]:
        return (self.builder.note,) if self.builder.note else ()

    @property
    def weights(self) -> str:
        """The name of those that the field is made by, as far as it is made; "" for none."""
        tile = next(iter(self.tiles.values()), None)
        return "" if tile is None else tile.metadata.get("weights", "")

    @property
    def parameters(self) -> int:
        """Of the network behind it, if any."""
        return self.builder.parameters

    def encode(self, stop: Stop | None = None) -> None:
        from gaussian_core.parallel import run_strips

        if self._whole:
            return
        keys = list(self.builder.grid.keys())

        def build(number: int) -> None:
            self.tiles[keys[number]] = self.builder.build_tile(keys[number], stop)

        run_strips(build, len(keys), stop)
        self._whole = True

    def draw(self, viewport: Viewport, stop: Stop | None = None) -> NDArray[np.float32]:
        # The largest that was asked for: of several files side by side none makes another's tiles go.
        self._reach = max(self._reach, self._reach_at(viewport))
        keys = self._reaching(viewport.source_rect)
        if not self._whole:
            # Strips only move down: what lies above this one and what reaches into it, no later one needs.
            grid, top = self.builder.grid, viewport.source_rect[1]
            self.tiles = {
                key: tile
                for key, tile in self.tiles.items()
                if key in keys or grid.rect(key)[3] + self._reach > top
            }
        for block in _blocks([key for key in keys if key not in self.tiles]):
            self.tiles.update(self.builder.build_tiles(block, stop))
        return draw_fields([self.tiles[key] for key in keys], viewport, self._options, stop)

    def _reach_at(self, viewport: Viewport) -> float:
        """How far beyond its pixel a Gaussian shows in that view, source pixels."""
        from gaussian_core.rasterizer import PIXEL_SIGMA

        given = self._options.pixel_sigma
        sigma = PIXEL_SIGMA if given is None else max(given, PIXEL_SIGMA)
        return REACH + FOOTPRINTS * sigma / min(viewport.scale)

    def _reaching(self, rect: tuple[float, float, float, float]) -> list[Key]:
        x0, y0, x1, y1 = rect
        by = self._reach
        keys = self.builder.grid.keys_in((x0 - by, y0 - by, x1 + by, y1 + by))
        # A viewport beside the picture still has a frame, an empty one.
        return keys or [next(iter(self.builder.grid.keys()))]


def tile_for(width: int) -> int:
    """Side of the tiles of a picture, or a part of one, that wide and drawn from the top, source pixels."""
    from gaussian_core.builder import TILE

    tile = TILE
    while tile > 64 and tile * width * PIXEL_BYTES > ROW_BYTES:
        tile //= 2
    return tile


def _blocks(keys: Sequence[Key]) -> Iterator[list[Key]]:
    """Tiles side by side, BLOCK of them at most. keys: row by row, as a grid gives them."""
    block: list[Key] = []
    for key in keys:
        if block and (key != (block[-1][0] + 1, block[-1][1]) or len(block) == BLOCK):
            yield block
            block = []
        block.append(key)
    if block:
        yield block


def draw_fields(
    fields: list[GaussianField], viewport: Viewport, options: Options, stop: Stop | None
) -> NDArray[np.float32]:
    """Seen by the footprint that is asked for, or that they were made for, on the device that is asked for."""
    from gaussian_core.rasterizer import rasterize

    given = options.pixel_sigma
    sigma = footprint_of(fields[0], viewport.scale) if given is None else given
    backend = cast("Any", options.device)
    return rasterize(fields, viewport, pixel_sigma=sigma, backend=backend, stop=stop)
