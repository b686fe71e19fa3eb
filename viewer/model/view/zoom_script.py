"""The scripted movements that `bench --window` sends to the window. No Qt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

HERTZ = 60.0
"""Inputs a second: a high-resolution wheel, a mouse at the display's rate."""

WHEEL_STEP = 24
"""Of an ordinary wheel's notch of 120: 1.5 octaves a second at 60 inputs a second."""


@dataclass(frozen=True)
class ZoomTo:
    """Turn the wheel until this scale (device pixels per source pixel) is reached; None: until the whole fits."""

    scale: float | None
    step: int = WHEEL_STEP


@dataclass(frozen=True)
class Drag:
    """Drag the picture to and fro, by (dx, dy) logical pixels an input."""

    inputs: int
    dx: int
    dy: int


@dataclass(frozen=True)
class Rest:
    """Do nothing until the exact frame is there, and at least for some seconds."""

    seconds: float = 0.4


Step = ZoomTo | Drag | Rest

LEVELS = (1.0, 2.0, 4.0, 16.0, 64.0, 256.0)


def fit_to_256_and_back() -> Iterator[Step]:
    """From fit to 256x and back, with a pan and a rest on the way in at every level, and rests on the way out."""
    yield Rest()
    for number, level in enumerate(LEVELS):
        yield ZoomTo(level)
        yield Rest()
        yield Drag(40, *((9, 5), (-7, 9))[number % 2])
        yield Rest()
    for level in (*reversed(LEVELS[1:-1:2]), None):
        yield ZoomTo(level)
        yield Rest()


def browse(seconds: float) -> Iterator[Step]:
    """All zooms for about so long: closer and farther, each time at another place."""
    spent = 0.0
    number = 0
    while spent < seconds:
        for step in _round(number):
            yield step
            spent += _seconds(step)
        number += 1


def _round(number: int) -> Iterator[Step]:
    way = (11, 7) if number % 2 else (-9, 12)
    yield ZoomTo((1.0, 2.0, 8.0, 4.0, 32.0, 256.0)[number % 6], 3 * WHEEL_STEP)
    yield Rest(1.0)
    yield Drag(60, *way)
    yield Rest(0.5)
    yield ZoomTo((None, 0.5, 1.0)[number % 3], 3 * WHEEL_STEP)
    yield Drag(90, 2 * way[0], 2 * way[1])


def _seconds(step: Step) -> float:
    if isinstance(step, Rest):
        return step.seconds
    return step.inputs / HERTZ if isinstance(step, Drag) else 1.5
