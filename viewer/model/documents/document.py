"""What is open: a picture or a field file, its pyramid, and the tiles of its field as far as built. No Qt."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gaussian_core.errors import Cancelled, DeviceError, ImageError, WeightsError
from gaussian_core.field import is_field_file
from gaussian_core.parallel import Stop
from viewer.model.documents.original import OriginalDrawing
from viewer.model.documents.tile_plan import Key, TilePlan
from viewer.model.frames.frame_renderer import FIELD_FROM
from viewer.model.frames.lazy_drawing import LazyDrawing
from viewer.model.frames.scene import REACH, Rect, Scene
from viewer.model.methods import (
    AUTOMATIC,
    DEFAULT,
    FALLBACK,
    KNOWN,
    OFFERED,
    ORIGINAL,
    Choice,
    imports_torch,
    method_named,
    method_of_weights,
)
from viewer.model.torch_import import load_torch

if TYPE_CHECKING:
    from gaussian_core.field import GaussianField
    from gaussian_core.images import PictureSource
    from gaussian_core.imaging.file_state import FileState
    from gaussian_core.pyramid.lazy_levels import LazyLevels
    from viewer.model.frames.frame import Frame

log = logging.getLogger(__name__)

CHECKPOINT_SUFFIXES = (".pth", ".pt")
AHEAD = 768 << 20
"""Bytes of tiles beyond which nothing is built that no view wants."""
MARGIN = 1 / 8
"""Of the view's width and height: so far around it tiles are wanted, before a pan asks for them."""
LEAST_MARGIN = 64.0  # source pixels
WITH_WEIGHTS = "They need torch, which on Windows only loads before a window: start the viewer with --weights FILE."


def is_weights_file(path: str | os.PathLike[str]) -> bool:
    """Whether a file holds a network's weights and no picture or field, as far as its name and its header tell."""
    suffix = Path(path).suffix.lower()
    if suffix in CHECKPOINT_SUFFIXES:
        return True
    if not is_field_file(path) or not os.path.isfile(path):
        return False
    from safetensors import SafetensorError, safe_open

    from gaussian_core.models.config import WEIGHTS_FORMAT

    try:
        with safe_open(path, framework="np") as file:
            return (file.metadata() or {}).get("format") == WEIGHTS_FORMAT
    except (SafetensorError, OSError):
        return False  # opening it as a field says what is wrong


