"""The one table of actions: menus, shortcuts, the sheet of shortcuts and the tests all come from it."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from viewer.model.difference import GAINS
from viewer.model.methods import AUTOMATIC, FIELDS, OTHERS
from viewer.model.settings import TILE_MEMORY

PRESETS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0)
"""Zooms of the menu and of the zoom field: powers of two, device pixels per source pixel."""

_ON_A_MAC = {"Ctrl": "⌘", "Shift": "⇧", "Alt": "⌥"}


def on_key(name: str) -> str:
    """What stands on a key that Qt calls so: its Ctrl is a Mac's command key."""
    return _ON_A_MAC.get(name, name) if sys.platform == "darwin" else name


_REPEATED = (
    "zoom.in",
    "zoom.out",
    "pan.",
    "file.next",
    "file.previous",
    "overlay.larger",
    "overlay.smaller",
    "line.left",
    "line.right",
)


@dataclass(frozen=True)
class ActionSpec:
    """One thing the user can ask for.

    id: names the window's handler. title: menu text ("&" marks the mnemonic). keys: shortcuts in Qt's portable
    spelling, the first is shown in the menu. menu: path of titles, ("View", "Theme"); below the top level a submenu.
    checkable: carries a tick; radio: the name of a group of which exactly one is ticked. tip: one sentence for the
    tool bar and the menu. argument: given to the handler. separated: a line goes above it in its menu.
    """

    id: str
    title: str
    keys: tuple[str, ...] = ()
    menu: tuple[str, ...] = ()
    checkable: bool = False
    radio: str = ""
    tip: str = ""
    argument: float | str | tuple[float, float] | None = None
    separated: bool = False

    @property
    def repeats(self) -> bool:
        """Whether it happens again and again while its key is held: moving does, what switches or opens does not."""
        return self.id.startswith(_REPEATED)

    @property
    def plain_title(self) -> str:
        """The title without mnemonics and dots, as the sheet of shortcuts shows it."""
        return self.title.replace("&", "").removesuffix("...")


COMPARE_KEY = "X"
"""Held, it shows the view by the method that was chosen before."""

MENU_KEY = "F10"
"""Shows the menus, also in full screen, where there is no bar of them. On a Mac the system has a key for its own."""

MENUS = ("&File", "&Edit", "&View", "&Overlays", "Fiel&d", "&Help")

_PAN = 0.1  # of the canvas
_LINE = 0.02  # of its width
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


def _memory_title(megabytes: int) -> str:
    if not megabytes:
        return "A &Quarter of This Machine's"
    return f"{megabytes} MB" if megabytes < 1024 else f"{megabytes // 1024} GB"


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


