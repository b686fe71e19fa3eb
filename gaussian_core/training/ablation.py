"""The ablation's variants, each a short training at an equal budget, and what is measured of each."""

from __future__ import annotations

import json
import logging
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gaussian_core.errors import Cancelled
from gaussian_core.models.config import FOLLOW
from gaussian_core.parallel import Stop
from gaussian_core.picture_folders import fingerprint, pictures, set_names
from gaussian_core.principal_axes import principal_axes
from gaussian_core.writing.atomic import atomic_write, make_folder

if TYPE_CHECKING:
    import torch

    from gaussian_core.field import GaussianField
    from gaussian_core.training.dataset import PictureStore

log = logging.getLogger(__name__)

RESULT = "result.json"
PLAN = "plan.json"  # what the checkpoint beside it is a training of


@dataclass(frozen=True)
class Variant:
    """One row of the table. changes: fields of ModelConfig that differ from the first row's; follow: weight of the
    geometry's prior. consistent: whether the correction of data consistency is drawn."""

    name: str
    part: str
    changes: dict[str, Any] = field(default_factory=dict)
    follow: float = FOLLOW
    consistent: bool = True

    @property
    def training(self) -> str:
        """Variants of one training share its name."""
        return self.name if self.consistent else VARIANTS[0].name


VARIANTS = (
    Variant("all", "the shipped design"),
    Variant("no-ddcw", "DDCW x APD", {"covariance": "direct"}),
    Variant("no-apd", "DDCW x APD", {"drift": 0.0}),
    Variant("no-ddcw-no-apd", "DDCW x APD", {"covariance": "direct", "drift": 0.0}),
    Variant("k-4", "dictionary size K", {"dictionary_size": 4}),
    Variant("k-8", "dictionary size K", {"dictionary_size": 8}),
    Variant("k-64", "dictionary size K", {"dictionary_size": 64}),
    Variant("published", "dictionary size K", {"dictionary": "published", "covariance": "linear"}),
    Variant("range-0.5", "dictionary range", {"dictionary_range": 0.5}),
    Variant("range-2", "dictionary range", {"dictionary_range": 2.0}),
    Variant("n-1", "Gaussians a pixel N", {"cells": 1, "spread": 0.6}),
    Variant("n-9", "Gaussians a pixel N", {"cells": 3, "spread": 0.22}),
    Variant("p-0.25", "drift P", {"drift": 0.25}),
    Variant("p-1", "drift P", {"drift": 1.0}),
    Variant("no-footprint", "pixel footprint", {"footprint": 0.0}),
    Variant("no-consistency", "data consistency", consistent=False),
    # Not part of "all": not every variant can have it.
    Variant("symmetric", "symmetry", {"symmetric": True}),
    Variant("no-prior", "geometry's prior", follow=0.0),
    Variant("structure-tensor", "geometry's start", {"elongation": 0.4}),
)


@dataclass(frozen=True)
class Result:
    """psnr_y: mean PSNR-Y by "set xscale", of the pictures that did not come out exactly. ratio: median axis ratio
    of the Gaussians; drift: their median distance from their cells' centres, source pixels."""

    name: str
    part: str
    steps: int
    parameters: int
    ms_a_step: float
    psnr_y: dict[str, float]
    ratio: float
    drift: float


@dataclass(frozen=True)
class Budget:
    """What is the same for all variants."""

    steps: int = 1000
    batch: int = 8
    patch: int = 44
    channels: int = 48
    blocks: int = 6
    seed: int = 0


def ablate(
    variants: Sequence[Variant],
    budget: Budget,
    store: PictureStore,
    folder: Path,
    tests: Sequence[Path],
    scales: Sequence[float],
    device: torch.device,
    stop: Stop | None = None,
) -> Iterator[Result]:
    """Train and measure each variant in a folder of its own; what is there already is not done again, unless it is of
    other pictures or these were written to since.

    A variant that was interrupted goes on from its last checkpoint. Ends early, without the variant at work, when
    stopped.
    """
    measured = [
        {"set": name, "pictures": fingerprint(pictures(test)), "scales": list(scales)}
        for name, test in zip(set_names(tests), tests, strict=True)
    ]
    for variant in variants:
        home = folder / variant.name
        make_folder(home)
        asked = {
            "budget": asdict(budget),
            "pictures": store.fingerprint,
            "tests": measured,
            "variant": asdict(variant),
        }
        kept = home / RESULT
        if (known := _known(kept, asked)) is not None:
            yield known
            continue
        trained = folder / variant.training
        make_folder(trained)
        weights = _train(variant, budget, store, trained, device, stop)
        if weights is None:
            return
        try:
            result = _measure(variant, weights, tests, scales, device.type, stop)
        except Cancelled:
            return
        atomic_write(kept, json.dumps({"asked": asked, "result": asdict(result)}, indent=2) + "\n")
        yield result


def _known(kept: Path, asked: dict[str, Any]) -> Result | None:
    """What is kept of the same question; None where there is no file, or one that is damaged or of another program."""
    try:
        known = json.loads(kept.read_text(encoding="utf-8"))
        return Result(**known["result"]) if known["asked"] == asked else None
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


@dataclass(frozen=True)
class _Trained:
    path: Path
    steps: int
    parameters: int
    ms_a_step: float


