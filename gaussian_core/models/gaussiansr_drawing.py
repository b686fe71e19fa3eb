"""A picture drawn by GaussianSR: its features splatted by the rasterizer, then decoded strip by strip."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gaussian_core.errors import Cancelled
from gaussian_core.field import GaussianField
from gaussian_core.models.continuoussr import colours_of
from gaussian_core.models.devices import drawn_by
from gaussian_core.models.faults import explained
from gaussian_core.models.gaussiansr import Encoded, GaussianSR, bicubic
from gaussian_core.models.published.picture_features import WHOLE, PictureFeatures
from gaussian_core.parallel import Stop
from gaussian_core.rasterizer import rasterize
from gaussian_core.viewport import Viewport

if TYPE_CHECKING:
    from gaussian_core.builder import PictureLike, Rect

# Output pixels decoded at a time. On a CPU what a layer makes of them then stays in its caches, which takes half the
# time; a GPU wants sixteen times as many. But rows enough, for two more are splatted above and below.
STRIP = 1 << 12
LEAST_ROWS = 8


class GaussianSRDrawing:
    """Draws any viewport of one opaque picture: (h, w, 3) float32, not clipped.

    Features and kernels of a picture of up to `whole` pixels are kept; of a larger one those of the part in view are
    made anew.
    """

    channels = 3

    def __init__(self, picture: PictureLike, model: GaussianSR, whole: int = WHOLE) -> None:
        self.extent = picture.extent
        self.model = model
        weight = next(model.parameters())
        self._picture = picture
        self._features = PictureFeatures(
            picture, model.encoder, model.prepare, weight.device, weight.dtype, whole
        )
        self.notes = tuple(filter(None, [self.model.note, self._features.note]))
        self._keep = self.extent[0] * self.extent[1] <= whole
        self._whole: Encoded | None = None

    def encode(self, stop: Stop | None = None) -> None:
        """Make what is kept now and not with the first part that is drawn. Raises as draw."""
        if self._keep and self._whole is None:
            with torch.inference_mode(), explained(self._features.device.type):
                self._whole = self._encode((0, 0, self.extent[1], self.extent[0]), stop)[0]

    def draw(self, viewport: Viewport, stop: Stop | None = None) -> NDArray[np.float32]:
        """Pixels whose centre is outside the picture are 0. Raises Cancelled when stopped, DeviceError where the device
        fails. One thread at a time."""
        self.encode(stop)
        xs, ys = viewport.pixel_centres()
        height, width = self.extent
        frame = np.zeros((len(ys), len(xs), 3), np.float32)
        pixels = STRIP if self._features.device.type == "cpu" else 16 * STRIP
        step = max(LEAST_ROWS, pixels // len(xs))
        with torch.inference_mode(), explained(self._features.device.type):
            encoded, origin = self._seen(viewport, stop)
            field = self._field(encoded, origin, _cell(viewport))
            for top in range(0, len(ys), step):
                _check(stop)
                part = viewport.part(-1, top - 1, len(xs) + 2, min(step, len(ys) - top) + 2)
                frame[top : top + step] = self._strip(encoded, origin, field, part, stop)
        frame[:, (xs < 0) | (xs > width)] = 0
        frame[(ys < 0) | (ys > height)] = 0
        return frame

    @property
    def most_kernels(self) -> int | None:
        """Source pixels whose kernels are made at once; None where those of all are kept once they were made."""
        return None if self._keep else WHOLE

    def kernels(self, rect: Rect, stop: Stop | None = None) -> GaussianField | None:
        """The kernels of the source pixels of a rectangle, in the pixels' colours times opacity; None of more than
        WHOLE pixels that are not kept, which would take gigabytes.

        Those whose size follows the scale are as at 100 %. Raises as draw."""
        _check(stop)
        x0, y0, x1, y1 = rect
        if self.most_kernels is not None and (x1 - x0) * (y1 - y0) > self.most_kernels:
            return None
        self.encode(stop)
        with torch.inference_mode(), explained(self._features.device.type):
            if self._whole is not None:
                encoded, (left, top) = self._whole, self._features.bounds[:2]
            else:
                encoded, (left, top) = self._encode(rect, stop)
            shapes = encoded.kernels[0, :, y0 - top : y1 - top, x0 - left : x1 - left]
            colours = torch.from_numpy(self._picture.as_float(rect)).to(shapes).permute(2, 0, 1)
            shapes = self.model.kernels_at(shapes[None], torch.ones(1, device=shapes.device))[0]
            return self._gaussians(shapes, colours, (x0, y0))

    def _seen(self, viewport: Viewport, stop: Stop | None) -> tuple[Encoded, tuple[int, int]]:
        """What decides the pixels of a viewport, and the source pixel that it begins with."""
        if self._whole is not None:
            return self._whole, self._features.bounds[:2]
        height, width = self.extent
        x0, y0, x1, y1 = viewport.part(-1, -1, *(n + 2 for n in viewport.size)).source_rect
        left, top = min(max(int(x0), 0), width - 1), min(max(int(y0), 0), height - 1)
        right, bottom = max(int(np.ceil(x1)), left + 1), max(int(np.ceil(y1)), top + 1)
        return self._encode((left, top, min(right, width), min(bottom, height)), stop)

    def _encode(self, rect: Rect, stop: Stop | None) -> tuple[Encoded, tuple[int, int]]:
        encoder = self.model.encoder
        # One pixel more than is drawn with, for the convolution that selects the kernels.
        deep, origin = self._features.around(
            rect, self.model.reach + 1 + encoder.tail_reach, lambda: _check(stop)
        )
        x, y = origin
        _, _, right, bottom = self._features.bounds
        features = encoder.enlarge(deep)[..., : bottom - y, : right - x]
        pixels = self._features.pixels((x, y, x + features.shape[-1], y + features.shape[-2]))
        image = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None]
        return Encoded(features, self.model.kernels(features), colours_of(image)), origin

    def _field(self, encoded: Encoded, origin: tuple[int, int], cell: Tensor) -> GaussianField:
        splatted = encoded.features[0, : self.model.config.splatted].float()
        kernels = self.model.kernels_at(encoded.kernels, cell.to(encoded.kernels))
        return self._gaussians(kernels[0], splatted, origin)

    def _gaussians(
        self, shapes: Tensor, amplitudes: Tensor, origin: tuple[int, int]
    ) -> GaussianField:
        """Of kernels (4, h, w) of height opacity times amplitudes (C, h, w), the first pixel's corner at origin."""
        height, width = shapes.shape[-2:]
        ys, xs = np.mgrid[:height, :width]
        means = np.stack([xs + origin[0], ys + origin[1]], -1).reshape(-1, 2) + self.model.centre
        covariances = shapes[:3].permute(1, 2, 0).reshape(-1, 3).float().cpu().numpy()
        heights = (amplitudes * shapes[3:]).permute(1, 2, 0).reshape(-1, len(amplitudes))
        return GaussianField(means, covariances, heights.float().cpu().numpy(), self.extent)

    def _strip(
        self,
        encoded: Encoded,
        origin: tuple[int, int],
        field: GaussianField,
        part: Viewport,
        stop: Stop | None,
    ) -> NDArray[np.float32]:
        xs, ys = part.pixel_centres()
        x, y = torch.from_numpy(xs), torch.from_numpy(ys)
        positions = torch.stack([x.expand(len(y), -1), y[:, None].expand(-1, len(x))])[None]
        device = encoded.features.device
        backend = drawn_by(device.type)
        splatted = rasterize(field, part, backend=backend, pixel_sigma=0, stop=stop)
        others = encoded.features[:, self.model.config.splatted :]
        away = positions.new_tensor(origin)[None, :, None, None]
        seen = self.model.join(
            torch.from_numpy(splatted).permute(2, 0, 1)[None].to(device),
            bicubic(others, (positions - away).float().to(device)),
            positions.to(device),
            self.extent,
        )
        weight = self.model.coef.weight
        enlarged = bicubic(encoded.image, (positions - away.cpu()).float()).to(device)
        colours = self.model.decode(
            seen.to(weight.dtype), positions.to(device), _cell(part).to(device), enlarged
        )
        made: NDArray[np.float32] = colours[0].permute(1, 2, 0).float().cpu().numpy()
        return made


def _cell(viewport: Viewport) -> Tensor:
    """(1,): the side of an output pixel, source pixels."""
    sx, sy = viewport.scale
    return torch.tensor([1 / (sx * sy) ** 0.5])


def _check(stop: Stop | None) -> None:
    if stop is not None and stop():
        raise Cancelled("stopped between strips")
