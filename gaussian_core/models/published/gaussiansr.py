"""GaussianSR (arXiv 2407.18046) as its authors published it: what its checkpoints mean, number by number.

The network is models.gaussiansr, under other names and with conventions of its own: the kernels' unit belongs to the
output, their centres are corners of source pixels, splatted features are cut to [0, 1], what lies outside the picture
counts as zero.

One thing is the paper's and not the published program's, whose pictures differ from run to run: when tested it draws
one kernel of the bank at random for every pixel, P(k) = softmax(logits)_k, and averages what it drew over the patches
of 7 x 7 pixels that it cuts the picture into. Here every pixel has the mean of that draw, the softmax mixture of
section 3.2; sigmas, opacity and correlation are linear in the weights, so this is what the draws average to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from gaussian_core.errors import WeightsError
from gaussian_core.models.gaussiansr import REACH, SIDE, UNIT, GaussianSR, GaussianSRConfig
from gaussian_core.models.published.arguments import Arguments
from gaussian_core.models.published.perceptron import MLP
from gaussian_core.models.published.registry import read_spec

BANK = SIDE * SIDE
SPLATTED = 8  # feature channels, fixed in the published program
SPAN = 10.0  # units across which a kernel of kernel_size output pixels is laid
ENCODERS = {
    "edsr-baseline": "edsr-baseline",
    "edsr-large": "edsr",
}  # as published: as the registry has them
ACTIVATIONS = {"gelu": nn.GELU, "relu": nn.ReLU}
NOTE = "GaussianSR: kernels mixed as in its paper; the published program draws them at random and averages over patches"
# Ours on the left. The published kernels are laid out with their first axis down the picture.
NAMES = {"sigma_x": "sigma_y", "sigma_y": "sigma_x"}
PREFIXES = {"encoder.": "encoder.edsr.", "selection.": "encoder.segmentation_head.0."}


class PublishedGaussianSR(GaussianSR):
    """kernel_size: output pixels that the published program samples a kernel at, per axis. activation: of the decoder.

    Raises WeightsError for an encoder that is unknown or too narrow.
    """

    note = NOTE
    centre = 0.0  # of a kernel in its source pixel: on average over a patch the program puts it at the corner

    def __init__(
        self, config: GaussianSRConfig, kernel_size: int, activation: type[nn.Module] = nn.GELU
    ) -> None:
        super().__init__(config)
        self.fc = MLP(config.frequencies, 3, config.hidden, activation)
        self.unit = (kernel_size - 1) / SPAN  # output pixels
        self.reach = max(REACH, kernel_size - 1)

    def kernels_at(self, kernels: Tensor, cell: Tensor) -> Tensor:
        """(B, 4, h, w) for output pixels of side cell (B,), source pixels: a bank's unit is so many output pixels."""
        factor = (self.unit / UNIT * cell) ** 2
        return torch.cat([kernels[:, :3] * factor[:, None, None, None], kernels[:, 3:]], 1)

    def join(
        self, splatted: Tensor, others: Tensor, positions: Tensor, extent: tuple[int, int]
    ) -> Tensor:
        """As published: splatted features cut to [0, 1], and zeros around the enlarged picture."""
        height, width = extent
        x, y = positions[:, :1], positions[:, 1:]
        inside = (x >= 0) & (x <= width) & (y >= 0) & (y <= height)
        return torch.cat([splatted.clamp(0, 1), others], 1) * inside

    def published_name(self, name: str) -> str:
        """What a tensor of this network is called in the published files."""
        for ours, theirs in PREFIXES.items():
            if name.startswith(ours):
                return theirs + name.removeprefix(ours)
        return NAMES.get(name, name)


def describe_gaussiansr(args: Mapping[str, Any]) -> PublishedGaussianSR:
    """The network that the published arguments describe, with the weights it starts from.

    Raises WeightsError for what is not known.
    """
    arguments = Arguments("GaussianSR", args)
    encoder, encoder_args = _encoder(arguments.other("encoder_spec"))
    kind, perceptron = read_spec(arguments.other("fc_spec"), "perceptron")
    if kind != "mlp":
        raise WeightsError(f"GaussianSR with {kind[:40]!r} as its decoder is not known here")
    layers = Arguments("the perceptron", perceptron)
    layers.integer("out_dim", 3, 3, 3)
    layers.other("in_dim")  # follows from hidden_dim
    hidden = layers.integers("hidden_list", ())
    activation = ACTIVATIONS[layers.choice("act", "gelu", tuple(ACTIVATIONS))]
    layers.done()
    if "kernel_size" not in args:
        raise WeightsError("the size of GaussianSR's kernels is not given (kernel_size)")
    kernel_size = arguments.integer("kernel_size", 5, 2, 255)
    frequencies = arguments.integer("hidden_dim", 256, 2)
    arguments.integer("num_points", BANK, BANK, BANK)
    for side in ("unfold_row", "unfold_column"):
        arguments.integer(side, 7)  # of the patches that are averaged over
    arguments.done()
    if frequencies % 2:
        raise WeightsError(f"GaussianSR with hidden_dim = {frequencies}, an odd number, is unknown")
    config = GaussianSRConfig(
        encoder,
        encoder_args,
        splatted=SPLATTED,
        frequencies=frequencies,
        hidden=hidden,
        offset=0.5,
        spread=0.5,
    )
    return PublishedGaussianSR(config, kernel_size, activation)


def _encoder(spec: Any) -> tuple[str, dict[str, Any]]:
    """Name and arguments of the encoder in the registry, of one that selects kernels, too."""
    name, args = read_spec(spec, "encoder")
    if name not in ENCODERS:
        known = ", ".join(ENCODERS)
        raise WeightsError(
            f"GaussianSR with the encoder {name[:40]!r} is not known here (known: {known})"
        )
    if args.pop("n_class", BANK) != BANK:
        raise WeightsError(
            f"GaussianSR needs an encoder that selects among {BANK} kernels (n_class)"
        )
    if args.setdefault("no_upsampling", True) is not True:
        raise WeightsError("GaussianSR needs its encoder without upsampling (no_upsampling)")
    features = args.get("n_feats", SPLATTED + 1)
    if isinstance(features, int) and features <= SPLATTED:
        raise WeightsError(f"GaussianSR needs more than {SPLATTED} features (n_feats = {features})")
    return ENCODERS[name], args
