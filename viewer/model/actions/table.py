"""The one table of actions: menus, shortcuts, the sheet of shortcuts and the tests all come from it."""

from __future__ import annotations

from viewer.model.actions.edit_menu import EDIT
from viewer.model.actions.field_menu import FIELD
from viewer.model.actions.file_menu import FILE
from viewer.model.actions.help_menu import HELP
from viewer.model.actions.overlays_menu import OVERLAYS
from viewer.model.actions.spec import ActionSpec
from viewer.model.actions.view_menu import VIEW

MENUS = ("&File", "&Edit", "&View", "&Overlays", "Fiel&d", "&Help")

ACTIONS = (*FILE, *EDIT, *VIEW, *OVERLAYS, *FIELD, *HELP)


def action(action_id: str) -> ActionSpec:
    """The action of that id. Raises KeyError."""
    for spec in ACTIONS:
        if spec.id == action_id:
            return spec
    raise KeyError(action_id)
