"""Where the files that ship with the program are: the sample picture, icons and weights."""

from __future__ import annotations

from pathlib import Path

# `resources` lies beside this package in a checkout and, installed as a package of its own, in site-packages too.
RESOURCES = Path(__file__).resolve().parent.parent / "resources"


def resource_path(*parts: str) -> Path:
    """Path of a shipped file, such as resource_path("sample.png").

    Raises FileNotFoundError when it is not there, which means a broken installation, not a mistake of the user's.
    """
    path = RESOURCES.joinpath(*parts)
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: the installation is incomplete, install again")
    return path
