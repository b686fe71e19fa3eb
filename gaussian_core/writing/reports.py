"""Files of figures that commands write beside what they print."""

from __future__ import annotations

import os
from pathlib import Path

from gaussian_core.errors import OutputError
from gaussian_core.picture_folders import SUFFIXES
from gaussian_core.writing.atomic import check_target

WEIGHTS = (".safetensors", ".pth", ".pt")


def check_report(path: str | os.PathLike[str]) -> None:
    """Raise OutputError now if no JSON can be written there later, or would be in the place of a picture or of weights,
    as where an option has lost its value."""
    name = Path(path)
    if name.suffix.lower() in (*SUFFIXES, *WEIGHTS):
        raise OutputError(
            f"Figures are written as JSON: {name.name} would be taken for something else. Name it .json."
        )
    check_target(name)
