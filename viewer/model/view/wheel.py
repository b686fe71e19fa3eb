"""What a turn of the wheel, a touchpad scroll or a pinch asks for. No Qt.

Deltas are in Qt's units: 1/8 degree for `angle` (120 a notch of an ordinary mouse), logical pixels
for `pixel`. The zoom factor is base ** (angle / 120): additive in log-zoom, so that a
high-resolution wheel that sends a notch in eight pieces zooms by exactly as much.
"""

from __future__ import annotations

from dataclasses import dataclass

NOTCH = 120.0
NOTCH_FACTOR = 2.0 ** (1 / 8)
FINE = 1 / 8
"""Shift: eight notches to one."""
COARSE = 8.0
"""Ctrl: one notch is a factor of two."""
MAX_NOTCHES = 4.0
"""One event never counts as more than this: a flung wheel may report dozens."""
PIXELS_PER_NOTCH = 30.0
"""Logical pixels of a touchpad scroll that zoom by one notch."""
PAN_PER_NOTCH = 60.0
"""Logical pixels that a notch pans by where only angles are known."""
MAX_PINCH_STEP = 2.0


@dataclass(frozen=True)
class WheelInput:
    """One wheel event. Both deltas are (x, y); zero where the platform does not give them."""

    angle: tuple[float, float] = (0.0, 0.0)
    pixel: tuple[float, float] = (0.0, 0.0)
    shift: bool = False
    ctrl: bool = False
    alt: bool = False
    touchpad: bool = False


@dataclass(frozen=True)
class Zoom:
    """Zoom by `factor` about the cursor."""

    factor: float


@dataclass(frozen=True)
class Pan:
    """Move the picture by (dx, dy) logical pixels."""

    dx: float
    dy: float


def is_touchpad(device_is_touchpad: bool, has_phase: bool, pixel: tuple[float, float]) -> bool:
    """Whether a wheel event comes from two fingers rather than from a wheel.

    Drivers that know call the device a touchpad; others only report scroll phases together with
    pixel deltas. Either alone of the latter two also occurs with mice, so both are asked for.
    """
    return device_is_touchpad or (has_phase and pixel != (0.0, 0.0))


def interpret(event: WheelInput, touchpad_pans: bool = True) -> Zoom | Pan | None:
    """What the event asks for; None when it asks for nothing.

    A wheel zooms. Two fingers on a touchpad pan, or zoom when `touchpad_pans` is off; Ctrl swaps
    the two there. An event without a vertical part is no zoom, in either direction.
    """
    if event.touchpad and touchpad_pans != event.ctrl:
        return _pan(event)
    notches = _notches(event)
    if notches == 0.0:
        return None
    notches = min(max(notches, -MAX_NOTCHES), MAX_NOTCHES)
    if event.shift:
        notches *= FINE
    elif event.ctrl and not event.touchpad:
        notches *= COARSE
    return Zoom(NOTCH_FACTOR**notches)


def pinch_factor(value: float) -> float:
    """The zoom factor of one step of a pinch that grew by `value` (0.05: by 5 %)."""
    return min(max(1.0 + value, 1.0 / MAX_PINCH_STEP), MAX_PINCH_STEP)


def _notches(event: WheelInput) -> float:
    """Vertical notches. Alt swaps the axes on some platforms and Shift does on others."""
    swapped = event.alt or event.shift
    for (dx, dy), unit in ((event.angle, NOTCH), (event.pixel, PIXELS_PER_NOTCH)):
        if dy != 0.0:
            return dy / unit
        if dx != 0.0:
            # The angle is the better witness: a horizontal angle with a vertical pixel delta
            # would be a driver's mistake, not a scroll.
            return dx / unit if swapped else 0.0
    return 0.0


def _pan(event: WheelInput) -> Pan | None:
    if event.pixel != (0.0, 0.0):
        return Pan(*event.pixel)
    if event.angle != (0.0, 0.0):
        x, y = event.angle
        return Pan(x / NOTCH * PAN_PER_NOTCH, y / NOTCH * PAN_PER_NOTCH)
    return None
