"""The plots of a distribution of Gaussians: a histogram of each quantity, with its median and its spread in words."""

from __future__ import annotations

import math
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from viewer.model.distribution import QUANTITIES, Distribution, Histogram
from viewer.ui.theme import Colours

COLUMNS = 2
SIZE = (190, 92)  # of a plot, at least: all of them are to leave the picture to be seen beside them
LEGEND = "Bars: percent of them. Above them the median, and what nine in ten lie between."


class DistributionPlots(QWidget):
    """In a grid. Imports pyqtgraph, which takes half a second."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(10)
        self._cells = {}
        for place, quantity in enumerate(QUANTITIES):
            cell = _Cell(f"{quantity.title}, {quantity.unit}" if quantity.unit else quantity.title)
            grid.addWidget(cell, *divmod(place, COLUMNS))
            self._cells[quantity.key] = cell

    def show_distribution(self, distribution: Distribution | None) -> None:
        """None, and of what is not known: no bars."""
        found = {h.quantity.key: h for h in distribution.histograms} if distribution else {}
        for key, cell in self._cells.items():
            cell.show_histogram(found.get(key))

    def set_colours(self, colours: Colours) -> None:
        for cell in self._cells.values():
            cell.set_colours(colours)

    def texts(self) -> dict[str, str]:
        """What is said of each quantity."""
        return {key: cell.figures.text() for key, cell in self._cells.items()}


class _Cell(QWidget):
    def __init__(self, title: str) -> None:
        import pyqtgraph

        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        name = QLabel(title)
        font = name.font()
        font.setBold(True)
        name.setFont(font)
        self.figures = QLabel()
        self.figures.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._graph = pyqtgraph
        self._plot = pyqtgraph.PlotWidget(enableMenu=False)
        self._plot.setMinimumSize(*SIZE)
        self._plot.setMouseEnabled(x=False, y=False)  # the wheel belongs to the picture
        self._plot.hideButtons()
        self._plot.getAxis("left").setWidth(26)
        self._bars = pyqtgraph.BarGraphItem(x0=[], x1=[], height=[])
        self._median = pyqtgraph.InfiniteLine(0.0, movable=False)
        self._plot.addItem(self._bars)
        self._plot.addItem(self._median)
        for widget in (name, self.figures, self._plot):
            column.addWidget(widget)
        self.show_histogram(None)

    def show_histogram(self, histogram: Histogram | None) -> None:
        known = histogram is not None and not math.isnan(histogram.median)
        self._median.setVisible(known)
        if histogram is None or not known:
            self.figures.setText("none" if histogram is not None else "not known of this field")
            self._bars.setOpts(x0=[], x1=[], height=[])
            return
        edges, counts = histogram.edges, histogram.counts
        # Of all: bars that leave out what is beyond the range do not add up to 100.
        share = 100 * counts / (counts.sum() + histogram.beyond)
        self._bars.setOpts(x0=edges[:-1], x1=edges[1:], height=share)
        self._plot.setXRange(edges[0], edges[-1], padding=0.01)
        self._plot.setYRange(0.0, max(float(share.max()), 1e-3), padding=0.1)
        self._median.setPos(histogram.median)
        low, high = _text(histogram.low, 2), _text(histogram.high, 2)
        self.figures.setText(f"{_text(histogram.median, 3)} ({low} to {high})")

    def set_colours(self, colours: Colours) -> None:
        graph, text = self._graph, QColor(colours.soft)
        self._plot.setBackground(QColor(colours.base))
        for side in ("left", "bottom"):
            axis: Any = self._plot.getAxis(side)
            axis.setPen(graph.mkPen(QColor(colours.line)))
            axis.setTextPen(graph.mkPen(text))
        accent = QColor(colours.accent)
        self._bars.setOpts(brush=graph.mkBrush(accent), pen=graph.mkPen(accent))
        self._median.setPen(graph.mkPen(QColor(colours.text), width=1, style=Qt.PenStyle.DashLine))


def _text(value: float, digits: int) -> str:
    return f"{value:.{digits}g}".replace("-", "−")
