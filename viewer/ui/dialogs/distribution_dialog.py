"""The window that shows how the Gaussians in view are distributed, while the view is moved."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QHideEvent, QShowEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from viewer.model.overlays.distribution import Distribution
from viewer.model.status_text import unknown_text
from viewer.ui.canvas.canvas import Canvas
from viewer.ui.dialogs.distribution_plots import (
    LEGEND,
    MANY_COLUMNS,
    NOT_YET,
    UNKNOWN,
    DistributionPlots,
)
from viewer.ui.dialogs.own_key import own_key
from viewer.ui.theme import Theme
from viewer.ui.workers.distribution_worker import DistributionWorker

GAP = 12  # logical pixels to the canvas's edges
HOW = (
    "Drag in a histogram, or Tab there and use arrow keys: only those within all ranges are marked."
)
REST_MS = 120
"""After the last change of the view: counting takes a processor that frames want."""


class DistributionDialog(QDialog):
    """Follows a canvas while it is visible; the window stays usable, and has the keyboard at first. Its own key and
    Escape close it, and with it goes what was chosen in it. actions: the window's, whose keys work here, too."""

    chosen = Signal(object)
    """The ranges within which Gaussians are to be marked: a tuple of ValueRange; empty: all."""

    def __init__(
        self, parent: QWidget, canvas: Canvas, theme: Theme, actions: Iterable[QAction] = ()
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Gaussians in view")
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self._canvas, self._theme = canvas, theme
        self._placed = False
        self.summary = _two_lines()
        self.plots = DistributionPlots()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(16, 12, 16, 12)
        outer.setSpacing(10)
        outer.addWidget(self.summary)
        outer.addWidget(self.plots)
        legend = _two_lines(LEGEND)
        outer.addWidget(legend)
        outer.addLayout(self._choice_row())
        self.addActions(list(actions))
        self.addAction(own_key(self, "overlay.distribution"))
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(REST_MS)
        self._timer.timeout.connect(self._count)
        self._worker = DistributionWorker(self)
        self._worker.found.connect(self._show)
        self._found: Distribution | None = None
        self.plots.chosen_changed.connect(self._choose)
        canvas.view_changed.connect(self.look)
        canvas.sides_changed.connect(self.look)
        canvas.frame_shown.connect(self.look)
        canvas.overlay_counts.connect(self._marked)
        theme.changed.connect(self._take_colours)
        self._take_colours()

    def _choice_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.choice = _two_lines(HOW)
        self.all = QPushButton("Mark &All")
        self.all.setToolTip("Choose none any more; a double-click in a histogram ends its range")
        self.all.setAutoDefault(False)
        self.all.setEnabled(False)
        self.all.clicked.connect(self.choose_all)
        row.addWidget(self.choice, 1)
        row.addWidget(self.all, 0, Qt.AlignmentFlag.AlignTop)
        return row

    @property
    def busy(self) -> bool:
        return self._timer.isActive() or self._worker.running

    def show_beside(self) -> None:
        """Small, in the canvas's upper right corner at first, then as the user has put it."""
        if not self._placed:
            self._placed = True
            room = self._canvas.screen().availableGeometry()
            if self.minimumSizeHint().height() > room.height():
                self.plots.arrange(MANY_COLUMNS)
            self.resize(self.minimumSizeHint())
            corner = self._canvas.mapToGlobal(self._canvas.rect().topRight())
            wanted = corner - QPoint(self.width() + GAP, -GAP)
            self.move(_within(QRect(wanted, self.size()), room))
        self.show()
        self.setFocus()  # until somebody goes to a histogram the arrow keys pan the picture
        self.raise_()

    def shutdown(self) -> None:
        self._timer.stop()
        self._worker.close(0.05)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._count()

    def hideEvent(self, event: QHideEvent) -> None:
        self._timer.stop()
        self._worker.drop()
        if not event.spontaneous():  # as with a window that is minimized
            self.choose_all()
        super().hideEvent(event)

    def choose_all(self) -> None:
        """No ranges any more."""
        if self.plots.chosen:
            self.plots.clear_chosen()
            self._choose()

    def _take_colours(self) -> None:
        self.plots.set_colours(self._theme.colours)

    def look(self) -> None:
        """Another scene or another view may be shown."""
        if self.isVisible():
            self._timer.start()

    def _choose(self) -> None:
        self.all.setEnabled(bool(self.plots.chosen))
        self._tell_choice()
        self.chosen.emit(self.plots.chosen)
        if self.isVisible():
            self._count()

    def _marked(self) -> None:
        """Other marks may be shown, or none; and a method may know of its Gaussians now."""
        self._tell_choice()
        if self._found is not None and not self._found.total:
            self.look()

    def _tell_choice(self) -> None:
        found = self._found
        if not self.plots.chosen:
            text = HOW
        elif found is None or not found.total:
            text = "None of them is in view."
        else:
            share = found.chosen / found.taken
            percent = f"{100 * share:.0f}" if share >= 0.1 else f"{100 * share:.2g}"
            # Of some that were looked at; who tells more figures than these know is wrong.
            count = f"{found.chosen:,}"
            if found.taken < found.total:
                count = f"About {float(f'{share * found.total:.2g}'):,.0f}"
            marks = self._canvas.overlays.any
            then = "only they are marked." if marks else "press C, E or D to mark them."
            text = f"{count} of them ({percent} %) are chosen: {then}"
        self.choice.setText(text)

    def _count(self) -> None:
        scene = self._canvas.scene
        if scene is None:
            self._worker.drop()
            self.summary.setText("No picture is open.")
            self._found = None
            self.plots.show_distribution(None)
            self._tell_choice()
        else:
            self._worker.ask(scene, self._canvas.seen_rect, self.plots.chosen)

    def _show(self, found: Distribution) -> None:
        scene = self._canvas.scene
        if scene is None or not self.isVisible():
            return
        unknown = getattr(scene.drawing, "unknown", False)
        if found.total:
            of = "" if found.taken == found.total else f", of which {found.taken:,} were looked at"
            share = scene.built_share(self._canvas.seen_rect)
            percent = min(max(round(100 * share), 1), 99)
            built = "" if share == 1 else f" in the {percent} % of it that is built"
            where = " right of the line" if self._canvas.line_shown else " in view"
            text = f"{found.total:,} Gaussians by {scene.title}{where}{built}{of}"
        elif scene.interpolated or getattr(scene.drawing, "marks_nothing", False):
            text = f"{scene.title} shows the picture without Gaussians"
        elif unknown:
            text = unknown_text(scene.title, scene.drawing.marked_unseen)
        elif getattr(scene.drawing, "most_kernels", None) is not None:
            text = f"{scene.title} makes its Gaussians of so large a picture for marks only"
        else:
            text = f"None of {scene.title}'s Gaussians are in view yet"
        self.summary.setText(text)
        self._found = found
        self.plots.show_distribution(
            found if found.total else None, NOT_YET if unknown else UNKNOWN
        )
        self._tell_choice()


def _within(wanted: QRect, room: QRect) -> QPoint:
    """Where its upper left corner is to be, for all of it to be seen, or as much as there is room for."""
    left = min(wanted.x(), room.x() + room.width() - wanted.width())
    top = min(wanted.y(), room.y() + room.height() - wanted.height())
    return QPoint(max(left, room.x()), max(top, room.y()))


def _two_lines(text: str = "") -> QLabel:
    """A label that takes the same room whatever it says: the plots are not to move under the mouse, nor be squeezed."""
    label = QLabel(text)
    label.setWordWrap(True)
    label.setMinimumHeight(2 * label.fontMetrics().lineSpacing() + 2)
    label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
    return label