@dataclass
class Document:
    """One opened picture or field.

    name: shown in the title. path: the file, None for a pasted picture. picture: None when a field file was opened.
    builder: makes the tiles; for a picture it is made by the first `build_next`, since it may have to load torch and
    weights. plan: which tiles exist and which come next. note: something about the reading that the user should know
    ("first of 12 frames"). weights: a file that the field is made by; None: what is shipped. shipped: the name of the
    shipped weights of a learned field. fallback: why the field is made by another method than was asked for; empty when
    it is not. unread: the levels of a large picture whose coarse ones are still to be read from its file, in the
    background; None for others. scale: of the newest view. fits: minutes of work on this picture, which all its
    documents share: what is fitted so far outlives a look at other methods. state: of the file just before it was read.
    factor: the document is a copy of 1 / factor of what is in the file. reference: another picture of the same scene
    that enlargements are held against: the original of a reduced copy, or a file that was chosen; None: there is none.

    `scene` is replaced, never changed: it is what the frame worker gets. Only the GUI thread (or a test) calls
    `take_tiles`; `build_next` runs on the build thread.
    """

    name: str
    path: Path | None
    scene: Scene
    picture: PictureSource | None = None
    builder: Any = None
    plan: TilePlan = field(default_factory=lambda: TilePlan({}))
    note: str = ""
    weights: Path | None = None
    shipped: str = AUTOMATIC
    fallback: str = ""
    unread: LazyLevels | None = None
    scale: float = 1.0
    fits: dict[str, LazyDrawing] = field(default_factory=dict)
    state: FileState | None = None
    factor: int = 1
    reference: OriginalDrawing | None = None

    # ---- opening (slow: not on the GUI thread) ------------------------------------------------

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        method: str = DEFAULT,
        budget: int | None = None,
        weights: Path | None = None,
        forgiving: bool = True,
    ) -> Document:
        """Read a picture, as far as it can be if `forgiving`, or a field file. Raises ImageError or FieldError."""
        if is_field_file(path):
            from gaussian_core.field import GaussianField

            return cls.from_field(GaussianField.open(path), Path(path))
        from gaussian_core.images import open_picture

        return cls.from_picture(
            open_picture(path, forgiving=forgiving), Path(path), method, budget, weights
        )

    @classmethod
    def from_picture(
        cls,
        picture: PictureSource,
        path: Path | None = None,
        method: str = DEFAULT,
        budget: int | None = None,
        weights: Path | None = None,
    ) -> Document:
        """Of a picture. The tiles are still to be built, and the coarse levels of a large one may be to be read."""
        from gaussian_core.pyramid import levels_of
        from gaussian_core.pyramid.lazy_levels import LazyLevels

        picture.show_damage()
        levels = levels_of(picture)
        unread = levels if isinstance(levels, LazyLevels) and levels.slow else None
        scene = Scene(extent=picture.extent, picture=picture, pyramid=levels)
        if unread is not None:
            scene = replace(scene, pyramid=unread.as_far_as_read())
        plan = TilePlan({}, budget, AHEAD)
        name = path.name if path is not None else picture.name
        original = picture.original
        note = "; ".join(text for text in (picture.damage, picture.note) if text)
        bare = cls(
            *(name, path, scene, picture, None, plan, note),
            unread=unread,
            reference=OriginalDrawing(original, picture.extent) if original is not None else None,
        )
        return bare.made_by(method, weights)

    @classmethod
    def reduced(
        cls,
        picture: PictureSource,
        name: str,
        factor: int,
        method: str = DEFAULT,
        weights: Path | None = None,
    ) -> Document:
        """Of a copy of 1 / factor of a picture, or, with 1, of that picture itself. name: the picture's. Raises
        ImageError."""
        from gaussian_core.pyramid.reduced_copy import reduced_copy

        if factor == 1:
            path = Path(picture.path) if picture.path else None
            made = cls.from_picture(picture, path, method, weights=weights)
        else:
            made = cls.from_picture(reduced_copy(picture, factor), None, method, weights=weights)
        return replace(made, name=name if factor == 1 else f"{name}, 1/{factor}", factor=factor)

    def made_by(self, method: str, weights: Path | None = None) -> Document:
        """The same picture, its field to be built by another method; frames of the old one stay valid until then.

        weights: a file that decides the method; it has been opened before, so that what it holds is known to be good.
        """
        from gaussian_core.builder import TileGrid

        assert self.picture is not None
        spec = method_named(method) if weights is None else method_of_weights(weights)
        grid = TileGrid(self.extent, spec.tile)
        scene = self.scene.rebuilt_by(spec.name, grid)
        keys = list(grid.keys())
        if weights is not None:
            try:
                drawing = _drawing(self.picture, weights)
            except (WeightsError, DeviceError, ImportError) as error:
                return self._fallen_back(error)
            if drawing is not None:
                scene, keys = replace(scene, drawing=drawing), []
        elif spec.makes == "interpolation":
            scene, keys = replace(scene, resampling=spec.name, interpolated=True), []
        elif spec.makes == "original":
            assert self.reference is not None
            scene, keys = replace(scene, drawing=self.reference), []
        elif spec.makes == "pixels":
            if spec.name == "fit":
                from gaussian_core.methods.fit import check_size

                try:
                    check_size(self.extent)
                except ImageError as error:
                    return self._fallen_back(error)
            drawing = self.fits.get(spec.name) or LazyDrawing(self.picture, spec.name)
            if spec.name == "fit":
                self.fits[spec.name] = drawing
            scene, keys = replace(scene, drawing=drawing), []
        plan = TilePlan({key: grid.rect(key) for key in keys}, self.plan.asked, AHEAD)
        return replace(self, scene=scene, builder=None, plan=plan, weights=weights, fallback="")

    def made_as(self, choice: Choice) -> Document:
        """`made_by` what was chosen."""
        made = self.made_by(choice.method, choice.weights)
        made.shipped = choice.shipped
        return made

    def _fallen_back(self, error: Exception) -> Document:
        """The same picture by a method that always works, because of what another one says."""
        return replace(self.made_by(FALLBACK), fallback=_instead(error))

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
    def source(self) -> Path | None:
        """The file that it was read from; of a reduced copy its original's, of what was pasted none."""
        original = None if self.picture is None else self.picture.original
        if self.path is None and original is not None and original.path:
            return Path(original.path)
        return self.path

    @property
    def stem(self) -> str:
        """Its name for those of files that are made of it, without an ending."""
        if self.picture is None or self.picture.original is None:
            return Path(self.name).stem
        name, _, factor = self.name.rpartition(", 1/")
        return f"{Path(name).stem} 1-{factor}"

    @property
    def whole(self) -> GaussianField | None:
        """The whole field, where it need not be built: of a field file, or what is fitted to the picture so far."""
        if self.picture is None:
            return next(iter(self.scene.tiles.values()), None)
        return getattr(self.scene.drawing, "field", None)

    @property
    def has_alpha(self) -> bool:
        """Whether its values are RGB with alpha."""
        if self.picture is not None:
            return self.picture.has_alpha
        return any(tile.channels == 4 for tile in self.scene.tiles.values())

    @property
    def channels(self) -> int:
        """Of its pixels."""
        if self.picture is not None:
            return self.picture.channels
        return next((tile.channels for tile in self.scene.tiles.values()), 3)

    @property
    def deep(self) -> bool:
        """Whether the picture, or what the field of a file was made of, has more than 8 bits a channel."""
        if self.picture is not None:
            return self.picture.bits > 8
        from gaussian_core.depth import is_deep

        return any(is_deep(tile) for tile in self.scene.tiles.values())

    @property
    def built(self) -> int:
        return self.plan.built

    @property
    def total(self) -> int:
        return self.plan.total

    @property
    def in_view(self) -> tuple[int, int]:
        """How many of the tiles in view are built, and how many there are."""
        return self.plan.in_view

    @property
    def lacks_tiles(self) -> bool:
        """Whether the view shows the field, and would show more of it if more of it were built."""
        built, wanted = self.plan.in_view
        return self.scale >= FIELD_FROM and self.buildable and built < wanted

    @property
    def complete(self) -> bool:
        """Whether nothing is left to build: for this view, where the budget does not hold all tiles."""
        return not self.buildable or not self.plan.has_next

    @property
    def buildable(self) -> bool:
        """Whether the field is made here, and not read from a file."""
        return self.picture is not None or self.builder is not None

    @property
    def needs_torch(self) -> bool:
        """Whether building imports torch, which takes a while."""
        if self.builder is not None or not self.buildable:
            return False
        return next((imports_torch(m) for m in KNOWN if m.name == self._method_now), True)

    @property
    def method(self) -> str:
        """How the field is made, as far as the GUI thread has taken notice."""
        return self.scene.method

    @property
    def choice(self) -> Choice:
        """What it is shown by; of a fallback, what that is."""
        method, weights = self._method_now, None if self.fallback else self.weights
        return Choice(method, self.shipped, weights)

    @property
    def title(self) -> str:
        """What it is shown by, as it was chosen; where the picture and the device decide the weights, as the scene
        tells."""
        choice = self.choice
        told = choice == Choice(DEFAULT, AUTOMATIC) or choice.method == ORIGINAL.name
        return self.scene.title if told else choice.title

    # ---- building -----------------------------------------------------------------------------

    def look_at(self, rect: Rect, scale: float = 1.0, marked: bool = False) -> None:
        """The newest view, and its scale: tiles near it come first. marked: Gaussians are, in all of it.

        Below 100 % the field is not shown; wanted is then what would be seen at 100 %, unless it is marked.
        """
        # With what reaches into it from beyond its edges.
        self.scale = scale
        x0, y0, x1, y1 = rect
        view = (x0 - REACH, y0 - REACH, x1 + REACH, y1 + REACH)
        part = (1.0 if marked else min(1.0, scale)) / 2
        dx, dy = (
            part * side + max(MARGIN * part * side, LEAST_MARGIN) for side in (x1 - x0, y1 - y0)
        )
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        self.plan.set_view(view, (x - dx, y - dy, x + dx, y + dy))

    def build_next(self, stop: Stop | None = None) -> list[Key]:
        """Build the tiles that are wanted most; which, none when there is nothing to build. Raises Cancelled.

        Tiles that the view has left are given up for others that it wants. Where the method cannot work (no weights, no
        torch, no memory on the device) the field is made by kernel interpolation, all of it, and `fallback` says why.
        """
        if not self.buildable:
            return []
        while keys := self._next_keys():
            try:
                if self.builder is None:
                    self._open_builder()
                    continue  # it may have taken a second or two, in which the view went elsewhere
                tiles = self._build(keys, stop)
            except Cancelled:
                if stop is not None and stop():
                    raise
                continue
            except (WeightsError, DeviceError, ImportError) as error:
                if self._method_now == FALLBACK:
                    raise
                log.warning("%s failed, falling back: %s", self._method_now, error)
                self.plan.clear()
                self.builder = None
                self.fallback = _instead(error)
                continue
            for key, tile in tiles.items():
                self.plan.put(key, tile)
            return keys
        return []

    def _next_keys(self) -> list[Key]:
        known = {m.name: m.block for m in OFFERED}
        return self.plan.next_block(known.get(self._method_now, 1))

    @property
    def remark(self) -> str:
        """What the user should know about how the field is being built; empty as a rule."""
        return self.fallback or str(getattr(self.builder, "note", ""))

    @property
    def notes(self) -> tuple[str, ...]:
        """What the method has to say of how it shows this picture; empty as a rule."""
        note = str(getattr(self.builder, "note", ""))
        return (*getattr(self.scene.drawing, "notes", ()), *([note] if note else []))

    @property
    def _method_now(self) -> str:
        return FALLBACK if self.fallback else self.scene.method

    def _open_builder(self) -> None:
        from gaussian_core.builder import FieldBuilder

        assert self.scene.grid is not None and self.picture is not None
        weights, method, tile = self.choice.file, self._method_now, self.scene.grid.tile  # type: ignore[attr-defined]
        if _needs_torch(method, weights):
            load_torch()
        self.builder = (
            FieldBuilder(self.picture, method, tile=tile)
            if weights is None
            else FieldBuilder(self.picture, tile=tile, weights=weights)
        )

    def _build(self, keys: list[Key], stop: Stop | None) -> dict[Key, Any]:
        def leave() -> bool:
            return (stop is not None and stop()) or self.plan.overtaken(keys)

        return self.builder.build_tiles(keys, stop=leave)

    def take_levels(self, small: Frame | None = None) -> None:
        """Bring the scene up to date with what is read. small: an overview of it."""
        if self.unread is not None:
            # Another object each time: by it others see that the picture has changed.
            levels = self.unread if self.unread.complete else self.unread.as_far_as_read()
            scene = replace(self.scene, pyramid=levels, revision=self.scene.revision + 1)
            self.scene = scene if small is None else replace(scene, overview=small)
            self.unread = None if self.unread.complete else self.unread

    def take_tiles(self) -> bool:
        """Bring the scene up to date with what is built. Whether anything changed."""
        if not self.buildable:
            return False
        tiles = self.plan.tiles
        if self._method_now != self.scene.method:
            self.scene = replace(self.scene, method=self._method_now, tiles={})
        elif tiles.keys() == self.scene.tiles.keys():
            return False
        self.scene = self.scene.with_only(tiles)
        return True


