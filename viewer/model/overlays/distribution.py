"""How the Gaussians in view are distributed: the shapes and drifts that the Deep Gaussian Prior is about (ContinuousSR,
arXiv 2503.06617), as histograms."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gaussian_core.errors import Cancelled
from gaussian_core.parallel import Stop
from gaussian_core.principal_axes import principal_axes
from viewer.model.frames.scene import Rect, Scene
from viewer.model.overlays.overlay_options import ValueRange

Array = NDArray[np.float64]

MOST = 400_000
"""About as many Gaussians are looked at; of more, evenly chosen ones."""
BINS = 48
LONG = 1.1
"""Axis ratio from which a Gaussian has a direction."""


@dataclass(frozen=True)
class Quantity:
    """key: what `histogram` finds it by. title, unit: for a person. symmetric: about 0. low: where its range begins,
    unless it is symmetric; high: where it ends, None: as far as the values go."""

    key: str
    title: str
    unit: str
    symmetric: bool = False
    low: float = 0.0
    high: float | None = None


QUANTITIES = (
    Quantity("xx", "σx²", "px²"),
    Quantity("yy", "σy²", "px²"),
    Quantity("xy", "ρσxσy", "px²", symmetric=True),
    Quantity("ratio", "Axis ratio", "", low=1.0),
    Quantity("angle", f"Direction (axis ratio ≥ {LONG:g})", "°", low=-90.0, high=90.0),
    Quantity("drift", "Drift", "px"),
)


@dataclass(frozen=True)
class Histogram:
    """quantity: what. edges (n + 1,), counts (n,): of the values within the range that is shown. median, low, high: of
    all of them, the last two between which nine in ten lie; NaN where there are none. beyond: how many are out of the
    range."""

    quantity: Quantity
    edges: Array
    counts: NDArray[np.int64]
    median: float
    low: float
    high: float
    beyond: int


@dataclass(frozen=True)
class Distribution:
    """total: Gaussians with their centre in view. taken: of them looked at. chosen: of these within the ranges that
    were asked for. histograms: of QUANTITIES, without those of which the field knows nothing."""

    total: int
    taken: int
    chosen: int
    histograms: tuple[Histogram, ...]


def distribution(
    scene: Scene, rect: Rect, stop: Stop | None = None, only: Iterable[ValueRange] = ()
) -> Distribution:
    """Of a scene's Gaussians, as far as they are built, with their centre in a rectangle of source pixels. only: ranges
    that some are chosen by. Raises Cancelled when stopped between tiles."""
    found = []
    for field, whole in scene.fields_in(rect, stop, kept=True):
        if stop is not None and stop():
            raise Cancelled("stopped while Gaussians were counted")
        found.append((field, slice(None) if whole else field.in_rect(rect)))
    sizes = [len(f) if isinstance(part, slice) else len(part) for f, part in found]
    total = sum(sizes)
    step = max(1, math.ceil(total / MOST))
    covariances, drifts = [], []
    for field, part in found:
        chosen = slice(None, None, step) if isinstance(part, slice) else part[::step]
        covariances.append(np.asarray(field.covariances[chosen], np.float64))
        if field.drifts is not None:
            drifts.append(np.asarray(field.drifts[chosen], np.float64))
    rows = np.concatenate(covariances) if covariances else np.empty((0, 3))
    known = values_of(rows, np.concatenate(drifts) if drifts else None)
    histograms = tuple(histogram(q, known[q.key]) for q in QUANTITIES if q.key in known)
    some = int(np.count_nonzero(within(known, only, len(rows))))
    return Distribution(total, len(rows), some, histograms)


def values_of(covariances: Array, drifts: Array | None) -> dict[str, Array]:
    """The values (n,) of QUANTITIES, NaN where there is none. covariances (n, 3): xx, xy, yy in source pixels squared.
    drifts (n, 2)."""
    xx, xy, yy = covariances.T
    longer, shorter, angle = principal_axes(covariances)
    ratio = np.sqrt(longer / np.maximum(shorter, 1e-12))
    directions = np.where(ratio >= LONG, np.degrees(angle), math.nan)
    values = {"xx": xx, "yy": yy, "xy": xy, "ratio": ratio, "angle": directions}
    if drifts is not None:
        values["drift"] = np.hypot(drifts[:, 0], drifts[:, 1])
    return values


def within(values: dict[str, Array], only: Iterable[ValueRange], count: int) -> NDArray[np.bool_]:
    """Which of `count` Gaussians with these values lie within all ranges: of a value that is not known, none."""
    inside = np.ones(count, np.bool_)
    for each in only:
        of = values.get(each.key)
        inside &= False if of is None else (of >= each.low) & (of <= each.high)
    return inside


def histogram(quantity: Quantity, values: Array) -> Histogram:
    """Of the values that are not NaN. Over a range that ends at a round number past all but a few of them: it stays
    while a view moves."""
    values = values[~np.isnan(values)]
    low, high = quantity.low, quantity.high
    if high is None:
        far = np.abs(values) if quantity.symmetric else values - low
        high = _round_up(float(np.quantile(far, 0.995))) if len(values) else 1.0
        low, high = (-high, high) if quantity.symmetric else (low, low + high)
    counts, edges = np.histogram(values, BINS, (low, high))
    at = np.quantile(values, (0.05, 0.5, 0.95)) if len(values) else (math.nan,) * 3
    beyond = len(values) - int(counts.sum())
    return Histogram(quantity, edges, counts, float(at[1]), float(at[0]), float(at[2]), beyond)


def _round_up(value: float) -> float:
    """To 1, 2 or 5 times a power of ten."""
    if value <= 1e-9:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(power * step for step in (1, 2, 5, 10) if value <= power * step * (1 + 1e-9))