ACTIONS: tuple[ActionSpec, ...] = (
    ActionSpec(
        "file.open", "&Open...", ("Ctrl+O", "O"), ("&File",), tip="Open a picture or a field file"
    ),
    ActionSpec(
        "file.weights",
        "Open &Weights...",
        ("Ctrl+Shift+O",),
        ("&File",),
        tip="Make fields by a network of your own or a published one",
    ),
    ActionSpec("file.sample", "Open &Sample", (), ("&File",), tip="Open the test chart"),
    ActionSpec(
        "file.clear_recent",
        "&Clear List",
        (),
        ("&File", "Open &Recent"),
        tip="Forget the recent files",
        separated=True,
    ),
    *(
        ActionSpec(
            f"reduced.{factor}",
            title,
            (),
            ("&File", "Open Re&duced Copy"),
            argument=factor,
            separated=factor == 1,
            tip="A test of the methods on this picture: what they make of a smaller copy, beside the original"
            if factor > 1
            else "Back to the picture itself",
        )
        for factor, title in (
            (2, "1/&2 of This Picture"),
            (3, "1/&3 of This Picture"),
            (4, "1/&4 of This Picture"),
            (8, "1/&8 of This Picture"),
            (1, "The &Picture Itself"),
        )
    ),
    ActionSpec(
        "file.reload",
        "Re&load",
        ("F5",),
        ("&File",),
        separated=True,
        tip="Read the open file again, in the same view where it is of the same size",
    ),
    ActionSpec(
        "file.next",
        "&Next Picture",
        ("PgDown",),
        ("&File",),
        argument=1,
        tip="Open the next picture of the folder, or of the files that were dropped together",
    ),
    ActionSpec(
        "file.previous",
        "&Previous Picture",
        ("PgUp",),
        ("&File",),
        argument=-1,
        tip="Open the previous picture of the folder, or of the files that were dropped together",
    ),
    ActionSpec(
        "file.export",
        "&Export...",
        ("Ctrl+E", "Ctrl+Shift+S"),
        ("&File",),
        separated=True,
        tip="Render the picture, or what is in view, at any scale into a file",
    ),
    ActionSpec(
        "file.export_comparison",
        "Export Co&mparison...",
        ("Ctrl+Shift+E",),
        ("&File",),
        tip="Draw what is in view by several methods side by side into a file, with PSNR and SSIM where there is an original",
    ),
    ActionSpec(
        "file.save_field",
        "Save &Field...",
        ("Ctrl+S",),
        ("&File",),
        tip="Write all Gaussians of the picture into a field file, which opens without the picture",
    ),
    ActionSpec("file.close", "&Close Picture", ("Ctrl+W",), ("&File",), separated=True),
    ActionSpec("file.quit", "&Quit", ("Ctrl+Q",), ("&File",)),
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
    ActionSpec(
        "overlay.centres",
        "&Centres",
        ("C",),
        ("&Overlays",),
        checkable=True,
        tip="Mark the centre of every Gaussian (C)",
    ),
    ActionSpec(
        "overlay.ellipses",
        "&Ellipses",
        ("E",),
        ("&Overlays",),
        checkable=True,
        tip="Draw the covariance ellipse of every Gaussian (E)",
    ),
    ActionSpec(
        "overlay.drifts",
        "&Drifts",
        ("D",),
        ("&Overlays",),
        checkable=True,
        tip="Draw a line from where every Gaussian began, the place of its cell, to its centre (D)",
    ),
    ActionSpec(
        "overlay.larger",
        "&Larger Ellipses",
        ("]",),
        ("&Overlays",),
        argument=0.25,
        separated=True,
        tip="Draw the ellipses a quarter of a standard deviation larger",
    ),
    ActionSpec(
        "overlay.smaller",
        "&Smaller Ellipses",
        ("[",),
        ("&Overlays",),
        argument=-0.25,
        tip="Draw the ellipses a quarter of a standard deviation smaller",
    ),
    ActionSpec(
        "overlay.own_colours",
        "Gaussians' &Own Colours",
        (),
        ("&Overlays",),
        checkable=True,
        radio="overlay_colour",
        separated=True,
        tip="Draw every mark in the colour of its Gaussian",
    ),
    ActionSpec(
        "overlay.one_colour",
        "One Colo&ur",
        (),
        ("&Overlays",),
        checkable=True,
        radio="overlay_colour",
        tip="Draw all marks in one chosen colour",
    ),
    ActionSpec("overlay.choose_colour", "C&hoose Colour...", ("K",), ("&Overlays",)),
    ActionSpec(
        "overlay.distribution",
        "&Gaussians in View...",
        ("H",),
        ("&Overlays",),
        separated=True,
        tip="How large, how long, how far drifted they are: histograms that follow the view",
    ),
    ActionSpec(
        "overlay.reset",
        "&Reset Overlays",
        (),
        ("&Overlays",),
        separated=True,
        tip="Back to no overlays, one sigma, own colours",
    ),
    *(
        ActionSpec(
            f"method.{method.name}",
            method.menu,
            (method.key,) if method.key else (),
            ("Fiel&d",),
            checkable=True,
            radio="method",
            argument=method.name,
            tip=method.tip,
        )
        for method in FIELDS
    ),
    *(
        ActionSpec(
            f"method.{method.name}",
            method.menu,
            (),
            ("Fiel&d", "C&ompare With"),
            checkable=True,
            radio="method",
            argument=method.name,
            tip=method.tip,
            separated=before is None or before.makes != method.makes,
        )
        for before, method in zip((None, *OTHERS), OTHERS, strict=False)
    ),
    ActionSpec(
        "compare.file",
        "A &Picture File...",
        (),
        ("Fiel&d", "C&ompare With"),
        checkable=True,
        separated=True,
        tip="The original of this picture, or what another program made of it, in any size: shown in its place",
    ),
    ActionSpec(
        "weights.use",
        "Opened &Weights",
        (),
        ("Fiel&d",),
        checkable=True,
        radio="method",
        tip="What the weights that were opened make",
    ),
    *(
        ActionSpec(
            f"shipped.{name}",
            title,
            (),
            ("Fiel&d", "Wei&ghts"),
            checkable=True,
            radio="shipped",
            argument=name,
            tip=tip,
        )
        for name, title, tip in (
            (
                AUTOMATIC,
                "&Automatic",
                "JPEG for lossy files that it shows in; else Base where there is a GPU that can be used, or Light",
            ),
            ("light", "&Light", "A small network: quick on every machine"),
            ("base", "&Base", "A larger network: sharper, and takes twice as long to build"),
            (
                "jpeg",
                "&JPEG",
                "As quick as Light: looks past the blocks and the ringing of a JPEG, WebP or AVIF file",
            ),
            (
                "photo",
                "&Photo",
                "As quick as Light: looks past what a camera adds, too, noise and sharpening",
            ),
        )
    ),
    ActionSpec(
        "field.split",
        "Spl&it View",
        ("S",),
        ("Fiel&d",),
        checkable=True,
        separated=True,
        tip="Left of a line the method before, right of it the present one (S); drag the line",
    ),
    ActionSpec(
        "line.left",
        "Line to the &Left",
        ("Ctrl+Left",),
        ("Fiel&d", "Split &Line"),
        argument=-_LINE,
        tip="Move the line that splits the view to the left",
    ),
    ActionSpec(
        "line.right",
        "Line to the &Right",
        ("Ctrl+Right",),
        ("Fiel&d", "Split &Line"),
        argument=_LINE,
        tip="Move the line that splits the view to the right",
    ),
    ActionSpec(
        "line.middle",
        "Line to the &Middle",
        ("Ctrl+Home",),
        ("Fiel&d", "Split &Line"),
        tip="Move the line that splits the view to the middle",
    ),
    ActionSpec(
        "field.panes",
        "Two &Panes",
        ("P",),
        ("Fiel&d",),
        checkable=True,
        tip="All of the view by each of the two methods, side by side, in the place of the line",
    ),
    ActionSpec(
        "field.difference",
        "Differe&nce",
        ("Shift+S",),
        ("Fiel&d",),
        checkable=True,
        tip="By how much the two methods of a split view differ, over all of the view: equal where it is black",
    ),
    *(
        ActionSpec(
            f"gain.{gain}",
            f"× {gain}",
            (),
            ("Fiel&d", "Amplify Diffe&rence"),
            checkable=True,
            radio="gain",
            argument=gain,
            tip="As it is: levels of 255" if gain == 1 else "",
        )
        for gain in GAINS
    ),
    ActionSpec(
        "field.footprint",
        "Pixel &Footprint on All Fields",
        (),
        ("Fiel&d",),
        checkable=True,
        tip="Fields of published weights are made for point samples; see them through the area of a pixel, too",
    ),
    *(
        ActionSpec(
            f"memory.{megabytes}",
            _memory_title(megabytes),
            (),
            ("Fiel&d", "&Memory for Tiles"),
            checkable=True,
            radio="memory",
            argument=megabytes,
            tip="Beyond it the tiles that were out of view the longest are dropped, and built again when they are needed",
        )
        for megabytes in TILE_MEMORY
    ),
    ActionSpec(
        "field.card",
        "&About This Field...",
        ("I",),
        ("Fiel&d",),
        tip="What makes the field: the method, its weights, what they were trained on",
    ),
    ActionSpec(
        "field.build",
        "&Build Field",
        ("B",),
        ("Fiel&d",),
        tip="Go on building after a stop",
        separated=True,
    ),
    ActionSpec(
        "field.stop",
        "&Stop",
        ("Esc",),
        ("Fiel&d",),
        tip="Leaves full screen, else takes a mark away, else stops building, exporting or opening",
    ),
    ActionSpec(
        "help.shortcuts",
        "&Keyboard and Mouse",
        ("?", "F1"),
        ("&Help",),
        tip="The sheet of shortcuts",
    ),
    ActionSpec("help.about", "&About", (), ("&Help",)),
)


def action(action_id: str) -> ActionSpec:
    """The action of that id. Raises KeyError."""
    for spec in ACTIONS:
        if spec.id == action_id:
            return spec
    raise KeyError(action_id)
