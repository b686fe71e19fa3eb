"""Every method on every picture at every scale, with times and memory."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gaussian_core.benchmarks.measuring import peak_memory_mb
from gaussian_core.errors import Cancelled, UserError
from gaussian_core.evaluation import metrics
from gaussian_core.evaluation.pairs import Pair, pairs
from gaussian_core.methods import (
    METHODS,
    Options,
    check_name,
    method_of_weights,
    model_size,
    open_drawing,
)
from gaussian_core.parallel import Stop
from gaussian_core.viewport import Viewport


class Enlarged(NamedTuple):
    """pixels (H, W, 3). build, render: seconds. parameters: learned numbers. notes: what the user should know."""

    pixels: NDArray[np.float32]
    build: float
    render: float
    parameters: int
    notes: tuple[str, ...]


@dataclass
class Row:
    """Means over a set. Times in ms a picture; memory is the peak of the process so far, MB. notes: what the method has
    to say, as a Drawing does."""

    dataset: str
    method: str
    scale: float
    pictures: int
    psnr_y: float
    psnr_rgb: float
    ssim_y: float
    ssim_rgb: float
    build_ms: float
    render_ms: float
    peak_mb: float | None
    parameters: int = 0
    perceptual: dict[str, float] = field(default_factory=dict)
    worst_y: float = float("nan")  # lowest PSNR-Y of a picture
    each_y: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def methods() -> tuple[str, ...]:
    return tuple(METHODS)


def enlarge(pair: Pair, method: str, device: str, weights: Path | None = None) -> Enlarged:
    """The picture at the size of pair.high. weights: for the learned method."""
    from gaussian_core.imaging.picture import Picture

    view = Viewport((0.0, 0.0), pair.scale, (pair.high.shape[1], pair.high.shape[0]))
    start = time.perf_counter()
    drawing = open_drawing(Picture.from_array(pair.low), method, Options(device, weights))
    drawing.encode()
    built = time.perf_counter()
    result = drawing.draw(view)
    rendered = time.perf_counter()
    return Enlarged(
        result[..., :3], built - start, rendered - built, model_size(drawing), drawing.notes
    )


def evaluate(
    folders: Sequence[Path],
    names: Sequence[str],
    scales: Sequence[float],
    *,
    device: str = "auto",
    low: Path | None = None,
    weights: Path | None = None,
    perceptual: Sequence[str] = (),
    limit: int | None = None,
    stop: Stop | None = None,
) -> Iterator[Row]:
    """Yield a row for each set, scale and method, in that order. Raises UserError and Cancelled."""
    kind = None if weights is None else method_of_weights(weights)
    for name in names:
        if check_name(name).takes_weights and kind not in (None, name):
            raise UserError(f"{Path(str(weights)).name} holds weights of {kind}, not of {name}.")
    extras: dict[str, Callable[..., float]] = {n: metrics.perceptual_metric(n) for n in perceptual}
    for folder in folders:
        for scale in scales:
            everything = [
                p for _, p in zip(range(limit or 10**9), pairs(folder, scale, low), strict=False)
            ]
            for method in names:
                yield _row(folder.name, method, scale, everything, device, weights, extras, stop)


@dataclass(frozen=True)
class ManyScales:
    """One picture encoded once and drawn at many scales. build, render: seconds, render for one scale."""

    method: str
    picture: str
    scales: int
    least: float
    most: float
    build: float
    render: float
    parameters: int

    @property
    def total(self) -> float:
        return self.build + self.scales * self.render

    def as_dict(self) -> dict[str, object]:
        return {**asdict(self), "total": self.total}


def many_scales(
    folder: Path,
    names: Sequence[str],
    count: int,
    *,
    device: str = "auto",
    weights: Path | None = None,
    least: float = 1.1,
    most: float = 4.0,
    stop: Stop | None = None,
) -> Iterator[ManyScales]:
    """Draw the first picture of a folder, reduced to a quarter, at `count` scales from least to most, by each method.

    Raises UserError and Cancelled.
    """
    from gaussian_core.imaging.picture import Picture

    pair = next(pairs(folder, 4.0))
    picture = Picture.from_array(pair.low)
    height, width = pair.low.shape[:2]
    views = [
        Viewport((0.0, 0.0), float(scale), (round(width * scale), round(height * scale)))
        for scale in np.linspace(least, most, count)
    ]
    for name in names:
        check_name(name)
        open_drawing(picture, name, Options(device, weights)).draw(views[0])  # loads, compiles
        start = time.perf_counter()
        drawing = open_drawing(picture, name, Options(device, weights))
        drawing.encode(stop)
        built = time.perf_counter()
        for view in views:
            drawing.draw(view, stop)
        spent = time.perf_counter() - built
        yield ManyScales(
            name, pair.name, count, least, most, built - start, spent / count, model_size(drawing)
        )


def _row(
    dataset: str,
    method: str,
    scale: float,
    everything: Sequence[Pair],
    device: str,
    weights: Path | None,
    extras: dict[str, Callable[..., float]],
    stop: Stop | None,
) -> Row:
    scores: list[metrics.Scores] = []
    others: dict[str, list[float]] = {name: [] for name in extras}
    builds, renders, parameters = [], [], 0
    notes: dict[str, None] = {}
    enlarge(
        everything[0], method, device, weights
    )  # what is loaded or compiled once is nobody's time
    for pair in everything:
        if stop is not None and stop():
            raise Cancelled("evaluation stopped")
        result, build, render, parameters, said = enlarge(pair, method, device, weights)
        notes.update(dict.fromkeys(said))
        builds.append(build)
        renders.append(render)
        scores.append(metrics.score(result, pair.high, scale))
        for name, measure in extras.items():
            others[name].append(measure(result, pair.high))
    each = {pair.name: s.psnr_y for pair, s in zip(everything, scores, strict=True)}

    def mean(name: str) -> float:
        return statistics.fmean(getattr(one, name) for one in scores)

    return Row(
        dataset=dataset,
        method=method,
        scale=scale,
        pictures=len(scores),
        psnr_y=mean("psnr_y"),
        psnr_rgb=mean("psnr_rgb"),
        ssim_y=mean("ssim_y"),
        ssim_rgb=mean("ssim_rgb"),
        build_ms=1e3 * statistics.fmean(builds),
        render_ms=1e3 * statistics.fmean(renders),
        peak_mb=peak_memory_mb(),
        parameters=parameters,
        perceptual={name: statistics.fmean(values) for name, values in others.items()},
        worst_y=min(each.values()),
        each_y=each,
        notes=tuple(notes),
    )
