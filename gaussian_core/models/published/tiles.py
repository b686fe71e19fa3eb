"""The field of a picture by given weights, tile by tile: what the builder makes of --weights."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gaussian_core.errors import Cancelled, DeviceError, WeightsError
from gaussian_core.field import GaussianField, origin_near
from gaussian_core.models.assembly import drifts_of
from gaussian_core.models.continuoussr import ContinuousSR
from gaussian_core.models.devices import pick_device
from gaussian_core.models.faults import Fault, attempt_twice, explanation, note_of
from gaussian_core.models.gaussiansr import GaussianSR
from gaussian_core.models.liif import LIIF
from gaussian_core.models.published.continuoussr import (
    CELLS,
    PIXEL_SIGMA,
    PublishedContinuousSR,
)
from gaussian_core.models.published.opening import Model, open_weights
from gaussian_core.models.published.picture_features import PictureFeatures
from gaussian_core.models.tile_builder import ContinuousSRTiles
from gaussian_core.models.torch_network import table_rows
from gaussian_core.parallel import Stop

if TYPE_CHECKING:
    from gaussian_core.builder import PictureLike, Precision, Rect, TileMethod

PRECISIONS: dict[str, torch.dtype] = {"float32": torch.float32, "bfloat16": torch.bfloat16}
REFERENCE = 0.0  # where in its cell a Gaussian begins, as published: its corner
PIECE = 128  # source pixels a side whose heads run at a time: 256 channels at four points a pixel add up


@lru_cache(2)
def _model(path: Path, changed: int, device: str, precision: str) -> Model:
    model = open_weights(path)
    if isinstance(model, ContinuousSR):
        return model
    return model.to(torch.device(device), PRECISIONS[precision])


def load_for(
    path: str | os.PathLike[str], device: torch.device, precision: Precision = "float32"
) -> Model:
    """The model of a weights file, read once as long as the file stays as it is. Raises WeightsError, and DeviceError
    where the device fails."""
    if precision not in PRECISIONS:
        raise DeviceError(f"Unknown precision {precision!r}: use {' or '.join(PRECISIONS)}.")
    source = Path(path)
    changed = source.stat().st_mtime_ns if os.path.isfile(source) else 0
    # Unlike Path.resolve it takes links in a circle, too: what is wrong with them is said where they are read.
    where, name = Path(os.path.realpath(source)), str(device)
    made = attempt_twice(lambda: _model(where, changed, name, precision), device.type)
    if isinstance(made, Fault):
        raise explanation(made)
    return made


def forget_models() -> None:
    """Keep none that has been read: those on a device that failed are of no use, the others are soon read again."""
    _model.cache_clear()


def tiles_of(
    picture: PictureLike,
    weights: str | os.PathLike[str],
    device: str = "auto",
    precision: Precision = "float32",
) -> TileMethod:
    """What builds the picture's field by the weights in a file: our own or the authors'.

    Raises WeightsError for weights that cannot be used or make no field, DeviceError for a device that is not there.
    """
    target = pick_device(device)
    model = load_for(weights, target, precision)
    if isinstance(model, LIIF | GaussianSR):
        name = "LIIF" if isinstance(model, LIIF) else "GaussianSR"
        raise WeightsError(
            f"{Path(weights).name} holds {name}, which makes no field of Gaussians: use render or evaluate, or open "
            "weights of ContinuousSR."
        )
    if isinstance(model, ContinuousSR):
        return ContinuousSRTiles(picture, device, Path(weights))
    return PublishedTiles(
        picture,
        model,
        target,
        Path(weights).stem,
        PRECISIONS[precision],
        on_cpu=lambda: load_for(weights, torch.device("cpu"), precision),
    )


class PublishedTiles:
    """TileMethod of the published ContinuousSR. Tiles can be asked for from several threads; the network runs for one
    at a time. The field's metadata says by which footprint it is to be seen ("pixel_sigma").

    on_cpu: reads the model again where the device fails, for the CPU to go on; `note` then says so. Without it a device
    that fails raises DeviceError.
    """

    def __init__(
        self,
        picture: PictureLike,
        model: PublishedContinuousSR,
        device: torch.device,
        name: str,
        dtype: torch.dtype = torch.float32,
        whole: int | None = None,
        on_cpu: Callable[[], Model] | None = None,
    ) -> None:
        self.picture = picture
        self.channels = int(picture.as_float((0, 0, 1, 1)).shape[2])
        self._dtype, self._most, self._on_cpu = dtype, whole, on_cpu
        self.note = ""  # what the user should know about the building
        self._take(model, device)
        self.metadata = {
            "method": "continuoussr",
            "weights": name,
            "pixel_sigma": f"{PIXEL_SIGMA:g}",
        }
        self._lock = threading.Lock()

    def _take(self, model: PublishedContinuousSR, device: torch.device) -> None:
        self.model, self.device = model, device
        self.features = PictureFeatures(
            self.picture, model.encoder, lambda colours: colours, device, self._dtype, self._most
        )
        self.note = " ".join(filter(None, [self.note, self.features.note]))
        self._embedding: Tensor | None = None

    def build(self, rect: Rect, stop: Stop | None = None) -> GaussianField:
        """The Gaussians of the source pixels in rect. Raises Cancelled, and DeviceError where the device fails and
        there is nothing to go on with."""
        with self._lock:
            device = self.device.type
            table = attempt_twice(lambda: self._table(rect, stop), device)
            if isinstance(table, Fault):
                self._go_on_with_cpu(table)
                table = self._table(rect, stop)
        x0, y0, x1, y1 = rect
        origin = origin_near(x0, y0)
        corner = (x0 - origin[0], y0 - origin[1])
        rows = table_rows(self._channels(table), corner, (0, 0, x1 - x0, y1 - y0), CELLS)
        drifts = drifts_of(rows, corner, x1 - x0, CELLS, REFERENCE)
        if self.channels == 4:
            alpha = _AlphaOf(self.picture).rows(rect)
            rows = np.concatenate([alpha, rows], 1)
            drifts = np.concatenate([np.zeros((alpha.shape[1], 2), np.float16), drifts])
        field = GaussianField.from_rows(rows, self.picture.extent, self.metadata, origin)
        field.drifts = drifts
        return field

    def _go_on_with_cpu(self, fault: Fault) -> None:
        """Raises DeviceError where that is not wanted."""
        if not fault.memory:
            forget_models()
        if self._on_cpu is None:
            raise explanation(fault)
        model = self._on_cpu()
        assert isinstance(model, PublishedContinuousSR)
        self.note = note_of(fault)
        self._take(model, torch.device("cpu"))

    def _table(self, rect: Rect, stop: Stop | None) -> Tensor:
        """(8, 2 h, 2 w) on the CPU: x, y from its corner on, xx, xy, yy, r, g, b of the pixels of rect."""

        def check() -> None:
            if stop is not None and stop():
                raise Cancelled("stopped within a tile")

        x0, y0, x1, y1 = rect
        table = torch.empty(8, CELLS * (y1 - y0), CELLS * (x1 - x0))
        with torch.inference_mode():
            if self._embedding is None:
                self._embedding = self.model.embedding()
            # The deep features of the tile once; the heads piece by piece.
            halo = self.model.tail_reach
            deep, origin = self.features.around(rect, halo, check)
            for top in range(y0, y1, PIECE):
                for left in range(x0, x1, PIECE):
                    piece = (left, top, min(left + PIECE, x1), min(top + PIECE, y1))
                    check()
                    made = self._gaussians(deep, origin, piece, rect)
                    i, j = CELLS * (top - y0), CELLS * (left - x0)
                    table[:, i : i + made.shape[1], j : j + made.shape[2]] = made
        return table

    def _gaussians(self, deep: Tensor, origin: tuple[int, int], piece: Rect, tile: Rect) -> Tensor:
        """(8, 2 h, 2 w): x, y from the tile's corner on, xx, xy, yy, r, g, b of the pixels of piece."""
        halo = self.model.tail_reach
        x0, y0 = (max(v - halo, o, 0) for v, o in zip(piece[:2], origin, strict=True))
        # What lies beyond the last pixel of the tile is there only as far as it was asked for.
        right = deep.shape[-1] if piece[2] == tile[2] else piece[2] + halo - origin[0]
        lower = deep.shape[-2] if piece[3] == tile[3] else piece[3] + halo - origin[1]
        part = deep[..., y0 - origin[1] : lower, x0 - origin[0] : right]
        # The tail sees the padding to whole windows, the heads do not: as published.
        height, width = (
            CELLS * (n - o) for n, o in zip(self.picture.extent, (y0, x0), strict=True)
        )
        features = self.model.from_deep(part)[..., :height, :width]
        cells = self.model.gaussians(features, self._embedding)
        table = torch.cat(cells, 1)[0].float().cpu()
        i, j = CELLS * (piece[1] - y0), CELLS * (piece[0] - x0)
        h, w = CELLS * (piece[3] - piece[1]), CELLS * (piece[2] - piece[0])
        table = table[:, i : i + h, j : j + w]
        table[0] += x0 - tile[0]
        table[1] += y0 - tile[1]
        return table

    def _channels(self, table: Tensor) -> Tensor:
        """As many amplitudes as the picture has channels: the mean for grey, none for alpha (which is added later)."""
        if self.channels < 3:
            return torch.cat([table[:5], table[5:].mean(0, keepdim=True)])
        if self.channels == 4:
            return torch.cat([table, torch.zeros_like(table[:1])])
        return table


class _AlphaOf:
    """Transparency by itself, as a grey picture: the network does not know it, kernel interpolation does."""

    def __init__(self, picture: PictureLike) -> None:
        self.picture = picture
        self.extent = picture.extent

    def as_float(self, rect: Rect | None = None) -> NDArray[np.float32]:
        return np.ascontiguousarray(self.picture.as_float(rect)[..., 3:])

    def rows(self, rect: Rect) -> NDArray[np.float32]:
        """(9, N): Gaussians of rect without colour, from its origin on, their amplitudes alpha's."""
        from gaussian_core.builder import FIELD_METHODS

        made = FIELD_METHODS["kernel"](self, "cpu").build(rect, None)
        colours = np.zeros((3, len(made)), np.float32)
        return np.concatenate([made.offsets.T, made.covariances.T, colours, made.amplitudes.T])