def _train(
    variant: Variant,
    budget: Budget,
    store: PictureStore,
    home: Path,
    device: torch.device,
    stop: Stop | None,
) -> _Trained | None:
    from gaussian_core.models.config import ModelConfig
    from gaussian_core.training.dataset import Sampler
    from gaussian_core.training.learners import ContinuousSRLearner
    from gaussian_core.training.loop import CHECKPOINT, Schedule, Trainer

    settings = {"channels": budget.channels, "blocks": budget.blocks} | variant.changes
    learner = ContinuousSRLearner(ModelConfig(**settings), variant.follow)
    sampler = Sampler(
        store.pictures,
        store.weights,
        batch=budget.batch,
        patch=budget.patch,
        cells=learner.cells,
        margin=learner.margin,
        seed=budget.seed,
    )
    # The second half with falling rates: short trainings are compared where they have settled.
    schedule = Schedule(budget.steps, warm_up=min(100, budget.steps), decay=budget.steps // 2)
    trainer = Trainer(learner, schedule, sampler, home, device, budget.seed)
    plan = json.dumps([asdict(budget), learner.description, variant.follow, store.fingerprint])
    kept = home / PLAN
    if kept.exists() and kept.read_text() == plan:
        trainer.resume()
    else:
        # A training of another length has other rates all along: it cannot be lengthened or cut.
        (home / CHECKPOINT).unlink(missing_ok=True)
        atomic_write(kept, plan)
    start, first = time.perf_counter(), trainer.step
    for _ in trainer.run(100, stop):
        if not trainer.is_lost:
            trainer.save()
    trainer.save()
    if trainer.step < budget.steps:
        return None
    weights = home / "weights.safetensors"
    trainer.export(weights)
    spent = time.perf_counter() - start
    parameters = sum(p.numel() for p in trainer.model.parameters())
    pace = 1e3 * spent / max(1, trainer.step - first) if trainer.step > first else float("nan")
    return _Trained(weights, trainer.step, parameters, pace)


def _measure(
    variant: Variant,
    trained: _Trained,
    tests: Sequence[Path],
    scales: Sequence[float],
    device: str,
    stop: Stop | None,
) -> Result:
    """Raises Cancelled."""
    from gaussian_core.builder import build_field
    from gaussian_core.evaluation.metrics import finite_mean, score
    from gaussian_core.evaluation.pairs import measurable, pair_of
    from gaussian_core.footprint import footprint_of
    from gaussian_core.rasterizer import rasterize
    from gaussian_core.viewport import Viewport

    figures: dict[str, float] = {}
    ratios, drifts = [], []
    for name, folder in zip(set_names(tests), tests, strict=True):
        paths = measurable(folder, warn=log.warning)
        for scale in scales:
            values = []
            for pair in (pair_of(path, scale) for path in paths):
                made = build_field(pair.low, device=device, weights=trained.path, stop=stop)
                if not variant.consistent:
                    made.correction = None
                view = Viewport((0.0, 0.0), pair.scale, (pair.high.shape[1], pair.high.shape[0]))
                sigma = footprint_of(made, view.scale)  # as `evaluate` sees it
                seen = rasterize(made, view, pixel_sigma=sigma, stop=stop)
                values.append(score(seen[..., :3], pair.high, scale).psnr_y)
                ratio, drift = _geometry(made, variant)
                ratios.append(ratio)
                drifts.append(drift)
            figures[f"{name} x{scale:g}"], _ = finite_mean(values)
    return Result(
        variant.name,
        variant.part,
        trained.steps,
        trained.parameters,
        trained.ms_a_step,
        figures,
        statistics.median(ratios),
        statistics.median(drifts),
    )


def _geometry(made: GaussianField, variant: Variant) -> tuple[float, float]:
    """Medians over a field: the ratio of the ellipses' axes, and the distance from the nearest cell centre."""
    cells = variant.changes.get("cells", 2)
    longer, shorter, _ = principal_axes(made.covariances)
    ratio = np.sqrt(longer / np.maximum(shorter, 1e-9))
    away = (np.mod(made.means * cells, 1.0) - 0.5) / cells
    return float(np.median(ratio)), float(np.median(np.hypot(away[:, 0], away[:, 1])))


def table(results: Sequence[Result]) -> str:
    """The rows as text; figures of a variant that are better than the first row's carry a plus."""
    columns = list(results[0].psnr_y) if results else []
    width = max(map(len, ("00.00 +0.00", *columns)))
    lines = [
        f"{'variant':<18} {'part':<20} {'steps':>6} {'params':>8} {'ratio':>6} {'drift':>6} "
        + " ".join(f"{c:>{width}}" for c in columns)
    ]
    for row in results:
        cells = []
        for column in columns:
            change = row.psnr_y[column] - results[0].psnr_y[column]
            text = f"{row.psnr_y[column]:.2f}"
            cells.append(text if row is results[0] else f"{text} {change:+.2f}")
        lines.append(
            f"{row.name:<18} {row.part:<20} {row.steps:>6} {row.parameters:>8} {row.ratio:>6.2f} "
            f"{row.drift:>6.3f} " + " ".join(f"{c:>{width}}" for c in cells)
        )
    return "\n".join(lines)
