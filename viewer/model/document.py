"""What is open: a picture or a field file, its pyramid, and the tiles of its field as far as built. No Qt."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viewer.model.scene import Rect, Scene
from viewer.model.tile_plan import Key, TilePlan

if TYPE_CHECKING:
    from gaussian_core.field import GaussianField
    from gaussian_core.images import Picture

FIELD_SUFFIX = ".safetensors"
METHOD_TITLES = {"kernel": "Kernel interpolation"}


def is_field_file(path: str | os.PathLike[str]) -> bool:
    return Path(path).suffix.lower() == FIELD_SUFFIX


def method_title(method: str) -> str:
    return METHOD_TITLES.get(method, method)


@dataclass
class Document:
    """One opened picture or field.

    name: shown in the title. path: the file, None for a pasted picture. picture: None when a field file was opened.
    builder: makes the tiles; None when there is nothing to build. plan: which tiles exist and which come next.
    note: something about the reading that the user should know ("first of 12 frames").

    `scene` is replaced, never changed: it is what the frame worker gets. Only the GUI thread (or a test) calls
    `add_tiles`; `build_next` runs on the build thread.
    """

    name: str
    path: Path | None
    scene: Scene
    picture: Picture | None = None
    builder: Any = None
    plan: TilePlan = field(default_factory=lambda: TilePlan({}))
    note: str = ""

    # ---- opening (slow: not on the GUI thread) ------------------------------------------------

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        method: str = "kernel",
        budget: int | None = None,
    ) -> Document:
        """Read a picture or a field file. Raises ImageError or FieldError."""
        if is_field_file(path):
            from gaussian_core.field import GaussianField

            return cls.from_field(GaussianField.open(path), Path(path))
        from gaussian_core.images import open_picture

        return cls.from_picture(open_picture(path), Path(path), method, budget)

    @classmethod
    def from_picture(
        cls,
        picture: Picture,
        path: Path | None = None,
        method: str = "kernel",
        budget: int | None = None,
    ) -> Document:
        """Of a decoded picture. The tiles are still to be built."""
        from gaussian_core.builder import FieldBuilder
        from gaussian_core.pyramid import Pyramid

        builder = FieldBuilder(picture, method)
        grid = builder.grid
        scene = Scene(
            extent=picture.extent,
            picture=picture,
            pyramid=Pyramid(picture),
            grid=grid,
            method=method,
        )
        plan = TilePlan({key: grid.rect(key) for key in grid.keys()}, budget)
        name = path.name if path is not None else picture.name
        return cls(name, path, scene, picture, builder, plan, picture.note or "")

    @classmethod
    def from_field(cls, whole: GaussianField, path: Path | None = None) -> Document:
        """Of a field without its picture: the field is shown at every zoom. Raises FieldError when it has a number of
        channels that no screen can show."""
        if whole.channels not in (1, 3, 4):
            from gaussian_core.errors import FieldError

            raise FieldError(
                f"This field has {whole.channels} channels; only grey (1), RGB (3) and RGB with alpha (4) can be shown."
            )
        method = whole.metadata.get("method", "field file")
        whole.index  # noqa: B018  built here, off the GUI thread, not by the first frame
        scene = Scene(extent=whole.extent, tiles={"whole": whole}, method=method)
        return cls(path.name if path is not None else "Field", path, scene)

    # ---- what is known ------------------------------------------------------------------------

    @property
    def extent(self) -> tuple[int, int]:
        """(height, width) in source pixels."""
        return self.scene.extent

    @property
    def built(self) -> int:
        return self.plan.built

    @property
    def total(self) -> int:
        return self.plan.total

    @property
    def complete(self) -> bool:
        """Whether nothing is left to build: for this view, where the budget does not hold all tiles."""
        return self.builder is None or self.plan.next_key() is None

    # ---- building -----------------------------------------------------------------------------

    def look_at(self, rect: Rect) -> None:
        """The newest view: tiles near it come first."""
        self.plan.set_view(rect)

    def build_next(self, stop: Callable[[], bool] | None = None) -> Key | None:
        """Build the tile that is wanted most; None when there is nothing to build. Raises Cancelled."""
        if self.builder is None:
            return None
        key = self.plan.next_key()
        if key is None:
            return None
        tile = self.builder.build_tile(key, stop=stop)
        tile.index  # noqa: B018  the first frame that shows the tile need not wait for it
        self.plan.put(key, tile)
        return key

    def take_tiles(self) -> bool:
        """Bring the scene up to date with what is built. Whether anything changed."""
        tiles = self.plan.tiles
        if tiles.keys() == self.scene.tiles.keys():
            return False
        self.scene = self.scene.with_only(tiles)
        return True
