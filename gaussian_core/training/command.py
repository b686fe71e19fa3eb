"""Train a method, by default the learned field, on folders of pictures; stops at Ctrl-C and later goes on from there.

DIV2K in one command:  main.py train DIV2K_train_HR --out runs/div2k --validate Set5 --steps 200000
Several GPUs:           torchrun --nproc-per-node 8 main.py train ...  (the batch is that of each)
The weights to use are written beside the checkpoint; ship them after a run with --decay.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from gaussian_core.errors import Cancelled, UserError
from gaussian_core.parallel import Stop
from gaussian_core.training.options import add_arguments

if TYPE_CHECKING:
    import torch

    from gaussian_core.training.dataset import Sampler
    from gaussian_core.training.distributed import Group
    from gaussian_core.training.feeding import Batches
    from gaussian_core.training.learners import Learner
    from gaussian_core.training.teacher import Lessons

__all__ = ["add_arguments", "run"]


def run(options: argparse.Namespace, stop: Stop | None = None) -> int:
    from gaussian_core.machine.allocator import keep_freed_blocks
    from gaussian_core.models.devices import pick_device
    from gaussian_core.models.faults import failures_of_training
    from gaussian_core.training.distributed import joined
    from gaussian_core.training.own_folder import own_folder
    from gaussian_core.writing.atomic import make_folder

    keep_freed_blocks()
    _check(options)
    device = pick_device(options.device)
    make_folder(options.out)
    with (
        joined(device) as (group, own),
        failures_of_training(own.type),
        own_folder(options.out) if group.is_first else nullcontext(),
    ):
        group.any(False, own)  # nobody writes there before it is the group's
        return _train(options, group, own, stop)


def _check(options: argparse.Namespace) -> None:
    """Raise UserError for what would be noticed only after hours of training, or when a folder has been made."""
    from gaussian_core.evaluation.pairs import check_measurable
    from gaussian_core.picture_folders import pictures_below
    from gaussian_core.training.asked import check_name, check_numbers, check_weights

    check_numbers(options)
    check_name(options.name)
    for name in ("deep_blocks", "symmetry", "teacher"):
        if getattr(options, name) and options.method != "continuoussr":
            raise UserError(f"--{name.replace('_', '-')} is for --method continuoussr.")
    for name in ("weights", "encoder", "teacher"):
        if (path := getattr(options, name)) is not None:
            check_weights(f"--{name}", path, _made(options))
    if options.workers:
        from gaussian_core.training.feeding import can_fork

        if not can_fork():
            raise UserError("No processes can draw crops on this system: leave out --workers.")
    pictures_below(*options.folders)
    if options.validate:
        check_measurable(options.validate)


def _made(options: argparse.Namespace) -> Path:
    """The file of weights that a training writes."""
    return Path(options.out / f"{options.method}-{options.name}.safetensors")


def _train(
    options: argparse.Namespace, group: Group, device: torch.device, stop: Stop | None
) -> int:
    from filelock import FileLock

    from gaussian_core.models.card import read_card
    from gaussian_core.picture_folders import set_names
    from gaussian_core.training.dataset import PictureStore, Sampler
    from gaussian_core.training.drawn_crops import WithDrawn
    from gaussian_core.training.fabric import Fabric
    from gaussian_core.training.feeding import usual_workers
    from gaussian_core.training.loop import Schedule, Trainer
    from gaussian_core.training.pixel_art import PixelArt

    def say(text: str) -> None:
        if group.is_first:
            print(text, flush=True)

    learner = _learner(options)
    schedule = Schedule(
        options.steps, options.rate, options.matrix_rate, decay=min(options.decay, options.steps)
    )
    with FileLock(options.out / "pictures.lock"):  # the first of a group decodes, the others read
        store = PictureStore(options.folders, options.out)
    sampler = Sampler(
        store.pictures,
        store.weights,
        batch=1 if options.teacher else options.batch,
        patch=options.patch,
        cells=learner.cells,
        margin=learner.margin,
        window=learner.window,
        seed=options.seed,
    )
    batches: Batches = sampler
    if options.teacher:
        lessons = _lessons(options, learner, sampler, store.fingerprint, group, device, say, stop)
        if lessons is None:
            return 0
        batches = lessons
    batches = _degraded(batches, options)
    for kind, share in ((Fabric, options.fabric), (PixelArt, options.pixel_art)):
        if share > 0:
            batches = WithDrawn(batches, kind(sampler.layout, options.seed), share)
    workers = usual_workers(device) if options.workers is None else options.workers
    trainer = Trainer(learner, schedule, batches, options.out, device, options.seed, group, workers)
    if trainer.resume():
        say(f"going on from step {trainer.step}")
    parameters = sum(p.numel() for p in trainer.model.parameters())
    several = f" x {group.size}" if group.size > 1 else ""
    drawn = f", crops drawn by {workers} processes" if workers else ""
    say(f"{parameters:,} parameters, {len(store.pictures)} pictures, {device}{several}{drawn}")
    weights = _made(options)
    card: dict[str, object] = {
        "trained_on": ", ".join(set_names(options.folders)),
        "licences": options.licences,
        "restores": max(options.camera, options.jpeg, options.webp) > 0,
    }
    if options.teacher:
        taught_by = read_card(options.teacher).config
        card["teacher"] = f"{taught_by.name} after {taught_by.steps:,} steps"
    every = min(100, options.every)

    def keep() -> None:
        if group.is_first and not trainer.is_lost:
            trainer.save()
            trainer.export(weights, **card)

    for step, loss, ms in trainer.run(every, stop):
        left = (options.steps - step) * ms / 3.6e6
        say(f"{step:>8}  loss {loss:.5f}  {ms:.0f} ms a step  {left:.1f} h left")
        if step % options.every < every or step >= options.steps:
            keep()
            if options.validate and group.is_first and not trainer.is_lost:
                _validate(options.validate, options.method, weights, options.device, say, stop)
    keep()
    say(f"{weights}: step {trainer.step}")
    return 0


def _degraded(batches: Batches, options: argparse.Namespace) -> Batches:
    """The batches, made worse in the order in which pictures are: by the camera, by the first file, by the next."""
    from gaussian_core.training.camera import through_camera
    from gaussian_core.training.degradation import Degraded
    from gaussian_core.training.lossy_files import through_jpeg, through_webp

    steps = (
        (options.camera, through_camera, 6),
        (options.jpeg, through_jpeg, 5),
        (options.webp, through_webp, 7),
    )
    for share, degrade, stream in steps:
        if share > 0:
            batches = Degraded(batches, share, degrade, stream, options.seed)
    return batches


def _lessons(
    options: argparse.Namespace,
    learner: Learner,
    sampler: Sampler,
    pictures: str,
    group: Group,
    device: torch.device,
    say: Callable[[str], None],
    stop: Stop | None,
) -> Lessons | None:
    """What the teacher makes of the crops; None where it was stopped on the way. pictures: their fingerprint."""
    import torch
    from filelock import FileLock

    from gaussian_core.models.devices import fast_dtype
    from gaussian_core.training.teacher import AT_ONCE, Lessons, Teacher

    teacher = Teacher(options.teacher, learner.cells, learner.margin, device)
    taught_by = hashlib.sha256(options.teacher.read_bytes()).hexdigest()
    plan = json.dumps([taught_by, sampler.seed, sampler.patch, pictures])
    with FileLock(options.out / "lessons.lock"):
        lessons = Lessons(options.out, sampler, plan, options.lessons, options.batch)

    def tell(made: int, of: int) -> None:
        if made == of or made % 400 < AT_ONCE:
            say(f"{made * group.size:>8} of {of * group.size} lessons")

    fast = fast_dtype(device) == torch.bfloat16
    complete = lessons.make(teacher, fast, group.rank, group.size, tell, stop)
    return None if group.any(not complete, device) else lessons


def _learner(options: argparse.Namespace) -> Learner:
    from gaussian_core.models.config import ModelConfig
    from gaussian_core.training.learners import learner_of

    config = ModelConfig(
        name=options.name,
        architecture=options.method,
        channels=options.channels,
        blocks=options.blocks,
        encoder="two-scale" if options.deep_blocks else "residual",
        deep_channels=options.deep_channels if options.deep_blocks else 0,
        deep_blocks=options.deep_blocks,
        slope=options.slope,
        cells=options.cells,
        covariance=options.covariance,
        dictionary=options.dictionary,
        drift=options.drift,
        footprint=options.footprint,
        elongation=options.elongation,
        spread=options.spread,
        symmetric=options.symmetry,
    )
    learner = learner_of(config, options.follow)
    learner.luminance, learner.squares = options.luminance, options.squares
    learner.start, learner.start_encoder = options.weights, options.encoder
    return learner


def _validate(
    folder: Path,
    method: str,
    weights: Path,
    device: str,
    say: Callable[[str], None],
    stop: Stop | None,
) -> None:
    """Say how good the weights are, unless stopped on the way."""
    from gaussian_core.evaluation.runner import evaluate
    from gaussian_core.evaluation.tables import figure
    from gaussian_core.methods import Options
    from gaussian_core.picture_folders import set_names

    rows = evaluate(
        [folder],
        [method],
        [2.0, 3.0, 4.0],
        options=Options(device),
        weights=[weights],
        warn=lambda text: say(f"          {text}"),
        stop=stop,
    )
    try:
        figures = "  ".join(f"x{row.scale:g} {figure(row.psnr_y, 2)}" for row in rows)
    except Cancelled:  # the checkpoint is there
        return
    say(f"          {set_names([folder])[0]}, PSNR-Y: {figures}")
