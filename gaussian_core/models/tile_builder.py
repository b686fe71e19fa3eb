"""The learned field of a picture, tile by tile: what the builder's method "continuoussr" is made of."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeGuard, cast

import numpy as np
from numpy.typing import NDArray

from gaussian_core import correction
from gaussian_core.errors import Cancelled
from gaussian_core.field import GaussianField
from gaussian_core.imaging.noise import noise_of
from gaussian_core.joining import joined
from gaussian_core.kernel_interpolation import mirrored
from gaussian_core.machine.allocator import keep_freed_blocks
from gaussian_core.models import mean_colours, plain_network
from gaussian_core.models.assembly import drifts_of, metadata_of, part_of_rows
from gaussian_core.models.config import ModelConfig, default_weights, weights_path
from gaussian_core.models.devices import drawn_by, is_cpu, loss, pick_device
from gaussian_core.models.faults import Fault, attempt_twice, explanation, note_of
from gaussian_core.models.plain_network import PlainNetwork
from gaussian_core.models.surroundings import Surroundings, moved, surroundings
from gaussian_core.models.transparency import EVEN_SIGMA, rows_of_pixels
from gaussian_core.parallel import Stop
from gaussian_core.rasterizer import rasterize
from gaussian_core.viewport import Viewport

if TYPE_CHECKING:
    from gaussian_core.builder import PictureLike, Rect
    from gaussian_core.imaging.picture import PictureSource
    from gaussian_core.models.torch_network import TorchNetwork

log = logging.getLogger(__name__)

LEAST_PART = 64  # source pixels: a side of the smallest parts for a device of little memory
SMALLER = "The GPU has little free memory: the field is built in small parts, which is slower."


class Network(Protocol):
    """From pixels to Gaussians. device: "cpu" or another. lattice, encoder_reach: as of the encoder. inner: it
    pads nothing, and is given what its layers lose at the sides. stays: it is a TorchNetwork whose Gaussians can be
    left on its device (see device_build)."""

    device: str
    config: ModelConfig
    parameters: int
    lattice: int
    encoder_reach: int
    inner: bool
    stays: bool

    def rows(
        self,
        pixels: NDArray[np.float32],
        origin: tuple[int, int],
        rect: Rect,
        stop: Stop | None,
        check: Callable[[], None],
    ) -> NDArray[np.float32]:
        """Rows of the Gaussians of the pixels of rect in pixels (H, W, C), whose first one is at origin, in the index's
        layout, pixel by pixel. check: called between layers, to raise Cancelled."""


def open_network(path: Path, device: str) -> Network:
    """Raises WeightsError when the weights cannot be used and DeviceError for a device that is not there."""
    if (network := _without_torch(path, device)) is not None:
        return network
    # With its number: tiles are built by threads whose current device is another.
    target = str(pick_device(device))
    if target != device and (network := _without_torch(path, target)) is not None:
        return network  # "auto", and only torch could tell that there is no more than the CPU
    from gaussian_core.models import torch_network

    return torch_network.read_network(path, _changed(path), target)


def needs_torch(path: Path) -> bool:
    """Whether the network of a file of weights imports torch where nobody chose a device. Raises WeightsError when they
    cannot be used."""
    return _without_torch(path, "auto") is None


def _without_torch(path: Path, device: str) -> PlainNetwork | None:
    return _plain(path, _changed(path)) if is_cpu(device) else None


def _changed(path: Path) -> int:
    """When the file was: one that training rewrites is read again."""
    return path.stat().st_mtime_ns if os.path.exists(path) else 0


@lru_cache(4)
def _plain(path: Path, changed: int) -> PlainNetwork | None:
    return plain_network.read_network(path)


class ContinuousSRTiles:
    """TileMethod of the learned field. Tiles can be asked for from several threads; the network runs for one at a time.

    noise: see noise_of; 0 where it was not asked for, as the weights were chosen, or the pixels are an array's. Raises
    WeightsError when the weights cannot be used and DeviceError for a device that is not there.
    """

    def __init__(
        self, picture: PictureLike, device: str = "auto", weights: Path | None = None
    ) -> None:
        keep_freed_blocks()
        self.picture = picture
        self.note = ""  # what the user should know about the building
        kind = "cpu" if is_cpu(device) else pick_device(device).type
        self.noise = noise_of(picture) if weights is None and _is_opened(picture) else 0.0
        name = default_weights(kind, getattr(picture, "losses", None), self.noise)
        self._path = weights or weights_path(name)
        self.network = self._opened(device)
        self._too_much = sys.maxsize  # source pixels at once, for the memory of the device
        # The threads of a network run by themselves: two at once are slower, in twice the memory.
        self._lock = threading.Lock()

    def _opened(self, device: str) -> Network:
        """The network on the device; on the CPU where "auto" meets one that fails, which `note` then says."""
        if device == "auto" and loss():
            self.note = note_of(Fault(False, True, loss()))
        made = attempt_twice(
            lambda: open_network(self._path, device), "cpu" if is_cpu(device) else device
        )
        if not isinstance(made, Fault):
            return made
        if device != "auto":
            raise explanation(made)
        self.note = note_of(made)
        return open_network(self._path, "cpu")

    def build(self, rect: Rect, stop: Stop | None = None) -> GaussianField:
        return self.build_block([rect], stop)[0]

    def build_block(self, rects: Sequence[Rect], stop: Stop | None = None) -> list[GaussianField]:
        """Where the device runs out of memory: once more without the fields that frames were drawn from, then in
        smaller parts, then on the CPU. There, too, where it fails in any other way. `note` says so."""
        network = self.network
        if network.device == "cpu":
            return self._build_block(network, rects, stop)
        smaller = len(rects) > 1 or _quarters(rects[0]) is not None
        if not smaller or _area(rects) < self._too_much:
            made = attempt_twice(lambda: self._build_block(network, rects, stop), network.device)
            if not isinstance(made, Fault):
                return made
            if not (smaller and made.memory):
                self._go_on_with_cpu(network, made)
                return self.build_block(rects, stop)
            log.warning("%d pixels at once are too many for the memory of the device", _area(rects))
            self._too_much = min(self._too_much, _area(rects))  # not tried again
            self.note = SMALLER
        if len(rects) > 1:
            return [self.build(rect, stop) for rect in rects]
        parts = [self.build(part, stop) for part in _quarters(rects[0]) or rects]
        for part in parts:
            part.take_cell_order()
        return [joined(parts)]

    def _go_on_with_cpu(self, network: Network, fault: Fault) -> None:
        if not fault.memory:
            from gaussian_core.models import torch_network

            torch_network.forget_networks()
        with self._lock:
            if self.network is network:  # else another thread was here before
                self.network = open_network(self._path, "cpu")
                self.note = note_of(fault)

    def _build_block(
        self, network: Network, rects: Sequence[Rect], stop: Stop | None
    ) -> list[GaussianField]:
        """For each of the rectangles, which tile a rectangle, the Gaussians of its source pixels, and of the mirrored
        margin where it ends with the picture."""
        place = surroundings(network, rects, self.picture.extent)

        def check() -> None:
            if stop is not None and stop():
                raise Cancelled("stopped within a tile")

        if network.stays:
            from gaussian_core.models.device_build import build_on_device, make_ready

            there = cast("TorchNetwork", network)
            with self._lock:
                made = build_on_device(there, self.picture, rects, place, check, self._again)
            if made is not None:
                make_ready(made, there.torch_device)
                return made
        return self._build_on_host(network, rects, place, stop, check)

    def _build_on_host(
        self,
        network: Network,
        rects: Sequence[Rect],
        place: Surroundings,
        stop: Stop | None,
        check: Callable[[], None],
    ) -> list[GaussianField]:
        height, width = self.picture.extent
        left, top, right, bottom = place.seen
        columns, lines = mirrored(left, right, width), mirrored(top, bottom, height)
        cl, ct = int(columns.min()), int(lines.min())
        part = self.picture.as_float((cl, ct, int(columns.max()) + 1, int(lines.max()) + 1))
        pixels = part[lines - ct][:, columns - cl]
        near_rect = moved(place.near, (left, top))
        with self._lock:
            first = moved(place.seen, place.origin)[:2]
            near, even = rows_of_pixels(network, pixels, first, near_rect, stop, check)
        sigma, cells = network.config.footprint, network.config.cells
        backend = drawn_by(network.device)

        def rows_of(part: Rect) -> NDArray[np.float32]:
            """Of the Gaussians of the pixels of part, which lies in place.near."""
            if part == place.near:
                return near
            return part_of_rows(near, near_rect, moved(part, (left, top)), cells)

        def field_of(rows: NDArray[np.float32], part: Rect) -> GaussianField:
            metadata = metadata_of(network.config)
            field = GaussianField.from_rows(rows, self.picture.extent, metadata, place.origin)
            if even is not None:
                x0, y0, x1, y1 = moved(part, place.near[:2])
                corner = moved(part, place.origin)[:2]
                field.even_alpha = GaussianField.from_rows(
                    correction.make_rows(even[y0:y1, x0:x1], *corner, EVEN_SIGMA),
                    self.picture.extent,
                    origin=place.origin,
                )
            return field

        def seen(part: Rect, rect: Rect, pixel_sigma: float) -> NDArray[np.float32]:
            """(H, W, C): what the Gaussians of part show within the rectangle at 100 % through that footprint."""
            x0, y0, x1, y1 = rect
            return rasterize(
                field_of(rows_of(part), part),
                Viewport((x0, y0), 1.0, (x1 - x0, y1 - y0)),
                pixel_sigma=pixel_sigma,
                backend=backend,
                stop=stop,
                keep=False,
            )

        def of_file(rect: Rect, by: int = 0) -> NDArray[np.float32]:
            x0, y0, x1, y1 = moved(rect, (left, top))
            return pixels[y0 - by : y1 + by, x0 - by : x1 + by]

        if not network.config.restores:
            shown = seen(place.near, place.compared, mean_colours.SEEN)
            lacking = mean_colours.lacking(of_file(place.compared, mean_colours.BLUR), shown)
            mean_colours.add(near, place.near, lacking, place.levelled, cells)
        shown = seen(place.drawn, place.corrected, sigma)
        missing = correction.solve(of_file(place.corrected) - shown, sigma)
        x0, y0, x1, y1 = moved(place.rect, place.corrected[:2])
        amplitudes = missing[y0:y1, x0:x1]
        fields = []
        for rect in rects:
            x0, y0, x1, y1 = moved(rect, place.rect[:2])
            share = amplitudes[y0:y1, x0:x1]
            own = place.own(rect)
            rows = rows_of(own)
            field = field_of(rows, own)
            own, corner = (moved(part, place.origin) for part in (own, rect))
            if network.config.drift > 0:
                field.drifts = drifts_of(rows, own[:2], own[2] - own[0], cells)
            field.correction = GaussianField.from_rows(
                correction.make_rows(share, *corner[:2]), self.picture.extent, origin=place.origin
            )
            fields.append(field)
        return fields

    def _again(self, rect: Rect) -> GaussianField:
        """A tile whose device is lost, built on the CPU."""
        network = self.network
        if network.device != "cpu":
            self._go_on_with_cpu(network, Fault(False, True, loss() or "the device is lost"))
        return self.build(rect)


def _is_opened(picture: PictureLike) -> TypeGuard[PictureSource]:
    return bool(getattr(picture, "opened", False))


def _area(rects: Sequence[Rect]) -> int:
    return sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in rects)


def _quarters(rect: Rect) -> list[Rect] | None:
    """The rectangle in up to four parts; None where it is so small that its surroundings are most of the work."""
    x0, y0, x1, y1 = rect
    if max(x1 - x0, y1 - y0) < 2 * LEAST_PART:
        return None
    xs, ys = (
        [a, (a + b) // 2, b] if b - a >= 2 * LEAST_PART else [a, b] for a, b in ((x0, x1), (y0, y1))
    )
    return [(a, c, b, d) for c, d in pairwise(ys) for a, b in pairwise(xs)]
