"""ContinuousSR by torch: on CUDA, in bfloat16, or of a kind that the kernels do not know."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from gaussian_core.models.assembly import Heads, Rect, assemble_outputs, can_assemble
from gaussian_core.models.continuoussr import ContinuousSR, colours_of, structure_tensor
from gaussian_core.models.devices import fast_dtype
from gaussian_core.models.weights import load_field_model
from gaussian_core.parallel import Stop
from gaussian_core.row_layout import ROW_PADDING

if TYPE_CHECKING:
    from collections.abc import Callable


@lru_cache(4)
def read_network(path: Path, changed: int, device: str) -> TorchNetwork:
    """Read once as long as the file stays as it is (changed: when it was). Raises WeightsError, and RuntimeError where
    the device fails."""
    return TorchNetwork(load_field_model(path), torch.device(device))


def forget_networks() -> None:
    """Keep none that has been read: those on a device that failed are of no use, the others are soon read again."""
    read_network.cache_clear()


class TorchNetwork:
    """A model in the type that its device is fastest in. See tile_builder.Network."""

    def __init__(self, model: ContinuousSR, device: torch.device) -> None:
        self.model = model.to(device)
        for part in (model.encoder, model.hidden, model.colour, model.geometry):
            part.to(fast_dtype(device)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.device = device.type
        self.config = model.config
        self.parameters = sum(p.numel() for p in model.parameters())
        self.lattice = model.encoder.lattice
        self.encoder_reach = model.encoder.reach
        self.inner = device.type == "cpu" and can_assemble(model.config)
        self.stays = device.type != "cpu"
        self.torch_device = device
        self._dtype = model.hidden.weight.dtype
        if device.type == "cuda":
            # They are converted in this thread's stream, and tiles are built in another.
            torch.cuda.current_stream(device).synchronize()

    def device_rows(
        self, image: Tensor, origin: tuple[int, int], rect: Rect, check: Callable[[], None]
    ) -> Tensor:
        """(5 + C, N) float32, where image (1, C, H, W) float32 is: as rows, without padding."""
        entry = colours_of(image).to(self._dtype).contiguous(memory_format=torch.channels_last)
        colour, geometry = self.model.heads(entry, check)
        check()
        table = gaussian_table(self.model, image, colour.float(), geometry.float())
        return pixel_rows(table, origin, rect, self.config.cells)

    def rows(
        self,
        pixels: NDArray[np.float32],
        origin: tuple[int, int],
        rect: Rect,
        stop: Stop | None,
        check: Callable[[], None],
    ) -> NDArray[np.float32]:
        with torch.inference_mode():
            image = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None]
            image = image.to(self.torch_device)
            if self.inner:
                entry = colours_of(image).to(self._dtype)
                entry = entry.contiguous(memory_format=torch.channels_last)
                outputs = self.model.outputs(entry, check)
                return assemble(self.model, outputs, image, origin, rect, stop, self.encoder_reach)
            made = self.device_rows(image, origin, rect, check)
            check()
            return _padded(made.cpu())


def assemble(
    model: ContinuousSR,
    outputs: Tensor,
    image: Tensor,
    origin: tuple[int, int],
    rect: Rect,
    stop: Stop | None = None,
    skip: int = 0,
) -> NDArray[np.float32]:
    """assemble_outputs for tensors on the CPU. outputs: of model.outputs, float32 or bfloat16. image (1, C, H, W)
    float32, the picture they were made for: 1, 3 or 4 channels."""
    config = model.config
    stretch = torch.zeros(2, *image.shape[-2:])
    if config.elongation > 0:
        stretch = torch.cat(structure_tensor(colours_of(image))) * config.elongation
    enlarged = F.interpolate(image, scale_factor=config.cells, mode="bicubic", align_corners=False)[
        0
    ]
    if outputs.dtype == torch.bfloat16:
        raw = outputs.contiguous().view(torch.int16).numpy()  # NumPy has no bfloat16
    else:
        raw = outputs.float().numpy()
    prior = model.prior.float().numpy()
    if config.covariance == "direct":
        prior = np.empty((0, 3), np.float32)
    heads = Heads(raw, enlarged.numpy(), stretch.numpy(), prior)
    return assemble_outputs(config, heads, origin, rect, stop, skip)


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


def pixel_rows(table: Tensor, origin: tuple[int, int], rect: Rect, cells: int) -> Tensor:
    """(5 + C, N): the Gaussians of a rectangle of source pixels of the table, pixel by pixel, where the table is.
    origin: source coordinates of its first pixel."""
    x0, y0, x1, y1 = (v * cells for v in rect)
    part = table[:, y0:y1, x0:x1]
    channels, h, w = part.shape
    split = part.reshape(channels, h // cells, cells, w // cells, cells).permute(0, 1, 3, 2, 4)
    rows = split.reshape(channels, -1)
    if cells == 1:  # it may still be the table's own memory
        rows = rows.clone()
    rows[0] += origin[0]
    rows[1] += origin[1]
    return rows


def table_rows(
    table: Tensor, origin: tuple[int, int], rect: Rect, cells: int
) -> NDArray[np.float32]:
    """As pixel_rows, in the index's layout on the host."""
    return _padded(pixel_rows(table, origin, rect, cells).cpu())


def _padded(rows: Tensor) -> NDArray[np.float32]:
    padded = torch.zeros(len(rows), rows.shape[1] + ROW_PADDING)
    padded[:, : rows.shape[1]] = rows
    return padded.numpy()
