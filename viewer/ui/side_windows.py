"""The windows beside the main one, which stays usable: shortcuts, about the field, the Gaussians in view."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from viewer.model.documents.field_card import card_of
from viewer.ui.canvas.canvas import Canvas
from viewer.ui.dialogs.distribution_dialog import DistributionDialog
from viewer.ui.dialogs.field_card_dialog import FieldCardDialog
from viewer.ui.dialogs.shortcut_sheet import ShortcutSheet
from viewer.ui.files.session import Session
from viewer.ui.marks import Marks
from viewer.ui.menus import Menus
from viewer.ui.theme import Theme
from viewer.ui.window_keys import WindowKeys


class SideWindows(QObject):
    """Each is made when it is first asked for. They follow what a session shows on a canvas."""

    def __init__(
        self,
        window: QWidget,
        session: Session,
        canvas: Canvas,
        theme: Theme,
        marks: Marks,
        menus: Menus,
        keys: WindowKeys,
    ) -> None:
        super().__init__(window)
        self._window, self._session, self._canvas, self._theme = window, session, canvas, theme
        self._marks, self._menus, self._keys = marks, menus, keys
        self.sheet: ShortcutSheet | None = None
        self.card: FieldCardDialog | None = None
        self.distribution: DistributionDialog | None = None
        session.changed.connect(self._look)
        session.scene_shown.connect(self._look)
        canvas.frame_shown.connect(self._frame_shown)

    @property
    def busy(self) -> bool:
        return self.distribution is not None and self.distribution.busy

    def show_sheet(self) -> None:
        if self.sheet is None:
            self.sheet = ShortcutSheet(self._window)
        self.sheet.show_near()

    def show_card(self) -> None:
        """What makes the field that is open."""
        document = self._session.document
        if document is None:
            return
        if self.card is None:
            others = self._actions_but("field.card", "field.stop", "edit.copy")
            self.card = FieldCardDialog(self._window, others)
            self._keys.serve(self.card)
        self.card.show_card(card_of(document))
        self.card.show()
        self.card.raise_()
        self.card.activateWindow()

    def show_distribution(self) -> None:
        """How the Gaussians in view are distributed; shown already, no longer."""
        if self.distribution is None:
            others = self._actions_but("overlay.distribution", "field.stop")
            self.distribution = DistributionDialog(self._window, self._canvas, self._theme, others)
            self.distribution.chosen.connect(self._marks.choose)
            self._keys.serve(self.distribution)
        if self.distribution.isVisible():
            self.distribution.close()
        else:
            self.distribution.show_beside()

    def shutdown(self) -> None:
        if self.distribution is not None:
            self.distribution.shutdown()

    def _actions_but(self, *own: str) -> list[QAction]:
        """Those whose keys are to work in a dialog that has keys of its own for the others."""
        return [action for name, action in self._menus.actions.items() if name not in own]

    def _look(self) -> None:
        """Something else is open, or it is shown by something else."""
        self._look_at_card()
        if self.distribution is not None:
            self.distribution.look()

    def _frame_shown(self) -> None:
        scene = self._canvas.scene
        if scene is not None and getattr(scene.drawing, "state", False):
            self._look_at_card()

    def _look_at_card(self) -> None:
        """The card follows what is shown, as far as it is made."""
        if self.card is not None and self.card.isVisible():
            if self._session.document is None:
                self.card.close()
            else:
                self.card.show_card(card_of(self._session.document))
