"""What there is to say about the field that is shown: its method, its weights, where they come from. No Qt."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gaussian_core.errors import WeightsError
from viewer.model.methods import FALLBACK, OFFERED, ORIGINAL, OTHERS, method_title

if TYPE_CHECKING:
    from gaussian_core.models.card import WeightsCard
    from viewer.model.documents.document import Document


@dataclass(frozen=True)
class Figures:
    """Peak signal-to-noise ratios, as a table. columns: the enlargements. rows: a name and a text for each column."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class FieldCard:
    """title: the method. summary: one or two sentences. rows: label and text. figures: None where there are none.
    warning: what went wrong, so that it is not the method that was asked for."""

    title: str
    summary: str
    rows: tuple[tuple[str, str], ...]
    figures: Figures | None = None
    warning: str = ""


LEARNED = (
    "A network sees the picture once and predicts, for every pixel, Gaussians of a sharper scene: their place, shape "
    "and colour. Seen at 100 % the field is the file."
)


PAPERS = {
    "continuoussr": "ContinuousSR (arXiv 2503.06617)",
    "liif": "LIIF (arXiv 2012.09161)",
    "gaussiansr": "GaussianSR (arXiv 2407.18046)",
}


def card_of(document: Document) -> FieldCard:
    """The card of what a document's field is, or will be, made of. Reads a file's header, no more."""
    tiles = document.scene.tiles.values()
    rows = [("Gaussians", _count_text(document))]
    if document.note:
        rows.append(("Reading", document.note))
    if not document.buildable:
        whole = next(iter(tiles), None)
        metadata = dict(whole.metadata) if whole is not None else {}
        method = method_title(metadata.pop("method", "unknown"))
        rows += [("Method", method), *(_of_entry(k, v) for k, v in sorted(metadata.items()))]
        return FieldCard(document.name, "A field that was read from a file.", tuple(rows))
    if document.weights is not None and not document.fallback:
        rows += [("Note", note) for note in document.notes]
        return _of_file(document.weights, rows)
    if document.method == ORIGINAL.name:
        return FieldCard(ORIGINAL.title, f"{ORIGINAL.tip}.", tuple(rows))
    other = next((m for m in OTHERS if m.name == document.method), None)
    if other is not None and other.makes == "interpolation":
        rows[:1] = [("Gaussians", "none: the stored pixels are interpolated")]
        return FieldCard(other.title, f"{other.tip}.", tuple(rows))
    if other is not None:
        from gaussian_core.methods import METHODS

        shipped = METHODS[other.name].shipped
        if shipped is None:
            rows[:1] = [("Weights", "none: Gaussians are fitted to this picture alone")]
            if (field := document.whole) is not None:
                rows.insert(0, ("Gaussians", f"{len(field):,}"))
            if state := document.scene.drawing.state:
                rows.append(("So far", state))
            return FieldCard(other.title, f"{other.tip}.", tuple(rows))
        made = _of_file(shipped, rows)
        return replace(made, title=other.title, summary=f"{other.tip}.")
    if document.method == FALLBACK or document.fallback:
        known = next(m for m in OFFERED if m.name == FALLBACK)
        rows.append(("Weights", "none: nothing is learned"))
        return FieldCard(known.title, f"{known.tip}.", tuple(rows), warning=document.fallback)
    return _of_shipped(document, rows)


def _of_shipped(document: Document, rows: list[tuple[str, str]]) -> FieldCard:
    from gaussian_core.models.card import read_card
    from gaussian_core.models.config import DEFAULT, weights_path

    title = method_title(document.method)
    if told := _of_picture(document):
        rows.append(("Picture", told))
    tile = next(iter(document.scene.tiles.values()), None)
    # Before the first tile nobody knows what the device will be.
    name = DEFAULT if tile is None else tile.metadata.get("weights", DEFAULT)
    try:
        card = read_card(document.choice.file or weights_path(name))
    except WeightsError as error:
        return FieldCard(title, LEARNED, tuple(rows), warning=str(error))
    return FieldCard(title, LEARNED, (*rows, *_weights_rows(card)), figures_of(card.config.figures))


