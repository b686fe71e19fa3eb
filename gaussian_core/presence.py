"""What is at a path, where that cannot be told.

`Path.is_dir`, `is_file` and `exists` raise OSError where a folder on the way may not be entered or a name is too long;
`os.path.isdir` and its like take that for "no". Here it has its own name.
"""

from __future__ import annotations

import os


def unreachable(path: str | os.PathLike[str]) -> str:
    """The system's reason why nobody can tell what is at a path ("Permission denied", "File name too long"); empty
    where something is, and where nothing is."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or str(error)
    return ""
