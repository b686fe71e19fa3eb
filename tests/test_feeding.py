"""Batches drawn ahead: the same ones in the same order whoever draws them, errors in their turn, nobody left behind."""

from __future__ import annotations

import multiprocessing
import threading

import numpy as np
import pytest

from gaussian_core.errors import ImageError

torch = pytest.importorskip("torch")

from gaussian_core.training.dataset import Batch, Sampler  # noqa: E402
from gaussian_core.training.feeding import can_fork, drawn_ahead, usual_workers  # noqa: E402

forked = pytest.mark.skipif(not can_fork(), reason="no process can be forked here")
BY = [0, pytest.param(1, marks=forked), pytest.param(3, marks=forked)]
"""Processes that draw; 0 is a thread."""


def sampler() -> Sampler:
    noise = np.random.default_rng(0).integers(0, 256, (120, 120, 3), np.uint8)
    return Sampler([noise], np.ones(1), batch=2, patch=16, page_share=0, seed=4)


class Broken:
    """Draws up to number 6."""

    def draw(self, number: int) -> Batch:
        if number >= 6:
            raise ImageError("this one cannot be read")
        return sampler().draw(number)


def nobody_draws() -> bool:
    return not multiprocessing.active_children() and not [
        t for t in threading.enumerate() if t.name == "batches"
    ]


@pytest.mark.parametrize("workers", BY)
def test_the_batches_of_the_numbers_come_in_their_order(workers):
    wanted = sampler()
    numbers = range(3, 40, 2)
    with drawn_ahead(sampler(), numbers, workers) as batches:
        drawn = list(batches)
    assert len(drawn) == len(numbers)
    for number, batch in zip(numbers, drawn, strict=True):
        for name, values in vars(wanted.draw(number)).items():
            assert torch.equal(values, getattr(batch, name)), (number, name)
    assert nobody_draws()


@pytest.mark.parametrize("workers", BY)
def test_who_leaves_early_leaves_nobody_behind(workers):
    with drawn_ahead(sampler(), range(10**6), workers) as batches:
        assert next(batches).low.shape == (2, 3, 16, 16)
    assert nobody_draws()


@pytest.mark.parametrize("workers", BY)
def test_what_drawing_raises_is_raised_when_its_turn_comes(workers):
    with drawn_ahead(Broken(), range(20), workers) as batches:
        for _ in range(6):
            next(batches)
        with pytest.raises(ImageError, match="this one cannot be read"):
            next(batches)
    assert nobody_draws()


@pytest.mark.parametrize("workers", BY)
def test_where_nothing_is_left_to_learn_nothing_is_drawn(workers):
    with drawn_ahead(Broken(), range(9, 9), workers) as batches:
        assert list(batches) == []
    assert nobody_draws()


def test_a_gpu_has_its_share_of_the_cores_drawing_for_it(monkeypatch):
    monkeypatch.setattr("gaussian_core.training.feeding.worker_count", lambda: 16)
    assert usual_workers(torch.device("cpu")) == 0
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    assert usual_workers(torch.device("cuda", 0)) == (15 if can_fork() else 0)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    assert usual_workers(torch.device("cuda", 1)) == (3 if can_fork() else 0)


def test_on_a_mac_a_thread_draws_since_its_processes_do_not_outlive_a_fork(monkeypatch):
    monkeypatch.setattr("gaussian_core.training.feeding.sys.platform", "darwin")
    assert not can_fork() and usual_workers(torch.device("cuda", 0)) == 0
