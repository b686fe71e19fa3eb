"""The window that shows how the Gaussians in view are distributed, while the view is moved."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QTimer
from PySide6.QtGui import QHideEvent, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QDialog, QLabel, QVBoxLayout, QWidget

from viewer.model.actions import action
from viewer.model.distribution import Distribution
from viewer.ui.canvas import Canvas
from viewer.ui.distribution_plots import LEGEND, DistributionPlots
from viewer.ui.distribution_worker import DistributionWorker
from viewer.ui.theme import Theme

GAP = 12  # logical pixels to the canvas's edges
REST_MS = 120
"""After the last change of the view: counting takes a processor that frames want."""


class DistributionDialog(QDialog):
    """Follows a canvas while it is visible; the window stays usable. Its own key and Escape close it."""

    def __init__(self, parent: QWidget, canvas: Canvas, theme: Theme) -> None:
        super().__init__(parent)
        self.setWindowTitle("Gaussians in view")
        self._canvas, self._theme = canvas, theme
        self._placed = False
        self.summary = QLabel()
        self.summary.setWordWrap(True)
        self.plots = DistributionPlots()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(16, 12, 16, 12)
        outer.setSpacing(10)
        outer.addWidget(self.summary)
        outer.addWidget(self.plots)
        legend = QLabel(LEGEND)
        legend.setWordWrap(True)
        outer.addWidget(legend)
        for key in action("overlay.distribution").keys:
            QShortcut(QKeySequence(key), self, self.close)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(REST_MS)
        self._timer.timeout.connect(self._count)
        self._worker = DistributionWorker(self)
        self._worker.found.connect(self._show)
        canvas.view_changed.connect(self.look)
        canvas.frame_shown.connect(self.look)
        theme.changed.connect(self._take_colours)
        self._take_colours()

    @property
    def busy(self) -> bool:
        return self._timer.isActive() or self._worker.running

    def show_beside(self) -> None:
        """Small, in the canvas's upper right corner at first, then as the user has put it."""
        if not self._placed:
            self._placed = True
            self.resize(self.minimumSizeHint())
            corner = self._canvas.mapToGlobal(self._canvas.rect().topRight())
            self.move(corner - QPoint(self.width() + GAP, -GAP))
        self.show()
        self.raise_()
        self.activateWindow()

    def shutdown(self) -> None:
        self._timer.stop()
        self._worker.close(0.05)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._count()

    def hideEvent(self, event: QHideEvent) -> None:
        self._timer.stop()
        self._worker.drop()
        super().hideEvent(event)

    def _take_colours(self) -> None:
        self.plots.set_colours(self._theme.colours)

    def look(self) -> None:
        """Another scene or another view may be shown."""
        if self.isVisible():
            self._timer.start()

    def _count(self) -> None:
        scene = self._canvas.scene
        if scene is None:
            self._worker.drop()
            self.summary.setText("No picture is open.")
            self.plots.show_distribution(None)
        else:
            self._worker.ask(scene, self._canvas.view.source_rect)

    def _show(self, found: Distribution) -> None:
        scene = self._canvas.scene
        if scene is None or not self.isVisible():
            return
        if found.total:
            of = "" if found.taken == found.total else f", of which {found.taken:,} were looked at"
            text = f"{found.total:,} Gaussians by {scene.title} in view{of}"
        elif scene.interpolated or getattr(scene.drawing, "marks_nothing", False):
            text = f"{scene.title} shows the picture without Gaussians"
        else:
            text = f"None of {scene.title}'s Gaussians are in view yet"
        self.summary.setText(text)
        self.plots.show_distribution(found if found.total else None)
