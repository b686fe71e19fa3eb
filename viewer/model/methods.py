"""The methods that make a field, as the viewer offers them: one row each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class FieldMethod:
    """name: in gaussian_core.builder.METHODS. title: in the status bar. menu: in the menu, "&" marks the mnemonic.
    tile: side of the tiles in source pixels; smaller ones where building is slow, so that those in view are there
    sooner. block: how many of them by how many are built at once, at most. needs_torch: its builder imports torch.
    key: its shortcut, empty for none."""

    name: str
    title: str
    menu: str
    tip: str
    tile: int
    block: int = 1
    needs_torch: bool = False
    weights: Path | None = None
    key: str = ""


METHODS = (
    FieldMethod(
        "continuoussr",
        "ContinuousSR",
        "&ContinuousSR (Learned)",
        "A network predicts the Gaussians of a sharper scene",
        tile=128,
        block=3,
        needs_torch=True,
        key="M",
    ),
    FieldMethod(
        "kernel",
        "Kernel interpolation",
        "&Kernel Interpolation",
        "One Gaussian a pixel, through the pixels' values: nothing is learned",
        tile=512,
        key="Shift+M",
    ),
)
DEFAULT = METHODS[0].name
FALLBACK = "kernel"
"""What is shown where another method cannot work: it needs no weights and no torch."""


def method_named(name: str) -> FieldMethod:
    """Raises KeyError."""
    return {m.name: m for m in METHODS}[name]


def method_of_weights(path: Path) -> FieldMethod:
    """What a file of weights makes. It is known by the file's name: that is what the user chose."""
    return FieldMethod(path.name, path.name, "", f"The field of {path}", 128, 1, True, path)


def method_title(name: str) -> str:
    """For a field file the name that it carries."""
    return next((m.title for m in METHODS if m.name == name), name)
