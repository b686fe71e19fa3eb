"""The plots of a distribution of Gaussians: a histogram of each quantity, with its median and its spread in words."""

from __future__ import annotations

import math

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from viewer.model.overlays.distribution import QUANTITIES, Distribution, Histogram
from viewer.model.overlays.overlay_options import ValueRange
from viewer.ui.announcing import announce
from viewer.ui.theme import Colours

COLUMNS, MANY_COLUMNS = 2, 3
"""Two leave most of a picture to be seen; on a low screen three have room."""
SIZE = (32, 6.5)
"""Of a plot, at least, in average characters and lines: all of them are to leave the picture to be seen beside them."""
UNKNOWN, NOT_YET = "not known of this field", "not known yet"
LEGEND = "Bars: percent of them. Above them the median, and what nine in ten lie between."


class DistributionPlots(QWidget):
    """In a grid. Imports pyqtgraph, which takes half a second."""

    chosen_changed = Signal()
    """The user has chosen other ranges."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(10)
        self._cells: dict[str, _Cell] = {}
        for quantity in QUANTITIES:
            cell = _Cell(f"{quantity.title}, {quantity.unit}" if quantity.unit else quantity.title)
            cell.plot.chosen_changed.connect(self.chosen_changed)
            self._cells[quantity.key] = cell
        self.arrange(COLUMNS)

    def arrange(self, columns: int) -> None:
        """The plots in so many columns."""
        for cell in self._cells.values():
            self._grid.removeWidget(cell)
        for place, cell in enumerate(self._cells.values()):
            self._grid.addWidget(cell, *divmod(place, columns))
        self.updateGeometry()  # what it is in has not seen that it is of another size

    def show_distribution(self, distribution: Distribution | None, unknown: str = UNKNOWN) -> None:
        """None, and of what is not known: no bars. unknown: what is said of it."""
        found = {h.quantity.key: h for h in distribution.histograms} if distribution else {}
        for key, cell in self._cells.items():
            cell.show_histogram(found.get(key), unknown)

    @property
    def chosen(self) -> tuple[ValueRange, ...]:
        """The ranges that are chosen."""
        ranges = ((key, cell.plot.chosen) for key, cell in self._cells.items())
        return tuple(ValueRange(key, *ends) for key, ends in ranges if ends is not None)

    def clear_chosen(self) -> None:
        for cell in self._cells.values():
            cell.plot.clear_chosen()
            cell.tell()

    def set_colours(self, colours: Colours) -> None:
        for cell in self._cells.values():
            cell.plot.set_colours(colours)

    def texts(self) -> dict[str, str]:
        """What is said of each quantity."""
        return {key: cell.figures.text() for key, cell in self._cells.items()}


class _Cell(QWidget):
    def __init__(self, title: str) -> None:
        from viewer.ui.dialogs.range_plot import RangePlot

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
        self.plot = RangePlot()
        metrics = self.fontMetrics()
        across, down = SIZE
        self.plot.setMinimumSize(
            across * metrics.averageCharWidth(), round(down * metrics.lineSpacing())
        )
        self.plot.setAccessibleName(f"Histogram: {title}")
        self.plot.chosen_changed.connect(self._choose)
        self._histogram: Histogram | None = None
        self._unknown = UNKNOWN
        for widget in (name, self.figures, self.plot):
            column.addWidget(widget)
        self.show_histogram(None)

    def show_histogram(self, histogram: Histogram | None, unknown: str = UNKNOWN) -> None:
        self._histogram, self._unknown = histogram, unknown
        self.plot.show_histogram(histogram)
        self.tell()

    def tell(self) -> None:
        """The range that is chosen, else what is known of all of them."""
        found, chosen = self._histogram, self.plot.chosen
        if found is None:
            text = self._unknown
        elif math.isnan(found.median):
            text = "none"
        elif chosen is not None:
            text = _range_text(*chosen)
        else:
            low, high = _text(found.low, 2), _text(found.high, 2)
            text = f"{_text(found.median, 3)} ({low} to {high})"
        self.figures.setText(text)
        self.plot.setAccessibleDescription(text)

    def _choose(self) -> None:
        self.tell()
        if self.plot.hasFocus():  # by keys
            announce(self.plot, self.figures.text())


def _range_text(low: float, high: float) -> str:
    """What is chosen of it."""
    start, end = _text(low, 3), _text(high, 3)
    if math.isinf(low):
        return "chosen: all that have one" if math.isinf(high) else f"chosen: up to {end}"
    return f"chosen: from {start}" if math.isinf(high) else f"chosen: {start} to {end}"


def _text(value: float, digits: int) -> str:
    return f"{value:.{digits}g}".replace("-", "−")
