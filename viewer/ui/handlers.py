"""What is done when an action of the table is asked for in a window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from viewer.model.actions.table import ACTIONS
from viewer.ui.dialogs import dialogs
from viewer.ui.menus import Handler

if TYPE_CHECKING:
    from viewer.ui.main_window import MainWindow


def handlers(window: MainWindow) -> dict[str, Handler]:
    """By the ids of the actions, see Menus."""
    canvas = window.canvas
    by_id: dict[str, Handler] = {
        "file.open": window.intake.ask,
        "file.weights": window.intake.ask_weights,
        "file.sample": window.intake.open_sample,
        "file.clear_recent": lambda: window.recents.clear(),
        "file.reload": window.reloading.reload,
        "file.next": window.steps.step,
        "file.previous": window.steps.step,
        "file.export": window.exporter.ask_export,
        "file.export_comparison": window.figures.ask,
        "file.save_field": window.exporter.ask_save_field,
        "file.close": window.session.close_document,
        "file.quit": window.close,
        "edit.copy": window.copier.start,
        "edit.paste": window.intake.paste,
        "zoom.in": canvas.zoom_in,
        "zoom.out": canvas.zoom_out,
        "zoom.fit": canvas.fit,
        "zoom.fill": canvas.fill,
        "zoom.type": window.status.zoom.begin_typing,
        "view.back": window.view_steps.step,
        "view.forward": window.view_steps.step,
        "view.full_screen": window.set_full_screen,
        "view.tool_bar": lambda on: window.change(tool_bar=on),
        "view.minimap": window.aids.show_minimap,
        "view.pixel_grid": window.aids.show_grid,
        "view.pixel_values": window.aids.show_values,
        "view.preview": lambda on: window.change(preview=on),
        "view.animate": lambda on: window.change(animate=on),
        "touchpad.pan": lambda mode: window.change(touchpad_pans=mode == "pan"),
        "touchpad.zoom": lambda mode: window.change(touchpad_pans=mode == "pan"),
        "overlay.centres": lambda on: window.marks.show(centres=on),
        "overlay.ellipses": lambda on: window.marks.show(ellipses=on),
        "overlay.drifts": lambda on: window.marks.show(drifts=on),
        "overlay.larger": window.marks.step_sigma,
        "overlay.smaller": window.marks.step_sigma,
        "overlay.own_colours": lambda: window.change(own_colours=True),
        "overlay.one_colour": lambda: window.change(own_colours=False),
        "overlay.choose_colour": window.marks.choose_colour,
        "overlay.distribution": lambda: window.side_windows.show_distribution(),
        "overlay.reset": window.marks.reset,
        "weights.use": window.choosing.use_weights,
        "compare.file": window.reference.ask,
        "field.split": window.set_split,
        "line.left": window.comparing.move_line,
        "line.right": window.comparing.move_line,
        "line.middle": window.comparing.recentre_line,
        "field.panes": window.two_methods.switch_panes,
        "field.difference": window.two_methods.switch_difference,
        "field.footprint": lambda on: window.change(footprint=on),
        "field.card": lambda: window.side_windows.show_card(),
        "field.build": window.session.build,
        "field.stop": window.stop,
        "help.shortcuts": lambda: window.side_windows.show_sheet(),
        "help.about": lambda: dialogs.tell_about(window),
    }
    for spec in ACTIONS:
        if spec.id.startswith("zoom.to_"):
            by_id[spec.id] = canvas.zoom_to
        elif spec.id.startswith("pan."):
            by_id[spec.id] = window.pan
        elif spec.id.startswith("method."):
            by_id[spec.id] = window.choosing.use_method
        elif spec.id.startswith("shipped."):
            by_id[spec.id] = window.choosing.use_shipped
        elif spec.id.startswith("reduced."):
            by_id[spec.id] = window.intake.open_reduced
        elif spec.id.startswith("memory."):
            by_id[spec.id] = lambda megabytes: window.change(tile_memory=megabytes)
        elif spec.id.startswith("gain."):
            by_id[spec.id] = lambda gain: window.change(gain=gain)
        elif spec.id.startswith("theme."):
            by_id[spec.id] = lambda mode: window.change(theme=mode)
    return by_id
