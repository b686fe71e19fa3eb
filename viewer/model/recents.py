"""The files opened lately, newest first."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

LIMIT = 10


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
            name if names.count(name) == 1 else f"{name}  ({Path(path).parent})"
            for name, path in zip(names, self._paths, strict=True)
        ]
