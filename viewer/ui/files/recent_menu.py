"""Open Recent: the files opened lately, as entries of a menu and in the settings."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from gaussian_core.presence import unreachable
from viewer.model.recents import Recents
from viewer.ui.current_settings import CurrentSettings


class RecentMenu(QObject):
    """Fills a menu, above what is in it already. clear: the entry there that empties it."""

    chosen = Signal(str)
    """The path of a file that is to be opened."""

    def __init__(
        self,
        menu: QMenu,
        clear: QAction,
        settings: CurrentSettings,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._menu, self._clear, self._settings = menu, clear, settings
        self._recents = Recents(settings.now.recents)
        self._entries: list[QAction] = []
        self._fill()

    @property
    def paths(self) -> tuple[str, ...]:
        """Newest first."""
        return self._recents.paths

    def add(self, path: Path) -> None:
        """A file was opened. Who opens another begins in its folder."""
        self._recents.add(path)
        self._settings.change(last_folder=str(path.parent), recents=self.paths)
        self._fill()

    def drop_if_gone(self, path: Path) -> None:
        """A file could not be opened: it is offered no longer where there is none any more."""
        if str(path) in self.paths and not os.path.exists(path) and not unreachable(path):
            self._recents.remove(path)
            self._settings.change(recents=self.paths)
            self._fill()

    def clear(self) -> None:
        self._recents.clear()
        self._settings.change(recents=())
        self._fill()

    def _fill(self) -> None:
        menu = self._menu
        for entry in self._entries:
            menu.removeAction(entry)
            entry.deleteLater()
        self._entries = []
        first = menu.actions()[0]
        for label, path in zip(self._recents.labels(), self.paths, strict=True):
            entry = QAction(label.replace("&", "&&"), menu)
            entry.setToolTip(path)
            entry.triggered.connect(lambda _=False, p=path: self.chosen.emit(p))
            menu.insertAction(first, entry)
            self._entries.append(entry)
        if self._entries:
            self._entries.append(menu.insertSeparator(first))
        self._clear.setEnabled(bool(self.paths))
