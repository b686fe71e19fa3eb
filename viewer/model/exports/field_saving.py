"""Writes the whole field of what is open into a field file, as the command `build` does. No Qt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gaussian_core.field import FIELD_SUFFIX, check_field_name
from gaussian_core.machine.memory import physical_memory
from gaussian_core.parallel import Stop
from gaussian_core.writing.atomic import check_target
from viewer.model.documents.document import Document
from viewer.model.methods import method_title

if TYPE_CHECKING:
    from gaussian_core.field import GaussianField
    from gaussian_core.images import PictureSource

PIXEL_BYTES = {"kernel": 36}
"""Of a field, per source pixel, by the method."""
MOST_PIXEL_BYTES = 160
"""The same of the others: four Gaussians of eight floats, and one more that makes it the file at 100 %."""
COPIES = 2
"""The field itself, and the tables that are written."""


@dataclass(frozen=True)
class FieldSaving:
    """A job for ExportWorker. source: a picture, whose field is built, or a field, which is written as it is. method:
    of the picture's field. weights: a file that it is built by. note: what is to be said when it is written."""

    source: PictureSource | GaussianField
    out: str
    note: str = ""
    method: str | None = None
    weights: Path | None = None
    doing: str = "Saving the field"
    too_large: str = "There is not enough memory for the whole field of this picture."

    def run(self, progress: Callable[[int, int], object], stop: Stop) -> str:
        from gaussian_core.builder import DEFAULT_METHOD, build_field
        from gaussian_core.field import GaussianField

        out = Path(self.out)
        check_field_name(out)
        check_target(out)
        notes: list[str] = []
        if isinstance(self.source, GaussianField):
            field = self.source
        else:
            field = build_field(
                self.source,
                method=self.method or DEFAULT_METHOD,
                progress=progress,
                stop=stop,
                weights=self.weights,
                say=notes.append,
            )
        field.save(out)
        return "; ".join(
            [f"Saved {out.name}, {len(field):,} Gaussians", *notes, *filter(None, [self.note])]
        )


def why_not(document: Document) -> str:
    """Why the field of what is open cannot be saved, known before a file is asked for; empty where it can."""
    picture = document.picture
    if picture is None:
        return ""
    scene = document.scene
    if document.whole is not None:
        return ""
    if document.method == "fit":
        return "Nothing is fitted yet: it begins when the picture is seen at 100 % or closer."
    if scene.interpolated or scene.drawing is not None:
        return (
            f"{scene.title} shows the picture without a field of Gaussians: choose ContinuousSR or Kernel"
            " interpolation in the Field menu, whose fields can be saved."
        )
    height, width = document.extent
    needed = COPIES * height * width * PIXEL_BYTES.get(document.method, MOST_PIXEL_BYTES)
    memory = physical_memory()
    if needed > memory:
        return (
            f"The whole field of this picture, {width:,} × {height:,} pixels by {method_title(document.method)}, needs"
            f" about {needed / 1e9:.1f} GB of memory, but this machine has {memory / 1e9:.1f} GB."
        )
    return ""


def saving(document: Document, out: str) -> FieldSaving:
    """The job that writes the field of what is open into a file."""
    if document.whole is not None:
        return FieldSaving(document.whole, out, fitted(document))
    assert document.picture is not None
    weights = document.choice.file
    return FieldSaving(
        document.picture, out, method=None if weights else document.method, weights=weights
    )


def fitted(document: Document) -> str:
    """How good a field is that is fitted to the picture, in words; empty for others."""
    drawing = document.scene.drawing
    if document.whole is None or drawing is None:
        return ""
    said = [f"{'fitted so far' if drawing.unfinished else 'fitted'}: {drawing.state}"]
    return "; ".join([*said, *drawing.notes])


def suggested_name(document: Document) -> str:
    """A name for the file; of a field file, one that is not its own."""
    return f"{document.stem}{' copy' if document.picture is None else ''}{FIELD_SUFFIX}"
