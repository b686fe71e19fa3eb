"""The learned field of a picture, tile by tile: what the builder's method "continuoussr" is made of."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from gaussian_core import correction
from gaussian_core.allocator import keep_freed_blocks
from gaussian_core.errors import Cancelled
from gaussian_core.field import GaussianField
from gaussian_core.kernel_interpolation import mirrored
from gaussian_core.models import plain_network
from gaussian_core.models.assembly import drifts_of, part_of_rows
from gaussian_core.models.config import (
    STRUCTURE_REACH,
    ModelConfig,
    default_weights,
    weights_path,
)
from gaussian_core.models.devices import is_cpu, pick_device, runs_plainly
from gaussian_core.models.plain_network import PlainNetwork
from gaussian_core.models.transparency import rows_of_pixels
from gaussian_core.parallel import Stop
from gaussian_core.rasterizer import rasterize
from gaussian_core.viewport import Viewport

if TYPE_CHECKING:
    from gaussian_core.builder import PictureLike, Rect

log = logging.getLogger(__name__)

SURROUND = correction.HALO + 4  # source pixels: the correction, and what reaches into them
BASE_REACH = 3  # source pixels that the bicubic colour of a cell reads to each side


class Network(Protocol):
    """From pixels to Gaussians. device: "cpu" or another. lattice, encoder_reach: as of the encoder. inner: it can do
    without what its layers lose at the sides of a tile inside a picture, and be given nothing more."""

    device: str
    config: ModelConfig
    parameters: int
    lattice: int
    encoder_reach: int
    inner: bool

    def rows(
        self,
        pixels: NDArray[np.float32],
        origin: tuple[int, int],
        rect: Rect,
        inner: bool,
        stop: Stop | None,
        check: Callable[[], None],
    ) -> NDArray[np.float32]:
        """Rows of the Gaussians of the pixels of rect in pixels (H, W, C), whose first one is at origin, in the index's
        layout, pixel by pixel. inner: nothing need be padded. check: called between layers, to raise Cancelled."""


def open_network(path: Path, device: str) -> Network:
    """Raises WeightsError when the weights cannot be used and DeviceError for a device that is not there."""
    if (network := _without_torch(path, device)) is not None:
        return network
    target = pick_device(device).type
    if target != device and (network := _without_torch(path, target)) is not None:
        return network  # "auto", and only torch could tell that there is no more than the CPU
    from gaussian_core.models import torch_network

    return torch_network.read_network(path, _changed(path), target)


def needs_torch(path: Path, device: str = "auto") -> bool:
    """Whether the network of a file of weights imports torch. Raises WeightsError when they cannot be used."""
    return _without_torch(path, device) is None


def _without_torch(path: Path, device: str) -> PlainNetwork | None:
    return _plain(path, _changed(path)) if runs_plainly(device) else None


def _changed(path: Path) -> int:
    """When the file was: one that training rewrites is read again."""
    return path.stat().st_mtime_ns if path.exists() else 0


@lru_cache(4)
def _plain(path: Path, changed: int) -> PlainNetwork | None:
    return plain_network.read_network(path)


class ContinuousSRTiles:
    """TileMethod of the learned field. Tiles can be asked for from several threads; the network runs for one at a time.

    Raises WeightsError when the weights cannot be used and DeviceError for a device that is not there.
    """

    def __init__(
        self, picture: PictureLike, device: str = "auto", weights: Path | None = None
    ) -> None:
        keep_freed_blocks()
        self.picture = picture
        self.note = ""  # what the user should know about the building
        kind = "cpu" if is_cpu(device) else pick_device(device).type
        name = default_weights(kind, getattr(picture, "jpeg_quality", None))
        self._path = weights or weights_path(name)
        self.network = open_network(self._path, device)
        # The threads of a network run by themselves: two at once are slower, in twice the memory.
        self._lock = threading.Lock()

    def build(self, rect: Rect, stop: Stop | None = None) -> GaussianField:
        return self.build_block([rect], stop)[0]

    def build_block(self, rects: Sequence[Rect], stop: Stop | None = None) -> list[GaussianField]:
        """Where the device runs out of memory: tile by tile, then on the CPU, which `note` then says."""
        try:
            return self._build_block(rects, stop)
        except RuntimeError as error:  # of which torch's is one
            if self.network.device == "cpu" or not _out_of_memory(error):
                raise
            log.warning("out of memory on %s: %s", self.network.device, error)
        if len(rects) > 1:
            return [self.build(rect, stop) for rect in rects]
        with self._lock:
            self.network = open_network(self._path, "cpu")
        self.note = "The GPU is out of memory: the field is built on the CPU, which is slower."
        return self._build_block(rects, stop)

    def _build_block(self, rects: Sequence[Rect], stop: Stop | None) -> list[GaussianField]:
        """For each of the rectangles, which tile a rectangle, the Gaussians of its source pixels, and of the mirrored
        margin where it ends with the picture."""
        height, width = self.picture.extent
        network = self.network
        margin = network.config.margin
        rect = _around(rects)
        whole = (-margin, -margin, width + margin, height + margin)
        # Gaussians just outside matter too: the correction needs what the field shows there.
        ex0, ey0, ex1, ey1 = _widened(rect, SURROUND, network.lattice, whole)
        # The network sees the picture with its margin and nothing beyond, whole or in tiles. Inside the picture there
        # is enough around a tile; at its borders the network pads, as it was trained to.
        seen = _seen_inside(network, (ex0, ey0, ex1, ey1))
        inner = network.inner and _within(seen, whole)
        if not inner:
            reach = max(network.encoder_reach + network.lattice - 1, STRUCTURE_REACH, BASE_REACH)
            seen = _widened((ex0, ey0, ex1, ey1), reach, network.lattice, whole)
        left, top, right, bottom = seen
        columns, lines = mirrored(left, right, width), mirrored(top, bottom, height)
        cl, ct = int(columns.min()), int(lines.min())
        part = self.picture.as_float((cl, ct, int(columns.max()) + 1, int(lines.max()) + 1))
        pixels = part[lines - ct][:, columns - cl]

        def check() -> None:
            if stop is not None and stop():
                raise Cancelled("stopped within a tile")

        around = (ex0 - left, ey0 - top, ex1 - left, ey1 - top)
        with self._lock:
            near = rows_of_pixels(network, pixels, (left, top), around, inner, stop, check)
        amplitudes = self._correction(near, pixels, (left, top), rect, stop)
        fields = []
        for x0, y0, x1, y1 in rects:
            share = amplitudes[y0 - rect[1] : y1 - rect[1], x0 - rect[0] : x1 - rect[0]]
            own = (
                x0 - margin * (x0 == 0) - left,
                y0 - margin * (y0 == 0) - top,
                x1 + margin * (x1 == width) - left,
                y1 + margin * (y1 == height) - top,
            )
            rows = part_of_rows(near, around, own, network.config.cells)
            metadata = {"method": "continuoussr", "weights": network.config.name}
            field = GaussianField.from_rows(rows, self.picture.extent, metadata)
            if network.config.drift > 0:
                corner = (own[0] + left, own[1] + top)
                field.drifts = drifts_of(rows, corner, own[2] - own[0], network.config.cells)
            field.correction = GaussianField.from_rows(
                correction.make_rows(share, x0, y0), self.picture.extent
            )
            fields.append(field)
        return fields

    def _correction(
        self,
        near: NDArray[np.float32],
        pixels: NDArray[np.float32],
        origin: tuple[int, int],
        rect: Rect,
        stop: Stop | None,
    ) -> NDArray[np.float32]:
        """(H, W, C) amplitudes that make up for what the field of rows `near` lacks of pixels (first one at origin)
        within rect at 100 %."""
        height, width = self.picture.extent
        x0, y0 = max(rect[0] - correction.HALO, 0), max(rect[1] - correction.HALO, 0)
        x1, y1 = min(rect[2] + correction.HALO, width), min(rect[3] + correction.HALO, height)
        shown = rasterize(
            GaussianField.from_rows(near, self.picture.extent),
            Viewport((x0, y0), 1.0, (x1 - x0, y1 - y0)),
            stop=stop,
        )
        wanted = pixels[y0 - origin[1] : y1 - origin[1], x0 - origin[0] : x1 - origin[0]]
        amplitudes = correction.solve(wanted - shown)
        return amplitudes[rect[1] - y0 : rect[3] - y0, rect[0] - x0 : rect[2] - x0]


def _out_of_memory(error: RuntimeError) -> bool:
    """Whether a device has run out of it; what it holds in reserve is then given back."""
    import torch

    if not isinstance(error, torch.OutOfMemoryError):
        return False
    torch.cuda.empty_cache()
    return True


def _seen_inside(network: Network, rect: Rect) -> Rect:
    """What a network is given for rect where it need not pad: as much more as its encoder takes away."""
    least = max(BASE_REACH, STRUCTURE_REACH)
    reach = network.encoder_reach
    reach += max(0, -(-(least - reach) // network.lattice) * network.lattice)
    return rect[0] - reach, rect[1] - reach, rect[2] + reach, rect[3] + reach


def _around(rects: Sequence[Rect]) -> Rect:
    x0, y0, x1, y1 = zip(*rects, strict=True)
    return min(x0), min(y0), max(x1), max(y1)


def _widened(rect: Rect, by: int, lattice: int, whole: Rect) -> Rect:
    """rect with `by` more on each side, to multiples of the lattice, within whole, which begins with one."""
    x0, y0 = ((v - by) // lattice * lattice for v in rect[:2])
    x1, y1 = (-(-(v + by) // lattice) * lattice for v in rect[2:])
    return max(x0, whole[0]), max(y0, whole[1]), min(x1, whole[2]), min(y1, whole[3])


def _within(rect: Rect, whole: Rect) -> bool:
    return min(rect[0] - whole[0], rect[1] - whole[1], whole[2] - rect[2], whole[3] - rect[3]) >= 0
