"""A histogram in which a range of values can be chosen by dragging. Imports pyqtgraph, which takes half a second."""

from __future__ import annotations

import math
from typing import Any

import pyqtgraph
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor

from viewer.model.distribution import Histogram
from viewer.ui.theme import Colours

Range = tuple[float, float]
NUMBERS = "100"
"""As wide as the numbers on the left become."""
LEAST = 1e-9
"""Of the width of the plot: ranges end nowhere between this and its end."""


class _Field(pyqtgraph.ViewBox):
    """Where the bars are. The wheel belongs to the picture."""

    dragged = Signal(float, float)
    """From one value to another, with the left button."""

    def mouseDragEvent(self, event: Any, axis: Any = None) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        event.accept()
        ends = (event.buttonDownScenePos(), event.scenePos())
        start, end = (self.mapSceneToView(place).x() for place in ends)
        self.dragged.emit(start, end)


class RangePlot(pyqtgraph.PlotWidget):
    """chosen: the range (low, high) that was chosen, to an infinite one where it ends with the plot; None: none."""

    chosen_changed = Signal()
    """By the user."""

    def __init__(self) -> None:
        field = _Field(enableMenu=False)
        super().__init__(viewBox=field, enableMenu=False)
        self.chosen: Range | None = None
        self._bars_end: Range | None = None  # where they begin and end; None: there are none
        self._ends: Range = (0.0, 1.0)  # of the axis: also of what was chosen
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # there is nothing to do in it by keys
        self.setMouseEnabled(x=False, y=False)
        self.hideButtons()
        # The last number of an axis reaches beyond its tick by half of itself.
        beyond = math.ceil(self.fontMetrics().height() / 2)
        self.getPlotItem().layout.setContentsMargins(0, beyond, beyond, 0)
        self.getAxis("left").setWidth(self.fontMetrics().horizontalAdvance(NUMBERS) + 2)
        self._bars = pyqtgraph.BarGraphItem(x0=[], x1=[], height=[])
        self._median = pyqtgraph.InfiniteLine(0.0, movable=False)
        self._region = pyqtgraph.LinearRegionItem()
        self._region.setZValue(10)
        for item in (self._bars, self._median, self._region):
            # Only what is shown of the values decides how far the axes reach.
            self.addItem(item, ignoreBounds=True)
        field.setCursor(Qt.CursorShape.CrossCursor)
        self._region.setCursor(Qt.CursorShape.OpenHandCursor)
        for edge in self._region.lines:
            edge.setCursor(Qt.CursorShape.SizeHorCursor)
        self._region.hide()
        self._region.sigRegionChanged.connect(self._region_moved)
        field.dragged.connect(self._drag)
        self.scene().sigMouseClicked.connect(self._click)

    def show_histogram(self, histogram: Histogram | None) -> None:
        """None: of nothing."""
        if histogram is None or math.isnan(histogram.median):
            self._median.hide()
            self._bars_end = None
            self._bars.setOpts(x0=[], x1=[], height=[])
            return
        edges, counts = histogram.edges, histogram.counts
        # Of all: bars that leave out what is beyond the range do not add up to 100.
        share = 100 * counts / (counts.sum() + histogram.beyond)
        self._bars.setOpts(x0=edges[:-1], x1=edges[1:], height=share)
        self._bars_end = float(edges[0]), float(edges[-1])
        self.setYRange(0.0, max(float(share.max()), 1e-3), padding=0.1)
        self._median.setPos(histogram.median)
        self._median.show()
        self._show_chosen()

    def clear_chosen(self) -> None:
        self.chosen = None
        self._show_chosen()

    def set_colours(self, colours: Colours) -> None:
        text, line, accent = (QColor(c) for c in (colours.text, colours.line, colours.accent))
        self.setBackground(QColor(colours.base))
        for side in ("left", "bottom"):
            axis = self.getAxis(side)
            axis.setPen(pyqtgraph.mkPen(line))
            axis.setTextPen(pyqtgraph.mkPen(QColor(colours.soft)))
        self._bars.setOpts(brush=pyqtgraph.mkBrush(accent), pen=pyqtgraph.mkPen(accent))
        self._median.setPen(pyqtgraph.mkPen(text, width=1, style=Qt.PenStyle.DashLine))
        for veil, alpha in ((self._region.setBrush, 45), (self._region.setHoverBrush, 70)):
            veil(pyqtgraph.mkBrush(QColor(text.red(), text.green(), text.blue(), alpha)))
        for edge in self._region.lines:
            edge.setPen(pyqtgraph.mkPen(text, width=1))
            edge.setHoverPen(pyqtgraph.mkPen(text, width=3))
        self._region.update()

    # ---- choosing -----------------------------------------------------------------------------

    def _show_chosen(self) -> None:
        """The axis reaches over what is chosen, also where no bars are any more."""
        self._region.setVisible(self.chosen is not None)
        if self._bars_end is None:
            return
        ends = [*self._bars_end, *filter(math.isfinite, self.chosen or ())]
        low, high = self._ends = min(ends), max(ends)
        self.setXRange(low, high, padding=0.01)
        if self.chosen is None:
            return
        seen = tuple(min(max(v, low), high) for v in self.chosen)
        if seen != self._region.getRegion():  # else it may be in the user's hand
            self._region.blockSignals(True)
            self._region.setBounds((low, high))
            self._region.setRegion(seen)
            self._region.blockSignals(False)

    def _choose(self, start: float, end: float) -> None:
        low, high = self._ends
        slack = LEAST * (high - low)
        start, end = min(start, end), max(start, end)
        self.chosen = (
            -math.inf if start <= low + slack else start,
            math.inf if end >= high - slack else end,
        )
        self.chosen_changed.emit()

    def _drag(self, start: float, end: float) -> None:
        if self._bars_end is None:
            return
        low, high = self._ends
        self._choose(*(min(max(v, low), high) for v in (start, end)))
        self._show_chosen()

    def _region_moved(self) -> None:
        self._choose(*self._region.getRegion())

    def _click(self, event: Any) -> None:
        if event.double() and self.chosen is not None:
            self.clear_chosen()
            self.chosen_changed.emit()
