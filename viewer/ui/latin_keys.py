"""Shortcuts on keyboards without Latin letters, which Qt only finds where a Latin layout is switched on besides."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QKeyCombination, Qt
from PySide6.QtGui import QAction, QGuiApplication, QKeyEvent, QKeySequence

from viewer.model.key_places import latin_for

HELD = (
    Qt.KeyboardModifier.ShiftModifier
    | Qt.KeyboardModifier.ControlModifier
    | Qt.KeyboardModifier.AltModifier
    | Qt.KeyboardModifier.MetaModifier
)
"""The modifiers that shortcuts name."""


def latin_key(event: QKeyEvent) -> int:
    """The event's key; of a letter in another script the one that a Latin keyboard has in its place."""
    key = event.key()
    if not 0x7F < key < int(Qt.Key.Key_Escape):
        return key
    platform = QGuiApplication.platformName()
    return ord(
        latin_for(chr(key), platform, event.nativeScanCode(), event.nativeVirtualKey()),
    )


def trigger_by_place(event: QKeyEvent, actions: Iterable[QAction]) -> bool:
    """Do what the place of a key stands for, where no shortcut took its letter. Whether there was something to do."""
    key = latin_key(event)
    if key == event.key():
        return False
    asked = QKeySequence(QKeyCombination(event.modifiers() & HELD, Qt.Key(key)))
    for action in actions:
        if asked in action.shortcuts():
            if action.isEnabled() and (action.autoRepeat() or not event.isAutoRepeat()):
                action.trigger()
            return True
    return False
