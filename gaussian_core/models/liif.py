"""LIIF, the local implicit image function (arXiv 2012.09161): encode a picture once, then ask for colours anywhere.

    I(x) = sum_t (S_t / S) f(z_t, x - v_t, c)                       (equations 3 and 4; c: the cell, equation 5)

z_t: the latent codes at the four source pixels around x (*local ensemble*), each with its 3x3 neighbours (*feature
unfolding*); v_t: their centres; S_t: the area between x and the centre opposite to v_t; c: the size of an output pixel
(*cell decoding*). f is a perceptron whose first layer is linear in z, so that it is applied to the codes once, as a 3x3
convolution, and not four times a pixel: the same numbers for a fraction of the work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from gaussian_core.errors import Cancelled
from gaussian_core.models.published.encoder import Check, no_check
from gaussian_core.models.published.perceptron import MLP
from gaussian_core.models.published.registry import make_encoder
from gaussian_core.parallel import Stop
from gaussian_core.viewport import Viewport

# Output pixels decoded at a time. On a CPU a layer's values then stay in its caches, which takes two thirds of the
# time; a GPU wants eight times as many.
CHUNK = 1 << 12
AREA_FLOOR = 1e-9  # as published: where a pixel is on a centre, no area is 0 / 0


@dataclass(frozen=True)
class LIIFConfig:
    """encoder, encoder_args: as the checkpoints name them (see published.registry). hidden: widths of f's layers.
    The switches are the paper's. offset, spread: the network sees and gives (value - offset) / spread."""

    encoder: str = "edsr-baseline"
    encoder_args: Mapping[str, Any] = field(default_factory=lambda: {"no_upsampling": True})
    hidden: Sequence[int] = (256, 256, 256, 256)
    local_ensemble: bool = True
    feature_unfolding: bool = True
    cell_decoding: bool = True
    offset: float = 0.5
    spread: float = 0.5


class Codes(NamedTuple):
    """Latent codes through the linear part of f's first layer, for a part of a picture.

    values (B, hidden, h, w): source pixels (x, y) to (x + w, y + h). origin: (x, y). extent: (height, width) of the
    picture; what is asked for must lie within the part, up to the borders of the picture. margin: source pixels around
    the picture that have codes, too.
    """

    values: Tensor
    origin: tuple[int, int]
    extent: tuple[int, int]
    margin: int = 0


