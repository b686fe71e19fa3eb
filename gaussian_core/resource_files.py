"""Where the program is, and the files that ship with it: the sample picture, icons and weights."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""Where the program's packages lie side by side: a checkout, or site-packages where they are installed."""
RESOURCES = ROOT / "resources"


def resource_path(*parts: str) -> Path:
    """Path of a shipped file, such as resource_path("sample.png").

    Raises FileNotFoundError when it is not there, which means a broken installation, not a mistake of the user's.
    """
    path = RESOURCES.joinpath(*parts)
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: the installation is incomplete, install again")
    return path
