"""The Field menu: by which method the picture is shown, what it is compared with, and the building of fields."""

from __future__ import annotations

from viewer.model.actions.spec import ActionSpec
from viewer.model.difference import GAINS
from viewer.model.methods import AUTOMATIC, FIELDS, OTHERS
from viewer.model.settings import TILE_MEMORY

_LINE = 0.02  # of the canvas's width


def _memory_title(megabytes: int) -> str:
    if not megabytes:
        return "A &Quarter of This Machine's"
    return f"{megabytes} MB" if megabytes < 1024 else f"{megabytes // 1024} GB"


FIELD: tuple[ActionSpec, ...] = (
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
                "Photo where noise is plain, JPEG for lossy files that it shows in; else Base on a GPU, or Light",
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
)
