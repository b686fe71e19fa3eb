"""Qt events in the terms of viewer.model.view.wheel."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QEventPoint, QGuiApplication, QInputDevice, QTouchEvent, QWheelEvent

from viewer.model.view.wheel import WheelInput, is_touchpad, pinch_factor

TAP_REACH = 10.0
"""Logical pixels that a finger may move during a tap."""


class Wheel:
    """Reads the events of wheels and touchpads in turn.

    What goes on after the fingers were lifted (the momentum that macOS and Wayland send) goes on as what it was:
    whoever presses Ctrl then does not turn a pan into a zoom. And it ends with the next command: without that a view
    that was asked for would be pushed away at once.
    """

    def __init__(self) -> None:
        self._ctrl = False
        self._dropped = False

    def drop_momentum(self) -> None:
        """The rest of a scroll whose fingers are off already is of no consequence any more."""
        self._dropped = True

    def read(self, event: QWheelEvent) -> WheelInput | None:
        """None: nothing is asked for."""
        turned = wheel_input(event)
        if event.phase() == Qt.ScrollPhase.ScrollMomentum:
            return None if self._dropped else replace(turned, ctrl=self._ctrl)
        self._ctrl, self._dropped = turned.ctrl, False
        return turned


def wheel_input(event: QWheelEvent) -> WheelInput:
    """Everything about a wheel event that decides what it does."""
    angle = (float(event.angleDelta().x()), float(event.angleDelta().y()))
    pixel = (float(event.pixelDelta().x()), float(event.pixelDelta().y()))
    # On X11 the pixel deltas are specific to the driver and not to be relied upon (Qt's own words);
    # angles are always there.
    if QGuiApplication.platformName() == "xcb" and angle != (0.0, 0.0):
        pixel = (0.0, 0.0)
    device = event.pointingDevice()
    modifiers = event.modifiers()
    return WheelInput(
        angle=angle,
        pixel=pixel,
        shift=bool(modifiers & Qt.KeyboardModifier.ShiftModifier),
        ctrl=bool(modifiers & Qt.KeyboardModifier.ControlModifier),
        alt=bool(modifiers & Qt.KeyboardModifier.AltModifier),
        touchpad=is_touchpad(
            device is not None and device.type() == QInputDevice.DeviceType.TouchPad,
            event.phase() != Qt.ScrollPhase.NoScrollPhase,
            pixel,
        ),
    )


@dataclass(frozen=True)
class TouchStep:
    """What the fingers on a screen did since the last event: moved by `shift` (logical pixels),
    their middle now at `centre`, spread by `factor`."""

    shift: QPointF
    centre: QPointF
    factor: float


class Fingers:
    """Follows the fingers on a touch screen: one pans, two and more pan and pinch at once.

    Read from the touch points themselves. Qt's pinch recogniser only begins after a threshold and
    reports a step twice where an event reaches it by two ways.
    """

    def __init__(self) -> None:
        self._last: dict[int, QPointF] = {}
        self._began: QPointF | None = None  # as long as it may be a tap
        self.tapped: QPointF | None = None
        """Where, if the last event was the end of a tap: one finger, let go where it came down."""

    def follow(self, event: QTouchEvent) -> TouchStep | None:
        """The step that the event brings; None when fingers came or went, or the touch is over."""
        now = {
            point.id(): point.position()
            for point in event.points()
            if point.state() != QEventPoint.State.Released
        }
        last, self._last = self._last, now
        self._look_for_tap(event, now)
        if not now or now.keys() != last.keys():
            return None
        before, after = _middle(last), _middle(now)
        spread, wider = _spread(last, before), _spread(now, after)
        factor = pinch_factor(wider / spread - 1.0) if spread > 1.0 and wider > 1.0 else 1.0
        return TouchStep(after - before, after, factor)

    def _look_for_tap(self, event: QTouchEvent, now: dict[int, QPointF]) -> None:
        self.tapped = None
        if event.type() == QEvent.Type.TouchBegin:
            self._began = next(iter(now.values()), None)
        if self._began is None:
            return
        moved = [point.position() - self._began for point in event.points()]
        if len(moved) > 1 or any(m.manhattanLength() > TAP_REACH for m in moved):
            self._began = None
        elif event.type() == QEvent.Type.TouchEnd:
            self.tapped, self._began = self._began, None


def _middle(points: dict[int, QPointF]) -> QPointF:
    total = QPointF()
    for point in points.values():
        total += point
    return total / len(points)


def _spread(points: dict[int, QPointF], middle: QPointF) -> float:
    """Mean distance of the fingers from their middle."""
    ways = [point - middle for point in points.values()]
    return sum((w.x() ** 2 + w.y() ** 2) ** 0.5 for w in ways) / len(ways)