class LIIF(nn.Module):
    """`encode` once, `query` at any place; `render` fills a viewport. Raises WeightsError for an unknown encoder."""

    def __init__(self, config: LIIFConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = make_encoder(config.encoder, config.encoder_args)
        self.code_inputs = self.encoder.out_dim * (9 if config.feature_unfolding else 1)
        inputs = self.code_inputs + 2 + (2 if config.cell_decoding else 0)
        self.imnet = MLP(inputs, 3, config.hidden)

    def prepare(self, image: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1] -> what the encoder sees."""
        return (image - self.config.offset) / self.config.spread

    def encode(self, image: Tensor, check: Check = no_check) -> Tensor:
        """(B, 3, H, W) in [0, 1] -> features (B, C, H, W)."""
        features: Tensor = self.encoder(self.prepare(image), check)
        return features

    def codes(
        self,
        features: Tensor,
        origin: tuple[int, int] = (0, 0),
        extent: tuple[int, int] | None = None,
        margin: int = 0,
    ) -> Codes:
        """Features of a whole picture, or of a part whose first pixel is at origin, ready to be queried. margin: source
        pixels of features around the picture.

        Beyond the features there is nothing (zeros), as at the border of a picture: the outermost pixels of a part that
        ends inside the picture must not be asked for.
        """
        first: nn.Linear = self.imnet.layers[0]  # type: ignore[assignment]
        weight = first.weight[:, : self.code_inputs]
        side = 3 if self.config.feature_unfolding else 1
        kernel = weight.reshape(len(weight), -1, side, side)  # channel by channel, row by row
        values = F.conv2d(features, kernel, first.bias, padding=side // 2)
        # A code in one piece: what is gathered for the perceptron is then whole rows.
        values = values.contiguous(memory_format=torch.channels_last)
        return Codes(values, origin, extent or (features.shape[-2], features.shape[-1]), margin)

    def query(
        self,
        features: Tensor | Codes,
        xs: Tensor | NDArray[np.float64],
        ys: Tensor | NDArray[np.float64],
        cell: tuple[float, float],
    ) -> Tensor:
        """Colours (B, 3, len(ys), len(xs)), not clipped, at every pair of source coordinates.

        features: of `encode`, or `codes` of them. xs, ys: float64, source pixels; a place outside the picture is
        answered from its border. cell: (width, height) of an output pixel in source pixels.
        """
        codes = features if isinstance(features, Codes) else self.codes(features)
        xs, ys = torch.as_tensor(xs).double(), torch.as_tensor(ys).double()
        out = codes.values.new_empty(
            (codes.values.shape[0], 3, len(ys), len(xs)), dtype=torch.float32
        )
        ensemble = self.config.local_ensemble
        columns = _taps(xs, codes.origin[0], codes.extent[1], codes.margin, ensemble)
        rows = _taps(ys, codes.origin[1], codes.extent[0], codes.margin, ensemble)
        step = max(1, _chunk(codes.values.device) // max(1, len(xs)))
        for top in range(0, len(ys), step):
            some = [(i[top : top + step], r[top : top + step]) for i, r in rows]
            out[:, :, top : top + step] = self._decode(codes, columns, some, cell)
        return out * self.config.spread + self.config.offset

    def _decode(
        self, codes: Codes, columns: list[Tap], rows: list[Tap], cell: tuple[float, float]
    ) -> Tensor:
        first: nn.Linear = self.imnet.layers[0]  # type: ignore[assignment]
        place = first.weight[:, self.code_inputs :]
        fixed = (
            0.0
            if not self.config.cell_decoding
            else place[:, 2:] @ place.new_tensor([2 * cell[1], 2 * cell[0]])
        )
        answers, areas = [], []
        for i, ry in rows:
            for j, rx in columns:
                ry, rx = ry.to(codes.values), rx.to(codes.values)
                i, j = i.to(codes.values.device), j.to(codes.values.device)
                z = codes.values.permute(0, 2, 3, 1)[:, i[:, None], j]
                z = z + (ry[:, None] * place[:, 0] + fixed)[:, None] + rx[:, None] * place[:, 1]
                answers.append(self.imnet.layers[1:](z).float())
                areas.append((ry[:, None] * rx).abs().float() + AREA_FLOOR)
        areas.reverse()  # S_t is the area opposite to v_t
        total = torch.stack(areas).sum(0)
        made = sum(
            (a * (s / total)[..., None] for a, s in zip(answers, areas, strict=True)),
            start=torch.zeros((), device=total.device),
        )
        return made.permute(0, 3, 1, 2)

    def render(
        self,
        source: Tensor | Codes,
        viewport: Viewport,
        stop: Stop | None = None,
        rows: Callable[[int, Tensor], None] | None = None,
    ) -> NDArray[np.float32]:
        """The viewport (height, width, 3), not clipped; pixels whose centre is outside the picture are 0.

        source: an image (1, 3, H, W) in [0, 1], or the codes of one. rows: called with (top, (3, n, width)) for each
        strip that is done. Raises Cancelled when `stop`, polled between chunks, says so.
        """

        def check() -> None:
            if stop is not None and stop():
                raise Cancelled("stopped while asking for colours")

        first: nn.Linear = self.imnet.layers[0]  # type: ignore[assignment]
        with torch.inference_mode():
            codes = (
                source
                if isinstance(source, Codes)
                else self.codes(self.encode(source.to(first.weight), check))
            )
            xs, ys = viewport.pixel_centres()
            cell = (1 / viewport.scale[0], 1 / viewport.scale[1])
            height, width = codes.extent
            outside_x = torch.from_numpy((xs < 0) | (xs > width)).to(codes.values.device)
            outside_y = torch.from_numpy((ys < 0) | (ys > height)).to(codes.values.device)
            frame = np.empty((len(ys), len(xs), 3), np.float32)
            step = max(1, _chunk(codes.values.device) // len(xs))
            for top in range(0, len(ys), step):
                check()
                strip = self.query(codes, xs, ys[top : top + step], cell)[0]
                strip[:, :, outside_x] = 0
                strip[:, outside_y[top : top + step]] = 0
                frame[top : top + step] = strip.permute(1, 2, 0).cpu().numpy()
                if rows is not None:
                    rows(top, strip)
        return frame


def _chunk(device: torch.device) -> int:
    return CHUNK if device.type == "cpu" else 8 * CHUNK


Tap = tuple[Tensor, Tensor]
"""Numbers of source pixels in the part, and twice the distance from their centres: f's coordinates, in [-2, 2]."""


def _taps(places: Tensor, origin: int, length: int, margin: int, ensemble: bool) -> list[Tap]:
    """The source pixels on one axis that answer for each place: the nearest, or the two whose centres enclose it."""
    nearest = [places.floor()]
    if ensemble:
        before = (places - 0.5).floor()
        nearest = [before, before + 1]
    clamped = [n.clamp(-margin, length - 1 + margin) for n in nearest]
    return [((n - origin).long(), 2 * (places - (n + 0.5))) for n in clamped]
