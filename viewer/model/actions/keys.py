"""Keys that are no action's, and what stands on a key."""

from __future__ import annotations

import sys

COMPARE_KEY = "X"
"""Held, it shows the view by the method that was chosen before."""

MENU_KEY = "F10"
"""Shows the menus, also in full screen, where there is no bar of them. On a Mac the system has a key for its own."""

_ON_A_MAC = {"Ctrl": "⌘", "Shift": "⇧", "Alt": "⌥"}


def on_key(name: str) -> str:
    """What stands on a key that Qt calls so: its Ctrl is a Mac's command key."""
    return _ON_A_MAC.get(name, name) if sys.platform == "darwin" else name
