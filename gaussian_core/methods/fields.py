"""Drawings of fields of Gaussians: of one that is there, and of a picture's, built tile by tile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from gaussian_core.errors import FieldError
from gaussian_core.footprint import footprint_of
from gaussian_core.methods.interface import Options, Stop
from gaussian_core.viewport import Viewport

if TYPE_CHECKING:
    from gaussian_core.builder import Key
    from gaussian_core.field import GaussianField
    from gaussian_core.images import Picture


class FieldDrawing:
    """A field that is there already. Raises FieldError when its channels make no picture."""

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
        return _rasterize([self._field], viewport, self._options, stop)


class TiledFieldDrawing:
    """A picture's field by one of the builder's methods.

    After `encode` all of its tiles are held. Without it they are built as viewports ask for them and dropped when one
    begins below them: memory follows what is drawn where strips come down a picture.
    """

    def __init__(self, picture: Picture, method: str, options: Options) -> None:
        from gaussian_core.builder import FieldBuilder

        self.extent = picture.extent
        self.channels = int(picture.as_float((0, 0, 1, 1)).shape[2])
        self.builder = FieldBuilder(
            picture,
            method,
            options.device,
            weights=options.weights,
            precision=options.precision,
        )
        self.tiles: dict[Key, GaussianField] = {}
        self._options = options
        self._whole = False

    @property
    def notes(self) -> tuple[str, ...]:
        return (self.builder.note,) if self.builder.note else ()

    @property
    def model(self) -> Any:
        """The network behind it, if any."""
        return self.builder.model

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
        keys = self._reaching(viewport.source_rect)
        if not self._whole:
            # Strips only move down: what lies above this one and what reaches into it, no later one needs.
            grid, top = self.builder.grid, viewport.source_rect[1]
            self.tiles = {
                key: tile
                for key, tile in self.tiles.items()
                if key in keys or grid.rect(key)[3] + grid.tile > top
            }
        for key in keys:
            if key not in self.tiles:
                self.tiles[key] = self.builder.build_tile(key, stop)
        return _rasterize([self.tiles[key] for key in keys], viewport, self._options, stop)

    def _reaching(self, rect: tuple[float, float, float, float]) -> list[Any]:
        grid = self.builder.grid
        keys: dict[Any, None] = {}
        for key in grid.keys_in(rect):
            keys[key] = None
            keys.update(dict.fromkeys(grid.neighbours(key)))
        # A viewport beside the picture still has a frame, an empty one.
        return list(keys) or [next(iter(grid.keys()))]


def _rasterize(
    fields: list[GaussianField], viewport: Viewport, options: Options, stop: Stop | None
) -> NDArray[np.float32]:
    from gaussian_core.rasterizer import rasterize

    given = options.pixel_sigma
    sigma = footprint_of(fields[0]) if given is None else given
    backend = cast("Any", options.device)
    return rasterize(fields, viewport, pixel_sigma=sigma, backend=backend, stop=stop)
