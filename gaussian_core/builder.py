"""From a picture to its Gaussian field, tile by tile.

A large picture is never one huge field: the viewer and the file renderer build the tiles that they need. Tiles do not
overlap: each holds the Gaussians of its own source pixels, computed with enough of the picture around it that the sum
of all tiles is the field of the whole picture.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gaussian_core.errors import Cancelled, DeviceError, ImageError, WeightsError
from gaussian_core.parallel import Stop

if TYPE_CHECKING:
    import torch

    from gaussian_core.field import GaussianField

Key = tuple[int, int]  # (column, row) of a tile
Rect = tuple[int, int, int, int]  # x0, y0, x1, y1 in source pixels, upper edges excluded
Progress = Callable[[int, int], object]  # tiles done, tiles in all
Precision = Literal["float32", "bfloat16"]

TILE = 512


@runtime_checkable
class PictureLike(Protocol):
    """What a builder needs of a picture (images.Picture has it)."""

    @property
    def extent(self) -> tuple[int, int]: ...

    def as_float(self, rect: Rect | None = None) -> NDArray[np.float32]: ...


@runtime_checkable
class StoredPicture(Protocol):
    """A PictureLike that gives what as_float is made of: pixels (h, w, 3) and alpha (h, w) or None, read-only.

    full: the stored value of full brightness.
    """

    @property
    def full(self) -> float: ...

    def stored(self, rect: Rect) -> tuple[NDArray[Any], NDArray[Any] | None]: ...


class TileMethod(Protocol):
    """A way to make Gaussians: one per method, holding the picture and whatever it precomputes."""

    def build(self, rect: Rect, stop: Stop | None) -> GaussianField: ...


@runtime_checkable
class BlockMethod(Protocol):
    """A TileMethod that makes several tiles for less than one by one."""

    def build_block(self, rects: Sequence[Rect], stop: Stop | None) -> list[GaussianField]:
        """The Gaussians of each rectangle. Together they tile a rectangle: what they share is computed once."""
        ...


@dataclass(frozen=True)
class TileGrid:
    """The tiles of a picture of extent (height, width): squares of `tile` source pixels, cut at the far edges.
    Raises ValueError for a side of less than one."""

    extent: tuple[int, int]
    tile: int = TILE

    def __post_init__(self) -> None:
        if self.tile < 1:
            raise ValueError(f"a tile has at least one pixel a side, not {self.tile}")

    @property
    def columns(self) -> int:
        return -(-self.extent[1] // self.tile)

    @property
    def rows(self) -> int:
        return -(-self.extent[0] // self.tile)

    def __len__(self) -> int:
        return self.columns * self.rows

    def __contains__(self, key: Key) -> bool:
        return 0 <= key[0] < self.columns and 0 <= key[1] < self.rows

    def keys(self) -> Iterator[Key]:
        """All keys, row by row."""
        return ((i, j) for j in range(self.rows) for i in range(self.columns))

    def rect(self, key: Key) -> Rect:
        """The source pixels of a tile."""
        x, y = key[0] * self.tile, key[1] * self.tile
        return (x, y, min(x + self.tile, self.extent[1]), min(y + self.tile, self.extent[0]))

    def keys_in(self, rect: tuple[float, float, float, float]) -> list[Key]:
        """Keys of the tiles that a rectangle of the source plane touches, row by row."""
        x0, y0, x1, y1 = rect
        if x1 <= x0 or y1 <= y0 or x1 <= 0 or y1 <= 0:
            return []
        i0, j0 = max(0, int(x0 // self.tile)), max(0, int(y0 // self.tile))
        i1 = min(self.columns - 1, int(np.ceil(x1 / self.tile)) - 1)
        j1 = min(self.rows - 1, int(np.ceil(y1 / self.tile)) - 1)
        return [(i, j) for j in range(j0, j1 + 1) for i in range(i0, i1 + 1)]

    def neighbours(self, key: Key) -> list[Key]:
        """The tile itself and the up to eight around it."""
        return [
            (i, j)
            for j in range(max(0, key[1] - 1), min(self.rows, key[1] + 2))
            for i in range(max(0, key[0] - 1), min(self.columns, key[0] + 2))
        ]


def _kernel(picture: PictureLike, device: str) -> TileMethod:
    """Kernel interpolation: one Gaussian a source pixel, no weights."""
    from gaussian_core.kernel_interpolation.tiles import KernelTiles

    return KernelTiles(picture, device)


def _continuoussr(picture: PictureLike, device: str) -> TileMethod:
    """ContinuousSR (arXiv 2503.06617): the learned field. Raises WeightsError without usable weights."""
    from gaussian_core.models.tile_builder import ContinuousSRTiles

    return ContinuousSRTiles(picture, device)


def is_our_field(weights: str | os.PathLike[str]) -> bool:
    """Whether a file holds our weights of ContinuousSR, as far as its card tells."""
    from gaussian_core.models.card import read_card

    if Path(weights).suffix != ".safetensors":
        return False
    try:
        return read_card(weights).config.architecture == "continuoussr"
    except WeightsError:
        return False


FIELD_METHODS: dict[str, Callable[[PictureLike, str], TileMethod]] = {
    "continuoussr": _continuoussr,
    "kernel": _kernel,
}
"""Those of gaussian_core.methods that make a field, by the same names."""
DEFAULT_METHOD = "continuoussr"


class FieldBuilder:
    """Builds the tiles of one picture's field by one method; `build_tile` may be called from several threads.

    method: a name in FIELD_METHODS. device: "auto", "cpu" or what the method supports, or the torch.device of that
    name.
    weights: of ContinuousSR, the name of shipped ones (models.config.NAMES) or a file, ours or the authors'; they
    decide the method, and precision ("float32" or "bfloat16") what the authors' are computed in.
    Raises ValueError for what is no picture and for an unknown method, DeviceError for a device that is not usable
    here or an unknown precision, WeightsError.
    """

    def __init__(
        self,
        picture: PictureLike,
        method: str = DEFAULT_METHOD,
        device: str | torch.device = "auto",
        tile: int = TILE,
        weights: str | os.PathLike[str] | None = None,
        precision: Precision = "float32",
    ) -> None:
        from gaussian_core.models.config import named_weights

        if not isinstance(picture, PictureLike):
            raise ValueError(
                f"tiles are built of a picture (open_picture, or Picture.from_array), not of {type(picture).__name__}"
            )
        if method not in FIELD_METHODS:
            raise ValueError(f"unknown method {method!r}: choose one of {', '.join(FIELD_METHODS)}")
        if precision not in get_args(Precision):
            raise DeviceError(
                f"Unknown precision {precision!r}: use {' or '.join(get_args(Precision))}."
            )
        device = str(device)
        weights = None if weights is None else named_weights(weights)
        self.method = method if weights is None else "continuoussr"
        published = weights is not None and not is_our_field(weights)
        self.grid = TileGrid(picture.extent, tile)
        if weights is None:
            self._tiles = FIELD_METHODS[method](picture, device)
        elif not published:
            from gaussian_core.models.tile_builder import ContinuousSRTiles

            self._tiles = ContinuousSRTiles(picture, device, weights)
        else:
            from gaussian_core.models.published.tiles import tiles_of

            self._tiles = tiles_of(picture, weights, device, precision)
        self._unused = ""
        if precision != "float32" and self.method == "continuoussr" and not published:
            self._unused = f"{precision} is for the authors' weights: it changes nothing here"

    @property
    def note(self) -> str:
        """What the user should know about the building so far ("... on the CPU, which is slower"), or nothing."""
        return "; ".join(filter(None, [self._unused, getattr(self._tiles, "note", "")]))

    @property
    def noise(self) -> float:
        """Of the picture, levels of 255 (imaging.noise.noise_of); 0 where it was not asked for."""
        return float(getattr(self._tiles, "noise", 0.0))

    @property
    def parameters(self) -> int:
        """Numbers that were learned: 0 where nothing is."""
        network = getattr(self._tiles, "network", None)
        if network is not None:
            return int(network.parameters)
        model: Any = getattr(self._tiles, "model", None)
        return 0 if model is None else sum(int(p.numel()) for p in model.parameters())

    def build_tile(self, key: Key, stop: Stop | None = None) -> GaussianField:
        """The Gaussians of one tile in absolute source coordinates, index included. Raises Cancelled."""
        return self.build_tiles([key], stop)[key]

    def build_tiles(
        self, keys: Sequence[Key], stop: Stop | None = None
    ) -> dict[Key, GaussianField]:
        """Tiles that form a rectangle, faster than one by one where a method looks far around a tile. Raises Cancelled,
        and ValueError for none, for tiles that form no rectangle and for ones that are not in the grid."""
        if stop is not None and stop():
            raise Cancelled("stopped before a tile")
        if not keys:
            raise ValueError("no tiles are asked for")
        columns, rows = ({key[axis] for key in keys} for axis in (0, 1))
        box = {
            (i, j)
            for i in range(min(columns), max(columns) + 1)
            for j in range(min(rows), max(rows) + 1)
        }
        if box != set(keys):
            raise ValueError("the tiles form no rectangle")
        if outside := [key for key in keys if key not in self.grid]:
            raise ValueError(
                f"there is no tile {outside[0]}: (column, row) of {self.grid.columns} x {self.grid.rows} tiles"
            )
        rects = [self.grid.rect(key) for key in keys]
        if isinstance(self._tiles, BlockMethod):
            fields = self._tiles.build_block(rects, stop)
        else:
            fields = [self._tiles.build(rect, stop) for rect in rects]
        for field in fields:
            # The index is built here, on the builder's thread, so that no frame waits for it.
            field.take_cell_order()
        return dict(zip(keys, fields, strict=True))


def build_field(
    image: ArrayLike | PictureLike | str | os.PathLike[str],
    method: str = DEFAULT_METHOD,
    device: str | torch.device = "auto",
    progress: Progress | None = None,
    stop: Stop | None = None,
    weights: str | os.PathLike[str] | None = None,
    precision: Precision = "float32",
    say: Callable[[str], object] | None = None,
) -> GaussianField:
    """The field of a whole picture as one object.

    image: floats (H, W, C) in [0, 1], sRGB-encoded, 1 <= C <= 8 (4 channels: premultiplied RGB and alpha), or (H, W);
        uint8 or uint16 (H, W), (H, W, 3) or (H, W, 4) as files hold them (alpha straight); a Picture; or a path. What
        NumPy makes an array of will do, too: a tensor on the CPU, a Pillow image.
    method: a name in FIELD_METHODS; "kernel" is linear and takes floats of any range.
    progress: called with (tiles done, tiles in all), by one thread at a time. stop: polled between tiles; when true,
    Cancelled is raised.
    weights, precision: as for FieldBuilder. Without weights a path or a Picture of a lossy file gets those for such
    files ("jpeg"), and one of a file with plain noise in it those for that ("photo"); of arrays nothing is guessed:
    they get the usual ones.
    say: called with what the user should know of the building, if anything.
    Large pictures are better left in tiles (FieldBuilder): a field takes about 36 bytes a Gaussian.
    Raises ImageError for what makes no picture, and as FieldBuilder does.
    """
    from gaussian_core.depth import note_depth
    from gaussian_core.joining import joined
    from gaussian_core.parallel import run_strips

    picture = _picture_of(image, method)
    builder = FieldBuilder(picture, method, device, weights=weights, precision=precision)
    keys = list(builder.grid.keys())
    tiles: dict[Key, GaussianField] = {}
    telling = threading.Lock()

    def build(number: int) -> None:
        tile = builder.build_tile(keys[number], stop)
        with telling:
            tiles[keys[number]] = tile
            if progress is not None:
                progress(len(tiles), len(keys))

    run_strips(build, len(keys), stop)
    if say is not None and builder.note:
        say(builder.note)
    whole = tiles[keys[0]] if len(keys) == 1 else joined([tiles.pop(key) for key in keys])
    note_depth(whole, picture)
    return whole


def _picture_of(image: Any, method: str) -> PictureLike:
    """Raises ImageError."""
    if isinstance(image, str | os.PathLike):
        from gaussian_core.images import open_picture

        return open_picture(image)
    if isinstance(image, PictureLike):
        return image
    from gaussian_core.imaging.array_picture import FARTHEST, ArrayPicture, picture_of_array

    picture = picture_of_array(image)
    if method != "kernel" and isinstance(picture, ArrayPicture) and picture.farthest > FARTHEST:
        raise ImageError(
            f"The picture's values reach {picture.farthest:g}, where [0, 1] is meant: divide them first, by 255 where "
            "they were bytes."
        )
    return picture
