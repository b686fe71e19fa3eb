"""Reads the picture that the open one is to be held against on a thread."""

from __future__ import annotations

import logging
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from gaussian_core.errors import ImageError, UserError
from gaussian_core.imaging.picture import PictureSource
from viewer.ui.background import Worker

log = logging.getLogger(__name__)


class ReferenceWorker(Worker):
    """What was asked for last counts."""

    opened = Signal(object, object)
    """The Path and the PictureSource."""
    failed = Signal(object, str)
    """The Path and what is wrong with it."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__("reference", parent)
        self._wanted: Path | None = None

    @property
    def running(self) -> bool:
        return self._wanted is not None

    def open(self, path: Path) -> None:
        self._wanted = path
        self._run(self._read, path)

    def done(self) -> None:
        """To be called when one of the signals has arrived, or when nothing is wanted any more."""
        self._wanted = None

    def _read(self, path: Path) -> None:
        try:
            picture = _picture(path)
        except UserError as error:
            self._answer(path, self.failed, str(error))
        except MemoryError:
            self._answer(path, self.failed, f"There is not enough memory to open {path.name}.")
        except Exception as error:  # a decoder's own fault must not leave the window waiting
            log.exception("opening %s failed", path)
            self._answer(path, self.failed, f"{path.name} cannot be opened: {error}")
        else:
            self._answer(path, self.opened, picture)

    def _answer(self, path: Path, signal: object, answer: object) -> None:
        if path == self._wanted:
            self._emit(signal, path, answer)  # type: ignore[arg-type]


def _picture(path: Path) -> PictureSource:
    from gaussian_core.images import open_picture
    from gaussian_core.lazy_levels import LazyLevels
    from gaussian_core.pyramid import levels_of

    picture = open_picture(path, forgiving=True)
    picture.show_damage()
    levels = levels_of(picture)
    if isinstance(levels, LazyLevels) and levels.slow:
        raise ImageError(
            f"{path.name} is too large to be compared with: cut out the part that the open picture shows."
        )
    return picture
