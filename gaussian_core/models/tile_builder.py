"""The learned field of a picture, tile by tile: what the builder's method "continuoussr" is made of."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gaussian_core import correction
from gaussian_core.allocator import keep_freed_blocks
from gaussian_core.errors import Cancelled, DeviceError
from gaussian_core.field import ROW_PADDING, GaussianField
from gaussian_core.kernel_interpolation import mirrored
from gaussian_core.models.assembly import assemble, can_assemble, part_of_rows
from gaussian_core.models.config import default_weights
from gaussian_core.models.continuoussr import STRUCTURE_REACH, ContinuousSR, colours_of
from gaussian_core.models.weights import load_field_model, weights_path
from gaussian_core.parallel import Stop
from gaussian_core.rasterizer import rasterize
from gaussian_core.viewport import Viewport

if TYPE_CHECKING:
    from gaussian_core.builder import PictureLike, Rect

log = logging.getLogger(__name__)

SURROUND = correction.HALO + 4  # source pixels: the correction, and what reaches into them
BASE_REACH = 3  # source pixels that the bicubic colour of a cell reads to each side


def pick_device(device: str) -> torch.device:
    """ "auto" is CUDA where there is one. Raises DeviceError for what is not usable here."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device == "cuda" and not torch.cuda.is_available():
        raise DeviceError("There is no CUDA device that torch can use here: use --device cpu.")
    if device not in ("cpu", "cuda"):
        raise DeviceError(f"Unknown device {device!r}: use auto, cpu or cuda.")
    return torch.device(device)


def fast_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 where the hardware multiplies it natively, else float32."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    native = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    return torch.bfloat16 if native() else torch.float32


