"""The files opened lately, newest first."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

LIMIT = 10
LONGEST, LONGEST_FOLDER = 60, 100
"""Characters of a name that the menu shows, and of a folder's."""


class Recents:
    """At most `limit` absolute paths, newest first, each once."""

    def __init__(self, paths: Iterable[str] = (), limit: int = LIMIT) -> None:
        self._limit = limit
        self._paths: list[str] = []
        for path in paths:
            if path not in self._paths and len(self._paths) < limit:
                self._paths.append(path)

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(self._paths)

    def add(self, path: str | os.PathLike[str]) -> None:
        entry = os.path.abspath(path)
        self.remove(entry)
        self._paths.insert(0, entry)
        del self._paths[self._limit :]

    def remove(self, path: str | os.PathLike[str]) -> None:
        entry = os.path.abspath(path)
        self._paths = [p for p in self._paths if os.path.normcase(p) != os.path.normcase(entry)]

    def clear(self) -> None:
        self._paths.clear()

    def labels(self) -> list[str]:
        """What the menu shows: the file's name, with its folder where two have the same name."""
        names = [Path(p).name for p in self._paths]
        return [
            _short(name)
            if names.count(name) == 1
            else f"{_short(name)}  ({_short(Path(path).parent, LONGEST_FOLDER)})"
            for name, path in zip(names, self._paths, strict=True)
        ]


def _short(name: object, longest: int = LONGEST) -> str:
    """With the middle left out where it would make the menu wider than a screen, and on one line: a tab is the menus'
    sign for a shortcut."""
    text = str(name).translate({ord(sign): " " for sign in "\t\n\r"})
    if len(text) <= longest:
        return text
    end = longest // 3
    return f"{text[: longest - end - 1]}…{text[-end:]}"
