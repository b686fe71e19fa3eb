"""The methods as the viewer offers them: one row each. Those that make no field come from the table of all methods."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gaussian_core import methods
from gaussian_core.models.config import NAMES, weights_path


@dataclass(frozen=True)
class FieldMethod:
    """name: in gaussian_core.methods.METHODS. title: in the status bar. menu: in the menu, "&" marks the mnemonic. tip:
    one sentence without its full stop. tile: side of the tiles in source pixels; smaller ones where building is slow,
    so that those in view are there sooner. block: how many of them by how many are built at once, at most.
    needs_torch: its builder may import torch, see imports_torch. weights: the user's file that it stands for, None as a
    rule. key: its shortcut, empty for none. makes: "field", "pixels" (a network is asked for every pixel of every
    view), "interpolation" of the stored pixels, or "original" (see ORIGINAL)."""

    name: str
    title: str
    menu: str
    tip: str
    tile: int
    block: int = 1
    needs_torch: bool = False
    weights: Path | None = None
    key: str = ""
    makes: str = "field"


def _in_menus(title: str) -> str:
    """Capitals as in the other entries."""
    return " ".join(w if w == "to" else w[:1].upper() + w[1:] for w in title.split())


def _other(method: methods.Method) -> FieldMethod:
    makes = "interpolation" if method.interpolates else "pixels"
    tile = 512  # of what is never built
    return FieldMethod(
        method.name,
        method.title,
        _in_menus(method.title),
        method.tip,
        tile,
        needs_torch=method.needs_torch,
        makes=makes,
    )


FIELDS = (
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
OTHERS = tuple(
    _other(method)
    for method in sorted(methods.METHODS.values(), key=lambda m: (m.interpolates, m.rank))
    if not method.makes_field and method.available
)
OFFERED = FIELDS + OTHERS
"""In the menus. ORIGINAL is not: it comes with a reduced copy, or with a file."""
ORIGINAL = FieldMethod(
    "original",
    "Original",
    "",
    "What the open picture is a reduced copy of",
    tile=512,
    makes="original",
)
"""No method: with a reduced copy it is there to hold the methods against."""
KNOWN = (*OFFERED, ORIGINAL)
"""Whatever a picture can be shown by."""
DEFAULT = FIELDS[0].name
FALLBACK = "kernel"
"""What is shown where another method cannot work: it needs no weights and no torch."""


def imports_torch(method: FieldMethod) -> bool:
    """Whether it will here: on the processor our own networks run without."""
    from gaussian_core.models.devices import is_cpu

    return method.needs_torch and not (method.name == DEFAULT and is_cpu("auto"))


def method_named(name: str) -> FieldMethod:
    """Raises KeyError."""
    return {m.name: m for m in KNOWN}[name]


AUTOMATIC = "auto"
SHIPPED = (AUTOMATIC, *NAMES)
"""What the learned field can be made by: the weights for the picture and the device, or those of a name."""


def method_of_weights(path: Path) -> FieldMethod:
    """What a file of weights makes. It is known by the file's name: that is what the user chose."""
    return FieldMethod(path.name, path.name, "", f"The field of {path}", 128, 1, True, path)


@dataclass(frozen=True)
class Choice:
    """How a picture is to be shown: by a method; the learned field by shipped weights of a name (one of SHIPPED); or by
    a file of weights, which decides the method."""

    method: str = DEFAULT
    shipped: str = AUTOMATIC
    weights: Path | None = None

    @property
    def file(self) -> Path | None:
        """The file of weights that was asked for, by its path or by a name; None: the method has what it needs."""
        if self.weights is not None or self.shipped == AUTOMATIC or self.method != DEFAULT:
            return self.weights
        return weights_path(self.shipped)

    @property
    def title(self) -> str:
        if self.weights is not None:
            return self.weights.name
        named = self.method == DEFAULT and self.shipped != AUTOMATIC
        return method_title(self.method) + (f" {self.shipped}" if named else "")

    def shows_as(self, other: Choice) -> bool:
        """Whether both come to the same picture on screen."""
        same = (self.method, self.file) == (other.method, other.file)
        return same or (self.weights is not None and self.weights == other.weights)


def method_title(name: str) -> str:
    """For a field file the name that it carries."""
    return next((m.title for m in KNOWN if m.name == name), name)
