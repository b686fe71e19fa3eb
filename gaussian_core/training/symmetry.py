"""Training a network that treats the eight orientations of a picture alike.

A picture that is turned by a quarter or mirrored should become the same Gaussians, turned and mirrored. An ordinary
network learns that eight times over, and never quite. An equivariant one (T. Cohen and M. Welling, arXiv 1602.07576)
cannot do otherwise: its channels come in eights, one an orientation, and its weights are tied so that turning what goes
in turns what comes out, and moves the channels of an eight around. Here the weights are the mean of themselves over the
eight orientations, and gradients are made so too: one crop teaches what it would in all eight orientations, for the
price of one. The tensors remain those of an ordinary network: whoever uses them need not know.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gaussian_core.errors import WeightsError
from gaussian_core.models.continuoussr import ContinuousSR
from gaussian_core.training.orientations import (
    HALF_TURN,
    MIRROR,
    ORIENTATIONS,
    QUARTER_TURN,
    matrix,
    oriented,
)

EXACT = 1e-4  # weights off by less than this part of the largest are symmetric


_PROBES = [oriented(np.arange(9).reshape(3, 3), k) for k in range(ORIENTATIONS)]
_KNOWN = [probe.tolist() for probe in _PROBES]
AFTER = np.array(
    [[_KNOWN.index(oriented(probe, h).tolist()) for probe in _PROBES] for h in range(ORIENTATIONS)]
)
"""AFTER[h, g]: the orientation that h makes of what is in orientation g."""


class Channels:
    """How orientations act on channels: under orientation k, channel c goes to place[k, c], times sign[k, c]."""

    def __init__(self, place: NDArray[Any], sign: NDArray[Any] | None = None) -> None:
        self.place = place
        self.sign = np.ones(place.shape) if sign is None else sign

    def times(self, other: Channels) -> Channels:
        """Channels numbered (own, other's)."""
        n = other.place.shape[1]
        place = self.place[:, :, None] * n + other.place[:, None, :]
        sign = self.sign[:, :, None] * other.sign[:, None, :]
        return Channels(place.reshape(ORIENTATIONS, -1), sign.reshape(ORIENTATIONS, -1))

    def then(self, other: Channels) -> Channels:
        """Own channels, and the other's after them."""
        place = np.concatenate([self.place, other.place + self.place.shape[1]], 1)
        return Channels(place, np.concatenate([self.sign, other.sign], 1))


def unmoved(count: int) -> Channels:
    """Colours: the same in every orientation."""
    return Channels(np.tile(np.arange(count), (ORIENTATIONS, 1)))


def eights(count: int) -> Channels:
    """Features: what is found in orientation g is found in AFTER[k, g] of the picture in orientation k."""
    if count % ORIENTATIONS:
        raise WeightsError(
            f"A symmetric network has a multiple of eight channels, not {count}: ask for another number, or leave "
            "out --symmetry."
        )
    return unmoved(count // ORIENTATIONS).times(Channels(AFTER))


def cells(side: int) -> Channels:
    """The side x side cells of a pixel, row by row."""
    numbers = np.arange(side * side).reshape(side, side)
    places = [np.argsort(oriented(numbers, k).ravel()) for k in range(ORIENTATIONS)]
    return Channels(np.stack(places))


def vector() -> Channels:
    """A direction (x, y)."""
    turns = np.stack([matrix(k) for k in range(ORIENTATIONS)])
    return Channels(np.abs(turns).argmax(1), turns.sum(1))


def logarithms() -> Channels:
    """A symmetric matrix (xx, xy, yy)."""
    v = vector()
    swapped = v.place[:, :1] == 1
    place = np.where(swapped, [[2, 1, 0]], [[0, 1, 2]])
    sign = np.ones(place.shape)
    sign[:, 1] = v.sign[:, 0] * v.sign[:, 1]
    return Channels(place, sign)


def entries(prior: NDArray[Any]) -> Channels:
    """The entries (K, 3) of a dictionary of matrices (xx, xy, yy): each goes to the one that it is turned into."""
    turns = logarithms()
    place = np.empty((ORIENTATIONS, len(prior)), np.int64)
    for k in range(ORIENTATIONS):
        turned = np.empty(prior.shape)
        turned[:, turns.place[k]] = prior * turns.sign[k]
        distance = np.abs(turned[:, None] - prior[None]).max(2)
        place[k] = distance.argmin(1)
        if distance.min(1).max() > EXACT or len(set(place[k])) < len(prior):
            raise WeightsError(
                "This dictionary is not the same in all orientations: use the compact one of 16, or "
                "leave out --symmetry."
            )
    return Channels(place)


class Symmetry:
    """The constraint on the parameters of a ContinuousSR network. Raises WeightsError for one that cannot have it."""

    def __init__(self, model: ContinuousSR) -> None:
        kinds = _layers(model)
        device = next(model.parameters()).device
        self._steps = []  # for each of three orientations, of all parameters in a row: which one it was, its sign
        for k in (HALF_TURN, QUARTER_TURN, MIRROR):
            sources, signs, start = [], [], 0
            for name, parameter in model.named_parameters():
                source, sign = _sources(tuple(parameter.shape), *kinds[name.rsplit(".", 1)[0]], k)
                sources.append(source + start)
                signs.append(sign.astype(np.float32))
                start += parameter.numel()
            self._steps.append(
                [torch.from_numpy(np.concatenate(part)).to(device) for part in (sources, signs)]
            )

    @torch.no_grad()
    def apply(self, tensors: Sequence[Tensor]) -> None:
        """Replace tensors, shaped like the parameters, by their mean over the eight orientations.

        Every orientation is a mirroring or none, after a quarter turn or none, after a half turn or none: the mean over
        eight is three means over two.
        """
        for tensor, mean in zip(tensors, self._means(tensors), strict=True):
            tensor.copy_(mean)

    @torch.no_grad()
    def begin(self, model: nn.Module) -> None:
        """Make random weights symmetric. A mean of eight is smaller than each: they are made as large again."""
        parameters = list(model.parameters())
        self.apply(parameters)
        for parameter in parameters:
            if parameter.ndim > 1:  # a bias is the same in all orientations, and loses nothing
                parameter.mul_(ORIENTATIONS**0.5)

    @torch.no_grad()
    def holds(self, parameters: Iterable[Tensor]) -> bool:
        """Whether the parameters are symmetric."""
        values = list(parameters)
        return all(
            float((value - mean).abs().max()) <= EXACT * float(value.abs().max())
            for value, mean in zip(values, self._means(values), strict=True)
        )

    def _means(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        flat = torch.cat([t.reshape(-1) for t in tensors])
        for source, sign in self._steps:
            flat = torch.add(flat, flat.index_select(0, source) * sign).mul_(0.5)
        pieces = flat.split([t.numel() for t in tensors])
        return [piece.view(t.shape) for piece, t in zip(pieces, tensors, strict=True)]


def _layers(model: ContinuousSR) -> dict[str, tuple[Channels, Channels]]:
    """By the name of a layer, its outputs and its inputs."""
    config = model.config
    features, hidden, cell = eights(config.channels), eights(config.hidden), cells(config.cells)
    if config.covariance == "direct":
        geometry = logarithms()
    else:
        geometry = entries(model.prior.cpu().numpy())
    if config.drift > 0:
        geometry = geometry.then(vector())
    made = {
        "encoder.entry": (features, unmoved(3)),
        "hidden": (hidden, features),
        "colour": (unmoved(3).times(cell), hidden),
        "geometry": (geometry.times(cell), hidden),
    }
    inner = {"encoder.blocks.": features}
    if config.encoder == "two-scale":
        half = eights(config.deep_channels)
        made["encoder.deep.down"] = (half, features)
        made["encoder.deep.up"] = (features.times(cells(2)), half)
        inner["encoder.deep.blocks."] = half
    for name, _ in model.named_modules():
        for prefix, channels in inner.items():
            if name.startswith(prefix):
                made[name] = (channels, channels)
    return made


def _sources(
    shape: tuple[int, ...], outputs: Channels, inputs: Channels, k: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """For each element, counted through, of a layer's weights or biases in orientation k: which one it was, and its
    sign."""
    was = np.arange(int(np.prod(shape))).reshape(shape)
    source, sign = np.empty(shape, np.int64), np.empty(shape)
    if len(shape) == 1:
        source[outputs.place[k]], sign[outputs.place[k]] = was, outputs.sign[k]
        return source, sign
    places = np.ix_(outputs.place[k], inputs.place[k])
    source[places] = oriented(was, k)
    signs = outputs.sign[k][:, None] * inputs.sign[k][None, :]
    sign[places] = signs[..., None, None]
    return source.ravel(), sign.ravel()