def _of_picture(document: Document) -> str:
    """What of the picture decides the weights: what its file lost, and, once they are chosen, its noise."""
    from gaussian_core.models.config import SHOWS_FROM

    losses = None if document.picture is None else document.picture.losses
    noise = getattr(document.builder, "noise", 0.0)
    texts = [] if losses is None else [str(losses)]
    if noise >= SHOWS_FROM:
        texts.append(f"noise of about {noise:.0f} levels of 255 in brightness")
    return ", with ".join(texts)


def _of_file(path: Path, rows: list[tuple[str, str]]) -> FieldCard:
    """Of weights that the user opened."""
    from gaussian_core.models.card import read_card

    rows = [*rows, ("File", str(path))]
    try:
        card = read_card(path)
    except WeightsError:  # the authors' checkpoints: usable, but they carry no card
        return FieldCard(
            path.name, "Made by weights that were opened. They carry no card.", tuple(rows)
        )
    return FieldCard(
        path.name, LEARNED, (*rows, *_weights_rows(card)), figures_of(card.config.figures)
    )


def _weights_rows(card: WeightsCard) -> list[tuple[str, str]]:
    c = card.config
    rows = [
        ("Weights", f"{c.name}, {card.parameters:,} parameters, {card.size / 1e6:.1f} MB"),
        (
            "Architecture",
            f"{PAPERS.get(c.architecture, c.architecture)}: {c.blocks} {c.encoder} blocks of {c.channels} channels"
            + (f", {c.deep_blocks} of {c.deep_channels} at half the size" if c.deep_blocks else "")
            + (f", {c.cells**2} Gaussians a pixel" if c.architecture == "continuoussr" else ""),
        ),
        ("Scales", f"trained for ×{c.scales[0]:g} to ×{c.scales[1]:g}, {c.steps:,} steps"),
        ("Trained on", c.trained_on),
        ("Taught by", c.teacher),
        ("Licences", c.licences),
        ("Date", c.date),
    ]
    return [(label, text) for label, text in rows if text]


def figures_of(figures: dict[str, float]) -> Figures | None:
    """Of {"Set5 x2": 36.92, ...}: a row for every set of pictures, a column for every enlargement, dB."""
    found = {}
    for key, value in figures.items():
        match = re.fullmatch(r"(.+) x([\d.]+)", key)
        if match:
            found[match[1], float(match[2])] = value
    if not found:
        return None
    scales = sorted({scale for _, scale in found})
    names: Iterable[str] = dict.fromkeys(name for name, _ in found)
    return Figures(
        tuple(f"×{scale:g}" for scale in scales),
        tuple(
            (name, tuple(f"{found[name, s]:.2f}" if (name, s) in found else "" for s in scales))
            for name in sorted(names)
        ),
    )


def _count_text(document: Document) -> str:
    if document.scene.drawing is not None:
        return "no field of them: this network is asked for every pixel of every view"
    count = f"{sum(len(tile) for tile in document.scene.tiles.values()):,}"
    if not document.buildable or document.built == document.total:
        return count
    of = f"in {len(document.scene.tiles):,} of {document.total:,} tiles"
    if document.complete:
        return (
            f"{count}, {of}; the others are built where they are looked at from 100 % up, or marked, as far as the "
            "memory for tiles goes"
        )
    return f"{count} so far, {of}"


def _of_entry(key: str, value: str) -> tuple[str, str]:
    """A row for an entry of a field's metadata."""
    from gaussian_core import depth, footprint

    if key == depth.ENTRY:
        return "Picture", f"{value} bits a channel"
    if key == footprint.FINEST:
        return "Footprint from near", f"{value} source pixels (standard deviation)"
    if key == footprint.ENTRY:
        return "Footprint", f"{value} screen pixels (standard deviation)"
    return _label(key), value


def _label(key: str) -> str:
    return key.replace("_", " ").capitalize()