def _instead(error: Exception) -> str:
    return f"{error} Kernel interpolation is shown instead."


def _needs_torch(method: str, weights: Path | None) -> bool:
    """Whether building does. Raises WeightsError for weights that cannot be used."""
    if weights is None and method != DEFAULT:
        return False
    from gaussian_core.builder import is_our_field
    from gaussian_core.models.config import weights_path
    from gaussian_core.models.tile_builder import needs_torch

    path = weights or weights_path()
    return needs_torch(path) if weights is None or is_our_field(path) else True


def read_weights(path: Path) -> None:
    """Read a file of weights, which stays in memory for those who use it next. Raises WeightsError, DeviceError or
    ImportError."""
    if not _needs_torch(DEFAULT, path):  # which it was read to tell
        return
    load_torch(WITH_WEIGHTS)
    from gaussian_core.models.devices import pick_device
    from gaussian_core.models.published.tiles import load_for

    load_for(path, pick_device("auto"))


def _drawing(picture: PictureSource, weights: Path) -> LazyDrawing | None:
    """What draws the picture where the weights make no field (LIIF, GaussianSR), else None."""
    from gaussian_core.builder import is_our_field

    if is_our_field(weights):
        return None
    load_torch(WITH_WEIGHTS)
    from gaussian_core.methods import METHODS, Options, method_of_weights

    method = METHODS[method_of_weights(weights)]
    if method.makes_field:
        return None
    return LazyDrawing(picture, method.name, method.open(picture, Options(weights=weights)))
