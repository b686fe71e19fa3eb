"""A progress bar on stderr, where someone is watching."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(unit: str) -> Iterator[Callable[[int, int], None]]:
    """Yield a `progress(done, total)` callback. Nothing is drawn when stderr is not a terminal, so logs stay clean."""
    from tqdm import tqdm

    with tqdm(unit=unit, disable=unwatched(), leave=False, dynamic_ncols=True) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield progress


def unwatched() -> bool | None:
    """tqdm's `disable`: None leaves it to whether stderr is a terminal, which cannot be asked where it is closed."""
    return True if sys.stderr is None else None
