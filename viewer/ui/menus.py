"""Menus and shortcuts, made from the table of actions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from PySide6.QtCore import QPoint
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from viewer.model.actions.spec import ActionSpec
from viewer.model.actions.table import ACTIONS, MENUS

Handler = Callable[..., Any]

ROLES = {"file.quit": QAction.MenuRole.QuitRole, "help.about": QAction.MenuRole.AboutRole}
"""What belongs to the application's own menu on macOS. Left to guess, Qt would also take "About This Field" there."""


class Menus:
    """The QAction of every entry of the table, in the window's menu bar.

    handlers: {action id: callable}; it gets the entry's argument where there is one, and after it whether the entry
    is ticked where it is checkable without being one of several.
    """

    def __init__(self, window: QMainWindow, handlers: Mapping[str, Handler]) -> None:
        self._window = window
        self._menus: dict[tuple[str, ...], QMenu] = {}
        self._groups: dict[str, QActionGroup] = {}
        self.actions: dict[str, QAction] = {}
        self._all = QMenu(window)
        for title in MENUS:
            self._all.addMenu(self._menu((title,)))
        for spec in ACTIONS:
            self._add(spec, handlers[spec.id])

    def menu(self, *path: str) -> QMenu:
        return self._menus[path]

    def show(self, at: QPoint) -> None:
        """Open the first menu of the bar; where there is no bar, all menus at a place of the screen."""
        bar = self._window.menuBar()
        if bar.isVisible():
            bar.setActiveAction(bar.actions()[0])
        else:
            self.pop_up(at)
            self._all.setActiveAction(self._all.actions()[0])

    def pop_up(self, at: QPoint) -> None:
        """All menus, at a place of the screen. Not on a Mac: what is in its bar cannot be elsewhere, too."""
        if not self._window.menuBar().isNativeMenuBar():
            self._all.popup(at)

    def tick(self, action_id: str, ticked: bool) -> None:
        """Show a state without asking the handler for it."""
        action = self.actions[action_id]
        if action.isChecked() != ticked:
            action.setChecked(ticked)

    def enable(self, enabled: bool, *action_ids: str) -> None:
        for action_id in action_ids:
            self.actions[action_id].setEnabled(enabled)

    def _menu(self, path: tuple[str, ...]) -> QMenu:
        if path not in self._menus:
            if len(path) == 1:
                menu = self._window.menuBar().addMenu(path[0])
            else:
                menu = self._menu(path[:-1]).addMenu(path[-1])
            menu.setToolTipsVisible(True)
            self._menus[path] = menu
        return self._menus[path]

    def _add(self, spec: ActionSpec, handler: Handler) -> None:
        action = QAction(spec.title, self._window)
        action.setObjectName(spec.id)
        keys = [QKeySequence(k) for k in spec.keys]
        if spec.id == "view.full_screen":  # each system has one of its own
            system = QKeySequence.keyBindings(QKeySequence.StandardKey.FullScreen)
            keys += [key for key in system if key not in keys]
        action.setShortcuts(keys)
        action.setAutoRepeat(spec.repeats)
        action.setMenuRole(ROLES.get(spec.id, QAction.MenuRole.NoRole))
        action.setStatusTip("")
        if spec.tip:
            action.setToolTip(spec.tip)
        arguments = () if spec.argument is None else (spec.argument,)
        if spec.checkable:
            action.setCheckable(True)
        if spec.radio:
            group = self._groups.get(spec.radio)
            if group is None:
                group = self._groups[spec.radio] = QActionGroup(self._window)
            group.addAction(action)
        if spec.checkable and not spec.radio:
            action.triggered.connect(partial(_call_ticked, handler, arguments, action))
        else:
            action.triggered.connect(partial(_call, handler, arguments))
        menu = self._menu(spec.menu)
        if spec.separated and not menu.isEmpty():
            menu.addSeparator()
        menu.addAction(action)
        # Also on the window: a shortcut works while the menu bar is hidden in full screen.
        self._window.addAction(action)
        self.actions[spec.id] = action


def _call(handler: Handler, arguments: tuple[Any, ...]) -> None:
    handler(*arguments)


def _call_ticked(handler: Handler, arguments: tuple[Any, ...], action: QAction) -> None:
    # Asked of the action: PySide does not hand the signal's argument on to a partial.
    handler(*arguments, action.isChecked())
