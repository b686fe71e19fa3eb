"""Every method on every picture at every scale, with times and memory."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gaussian_core.benchmarks.measuring import peak_memory_mb
from gaussian_core.builder import METHODS, build_field
from gaussian_core.errors import Cancelled, UserError
from gaussian_core.evaluation import metrics
from gaussian_core.evaluation.pairs import Pair, pairs
from gaussian_core.parallel import Stop
from gaussian_core.viewport import Viewport

WEIGHTED = ("continuoussr", "liif")  # what a file of weights may be for
RESAMPLERS = ("nearest", "bilinear", "bicubic", "lanczos")


@dataclass
class Row:
    """Means over a set. Times in ms a picture; memory is the peak of the process so far, MB."""

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
    memory_mb: float | None
    perceptual: dict[str, float] = field(default_factory=dict)
    worst_y: float = float("nan")  # lowest PSNR-Y of a picture
    each_y: dict[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def methods() -> tuple[str, ...]:
    return (*RESAMPLERS, *METHODS)


def enlarge(
    pair: Pair, method: str, device: str, weights: Path | None = None
) -> tuple[NDArray[np.float32], float, float]:
    """(picture of the size of pair.high, seconds to build, seconds to render). weights: for the learned method."""
    from gaussian_core.imaging.picture import Picture
    from gaussian_core.pyramid import Pyramid
    from gaussian_core.rasterizer import rasterize
    from gaussian_core.resampling import resample

    view = Viewport((0.0, 0.0), pair.scale, (pair.high.shape[1], pair.high.shape[0]))
    if weights is not None and method in WEIGHTED:
        return _by_weights(pair, view, device, weights)
    start = time.perf_counter()
    if method in RESAMPLERS:
        pyramid = Pyramid(Picture.from_array(pair.low))
        built = time.perf_counter()
        result = resample(pyramid, view, method=method)  # type: ignore[arg-type]
    else:
        made = build_field(pair.low, method=method, device=device)
        built = time.perf_counter()
        result = rasterize(made, view)
    return np.asarray(result)[..., :3], built - start, time.perf_counter() - built


def _by_weights(
    pair: Pair, view: Viewport, device: str, weights: Path
) -> tuple[NDArray[np.float32], float, float]:
    """As enlarge, by the weights in a file, seen through the footprint that they were made for."""
    from gaussian_core.footprint import footprint_of
    from gaussian_core.imaging.picture import Picture
    from gaussian_core.models.published.drawing import liif_drawing
    from gaussian_core.models.published.tiles import tiles_of
    from gaussian_core.rasterizer import rasterize

    picture = Picture.from_array(pair.low)
    start = time.perf_counter()
    drawing = liif_drawing(picture, weights, device)
    if drawing is not None:
        drawing.encode()
        built = time.perf_counter()
        result = drawing.draw(view)
    else:
        made = tiles_of(picture, weights, device).build((0, 0, *pair.low.shape[1::-1]), None)
        built = time.perf_counter()
        result = rasterize(made, view, pixel_sigma=footprint_of(made))
    return result[..., :3], built - start, time.perf_counter() - built


def weighted_method(weights: Path) -> str:
    """The method that a weights file is for. Raises WeightsError."""
    from gaussian_core.models.liif import LIIF
    from gaussian_core.models.published.opening import open_weights

    return "liif" if isinstance(open_weights(weights), LIIF) else "continuoussr"


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
    named = [n for n in names if n in WEIGHTED] if weights is not None else []
    if weights is not None and named:
        kind = weighted_method(weights)
        other = [n for n in named if n != kind]
        if other:
            raise UserError(f"{weights.name} holds weights of {kind}, not of {other[0]}.")
    unknown = [n for n in names if n not in methods() and n not in named]
    if unknown:
        raise UserError(f"Unknown method {unknown[0]!r}: choose of {', '.join(methods())}.")
    extras: dict[str, Callable[..., float]] = {n: metrics.perceptual_metric(n) for n in perceptual}
    for folder in folders:
        for scale in scales:
            everything = [
                p for _, p in zip(range(limit or 10**9), pairs(folder, scale, low), strict=False)
            ]
            for method in names:
                yield _row(folder.name, method, scale, everything, device, weights, extras, stop)


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
    builds, renders = [], []
    enlarge(
        everything[0], method, device, weights
    )  # what is loaded or compiled once is nobody's time
    for pair in everything:
        if stop is not None and stop():
            raise Cancelled("evaluation stopped")
        result, build, render = enlarge(pair, method, device, weights)
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
        memory_mb=peak_memory_mb(),
        perceptual={name: statistics.fmean(values) for name, values in others.items()},
        worst_y=min(each.values()),
        each_y=each,
    )
