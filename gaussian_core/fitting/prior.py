"""The Deep Gaussian Prior, measured (arXiv 2503.06617): how fitted Gaussians are distributed.

The paper fits 40,000 pictures and finds that covariances lie in a narrow range, which its dictionary then samples. Here
the Gaussians start spread evenly, all alike, and are moved, shaped and coloured by gradient descent. One for four
pixels is what a network with four Gaussians a source pixel has at x4: the unit, a pixel of the picture fitted, is then
the one of the published dictionary, a quarter of a source pixel. (With one a pixel amplitudes alone can meet every
picture, and shapes have nothing to tell.)
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from gaussian_core.errors import FieldError
from gaussian_core.fitting.fit import Fit, FitOptions
from gaussian_core.parallel import Stop
from gaussian_core.writing.atomic import whole_file

BINS = 120
SIZE = 128  # pixels to a side of a crop
PER_PIXEL = 0.25  # Gaussians
RANGES = {  # of the histograms, pixels of the picture (squared)
    "sigma_x^2": (0.0, 4.0),
    "sigma_y^2": (0.0, 4.0),
    "rho sigma_x sigma_y": (-2.0, 2.0),
    "position drift": (0.0, 2.0),
}


@dataclass
class Prior:
    """counts: a histogram of BINS bins for each of RANGES; what lies beyond is in the outermost. done: PSNR in dB of
    each picture by name."""

    size: int = SIZE
    steps: int = 200
    per_pixel: float = PER_PIXEL
    counts: dict[str, list[int]] = field(
        default_factory=lambda: {name: [0] * BINS for name in RANGES}
    )
    done: dict[str, float] = field(default_factory=dict)

    @classmethod
    def resume(cls, path: Path, size: int, steps: int, per_pixel: float = PER_PIXEL) -> Prior:
        """What a file holds so far, or the start. Raises FieldError for a file of another measurement."""
        if not path.exists():
            return cls(size, steps, per_pixel)
        try:
            kept = cls(**json.loads(path.read_text()))
            asked = (size, steps, per_pixel, list(RANGES))
            same = (kept.size, kept.steps, kept.per_pixel, list(kept.counts)) == asked
        except (ValueError, TypeError, AttributeError) as error:
            raise FieldError(
                f"{path.name} holds no measurement of a prior: name another."
            ) from error
        if not same:
            raise FieldError(
                f"{path.name} is of another --size, --steps or --gaussians-per-pixel: name another file."
            )
        return kept

    def add(self, path: Path, stop: Stop | None = None) -> float | None:
        """Fit the middle of a picture and count its Gaussians; the PSNR, or None when stopped."""
        from gaussian_core.images import load_image

        image = load_image(path)[..., :3]
        top, left = (max(0, (n - self.size) // 2) for n in image.shape[:2])
        image = image[top : top + self.size, left : left + self.size]
        fit = Fit(image, FitOptions(self.per_pixel, even=1.0, sharpest=0.05, steps=self.steps))
        start = fit.params[:2].copy()
        psnr, complete = 0.0, False
        for progress in fit.run(stop=stop):
            psnr, complete = progress.psnr, progress.done >= 1
        if not complete:
            return None
        found = fit.field()
        xx, xy, yy = found.covariances.T
        drift = np.hypot(*(fit.params[:2] - start))
        for name, values in zip(RANGES, (xx, yy, xy, drift), strict=True):
            low, high = RANGES[name]
            bins = ((values - low) / (high - low) * BINS).astype(np.int64).clip(0, BINS - 1)
            counted = np.bincount(bins, minlength=BINS)
            self.counts[name] = [
                a + int(b) for a, b in zip(self.counts[name], counted, strict=True)
            ]
        self.done[path.name] = round(psnr, 3)
        return psnr

    def percentile(self, name: str, share: float) -> float:
        """The value that a share of the Gaussians lies below, to a bin."""
        low, high = RANGES[name]
        total: NDArray[np.int64] = np.cumsum(self.counts[name])
        place = int(np.searchsorted(total, share * total[-1]))
        return low + (place + 0.5) / BINS * (high - low)

    def summary(self) -> str:
        lines = [f"{len(self.done)} pictures", f"{'':<22}{'5 %':>8}{'median':>8}{'95 %':>8}"]
        for name in RANGES:
            cells = (f"{self.percentile(name, share):8.3f}" for share in (0.05, 0.5, 0.95))
            lines.append(f"{name:<22}" + "".join(cells))
        return "\n".join(lines)

    def to_json(self) -> str:
        return json.dumps(self.__dict__, indent=1) + "\n"


def plot_prior(path: Path, prior: Prior) -> None:
    """The four histograms side by side, a PNG."""
    width, height, margin = 380, 300, 40
    image = Image.new("RGB", (width * len(RANGES), height), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(15)
    for number, (name, (low, high)) in enumerate(RANGES.items()):
        left, base = number * width + margin, height - margin
        step = (width - 1.5 * margin) / BINS
        most = max(1, *prior.counts[name])
        for k, count in enumerate(prior.counts[name]):
            x, y = left + k * step, base - count / most * (height - 2.5 * margin)
            draw.rectangle((x, y, x + step, base), fill=(20, 100, 190))
        draw.line((left, base, left + BINS * step, base), fill=(30, 30, 34))
        for value, anchor in ((low, "la"), (high, "ra")):
            x = left if value == low else left + BINS * step
            draw.text((x, base + 8), f"{value:g}", (30, 30, 34), font, anchor)
        draw.text((left, 14), f"{name}, px" + ("^2" if "sigma" in name else ""), (30, 30, 34), font)
    with whole_file(path) as temporary:
        image.save(temporary, "PNG")
