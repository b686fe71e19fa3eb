"""The Help menu."""

from __future__ import annotations

from viewer.model.actions.spec import ActionSpec

HELP: tuple[ActionSpec, ...] = (
    ActionSpec(
        "help.shortcuts",
        "&Keyboard and Mouse",
        ("?", "F1"),
        ("&Help",),
        tip="The sheet of shortcuts",
    ),
    ActionSpec("help.about", "&About", (), ("&Help",)),
)
