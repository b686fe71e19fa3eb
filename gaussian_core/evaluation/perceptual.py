"""LPIPS, DISTS and FID of a set of pictures, by pyiqa, which comes with the extra [perceptual]. Lower is better."""

from __future__ import annotations

import importlib
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gaussian_core.errors import UserError
from gaussian_core.evaluation.metrics import to_8_bits
from gaussian_core.writing.image_writer import write_image

NAMES = ("lpips", "dists", "fid")
INSTALL = "pip install 'gaussian-zoom[perceptual]'"


class SetMetric(Protocol):
    """The distance of a set of results, (H, W, 3) in [0, 1], from their originals."""

    def add(self, result: NDArray[np.floating], truth: NDArray[np.floating]) -> None: ...

    def value(self) -> float:
        """Raises UserError for a set that it cannot tell anything about."""


class _Pairs:
    """The mean of what is measured of each picture."""

    def __init__(self, metric: Any) -> None:
        self._metric = metric
        self._values: list[float] = []

    def add(self, result: NDArray[np.floating], truth: NDArray[np.floating]) -> None:
        import torch

        pair = [
            torch.from_numpy(to_8_bits(p).astype(np.float32)).permute(2, 0, 1)[None]
            for p in (result, truth)
        ]
        try:
            self._values.append(float(self._metric(*pair)))
        except RuntimeError as error:  # its network reduces a picture until nothing may be left
            height, width = truth.shape[:2]
            raise UserError(
                f"A picture of {width} x {height} pixels cannot be measured ({error}): leave it out."
            ) from error

    def value(self) -> float:
        return statistics.fmean(self._values)


class _Distributions:
    """FID (Heusel et al. 2017) knows sets only, as two folders of pictures."""

    def __init__(self, metric: Any) -> None:
        self._metric = metric
        self._folder = tempfile.TemporaryDirectory(prefix="fid-")
        self._sides = [Path(self._folder.name) / side for side in ("results", "originals")]
        self._count = 0
        for side in self._sides:
            side.mkdir()

    def add(self, result: NDArray[np.floating], truth: NDArray[np.floating]) -> None:
        for side, picture in zip(self._sides, (result, truth), strict=True):
            write_image(side / f"{self._count:06d}.png", to_8_bits(picture))
        self._count += 1

    def value(self) -> float:
        with self._folder:
            if self._count < 2:
                raise UserError("FID compares sets of pictures: give it two or more.")
            # No worker processes: what they save on two cores is less than what they take to start.
            return float(self._metric(*map(str, self._sides), num_workers=0, verbose=False))


def set_metric(name: str) -> Callable[[], SetMetric]:
    """What makes that metric, one for each set; its network is loaded here.

    Raises UserError for a name that is not in NAMES, and where the metric or its weights cannot be had.
    """
    if name not in NAMES:
        raise UserError(f"Unknown perceptual metric {name!r}: {', '.join(NAMES)} are known.")
    try:
        pyiqa = importlib.import_module("pyiqa")
    except ImportError as error:
        raise UserError(f"{name} needs pyiqa ({error}): {INSTALL}.") from error
    except RuntimeError as error:  # torchvision says so when it was built for another torch
        raise UserError(
            f"pyiqa cannot be used here ({error}): torch and torchvision must be of one build, as in an environment of"
            f" its own after {INSTALL}."
        ) from error
    try:
        metric = pyiqa.create_metric(name, device="cpu")
    except (OSError, RuntimeError, ValueError) as error:
        raise UserError(f"The weights of {name} cannot be had ({error}): leave it out.") from error
    return lambda: _Distributions(metric) if name == "fid" else _Pairs(metric)
