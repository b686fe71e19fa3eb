"""The View menu: zooms and pans, what is seen beside the picture, how the view moves, the theme."""

from __future__ import annotations

from viewer.model.actions.keys import on_key
from viewer.model.actions.spec import ActionSpec

PRESETS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0)
"""Zooms of the menu and of the zoom field: powers of two, device pixels per source pixel."""

_PAN = 0.1  # of the canvas
_PAN_FAR = 0.8


def _preset_keys(scale: float) -> tuple[str, ...]:
    """1 is 100 %, and every further digit twice the one before: 2 is 200 %, 3 is 400 %, up to 9."""
    if scale < 1:
        return ()
    digit = PRESETS.index(scale) - PRESETS.index(1.0) + 1
    keys = (str(digit),) if digit <= 9 else ()
    return (*keys, "Ctrl+0") if scale == 1 else keys


def _presets() -> tuple[ActionSpec, ...]:
    return tuple(
        ActionSpec(
            f"zoom.to_{scale * 100:g}",
            f"{scale * 100:,.0f} %",
            _preset_keys(scale),
            ("&View", "&Zoom To"),
            argument=scale,
            separated=scale == 1.0 or scale == 2.0,
            tip="One source pixel on one pixel of the screen" if scale == 1 else "",
        )
        for scale in PRESETS
    )


def _pans() -> tuple[ActionSpec, ...]:
    specs = []
    for far, prefix, step in ((False, "", _PAN), (True, "Shift+", _PAN_FAR)):
        for name, key, dx, dy in (
            ("Left", "Left", 1.0, 0.0),
            ("Right", "Right", -1.0, 0.0),
            ("Up", "Up", 0.0, 1.0),
            ("Down", "Down", 0.0, -1.0),
        ):
            specs.append(
                ActionSpec(
                    f"pan.{name.lower()}{'_far' if far else ''}",
                    f"{name}, a Screen" if far else name,
                    (prefix + key,),
                    ("&View", "&Pan"),
                    argument=(dx * step, dy * step),
                    separated=far and name == "Left",
                )
            )
    return tuple(specs)


VIEW: tuple[ActionSpec, ...] = (
    ActionSpec(
        "zoom.in",
        "Zoom &In",
        ("+", "=", "Ctrl++", "Ctrl+="),
        ("&View",),
        tip="Zoom in: two presses double it",
    ),
    ActionSpec(
        "zoom.out", "Zoom &Out", ("-", "Ctrl+-"), ("&View",), tip="Zoom out: two presses halve it"
    ),
    ActionSpec("zoom.fit", "&Fit", ("F", "Ctrl+9"), ("&View",), tip="Show the whole picture (F)"),
    ActionSpec(
        "zoom.fill", "Fi&ll", ("Shift+F",), ("&View",), tip="Cover the window with the picture"
    ),
    *_presets(),
    ActionSpec("zoom.type", "&Type a Zoom...", ("Z",), ("&View",), tip="Go to the zoom field"),
    *_pans(),
    ActionSpec(
        "view.back",
        "Bac&k",
        ("Alt+Left",),
        ("&View",),
        argument=-1,
        separated=True,
        tip="To the view before this one",
    ),
    ActionSpec(
        "view.forward",
        "Forwar&d",
        ("Alt+Right",),
        ("&View",),
        argument=1,
        tip="To the view that Back led away from",
    ),
    ActionSpec(
        "view.full_screen",
        "Full &Screen",
        ("F11",),
        ("&View",),
        checkable=True,
        separated=True,
    ),
    ActionSpec(
        "view.tool_bar", "Tool &Bar", ("T",), ("&View",), checkable=True, tip="Show the tool bar"
    ),
    ActionSpec(
        "view.minimap",
        "O&verview",
        ("N",),
        ("&View",),
        checkable=True,
        tip="Show the whole picture in a corner, with what is in view marked; drag there to go elsewhere",
    ),
    ActionSpec(
        "view.pixel_grid",
        "Pixel &Grid",
        ("G",),
        ("&View",),
        checkable=True,
        tip="Draw the edges of the picture's pixels from 800 % up",
    ),
    ActionSpec(
        "view.pixel_values",
        "Pixel Val&ues",
        ("V",),
        ("&View",),
        checkable=True,
        tip="Write the values that the picture's pixels have in its file into them, from near",
    ),
    ActionSpec(
        "view.preview",
        "P&review While Moving",
        (),
        ("&View",),
        checkable=True,
        separated=True,
        tip="Show a coarser frame first where a full one takes too long",
    ),
    ActionSpec(
        "view.animate", "&Animate Zoom", (), ("&View",), checkable=True, tip="Glide between zooms"
    ),
    ActionSpec(
        "touchpad.pan",
        f"&Pans ({on_key('Ctrl')} Zooms)",
        (),
        ("&View", "T&wo-Finger Scroll"),
        checkable=True,
        radio="touchpad",
        argument="pan",
    ),
    ActionSpec(
        "touchpad.zoom",
        f"&Zooms ({on_key('Ctrl')} Pans)",
        (),
        ("&View", "T&wo-Finger Scroll"),
        checkable=True,
        radio="touchpad",
        argument="zoom",
    ),
    *(
        ActionSpec(
            f"theme.{name}",
            title,
            (),
            ("&View", "T&heme"),
            checkable=True,
            radio="theme",
            argument=name,
        )
        for name, title in (
            ("system", "&System"),
            ("dark", "&Dark"),
            ("light", "&Light"),
        )
    ),
)
