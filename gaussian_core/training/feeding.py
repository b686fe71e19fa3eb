"""Batches drawn ahead of the steps that learn from them: by a thread, or by processes for a device that waits for more.

One core draws several hundred crops a second, which a CPU that learns on the others never asks for and a GPU does.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from queue import Queue
from typing import Protocol

import torch
from torch.utils.data import DataLoader, Dataset

from gaussian_core.parallel import worker_count
from gaussian_core.training.dataset import Batch

AHEAD, AHEAD_EACH = 4, 2
"""Batches that are drawn and not yet asked for, by the thread, and by each of the processes: theirs wait in shared
memory, of which a container has little."""


class Batches(Protocol):
    """Where batches come from."""

    def draw(self, number: int) -> Batch:
        """The batch of that number: the same whenever it is asked for."""
        ...


def usual_workers(device: torch.device) -> int:
    """Processes that draw for one that learns: none on a CPU, whose cores are to learn; with a GPU its share of the
    machine's cores (torchrun says how many learn there), but for the one that keeps it busy."""
    if device.type == "cpu" or not can_fork():
        return 0
    learning = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return max(1, worker_count() // learning - 1)


def can_fork() -> bool:
    """Whether processes can begin with all that this one has read. Those that cannot would each read it again. On a Mac
    they could, but what the system calculates with does not outlive it: they would end by a signal."""
    return sys.platform != "darwin" and "fork" in multiprocessing.get_all_start_methods()


@contextmanager
def drawn_ahead(
    batches: Batches, numbers: range, workers: int
) -> Generator[Generator[Batch, None, None], None, None]:
    """The batches of these numbers in their order, whoever draws them: `workers` processes, or with 0 a thread.

    What drawing one raises is raised here when its turn comes.
    """
    made = _by_processes(batches, numbers, workers) if workers else _by_a_thread(batches, numbers)
    try:
        yield made
    finally:
        made.close()


def _by_a_thread(batches: Batches, numbers: range) -> Generator[Batch, None, None]:
    queue: Queue[Batch | BaseException] = Queue(AHEAD)
    done = threading.Event()

    def feed() -> None:
        try:
            for number in numbers:
                if done.is_set():
                    return
                queue.put(batches.draw(number))
        except BaseException as error:
            queue.put(error)

    thread = threading.Thread(target=feed, name="batches", daemon=True)
    thread.start()
    try:
        for _ in numbers:
            item = queue.get()
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        done.set()
        while thread.is_alive():
            while not queue.empty():
                queue.get_nowait()
            thread.join(0.02)


class _Numbered(Dataset[Batch]):
    """Batches as torch's loader asks for them."""

    def __init__(self, batches: Batches, numbers: range) -> None:
        self._batches, self._numbers = batches, numbers

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, index: int) -> Batch:
        return self._batches.draw(self._numbers[index])


def _by_processes(batches: Batches, numbers: range, workers: int) -> Generator[Batch, None, None]:
    with warnings.catch_warnings():
        # As many as were asked for, though there may be fewer cores.
        warnings.filterwarnings("ignore", message="This DataLoader will create")
        loader = DataLoader(
            _Numbered(batches, numbers),
            batch_size=None,
            num_workers=workers,
            prefetch_factor=AHEAD_EACH,
            multiprocessing_context="fork",
            worker_init_fn=_leave_interrupts,
        )
        made = iter(loader)
    try:
        yield from made
    except Exception as error:
        error.with_traceback(None)  # which holds the loader, whose processes end as it goes
        del made
        raise


def _leave_interrupts(_: int) -> None:
    """Ctrl-C reaches every process of a terminal: the one that learns decides when there is enough."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