@lru_cache(4)
def _model(path: Path, changed: int, device: str) -> ContinuousSR:
    target = torch.device(device)
    model = load_field_model(path).to(target)
    for part in (model.encoder, model.hidden, model.colour, model.geometry):
        part.to(fast_dtype(target)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return model


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
        target = pick_device(device)
        self._path = weights or weights_path(default_weights(target.type))
        self._use(target)
        # Torch threads each run by itself: two at once are slower, in twice the memory.
        self._lock = threading.Lock()

    def _use(self, device: torch.device) -> None:
        # A file that training rewrites is read again.
        changed = self._path.stat().st_mtime_ns if self._path.exists() else 0
        self.device = device
        self.model = _model(self._path, changed, str(device))
        self.dtype = self.model.hidden.weight.dtype

    def build(self, rect: Rect, stop: Stop | None = None) -> GaussianField:
        return self.build_block([rect], stop)[0]

    def build_block(self, rects: Sequence[Rect], stop: Stop | None = None) -> list[GaussianField]:
        """Where the device runs out of memory: tile by tile, then on the CPU, which `note` then says."""
        try:
            return self._build_block(rects, stop)
        except torch.OutOfMemoryError as error:
            if self.device.type == "cpu":
                raise
            torch.cuda.empty_cache()
            log.warning("out of memory on %s with %d tiles: %s", self.device, len(rects), error)
        if len(rects) > 1:
            return [self.build(rect, stop) for rect in rects]
        with self._lock:
            self._use(torch.device("cpu"))
        self.note = "The GPU is out of memory: the field is built on the CPU, which is slower."
        return self._build_block(rects, stop)

    def _build_block(self, rects: Sequence[Rect], stop: Stop | None) -> list[GaussianField]:
        """For each of the rectangles, which tile a rectangle, the Gaussians of its source pixels, and of the mirrored
        margin where it ends with the picture."""
        height, width = self.picture.extent
        margin = self.model.config.margin
        rect = _around(rects)
        whole = (-margin, -margin, width + margin, height + margin)
        # Gaussians just outside matter too: the correction needs what the field shows there.
        ex0, ey0, ex1, ey1 = _widened(rect, SURROUND, self.model.encoder.lattice, whole)
        # The network sees the picture with its margin and nothing beyond, whole or in tiles. Inside the picture there
        # is enough around a tile; at its borders the network pads, as it was trained to.
        seen = self._seen_inside((ex0, ey0, ex1, ey1))
        inner = self._assembled and _within(seen, whole)
        if not inner:
            reach = max(self.model.reach, BASE_REACH)
            seen = _widened((ex0, ey0, ex1, ey1), reach, self.model.encoder.lattice, whole)
        left, top, right, bottom = seen
        columns, lines = mirrored(left, right, width), mirrored(top, bottom, height)
        cl, ct = int(columns.min()), int(lines.min())
        part = self.picture.as_float((cl, ct, int(columns.max()) + 1, int(lines.max()) + 1))
        pixels = part[lines - ct][:, columns - cl]
        with self._lock, torch.inference_mode():
            image = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None]
            around = (ex0 - left, ey0 - top, ex1 - left, ey1 - top)
            near = self._gaussians(image, (left, top), around, inner, stop)
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
            rows = part_of_rows(near, around, own, self.model.config.cells)
            metadata = {"method": "continuoussr", "weights": self.model.config.name}
            field = GaussianField.from_rows(rows, self.picture.extent, metadata)
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

    @property
    def _assembled(self) -> bool:
        return self.device.type == "cpu" and can_assemble(self.model)

    def _seen_inside(self, rect: Rect) -> Rect:
        """What the network is given for rect where it need not pad: as much more as its encoder takes away."""
        least, lattice = max(BASE_REACH, STRUCTURE_REACH), self.model.encoder.lattice
        reach = self.model.encoder.reach
        reach += max(0, -(-(least - reach) // lattice) * lattice)
        return rect[0] - reach, rect[1] - reach, rect[2] + reach, rect[3] + reach

    def _gaussians(
        self,
        image: Tensor,
        origin: tuple[int, int],
        rect: Rect,
        inner: bool,
        stop: Stop | None,
    ) -> NDArray[np.float32]:
        """Rows of the Gaussians of the pixels of rect in image (1, C, H, W), whose first pixel is at origin.

        inner: nothing need be padded."""

        def check() -> None:
            if stop is not None and stop():
                raise Cancelled("stopped within a tile")

        image = image.to(self.device)
        colours = colours_of(image)
        entry = colours.to(self.dtype).contiguous(memory_format=torch.channels_last)
        if self._assembled:
            lost = self.model.encoder.reach if inner else 0
            outputs = self.model.outputs(entry, check, inner)
            return assemble(self.model, outputs, image, origin, rect, stop, lost)
        colour, geometry = self.model.heads(entry, check)
        check()
        table = gaussian_table(self.model, image, colour.float(), geometry.float())
        check()
        return table_rows(table, origin, rect, self.model.config.cells)


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


def gaussian_table(model: ContinuousSR, image: Tensor, colour: Tensor, geometry: Tensor) -> Tensor:
    """(5 + C, G H, G W): Gaussians of image (1, C, H, W), C = 1, 3 or 4, from the heads' outputs for its colours."""
    colours = colours_of(image)
    cells = model.gaussians(colours, colour, geometry)
    amplitudes = cells.amplitudes
    if image.shape[1] < 3:
        amplitudes = amplitudes.mean(1, keepdim=True)
    elif image.shape[1] == 4:
        # Alpha stays as it is in the file: interpolated, on the same Gaussians.
        amplitudes = torch.cat([amplitudes, model.base(image[:, 3:], cells.covariances)], 1)
    return torch.cat([cells.means, cells.covariances, amplitudes], 1)[0]


def table_rows(
    table: Tensor, origin: tuple[int, int], rect: Rect, cells: int
) -> NDArray[np.float32]:
    """The Gaussians of a rectangle of source pixels of the table, in the index's layout, pixel by pixel."""
    x0, y0, x1, y1 = (v * cells for v in rect)
    part = table[:, y0:y1, x0:x1]
    channels, h, w = part.shape
    split = part.reshape(channels, h // cells, cells, w // cells, cells).permute(0, 1, 3, 2, 4)
    rows = torch.zeros(channels, h * w + ROW_PADDING)
    rows[:, : h * w] = split.reshape(channels, -1).cpu()
    rows[0, : h * w] += origin[0]
    rows[1, : h * w] += origin[1]
    return rows.numpy()
