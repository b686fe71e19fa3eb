"""The Edit menu."""

from __future__ import annotations

from viewer.model.actions.spec import ActionSpec

EDIT: tuple[ActionSpec, ...] = (
    ActionSpec(
        "edit.copy",
        "&Copy View",
        ("Ctrl+C",),
        ("&Edit",),
        tip="Copy what is in view without overlays, transparent where the picture is",
    ),
    ActionSpec(
        "edit.paste", "&Paste", ("Ctrl+V",), ("&Edit",), tip="Open the picture on the clipboard"
    ),
)
