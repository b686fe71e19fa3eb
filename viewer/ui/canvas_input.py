"""Qt events in the terms of viewer.model.wheel."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QInputDevice, QWheelEvent

from viewer.model.wheel import WheelInput, is_touchpad


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
