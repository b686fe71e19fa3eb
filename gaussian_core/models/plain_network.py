"""ContinuousSR on the CPU without torch: NumPy and the kernels. It is there at once, where loading torch takes seconds.

In float32, or, where the processor has a matrix unit, in bfloat16 as it was trained.

Same weights and same result as its twin, gaussian_core.models.continuoussr, which is what is trained. It knows the
sizes that the kernels take and the compact dictionary; `suits` tells.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np

from gaussian_core.amx import arrays as amx
from gaussian_core.amx.unit import usable
from gaussian_core.convolution.arrays import Floats, convolve, filters, heads, with_biases
from gaussian_core.convolution.blocks import FEATURES
from gaussian_core.convolution.kernel import STEP
from gaussian_core.models import dictionary
from gaussian_core.models.assembly import Heads, Rect, assemble_outputs
from gaussian_core.models.config import ModelConfig
from gaussian_core.models.picture_kernels import (
    bicubic_taps,
    enlarge_rows,
    entry_rows,
    structure_rows,
)
from gaussian_core.models.tensor_file import Tensors, read_tensors, unfitting
from gaussian_core.parallel import Stop, run_alone, run_strips

Check = Callable[[], None]
STRIP = 32  # rows of pixels that a worker takes at once
LEAST_MARGIN = 2  # source pixels around a picture, so that no side is too small for the kernels


def suits(config: ModelConfig) -> bool:
    """Whether a network so described can be computed here."""
    sizes = [config.channels, config.hidden]
    if config.encoder == "two-scale":
        if config.deep_blocks < 1 or config.deep_channels < 1 or config.margin % 2:
            return False  # torch's twin says what is wrong
        sizes.append(config.deep_channels)
    return (
        config.architecture == "continuoussr"
        and config.encoder in ("residual", "two-scale")
        and all(size % STEP == 0 for size in sizes)
        and config.covariance in ("log", "direct")
        and config.dictionary == "compact"
        and config.margin >= LEAST_MARGIN
    )


class PlainNetwork:
    """Raises WeightsError for tensors that do not fit their description. For configurations that suit.

    matrix_unit: whether its layers run on the processor's, in bfloat16 (see gaussian_core.amx); else in float32.
    """

    device = "cpu"
    stays = False

    def __init__(
        self,
        path: str | os.PathLike[str],
        config: ModelConfig,
        tensors: Tensors,
        matrix_unit: bool = False,
    ) -> None:
        if {name: t.shape for name, t in tensors.items()} != _shapes(config):
            raise unfitting(path)
        self.config = config
        self.parameters = sum(t.size for t in tensors.values())
        self.lattice = 2 if config.encoder == "two-scale" else 1
        self.encoder_reach = 1 + 2 * config.blocks + 4 * config.deep_blocks * (self.lattice == 2)
        self.inner = True
        if config.covariance == "log":
            prior = dictionary.compact(config.dictionary_size, config.dictionary_range)
        else:
            prior = np.empty((0, 3), np.float32)
        self._prior = prior
        self._tensors = tensors
        entry = tensors["encoder.entry.weight"]
        self._entry = np.ascontiguousarray(entry.transpose(2, 3, 1, 0))
        names = [
            n.removesuffix(".weight") for n, t in tensors.items() if ".blocks." in n and t.ndim == 4
        ]
        self._matrix_unit = matrix_unit
        self._packed: dict[str, amx.Convolution] = {}
        self._filters: dict[str, Floats] = {}
        for name in names:
            weight = tensors[f"{name}.weight"]
            if matrix_unit:
                self._packed[name] = amx.convolution(weight, self._bias(name))
            else:
                self._filters[name] = filters(weight)
        hidden = tensors["hidden.weight"].reshape(config.hidden, -1), self._bias("hidden")
        parts = ("colour", "geometry")
        out = (
            np.concatenate([tensors[f"{p}.weight"].reshape(-1, config.hidden) for p in parts]),
            np.concatenate([self._bias(p) for p in parts]),
        )
        if matrix_unit:
            self._packed_heads = amx.layer(*hidden), amx.layer(*out)
        else:
            self._heads = with_biases(*hidden, *out)

    def rows(
        self,
        pixels: Floats,
        origin: tuple[int, int],
        rect: Rect,
        stop: Stop | None,
        check: Check,
    ) -> Floats:
        """See tile_builder.Network."""
        image = np.ascontiguousarray(pixels.transpose(2, 0, 1))
        colours = pixels[..., :3] if pixels.shape[2] >= 3 else pixels[..., :1].repeat(3, 2)
        features = self.features(colours, check)

        def outputs(first: int, last: int) -> Floats:
            return self.planes(features[first:last])

        config = self.config
        stretch = structure_tensor(colours, config.elongation)
        made = Heads(outputs, enlarged(image, config.cells), stretch, self._prior)
        return assemble_outputs(config, made, origin, rect, stop, self.encoder_reach)

    def features(self, colours: Floats, check: Check) -> Floats:
        """(H - 2 encoder_reach, .., C) of colours (H, W, 3): what the heads read, as of `inner` of ContinuousSR's
        encoder."""
        return self._encode(colours - np.float32(0.5), check)

    def planes(self, features: Floats) -> Floats:
        """Both heads' raw outputs (O, H, W) of features (H, W, C), as ContinuousSR.outputs. On the calling thread."""
        height, width, channels = features.shape
        pixels = features.reshape(-1, channels)
        if self._matrix_unit:
            planes = amx.heads(pixels, *self._packed_heads, run=run_alone)
        else:
            planes = heads(pixels, *self._heads, run_alone)
        return planes.reshape(-1, height, width)

    def _encode(self, x: Floats, check: Check) -> Floats:
        entry = self._first(x)
        check()
        ahead = self.config.blocks if self.lattice == 1 else (self.config.blocks + 1) // 2
        features = self._through("encoder.blocks", range(ahead), entry[None], check)
        if self.lattice == 2:
            deep = self._branch(features, check)
            lost = (features.shape[2] - deep.shape[2]) // 2
            deep += _cropped(features, lost)
            behind = range(ahead, self.config.blocks)
            features = self._through("encoder.blocks", behind, deep, check)
        lost = (entry.shape[1] - features.shape[2]) // 2
        if self.config.blocks == 0 and self.lattice == 1:
            features = features.copy()
        features += _cropped(entry[None], lost)
        return features[0]

    def _through(self, prefix: str, numbers: range, x: Floats, check: Check) -> Floats:
        """Residual blocks, one after the other."""
        for number in numbers:
            first, second = f"{prefix}.{number}.first", f"{prefix}.{number}.second"
            if self._matrix_unit:
                both = self._packed[first], self._packed[second]
                x = amx.residual_block(x, *both, 0, self.config.slope)
            else:
                inside = convolve(x, self._filters[first], self._bias(first), 0, self.config.slope)
                x = convolve(inside, self._filters[second], self._bias(second), 0, plus=x)
            check()
        return x

    def _branch(self, x: Floats, check: Check) -> Floats:
        """Down to half the resolution, blocks, and up again; x (1, H, W, C), H and W even."""
        channels = x.shape[3]
        half = x.reshape(1, x.shape[1] // 2, 2, x.shape[2] // 2, 2, channels)
        pairs = half.transpose(0, 1, 3, 5, 2, 4).reshape(*half.shape[1:4:2], 4 * channels)
        down = self._tensors["encoder.deep.down.weight"]
        features = pairs @ down.reshape(len(down), -1).T + self._bias("encoder.deep.down")
        features = self._through(
            "encoder.deep.blocks", range(self.config.deep_blocks), features[None], check
        )
        up = self._tensors["encoder.deep.up.weight"]
        spread = features[0] @ up.reshape(len(up), -1).T + self._bias("encoder.deep.up")
        h, w = spread.shape[:2]
        shuffled = spread.reshape(h, w, channels, 2, 2).transpose(0, 3, 1, 4, 2)
        return shuffled.reshape(1, 2 * h, 2 * w, channels)

    def _first(self, x: Floats) -> Floats:
        """The first convolution, (H, W, 3) -> (H - 2, W - 2, C)."""
        x = np.ascontiguousarray(x)
        bias = self._bias("encoder.entry")
        result = FEATURES.empty(x.shape[0] - 2, x.shape[1] - 2, len(bias))

        def work(number: int) -> None:
            end = min((number + 1) * STRIP, len(result))
            entry_rows(x, self._entry, bias, number * STRIP, end, result)

        run_strips(work, -(-len(result) // STRIP))
        return result

    def _bias(self, layer: str) -> Floats:
        return self._tensors[f"{layer}.bias"]


def read_network(path: str | os.PathLike[str]) -> PlainNetwork | None:
    """The network of a file of weights; None where it is one for torch. Raises WeightsError."""
    config, tensors = read_tensors(path)
    return PlainNetwork(path, config, tensors, usable()) if suits(config) else None


def structure_tensor(colours: Floats, elongation: float = 1.0) -> Floats:
    """(2, H, W) of colours (H, W, 3): as continuoussr.structure_tensor, times elongation."""
    height, width = colours.shape[:2]
    if elongation == 0:
        return np.zeros((2, height, width), np.float32)
    out = np.empty((2, height, width), np.float32)
    source = np.ascontiguousarray(colours)

    def work(number: int) -> None:
        end = min((number + 1) * STRIP, height)
        structure_rows(source, np.float32(elongation), number * STRIP, end, out)

    run_strips(work, -(-height // STRIP))
    return out


def enlarged(image: Floats, times: int) -> Floats:
    """(C, H, W) -> (C, times H, times W): bicubic with a = -0.75 and repeated edges, as torch enlarges."""
    channels, height, width = image.shape
    out = np.empty((channels, height * times, width * times), np.float32)
    firsts, weights = bicubic_taps(times)

    def work(number: int) -> None:
        end = min((number + 1) * STRIP, len(out[0]))
        enlarge_rows(image, firsts, weights, number * STRIP, end, out)

    run_strips(work, -(-len(out[0]) // STRIP))
    return out


def _cropped(x: Floats, by: int) -> Floats:
    return x[:, by:-by, by:-by] if by else x


def _shapes(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """Of every tensor of a network so described."""
    shapes: dict[str, tuple[int, ...]] = {}

    def layer(name: str, outputs: int, inputs: int, side: int) -> None:
        shapes[f"{name}.weight"] = (outputs, inputs, side, side)
        shapes[f"{name}.bias"] = (outputs,)

    def blocks(prefix: str, count: int, channels: int) -> None:
        for number in range(count):
            for name in ("first", "second"):
                layer(f"{prefix}.{number}.{name}", channels, channels, 3)

    c, d, n = config.channels, config.deep_channels, config.cells**2
    layer("encoder.entry", c, 3, 3)
    blocks("encoder.blocks", config.blocks, c)
    if config.encoder == "two-scale":
        layer("encoder.deep.down", d, c, 2)
        blocks("encoder.deep.blocks", config.deep_blocks, d)
        layer("encoder.deep.up", 4 * c, d, 1)
    layer("hidden", config.hidden, c, 1)
    layer("colour", 3 * n, config.hidden, 1)
    shape = 3 if config.covariance == "direct" else config.dictionary_size
    layer("geometry", (shape + (2 if config.drift > 0 else 0)) * n, config.hidden, 1)
    return shapes


__all__ = ["PlainNetwork", "enlarged", "read_network", "structure_tensor", "suits"]
