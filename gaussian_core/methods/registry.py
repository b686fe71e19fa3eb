"""The table of methods, from the files of this folder, and how one is opened."""

from __future__ import annotations

import importlib
import os
import pkgutil
from dataclasses import replace
from typing import TYPE_CHECKING

from gaussian_core.errors import UserError, WeightsError
from gaussian_core.methods.interface import Drawing, Method, Options
from gaussian_core.methods.weights import method_of_weights

if TYPE_CHECKING:
    from gaussian_core.images import PictureSource


def _found() -> dict[str, Method]:
    package = importlib.import_module(__package__)
    methods: list[Method] = []
    for module in pkgutil.iter_modules(package.__path__):
        if module.name not in ("interface", "registry"):
            file = importlib.import_module(f"{__package__}.{module.name}")
            methods.extend(getattr(file, "METHODS", ()))
    return {m.name: m for m in sorted(methods, key=lambda m: m.rank)}


METHODS: dict[str, Method] = _found()
"""By name, in the order of lists: interpolations first, then fields, then networks that are asked for every pixel."""

DEFAULT = "continuoussr"


def check_name(name: str) -> Method:
    """The method of that name. Raises UserError."""
    if name not in METHODS:
        raise UserError(f"There is no method {name!r}. Methods: {', '.join(METHODS)}.")
    return METHODS[name]


def open_drawing(
    picture: PictureSource, method: str | None = None, options: Options | None = None
) -> Drawing:
    """What draws the picture by a method; None: by the one that the weights are for, or the default.

    Raises ValueError for what is no picture, UserError for an unknown method and for weights of another one,
    WeightsError, DeviceError.
    """
    from gaussian_core.imaging.picture import PictureSource

    if not isinstance(picture, PictureSource):
        raise ValueError(
            f"a drawing is made of a picture (open_picture, or Picture.from_array), not of {type(picture).__name__}"
        )
    options = options or Options()
    weights = options.weights
    if weights is None:
        return check_name(method or DEFAULT).open(picture, options)
    if method is not None and not check_name(method).takes_weights:
        return METHODS[method].open(picture, replace(options, weights=None))
    kind = method_of_weights(weights)
    if method is not None and method != kind:
        name = os.path.basename(weights)
        raise WeightsError(f"{name} holds weights of {kind}, not of {method}: use others.")
    return METHODS[kind].open(picture, options)
