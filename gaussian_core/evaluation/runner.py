"""Every method on every picture at every scale, with times and memory."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gaussian_core.errors import Cancelled, UserError
from gaussian_core.evaluation import metrics
from gaussian_core.evaluation.degradation import NONE, Degradation
from gaussian_core.evaluation.pairs import Pair, measurable, pair_of, pairs
from gaussian_core.evaluation.perceptual import SetMetric, set_metric
from gaussian_core.machine.memory import peak_memory_mb
from gaussian_core.methods import (
    METHODS,
    Options,
    check_name,
    method_of_weights,
    model_size,
    open_drawing,
)
from gaussian_core.parallel import Stop
from gaussian_core.picture_folders import picture_names, pictures, set_names
from gaussian_core.viewport import Viewport


class Enlarged(NamedTuple):
    """pixels (H, W, 3). build, render: seconds. parameters: learned numbers. notes: what the user should know. weights:
    see weights_of."""

    pixels: NDArray[np.float32]
    build: float
    render: float
    parameters: int
    notes: tuple[str, ...]
    weights: str


@dataclass
class Row:
    """Means over a set, each of the pictures that have that figure (see metrics.Scores), NaN where none has; left_out:
    how many have not, by figure. dataset: see set_names. Times in ms a picture; memory is the peak of the process so
    far, MB. notes: what the method has to say, as a Drawing does. weights: see weights_of, several of them with commas
    between."""

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
    left_out: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    degradation: Degradation = NONE  # of the low resolution pictures
    weights: str = ""

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def options_for(
    names: Sequence[str], weights: Sequence[Path], common: Options
) -> dict[str, Options]:
    """How each of the methods works: each file of weights goes to the method that it is for.

    Raises UserError for an unknown method, and for weights of none of them or two for one; WeightsError.
    """
    made = {check_name(name).name: common for name in names}
    for path in weights:
        kind = method_of_weights(path)
        if kind not in made:
            learned = [name for name in names if METHODS[name].takes_weights] or names
            raise UserError(f"{path.name} holds weights of {kind}, not of {', '.join(learned)}.")
        if made[kind].weights is not None:
            raise UserError(f"Two files of weights are for {kind}: name one for each method.")
        made[kind] = replace(made[kind], weights=path)
    return made


def enlarge(pair: Pair, method: str, options: Options, stop: Stop | None = None) -> Enlarged:
    """The picture at the size of pair.high. Raises Cancelled."""
    from gaussian_core.imaging.picture import Picture

    view = Viewport((0.0, 0.0), pair.scale, (pair.high.shape[1], pair.high.shape[0]))
    start = time.perf_counter()
    picture = replace(Picture.from_array(pair.low), losses=pair.losses)
    drawing = open_drawing(picture, method, options)
    drawing.encode(stop)
    built = time.perf_counter()
    result = drawing.draw(view, stop)
    rendered = time.perf_counter()
    return Enlarged(
        result[..., :3],
        built - start,
        rendered - built,
        model_size(drawing),
        drawing.notes,
        weights_of(drawing, method, options),
    )


def weights_of(drawn: object, method: str, options: Options) -> str:
    """The name of the weights that something was drawn by: as their card has it, else their file's; "" for none. drawn:
    its Drawing, or what else has the first for `weights`."""
    if name := getattr(drawn, "weights", ""):
        return str(name)
    file = options.weights or METHODS[method].shipped
    return "" if file is None else Path(file).stem


def evaluate(
    folders: Sequence[Path],
    names: Sequence[str],
    scales: Sequence[float],
    *,
    options: Options | None = None,
    weights: Sequence[Path] = (),
    low: Path | None = None,
    degradation: Degradation = NONE,
    perceptual: Sequence[str] = (),
    limit: int | None = None,
    warn: Callable[[str], None] | None = None,
    stop: Stop | None = None,
) -> Iterator[Row]:
    """Yield a row for each set, scale and method, in that order. weights: in place of shipped ones, each for the method
    that it is for. degradation: of the low resolution pictures that are made here. perceptual: of perceptual.NAMES.
    warn: told of pictures that are left out, since they are broken.

    All that was asked for is looked at before anything is measured. Raises UserError and Cancelled.
    """
    ways = options_for(names, weights, options or Options())
    extras = {name: set_metric(name) for name in perceptual}
    for folder in folders:
        pictures(folder)  # before the first is decoded
    sets = [measurable(folder, scales, low, limit, warn) for folder in folders]
    warm: set[str] = set()
    for dataset, paths in zip(set_names(folders), sets, strict=True):
        for scale in scales:
            everything = [
                replace(pair_of(path, scale, low, degradation), name=name)
                for path, name in zip(paths, picture_names(paths), strict=True)
            ]
            for method in names:
                yield _row(
                    dataset,
                    degradation,
                    method,
                    scale,
                    everything,
                    ways[method],
                    extras,
                    method in warm,
                    stop,
                )
                warm.add(method)


@dataclass(frozen=True)
class ManyScales:
    """One picture encoded once and drawn at many scales. build, render: seconds, render for one scale. weights: see
    weights_of."""

    method: str
    picture: str
    scales: int
    least: float
    most: float
    build: float
    render: float
    parameters: int
    notes: tuple[str, ...] = ()
    weights: str = ""

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
    options: Options | None = None,
    weights: Sequence[Path] = (),
    least: float,
    most: float,
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
        Viewport((0.0, 0.0), scale, (max(1, round(width * scale)), max(1, round(height * scale))))
        for scale in map(float, np.linspace(least, most, count))
    ]
    for name, way in options_for(names, weights, options or Options()).items():
        open_drawing(picture, name, way).draw(views[0], stop)  # loads, compiles
        start = time.perf_counter()
        drawing = open_drawing(picture, name, way)
        drawing.encode(stop)
        built = time.perf_counter()
        for view in views:
            drawing.draw(view, stop)
        spent = time.perf_counter() - built
        yield ManyScales(
            name,
            pair.name,
            count,
            least,
            most,
            built - start,
            spent / count,
            model_size(drawing),
            drawing.notes,
            weights_of(drawing, name, way),
        )


def _row(
    dataset: str,
    degradation: Degradation,
    method: str,
    scale: float,
    everything: Sequence[Pair],
    options: Options,
    extras: dict[str, Callable[[], SetMetric]],
    warm: bool,
    stop: Stop | None,
) -> Row:
    scores: list[metrics.Scores] = []
    others = {name: make() for name, make in extras.items()}
    builds, renders, parameters = [], [], 0
    notes: dict[str, None] = {}
    weights: dict[str, None] = {}
    if not warm:
        # What is loaded or compiled once is nobody's time.
        enlarge(everything[0], method, options, stop)
    for pair in everything:
        if stop is not None and stop():
            raise Cancelled("evaluation stopped")
        result, build, render, parameters, said, used = enlarge(pair, method, options, stop)
        notes.update(dict.fromkeys(said))
        weights[used] = None
        builds.append(build)
        renders.append(render)
        scores.append(metrics.score(result, pair.high, scale))
        for metric in others.values():
            metric.add(result, pair.high)
    each = {pair.name: s.psnr_y for pair, s in zip(everything, scores, strict=True)}
    means = {
        name: metrics.finite_mean(getattr(one, name) for one in scores)
        for name in (one.name for one in fields(metrics.Scores))
    }
    return Row(
        dataset=dataset,
        degradation=degradation,
        method=method,
        scale=scale,
        pictures=len(scores),
        psnr_y=means["psnr_y"][0],
        psnr_rgb=means["psnr_rgb"][0],
        ssim_y=means["ssim_y"][0],
        ssim_rgb=means["ssim_rgb"][0],
        build_ms=1e3 * statistics.fmean(builds),
        render_ms=1e3 * statistics.fmean(renders),
        peak_mb=peak_memory_mb(),
        parameters=parameters,
        perceptual={name: metric.value() for name, metric in others.items()},
        worst_y=min((value for value in each.values() if math.isfinite(value)), default=math.nan),
        each_y=each,
        left_out={name: lacking for name, (_, lacking) in means.items() if lacking},
        notes=tuple(notes),
        weights=", ".join(weights),
    )
