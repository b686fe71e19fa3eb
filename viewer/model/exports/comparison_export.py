"""What an export of a comparison figure would write, and the job that writes it. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gaussian_core import methods
from gaussian_core.errors import UserError
from gaussian_core.parallel import Stop
from gaussian_core.viewport import Region
from viewer.model.documents.document import Document
from viewer.model.methods import (
    DEFAULT,
    OFFERED,
    ORIGINAL,
    Choice,
    imports_torch,
    method_named,
)
from viewer.model.torch_import import load_torch

if TYPE_CHECKING:
    from gaussian_core.comparison.figure import ComparisonFigure, Entry

ALWAYS = Choice("bicubic")
"""What the other methods are held against, unless the user leaves it out."""
FIT = "fit"
TOO_LATE = (
    "Some of these methods need torch, which on Windows only loads before a window: choose LIIF in the menu and start the "
    "viewer again, or leave them out."
)


@dataclass(frozen=True)
class ComparisonPlan:
    """choices: what the crops are drawn by, in this order. scale: output pixels per source pixel. region: (x, y, width,
    height), source pixels."""

    choices: tuple[Choice, ...]
    scale: float
    region: Region


def candidates(shown: Sequence[Choice], shipped: str) -> tuple[Choice, ...]:
    """All methods in the order of lists, from interpolations to networks, the learned field by its shipped weights of
    that name; and what is shown now, where it is none of them."""
    rank = {name: method.rank for name, method in methods.METHODS.items()}
    found = [Choice(m.name, shipped if m.name == DEFAULT else Choice().shipped) for m in OFFERED]
    for choice in shown:
        if choice.method != ORIGINAL.name and not any(choice.shows_as(c) for c in found):
            found.append(choice)
    # What a file of weights makes is known by its name alone: it comes last.
    return tuple(sorted(found, key=lambda c: (c.weights is not None, rank[c.method])))


def is_slow(choice: Choice) -> bool:
    """Whether each crop takes it seconds or more, as far as is known."""
    return choice.weights is None and method_named(choice.method).makes == "pixels"


def figure_of(document: Document, plan: ComparisonPlan) -> ComparisonFigure:
    """Of the picture that is open, with its original where there is one. Raises UserError for what makes no figure."""
    from gaussian_core.comparison.figure import ORIGINAL as TITLE
    from gaussian_core.comparison.figure import ComparisonFigure

    assert document.picture is not None
    reference = document.reference
    return ComparisonFigure(
        document.picture,
        [_entry(document, choice) for choice in plan.choices],
        plan.scale,
        region=plan.region,
        original=None if reference is None else reference.picture,
        original_title=(reference.title if reference is not None else "") or TITLE,
    )


def _entry(document: Document, choice: Choice) -> Entry:
    from gaussian_core.comparison.figure import Entry
    from gaussian_core.methods import Options

    options = Options(weights=choice.file, pixel_sigma=document.scene.pixel_sigma)
    title, made = choice.title, None
    fit = document.fits.get(FIT) if choice == Choice(FIT) else None
    if fit is not None and fit.field is not None:  # minutes of work are not done again
        made = fit.field
        title = f"{title}, {fit.state}" if fit.unfinished else title
    method = None if choice.weights is not None else choice.method
    return Entry(title, method, options, made)


def suggested_name(stem: str, scale: float) -> str:
    """stem: of what is open."""
    return f"{stem} x{scale:g} comparison.png"


@dataclass(frozen=True)
class ComparisonExport:
    """A job for ExportWorker. needs_torch: whether drawing imports it."""

    figure: ComparisonFigure
    out: str
    needs_torch: bool = False
    doing: str = "Exporting the comparison"
    too_large: str = "There is not enough memory for this figure: choose a smaller scale."

    def run(self, progress: Callable[[int, int], object], stop: Stop) -> str:
        if self.needs_torch:
            try:
                load_torch(TOO_LATE)
            except ImportError as error:
                raise UserError(str(error)) from error
        done = self.figure.write(self.out, progress=progress, stop=stop)
        width, height = done.size
        notes = "".join(f"; {note}" for note in (*done.notes, done.damage) if note)
        return f"Saved {Path(done.path).name}, {width:,} × {height:,}{notes}"


def exporting(document: Document, plan: ComparisonPlan, out: str) -> ComparisonExport:
    """The job that writes a figure. Raises UserError as `figure_of`."""
    needs_torch = any(
        choice.weights is not None or imports_torch(method_named(choice.method))
        for choice in plan.choices
    )
    return ComparisonExport(figure_of(document, plan), out, needs_torch)
