"""A histogram in which a range of values can be chosen, by dragging and by keys. Imports pyqtgraph, which takes half a
second."""

from __future__ import annotations

import math
from typing import Any

import pyqtgraph
from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent

from viewer.model.overlays.distribution import Histogram
from viewer.ui.latin_keys import HELD
from viewer.ui.theme import Colours

Range = tuple[float, float]
NUMBERS = "100"
"""As wide as the numbers on the left become."""
LEAST = 1e-9
"""Of the width of the plot: ranges end nowhere between this and its end."""
STEPS: dict[int, int] = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
"""Bars that an arrow moves a range by, or an end of it."""
MOVED = {
    Qt.KeyboardModifier.NoModifier: (1, 1),
    Qt.KeyboardModifier.ShiftModifier: (0, 1),
    Qt.KeyboardModifier.ControlModifier: (1, 0),
}
"""Which ends are moved with a modifier held: the lower, the upper."""
NONE_ANY_MORE = (Qt.Key.Key_Delete, Qt.Key.Key_Backspace)


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
        # Not by the mouse: who has dragged goes on panning the picture with the arrow keys.
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._histogram: Histogram | None = None
        self._frame = pyqtgraph.mkPen(None)  # around the one that has the keyboard
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
        self._histogram = histogram
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
        self._frame = pyqtgraph.mkPen(text, width=2)
        self._show_focus()

    # ---- keys ---------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        # Else they would be the window's shortcuts.
        overrides = event.type() == QEvent.Type.ShortcutOverride
        if overrides and isinstance(event, QKeyEvent) and self._knows(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self._knows(event):
            event.ignore()
        elif event.key() in NONE_ANY_MORE:
            self._choose_none()
        else:
            self._step(STEPS[event.key()], *MOVED[event.modifiers() & HELD])

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._show_focus()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._show_focus()

    def _show_focus(self) -> None:
        self.getViewBox().setBorder(self._frame if self.hasFocus() else None)

    def _knows(self, event: QKeyEvent) -> bool:
        """Whether a key is to do something here."""
        held = event.modifiers() & HELD
        moves = event.key() in STEPS and held in MOVED and self._bars_end is not None
        return moves or (event.key() in NONE_ANY_MORE and not held)

    def _step(self, bars: int, lower: int, upper: int) -> None:
        """Move the lower end of the range, the upper one, or both, by so many bars. Without a range one begins: of what
        nine in ten have."""
        assert self._histogram is not None
        least, most = self._ends
        if self.chosen is None:
            low, high = self._histogram.low, self._histogram.high
        else:
            low, high = (min(max(end, least), most) for end in self.chosen)
            step = bars * float(self._histogram.edges[1] - self._histogram.edges[0])
            if lower and upper:
                step = min(max(step, least - low), most - high)
            low, high = low + lower * step, high + upper * step
            if low > high:  # one end does not push the other
                low = high = high if lower else low
        self._choose(*(min(max(end, least), most) for end in (low, high)))
        self._show_chosen()

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
        if event.double():
            self._choose_none()

    def _choose_none(self) -> None:
        if self.chosen is not None:
            self.clear_chosen()
            self.chosen_changed.emit()
