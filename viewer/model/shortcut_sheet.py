"""The sheet of shortcuts: what keys and gestures do, in sections, made from the table of actions."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from viewer.model.actions.keys import COMPARE_KEY, MENU_KEY
from viewer.model.actions.spec import ActionSpec
from viewer.model.actions.table import ACTIONS

SECTIONS = ("Zoom", "Mouse and touchpad", "Gaussians", "View", "File", "Histograms")

Chord = tuple[str, ...]
"""Keys held together, as they stand on the keys."""

GESTURES: tuple[tuple[Chord, str], ...] = (
    (("Wheel",), "Zoom at the cursor"),
    (("Shift", "Wheel"), "Zoom finely"),
    (("Ctrl", "Wheel"), "Zoom by a factor of two"),
    (("Pinch",), "Zoom at the fingers"),
    (("Two fingers",), "Pan"),
    (("Drag",), "Pan; the line of a split view"),
    (("Shift", "Drag"), "Zoom to what is framed"),
    (("Click",), "With marks shown: what there is to know of the Gaussian there"),
    (("Double-click",), "Closer at the point, to 100 % at first, and back to fit"),
    (("Back and forward buttons",), "To the view before, and on again"),
    (("Drop files",), "Open the first of them, or of a folder"),
)

HISTOGRAM_KEYS: tuple[tuple[Chord, str], ...] = (
    (("Tab",), "To the next histogram"),
    (("← →",), "Choose a range, and move it"),
    (("Shift", "← →"), "Move its upper end"),
    (("Ctrl", "← →"), "Move its lower end"),
    (("Del",), "No range any more"),
)


@dataclass(frozen=True)
class SheetRow:
    """One line of the sheet of shortcuts: any of the chords does it."""

    chords: tuple[Chord, ...]
    text: str


def chord(key: str) -> Chord:
    """The keys of a shortcut: ("Ctrl", "+") of "Ctrl++"."""
    *modifiers, last = key.split("+") if not key.endswith("+") else [*key[:-1].split("+")[:-1], "+"]
    return (*modifiers, last)


def sheet() -> list[tuple[str, list[SheetRow]]]:
    """The sections of the sheet, from the tables above. Presets, pans and moves of the line have one line for all of
    them."""
    sections: dict[str, list[SheetRow]] = {name: [] for name in SECTIONS}
    for spec in ACTIONS:
        if spec.keys and not spec.id.startswith(("pan.", "zoom.to_", "line.")):
            rows = sections[_section(spec)]
            rows.append(SheetRow(tuple(chord(k) for k in spec.keys[:2]), spec.plain_title))
    sections["Zoom"] += [
        SheetRow((("1",), ("Ctrl", "0")), "100 %"),
        SheetRow((("2 … 9",),), "200 %, 400 %, … 25,600 %"),
    ]
    sections["Gaussians"] += [
        SheetRow((("Ctrl", "← →"), ("Ctrl", "Home")), "Line of a split view, to its middle"),
        SheetRow(((COMPARE_KEY,),), "Held: the method before, or bicubic"),
    ]
    sections["View"] += [
        SheetRow((("Arrows",),), "Pan"),
        SheetRow((("Shift", "Arrows"),), "Pan by a screen"),
    ]
    sections["Histograms"] = [SheetRow((how,), what) for how, what in HISTOGRAM_KEYS]
    sections["Mouse and touchpad"] = [SheetRow((how,), what) for how, what in GESTURES]
    if sys.platform != "darwin":
        menus = "The menus, in full screen, too"
        sections["View"].append(SheetRow(((MENU_KEY,), ("Menu",)), menus))
        sections["Mouse and touchpad"].append(SheetRow((("Right button",),), menus))
    return list(sections.items())


def _section(spec: ActionSpec) -> str:
    area = spec.id.partition(".")[0]
    return {
        "zoom": "Zoom",
        "overlay": "Gaussians",
        "field": "Gaussians",
        "method": "Gaussians",
        "view": "View",
    }.get(area, "File")
