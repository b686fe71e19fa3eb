"""PSNR and SSIM on Y and RGB with the literature's borders (scikit-image computes them)."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gaussian_core.writing.image_writer import quantized


@dataclass(frozen=True)
class Scores:
    """Figures of one picture: PSNR in dB, infinite where nothing differs; SSIM in -1 .. 1, NaN for a picture that is
    smaller than its window."""

    psnr_y: float
    psnr_rgb: float
    ssim_y: float
    ssim_rgb: float


def luma(pixels: NDArray[np.floating]) -> NDArray[np.float64]:
    """Y of BT.601 in studio range, 16 .. 235, from RGB in [0, 1] (H, W, 3): what the tables of the field use."""
    weights = np.array([65.481, 128.553, 24.966])
    return np.asarray(pixels, np.float64) @ weights + 16.0


def to_8_bits(pixels: NDArray[np.floating]) -> NDArray[np.float64]:
    """Clipped and rounded as a file of ours holds them, still in [0, 1]."""
    return quantized(np.asarray(pixels), np.dtype(np.uint8)) / 255.0


def finite_mean(values: Iterable[float]) -> tuple[float, int]:
    """The mean of those that are finite, NaN of none, and how many are not: one exact picture would make the mean PSNR
    of a set infinite, whatever became of the others."""
    everything = list(values)
    finite = [value for value in everything if math.isfinite(value)]
    mean = statistics.fmean(finite) if finite else math.nan
    return mean, len(everything) - len(finite)


LEAST = 11
"""Pixels a side of what is measured without a border: the window of SSIM."""


def score(result: NDArray[np.floating], truth: NDArray[np.floating], scale: float) -> Scores:
    """Compare (H, W, 3) in [0, 1] after rounding to 8 bits, without a border of ceil(scale) pixels.

    The border is left out only where something would remain (LEAST pixels).
    """
    border = math.ceil(scale)
    if min(truth.shape[:2]) - 2 * border < LEAST:
        border = 0
    inner = (slice(border, truth.shape[0] - border), slice(border, truth.shape[1] - border))
    return score_all(result[inner], truth[inner])


def score_all(result: NDArray[np.floating], truth: NDArray[np.floating]) -> Scores:
    """Compare all pixels of (H, W, 3) in [0, 1] after rounding to 8 bits. SSIM as in Wang et al. 2004: Gaussian window
    of standard deviation 1.5."""
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    a, b = to_8_bits(truth) * 255, to_8_bits(result) * 255
    ya, yb = luma(a / 255), luma(b / 255)
    window: dict[str, Any] = {
        "gaussian_weights": True,
        "sigma": 1.5,
        "use_sample_covariance": False,
        "data_range": 255.0,
    }
    small = min(a.shape[:2]) < LEAST

    def psnr(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
        if np.array_equal(x, y):
            return math.inf
        return float(peak_signal_noise_ratio(x, y, data_range=255.0))

    return Scores(
        psnr(ya, yb),
        psnr(a, b),
        math.nan if small else float(structural_similarity(ya, yb, **window)),
        math.nan if small else float(structural_similarity(a, b, channel_axis=2, **window)),
    )
