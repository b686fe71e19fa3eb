"""The window: puts canvas, bars, menus and workers together and carries out the actions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QEvent, QPoint, Qt
from PySide6.QtGui import (
    QCloseEvent,
    QColor,
    QDragEnterEvent,
    QDropEvent,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QShortcut,
)
from PySide6.QtWidgets import QMainWindow

from gaussian_core.rasterizer import PIXEL_SIGMA
from viewer.model import status_text
from viewer.model.actions.keys import MENU_KEY
from viewer.model.actions.table import MENUS
from viewer.model.settings import Settings, SettingsFile
from viewer.model.view.motion import GLIDE_SECONDS
from viewer.ui.canvas.canvas import Canvas
from viewer.ui.canvas.hand import HOLDING
from viewer.ui.canvas.minimap import Minimap
from viewer.ui.choosing import Choosing
from viewer.ui.comparing import Comparing
from viewer.ui.current_settings import CurrentSettings
from viewer.ui.dialogs import dialogs
from viewer.ui.dialogs.dialogs import TITLE
from viewer.ui.files.comparison_writing import ComparisonWriting
from viewer.ui.files.file_writing import FileWriting
from viewer.ui.files.folder_steps import FolderSteps
from viewer.ui.files.incoming import is_welcome
from viewer.ui.files.intake import Intake
from viewer.ui.files.recent_menu import RecentMenu
from viewer.ui.files.reference_file import ReferenceFile
from viewer.ui.files.reloading import ABOUT, Reloading
from viewer.ui.files.session import Session
from viewer.ui.handlers import handlers
from viewer.ui.marks import Marks
from viewer.ui.menus import Menus
from viewer.ui.offers import Offers
from viewer.ui.side_windows import SideWindows
from viewer.ui.status.progress import Progress
from viewer.ui.status.readout import Readout
from viewer.ui.status.status_bar import StatusBar
from viewer.ui.status.waiting import Waiting
from viewer.ui.theme import Theme
from viewer.ui.tool_bar import ToolBar
from viewer.ui.two_methods import TwoMethods
from viewer.ui.view_aids import ViewAids
from viewer.ui.view_copy import ViewCopy
from viewer.ui.view_steps import ViewSteps
from viewer.ui.welcome import Welcome
from viewer.ui.window_keys import WindowKeys
from viewer.ui.workers.spare_memory import SpareMemory
from viewer.ui.workers.warm_up_worker import WarmUpWorker

DEFAULT_SIZE = (1280, 860)
UNTIL_THEN = 3600.0  # seconds


class MainWindow(QMainWindow):
    """theme: the application's. settings_file: where the settings are kept."""

    def __init__(self, theme: Theme, settings_file: SettingsFile) -> None:
        super().__init__()
        self.setWindowTitle(TITLE)
        self.setAcceptDrops(True)
        self.theme = theme
        self._settings = CurrentSettings(settings_file, self)

        self.canvas = Canvas(self)
        self.setCentralWidget(self.canvas)
        self.welcome = Welcome(self.canvas)
        self.minimap = Minimap(self.canvas)
        self.status = StatusBar(self)
        self.setStatusBar(self.status)
        self.session = Session(self.canvas, self)
        self.steps = FolderSteps(self.session, self)
        self.view_steps = ViewSteps(self.canvas, self.session, self)
        self.reloading = Reloading(self.session, self)
        self.readout = Readout(self.canvas, self.status, self)
        self.marks = Marks(self, self.canvas, self._settings)
        self.aids = ViewAids(self.canvas, self.minimap, self._settings, self)
        self.copier = ViewCopy(self.canvas, self.session, self)
        self.exporter = FileWriting(
            self, self.session, lambda: self.settings.last_folder, lambda: self.canvas.view
        )
        self.figures = ComparisonWriting(
            self, self.session, self.exporter, lambda: self.canvas.view
        )
        self.progress = Progress(self.session, self.exporter, self.status, self)
        self.warm_up = WarmUpWorker(self)
        self.waiting = Waiting(self.canvas, self.warm_up, self)
        self.spare_memory = SpareMemory(self.is_idle, self)
        self.choosing = Choosing(self.session, self._settings, self)
        self.intake = Intake(self, self.session, self.steps, self.choosing, self._settings)
        self.comparing = Comparing(self.session, self.canvas, self.waiting, self)
        self.reference = ReferenceFile(self, self.session, lambda: self.settings.last_folder)
        self.two_methods = TwoMethods(self.session, self.canvas, self._settings, self)
        self.keys = WindowKeys(self.comparing, self.two_methods, self)
        self.menus = Menus(self, handlers(self))
        self.side_windows = SideWindows(
            self,
            self.session,
            self.canvas,
            theme,
            self.marks,
            self.menus,
            self.keys,
        )
        menu_key = QShortcut(QKeySequence(MENU_KEY), self)
        menu_key.activated.connect(self.show_menus)
        # Alt and a letter open a menu of the bar; where there is no bar, these do.
        self._menu_letters = [
            QShortcut(QKeySequence.mnemonic(title), self, partial(self.pop_up_menu, title))
            for title in MENUS
        ]
        self.canvas.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.canvas.customContextMenuRequested.connect(self.pop_up_menus)
        self.recents = RecentMenu(
            self.menus.menu("&File", "Open &Recent"),
            self.menus.actions["file.clear_recent"],
            self._settings,
            self,
        )
        self.offers = Offers(
            self.menus,
            self.session,
            self._settings,
            self.choosing,
            self.exporter,
            self.figures,
            self.reference,
            self._may_step,
            self,
        )
        self.tool_bar = ToolBar(self, self.menus.actions)
        self.addToolBar(self.tool_bar)
        # Qt's own menu, on the menu bar, would hide the tool bar behind the back of the setting.
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.error_box = dialogs.ErrorBox(self)
        self._was_maximized = False
        self._told_of: int | None = None  # the generation of the picture whose note was told last
        self._leaving = False  # whatever is going on

        self._connect()
        self._settings.apply()
        self._show_bars()
        self._offer_steps(False, False)
        self._offer_line()
        self._restore_geometry()
        self.offers.look()
        self._show_document()
        self.canvas.setFocus()

    # ---- set-up -------------------------------------------------------------------------------

    def _connect(self) -> None:
        self._settings.changed.connect(self._apply_settings)
        self.theme.changed.connect(self._take_theme)
        self.tool_bar.sigma_changed.connect(lambda sigma: self.change(sigma=sigma))
        zoom = self.status.zoom
        zoom.refused.connect(
            lambda text: self.status.tell(
                f"{text} is no zoom: type a percentage, a factor, fit or fill", 8.0, "zoom"
            )
        )
        for done in (zoom.zoom_chosen, zoom.fit_chosen, zoom.fill_chosen, zoom.left):
            done.connect(lambda *_: self.status.forget("zoom"))
        zoom.zoom_chosen.connect(self.canvas.zoom_to)
        zoom.fit_chosen.connect(self.canvas.fit)
        zoom.fill_chosen.connect(self.canvas.fill)
        zoom.left.connect(self.canvas.setFocus)
        # Said until something else is seen: what is on screen is not what was asked for.
        self.canvas.failed.connect(lambda text: self.status.tell(text, UNTIL_THEN, "failed"))
        self.canvas.frame_shown.connect(lambda *_: self.status.forget("failed"))
        self.session.changed.connect(lambda: self.status.forget("failed"))
        self.canvas.remarked.connect(lambda message: self.status.tell(message, 30.0))
        session = self.session
        session.changed.connect(self._show_document)
        session.changed.connect(self.spare_memory.give_back)
        session.scene_shown.connect(self._show_field)
        session.covered_now.connect(self.readout.refresh)
        session.opening_began.connect(self._opening_began)
        session.opened_file.connect(self._remember)
        session.failed.connect(self._tell_failure)
        session.fell_back.connect(lambda why: self.status.tell(why, 30.0))
        self.recents.chosen.connect(self.open)
        self.view_steps.offered.connect(self._offer_steps)
        self.steps.said.connect(
            lambda text, seconds, names: self.status.tell(text, seconds, "picture", names)
        )
        self.steps.failed.connect(self._tell_failure)
        self.reloading.said.connect(self.status.tell)
        self.reloading.offered.connect(self._show_offer)
        self.intake.said.connect(self.status.tell)
        self.aids.said.connect(self.status.tell)
        self.aids.forgotten.connect(self.status.forget)
        self.copier.said.connect(self.status.tell)
        self.marks.said.connect(self.status.tell)
        self.marks.forgotten.connect(self.status.forget)
        self.waiting.changed.connect(self.status.set_standing)
        self.choosing.said.connect(self.status.tell)
        self.choosing.failed.connect(lambda title, text: self._tell_failure(title, text, None))
        self.choosing.chosen.connect(self.comparing.name_other)
        self.comparing.said.connect(self.status.tell)
        # After what else is said of a picture that has just been opened: how many there are beside it is less urgent.
        self.reference.said.connect(
            lambda text, seconds, names: self.status.tell(text, seconds, "reference", names),
            Qt.ConnectionType.QueuedConnection,
        )
        self.reference.failed.connect(self.error_box.tell)
        self.reference.in_use.connect(self.reloading.watch_reference)
        self.reference.in_use.connect(lambda *_: self.status.forget("reference"))
        self.reloading.reference_asked.connect(self.reference.read_again)
        self.comparing.forgotten.connect(self.status.forget)
        self.two_methods.said.connect(self.status.tell)
        self.two_methods.forgotten.connect(self.status.forget)
        self.two_methods.changed.connect(self._tick_two)
        self.progress.changed.connect(self._work_changed)
        # How far it is, is what is to be read then.
        self.exporter.began.connect(lambda: self.status.tell(""))
        self.exporter.refused.connect(self.error_box.tell)
        self.exporter.finished.connect(lambda message: self.status.tell(message, 12.0))
        self.exporter.failed.connect(
            lambda message: self.error_box.tell("The file was not written", message)
        )
        self.exporter.cancelled.connect(
            lambda: self.status.tell(f"{self.exporter.doing} was stopped; no file was written")
        )
        self.canvas.sides_changed.connect(self._offer_line)
        self.warm_up.failed.connect(
            lambda text: self._tell_failure("Nothing can be drawn", text, None)
        )

    # ---- settings -----------------------------------------------------------------------------

    @property
    def settings(self) -> Settings:
        return self._settings.now

    def change(self, **values: Any) -> None:
        """Change settings: they take effect and are saved."""
        self._settings.change(**values)

    def _apply_settings(self) -> None:
        s = self.settings
        if self.theme.mode != s.theme:
            self.theme.set_mode(s.theme)
        self._take_theme()
        self.minimap.set_wanted(s.minimap)
        self.canvas.set_pixel_grid(s.pixel_grid)
        self.canvas.set_pixel_values(s.pixel_values)
        self.canvas.set_coarse_first(s.preview)
        self.canvas.set_glide(GLIDE_SECONDS if s.animate else 0.0)
        self.canvas.set_touchpad_pans(s.touchpad_pans)
        self.session.set_tile_memory(s.tile_memory << 20 if s.tile_memory else None)
        self.session.set_footprint(PIXEL_SIGMA if s.footprint else None)
        self.tool_bar.setVisible(s.tool_bar and not self.isFullScreen())
        self.tool_bar.show_sigma(s.sigma)
        self.waiting.look()
        self.readout.refresh()

    def _take_theme(self) -> None:
        colours = self.theme.colours
        self.canvas.set_background(QColor(colours.canvas))
        self.tool_bar.set_colours(colours)
        self.welcome.set_colours(colours)

    def _restore_geometry(self) -> None:
        stored = QByteArray.fromBase64(self.settings.geometry.encode())
        if stored.isEmpty() or not self.restoreGeometry(stored):
            room = self.screen().availableSize()
            width, height = DEFAULT_SIZE
            self.resize(min(width, room.width() - 40), min(height, room.height() - 60))

    # ---- opening ------------------------------------------------------------------------------

    def open(self, path: str | Path) -> None:
        """A picture, a field, weights, a folder."""
        self.intake.open(path)

    def open_files(self, paths: list[Path]) -> None:
        """Those that the system asks for: several are stepped through, as if they were dropped together."""
        self.intake.open_all(paths)
        self.activateWindow()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if is_welcome(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        if self.intake.take(event.mimeData()):
            event.acceptProposedAction()
            self.activateWindow()

    def _show_offer(self, text: str, names: Sequence[str]) -> None:
        self.status.set_offer(text, names)
        if not text:
            self.status.forget(ABOUT)

    def _opening_began(self) -> None:
        self.warm_up.start()
        self.welcome.hide()
        self.waiting.begin()

    def _may_step(self) -> bool:
        """Beside the sample there is nothing of the user's."""
        document = self.session.document
        sample = document is not None and self.intake.is_sample(document.path)
        return self.steps.possible and not sample

    def _remember(self, path: Path) -> None:
        if not self.intake.is_sample(path) and not self.steps.came_by(path):
            self.recents.add(path)

    def _tell_failure(self, title: str, message: str, path: Path | None) -> None:
        if self.steps.passes(path, message):
            return
        if path is not None:
            self.recents.drop_if_gone(path)
        self.error_box.tell(title, message)

    # ---- what is open -------------------------------------------------------------------------

    def _show_document(self) -> None:
        document = self.session.document
        self.minimap.refresh()
        self.welcome.setVisible(document is None and not self.session.opening)
        if document is None:
            self.setWindowTitle(TITLE)
            self.setWindowFilePath("")
            self.canvas.setAccessibleDescription("")
        else:
            self.setWindowFilePath(str(document.path or ""))
            self.status.expect_picture(document.extent, document.has_alpha)
            size = status_text.size_text(document.extent)
            self.setWindowTitle(f"{document.name}  ({size})  –  {TITLE}")
            # Whoever comes back from a dialog hears which it is.
            self.canvas.setAccessibleDescription(f"{document.name}, {size}")
        self.readout.refresh()
        said = [] if document is None else [*document.notes]
        if document is None or document.scene.generation != self._told_of:
            self._told_of = None if document is None else document.scene.generation
            self.status.forget("picture")
            if document is not None and document.note:  # once: it is the same by every method
                said.insert(0, document.note)
        if document is not None and said:
            text = f"{document.name}: {'; '.join(said)}"
            self.status.tell(text, 12.0, "picture", [document.name])
        self._show_field()

    def _show_field(self) -> None:
        """Name the method of what is on screen, which after a switch is the old one for a moment."""
        scene = self.canvas.scene
        self.marks.follow()
        if scene is not None:
            self.status.show_method(scene.title)
            self.waiting.look()
            self.comparing.look()

    def _work_changed(self) -> None:
        self.offers.look_at_building()
        if self.session.document is None:
            self.welcome.setVisible(True)

    # ---- keys, and the window's state ---------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self.keys.pressed(event, self.menus.actions.values()):
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if not self.keys.released(event):
            super().keyReleaseEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        # Who goes to another window lets go of the key there.
        if event.type() == QEvent.Type.ActivationChange:
            if self.isActiveWindow():
                self.reloading.look()
            else:
                self.comparing.let_go()
        if event.type() == QEvent.Type.WindowStateChange:
            self._show_bars()
        if event.type() == QEvent.Type.ThemeChange:
            self.theme.follow_system()
        super().changeEvent(event)

    def stop(self) -> None:
        """Let go of a dragged rectangle; else leave full screen; else put away the mark of a Gaussian; else stop what
        goes on."""
        if self.canvas.drop_box():
            return
        if self.isFullScreen():
            self.set_full_screen(False)
        elif self.canvas.mark is not None:
            self.marks.unmark()
        else:
            self.progress.stop()

    # ---- the view -----------------------------------------------------------------------------

    def pan(self, shares: tuple[float, float]) -> None:
        self.canvas.pan(shares[0] * self.canvas.pane_width, shares[1] * self.canvas.height())

    def set_full_screen(self, on: bool) -> None:
        if on and not self.isFullScreen():
            self._was_maximized = self.isMaximized()
            self.showFullScreen()
        elif not on and self.isFullScreen():
            if self._was_maximized:
                self.showMaximized()
            else:
                self.showNormal()
        self._show_bars()

    def _show_bars(self) -> None:
        """Full screen is the picture alone, whoever asked for it: us, or the system's own key or button."""
        on = self.isFullScreen()
        self.menuBar().setVisible(not on)
        self.tool_bar.setVisible(self.settings.tool_bar and not on)
        self.menus.tick("view.full_screen", on)
        self.menus.enable(not on, "view.tool_bar")  # it would change what cannot be seen
        for letter in self._menu_letters:
            letter.setEnabled(on)

    def set_split(self, on: bool) -> None:
        self.comparing.split(on)
        self.two_methods.follow_split()
        self.offers.tick_split()

    def _offer_line(self) -> None:
        self.menus.enable(self.canvas.line_shown, "line.left", "line.right", "line.middle")

    def _offer_steps(self, back: bool, forward: bool) -> None:
        self.menus.enable(back, "view.back")
        self.menus.enable(forward, "view.forward")

    def _tick_two(self) -> None:
        self.menus.tick("field.panes", self.two_methods.panes)
        self.menus.tick("field.difference", self.two_methods.difference)
        self.offers.tick_split()
        self.readout.refresh()

    # ---- help ---------------------------------------------------------------------------------

    def show_menus(self) -> None:
        self.menus.show(self.canvas.mapToGlobal(QPoint(0, 0)))

    def pop_up_menu(self, title: str) -> None:
        self.menus.menu(title).popup(self.canvas.mapToGlobal(QPoint(0, 0)))

    def pop_up_menus(self, at: QPoint) -> None:
        """At a place of the canvas, by the right button or the key for it."""
        if not QGuiApplication.mouseButtons() & HOLDING:  # else it lets go of a rectangle
            self.menus.pop_up(self.canvas.mapToGlobal(at))

    # ---- the end ------------------------------------------------------------------------------

    def is_idle(self) -> bool:
        """Whether nothing is under way: for tests and measurements."""
        return (
            not self.session.opening
            and not self.steps.running
            and not self.copier.running
            and not self.session.building
            and not self.session.building_beside
            and not self.session.reading
            and not self.exporter.running
            and not self.choosing.running
            and not self.reference.running
            and self.canvas.is_idle()
            and self.readout.is_idle()
            and not self.side_windows.busy
        )

    def leave(self) -> None:
        """Close the window without asking."""
        self._leaving = True
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.exporter.running and not self._leaving:
            event.ignore()
            dialogs.ask_to_leave(self, self.exporter.doing, self.leave, self.exporter.ended)
            return
        if self.isFullScreen():
            self.set_full_screen(False)
        geometry = bytes(self.saveGeometry().toBase64().data()).decode("ascii")
        self._settings.note(geometry=geometry)
        self.steps.close()
        self.reloading.close()
        self.copier.close()
        self.session.shutdown()
        self.exporter.close(0.4)
        self.choosing.close()
        self.reference.close()
        self.readout.shutdown()
        self.canvas.shutdown()
        self.side_windows.shutdown()
        self.spare_memory.close(0.05)
        self.warm_up.close(0.05)
        self._settings.close()
        super().closeEvent(event)
