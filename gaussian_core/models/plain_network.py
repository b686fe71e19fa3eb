"""ContinuousSR on the CPU in float32 without torch: NumPy and the kernels. It is there at once, where loading torch
takes seconds and 300 MB.

Same weights and same result as its twin, gaussian_core.models.continuoussr, which is what is trained. It knows the
sizes that the kernels take and the compact dictionary; `suits` tells.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np

from gaussian_core.convolution.arrays import Floats, convolve, filters, heads
from gaussian_core.convolution.kernel import STEP
from gaussian_core.models import dictionary
from gaussian_core.models.assembly import Heads, Rect, assemble_outputs
from gaussian_core.models.config import ModelConfig
from gaussian_core.models.tensor_file import Tensors, read_tensors, unfitting
from gaussian_core.parallel import Stop, run_strips

Check = Callable[[], None]
STRIP = 32  # rows of pixels of the first convolution at a time
LEAST_MARGIN = 2  # source pixels around a picture, so that no side is too small for the kernels


def suits(config: ModelConfig) -> bool:
    """Whether a network so described can be computed here."""
    sizes = [config.channels, config.hidden]
    if config.encoder == "two-scale":
        sizes.append(config.deep_channels)
    return (
        config.architecture == "continuoussr"
        and all(size % STEP == 0 for size in sizes)
        and config.covariance in ("log", "direct")
        and config.dictionary == "compact"
        and config.margin >= LEAST_MARGIN
    )


class PlainNetwork:
    """Raises WeightsError for tensors that do not fit their description. For configurations that suit."""

    device = "cpu"

    def __init__(self, path: str | os.PathLike[str], config: ModelConfig, tensors: Tensors) -> None:
        if {name: t.shape for name, t in tensors.items()} != _shapes(config):
            raise unfitting(path)
        self.config = config
        self.parameters = sum(t.size for t in tensors.values())
        self.lattice = 2 if config.encoder == "two-scale" else 1
        self.encoder_reach = 1 + 2 * config.blocks + 4 * config.deep_blocks * (self.lattice == 2)
        self.inner = True  # it can do without what is lost at the sides
        if config.covariance == "log":
            prior = dictionary.compact(config.dictionary_size, config.dictionary_range)
        else:
            prior = np.empty((0, 3), np.float32)
        self._prior = prior
        self._tensors = tensors
        entry = tensors["encoder.entry.weight"]
        self._entry = np.ascontiguousarray(entry.transpose(2, 3, 1, 0).reshape(27, -1))
        self._filters = {
            name.removesuffix(".weight"): filters(t)
            for name, t in tensors.items()
            if ".blocks." in name and t.ndim == 4
        }
        n = config.hidden
        self._hidden = tensors["hidden.weight"].reshape(n, -1)
        parts = ("colour", "geometry")
        self._heads = np.concatenate([tensors[f"{p}.weight"].reshape(-1, n) for p in parts])
        self._heads_bias = np.concatenate([tensors[f"{p}.bias"] for p in parts])

    def rows(
        self,
        pixels: Floats,
        origin: tuple[int, int],
        rect: Rect,
        inner: bool,
        stop: Stop | None,
        check: Check,
    ) -> Floats:
        """See tile_builder.Network."""
        image = np.ascontiguousarray(pixels.transpose(2, 0, 1))
        colours = pixels[..., :3] if pixels.shape[2] >= 3 else pixels[..., :1].repeat(3, 2)
        outputs = self.outputs(colours, check, inner)
        config = self.config
        stretch = np.zeros((2, *image.shape[1:]), np.float32)
        if config.elongation > 0:
            stretch = structure_tensor(colours) * np.float32(config.elongation)
        made = Heads(outputs, enlarged(image, config.cells), stretch, self._prior)
        lost = self.encoder_reach if inner else 0
        return assemble_outputs(config, made, origin, rect, stop, lost)

    def outputs(self, colours: Floats, check: Check, inner: bool = False) -> Floats:
        """Both heads' raw outputs (O, H, W) of colours (H, W, 3), as ContinuousSR.outputs."""
        features = self._encode(colours - np.float32(0.5), check, inner)
        height, width, channels = features.shape
        planes = heads(
            features.reshape(-1, channels),
            self._hidden,
            self._tensors["hidden.bias"],
            self._heads,
            self._heads_bias,
        )
        return planes.reshape(-1, height, width)

    def _encode(self, x: Floats, check: Check, inner: bool) -> Floats:
        padding = 0 if inner else 1
        entry = self._first(x, padding)
        check()
        ahead = self.config.blocks if self.lattice == 1 else (self.config.blocks + 1) // 2
        features = self._through("encoder.blocks", range(ahead), entry[None], padding, check)
        if self.lattice == 2:
            deep = self._branch(features, padding, check)
            lost = (features.shape[2] - deep.shape[2]) // 2
            deep += _cropped(features, lost)
            behind = range(ahead, self.config.blocks)
            features = self._through("encoder.blocks", behind, deep, padding, check)
        lost = (entry.shape[1] - features.shape[2]) // 2
        if self.config.blocks == 0 and self.lattice == 1:
            features = features.copy()
        features += _cropped(entry[None], lost)
        return features[0]

    def _through(
        self, prefix: str, numbers: range, x: Floats, padding: int, check: Check
    ) -> Floats:
        """Residual blocks, one after the other."""
        for number in numbers:
            first, second = f"{prefix}.{number}.first", f"{prefix}.{number}.second"
            inside = convolve(
                x, self._filters[first], self._bias(first), padding, self.config.slope
            )
            x = convolve(inside, self._filters[second], self._bias(second), padding, plus=x)
            check()
        return x

    def _branch(self, x: Floats, padding: int, check: Check) -> Floats:
        """Down to half the resolution, blocks, and up again; x (1, H, W, C)."""
        height, width, channels = x.shape[1:]
        if height % 2 or width % 2:
            x = np.pad(x, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        half = x.reshape(1, x.shape[1] // 2, 2, x.shape[2] // 2, 2, channels)
        pairs = half.transpose(0, 1, 3, 5, 2, 4).reshape(*half.shape[1:4:2], 4 * channels)
        down = self._tensors["encoder.deep.down.weight"]
        features = pairs @ down.reshape(len(down), -1).T + self._bias("encoder.deep.down")
        features = self._through(
            "encoder.deep.blocks", range(self.config.deep_blocks), features[None], padding, check
        )
        up = self._tensors["encoder.deep.up.weight"]
        spread = features[0] @ up.reshape(len(up), -1).T + self._bias("encoder.deep.up")
        h, w = spread.shape[:2]
        shuffled = spread.reshape(h, w, channels, 2, 2).transpose(0, 3, 1, 4, 2)
        whole = shuffled.reshape(1, 2 * h, 2 * w, channels)
        return np.ascontiguousarray(whole[:, :height, :width]) if padding else whole

    def _first(self, x: Floats, padding: int) -> Floats:
        """The first convolution, (H, W, 3) -> (H - 2 + 2 padding, .., C): a product for all pixels of some rows."""
        if padding:
            x = np.pad(x, ((1, 1), (1, 1), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), (0, 1))  # (h, w, 3, 3, 3)
        height, width = windows.shape[:2]
        bias = self._bias("encoder.entry")
        result = np.empty((height, width, len(bias)), np.float32)

        def work(number: int) -> None:
            part = windows[number * STRIP : (number + 1) * STRIP]
            taps = part.transpose(0, 1, 3, 4, 2).reshape(-1, 27)
            made = result[number * STRIP : (number + 1) * STRIP].reshape(len(taps), -1)
            np.matmul(taps, self._entry, out=made)
            made += bias

        run_strips(work, -(-height // STRIP))
        return result

    def _bias(self, layer: str) -> Floats:
        return self._tensors[f"{layer}.bias"]


def read_network(path: str | os.PathLike[str]) -> PlainNetwork | None:
    """The network of a file of weights; None where it is one for torch. Raises WeightsError."""
    config, tensors = read_tensors(path)
    return PlainNetwork(path, config, tensors) if suits(config) else None


def structure_tensor(colours: Floats) -> Floats:
    """(2, H, W) of colours (H, W, 3): as continuoussr.structure_tensor."""
    luma = np.pad(colours.mean(2, dtype=np.float32), 1, mode="edge")
    gx = (luma[1:-1, 2:] - luma[1:-1, :-2]) / 2
    gy = (luma[2:, 1:-1] - luma[:-2, 1:-1]) / 2
    xx, xy, yy = (_smoothed(product) for product in (gx * gx, gx * gy, gy * gy))
    total = xx + yy + np.float32(2e-4)
    return np.stack([(yy - xx) / total, -2 * xy / total])


def _smoothed(x: Floats) -> Floats:
    taps = np.array([0.06, 0.24, 0.4, 0.24, 0.06], np.float32)
    height, width = x.shape
    padded = np.pad(x, 2, mode="edge")
    down = sum(taps[k] * padded[k : k + height] for k in range(5))
    return sum(taps[k] * down[:, k : k + width] for k in range(5))


def enlarged(image: Floats, times: int) -> Floats:
    """(C, H, W) -> (C, times H, times W): bicubic with a = -0.75 and repeated edges, as torch enlarges."""
    for axis in (1, 2):
        image = _enlarged_along(image, times, axis)
    return image


def _enlarged_along(x: Floats, times: int, axis: int) -> Floats:
    side = x.shape[axis]
    widths = [(0, 0)] * 3
    widths[axis] = (2, 2)
    padded = np.moveaxis(np.pad(x, widths, mode="edge"), axis, 0)
    made = np.empty((side, times, *padded.shape[1:]), np.float32)
    for phase in range(times):
        place = (phase + 0.5) / times - 0.5
        first = int(np.floor(place))
        taps = _bicubic(place - first)
        start = first + 1  # of the four taps, in the padded picture
        made[:, phase] = sum(taps[k] * padded[start + k : start + k + side] for k in range(4))
    return np.moveaxis(made.reshape(side * times, *padded.shape[1:]), 0, axis)


def _bicubic(t: float, a: float = -0.75) -> Floats:
    """Weights of the four neighbours at t between the two in the middle (Keys 1981)."""

    def near(d: float) -> float:
        return ((a + 2) * d - (a + 3)) * d * d + 1

    def far(d: float) -> float:
        return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a

    return np.array([far(1 + t), near(t), near(1 - t), far(2 - t)], np.float32)


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
