"""What there is to see: an immutable snapshot of the picture and of the field as far as built."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from gaussian_core.models.config import shipped_weights
from gaussian_core.parallel import Stop
from viewer.model.methods import DEFAULT, method_title
from viewer.model.pixel_rects import is_empty, source_pixels

if TYPE_CHECKING:
    from gaussian_core.field import GaussianField

Rect = tuple[float, float, float, float]
Key = Any  # (column, row) of a tile for TileGrid; a scene only hands it back to its grid

_generations = itertools.count(1)

BUT_TILES = (
    "generation", "picture", "pyramid", "grid", "method", "drawing", "pixel_sigma", "resampling",
    "interpolated", "plain",
)  # fmt: skip
"""What two scenes have in common that show the same but for tiles that have come or gone."""

REACH = 4.0
"""Source pixels beyond its tile that a Gaussian may show at 100 % and above."""


class Grid(Protocol):
    """The part of gaussian_core.builder.TileGrid that a scene needs."""

    def rect(self, key: Any) -> Rect: ...
    def keys_in(self, rect: Any) -> Iterable[Any]: ...
    def neighbours(self, key: Any) -> Iterable[Any]: ...


@dataclass(frozen=True)
class Scene:
    """Handed from the GUI thread to the workers as it stands; a change makes a new one.

    extent: (height, width) in source pixels.
    picture, pyramid: the source and its antialiased levels; None when only a field was opened.
    grid, tiles: the tile grid and the tiles built so far, {key: GaussianField}. Without a grid,
        every entry of `tiles` belongs everywhere (a field opened from a file).
    method: how the field was built ("kernel", ...).
    drawing: draws the picture at any viewport by other means than a field, `draw(viewport, stop)`; None as a rule.
    pixel_sigma: the pixel's footprint in device pixels that the field is seen by; None is what it was made for.
    resampling: the method that shows the picture where there is no field yet; interpolated: there will be none, the
        stored pixels are what is to be seen at every zoom.
    plain: transparent parts stand on one grey and not on squares, as for frames that are subtracted: where these
        differ in alpha squares would be left.
    overview: a Frame of all of the picture as far as it is read, see viewer.model.documents.overview; None where the
        canvas was given another one, or makes it of its first frame.
    generation: one number per opened picture: what was rendered for another one is dropped.
    revision: grows with every tile.
    """

    extent: tuple[int, int]
    picture: Any = None
    pyramid: Any = None
    grid: Grid | None = None
    tiles: Mapping[Key, GaussianField] = field(default_factory=dict)
    method: str = "kernel"
    drawing: Any = None
    pixel_sigma: float | None = None
    resampling: str = "bicubic"
    interpolated: bool = False
    plain: bool = False
    overview: Any = None
    generation: int = field(default_factory=lambda: next(_generations))
    revision: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.tiles, MappingProxyType):
            object.__setattr__(self, "tiles", MappingProxyType(dict(self.tiles)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Scene):
            return NotImplemented
        return (self.generation, self.revision) == (other.generation, other.revision)

    def __hash__(self) -> int:
        return hash((self.generation, self.revision))

    def with_only(self, tiles: Mapping[Key, GaussianField]) -> Scene:
        """The same picture with exactly these tiles (after a cache has dropped some)."""
        return replace(self, tiles=MappingProxyType(dict(tiles)), revision=self.revision + 1)

    def rebuilt_by(self, method: str, grid: Grid) -> Scene:
        """The same picture with no tiles yet of a field by another method."""
        none: Mapping[Key, GaussianField] = MappingProxyType({})
        return replace(
            self,
            method=method,
            grid=grid,
            tiles=none,
            drawing=None,
            resampling="bicubic",
            interpolated=False,
            revision=self.revision + 1,
        )

    def after(self, revision: int) -> Scene:
        """The same, to be shown after another scene of this picture, of that revision: no frame of that one is taken
        for one of it."""
        return replace(self, revision=max(self.revision, revision) + 1)

    def differs_by_tiles(self, other: Scene) -> bool:
        """Whether a frame of the other scene is one of this one where neither tiles have come nor gone."""
        if self.drawing is not None:
            return False
        return all(getattr(self, name) is getattr(other, name) for name in BUT_TILES)

    @property
    def title(self) -> str:
        """The method; of the learned field its weights as well, as soon as a tile tells them and where there are
        several to choose from."""
        title = getattr(self.drawing, "title", "") or method_title(self.method)
        tile = next(iter(self.tiles.values()), None)
        if self.method != DEFAULT or tile is None or len(shipped_weights()) < 2:
            return title
        return f"{title} {tile.metadata.get('weights', '')}".strip()

    @property
    def shows_something(self) -> bool:
        """Whether there is something of the method to see, and not only the picture while its field is being built."""
        return bool(self.tiles) or self.interpolated or self.drawing is not None

    @property
    def transparent(self) -> bool:
        """Whether what is shown has alpha."""
        picture = getattr(self.drawing, "picture", self.picture)
        if picture is not None:
            return bool(picture.has_alpha)
        return any(tile.channels == 4 for tile in self.tiles.values())

    @property
    def replaced_from_afar(self) -> bool:
        """Whether below 100 % the antialiased picture is seen in its place."""
        if self.pyramid is None or self.interpolated:
            return False
        return not getattr(self.drawing, "at_every_scale", False)

    def seen_by(self, pixel_sigma: float | None) -> Scene:
        """The same field seen by another footprint of the pixels."""
        return replace(self, pixel_sigma=pixel_sigma, revision=self.revision + 1)

    @property
    def bounds(self) -> Rect:
        return (0.0, 0.0, float(self.extent[1]), float(self.extent[0]))

    def drawable(self, key: Key) -> bool:
        """Whether the field can be drawn over this tile: it and its neighbours are built."""
        assert self.grid is not None
        return key in self.tiles and all(k in self.tiles for k in self.grid.neighbours(key))

    def field_rects(self, key: Key) -> list[Rect]:
        """The part of a tile where the field can be drawn, as disjoint rectangles: up to REACH before neighbours that
        are not built."""
        if key not in self.tiles:
            return []
        assert self.grid is not None
        x0, y0, x1, y1 = rect = self.grid.rect(key)
        missing = [self.grid.rect(k) for k in self.grid.neighbours(key) if k not in self.tiles]
        # Which side of the tile a neighbour lies on, along x and along y: -1, 0 (beside it) or 1.
        sides = {
            ((r[0] >= rect[2]) - (r[2] <= rect[0]), (r[1] >= rect[3]) - (r[3] <= rect[1]))
            for r in missing
        }
        x0, x1 = x0 + REACH * ((-1, 0) in sides), x1 - REACH * ((1, 0) in sides)
        y0, y1 = y0 + REACH * ((0, -1) in sides), y1 - REACH * ((0, 1) in sides)
        # A neighbour at a corner matters where none of the two beside it keeps the distance already.
        corners = {(i, j) for i, j in sides if i and j and not {(i, 0), (0, j)} & sides}
        above, below = (REACH * any(j == side for _, j in corners) for side in (-1, 1))
        bands = [(0, y0 + above, y1 - below), (-1, y0, y0 + above), (1, y1 - below, y1)]
        rects = [
            (x0 + REACH * ((-1, side) in corners), top, x1 - REACH * ((1, side) in corners), bottom)
            for side, top, bottom in bands
        ]
        return [r for r in rects if r[0] < r[2] and r[1] < r[3]]

    def fields_reaching(self, rect: Rect) -> list[GaussianField]:
        """The fields whose Gaussians can reach into the source rectangle: its tiles and a ring."""
        return [self.tiles[key] for key in self.keys_reaching(rect)]

    def built_share(self, rect: Rect) -> float:
        """Of the tiles that touch a rectangle how many are there; 1 without a grid, and where none touches it."""
        if self.grid is None or self.drawing is not None:
            return 1.0
        keys = list(self.grid.keys_in(rect))
        return sum(key in self.tiles for key in keys) / len(keys) if keys else 1.0

    def keys_reaching(self, rect: Rect) -> list[Key]:
        if self.grid is None:
            return list(self.tiles)
        wanted: dict[Key, None] = {}
        for key in self.grid.keys_in(rect):
            wanted[key] = None
            wanted.update(dict.fromkeys(self.grid.neighbours(key)))
        return [key for key in wanted if key in self.tiles]

    def fields_in(
        self, rect: Rect, stop: Stop | None = None, kept: bool = False
    ) -> Iterator[tuple[GaussianField, bool]]:
        """The built tiles that touch the rectangle, each with whether it lies wholly inside; where the picture is drawn
        by other means, the kernels these use, if they have any. stop, kept: see LazyDrawing.kernels."""
        kernels = getattr(self.drawing, "kernels", None)
        if kernels is not None:
            pixels = source_pixels(rect, self.extent)
            if not is_empty(pixels):
                found = kernels(pixels, stop, kept)
                if found is not None:
                    yield found, False
            return
        if self.grid is None:
            whole = _inside(self.bounds, rect)
            yield from ((f, whole) for f in self.tiles.values())
            return
        for key in self.grid.keys_in(rect):
            if key in self.tiles:
                yield self.tiles[key], _inside(self.grid.rect(key), rect)


def _inside(inner: Rect, outer: Rect) -> bool:
    # A Gaussian may drift a little over its tile's edge, so "wholly inside" keeps a distance.
    slack = 2.0
    return (
        inner[0] - slack >= outer[0]
        and inner[1] - slack >= outer[1]
        and inner[2] + slack <= outer[2]
        and inner[3] + slack <= outer[3]
    )
