"""The File menu."""

from __future__ import annotations

from viewer.model.actions.spec import ActionSpec

FILE: tuple[ActionSpec, ...] = (
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
)
