"""What describes a set of weights: architecture, origin, figures."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gaussian_core.errors import WeightsError
from gaussian_core.resource_files import RESOURCES

if TYPE_CHECKING:
    from gaussian_core.imaging.losses import Losses

WEIGHTS_FORMAT = "gaussian-model-1"  # the metadata entry "format" of a file of weights
NAMES = ("light", "base", "jpeg", "photo")
"""What weights of ContinuousSR are called that ship with the program. "jpeg" and "photo": as large as "light",
taught to see a picture behind the blocks and the ringing of a lossy file, and "photo" also behind what a camera does:
noise, softness, sharpening."""
RESTORING = ("jpeg", "photo")
NAMES_OR_FILE = "|".join((*NAMES, "FILE"))
"""What --weights takes, for its help."""
DEFAULT = NAMES[0]
SHOWS_BELOW = 93
"""The quality of a JPEG file, on libjpeg's scale, below which the weights for such files make more of it."""
SHOWS_FROM = 4.5
"""The strength of noise (imaging.noise), levels of 255, from which the weights for it come nearer to what was there
before, on nearly all pictures and at all scales."""
FOLLOW = 6e-3
"""The weight of the prior on the geometry (training.geometry_prior): at 0.005 twice the elongation of 0.001 after 600
steps, at no cost in PSNR, where Gaussians that lie along the edges from the start cost 0.1 dB at x2."""
GEOMETRY_RATE = 8.0
"""Outputs of the geometry head are multiplied by this: a larger learning rate for it."""
STRUCTURE_REACH = 3
"""Source pixels that the structure tensor of one sees to each side."""


def weights_path(name: str = DEFAULT) -> Path:
    """Where the shipped weights of that name are, whether or not they are there."""
    return RESOURCES / f"continuoussr-{name}.safetensors"


def shipped_weights() -> tuple[str, ...]:
    """The names of those that are there."""
    return tuple(name for name in NAMES if weights_path(name).is_file())


def default_weights(device: str, losses: Losses | None = None, noise: float = 0.0) -> str:
    """The name of the weights for a device of torch and a picture, of whose file something is lost or nothing, where
    nobody has chosen: those for noise or for such files where it shows, else the large ones where the device is quick.
    noise: of the picture (imaging.noise.noise_of), levels of 255."""
    there = shipped_weights()
    if noise >= SHOWS_FROM and "photo" in there:
        return "photo"
    if losses is not None and (losses.quality or 0) < SHOWS_BELOW and "jpeg" in there:
        return "jpeg"
    return "base" if device == "cuda" and "base" in there else DEFAULT


def named_weights(weights: str | os.PathLike[str]) -> Path:
    """The file that is meant by a name of shipped weights ("light", "base") or by the path of a file."""
    return weights_path(weights) if weights in NAMES else Path(weights)


@dataclass(frozen=True)
class ModelConfig:
    """Architecture of a ContinuousSR model (arXiv 2503.06617) and the card of its weights.

    encoder: "residual", or "two-scale" with deep_blocks blocks of deep_channels at half the resolution besides.
    slope: of the encoder's activations below zero.
    cells: G, so that a source pixel has G x G Gaussians. covariance: how DDCW mixes its dictionary: "log" (weighted
    mean of the matrix logarithms: stays positive definite, and elongations do not cancel), "linear" (the published
    weighted mean), or "direct" (no dictionary: the matrix logarithm itself). dictionary: "compact" or "published".
    drift: P of adaptive position drifting in source pixels, 0 for none. footprint: standard deviation of a pixel's
    footprint in device pixels, by which the fields are seen in the training and later, 0 for point samples. spread:
    standard deviation of a Gaussian at the start, source pixels. elongation: how far the structure tensor stretches
    Gaussians along edges at the start.
    margin: source pixels of mirrored picture that are given Gaussians around the picture. symmetric: trained to treat
    the eight orientations of a picture alike (training.symmetry). teacher: whose answers it learned last, empty where
    it learned from the pictures alone (training.teacher). restores: trained on what files or cameras had made worse,
    to show what it was before (training.degradation): its colours are not held to those of a file (mean_colours).
    """

    name: str = "light"
    architecture: str = "continuoussr"
    encoder: str = "residual"
    channels: int = 48
    blocks: int = 6
    deep_channels: int = 0
    deep_blocks: int = 0
    slope: float = 0.1
    hidden: int = 96
    cells: int = 2
    covariance: str = "log"
    dictionary: str = "compact"
    dictionary_size: int = 16
    dictionary_range: float = 1.0
    drift: float = 0.5
    footprint: float = 0.3
    spread: float = 0.32
    elongation: float = 0.0
    margin: int = 2
    symmetric: bool = False
    # The card.
    trained_on: str = ""
    teacher: str = ""
    restores: bool = False
    licences: str = ""
    date: str = ""
    scales: tuple[float, float] = (1.0, 8.0)
    steps: int = 0
    figures: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.cells < 1 or self.channels < 1 or self.blocks < 0 or self.hidden < 1:
            raise WeightsError("A model needs at least one channel, hidden unit and cell.")
        if self.covariance not in ("log", "linear", "direct"):
            raise WeightsError(f"Unknown covariance {self.covariance!r}: log, linear or direct.")
        if self.dictionary not in ("compact", "published"):
            raise WeightsError(f"Unknown dictionary {self.dictionary!r}: compact or published.")

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> ModelConfig:
        """Raises WeightsError for text that does not describe a model of this version."""
        try:
            values: dict[str, Any] = json.loads(text)
            known = {f.name for f in fields(cls)}
            if not isinstance(values, dict) or set(values) - known:
                raise ValueError("unknown entries")
            values.setdefault("slope", 0.0)  # weights from before there was one
            # Weights from before it was noted.
            values.setdefault("restores", values.get("name") in RESTORING)
            values["scales"] = tuple(values.get("scales", (1.0, 8.0)))
            return cls(**values)
        except (TypeError, ValueError) as error:
            raise WeightsError(
                "The weights describe a model that this version does not know: use weights made for it."
            ) from error
