"""Tiles of the learned field built on a device and left there: what tile_builder does on the host, by torch.

From the pixels on nothing comes back to the host but where the Gaussians of each tile end, a few numbers. All of it is
done in a stream of the lowest priority, and is over when it returns: frames, whose stream goes first, find the fields
complete and wait for nobody.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gaussian_core import correction
from gaussian_core.builder import StoredPicture
from gaussian_core.errors import DeviceError
from gaussian_core.field import GaussianField
from gaussian_core.kernel_interpolation import mirrored
from gaussian_core.models import mean_colours
from gaussian_core.models.assembly import metadata_of
from gaussian_core.models.density import tensor_density
from gaussian_core.models.device_index import bin_tiles, grid_rows
from gaussian_core.models.device_transparency import rows_of_image
from gaussian_core.models.surroundings import Surroundings, moved
from gaussian_core.models.torch_network import TorchNetwork
from gaussian_core.models.transparency import EVEN_SIGMA
from gaussian_core.rasterizer import PIXEL_SIGMA, cuda
from gaussian_core.resident_field import DeviceRows, ResidentField, keep_within_budget
from gaussian_core.viewport import Viewport

if TYPE_CHECKING:
    from gaussian_core.builder import PictureLike, Rect

Rebuild = Callable[["Rect"], GaussianField]


def build_on_device(
    network: TorchNetwork,
    picture: PictureLike,
    rects: Sequence[Rect],
    place: Surroundings,
    check: Callable[[], None],
    again: Rebuild,
) -> list[GaussianField] | None:
    """For each of the rectangles its tile, on the network's device; as tile_builder makes them on the host.

    check: called between steps, to raise Cancelled. again: builds a tile on the host, for where the device is lost
    later. One thread at a time. None for what only the host builds: Gaussians so wide that they need larger cells than
    one source pixel. Raises RuntimeError where the device fails.
    """
    device = network.torch_device
    with behind_frames(device), torch.inference_mode():
        image = _pixels(picture, place, device)
        left_top, config = place.seen[:2], network.config
        # All places on the device count from the origin; that of the Gaussians is noted at the end.
        first = moved(place.seen, place.origin)[:2]
        around, compared, drawn, corrected = (
            moved(rect, place.origin)
            for rect in (place.near, place.compared, place.drawn, place.corrected)
        )

        def draw(rows: Tensor, view: Viewport, pixel_sigma: float = PIXEL_SIGMA) -> Tensor:
            made = bin_tiles(rows, around, [around], config.cells, config.drift)
            return _drawn(made, rows, place, view, check, pixel_sigma)

        def draw_even(even: Tensor, view: Viewport, pixel_sigma: float = PIXEL_SIGMA) -> Tensor:
            (made,) = grid_rows(even, *around[:2], [around], EVEN_SIGMA**2)
            # Of round Gaussians the values are the rows.
            return _drawn([made], made.values, place, view, check, pixel_sigma)

        near = moved(place.near, left_top)
        rows, even = rows_of_image(network, image, first, near, check, draw, draw_even)
        check()

        def of_file(rect: Rect, by: int = 0) -> Tensor:
            x0, y0, x1, y1 = moved(rect, left_top)
            return image[0, :, y0 - by : y1 + by, x0 - by : x1 + by]

        if not config.restores:
            seen = draw(rows, _at_one(compared), mean_colours.SEEN)
            if even is not None:
                seen += draw_even(even, _at_one(compared), mean_colours.SEEN)
            colours = lacking(of_file(place.compared, mean_colours.BLUR), seen.permute(2, 0, 1))
            add_colours(rows, around, colours, moved(place.levelled, place.origin), config.cells)
        rows = _part(rows, around, drawn, config.cells)
        owns = [moved(place.own(rect), place.origin) for rect in rects]
        made = bin_tiles(rows, drawn, owns, config.cells, config.drift)
        if made is None:
            return None
        check()
        shown = _drawn(made, rows, place, _at_one(corrected), check, config.footprint)
        if even is not None:
            x0, y0, x1, y1 = moved(drawn, around[:2])
            part = torch.zeros_like(even)
            part[:, y0:y1, x0:x1] = even[:, y0:y1, x0:x1]
            shown += draw_even(part, _at_one(corrected), config.footprint)
        residual = of_file(place.corrected) - shown.permute(2, 0, 1)
        amplitudes = solve(residual, config.footprint)
        tiles = [moved(rect, place.origin) for rect in rects]
        corrections = grid_rows(amplitudes, *corrected[:2], tiles, correction.SIGMA**2)
        evens = [] if even is None else grid_rows(even, *around[:2], owns, EVEN_SIGMA**2)
    metadata = metadata_of(config)
    fields: list[GaussianField] = []
    # The last that was made, of what surrounds the tiles, is not of any of them.
    for number, (rect, own, faint) in enumerate(zip(rects, made, corrections, strict=False)):
        rebuilt = _Again(again, rect)

        def resident(rows: DeviceRows, name: str, rebuilt: _Again = rebuilt) -> ResidentField:
            there = replace(rows, origin=place.origin)
            return ResidentField(there, place.extent, None, partial(rebuilt.companion, name))

        there = replace(own, origin=place.origin)
        field = ResidentField(there, place.extent, metadata, rebuilt.field)
        field.correction = resident(faint, "correction")
        if evens:
            field.even_alpha = resident(evens[number], "even_alpha")
        fields.append(field)
    return fields


def make_ready(fields: Sequence[GaussianField], device: torch.device) -> None:
    """Bring to the host, now and on this thread, what frames would else wait for: these fields where the CPU draws, and
    of all fields what is beyond their share of the device. Not under a builder's lock: of those whose device is lost
    some may have to be built again."""
    if device.type != "cuda":
        return
    if not cuda.chosen():
        for field in fields:
            _ = field.index, [companion.index for _, companion in field.companions]
    keep_within_budget(device)


def _at_one(rect: Rect) -> Viewport:
    return Viewport(rect[:2], 1.0, (rect[2] - rect[0], rect[3] - rect[1]))


def _part(rows: Tensor, rect: Rect, part: Rect, cells: int) -> Tensor:
    """assembly.part_of_rows on a device."""
    if part == rect:
        return rows
    x0, y0, x1, y1 = moved(part, rect[:2])
    grid = rows.view(len(rows), rect[3] - rect[1], rect[2] - rect[0], cells * cells)
    return grid[:, y0:y1, x0:x1].reshape(len(rows), -1)


def solve(residual: Tensor, pixel_sigma: float = PIXEL_SIGMA) -> Tensor:
    """correction.solve for (C, H, W) on a device."""
    channels, height, width = residual.shape
    full, near, step = correction.response(pixel_sigma)
    target = residual * full
    # Zeros around: outside there are no Gaussians.
    padded = residual.new_zeros(channels, height + 2, width + 2)
    inside = padded[:, 1:-1, 1:-1]
    inside.copy_(target)
    for _ in range(correction.STEPS):
        lines = torch.add(padded[:, 1:-1], padded[:, :-2] + padded[:, 2:], alpha=near)
        shown = torch.add(lines[..., 1:-1], lines[..., :-2] + lines[..., 2:], alpha=near)
        inside.add_(target, alpha=step).sub_(shown, alpha=step)
    return inside


def lacking(pixels: Tensor, shown: Tensor) -> Tensor:
    """mean_colours.lacking for (C, H, W) on a device."""
    seen = pixels
    for axis in (1, 2):
        seen = _weighed(seen, mean_colours.SEEN_BY, axis)
    out = seen - shown
    for axis in (1, 2):
        out = _weighed(out, mean_colours.SMOOTHED_BY, axis)
    return out


def _weighed(values: Tensor, taps: tuple[float, ...], axis: int) -> Tensor:
    """Sums of neighbours along an axis, of those that have as many as there are taps."""
    reach = len(taps) - 1
    count = values.shape[axis] - 2 * reach
    out = values.narrow(axis, reach, count) * taps[0]
    for k in range(1, reach + 1):
        beside = values.narrow(axis, reach - k, count) + values.narrow(axis, reach + k, count)
        out.add_(beside, alpha=taps[k])
    return out


def add_colours(rows: Tensor, rect: Rect, colours: Tensor, within: Rect, cells: int) -> None:
    """mean_colours.add of colours (C, H, W) on a device."""
    for axis, places in enumerate(mean_colours.nearest(rect, within), 1):
        colours = colours.index_select(axis, torch.from_numpy(places).to(rows.device))
    rows[5:] += tensor_density(rows[2:5], cells) * colours.flatten(1).repeat_interleave(
        cells * cells, 1
    )


def _pixels(picture: PictureLike, place: Surroundings, device: torch.device) -> Tensor:
    """(1, C, H, W) on the device: the pixels that the network sees."""
    height, width = picture.extent
    x0, y0, x1, y1 = place.seen
    columns, lines = mirrored(x0, x1, width), mirrored(y0, y1, height)
    left, top = int(columns.min()), int(lines.min())
    part, full = _stored(picture, (left, top, int(columns.max()) + 1, int(lines.max()) + 1))
    image = torch.from_numpy(np.require(part, requirements=["C", "W"])).to(device)
    # Mirrored there: on the host it would be two more passes over the pixels.
    for axis, chosen, first in ((0, lines, top), (1, columns, left)):
        if len(chosen) != image.shape[axis]:
            image = image.index_select(axis, torch.from_numpy(chosen - first).to(device))
    return image.permute(2, 0, 1)[None].contiguous().float() * (1 / full)


def _stored(picture: PictureLike, rect: Rect) -> tuple[NDArray[Any], float]:
    """(h, w, C) of a picture, and the value of full brightness: bytes as they are stored, if they are, which are a
    quarter of what as_float makes of them on the host and sends over."""
    if isinstance(picture, StoredPicture):
        pixels, alpha = picture.stored(rect)
        if alpha is None and pixels.dtype == np.uint8:
            return pixels, picture.full
    return picture.as_float(rect), 1.0


def _drawn(
    made: list[DeviceRows] | None,
    rows: Tensor,
    place: Surroundings,
    view: Viewport,
    check: Callable[[], None],
    pixel_sigma: float = PIXEL_SIGMA,
) -> Tensor:
    """(H, W, C): what the Gaussians of rows (5 + C, N) show through that footprint. made: the same in cell order, None
    where they are not."""
    if made is not None and rows.is_cuda and cuda.chosen() and cuda.draws_on(rows.device):
        from gaussian_core.rasterizer.cuda_use import DeviceFull

        try:
            fields = [ResidentField(r, place.extent) for r in made]
            return cuda.draw_for_builder(fields, view, pixel_sigma)
        except DeviceFull as error:
            raise RuntimeError(f"CUDA out of memory: {error}") from error
        except DeviceError as error:
            cuda.give_up(error)  # Triton, as a rule: torch itself draws, if the device works at all
    from gaussian_core.rasterizer.gather import rasterize_torch

    def stop() -> bool:
        check()
        return False

    return rasterize_torch(rows[:2].T, rows[2:5].T, rows[5:].T, view, pixel_sigma, stop)


@contextmanager
def behind_frames(device: torch.device) -> Iterator[None]:
    """Within, this thread's work on the device lets frames go first; when it ends, the work is done."""
    if device.type != "cuda":
        yield
        return
    stream = _stream(device)
    with torch.cuda.stream(stream):
        yield
        # By an event that sleeps: a thread that spins would take a core from the frames.
        done = torch.cuda.Event(blocking=True)
        done.record(stream)
        done.synchronize()


@cache
def _stream(device: torch.device) -> torch.cuda.Stream:
    return torch.cuda.Stream(device, priority=0)  # the lowest: CUDA counts downwards from it


class _Again:
    """A tile built once more, when first its Gaussians or those of a companion are asked for."""

    def __init__(self, build: Rebuild, rect: Rect) -> None:
        self._build, self._rect = build, rect
        self._made: GaussianField | None = None
        self._lock = threading.Lock()

    def field(self) -> GaussianField:
        with self._lock:
            if self._made is None:
                self._made = self._build(self._rect)
            return self._made

    def companion(self, name: str) -> GaussianField:
        made = self.field()
        empty = GaussianField(
            np.empty((0, 2)), np.empty((0, 3)), np.empty((0, made.channels)), made.extent
        )
        return dict(made.companions).get(name, empty)  # built alone it may see nothing of alpha
