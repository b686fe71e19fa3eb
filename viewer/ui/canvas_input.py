"""Qt events in the terms of viewer.model.wheel."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QEventPoint, QGuiApplication, QInputDevice, QTouchEvent, QWheelEvent

from viewer.model.wheel import WheelInput, is_touchpad, pinch_factor


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

    def follow(self, event: QTouchEvent) -> TouchStep | None:
        """The step that the event brings; None when fingers came or went, or the touch is over."""
        now = {
            point.id(): point.position()
            for point in event.points()
            if point.state() != QEventPoint.State.Released
        }
        last, self._last = self._last, now
        if not now or now.keys() != last.keys():
            return None
        before, after = _middle(last), _middle(now)
        spread, wider = _spread(last, before), _spread(now, after)
        factor = pinch_factor(wider / spread - 1.0) if spread > 1.0 and wider > 1.0 else 1.0
        return TouchStep(after - before, after, factor)


def _middle(points: dict[int, QPointF]) -> QPointF:
    total = QPointF()
    for point in points.values():
        total += point
    return total / len(points)


def _spread(points: dict[int, QPointF], middle: QPointF) -> float:
    """Mean distance of the fingers from their middle."""
    ways = [point - middle for point in points.values()]
    return sum((w.x() ** 2 + w.y() ** 2) ** 0.5 for w in ways) / len(ways)
